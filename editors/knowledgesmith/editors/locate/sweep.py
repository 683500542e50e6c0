"""What the look-ups of an edit see, layer by layer upwards: their keys, what is written there, and a block's output.

By causality nothing behind a look-up matters, so only the tokens up to it run, and prompts that begin alike run once. A
solve changes the weights between two layers; what lies below a layer does not change any more, so each pass begins
where the last one read its keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.objective.rows import AnswerBatch, Row, answer_batch, buckets
from knowledgesmith.editors.objective.suffix import returns_tuple, starting_above
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output, stop_after

if TYPE_CHECKING:
    from knowledgesmith.editors.locate.lookups import Lookup
    from knowledgesmith.editors.models.loaded import LoadedModel

_ROWS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Activations at the look-ups, in float32 or wider.

    Attributes:
        keys: input of the down projection. shape: (n, f).
        written: its output. shape: (n, d).
        outputs: output of the top block. shape: (n, d).
    """

    keys: Tensor
    written: Tensor
    outputs: Tensor


@dataclass(slots=True)
class _Part:
    """Rows that run together, and which look-ups are read from them.

    Attributes:
        batch: the rows.
        chosen: look-ups, and the row and position of each. shapes: (m,).
        hidden: output of the block below the one that was read last; none before the first pass.
    """

    batch: AnswerBatch
    chosen: Tensor
    row: Tensor
    position: Tensor
    hidden: Tensor | None = None


class Sweep:
    """Passes over the look-ups from the lowest edited layer to the highest.

    Args:
        loaded: the model.
        lookups: the look-ups.
        top: block whose output is read; no layer above it is asked for.
    """

    def __init__(self, loaded: LoadedModel, lookups: Sequence[Lookup], *, top: int) -> None:
        self._loaded = loaded
        self._top = top
        self._count = len(lookups)
        self._from = 0
        self._in_tuple = False
        self._parts = list(_parts(loaded, lookups))

    @torch.no_grad()
    def at(self, layer: int) -> Seen:
        """Activations under the weights of now. Ask for layers in ascending order.

        What is below a layer that was asked for is taken to be as it was then.
        """
        if layer < self._from:
            raise ValueError(f"layer {layer} was passed already: the sweep is at {self._from}")
        architecture = self._loaded.architecture
        projection = architecture.down_projection(layer)
        found = [self._pass(part, layer) for part in self._parts]
        self._from = layer
        precise = torch.promote_types(self._loaded.model.dtype, torch.float32)
        widths = (projection.in_features, projection.out_features, architecture.hidden_size)
        keys, written, outputs = (
            torch.zeros(self._count, width, device=self._loaded.device, dtype=precise) for width in widths
        )
        for part, seen in zip(self._parts, found, strict=True):
            keys[part.chosen], written[part.chosen], outputs[part.chosen] = seen.keys, seen.written, seen.outputs
        return Seen(keys=keys, written=written, outputs=outputs)

    def _pass(self, part: _Part, layer: int) -> Seen:
        blocks, top = self._loaded.architecture.blocks, self._loaded.architecture.block(self._top)
        module = self._loaded.architecture.down_projection(layer).module
        with ExitStack() as stack:
            if part.hidden is not None:
                lower = starting_above(blocks[: self._from], part.hidden, in_tuple=self._in_tuple)
                stack.enter_context(lower)
            keys = stack.enter_context(capture_input(module))
            written = stack.enter_context(capture_output(module))
            outputs = stack.enter_context(capture_output(top))
            below = stack.enter_context(capture_output(blocks[layer - 1])) if layer else None
            kind = stack.enter_context(returns_tuple(top))
            # rows end at a look-up, not at the end of a prompt, where a memory acts and what is before does not feel it
            stack.enter_context(forward_context.at_rest())
            with stop_after(top):
                self._loaded.model(input_ids=part.batch.ids, attention_mask=part.batch.mask, use_cache=False)
        self._in_tuple = kind[0]
        if below is not None:
            part.hidden = below.value
        at = (part.row, part.position)
        return Seen(keys=wide(keys.value[at]), written=wide(written.value[at]), outputs=wide(outputs.value[at]))


def _parts(loaded: LoadedModel, lookups: Sequence[Lookup]) -> list[_Part]:
    rows, place = _shared_rows([item.key for item in lookups])
    parts: list[_Part] = []
    items = [Row(prompt=ids, answer=()) for ids in rows]
    for chosen in buckets(items, size=_ROWS):
        local = {index: number for number, index in enumerate(chosen)}
        own = [number for number, row in enumerate(place) if row in local]
        columns = (own, [local[place[number]] for number in own], [len(lookups[number].key) - 1 for number in own])
        moved = (torch.tensor(column, dtype=torch.long, device=loaded.device) for column in columns)
        parts.append(_Part(answer_batch([items[i] for i in chosen], device=loaded.device), *moved))
    return parts


def _shared_rows(keys: Sequence[tuple[int, ...]]) -> tuple[list[tuple[int, ...]], list[int]]:
    """Rows without those that another one begins with, and the row in which each key is read."""
    order = sorted(set(keys))
    rows = [ids for ids, following in zip(order, [*order[1:], ()], strict=True) if following[: len(ids)] != ids]
    # in sorted order a key is followed by all that begin with it, so its row is the first one that is not before it
    row_of: dict[tuple[int, ...], int] = {}
    number = 0
    for ids in order:
        while rows[number] < ids:
            number += 1
        row_of[ids] = number
    return rows, [row_of[ids] for ids in keys]
