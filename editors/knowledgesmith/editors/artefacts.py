"""What a method leaves behind: weight changes, named by the SHA-256 of their file (design: contracts).

Deltas are added to the pristine float32 value of a parameter and the sum is cast once to the model's dtype.
Originals are kept and put back, never recomputed by subtraction.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from knowledgesmith.editors.files import write_durably
from knowledgesmith.editors.surgery.borrowing import named_parameter
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import (
    ArtefactCorrupt,
    ArtefactNotFound,
    EditDiverged,
    UnsupportedArchitecture,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.models import LoadedModel

SUFFIX = ".safetensors"
_HEADER = "knowledgesmith"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Dense:
    """A full change of one parameter, in the parameter's own shape. Kept on the CPU, in float32 (float64 stays)."""

    delta: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _kept(self.delta))

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
        object.__setattr__(self, "a", _kept(self.a))
        object.__setattr__(self, "b", _kept(self.b))
        if self.a.ndim != 2 or self.b.ndim != 2 or self.a.shape[0] != self.b.shape[1]:
            raise UnsupportedArchitecture(
                "a low-rank change needs a (r, columns) and b (rows, r)",
                field="shapes",
                value=(tuple(self.a.shape), tuple(self.b.shape)),
            )

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
        total.addmm_(self.b.to(total.device), self.a.to(total.device), alpha=self.scale)


Delta: TypeAlias = Dense | LowRank


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A change of some parameters of a model.

    Attributes:
        deltas: parameter name to change; may be empty (no change).
        metadata: method, goal, … as text; part of the content and so of the digest.

    Raises:
        EditDiverged: a value is not finite.
    """

    deltas: Mapping[str, Delta]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "deltas", MappingProxyType(dict(sorted(self.deltas.items()))))
        object.__setattr__(self, "metadata", MappingProxyType(dict(sorted(self.metadata.items()))))
        for name, tensor in self._tensors().items():
            if not bool(torch.isfinite(tensor).all()):
                raise EditDiverged(
                    "the update has values that are not finite",
                    field="parameter",
                    value=name.partition(".")[2],
                    hint="Lower the learning rate or the number of steps; check that the model's weights are finite.",
                )

    def to_bytes(self) -> bytes:
        """The file's content; equal artefacts give equal bytes."""
        header = {
            "format": _FORMAT,
            "metadata": dict(self.metadata),
            "scales": {name: delta.scale for name, delta in self.deltas.items() if isinstance(delta, LowRank)},
        }
        # one key only: the file format does not fix the order of several
        return save_tensors(self._tensors(), {_HEADER: json.dumps(header, sort_keys=True, ensure_ascii=True)})

    @property
    def sha256(self) -> str:
        """Digest of the file's content."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def save(self, folder: Path) -> str:
        """Write ``<sha256>.safetensors`` into ``folder`` durably (fsync, then rename) and return the digest."""
        content = self.to_bytes()
        digest = hashlib.sha256(content).hexdigest()
        write_durably(folder / f"{digest}{SUFFIX}", content)
        return digest

    def attach(self, loaded: LoadedModel) -> Attached:
        """Apply the change; ``detach`` on the returned object (or leaving its ``with``) puts the originals back.

        Raises:
            UnsupportedArchitecture: the model lacks a parameter or it has another shape; nothing was changed.
        """
        return Attached(loaded.model, [self])

    def _tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        for name, delta in self.deltas.items():
            if isinstance(delta, Dense):
                tensors[f"delta.{name}"] = delta.delta
            else:
                tensors[f"a.{name}"], tensors[f"b.{name}"] = delta.a, delta.b
        return tensors


Artefact: TypeAlias = Weights
"""What methods return; memories and contexts join when a method makes them."""


class Attached:
    """Artefacts that are at present part of a model; ends with :meth:`detach` or as a context manager."""

    def __init__(self, model: nn.Module, artefacts: Sequence[Weights]) -> None:
        plan = plan_attachment(model, artefacts)
        self._originals = [(parameter, parameter.data) for parameter, _ in plan]
        try:
            apply_deltas(plan)
        except BaseException:
            # whatever stopped it half-way (memory, an interrupt): nobody holds an object to detach yet
            self.detach()
            raise

    def detach(self) -> None:
        """Put the kept originals back, bit for bit; a second call does nothing."""
        for parameter, original in self._originals:
            parameter.data = original
        self._originals = []

    def __enter__(self) -> Attached:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.detach()


def plan_attachment(model: nn.Module, artefacts: Sequence[Weights]) -> list[tuple[nn.Parameter, list[Delta]]]:
    """Each touched tensor once, with its changes in order; names of one tied tensor meet in one entry.

    Raises:
        UnsupportedArchitecture: the model lacks a parameter, or a shape differs.
    """
    plan: dict[int, tuple[nn.Parameter, list[Delta]]] = {}
    for artefact in artefacts:
        for name, delta in artefact.deltas.items():
            parameter = named_parameter(model, name)
            if tuple(parameter.shape) != delta.shape:
                raise UnsupportedArchitecture(
                    f"the change has shape {delta.shape}, the parameter {tuple(parameter.shape)}",
                    field="parameter",
                    value=name,
                    hint="The artefact was made for another model.",
                )
            plan.setdefault(id(parameter), (parameter, []))[1].append(delta)
    return list(plan.values())


def apply_deltas(plan: Sequence[tuple[nn.Parameter, Sequence[Delta]]]) -> None:
    """Set each parameter to its present value plus its changes: summed in float32, cast once.

    The sum stands in memory of its own: the memory of the present value is never written to (``surgery.views``).

    Raises:
        Cancelled: nobody waits for it any more; parameters before that one are changed already.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        for parameter, deltas in plan:
            cancellation.check()
            wide = torch.promote_types(parameter.dtype, torch.float32)
            total = parameter.data.to(wide, copy=True)
            for delta in deltas:
                delta.add_to(total)
            parameter.data = total.to(parameter.dtype)


def load_artefact(path: Path, expected_sha256: str) -> Weights:
    """Read an artefact file and check it against its digest before anything in it is used.

    Raises:
        ArtefactNotFound: there is no such file.
        ArtefactCorrupt: the bytes have another digest, or are no artefact.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactNotFound("no artefact file stands here", field="path", value=path.name) from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected_sha256:
        raise ArtefactCorrupt(
            "the artefact's bytes have another digest",
            field="sha256",
            value=expected_sha256,
            hint=f"The file has {found}. Restore it from a backup or run the intervention again.",
            metadata={"found": found},
        )
    try:
        return _parse(content)
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ArtefactCorrupt("the file is no artefact of this format", field="path", value=path.name) from error


def _parse(content: bytes) -> Weights:
    (size,) = struct.unpack("<Q", content[:8])
    header: dict[str, Any] = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_HEADER])
    if header["format"] != _FORMAT:
        raise ValueError(header["format"])
    tensors = load_tensors(content)
    deltas: dict[str, Delta] = {}
    for key, tensor in tensors.items():
        kind, _, name = key.partition(".")
        if kind == "delta":
            deltas[name] = Dense(tensor)
        elif kind == "a":
            deltas[name] = LowRank(tensor, tensors[f"b.{name}"], float(header["scales"][name]))
    return Weights(deltas=deltas, metadata=header["metadata"])


def _kept(tensor: Tensor) -> Tensor:
    precise = torch.float64 if tensor.dtype is torch.float64 else torch.float32
    return tensor.detach().to("cpu", precise).contiguous()
