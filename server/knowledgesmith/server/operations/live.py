"""An operation that this server works on: how far it is, and how it is told to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.cancellation import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledgesmith.graph_schema.operations.records import OperationRecord


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is; ``total`` 0 = unknown."""

    stage: str = ""
    done: int = 0
    total: int = 0


class OperationCaller(Caller):
    """Whom an operation works for: it has no deadline, so whoever asked decides how long it waits for locks."""

    __slots__ = ()

    def wait_for_locks(self, waited_s: float) -> bool:  # noqa: ARG002 - others look at it
        """Always, until the operation is cancelled or let go.

        Raises:
            Cancelled: it is.
        """
        self.check()
        return True


@dataclass(slots=True)
class Live:
    """State in memory; it belongs to the event loop's thread, but ``report`` may be called from any."""

    record: OperationRecord
    caller: OperationCaller = field(default_factory=OperationCaller)
    attempt: int = 0
    cancelled: bool = False
    progress: Progress = field(default_factory=Progress)
    written: Progress = field(default_factory=Progress)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    stop: Callable[[], object] | None = None
    """Interrupts what is waited for at present."""

    def report(self, stage: str, done: int = 0, total: int = 0, /) -> None:
        """Take note of progress; one assignment, so that no lock is needed."""
        self.progress = Progress(stage, done, total)

    def cancel(self) -> None:
        """Somebody asks for its end."""
        self.cancelled = True
        self.leave()

    def leave(self) -> None:
        """Stop at the next look."""
        self.caller.leave()
        if self.stop is not None:
            self.stop()

    def shown(self, stored: OperationRecord) -> OperationRecord:
        """The stored record with what is known here beyond it."""
        if stored.ended:
            return stored
        return replace(
            stored,
            stage=self.progress.stage,
            done=self.progress.done,
            total=self.progress.total,
            attempt=max(self.attempt, stored.attempt),
            cancel_requested=stored.cancel_requested or self.cancelled,
        )
