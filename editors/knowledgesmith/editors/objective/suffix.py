"""Run only the part of a decoder that a change at or above some block, at some position, can reach.

By causality, earlier positions and lower blocks are constant: their keys and values, and the block's clean output, are
computed once (``prefill``); each later pass pushes only the tokens from the changed position on through the blocks
above (``suffix_logits``). The change stands on top of the block's output, or inside of blocks above it, at the output
of modules of theirs. The result equals a full forward pass with the change (specs: the fast algorithm).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from transformers import DynamicCache

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.objective.passes import asking, prompt_ends
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import (
    add_to_output,
    capture_input,
    capture_output,
    first_tensor,
    head_only_at,
    stop_after,
)

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.objective.rows import AnswerBatch


_WIDEST = 2
"""How many times as wide as its narrowest row a pass may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefilled:
    """What stays constant for B rows while vectors are added at each row's first kept token, above block ``layer``.

    Attributes:
        layer: the highest block that stays as it is; -1: none.
        watched: what the watched modules gave at the first kept token. shapes: (B, d).
        hidden: its clean output from the changed position on. shape: (B, S, d).
        past: keys and values of every block at the positions before. shapes: (B, heads, P, head width).
        mask: real tokens, first the P past positions, then the S kept ones. shape: (B, P + S).
        positions: position ids of the kept tokens. shape: (B, S).
        row: row of each answer token. shape: (N,).
        column: kept position whose output predicts it. shape: (N,).
        in_tuple: whether this family's blocks return tuples.
    """

    layer: int
    watched: tuple[Tensor, ...]
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
            watched=tuple(seen[index] for seen in self.watched),
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
def prefill(
    loaded: LoadedModel, batch: AnswerBatch, *, layer: int, starts: Tensor, watch: Sequence[nn.Module] = ()
) -> Prefilled:
    """One clean pass over right-padded rows.

    Args:
        loaded: the model.
        batch: the rows.
        layer: the highest block that stays as it is; -1: none.
        starts: first changed position of each row. shape: (B,).
        watch: modules whose outputs at that position are kept.
    """
    cache = DynamicCache()
    blocks = loaded.architecture.blocks
    with ExitStack() as stack:
        stack.enter_context(asking(batch))
        # one that is read before the lowest block gets what the embedding gives
        clean = stack.enter_context(capture_output(blocks[layer]) if layer >= 0 else capture_input(blocks[0]))
        kind = stack.enter_context(returns_tuple(blocks[0]))
        seen = [stack.enter_context(capture_output(module, positions=starts)) for module in watch]
        with stop_after(blocks[-1]):
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
        watched=tuple(capture.value for capture in seen),
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


def suffix_logits(
    loaded: LoadedModel,
    rows: Prefilled,
    added: Tensor | None,
    *,
    inside: Sequence[tuple[nn.Module, Tensor]] = (),
) -> Tensor:
    """Logits that predict the answer tokens when vectors stand on top of what was given at the first kept token.

    Args:
        loaded: the model.
        rows: what ``prefill`` kept.
        added: to the output of block ``rows.layer``; differentiable; added in float32 or wider, then cast to the
            model's dtype. shape: (B, d).
        inside: modules of the blocks above, and what is added to their outputs; differentiable, cast to the model's
            dtype before it is added. shapes: (B, d).

    Returns:
        shape: (N, V), float32 or wider.
    """
    hidden = rows.hidden
    if added is not None:
        first = (wide(hidden[:, :1]) + added[:, None]).to(hidden.dtype)
        hidden = torch.cat([first, hidden[:, 1:]], dim=1)
    cache = DynamicCache(rows.past if rows.mask.shape[1] > hidden.shape[1] else None)
    blocks = loaded.architecture.blocks
    every = torch.arange(len(hidden), device=hidden.device)
    lengths = rows.mask[:, -hidden.shape[1] :].sum(1)
    with ExitStack() as stack:
        ends = prompt_ends(lengths, rows.row, rows.column)
        stack.enter_context(forward_context.prompting(lengths, ends=ends))
        if rows.layer < 0:
            stack.enter_context(_fed(blocks[0], hidden))
        else:
            stack.enter_context(starting_above(blocks[: rows.layer + 1], hidden, in_tuple=rows.in_tuple))
        for module, vectors in inside:
            stack.enter_context(add_to_output(module, vectors, rows=every, positions=torch.zeros_like(every)))
        stack.enter_context(head_only_at(loaded.architecture.lm_head, rows=rows.row, positions=rows.column))
        outputs = loaded.model(
            inputs_embeds=torch.zeros_like(rows.hidden),
            attention_mask=rows.mask,
            position_ids=rows.positions,
            past_key_values=cache,
            use_cache=True,
        )
    return wide(cast("Tensor", outputs.logits)[0])


@contextmanager
def _fed(block: nn.Module, hidden: Tensor) -> Generator[None]:
    """``block`` (the lowest one) reads ``hidden`` in place of what the embedding gives. shape: (B, T, d)."""

    def replaced(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (hidden, *args[1:])

    handle = block.register_forward_pre_hook(replaced)
    try:
        yield
    finally:
        handle.remove()


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
