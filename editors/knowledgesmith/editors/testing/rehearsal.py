"""A small request for tiny models: every method runs it in the contract suite and for its goldens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from knowledgesmith.editors.artefacts.weights import Delta, Weights
from knowledgesmith.editors.models.loading import prepare
from knowledgesmith.editors.registry import build
from knowledgesmith.editors.requests import FactUpdate, Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.text.encoding import encode, pad_right, pad_token_id
from knowledgesmith.graph_schema.errors import Cancelled
from knowledgesmith.graph_schema.language.joining import joined
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel

_CAPITALS = {"France": ("Paris", "Lima"), "Japan": ("Tokyo", "Madrid"), "Italy": ("Rome", "Berlin")}
_KEPT = {"Spain": "Madrid", "Peru": "Lima", "Germany": "Berlin", "Egypt": "Cairo"}
_TEMPLATES = ("The capital of {s} is", "The city from which {s} is governed is")
_TEXT = (
    "Osaka is a city of Japan.",
    "Lyon is a city of France.",
    "The chemical symbol of copper is Cu.",
    "The continent of France is Europe.",
)


@dataclass(slots=True)
class Recorder:
    """Progress that counts its calls and can cancel at one of them.

    Attributes:
        cancel_at: number of the call (from 1) that raises; 0 = never.
        calls: (phase, done, total) of every call.
    """

    cancel_at: int = 0
    calls: list[tuple[str, int, int]] = field(default_factory=list)

    def step(self, phase: str, done: int, total: int) -> None:
        """Note the call.

        Raises:
            Cancelled: this is the chosen call.
        """
        self.calls.append((phase, done, total))
        if len(self.calls) == self.cancel_at:
            raise Cancelled("cancelled by the rehearsal")


def rehearsal_request(goal: Goal, target: TargetDistribution, *, seed: int = 0) -> UpdateRequest:
    """Three capitals to edit or unlearn, four to retain, some sentences."""
    names = tuple(sorted({name for pair in _CAPITALS.values() for name in pair} | set(_KEPT.values())))
    updates = tuple(
        FactUpdate(
            fact_id=f"capital_of:{country}",
            relation="capital_of",
            prompts=tuple(Prompt.fill(template, country) for template in _TEMPLATES),
            old=old,
            new=new if goal is Goal.EDIT else "",
            candidates=names,
            neutral_prompts=tuple(Prompt.fill(_TEMPLATES[0], other) for other in _KEPT),
            subject_type="country",
        )
        for country, (old, new) in _CAPITALS.items()
    )
    retain = tuple(
        RetainRow(prompt=Prompt.fill(_TEMPLATES[0], country), answer=capital, scope="same_relation")
        for country, capital in _KEPT.items()
    )
    return UpdateRequest(
        goal=goal, target_distribution=target, updates=updates, retain=retain, statistics_text=_TEXT, seed=seed
    )


def reversed_request(request: UpdateRequest) -> UpdateRequest:
    """The same request with every list in the opposite order."""
    return replace(
        request,
        updates=request.updates[::-1],
        retain=request.retain[::-1],
        statistics_text=request.statistics_text[::-1],
    )


def rehearse(
    name: str,
    loaded: LoadedModel,
    request: UpdateRequest,
    *,
    config: Mapping[str, Any],
    progress: Recorder | None = None,
) -> Weights:
    """Run one method that changes weights on a request, with statistics of the request's own text."""
    statistics = TextStatistics(loaded, request.statistics_text, None)
    made = build(name, config).apply(loaded, request, statistics, progress or Recorder())
    if not isinstance(made, Weights):
        raise TypeError(f"{name} changes no weights: it makes {made.kind}")
    return made


def teach(loaded: LoadedModel, request: UpdateRequest, *, steps: int = 120, learning_rate: float = 1e-2) -> LoadedModel:
    """Train all weights of a tiny model, in place, until it knows the request's old objects and retained answers."""
    texts = [joined(prompt.text, update.old) for update in request.updates for prompt in update.prompts]
    texts += [joined(row.prompt.text, row.answer) for row in request.retain]
    rows = [encode(loaded.tokenizer, text) for text in texts]
    batch = pad_right(rows, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
    labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
    model = loaded.model.requires_grad_(requires_grad=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    for _ in range(steps):
        logits: Tensor = model(**batch.arguments()).logits
        loss = functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    model.zero_grad(set_to_none=True)
    return prepare(model, loaded.tokenizer)


def fingerprint(artefact: Weights) -> dict[str, dict[str, float]]:
    """Norm and a checksum of each parameter's change, computed in float64.

    The checksum is the mean of the change weighted with a fixed pattern, so that it sees order and sign.
    """
    return {name: _numbers(delta) for name, delta in artefact.deltas.items()}


def materialise(delta: Delta) -> Tensor:
    """The full change of one parameter. float64."""
    total = torch.zeros(delta.shape, dtype=torch.float32)
    delta.add_to(total)
    return total.double()


def _numbers(delta: Delta) -> dict[str, float]:
    values = materialise(delta).flatten()
    pattern = torch.cos(torch.arange(len(values), dtype=torch.float64))
    return {"norm": float(values.norm()), "checksum": float(values @ pattern)}
