"""Operations: begun, run, told about, cancelled, and taken up again at the next start."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import uuid
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from knowledgesmith.graph_schema.errors import KnowledgeSmithError, ServerBusy, Unavailable
from knowledgesmith.graph_schema.operations import operations as stored
from knowledgesmith.graph_schema.operations.records import OperationRecord, OperationState
from knowledgesmith.server.operations.attempts import Attempts
from knowledgesmith.server.operations.folders import Folder, Folders
from knowledgesmith.server.operations.live import Live
from knowledgesmith.server.operations.messages import body_digest, id_of, operation_to

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    from google.longrunning import operations_pb2
    from google.protobuf.message import Message

    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.operations.tasks import Runner

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
WAITING: Final = 120
"""Operations that may wait for a thread; more are refused."""
LONGEST_WAIT_SECONDS: Final = 60.0
_TICK_SECONDS: Final = 1.0
_DAY_SECONDS: Final = 86_400.0
_ELSEWHERE_SECONDS: Final = 1.0
"""How often one asks after an operation that another server works on."""


class Operations:
    """All operations of this server; its methods belong to the event loop's thread.

    Args:
        store: where they are kept.
        directory: where their files are kept.
        threads: how many run at once.
        draining: set when the server shuts down; nobody waits any longer then.
    """

    def __init__(self, *, store: GraphStore, directory: Path, threads: int, draining: asyncio.Event) -> None:
        self._store = store
        self._folders = Folders(directory)
        self._limit = threads + WAITING
        self._draining = draining
        self._live: dict[str, Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attempts = Attempts(store=store, folders=self._folders, threads=threads, draining=draining)

    async def start(self, runners: Mapping[str, Runner]) -> None:
        """Forget what is old, and take up every operation that has not ended; call it once the worker was started.

        Raises:
            GraphUnavailable: the database does not answer.
        """
        self._attempts.runners = runners
        await self._forget_old()
        await self._sweep()  # nobody uploads before the server listens
        for record in await asyncio.to_thread(stored.unfinished, self._store, self._folders.home):
            self._launch(record)
        self._spawn(self._write_progress())
        self._spawn(self._forget_daily())

    async def stop(self, seconds: float) -> None:
        """Let the running ones go, without ending them: the next start takes them up."""
        self._draining.set()
        running = [live.ended.wait() for live in self._live.values()]
        for live in list(self._live.values()):
            live.leave()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*running), seconds)
        for task in self._tasks:
            task.cancel()
        self._attempts.close()

    def upload(self) -> Folder:
        """A folder for the files of an operation that is about to begin; remove it where none does."""
        return self._folders.new()

    def folder(self, operation_id: str) -> Folder:
        """The folder of an operation."""
        return self._folders.of(operation_id)

    async def begin(
        self,
        method: str,
        request: Message,
        *,
        resource_id: str,
        actor: str,
        request_id: str,
        check: Callable[[], object] | None = None,
        upload: Folder | None = None,
        uploaded: str = "",
    ) -> operations_pb2.Operation:
        """Begin an operation, or find the one that the same request began.

        Args:
            method: its name, which has a runner.
            request: all that the runner needs to know.
            resource_id: what it is about.
            actor: who asks.
            request_id: idempotence key, a UUID.
            check: raises what can be refused at once; called in a thread, and only for a new request.
            upload: a complete folder of :meth:`upload`, whose id becomes the operation's; it is taken over or removed.
            uploaded: digest of its files.

        Raises:
            RequestIdReused: the request id was used with another body.
            ServerBusy: as many operations run and wait as the server takes.
            KnowledgeSmithError: what ``check`` raised.
        """
        record = OperationRecord(
            id=upload.id if upload else str(uuid.uuid4()),
            method=method,
            resource_id=resource_id,
            actor=actor,
            request_id=request_id,
            body_digest=body_digest(method, request, uploaded),
            home=self._folders.home,
            request=request.SerializeToString(),
        )
        try:
            found, new = await self._create(record, check)
        except Unavailable:
            raise  # it may be there: its files stay, and whoever asks again, or the next start, takes it up
        except BaseException:
            if upload is not None:
                await asyncio.to_thread(upload.remove)
            raise
        if not new and upload is not None:
            await asyncio.to_thread(upload.remove)
        kept = await asyncio.to_thread(stored.get, self._store, found)
        if not kept.ended and kept.home == self._folders.home and found not in self._live:
            self._launch(kept)
        return self._shown(kept)

    async def _create(self, record: OperationRecord, check: Callable[[], object] | None) -> tuple[str, bool]:
        earlier = await asyncio.to_thread(stored.earlier, self._store, record)
        if earlier:
            return earlier, False
        if len(self._live) >= self._limit:
            raise ServerBusy(
                f"{self._limit} operations run or wait already",
                hint="Try again when some have ended, and begin fewer at once.",
            )
        if check is not None:
            await asyncio.to_thread(check)
        return await asyncio.to_thread(stored.create, self._store, record)

    async def get(self, name: str) -> operations_pb2.Operation:
        """One operation.

        Raises:
            OperationNotFound: there is none of this name.
        """
        return self._shown(await self.record(name))

    async def record(self, name: str) -> OperationRecord:
        """One operation as it is stored.

        Raises:
            OperationNotFound: there is none of this name.
        """
        return await asyncio.to_thread(stored.get, self._store, id_of(name))

    async def list(
        self, *, method: str, states: Sequence[OperationState], before: tuple[int, str] | None, limit: int
    ) -> list[tuple[OperationRecord, operations_pb2.Operation]]:
        """Operations, newest first, older than ``before`` = (created_ms, id), without their responses."""
        found = await asyncio.to_thread(
            stored.list_operations, self._store, method=method, states=states, before=before, limit=limit
        )
        return [(record, self._shown(record)) for record in found]

    async def wait(self, name: str, seconds: float) -> operations_pb2.Operation:
        """One operation once it has ended, or as it is after ``seconds`` or when the server shuts down.

        Raises:
            OperationNotFound: there is none of this name.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + min(seconds, LONGEST_WAIT_SECONDS)
        while True:
            record = await self.record(name)
            left = until - loop.time()
            if record.ended or left <= 0 or self._draining.is_set():
                return self._shown(record)
            live = self._live.get(record.id)
            if live is not None:
                await _first(live.ended, self._draining, seconds=left)
            else:
                await asyncio.sleep(min(left, _ELSEWHERE_SECONDS))

    async def cancel(self, name: str) -> None:
        """Ask for the end of an operation; one that has ended stays as it is.

        Raises:
            OperationNotFound: there is none of this name.
        """
        operation_id = id_of(name)
        state = await asyncio.to_thread(stored.request_cancel, self._store, operation_id)
        live = self._live.get(operation_id)
        if live is not None and state is OperationState.RUNNING:
            live.cancelled = True
            live.leave()

    async def delete(self, name: str) -> None:
        """Forget an operation that has ended, with its files.

        Raises:
            OperationNotFound: there is none of this name.
            IllegalState: it has not ended.
        """
        operation_id = id_of(name)
        await asyncio.to_thread(stored.delete, self._store, operation_id)
        await asyncio.to_thread(self._folders.of(operation_id).remove)

    def _shown(self, record: OperationRecord) -> operations_pb2.Operation:
        live = self._live.get(record.id)
        return operation_to(record if live is None else live.shown(record))

    def _launch(self, record: OperationRecord) -> None:
        live = Live(record=record, cancelled=record.cancel_requested)
        live.report(record.stage, record.done, record.total)
        live.written = live.progress
        self._live[record.id] = live
        self._spawn(self._run(live))

    async def _run(self, live: Live) -> None:
        try:
            await self._attempts.run(live)
        except Exception:  # noqa: BLE001 - whatever it is, it is about this operation only
            _LOG.exception("operation %s (%s) is set apart until the next start", live.record.id, live.record.method)
        finally:
            self._live.pop(live.record.id, None)
            live.ended.set()

    async def _write_progress(self) -> None:
        """Write what was reported, at most once a second, and learn what was asked for through another server."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for live in [live for live in self._live.values() if live.progress != live.written]:
                await self._write(live)

    async def _write(self, live: Live) -> None:
        now = live.progress
        work = partial(stored.progress, self._store, live.record.id, stage=now.stage, done=now.done, total=now.total)
        try:
            asked = await asyncio.to_thread(work)
        except KnowledgeSmithError as error:  # it is only news
            _LOG.info("the progress of operation %s was not written: %s", live.record.id, error.message)
            return
        live.written = now
        if asked and not live.cancelled:
            live.cancelled = True
            live.leave()

    async def _forget_daily(self) -> None:
        while True:
            await asyncio.sleep(_DAY_SECONDS)
            try:
                await self._forget_old()
            except KnowledgeSmithError as error:
                _LOG.warning("old operations were not deleted: %s", error.message)

    async def _sweep(self) -> None:
        """Remove folders that belong to no operation: uploads that were cut off, and what was forgotten elsewhere."""
        ids = await asyncio.to_thread(self._folders.ids)
        known = await asyncio.to_thread(stored.known, self._store, ids)
        await asyncio.to_thread(self._folders.remove, set(ids) - known)

    async def _forget_old(self) -> None:
        gone = await asyncio.to_thread(stored.purge, self._store, self._folders.home)
        await asyncio.to_thread(self._folders.remove, gone)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        # a context of its own: the call that began it is over long before it is, and its caller has left
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _first(*events: asyncio.Event, seconds: float) -> None:
    """Return when one of these has happened, or after so many seconds."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
