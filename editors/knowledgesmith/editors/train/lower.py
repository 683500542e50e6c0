"""Forward passes from the lowest trained block on: what lies below is constant, so its outputs are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from knowledgesmith.editors.objective.passes import answer_logits, asking
from knowledgesmith.editors.objective.rows import AnswerBatch, Row, answer_batch
from knowledgesmith.editors.objective.suffix import returns_tuple, starting_above
from knowledgesmith.editors.surgery.hooks import capture_output, stop_after

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

LIMIT: Final = 1 << 30
"""Bytes of outputs that are kept by default."""


class LowerCache:
    """Logits at answer tokens; the blocks below ``layer`` are computed once a row, while there is room.

    Every pass over the facts asks for all rows again. Where not all fit, throwing out the oldest would throw out each
    just before it is asked for; so the first ones stay, and the rest is computed anew each time.

    Args:
        loaded: the model; nothing below ``layer`` may change while this lives.
        layer: the lowest block that changes; 0 keeps nothing.
        limit: most bytes that are kept.
    """

    def __init__(self, loaded: LoadedModel, layer: int, *, limit: int = LIMIT) -> None:
        self._loaded = loaded
        self._lower = loaded.architecture.blocks[:layer]
        self._limit = limit
        self._kept: dict[Row, Tensor] = {}
        self._in_tuple = False
        self.held_bytes = 0

    def __call__(self, rows: Sequence[Row], batch: AnswerBatch) -> Tensor:
        """Logits that predict the answer tokens of ``rows``, of which ``batch`` was made. shape: (N, V)."""
        if not self._lower:
            return answer_logits(self._loaded.model, batch)
        hidden = self._hidden(rows, batch.ids.shape[1])
        with starting_above(self._lower, hidden, in_tuple=self._in_tuple):
            return answer_logits(self._loaded.model, batch)

    @torch.no_grad()
    def _hidden(self, rows: Sequence[Row], length: int) -> Tensor:
        """Outputs of the block below, padded. shape: (len(rows), length, d)."""
        missing = [row for row in dict.fromkeys(rows) if row not in self._kept]
        fresh = self._computed(missing) if missing else {}
        hidden = [self._kept[row] if row in self._kept else fresh[row] for row in rows]
        for row, output in fresh.items():
            self._keep(row, output)
        # padding to a width that no row of the batch may have
        hidden.append(hidden[0].new_zeros(length, hidden[0].shape[1]))
        return torch.nn.utils.rnn.pad_sequence(hidden, batch_first=True)[:-1]

    def _computed(self, rows: Sequence[Row]) -> dict[Row, Tensor]:
        batch = answer_batch(rows, device=self._loaded.device)
        top = self._lower[-1]
        with asking(batch), returns_tuple(top) as kind, capture_output(top) as seen, stop_after(top):
            self._loaded.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
        self._in_tuple = kind[0]
        lengths: list[int] = batch.mask.sum(1).tolist()
        return {row: seen.value[at, : lengths[at]] for at, row in enumerate(rows)}

    def _keep(self, row: Row, output: Tensor) -> None:
        size = output.numel() * output.element_size()
        if self.held_bytes + size <= self._limit:
            # a copy: a part of the batch's tensor would keep all of it
            self._kept[row] = output.clone()
            self.held_bytes += size
