"""Work that nobody can end, for callers who wait no longer than a limit.

Neo4j looks between the rows of a query whether its time is up, and within one expression never: a regular expression
that backtracks, or a list of a billion numbers, runs on when its transaction is terminated and its connection closed.
The caller gets an answer at the limit all the same, and only so many such queries may run at once.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from knowledgesmith.graph_schema.errors import ServerBusy

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class Overrun(Exception):
    """The work runs on after its limit; nobody waits for it any more."""


class Guard:
    """Runs pieces of work in threads of their own. Thread-safe.

    Args:
        running: pieces at once, those that nobody waits for included.
        abandoned: of these, how many may have overrun before new ones are refused.
        grace_s: how long after its limit a piece may still end in order.
    """

    def __init__(self, *, running: int, abandoned: int, grace_s: float) -> None:
        self._slots = threading.BoundedSemaphore(running)
        self._most = abandoned
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._abandoned = 0

    @property
    def abandoned(self) -> int:
        """How many pieces run that nobody waits for."""
        return self._abandoned

    def run(self, work: Callable[[], T], *, limit_s: float) -> T:
        """The result of ``work``, which should end within ``limit_s`` seconds of its start.

        Raises:
            Overrun: it has not.
            ServerBusy: too many have overrun and run on, or no place becomes free in time.
        """
        if self._abandoned >= self._most:
            raise self._busy(f"{self._most} queries that Neo4j cannot end still run")
        if not self._slots.acquire(timeout=limit_s):
            raise self._busy("as many queries run as may at once")
        piece = _Piece(work, self._ended)
        try:
            piece.start()
        except BaseException:
            self._slots.release()
            raise
        if not piece.done.wait(limit_s + self._grace_s) and self._leave(piece):
            _LOG.warning("a query runs on after its limit of %g s; Neo4j cannot end it", limit_s)
            raise Overrun
        return piece.result()

    def _leave(self, piece: _Piece[T]) -> bool:
        """Count a piece as abandoned, unless it has just ended."""
        with self._lock:
            if piece.done.is_set():
                return False
            piece.abandoned = True
            self._abandoned += 1
            return True

    def _ended(self, piece: _Piece[T]) -> None:
        with self._lock:
            piece.done.set()
            if piece.abandoned:
                self._abandoned -= 1
                _LOG.info("a query that nobody waited for has ended after %.0f s", time.monotonic() - piece.began)
        self._slots.release()

    @staticmethod
    def _busy(message: str) -> ServerBusy:
        return ServerBusy(
            message,
            field="query",
            hint="Try again when they have ended; only a restart of Neo4j ends them at once.",
        )


class _Piece(Generic[T]):
    """One piece of work in a daemon thread: a process that stops does not wait for it."""

    def __init__(self, work: Callable[[], T], ended: Callable[[_Piece[T]], None]) -> None:
        self._work = work
        self._ended = ended
        self._found: list[T] = []
        self._error: BaseException | None = None
        self._context = contextvars.copy_context()
        self.done = threading.Event()
        self.abandoned = False
        self.began = time.monotonic()

    def start(self) -> None:
        threading.Thread(target=self._run, name="query", daemon=True).start()

    def _run(self) -> None:
        try:
            self._found.append(self._context.run(self._work))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self._error = error
        finally:
            self._ended(self)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._found[0]
