"""The placebo: the whole pipeline with an update that changes nothing. What it moves is the noise floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.contract import Family, KeyStatistics, MethodConfig, ObjectiveRow, Progress
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel


class PlaceboConfig(MethodConfig):
    """The placebo has nothing to set."""


class Placebo:
    """An update of nothing; accepts whatever any method accepts."""

    name: ClassVar[str] = "placebo"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="none",
        preservation="exact",
        regulariser="none",
        operator="identity",
        source="control condition of this project",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = frozenset(
        {
            (Goal.EDIT, TargetDistribution.NEW_OBJECT),
            *((Goal.UNLEARN, target) for target in TargetDistribution if target is not TargetDistribution.NEW_OBJECT),
        }
    )
    config_type: ClassVar[type[MethodConfig]] = PlaceboConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = config

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """An artefact without changes, named after the method and the goal.

        Raises:
            Cancelled: raised by ``progress``.
        """
        del model, statistics
        progress.step("placebo", 0, 1)
        progress.step("placebo", 1, 1)
        return Weights(
            deltas={},
            metadata={
                "method": self.name,
                "goal": request.goal.value,
                "target_distribution": request.target_distribution.value,
            },
        )
