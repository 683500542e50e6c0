"""Low-rank adapters on the linear maps of a model, held by forward hooks (Hu et al. 2022, arXiv 2106.09685).

``W x`` becomes ``W x + (alpha / r) B A x`` with B = 0 at the start. The model's own parameters are never touched, so
leaving the context leaves the model bit-identical; the result is exported in each parameter's own layout. With dropout,
each number of x is left out of the added term by chance while gradients are taken; measurements are without chance.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.editors.architectures.discover import linear_maps
from knowledgesmith.editors.artefacts.weights import LowRank
from knowledgesmith.graph_schema.errors import InvalidInput, UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel

LOWER_SHARE = 13 / 30
"""Share of the blocks that is adapted by default: 13 of the default model's 30, chosen on it and taken over to other
depths untried. That lower blocks gather a subject's facts on its own tokens (Meng et al. 2022, arXiv 2202.05262) is why
lower ones were tried; no publication gives this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """Zeroes each number with probability ``share`` and scales up the rest, with draws of its own."""

    share: float
    generator: torch.Generator

    def __call__(self, inputs: Tensor) -> Tensor:
        """What is left of ``inputs``; all of it where no gradients are taken."""
        if self.share == 0 or not torch.is_grad_enabled():
            return inputs
        drawn = torch.rand(inputs.shape, generator=self.generator, device=self.generator.device)
        return inputs * (drawn >= self.share).to(inputs) / (1 - self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """The factors of one linear map. shapes: a (r, in), b (out, r); float32 or wider, trainable."""

    projection: Projection
    a: Tensor
    b: Tensor
    scale: float
    dropout: Dropout

    def added(self, inputs: Tensor) -> Tensor:
        """``scale · B A x`` in the input's dtype. shape: (..., in) -> (..., out)."""
        low = self.dropout(inputs) @ self.a.to(inputs.dtype).T
        return (low @ self.b.to(inputs.dtype).T) * self.scale

    def as_delta(self) -> LowRank:
        """The change of the parameter as the model stores it (transposed for ``Conv1D``)."""
        if self.projection.weight_is_transposed:
            return LowRank(a=self.b.T, b=self.a.T, scale=self.scale)
        return LowRank(a=self.a, b=self.b, scale=self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """All adapters of one model, in module order."""

    items: tuple[Adapter, ...]

    def parameters(self) -> list[Tensor]:
        """The trainable factors."""
        return [factor for item in self.items for factor in (item.a, item.b)]

    def as_deltas(self) -> dict[str, LowRank]:
        """Parameter name to its change."""
        return {item.projection.parameter_name: item.as_delta() for item in self.items}


def adaptable(
    loaded: LoadedModel, *, first_layer: int, last_layer: int | None, maps: Sequence[str]
) -> list[Projection]:
    """The linear maps of the blocks ``first_layer`` to ``last_layer`` (inclusive).

    Args:
        loaded: the model.
        first_layer: lowest adapted block.
        last_layer: highest adapted block; -1 is the last one, ``None`` the end of the lower 43 %.
        maps: last parts of module names to adapt, ``mlp`` for every map beside the down projection, ``attention`` for
            every other one; empty is all.

    Raises:
        InvalidInput: a layer does not exist, or the range is empty.
        UnsupportedArchitecture: no linear map is called so.
    """
    architecture = loaded.architecture
    stop = round(LOWER_SHARE * architecture.num_layers) - 1 if last_layer is None else last_layer
    stop = architecture.num_layers + stop if stop < 0 else stop
    if stop < first_layer:
        raise InvalidInput(
            "the range of adapted layers is empty",
            field="last_layer",
            value=last_layer,
            hint=f"The model has layers 0 to {architecture.num_layers - 1}; first_layer is {first_layer}.",
        )
    found = [
        projection
        for layer in range(first_layer, stop + 1)
        for projection in linear_maps(architecture.block(layer), prefix=architecture.block_names[layer])
        if _chosen(projection.name, architecture.down_projection(layer).name, maps)
    ]
    if not found:
        raise UnsupportedArchitecture("no linear map has one of these names", field="adapted_maps", value=maps)
    return found


def _chosen(name: str, down: str, maps: Sequence[str]) -> bool:
    # by the parent alone: some families hang the maps of the MLP on the block itself, beside the attention
    part = "mlp" if name.rpartition(".")[0] == down.rpartition(".")[0] else "attention"
    return not maps or name.rpartition(".")[2] in maps or part in maps


@contextmanager
def adapted(
    projections: Sequence[Projection], *, rank: int, alpha: float, generator: torch.Generator, dropout: float = 0.0
) -> Generator[Adapters]:
    """Put an adapter on each map; inside the context the model computes with them.

    Args:
        projections: the maps to adapt.
        rank: r; cut to the smaller side of a map.
        alpha: the added term is scaled by alpha / r.
        generator: draws A ~ N(0, 1 / in_features) on the CPU; its seed is that of the dropout, too.
        dropout: share of the inputs that is left out while gradients are taken.
    """
    draws = Dropout(share=dropout, generator=_beside(generator, projections))
    adapters = Adapters(items=tuple(_adapter(p, rank, alpha, generator, draws) for p in projections))
    handles = [item.projection.module.register_forward_hook(_hook(item)) for item in adapters.items]
    try:
        yield adapters
    finally:
        for handle in handles:
            handle.remove()


def _beside(generator: torch.Generator, projections: Sequence[Projection]) -> torch.Generator:
    """A second generator of the same seed, where so many draws are fast."""
    device = projections[0].weight.device if projections else torch.device("cpu")
    drawing = torch.Generator(device if device.type == "cuda" else "cpu")
    return drawing.manual_seed(generator.initial_seed())


def _adapter(projection: Projection, rank: int, alpha: float, generator: torch.Generator, dropout: Dropout) -> Adapter:
    r = min(rank, projection.in_features, projection.out_features)
    device, dtype = projection.weight.device, torch.promote_types(projection.weight.dtype, torch.float32)
    drawn = torch.randn(r, projection.in_features, generator=generator) / math.sqrt(projection.in_features)
    return Adapter(
        projection=projection,
        a=drawn.to(device, dtype).requires_grad_(),
        b=torch.zeros(projection.out_features, r, device=device, dtype=dtype).requires_grad_(),
        scale=alpha / r,
        dropout=dropout,
    )


def _hook(item: Adapter) -> Any:
    def hook(_module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        return output + item.added(args[0])

    return hook
