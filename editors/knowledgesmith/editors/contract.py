"""The contract of a method: one file, one class, one objective row (design: contracts).

A method is pure in torch: no I/O, no globals, cancellable between steps. It leaves the model as it found it, also
when it raises; what it computed is in the returned artefact. The order of the request's rows does not matter
(results differ by at most 1e-5 in fp32).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast, runtime_checkable

from pydantic import BaseModel, ConfigDict

from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.requests import UpdateRequest


class Family(StrEnum):
    """What a method touches."""

    WEIGHTS = "weights"
    MEMORY = "memory"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """One row of the objective table: min L_task(Q+; q_target) + lambda L_pres(Q-) + mu R(theta' - theta)."""

    task_loss: str
    preservation: str
    regulariser: str
    operator: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorValue:
    """What the authors of a method used for a setting.

    Attributes:
        value: in their units, as text.
        source: paper or released configuration.
        note: how theirs differs in kind, where it does (other units, another meaning).
    """

    value: str
    source: str
    note: str = ""


def _with_author_values(schema: dict[str, Any], config_type: type[BaseModel]) -> None:
    """Put the authors' values beside our defaults in the schema that ``ksmith methods NAME`` prints."""
    values = cast("type[MethodConfig]", config_type).author_values
    for name, author in values.items():
        told = {"value": author.value, "source": author.source, "note": author.note}
        schema["properties"][name]["author"] = {key: text for key, text in told.items() if text}


class MethodConfig(BaseModel):
    """Base of all method configurations: frozen, no unknown keys.

    A default is **our recipe**, chosen for models of this project's size and for keeping more of what should stay.
    ``author_values`` says what the authors used, setting by setting; a setting that is not named there does not exist
    in their method, or is not told by them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=_with_author_values)

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType({})


class Progress(Protocol):
    """How a method reports and learns of a cancellation."""

    def step(self, phase: str, done: int, total: int) -> None:
        """Report progress.

        Raises:
            Cancelled: the user asked to stop; the method restores the model and lets the error pass.
        """
        ...


class KeyStatistics(Protocol):
    """Second moments of the inputs of a linear layer (uncentred), estimated on the request's statistics text."""

    def prepare(self, layers: Sequence[int]) -> None:
        """Announce the layers that will be asked for, so that one pass over the text serves them all."""
        ...

    def second_moment(self, layer: int) -> Tensor:
        """C = E[k kᵀ] of the down projection of ``layer``. shape: (f, f), float32, on the CPU."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A method that cannot change every structure truly, and says so before anything is measured."""

    def check(self, model: LoadedModel) -> None:
        """Refuse a model that this method cannot change as it says.

        Raises:
            UnsupportedArchitecture: in one line, with the way out.
            InvalidInput: the configuration does not fit the model.
        """
        ...


class Method(Protocol):
    """An algorithm that turns an update request into an artefact."""

    name: ClassVar[str]
    family: ClassVar[Family]
    objective: ClassVar[ObjectiveRow]
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]]
    config_type: ClassVar[type[MethodConfig]]

    def __init__(self, config: MethodConfig) -> None: ...

    def apply(
        self,
        model: LoadedModel,
        request: UpdateRequest,
        statistics: KeyStatistics,
        progress: Progress,
    ) -> Artefact:
        """Compute the artefact that realises ``request``; ``model`` is left unchanged.

        Raises:
            EditDiverged: the update is not finite.
            UnsupportedArchitecture: the model has no place for this method.
            Cancelled: raised by ``progress``.
        """
        ...
