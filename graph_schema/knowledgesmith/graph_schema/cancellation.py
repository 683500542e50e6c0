"""Whether anybody still waits for what is being computed: deadline and cancellation of the call that asked for it.

Whoever takes calls sets a :class:`Caller` for each. The store asks it before every query that changes nothing, and
gives such transactions no more time than the caller has; loops without queries ask it themselves. A write that has
begun is finished: it is short, and half of it would be of no use. Outside a call nothing is ever cancelled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from knowledgesmith.graph_schema.errors import Cancelled


class Caller:
    """Who waits, and until when. Thread-safe."""

    __slots__ = ("_deadline", "_gone")

    def __init__(self, seconds: float | None = None) -> None:
        """``seconds`` until the deadline; ``None`` = none."""
        self._gone = threading.Event()
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def leave(self) -> None:
        """Nobody waits any more, whether answered or not."""
        self._gone.set()

    @property
    def waits(self) -> bool:
        """Whether an answer would still reach anybody."""
        return not self._gone.is_set() and (self._deadline is None or time.monotonic() < self._deadline)

    def seconds_left(self) -> float | None:
        """Seconds until the deadline, at least a millisecond; ``None`` = no deadline."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0.001)

    def check(self) -> None:
        """Go on only where somebody waits.

        Raises:
            Cancelled: nobody does.
        """
        if not self.waits:
            raise Cancelled("nobody waits for the answer any more", hint="Ask again, with a longer deadline.")


_ALWAYS: Final = Caller()
_CURRENT: ContextVar[Caller] = ContextVar("knowledgesmith_caller", default=_ALWAYS)


def current() -> Caller:
    """The caller of this context; one that waits for ever where there is none."""
    return _CURRENT.get()


def check() -> None:
    """``current().check()``, for loops that run long without a query."""
    _CURRENT.get().check()


def set_caller(caller: Caller) -> None:
    """From here on, this context works for ``caller``; a task or thread has a context of its own."""
    _CURRENT.set(caller)


@contextmanager
def to_the_end() -> Generator[None]:
    """What runs in this block is finished even when nobody waits: the few steps that leave nothing half done."""
    before = _CURRENT.set(_ALWAYS)
    try:
        yield
    finally:
        _CURRENT.reset(before)
