"""Listings that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from ._errors import ServerFault

Item = TypeVar("Item")

LARGEST_PAGE: Final = 1000


def page_size(limit: int | None) -> int:
    """How many rows to ask for at once: all that are wanted, within the server's cap."""
    return LARGEST_PAGE if limit is None else max(1, min(limit, LARGEST_PAGE))


def iterate(fetch: Callable[[str], tuple[Sequence[Item], str]], *, limit: int | None = None) -> Iterator[Item]:
    """Yield the items of every page, at most ``limit``; pages are fetched when they are needed.

    Args:
        fetch: maps a page token (empty for the first page) to items and the next token (empty on the last page).
        limit: stop after so many items; ``None`` = all.

    Raises:
        ServerFault: the server repeats a token, so that the listing would never end.
    """
    token, seen, left = "", set[str](), limit
    while left is None or left > 0:
        items, token = fetch(token)
        chosen = items if left is None else items[:left]
        yield from chosen
        left = None if left is None else left - len(chosen)
        if not token:
            return
        if token in seen:
            raise ServerFault("The server repeats a page token.", field="next_page_token", value=token[:40])
        seen.add(token)
