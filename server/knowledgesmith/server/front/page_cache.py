"""Pages of listings that the database must work out as a whole: several pages are read at once and kept for a moment.

A page of "the largest first" costs what the whole list costs. A client that reads on gets the next pages from here.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")
Q = TypeVar("Q")

AHEAD: Final = 10_000
"""Rows read at once where a listing goes on beyond its first page."""
KEPT: Final = 4
SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    rows: list[Any]
    complete: bool
    query: Any
    until: float


class ReadAhead:
    """Spans of listings by key; the key must name everything that the rows depend on."""

    def __init__(self) -> None:
        self._spans: OrderedDict[Hashable, _Span] = OrderedDict()
        self._lock = threading.Lock()

    async def page(
        self, key: Hashable, skip: int, size: int, fetch: Callable[[int, int], tuple[list[T], Q]]
    ) -> tuple[list[T], Q, bool]:
        """Rows ``skip`` to ``skip + size`` of a listing, its query, and whether more follow.

        Args:
            key: the listing, with the state of what it is read from.
            skip: rows before the page; 0 reads this page only, as most readers stop there.
            size: rows of a page.
            fetch: maps skip and limit to rows and the query; runs in a thread.
        """
        span = self._kept(key, skip, size)
        if span is None:
            limit = size if not skip else max(size, AHEAD)
            rows, query = await asyncio.to_thread(fetch, skip, limit + 1)
            span = _Span(skip, rows[:limit], len(rows) <= limit, query, time.monotonic() + SECONDS)
            if skip:
                self._keep(key, span)
        begin = skip - span.start
        page = span.rows[begin : begin + size]
        return page, span.query, not span.complete or begin + size < len(span.rows)

    def _kept(self, key: Hashable, skip: int, size: int) -> _Span | None:
        with self._lock:
            span = self._spans.get(key)
        if span is None or span.until < time.monotonic() or skip < span.start:
            return None
        end = span.start + len(span.rows)
        return span if skip + size <= end or (span.complete and skip <= end) else None

    def _keep(self, key: Hashable, span: _Span) -> None:
        with self._lock:
            self._spans[key] = span
            self._spans.move_to_end(key)
            while len(self._spans) > KEPT:
                self._spans.popitem(last=False)
