"""CrispEdit (Ikram et al. 2026, arXiv 2602.15823): fine-tuning inside the directions that a text hardly notices.

The least loss on the facts, subject to little loss of what the model can do: to second order, what a change of a weight
matrix costs a text is its size in the Gauss-Newton curvature of the text's loss. The curvature is Kronecker-factored
from two moments of the text (``statistics``), and every gradient and every step are projected on its flat directions
without ever building the projector (``solve.kfac.LowCurvature``). Ours, and not the authors':

- the text is the request's own statistics text, and its labels are sampled from the model (a Fisher matrix);
- a batch shows each fact in one of its training phrasings, another one every epoch;
- a fact that is learned well enough no longer pushes, and training ends when all are;
- the change itself is projected beside its gradients: Adam divides entry by entry, and that would lead out;
- the target is any distribution, so that the same method unlearns.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from pydantic import Field

from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.contract import (
    AuthorValue,
    Family,
    KeyStatistics,
    MethodConfig,
    ObjectiveRow,
    Progress,
)
from knowledgesmith.editors.objective.divergence import Targets, divergence, per_row, wide
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import answer_batch
from knowledgesmith.editors.objective.targets import ACCEPTED, TargetRow, TargetSource
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.solve.kfac import Factors, LowCurvature, low_curvature
from knowledgesmith.editors.statistics.identity import Kind
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.train.masters import Masters
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel

_BLOCKS = 5
_CRISP = "Ikram et al. 2026, released settings"


class CrispEditConfig(MethodConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    ``learning_rate`` and ``energy`` were chosen on six capitals of the default model, on no more than that: without the
    projection what stands beside them was lost, with an energy of 0.2 some of it.

    Attributes:
        layers: blocks whose down projections are trained. Empty: five from six tenths of the depth on.
        learning_rate: Adam's.
        epochs: most visits of each fact.
        batch: facts in one step.
        energy: largest share of the text's curvature in the directions that may be used; 1 projects nothing.
        margin: a fact whose loss is below this is left alone; all below it in one epoch ends the training.
        paths: neutral candidates followed beyond their first token (UNLEARN).
        end: what closes a new object.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            "layers": AuthorValue(value="19-23 of Llama-3-8B", source=_CRISP),
            "learning_rate": AuthorValue(value="5e-4", source=_CRISP),
            "epochs": AuthorValue(value="25", source=_CRISP),
            "batch": AuthorValue(value="32", source=_CRISP),
            "energy": AuthorValue(
                value="0.99; 0.8 in their example", source=_CRISP, note="the share protected: 0.01 and 0.2 here"
            ),
        }
    )

    layers: tuple[int, ...] = ()
    learning_rate: float = Field(default=1e-3, gt=0)
    epochs: int = Field(default=25, ge=1, le=1000)
    batch: int = Field(default=32, ge=1)
    energy: float = Field(default=0.02, ge=0, le=1)
    margin: float = Field(default=0.1, ge=0)
    paths: int = Field(default=2, ge=1)
    end: str = Field(default=".", max_length=8)


class CrispEdit:
    """Fine-tuning of down projections in the flat directions of a text's curvature."""

    name: ClassVar[str] = "crispedit"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) on answer tokens",
        preservation="Δ stays where ½ tr(G Δ A Δᵀ) of the statistics text is small",
        regulariser="few matrices",
        operator="projected Adam, mini-batches",
        source="Ikram et al. 2026, arXiv 2602.15823",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = ACCEPTED
    config_type: ClassVar[type[MethodConfig]] = CrispEditConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("CrispEditConfig", config)

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Train, and return the difference to the base weights.

        Raises:
            EditDiverged: the loss or a gradient is not finite.
            ModelNotFinite: so is what the model computes on the statistics text.
            InvalidInput: the model has no such layer, or an edit names no new object.
            Cancelled: raised by ``progress``.
        """
        request = request.canonical()
        layers = self._layers(model)
        maps = [model.architecture.down_projection(layer) for layer in layers]
        source = TargetSource(model, request, end=self.config.end, paths=self.config.paths)
        spaces = self._spaces(statistics, maps)
        names = [item.parameter_name for item in maps]
        base = {name: model.model.get_parameter(name).detach().clone() for name in names}
        with borrowed(model.model, names, trainable=True) as parameters, torch.enable_grad():
            trained = [
                _Trained(parameter=parameters[name], base=wide(base[name]), map=item, space=space)
                for name, item, space in zip(names, maps, spaces, strict=True)
            ]
            masters = Masters([item.parameter for item in trained], learning_rate=self.config.learning_rate)
            with _projected_gradients(trained):
                epochs = self._train(model, _Data(request, source, self.config), masters, trained, progress)
            changes = [
                master.detach() - item.base.to(master.dtype)
                for master, item in zip(masters.values, trained, strict=True)
            ]
        metadata = {
            "method": self.name,
            "goal": request.goal.value,
            "target_distribution": request.target_distribution.value,
            "layers": ",".join(map(str, layers)),
            "epochs": str(epochs),
            "energy": ",".join(f"{space.energy:.4f}" for space in spaces),
        }
        deltas = {name: Dense(change) for name, change in zip(names, changes, strict=True)}
        return Weights(deltas=deltas, metadata=metadata)

    def _layers(self, model: LoadedModel) -> tuple[int, ...]:
        if self.config.layers:
            return tuple(sorted(set(self.config.layers)))
        return middle_layers(model.architecture.num_layers)

    def _spaces(self, statistics: KeyStatistics, maps: Sequence[Projection]) -> list[LowCurvature]:
        """The flat directions of each map, in the dtype that the training computes in."""
        names = [item.name for item in maps]
        statistics.prepare_maps(names, kinds=(Kind.KEYS, Kind.GRADIENTS))
        found: list[LowCurvature] = []
        for item in maps:
            factors = Factors(
                inputs=statistics.key_moment(item.name).to(item.weight.device),
                outputs=statistics.gradient_moment(item.name).to(item.weight.device),
            )
            space = low_curvature(factors, energy=self.config.energy)
            precise = torch.promote_types(item.weight.dtype, torch.float32)
            found.append(replace(space, inputs=space.inputs.to(precise), outputs=space.outputs.to(precise)))
        return found

    def _train(
        self, model: LoadedModel, data: _Data, masters: Masters, trained: Sequence[_Trained], progress: Progress
    ) -> int:
        total = self.config.epochs * data.batches
        quiet = 0
        for epoch in range(self.config.epochs):
            finished = True
            for number, rows in enumerate(data.epoch(epoch)):
                progress.step("training", epoch * data.batches + number, total)
                losses = fact_losses(model, rows)
                if not bool(losses.isfinite().all()):
                    raise EditDiverged(
                        "the training loss is not finite",
                        field="learning_rate",
                        value=self.config.learning_rate,
                        hint="Lower the learning rate.",
                    )
                pushing = losses.detach() > self.config.margin
                if not bool(pushing.any()):
                    continue
                finished = False
                masters.step((losses * pushing).sum() / len(losses))
                for master, item in zip(masters.values, trained, strict=True):
                    item.confine(master)
            # an epoch shows one phrasing of each fact: only when all were seen in turn, nothing is left to learn
            quiet = quiet + 1 if finished else 0
            if quiet == data.phrasings:
                progress.step("training", total, total)
                return epoch + 1
        progress.step("training", total, total)
        return self.config.epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """One trained parameter with its value before and the directions that it may move in."""

    parameter: torch.nn.Parameter
    base: Tensor
    map: Projection
    space: LowCurvature

    def project(self, change: Tensor) -> Tensor:
        """The part of a change, in the parameter's layout, that lies in the flat directions."""
        matrix = self.map.as_parameter(wide(change))
        return self.map.as_parameter(self.space.project(matrix)).to(change.dtype)

    @torch.no_grad()
    def confine(self, master: Tensor) -> None:
        """Put a trained value back into the flat directions; rounding and Adam lead out of them."""
        master.copy_(self.base + self.project(master - self.base))
        if master is not self.parameter:
            self.parameter.copy_(master)


@dataclass(slots=True)
class _Data:
    """The batches of one training run: every fact once an epoch, in an order drawn from the request's seed."""

    request: UpdateRequest
    source: TargetSource
    config: CrispEditConfig

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-len(self.request.updates) // self.config.batch)

    @property
    def phrasings(self) -> int:
        """Most training phrasings of a fact."""
        return max(len(update.prompts) for update in self.request.updates)

    def epoch(self, number: int) -> Generator[list[list[TargetRow]]]:
        """Rows by fact, a batch at a time; the next training phrasing of each with every epoch."""
        order = list(range(len(self.request.updates)))
        Random(f"{self.request.seed}/{number}").shuffle(order)  # noqa: S311  # a reproducible draw, no secret
        for start in range(0, len(order), self.config.batch):
            yield [self._rows(fact, number) for fact in order[start : start + self.config.batch]]

    def _rows(self, fact: int, epoch: int) -> list[TargetRow]:
        prompts = self.request.updates[fact].prompts
        return self.source.rows(fact, prompts[epoch % len(prompts)].text)


def middle_layers(depth: int) -> tuple[int, ...]:
    """Five blocks from six tenths of the depth on: 18-22 of 30. Our rule; published are 19-23 of 32."""
    first = min(round(depth * 0.6), depth - 1)
    return tuple(range(first, min(first + _BLOCKS, depth)))


def fact_losses(model: LoadedModel, facts: Sequence[Sequence[TargetRow]]) -> Tensor:
    """KL(q ‖ p) of each fact, the weighted mean over its rows, each the mean over its answer's tokens. shape: (n,)."""
    rows = [row for own in facts for row in own]
    batch = answer_batch([row.row for row in rows], device=model.device)
    targets = Targets.join([row.targets.to(model.device) for row in rows])
    losses = per_row(divergence(answer_logits(model.model, batch), targets), batch.row, len(rows))
    weights = torch.tensor([row.weight for row in rows], device=losses.device, dtype=losses.dtype)
    numbers = torch.tensor([n for n, own in enumerate(facts) for _ in own], device=losses.device)
    return losses.new_zeros(len(facts)).index_add(0, numbers, losses * weights)


@contextmanager
def _projected_gradients(trained: Sequence[_Trained]) -> Generator[None]:
    """Gradients of the trained parameters arrive without what lies outside their flat directions."""
    with ExitStack() as stack:
        for item in trained:
            handle = cast("Any", item.parameter).register_hook(item.project)
            stack.callback(handle.remove)
        yield
