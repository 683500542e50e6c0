"""Run only the part of a decoder that a change after block ``layer`` at some position can reach.

By causality, earlier positions and lower blocks are constant: their keys and values, and the block's clean output, are
computed once (``prefill``); each later pass pushes only the tokens from the changed position on through the blocks
above (``suffix_logits``). The result equals a full forward pass with the change (specs: the fast algorithm).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from transformers import DynamicCache

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.surgery.hooks import capture_output, first_tensor, head_only_at, stop_after

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.objective.rows import AnswerBatch


_WIDEST = 2
"""How many times as wide as its narrowest row a pass may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """What stays constant for B rows while a vector is added after block ``layer`` at each row's first kept token.

    Attributes:
        layer: the block whose output changes.
        hidden: its clean output from the changed position on. shape: (B, S, d).
        past: keys and values of every block at the positions before. shapes: (B, heads, P, head width).
        mask: real tokens, first the P past positions, then the S kept ones. shape: (B, P + S).
        positions: position ids of the kept tokens. shape: (B, S).
        row: row of each answer token. shape: (N,).
        column: kept position whose output predicts it. shape: (N,).
        in_tuple: whether this family's blocks return tuples.
    """

    layer: int
    hidden: Tensor
    past: tuple[tuple[Tensor, Tensor], ...]
    mask: Tensor
    positions: Tensor
    row: Tensor
    column: Tensor
    in_tuple: bool

    def select(self, keep: Tensor) -> Prefilled:
        """Only the rows where ``keep`` (bool, shape (B,)) holds; answer tokens keep their order."""
        index = keep.nonzero()[:, 0]
        renumbered = torch.full((len(keep),), -1, device=keep.device)
        renumbered[index] = torch.arange(len(index), device=keep.device)
        kept = keep[self.row]
        return Prefilled(
            layer=self.layer,
            hidden=self.hidden[index],
            past=tuple((key[index], value[index]) for key, value in self.past),
            mask=self.mask[index],
            positions=self.positions[index],
            row=renumbered[self.row[kept]],
            column=self.column[kept],
            in_tuple=self.in_tuple,
        )


@contextmanager
def returns_tuple(block: nn.Module) -> Generator[list[bool]]:
    """Note at each pass whether ``block`` returns a tuple, and not a tensor."""
    seen: list[bool] = []

    def note(_module: nn.Module, _args: Any, output: Any) -> None:
        seen.append(not isinstance(output, Tensor))

    handle = block.register_forward_hook(note)
    try:
        yield seen
    finally:
        handle.remove()


@torch.no_grad()
def prefill(loaded: LoadedModel, batch: AnswerBatch, *, layer: int, starts: Tensor) -> Prefilled:
    """One clean pass over right-padded rows. ``starts``: first changed position of each row, shape (B,)."""
    cache = DynamicCache()
    blocks, top = loaded.architecture.blocks, loaded.architecture.block(layer)
    with returns_tuple(top) as kind, capture_output(top) as clean, stop_after(blocks[-1]):
        loaded.model(input_ids=batch.ids, attention_mask=batch.mask, past_key_values=cache, use_cache=True)
    past_length, lengths = int(starts.max()), batch.mask.sum(1)
    width = int((lengths - starts).max())
    columns = starts[:, None] + torch.arange(width, device=starts.device)
    real = columns < lengths[:, None]
    columns = torch.where(real, columns, starts[:, None])
    rows = torch.arange(len(starts), device=starts.device)[:, None]
    before = torch.arange(past_length, device=starts.device)[None] < starts[:, None]
    return Prefilled(
        layer=layer,
        hidden=clean.value[rows, columns],
        past=tuple(
            (cast("Tensor", part.keys)[:, :, :past_length], cast("Tensor", part.values)[:, :, :past_length])
            for part in cast("list[Any]", cache.layers)
        ),
        mask=torch.cat([before, real], dim=1).long(),
        positions=columns,
        row=batch.row,
        column=batch.position - starts[batch.row],
        in_tuple=kind[0],
    )


def suffix_logits(loaded: LoadedModel, rows: Prefilled, added: Tensor) -> Tensor:
    """Logits that predict the answer tokens when ``added[b]`` stands on top of the block's output.

    Args:
        loaded: the model.
        rows: what ``prefill`` kept.
        added: differentiable; added in float32 or wider, then cast to the model's dtype. shape: (B, d).

    Returns:
        shape: (N, V), float32 or wider.
    """
    first = (wide(rows.hidden[:, :1]) + added[:, None]).to(rows.hidden.dtype)
    hidden = torch.cat([first, rows.hidden[:, 1:]], dim=1)
    cache = DynamicCache(rows.past if rows.mask.shape[1] > hidden.shape[1] else None)
    head = loaded.architecture.lm_head
    lower = loaded.architecture.blocks[: rows.layer + 1]
    with (
        starting_above(lower, hidden, in_tuple=rows.in_tuple),
        head_only_at(head, rows=rows.row, positions=rows.column),
    ):
        outputs = loaded.model(
            inputs_embeds=torch.zeros_like(rows.hidden),
            attention_mask=rows.mask,
            position_ids=rows.positions,
            past_key_values=cache,
            use_cache=True,
        )
    return wide(cast("Tensor", outputs.logits)[0])


def bucketed(loaded: LoadedModel, rows: Sequence[tuple[int, int]], *, size: int) -> Iterator[list[int]]:
    """Indices of rows in chunks of at most ``size`` that may share a prefill; little padding.

    Args:
        loaded: the model. Its sliding window, where it has one, is counted in physical positions of the cache, and
            rows that start at different positions leave a gap there; where a row is longer than the window, only
            rows that start together share a chunk.
        rows: (length, start of the changed part) of each row.
        size: most rows in a chunk.
    """
    window = sliding_window(loaded)
    longest = max((length for length, _ in rows), default=0)
    together = window is None or 2 * longest <= window
    widths = [length - start for length, start in rows]
    order = sorted(range(len(rows)), key=lambda i: (0 if together else rows[i][1], widths[i], rows[i], i))
    chunk: list[int] = []
    for index in order:
        # every row of a pass costs what its widest one does
        fits = widths[index] <= _WIDEST * widths[chunk[0]] if chunk else True
        if chunk and (len(chunk) == size or not fits or not (together or rows[index][1] == rows[chunk[0]][1])):
            yield chunk
            chunk = []
        chunk.append(index)
    if chunk:
        yield chunk


def sliding_window(loaded: LoadedModel) -> int | None:
    """Number of positions that an attention layer of the model sees at most; None where all see everything."""
    config = loaded.model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    return window if isinstance(window, int) and window > 0 else None


@contextmanager
def starting_above(blocks: Sequence[nn.Module], hidden: Tensor, *, in_tuple: bool) -> Generator[None]:
    """``blocks`` (the lowest ones) do not compute; the last of them hands on ``hidden``.

    Args:
        blocks: blocks to skip; with none, nothing happens.
        hidden: output of the last of them. shape: (B, T, d).
        in_tuple: whether this family's blocks return tuples.
    """

    def passing(replacement: Tensor | None) -> Any:
        def forward(stream: Any, *_args: Any, **_kwargs: Any) -> Any:
            tensor = first_tensor(stream) if replacement is None else replacement
            return (tensor,) if in_tuple else tensor

        return forward

    # a library may have put a forward of its own on the instance; it is put back
    changed: list[tuple[nn.Module, Any]] = []
    try:
        for block in blocks:
            changed.append((block, vars(block).get("forward")))
            # an instance attribute shadows the class's method, so nothing of the module itself is replaced
            block.forward = passing(hidden if block is blocks[-1] else None)
        yield
    finally:
        for block, own in changed:
            if own is not None:
                block.forward = own
            elif "forward" in vars(block):
                del block.forward
