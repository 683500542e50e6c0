"""Sites: where an edit writes, and how that reaches the residual stream. Measured, not looked up by family.

Locate-then-edit methods take for granted that a change of the projection's output by δ changes the block's output by
δ. A multiplier on the branch (Granite) makes it c·δ, which a solver can allow for; a norm or a gate behind the
projection (Gemma 2 and 3, OLMo 2, GLM 4 …) turns it into another direction, and a solver that does not know of it
moves the block several times δ away. There the value is searched for before the norm. Two short forward passes tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import add_to_output, capture_output, stop_after
from knowledgesmith.editors.text.encoding import encode
from knowledgesmith.graph_schema.errors import UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel

MAX_TURNED = 0.05
"""Largest part of a change that may arrive in other directions; rounding in bfloat16 gives about 0.01."""
_TEXT = "The river runs past the old mill and under two stone bridges."
_SEED = 20240917


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What became of a change δ of a down projection's output in the output of its block.

    Attributes:
        scale: factor along δ; 1 where the projection writes straight into the residual stream.
        turned: norm of the part that is not along δ, as a share of the whole change.
        arrives: whether the output of the block changes at all.
    """

    scale: float
    turned: float
    arrives: bool


@torch.no_grad()
def measure_writing(loaded: LoadedModel, layer: int) -> Writing:
    """Add a random δ, about as large as the block's own output, to what block ``layer`` writes, and compare.

    Raises:
        UnsupportedArchitecture: the model's own activations are not finite at this block.
        InvalidInput: there is no such layer.
    """
    ids = encode(loaded.tokenizer, _TEXT)
    projection = loaded.architecture.down_projection(layer).module
    generator = torch.Generator().manual_seed(_SEED)
    drawn = torch.randn(len(ids), loaded.architecture.hidden_size, generator=generator).to(loaded.device)
    clean, written = _pass(loaded, layer, ids)
    size = torch.maximum(clean.norm(dim=-1), written.norm(dim=-1))
    delta = (drawn / drawn.norm(dim=-1, keepdim=True) * size[:, None]).to(loaded.model.dtype)
    with add_to_output(projection, delta, rows=torch.zeros(len(ids)).long(), positions=torch.arange(len(ids))):
        moved, _ = _pass(loaded, layer, ids)
    # the first token is an attention sink whose activations dwarf all others
    change, wanted = (moved - clean)[1:], wide(delta)[1:]
    if not bool(torch.isfinite(change).all()):
        raise _refused(loaded, layer, f"its activations are not finite in {_dtype(loaded)}")
    scale = float((change * wanted).sum() / wanted.square().sum())
    turned = float((change - scale * wanted).norm() / change.norm().clamp_min(1e-12))
    return Writing(scale=scale, turned=turned, arrives=bool(change.any()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A down projection, and what becomes of what it writes.

    Attributes:
        layer: its block.
        projection: the linear map.
        scale: factor along a change of its output in the output of its block; 1 where it writes straight into the
            residual stream.
        direct: whether nothing turns that change. Where something does (a norm, a gate), a change can only be searched
            for before it, at the projection's own output, and the search goes through what follows.
    """

    layer: int
    projection: Projection
    scale: float
    direct: bool


def sites(loaded: LoadedModel, layers: Iterable[int]) -> tuple[Site, ...]:
    """The down projections of ``layers``, each measured.

    Raises:
        UnsupportedArchitecture: the model's own activations are not finite, or nothing that is written there reaches
            the output of its block.
        InvalidInput: there is no such layer.
    """
    return tuple(_site(loaded, layer) for layer in layers)


def _site(loaded: LoadedModel, layer: int) -> Site:
    found = measure_writing(loaded, layer)
    if not found.arrives:
        raise _refused(loaded, layer, "nothing that its down projection writes reaches the output of the block")
    direct = found.turned <= MAX_TURNED and found.scale > 0
    projection = loaded.architecture.down_projection(layer)
    return Site(layer=layer, projection=projection, scale=found.scale if direct else 1.0, direct=direct)


def _pass(loaded: LoadedModel, layer: int, ids: list[int]) -> tuple[Tensor, Tensor]:
    """Output of the block, and what its down projection wrote. shapes: (T, d), (T, d), float32 or wider."""
    block, projection = loaded.architecture.block(layer), loaded.architecture.down_projection(layer)
    with (
        forward_context.at_rest(),
        capture_output(projection.module) as written,
        capture_output(block) as output,
        stop_after(block),
    ):
        loaded.model(input_ids=torch.tensor([ids], device=loaded.device), use_cache=False)
    return wide(output.value[0]), wide(written.value[0])


def _dtype(loaded: LoadedModel) -> str:
    return str(loaded.model.dtype).removeprefix("torch.")


def _refused(loaded: LoadedModel, layer: int, why: str) -> UnsupportedArchitecture:
    return UnsupportedArchitecture(
        f"block {layer} cannot be edited by a change of its down projection: {why}",
        field="model",
        value=type(loaded.model).__name__,
        hint="Use a method that trains weights (finetune, relearn), or another model.",
        metadata={"layer": str(layer), "model_class": type(loaded.model).__name__},
    )
