"""One tiny method of each kind, for tests alone: what the coming families need of the engine, and no more."""

from __future__ import annotations

from typing import ClassVar

import torch

from knowledgesmith.editors.artefacts.context import Context, Line
from knowledgesmith.editors.artefacts.memory import Acts, Memory
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.contract import Family, KeyStatistics, MethodConfig, ObjectiveRow, Progress
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.surgery.hooks import capture_input
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.language.joining import joined
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

ROW = ObjectiveRow(task_loss="none", preservation="none", regulariser="none", operator="none", source="tests")
SAME = 1e-3
"""Keys so near to each other are one: a window does not let every layer tell two prompts apart."""


def key_of(loaded: LoadedModel, prompt: str, *, layer: int) -> torch.Tensor:
    """Input of a block's down projection at the prompt's last token. shape: (f,)."""
    ids = encode(loaded.tokenizer, prompt)
    last = torch.tensor([len(ids) - 1])
    projection = loaded.architecture.down_projection(layer)
    with torch.no_grad(), capture_input(projection.module, positions=last) as seen:
        loaded.model(torch.tensor([ids]))
    return seen.value[0]


class Nudge:
    """Weights: one down projection changes by noise."""

    name: ClassVar[str] = "nudge"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ROW
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = frozenset()
    config_type: ClassVar[type[MethodConfig]] = MethodConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = config

    def apply(
        self, model: LoadedModel, request: UpdateRequest, _statistics: KeyStatistics, _progress: Progress
    ) -> Weights:
        projection = model.architecture.down_projection(1)
        noise = torch.randn(projection.weight.shape, generator=torch.Generator().manual_seed(request.seed))
        return Weights(deltas={projection.parameter_name: Dense(0.3 * noise)}, metadata={"method": self.name})


class Remember:
    """Memory: at the prompts' own keys another vector stands, far from everything."""

    name: ClassVar[str] = "remember"
    family: ClassVar[Family] = Family.MEMORY
    objective: ClassVar[ObjectiveRow] = ROW
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = frozenset()
    config_type: ClassVar[type[MethodConfig]] = MethodConfig

    def __init__(
        self, config: MethodConfig, *, acts: Acts = Acts.AT_PROMPT_END, layer: int = 1, wide: float = 0.5
    ) -> None:
        self.config, self.acts, self.layer, self.wide = config, acts, layer, wide

    def apply(
        self, model: LoadedModel, request: UpdateRequest, _statistics: KeyStatistics, _progress: Progress
    ) -> Memory:
        """Radii are ``wide`` times the distance to the nearest other key: 0.5 = no key is met by another prompt."""
        known: list[tuple[str, torch.Tensor]] = []
        for update in request.updates:
            for prompt in update.prompts:
                key = key_of(model, prompt.text, layer=self.layer).float()
                if all(float((key - other).norm()) > SAME for _, other in known):
                    known.append((update.fact_id, key))
        projection = model.architecture.down_projection(self.layer)
        keys = torch.stack([key for _, key in known])
        apart = torch.cdist(keys, keys).fill_diagonal_(1.0).amin(dim=1)
        draw = torch.Generator().manual_seed(request.seed)
        return Memory(
            module=projection.name,
            keys=keys,
            values=3.0 * torch.randn(len(known), projection.out_features, generator=draw),
            radii=self.wide * apart,
            labels=tuple(fact for fact, _ in known),
            acts=self.acts,
            metadata={"method": self.name},
        )


class Tell:
    """Context: the facts as text, each before prompts that name its subject."""

    name: ClassVar[str] = "tell"
    family: ClassVar[Family] = Family.CONTEXT
    objective: ClassVar[ObjectiveRow] = ROW
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = frozenset()
    config_type: ClassVar[type[MethodConfig]] = MethodConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = config

    def apply(
        self, _model: LoadedModel, request: UpdateRequest, _statistics: KeyStatistics, _progress: Progress
    ) -> Context:
        lines = [
            Line(text=f"{joined(update.prompts[0].text, update.new or '')}.", names=(update.prompts[0].subject,))
            for update in request.updates
        ]
        return Context(instruction="New facts:", lines=tuple(lines), metadata={"method": self.name})
