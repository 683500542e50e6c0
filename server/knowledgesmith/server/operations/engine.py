"""Operations: begun, run, told about, cancelled, and taken up again at the next start."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import uuid
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from knowledgesmith.graph_schema.errors import FailedPrecondition, KnowledgeSmithError, RequestIdReused, ServerBusy
from knowledgesmith.graph_schema.operations import operations as stored
from knowledgesmith.graph_schema.operations.records import OperationRecord, OperationState
from knowledgesmith.server.operations.attempts import Attempts
from knowledgesmith.server.operations.folders import Folder, Folders
from knowledgesmith.server.operations.live import Live
from knowledgesmith.server.operations.messages import body_digest, id_of, operation_to

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
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
_WEEK_SECONDS: Final = 7 * _DAY_SECONDS
_TICKS_BETWEEN_LOOKS: Final = 10
"""How often one looks for operations of this server that nobody works on."""
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
        self._apart: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._attempts = Attempts(store=store, folders=self._folders, threads=threads, draining=draining)

    async def start(self, runners: Mapping[str, Runner]) -> None:
        """Forget what is old, and take up every operation that has not ended; call it once the worker was started.

        Raises:
            GraphUnavailable: the database does not answer.
        """
        self._attempts.runners = runners
        crashed = not await asyncio.to_thread(self._folders.ended)
        await asyncio.to_thread(stored.settle, self._store, self._folders.home, crashed=crashed)
        await asyncio.to_thread(self._folders.forget_end)
        await self._forget_old()
        await self._sweep(idle_seconds=0.0)  # nobody uploads before the server listens
        await self._take_up()
        self._spawn(self._tend())
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
        await asyncio.to_thread(self._folders.note_end)

    def upload(self) -> Folder:
        """A folder for the files of an operation that is about to begin; remove it where none does."""
        return self._folders.new()

    def folder(self, record: OperationRecord) -> Folder:
        """The folder of an operation.

        Raises:
            FailedPrecondition: another server has it.
        """
        if record.home != self._folders.home:
            raise FailedPrecondition(
                "another server keeps the files of this operation",
                field="operation",
                value=f"operations/{record.id}",
                hint=f"Ask the server that began it, whose <data>/operations/home says {record.home}.",
            )
        return self._folders.of(record.id)

    async def admit(self, method: str, request: Message, *, request_id: str) -> None:
        """Refuse what can be refused before the files of a request come.

        Raises:
            RequestIdReused: the request id was used with another request.
            ServerBusy: as many operations run and wait as the server takes.
        """
        earlier = await asyncio.to_thread(stored.begun_by, self._store, request_id)
        if earlier is None:
            self._check_room()
            return
        asked = body_digest(method, request, "")
        if method != earlier.method or asked != body_digest(method, type(request).FromString(earlier.request), ""):
            raise stored.reused(request_id)

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
            if not await asyncio.to_thread(stored.earlier, self._store, record):
                self._check_room()
                if check is not None:
                    await asyncio.to_thread(check)
        except BaseException:
            if upload is not None:
                await asyncio.to_thread(upload.remove)
            raise
        # whoever gave up finds the operation begun, or not begun, but never half begun
        return await asyncio.shield(self._spawn(self._create(record, upload)))

    async def _create(self, record: OperationRecord, upload: Folder | None) -> operations_pb2.Operation:
        """Note an operation and work on it.

        After any other error than a refusal it may be there: then its files are needed, and :meth:`_tend` finds it.
        """
        try:
            found, new = await asyncio.to_thread(stored.create, self._store, record)
        except RequestIdReused:
            if upload is not None:
                await asyncio.to_thread(upload.remove)
            raise
        kept = await asyncio.to_thread(stored.get, self._store, found)
        mine = not kept.ended and kept.home == self._folders.home
        if not new and upload is not None:
            if mine:
                await asyncio.to_thread(self._folders.of(found).adopt, upload)
            await asyncio.to_thread(upload.remove)
        if mine:
            self._launch(kept)
        return self._shown(kept)

    def _check_room(self) -> None:
        if len(self._live) >= self._limit:
            raise ServerBusy(
                f"{self._limit} operations run or wait already",
                hint="Try again when some have ended, and begin fewer at once.",
            )

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
        """Operations, newest first, older than ``before`` = (created_ms, id)."""
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
        if state is not OperationState.RUNNING:
            return
        live = self._live.get(operation_id)
        if live is not None:
            live.cancel()
            return
        record = await asyncio.to_thread(stored.get, self._store, operation_id)
        if not record.ended and record.home == self._folders.home:
            self._launch(record)  # nobody works on it, so nobody else would end it

    async def delete(self, name: str) -> None:
        """Forget an operation that has ended, with its files.

        Raises:
            OperationNotFound: there is none of this name.
            IllegalState: it has not ended.
        """
        await asyncio.shield(self._spawn(self._delete(id_of(name))))

    async def _delete(self, operation_id: str) -> None:
        await asyncio.to_thread(stored.delete, self._store, operation_id)
        await asyncio.to_thread(self._folders.of(operation_id).remove)

    def _shown(self, record: OperationRecord) -> operations_pb2.Operation:
        live = self._live.get(record.id)
        return operation_to(record if live is None else live.shown(record))

    def _launch(self, record: OperationRecord) -> None:
        """Work on an operation, unless somebody does."""
        if record.id in self._live:
            return
        self._apart.discard(record.id)
        live = Live(record=record)
        live.report(record.stage, record.done, record.total)
        live.written = live.progress
        if record.cancel_requested:
            live.cancel()
        self._live[record.id] = live
        self._spawn(self._run(live))

    async def _run(self, live: Live) -> None:
        try:
            await self._attempts.run(live)
        except Exception:  # noqa: BLE001 - whatever it is, it is about this operation only
            self._apart.add(live.record.id)
            _LOG.exception("operation %s (%s) is set apart until the next start", live.record.id, live.record.method)
        finally:
            self._live.pop(live.record.id, None)
            live.ended.set()

    async def _tend(self) -> None:
        """Once a second write what was reported, and learn what was asked for through another server.

        Now and then look for operations that were noted though whoever asked for them was told of an error.
        """
        for tick in count(1):
            await asyncio.sleep(_TICK_SECONDS)
            for live in [live for live in self._live.values() if live.progress != live.written]:
                await self._write(live)
            await _trying(self._learn_ends)
            if tick % _TICKS_BETWEEN_LOOKS == 0:
                await _trying(self._take_up)

    async def _write(self, live: Live) -> None:
        now = live.progress
        work = partial(stored.progress, self._store, live.record.id, stage=now.stage, done=now.done, total=now.total)
        try:
            await asyncio.to_thread(work)
        except KnowledgeSmithError as error:  # it is only news, and told again
            _LOG.info("the progress of operation %s was not written: %s", live.record.id, error.message)
            return
        except Exception:  # noqa: BLE001 - it cannot be written, but others can
            _LOG.warning("the progress of operation %s cannot be written", live.record.id, exc_info=True)
        live.written = now

    async def _learn_ends(self) -> None:
        working = {live.record.id: live for live in self._live.values() if not live.cancelled}
        if working:
            for operation_id in await asyncio.to_thread(stored.cancelled, self._store, list(working)):
                working[operation_id].cancel()

    async def _take_up(self) -> None:
        for record in await asyncio.to_thread(stored.unfinished, self._store, self._folders.home):
            if record.id not in self._apart and not self._draining.is_set():
                self._launch(record)

    async def _forget_daily(self) -> None:
        while True:
            await asyncio.sleep(_DAY_SECONDS)
            await _trying(self._forget_old)
            await _trying(partial(self._sweep, idle_seconds=_WEEK_SECONDS))

    async def _sweep(self, *, idle_seconds: float) -> None:
        """Remove folders that belong to no operation: uploads that were cut off, and what was forgotten elsewhere.

        Another database than theirs knows none of them, so there only those go that would have gone by themselves.
        """
        database = await asyncio.to_thread(stored.database_id, self._store)
        if not await asyncio.to_thread(self._folders.belong_to, database):
            _LOG.warning("the files of operations belong to another database; they stay for a week")
            idle_seconds = _WEEK_SECONDS
        ids = await asyncio.to_thread(self._folders.ids, idle_seconds=idle_seconds)
        known = await asyncio.to_thread(stored.known, self._store, ids)
        await asyncio.to_thread(self._folders.remove, set(ids) - known)

    async def _forget_old(self) -> None:
        gone = await asyncio.to_thread(stored.purge, self._store, self._folders.home)
        await asyncio.to_thread(self._folders.remove, gone)

    def _spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        # a context of its own: the call that began it is over long before it is, and its caller has left
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _trying(work: Callable[[], Awaitable[None]]) -> None:
    """Do what is done again later, so that no error of it may end whoever does it."""
    try:
        await work()
    except KnowledgeSmithError as error:
        _LOG.info("operations are not looked after at present: %s", error.message)
    except Exception:  # noqa: BLE001 - see above
        _LOG.warning("operations are not looked after at present", exc_info=True)


async def _first(*events: asyncio.Event, seconds: float) -> None:
    """Return when one of these has happened, or after so many seconds."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
