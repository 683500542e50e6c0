"""Page sizes and page tokens (AIP-158): opaque, bound to the listing that issued them, never a permission."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput, PageTokenMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_SIZE = 50
MAX_SIZE = 1000
_LARGEST = 2**53

Position = str | int


def page_size(asked: int, *, default: int = DEFAULT_SIZE, most: int = MAX_SIZE) -> int:
    """0 becomes ``default``; more than ``most`` becomes ``most``.

    Raises:
        InvalidInput: negative.
    """
    if asked < 0:
        raise InvalidInput(
            "a page size cannot be negative", field="page_size", value=asked, hint=f"Use 0 for {default}."
        )
    return min(asked or default, most)


def _mark(listing: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(listing)).encode()).hexdigest()[:16]


def encode(listing: Sequence[str], position: Sequence[Position]) -> str:
    """A token for the page after ``position`` in the listing (method name and filters)."""
    raw = json.dumps([_mark(listing), list(position)]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(listing: Sequence[str], token: str, *shape: type[Position]) -> list[Position] | None:
    """Position of a token, None for the first page.

    Args:
        listing: method name and filters, as they were when the token was made.
        token: what the client sent.
        shape: types of the position's parts; numbers are never negative.

    Raises:
        PageTokenMismatch: the token is damaged or was issued for another listing.
    """
    if not token:
        return None
    error = PageTokenMismatch(
        "the page token was not issued for this listing",
        field="page_token",
        value=token,
        hint="Start again without a token and keep the filters unchanged while paging.",
    )
    try:
        padded = token + "=" * (-len(token) % 4)
        mark, position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise error from None
    if mark != _mark(listing) or not _fits(position, shape):
        raise error
    values: list[Position] = position
    return values


def _fits(position: object, shape: Sequence[type[Position]]) -> bool:
    if not isinstance(position, list) or len(position) != len(shape):  # pyright: ignore[reportUnknownArgumentType]
        return False
    parts: list[object] = position
    return all(
        type(part) is kind and (not isinstance(part, int) or 0 <= part < _LARGEST)
        for part, kind in zip(parts, shape, strict=True)
    )
