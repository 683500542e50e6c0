"""Listings read ahead: every page once and in order, few reads, nothing stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from knowledgesmith.server.front.page_cache import AHEAD, ReadAhead

SIZE = 1000


def _listing(rows: int, calls: list[tuple[int, int]]) -> Callable[[int, int], tuple[list[int], str]]:
    def fetch(skip: int, limit: int) -> tuple[list[int], str]:
        calls.append((skip, limit))
        return list(range(rows))[skip : skip + limit], f"query {skip}"

    return fetch


async def _walk(ahead: ReadAhead, key: str, fetch: Callable[[int, int], tuple[list[int], str]]) -> list[int]:
    found: list[int] = []
    more = True
    while more:
        page, _, more = await ahead.page(key, len(found), SIZE, fetch)
        assert page or not found
        found += page
    return found


def test_all_pages_are_read_once() -> None:
    for rows in (0, 1, SIZE, SIZE + 1, SIZE + AHEAD, 2 * AHEAD + 2 * SIZE + 7):
        calls: list[tuple[int, int]] = []
        assert asyncio.run(_walk(ReadAhead(), "a", _listing(rows, calls))) == list(range(rows))
        assert len(calls) <= 2 + rows // AHEAD
        assert calls[0] == (0, SIZE + 1), "the first page is read alone"


def test_another_state_of_the_run_is_read_anew() -> None:
    async def ask() -> tuple[list[int], list[int]]:
        ahead, none = ReadAhead(), list[tuple[int, int]]()
        old = await ahead.page(("run", 1), SIZE, SIZE, _listing(SIZE + 5, none))
        new = await ahead.page(("run", 2), SIZE, SIZE, _listing(SIZE + 9, none))
        return old[0], new[0]

    old, new = asyncio.run(ask())
    assert (len(old), len(new)) == (5, 9)
