"""Passes from the lowest trained block on: the numbers of a full pass, within the memory that is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import Row, answer_batch
from knowledgesmith.editors.surgery.hooks import capture_output
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny, tiny_llama
from knowledgesmith.editors.train.lower import LowerCache

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

ROWS = [Row(prompt=tuple(range(3, 3 + n)), answer=(40, 41)[: 1 + n % 2]) for n in (2, 5, 9, 14)]


@torch.no_grad()
def logits(cache: LowerCache, rows: list[Row]) -> torch.Tensor:
    return cache(rows, answer_batch(rows))


@torch.no_grad()
def full(loaded: LoadedModel, rows: list[Row]) -> torch.Tensor:
    return answer_logits(loaded.model, answer_batch(rows))


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_skipped_blocks_change_nothing(structure: str) -> None:
    loaded = tiny(structure, dtype=torch.float64)
    for layer in (0, 1, 2):
        cache = LowerCache(loaded, layer)
        for rows in (ROWS, ROWS[::-1], ROWS[1:3], ROWS[:1] * 2):
            torch.testing.assert_close(logits(cache, rows), full(loaded, rows), rtol=0, atol=1e-9)
        assert bool(cache.held_bytes) == (layer > 0)


@pytest.mark.parametrize("limit", [0, 3000, 6000, 1 << 20])
def test_no_more_is_kept_than_allowed_and_the_first_stay(limit: int) -> None:
    loaded = tiny_llama(dtype=torch.float64)
    cache = LowerCache(loaded, 2, limit=limit)
    for _ in range(2):
        torch.testing.assert_close(logits(cache, ROWS), full(loaded, ROWS), rtol=0, atol=1e-9)
    sizes = [(len(row.prompt) + len(row.answer)) * loaded.architecture.hidden_size * 8 for row in ROWS]
    assert cache.held_bytes <= limit
    assert cache.held_bytes == {0: 0, 3000: sizes[0] + sizes[1], 6000: sum(sizes[:3]), 1 << 20: sum(sizes)}[limit]


def test_what_is_kept_is_not_computed_again() -> None:
    loaded = tiny_llama()
    cache = LowerCache(loaded, 2)
    logits(cache, ROWS)
    with capture_output(loaded.architecture.block(0).get_submodule("mlp")) as seen:
        logits(cache, ROWS)
    assert seen.tensor is None
    with capture_output(loaded.architecture.block(0).get_submodule("mlp")) as seen:
        logits(cache, [*ROWS, Row(prompt=(7, 8), answer=(9,))])
    assert seen.value.shape[0] == 1, "only the new row"
