"""Weight changes: full or low-rank, named by the SHA-256 of their file (design: contracts)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from safetensors.torch import save as save_tensors

from knowledgesmith.editors.artefacts.base import HEADER, TENSORS, Kind, Stored, check_finite, kept, sorted_text
from knowledgesmith.graph_schema.errors import EditDiverged, UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import Tensor


FORMAT = 1


@dataclass(frozen=True, slots=True)
class Dense:
    """A full change of one parameter, in the parameter's own shape. Kept on the CPU, in float32 (float64 stays)."""

    delta: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", kept(self.delta))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameter."""
        return tuple(self.delta.shape)

    def add_to(self, total: Tensor) -> None:
        """Add the change to a float32 tensor in place."""
        total.add_(self.delta.to(total.device))


@dataclass(frozen=True, slots=True)
class LowRank:
    """A change ``scale · b @ a`` in the parameter's own layout. shapes: a (r, columns), b (rows, r)."""

    a: Tensor
    b: Tensor
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "a", kept(self.a))
        object.__setattr__(self, "b", kept(self.b))
        if self.a.ndim != 2 or self.b.ndim != 2 or self.a.shape[0] != self.b.shape[1]:
            raise UnsupportedArchitecture(
                "a low-rank change needs a (r, columns) and b (rows, r)",
                field="shapes",
                value=(tuple(self.a.shape), tuple(self.b.shape)),
            )
        if not math.isfinite(self.scale):
            raise EditDiverged("the scale of a low-rank change is not finite", field="scale", value=self.scale)

    @property
    def rank(self) -> int:
        """Number of directions."""
        return self.a.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the parameter."""
        return (self.b.shape[0], self.a.shape[1])

    def add_to(self, total: Tensor) -> None:
        """Add the change to a float32 tensor in place."""
        total.addmm_(self.b.to(total), self.a.to(total), alpha=self.scale)


Delta: TypeAlias = Dense | LowRank


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights(Stored):
    """A change of some parameters of a model.

    Attributes:
        deltas: parameter name to change; may be empty (no change).
        metadata: method, goal, … as text; part of the content and so of the digest.

    Raises:
        EditDiverged: a value is not finite.
    """

    kind: ClassVar[Kind] = "weights"
    suffix: ClassVar[str] = TENSORS

    deltas: Mapping[str, Delta]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deltas", MappingProxyType(dict(sorted(self.deltas.items()))))
        object.__setattr__(self, "metadata", sorted_text(self.metadata))
        for name, tensor in self._tensors().items():
            check_finite({name.partition(".")[2]: tensor})

    def to_bytes(self) -> bytes:
        """The file's content; equal artefacts give equal bytes."""
        header = {
            "format": FORMAT,
            "metadata": dict(self.metadata),
            "scales": {name: delta.scale for name, delta in self.deltas.items() if isinstance(delta, LowRank)},
        }
        # one key only: the file format does not fix the order of several
        return save_tensors(self._tensors(), {HEADER: json.dumps(header, sort_keys=True, ensure_ascii=True)})

    def _tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for name, delta in self.deltas.items():
            if isinstance(delta, Dense):
                tensors[f"delta.{name}"] = delta.delta
            else:
                tensors[f"a.{name}"], tensors[f"b.{name}"] = delta.a, delta.b
        return tensors
