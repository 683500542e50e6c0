"""Steps of asynchronous work that are finished once they have begun."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


async def to_the_end(work: Awaitable[T]) -> T:
    """What ``work`` gives, also where the waiting task is cancelled meanwhile: the step is done, and that is told."""
    task = asyncio.ensure_future(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
