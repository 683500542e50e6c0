"""Attempts at operations: taken up, done by their runners, ended in the graph whatever becomes of them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
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
    from collections.abc import AsyncGenerator, Callable, Mapping

    from google.protobuf.message import Message

    from knowledgesmith.graph_schema.operations.operations import Attempt
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.operations.folders import Folders
    from knowledgesmith.server.operations.live import Live
    from knowledgesmith.server.operations.tasks import Runner

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
MAX_CRASHES: Final = 3
"""Crashes of the server at one stage of an operation, after which it is taken to be what ends the server."""
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
        self._places = asyncio.Semaphore(threads)
        self._suspects = asyncio.Semaphore(1)
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="operation")

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, live: Live) -> None:
        """Attempt an operation until it has ended; when the server ends meanwhile it is let go."""
        try:
            end = await self._end_of(live)
        except _LetGo:
            with suppress(GraphUnavailable):  # that the server ended in good order is also noted beside the folders
                await asyncio.to_thread(stored.let_go, self._store, live.record.id)
            return
        if end is not None:
            await self._write(live, end)
            await asyncio.to_thread(self._folders.of(live.record.id).remove_uploads)

    async def _end_of(self, live: Live) -> Callable[[], None] | None:
        """What writes the end of an operation; None where it has ended already, or is gone."""
        losses = 0
        while True:
            try:
                async with self._turn(live):
                    taken = await self._while_possible(partial(stored.take_up, self._store, live.record.id))
                    if taken is None:
                        return None
                    live.attempt = taken.attempt
                    _check(live, taken)
                    message = await self._work(live)
            except _LetGo:
                raise
            except Exception as error:
                if self._draining.is_set() and not live.cancelled and _interrupted(error):
                    raise _LetGo from error
                losses += 1
                if _lost(error) and losses < _LOSSES and not live.cancelled:
                    _LOG.warning("operation %s lost what it needs; it is tried again", live.record.id, exc_info=error)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    await self._while_possible(partial(stored.let_go, self._store, live.record.id))
                    continue
                return self._failure(live, error)
            return partial(stored.finish, self._store, live.record.id, packed(message))

    @asynccontextmanager
    async def _turn(self, live: Live) -> AsyncGenerator[None]:
        """Wait until an operation may be worked on; before that it is not taken up, so no crash can be its doing.

        Those that the server has crashed with come one at a time, so that the innocent ones among them are found out.

        Raises:
            Cancelled: nobody waits for it any more.
        """
        async with AsyncExitStack() as stack:
            if live.record.crashes:
                await _acquired(self._suspects, live)
                stack.callback(self._suspects.release)
            if isinstance(self.runners.get(live.record.method), InThread):
                await _acquired(self._places, live)
                stack.callback(self._places.release)
            yield

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
        live.stop = future.cancel  # one that has not begun; one that runs looks at its caller
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

    async def _write(self, live: Live, end: Callable[[], None]) -> None:
        try:
            try:
                await self._while_possible(end)
            except _LetGo:
                raise
            except Exception as error:  # noqa: BLE001 - a result that cannot be kept is a failure like any other
                await self._while_possible(self._failure(live, error))
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


async def _acquired(place: asyncio.Semaphore, live: Live) -> None:
    """Wait for a place.

    Raises:
        Cancelled: nobody waits for the operation any more.
    """
    if not live.caller.waits:
        raise _cancelled()
    waiting = asyncio.ensure_future(place.acquire())
    live.stop = waiting.cancel
    try:
        await waiting
    except asyncio.CancelledError:
        if live.caller.waits:  # not by us: the loop itself ends
            raise
        raise _cancelled() from None
    finally:
        live.stop = None


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
        f"the server crashed {times} times at the same stage of this operation",
        field="attempt",
        value=times,
        hint="Look at the server's log and at its memory; begin the operation again, perhaps with less at once.",
    )
