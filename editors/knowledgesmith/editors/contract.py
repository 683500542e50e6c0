"""The contract of a method: one file, one class, one objective row (design: contracts).

A method is pure in torch: no I/O, no globals, cancellable between steps. It leaves the model as it found it, also
when it raises; what it computed is in the returned artefact. The order of the request's rows does not matter
(results differ by at most 1e-5 in fp32).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.requests import UpdateRequest
    from knowledgesmith.editors.statistics.identity import Kind


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


OURS: Final = "ours"
"""The recipe that every method has: its defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Settings of somebody else, under a name; what is given beside the name comes first.

    Attributes:
        settings: what differs from our defaults.
        source: paper or released configuration.
        differs: where the source does, or says, something else than these settings.
    """

    settings: Mapping[str, Any]
    source: str
    differs: str = ""


def _with_sources(schema: dict[str, Any], config_type: type[BaseModel]) -> None:
    """Put the authors' values beside our defaults, and recipes in full, in the schema that ``ksmith methods`` shows."""
    config = cast("type[MethodConfig]", config_type)
    for name, author in config.author_values.items():
        told = {"value": author.value, "source": author.source, "note": author.note}
        schema["properties"][name]["author"] = {key: text for key, text in told.items() if text}
    if not config.recipes:
        del schema["properties"]["recipe"]
        return
    schema["properties"]["recipe"]["enum"] = [OURS, *config.recipes]
    schema["recipes"] = {
        name: {
            "source": recipe.source,
            "differs": recipe.differs,
            "settings": config.model_validate({"recipe": name}).model_dump(mode="json"),
        }
        for name, recipe in config.recipes.items()
    }


class MethodConfig(BaseModel):
    """Base of all method configurations: frozen, no unknown keys.

    A default is **our recipe**, chosen for models of this project's size and for keeping more of what should stay.
    ``author_values`` says what the authors used, setting by setting; a setting that is not named there does not exist
    in their method, or is not told by them. Where their settings can be had together, ``recipes`` has them under a
    name: ``{"recipe": NAME}`` is their method, and a configuration always holds all values it stands for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=_with_sources)

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType({})
    recipes: ClassVar[Mapping[str, Recipe]] = MappingProxyType({})

    recipe: str = Field(default=OURS, description="whose settings stand where none is given")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: object) -> object:
        """Lay what is given over the recipe that it names."""
        if not isinstance(values, Mapping):
            return values
        given = cast("Mapping[str, Any]", values)
        found = [recipe for name, recipe in cls.recipes.items() if name == given.get("recipe")]
        return {**found[0].settings, **given} if found else given

    @field_validator("recipe")
    @classmethod
    def _known(cls, name: str) -> str:
        names = (OURS, *cls.recipes)
        if name not in names:
            raise PydanticCustomError(
                "unknown_recipe", "no such recipe; there are {names}", {"names": ", ".join(names)}
            )
        return name

    def told(self) -> dict[str, str]:
        """The recipe and all settings, for an artefact's metadata."""
        return {"recipe": self.recipe, "settings": self.model_dump_json(exclude={"recipe"})}


class Progress(Protocol):
    """How a method reports and learns of a cancellation."""

    def step(self, phase: str, done: int, total: int) -> None:
        """Report progress.

        Raises:
            Cancelled: the user asked to stop; the method restores the model and lets the error pass.
        """
        ...


class KeyStatistics(Protocol):
    """Uncentred second moments of linear maps inside the blocks, estimated on the request's statistics text.

    By layer for down projections, by dotted name for any map. What is kept of them elsewhere is no method's business.
    """

    def prepare(self, layers: Sequence[int]) -> None:
        """Announce the layers that will be asked for, so that one pass over the text serves them all."""
        ...

    def second_moment(self, layer: int) -> Tensor:
        """C = E[k kᵀ] of the down projection of ``layer``. shape: (f, f), float32, on the CPU."""
        ...

    def prepare_maps(self, names: Iterable[str], *, kinds: Iterable[Kind] = ...) -> None:
        """Announce maps, and the kinds of statistics that will be asked of each, so that one pass serves them all."""
        ...

    def key_moment(self, name: str) -> Tensor:
        """A = E[k kᵀ] of a map. shape: (f, f), float64, on the CPU."""
        ...

    def gradient_moment(self, name: str) -> Tensor:
        """G = E[g gᵀ] of a map, g the gradient of a sampled loss (``Kind.GRADIENTS``). shape: (d, d), float64."""
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
