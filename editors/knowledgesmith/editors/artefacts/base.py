"""What all artefacts have in common: a kind, bytes that are equal for equal content, and a name by their SHA-256."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Protocol, TypeAlias

import torch

from knowledgesmith.editors.files import write_durably
from knowledgesmith.graph_schema.errors import EditDiverged

if TYPE_CHECKING:
    from torch import Tensor

Kind: TypeAlias = Literal["weights", "memory", "context"]
HEADER: Final = "knowledgesmith"
"""The one key under which a file of ours tells what it is."""
TENSORS: Final = ".safetensors"
TEXT: Final = ".json"


class Artefact(Protocol):
    """What a method leaves behind and a session attaches (``artefacts.session``)."""

    kind: ClassVar[Kind]

    @property
    def metadata(self) -> Mapping[str, str]:
        """Method, goal, … as text; part of the content and so of the digest."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of the file's content."""
        ...

    def to_bytes(self) -> bytes:
        """The file's content; equal artefacts give equal bytes."""
        ...

    def save(self, folder: Path) -> str:
        """Write the file, named by its digest, into ``folder`` durably and return the digest."""
        ...


class Stored(ABC):
    """An artefact's digest and file. Artefacts never change, so the digest is computed once."""

    __slots__ = ("_digest",)

    suffix: ClassVar[str]
    _digest: str

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The file's content; equal artefacts give equal bytes."""

    @property
    def sha256(self) -> str:
        """Digest of the file's content."""
        if not hasattr(self, "_digest"):
            self.remember(hashlib.sha256(self.to_bytes()).hexdigest())
        return self._digest

    def remember(self, digest: str) -> None:
        """Take a digest that was computed over the file's content elsewhere."""
        object.__setattr__(self, "_digest", digest)

    def save(self, folder: Path) -> str:
        """Write ``<sha256><suffix>`` into ``folder`` durably (fsync, then rename) and return the digest."""
        content = self.to_bytes()
        digest = hashlib.sha256(content).hexdigest()
        write_durably(folder / f"{digest}{self.suffix}", content)
        self.remember(digest)
        return digest


def sorted_text(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """A view of metadata that cannot be changed, in the order of its keys."""
    return MappingProxyType(dict(sorted(metadata.items())))


def kept(tensor: Tensor) -> Tensor:
    """A tensor as artefacts keep it: on the CPU, in float32 (float64 stays)."""
    precise = torch.float64 if tensor.dtype is torch.float64 else torch.float32
    return tensor.detach().to("cpu", precise).contiguous()


def check_finite(tensors: Mapping[str, Tensor]) -> None:
    """Refuse values that are no numbers.

    Raises:
        EditDiverged: a value is not finite; the name of its tensor is given.
    """
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise EditDiverged(
                "the update has values that are not finite",
                field="parameter",
                value=name,
                hint="Lower the learning rate or the number of steps; check that the model's weights are finite.",
            )
