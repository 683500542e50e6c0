"""How large messages may be: what a request may bring, and what an answer may hold for every client to take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from knowledgesmith.graph_schema.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

MEBIBYTE: Final = 1 << 20
REQUEST_BYTES: Final = 32 * MEBIBYTE
"""A request: 10,000 facts with names of a hundred letters take a few."""
RECEIVE_BYTES: Final = 128 * MEBIBYTE
"""What the framework takes: beyond it a request is refused without a reason of ours."""
LIST_BYTES: Final = 3 * MEBIBYTE // 2
"""A list in an answer: with all else the answer stays below the 4 MiB that a client of gRPC takes by default."""
PAGE_BYTES: Final = 3 * MEBIBYTE
"""A page of a listing, beside which there is hardly anything in its answer."""
SHORT_BYTES: Final = MEBIBYTE // 4
"""A list in an answer that may hold many of its kind."""
FULL_BYTES: Final = 48 * MEBIBYTE
"""A whole plan, for clients that ask for it."""

_FRAME: Final = 8
"""Tag and length of a message in a list, at most."""
M = TypeVar("M", bound="Message")


def check_request(message: Message) -> None:
    """Refuse a request that is too large.

    Raises:
        TooLarge: more than 32 MiB.
    """
    size = message.ByteSize()
    if size > REQUEST_BYTES:
        raise TooLarge(
            f"more than {REQUEST_BYTES // MEBIBYTE} MiB in one request",
            field=message.DESCRIPTOR.name,
            value=f"{size:,} bytes",
            hint="Split it into several requests.",
        )


def fitting(messages: Iterable[M], *, limit: int) -> list[M]:
    """The first messages that take at most ``limit`` bytes together; at least one, where there is any."""
    found: list[M] = []
    left = limit
    for message in messages:
        left -= size_in_list(message)
        if left < 0 and found:
            break
        found.append(message)
    return found


def size_in_list(message: Message) -> int:
    """Bytes of a message in a list of another one, at most."""
    return message.ByteSize() + _FRAME
