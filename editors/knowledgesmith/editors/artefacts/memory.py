"""Memories: a codebook beside one linear map, which answers in the map's place where a prompt is near one of its keys.

    h(x) = v_i  if |x - k_i| <= eps_i for the nearest key k_i,  else the map's own W x

with x the map's input at the end of the prompt (GRACE: Hartvigsen et al. 2023, "Aging with GRACE", equation 1). Nothing
of the model changes. Where no key is near, its outputs are bit-identical to those without the memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from safetensors.torch import save as save_tensors
from torch import Tensor

from knowledgesmith.editors.artefacts.base import HEADER, TENSORS, Kind, Stored, check_finite, kept, sorted_text
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.graph_schema.errors import InvalidInput, UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from knowledgesmith.editors.architectures.base import Projection

FORMAT = 1


class Acts(StrEnum):
    """At which tokens a memory answers."""

    AT_PROMPT_END = "at_prompt_end"
    FROM_PROMPT_END = "from_prompt_end"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Memory(Stored):
    """A codebook of n entries at one linear map.

    Attributes:
        module: dotted name of the map, inside the model's blocks.
        keys: inputs of the map that are known. shape: (n, f).
        values: what stands in place of the map's output there. shape: (n, d).
        radii: largest Euclidean distance at which an entry answers, >= 0. shape: (n,).
        labels: what each entry is about (a fact's id), one an entry.
        acts: at the last token of a prompt, or at that one and every token after it.
        metadata: method, goal, … as text; part of the content and so of the digest.

    Raises:
        InvalidInput: the shapes do not belong together, or a radius is negative.
        EditDiverged: a value is not finite.
    """

    kind: ClassVar[Kind] = "memory"
    suffix: ClassVar[str] = TENSORS

    module: str
    keys: Tensor
    values: Tensor
    radii: Tensor
    labels: tuple[str, ...]
    acts: Acts = Acts.AT_PROMPT_END
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("keys", "values", "radii"):
            object.__setattr__(self, name, kept(getattr(self, name)))
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "metadata", sorted_text(self.metadata))
        shapes = tuple(tuple(tensor.shape) for tensor in self._tensors().values())
        if tuple(map(len, shapes)) != (2, 1, 2) or {shape[0] for shape in shapes} != {len(self.labels)}:
            raise InvalidInput(
                "a memory needs keys (n, f), radii (n,), values (n, d) and n labels",
                field="shapes",
                value=(*shapes, len(self.labels)),
            )
        check_finite(self._tensors())
        if bool((self.radii < 0).any()):
            raise InvalidInput("a radius is at least 0", field="radii", value=float(self.radii.min()))

    def to_bytes(self) -> bytes:
        """The file's content; equal memories give equal bytes."""
        header = {
            "format": FORMAT,
            "kind": self.kind,
            "metadata": dict(self.metadata),
            "module": self.module,
            "acts": self.acts.value,
            "labels": list(self.labels),
        }
        # one key only: the file format does not fix the order of several
        return save_tensors(self._tensors(), {HEADER: json.dumps(header, sort_keys=True, ensure_ascii=True)})

    def check_fits(self, projection: Projection) -> None:
        """Refuse a map of other widths.

        Raises:
            UnsupportedArchitecture: keys or values have another width than its inputs or outputs.
        """
        own, found = (self.keys.shape[1], self.values.shape[1]), (projection.in_features, projection.out_features)
        if own != found:
            raise UnsupportedArchitecture(
                f"the memory's keys and values have widths {own}, the map's inputs and outputs {found}",
                field="module",
                value=self.module,
                hint="The artefact was made for another model.",
            )

    def hang_on(self, module: nn.Module, device: torch.device) -> RemovableHandle:
        """Answer in the module's place from now on, until the handle is removed. Later memories go first.

        A pass that does not say where its prompts end raises :class:`FailedPrecondition` (``forward_context``).
        """
        return module.register_forward_hook(_Recall(self, device))

    def _tensors(self) -> dict[str, Tensor]:
        return {"keys": self.keys, "radii": self.radii, "values": self.values}


class _Recall:
    """The hook of a memory on one device."""

    def __init__(self, memory: Memory, device: torch.device) -> None:
        self._keys, self._values = memory.keys.to(device), memory.values.to(device)
        self._radii = memory.radii.to(device)
        self._onwards = memory.acts is Acts.FROM_PROMPT_END

    def __call__(self, _module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        """The output with what the memory holds in its place. shapes: input (B, T, f), output (B, T, d)."""
        inputs: Tensor = args[0]
        # a module that sees its rows in another layout is an error there, like a pass of another shape
        context = forward_context.current(rows=inputs.shape[0], width=inputs.shape[1])
        rows, positions = context.places(onwards=self._onwards)
        if not rows or not len(self._keys):
            return output
        place = (torch.tensor(rows, device=output.device), torch.tensor(positions, device=output.device))
        entry, near = self._nearest(inputs[place].detach())
        own = output[place]
        return output.index_put(place, torch.where(near[:, None], self._values[entry].to(own), own))

    def _nearest(self, found: Tensor) -> tuple[Tensor, Tensor]:
        """Nearest entry of each input, the first of equals, and whether it lies within its radius. shapes: (m,)."""
        dtype = torch.promote_types(found.dtype, self._keys.dtype)
        # differences, not products: |x|² - 2xk + |k|² loses the digits that a small radius needs
        distances = torch.cdist(found.to(dtype), self._keys.to(dtype), compute_mode="donot_use_mm_for_euclid_dist")
        nearest = distances.argmin(dim=1)
        return nearest, distances.gather(1, nearest[:, None])[:, 0] <= self._radii[nearest]
