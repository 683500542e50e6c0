"""Whether anybody still waits for what is being computed: deadline and cancellation of the call that asked for it.

Whoever takes calls sets a :class:`Caller` for each. The store asks it before every query that changes nothing, and
gives such transactions no more time than the caller has; loops without queries ask it themselves. A write that has
begun is finished: it is short, and half of it would be of no use. Outside a call nothing is ever cancelled.

An intervention is a caller too: it leaves when it is cancelled. So every loop that can last asks in one way, whomever
it works for.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from knowledgesmith.graph_schema.errors import Cancelled

_T = TypeVar("_T")


LOCK_PATIENCE_S: Final = 30.0
"""How long a write waits for locks where the caller says nothing else."""


class Caller:
    """Who waits, and until when. Thread-safe."""

    __slots__ = ("_deadline", "_gone", "_lock", "_told")

    def __init__(self, seconds: float | None = None) -> None:
        """``seconds`` until the deadline; ``None`` = none."""
        self._gone = threading.Event()
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._lock = threading.Lock()
        self._told: list[Callable[[], None]] = []

    def leave(self) -> None:
        """Nobody waits any more, whether answered or not."""
        with self._lock:
            self._gone.set()
            told = list(self._told)
        for tell in told:
            tell()

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Generator[None]:
        """Call ``tell`` once the caller leaves (at once where it has left), from its thread, during this block."""
        with self._lock:
            gone = self._gone.is_set()
            self._told.append(tell)
        try:
            if gone:
                tell()
            yield
        finally:
            with self._lock:
                self._told.remove(tell)

    @property
    def waits(self) -> bool:
        """Whether an answer would still reach anybody."""
        return not self._gone.is_set() and (self._deadline is None or time.monotonic() < self._deadline)

    def seconds_left(self) -> float | None:
        """Seconds until the deadline, at least a millisecond; ``None`` = no deadline."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0.001)

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the moment when the caller leaves.

        Raises:
            Cancelled: it has left.
        """
        self._gone.wait(seconds)
        self.check()

    def wait_for_locks(self, waited_s: float) -> bool:
        """Whether a write that another transaction's locks hold up is tried again, ``waited_s`` after its first try.

        Raises:
            Cancelled: nobody waits any more.
        """
        return waited_s < LOCK_PATIENCE_S

    def devoted(self) -> Caller:
        """Who stands for this caller where something is finished whatever becomes of it."""
        return _ALWAYS

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
def working_for(caller: Caller) -> Generator[None]:
    """What runs in this block, in this thread, works for ``caller``."""
    before = _CURRENT.set(caller)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def abandonable(work: Callable[[], _T]) -> _T:
    """Do what cannot ask by itself: when the caller leaves, this returns at once and ``work`` ends by itself, unseen.

    Only for work that changes nothing others see: one long step of a numerical library, one long query that is rolled
    back. It runs in a thread of its own, in a copy of this context.

    Raises:
        Cancelled: nobody waits any more, or what the caller's :meth:`Caller.check` raises then.
    """
    caller = current()
    if caller is _ALWAYS:
        return work()
    caller.check()
    over = threading.Event()
    done: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            failed.append(error)
        over.set()

    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True, name="abandonable").start()
    with caller.telling(over.set):
        over.wait(caller.seconds_left())
    if failed:
        raise failed[0]
    if not done:
        caller.check()
        raise Cancelled("nobody waits for the answer any more", hint="Ask again, with a longer deadline.")
    return done[0]


@contextmanager
def to_the_end() -> Generator[None]:
    """What runs in this block is finished even when nobody waits: the few steps that leave nothing half done."""
    before = _CURRENT.set(_CURRENT.get().devoted())
    try:
        yield
    finally:
        _CURRENT.reset(before)
