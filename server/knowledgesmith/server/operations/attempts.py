"""Attempts at operations: taken up, done by their runners, ended in the graph whatever becomes of them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from knowledgesmith.graph_schema.cancellation import working_for
from knowledgesmith.graph_schema.errors import (
    Cancelled,
    FailedPrecondition,
    GraphUnavailable,
    KnowledgeSmithError,
    WorkerUnavailable,
)
from knowledgesmith.graph_schema.operations import operations as stored
from knowledgesmith.server.operations.messages import packed
from knowledgesmith.server.operations.tasks import InLoop, InThread, Task
from knowledgesmith.server.wire.statuses import status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.message import Message

    from knowledgesmith.graph_schema.operations.operations import Attempt
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.operations.folders import Folders
    from knowledgesmith.server.operations.live import Live
    from knowledgesmith.server.operations.tasks import Runner

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
MAX_CRASHES: Final = 3
"""Attempts in a row that nobody ended in good order, after which an operation is taken to be what ends them."""
_LOSSES: Final = 5
"""Attempts of one server that may lose the database or the worker."""
_PAUSE_SECONDS: Final = 1.0


class _LetGo(Exception):
    """The server ends: the operation stays as it is."""


class Attempts:
    """Works on operations until they have ended, or the server ends.

    Args:
        store: where they are kept.
        folders: their files.
        threads: how many run at once.
        draining: set when the server shuts down.
    """

    def __init__(self, *, store: GraphStore, folders: Folders, threads: int, draining: asyncio.Event) -> None:
        self.runners: Mapping[str, Runner] = {}
        self._store = store
        self._folders = folders
        self._draining = draining
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="operation")

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, live: Live) -> None:
        """Attempt an operation until it has ended; when the server ends meanwhile it is let go."""
        try:
            end = await self._end_of(live)
        except _LetGo:
            await asyncio.to_thread(stored.let_go, self._store, live.record.id)
            return
        if end is not None:
            await self._write(end)
            await asyncio.to_thread(self._folders.of(live.record.id).remove_uploads)

    async def _end_of(self, live: Live) -> Callable[[], None] | None:
        """What writes the end of an operation; None where it has ended already, or is gone."""
        losses = 0
        while True:
            taken = await self._while_possible(partial(stored.take_up, self._store, live.record.id))
            if taken is None:
                return None
            live.attempt = taken.attempt
            try:
                _check(live, taken)
                message = await self._work(live)
            except Exception as error:
                if self._draining.is_set() and not live.cancelled and _interrupted(error):
                    raise _LetGo from error
                losses += 1
                if _lost(error) and losses < _LOSSES and not live.cancelled:
                    _LOG.warning("operation %s lost what it needs; it is tried again: %s", live.record.id, error)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    await self._while_possible(partial(stored.let_go, self._store, live.record.id))
                    continue
                return self._failure(live, error)
            return partial(stored.finish, self._store, live.record.id, packed(message))

    async def _work(self, live: Live) -> Message:
        runner = self.runners.get(live.record.method)
        if runner is None:
            raise FailedPrecondition(
                "this release does not know the operation's method",
                field="method",
                value=live.record.method,
                hint="Begin it again, by its present name.",
            )
        task = Task(
            id=live.record.id,
            request=runner.request.FromString(live.record.request),
            request_id=live.record.request_id,
            attempt=live.attempt,
            folder=self._folders.of(live.record.id),
            report=live.report,
        )
        try:
            if isinstance(runner, InThread):
                return await self._in_thread(live, runner, task)
            return await _in_loop(live, runner, task)
        except asyncio.CancelledError:
            if live.caller.waits:  # not by us: the loop itself ends
                raise
            raise _cancelled() from None
        finally:
            live.stop = None

    async def _in_thread(self, live: Live, runner: InThread, task: Task) -> Message:
        def work() -> Message:
            with working_for(live.caller):
                live.caller.check()
                return runner.run(task)

        future = self._pool.submit(contextvars.Context().run, work)
        live.stop = future.cancel  # one that waits for a thread; one that runs looks at its caller
        return await asyncio.wrap_future(future)

    def _failure(self, live: Live, error: Exception) -> Callable[[], None]:
        if isinstance(error, KnowledgeSmithError):
            known = error
        else:
            _LOG.error("operation %s (%s) failed", live.record.id, live.record.method, exc_info=error)
            known = KnowledgeSmithError("internal error; the server's log has the details")
        cancelled = live.cancelled and isinstance(known, Cancelled)
        if cancelled:
            known = _cancelled()
        return partial(
            stored.fail,
            self._store,
            live.record.id,
            reason=known.reason,
            error=status_of(known).SerializeToString(),
            cancelled=cancelled,
        )

    async def _write(self, end: Callable[[], None]) -> None:
        try:
            await self._while_possible(end)
        except _LetGo:
            _LOG.warning("the end of an operation was not written: the database does not answer")

    async def _while_possible(self, work: Callable[[], T]) -> T:
        """Do what is done in no time, and again until the database answers.

        Raises:
            _LetGo: the server ends first.
        """
        while True:
            try:
                return await asyncio.to_thread(work)
            except GraphUnavailable as error:
                if self._draining.is_set():
                    raise _LetGo from error
                await asyncio.sleep(_PAUSE_SECONDS)


async def _in_loop(live: Live, runner: InLoop, task: Task) -> Message:
    work = asyncio.ensure_future(runner.run(task))
    live.stop = work.cancel
    return await work


def _check(live: Live, taken: Attempt) -> None:
    if live.cancelled:
        raise _cancelled()
    if taken.crashes >= MAX_CRASHES:
        raise _crashing(taken.crashes)


def _interrupted(error: Exception) -> bool:
    """Whether an attempt ended because the server does."""
    return isinstance(error, Cancelled) or _lost(error)


def _lost(error: Exception) -> bool:
    """Whether the next attempt may find what this one has lost, locks of others included."""
    return isinstance(error, GraphUnavailable | WorkerUnavailable)


def _cancelled() -> Cancelled:
    return Cancelled("the operation was cancelled", hint="Begin it again when it is wanted.")


def _crashing(times: int) -> FailedPrecondition:
    return FailedPrecondition(
        f"the server ended {times} times in a row while it worked on this operation",
        field="attempt",
        value=times,
        hint="Look at the server's log and at its memory; begin the operation again, perhaps with less at once.",
    )
