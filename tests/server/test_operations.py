"""Operations: begun once, cancelled, waited for, let go and taken up again, whatever their work does."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.longrunning import operations_pb2
from google.rpc import error_details_pb2

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import (
    GraphNotFound,
    GraphUnavailable,
    IllegalState,
    OperationNotFound,
    RequestIdReused,
    ServerBusy,
    WorkerUnavailable,
)
from knowledgesmith.graph_schema.operations import operations as stored
from knowledgesmith.graph_schema.operations.records import OperationRecord, OperationState
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.server.operations import engine
from knowledgesmith.server.operations.engine import Operations
from knowledgesmith.server.operations.folders import Folders
from knowledgesmith.server.operations.tasks import InLoop, InThread, Runner, Task
from knowledgesmith.v1 import graph_pb2, operation_pb2

PATIENCE = 60.0
Request = graph_pb2.CheckGraphRequest
Response = graph_pb2.CheckGraphResponse


def answer(task: Task) -> Response:
    """Work that is done at once."""
    return Response(graph_id=task.request.graph_id, digest=str(task.attempt))


class Held:
    """Work in a thread that goes on until it is told to end, or notices that it should."""

    def __init__(self) -> None:
        self.begun, self.go, self.noticed = threading.Semaphore(0), threading.Event(), threading.Event()

    def run(self, task: Task) -> Response:
        task.report("hold", 1, 2)
        self.begun.release()
        try:
            while not self.go.wait(0.01):
                cancellation.check()
        except BaseException:
            self.noticed.set()
            raise
        return answer(task)


def in_thread(run: Callable[[Task], Response]) -> dict[str, Runner]:
    return {"Work": InThread(request=Request, run=run)}


def in_loop(run: Callable[[Task], Awaitable[Response]]) -> dict[str, Runner]:
    return {"Work": InLoop(request=Request, run=run)}


@asynccontextmanager
async def serving(
    store: GraphStore, directory: Path, runners: Mapping[str, Runner], *, threads: int = 2
) -> AsyncGenerator[Operations]:
    """The operations of a server, from its start to its end."""
    operations = Operations(store=store, directory=directory, threads=threads, draining=asyncio.Event())
    await operations.start(runners)
    try:
        yield operations
    finally:
        await operations.stop(PATIENCE)


async def begin(operations: Operations, graph_id: str = "g", **fields: Any) -> operations_pb2.Operation:
    values: dict[str, Any] = {
        "resource_id": graph_id,
        "actor": "tests",
        "request_id": str(uuid.uuid4()),
        "method": "Work",
        **fields,
    }
    return await operations.begin(request=Request(graph_id=graph_id), **values)


async def ended(operations: Operations, name: str) -> operations_pb2.Operation:
    """An operation when it has ended; unlike ``wait`` of the wire it is patient."""
    while not (found := await operations.wait(name, PATIENCE)).done:
        pass
    return found


def response_of(operation: operations_pb2.Operation) -> Response:
    assert not operation.HasField("error"), operation.error
    found = Response()
    assert operation.response.Unpack(found)
    return found


def metadata_of(operation: operations_pb2.Operation) -> operation_pb2.OperationMetadata:
    found = operation_pb2.OperationMetadata()
    assert operation.metadata.Unpack(found)
    return found


def reason_of(operation: operations_pb2.Operation) -> str:
    info = error_details_pb2.ErrorInfo()
    assert operation.error.details[0].Unpack(info)
    return str(info.reason)


async def happens(semaphore: threading.Semaphore) -> None:
    assert await asyncio.to_thread(semaphore.acquire, timeout=PATIENCE)


async def test_an_operation_tells_what_it_is_and_what_came_of_it(store: GraphStore, tmp_path: Path) -> None:
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        begun = await begin(operations)
        assert begun.name.startswith("operations/")
        done = await ended(operations, begun.name)
        assert response_of(done) == Response(graph_id="g", digest="1")
        told = metadata_of(done)
        assert (told.method, told.resource_id, told.actor, told.attempt) == ("Work", "g", "tests", 1)
        assert told.create_time.ToMilliseconds() <= told.finish_time.ToMilliseconds()
        assert await operations.get(begun.name) == done


async def test_the_same_request_is_one_operation_also_after_its_end(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    key = str(uuid.uuid4())
    async with serving(store, tmp_path, in_thread(held.run)) as operations:
        begun = await asyncio.gather(*(begin(operations, request_id=key) for _ in range(5)))
        assert len({one.name for one in begun}) == 1
        with pytest.raises(RequestIdReused):
            await begin(operations, "other", request_id=key)
        with pytest.raises(RequestIdReused):
            await begin(operations, request_id=key, method="Other")
        with pytest.raises(RequestIdReused):
            await begin(operations, request_id=key, uploaded="digest of other files")
        held.go.set()
        done = await ended(operations, begun[0].name)

        def check() -> None:
            raise GraphNotFound("it is gone by now")

        assert await begin(operations, request_id=key, check=check) == done
        with pytest.raises(GraphNotFound):
            await begin(operations, check=check)


async def test_all_who_wait_are_told_and_progress_is_seen_meanwhile(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run)) as operations:
        begun = await begin(operations)
        await happens(held.begun)
        seen = metadata_of(await operations.wait(begun.name, 0.0))
        assert (seen.stage, seen.done, seen.total) == ("hold", 1, 2)
        waiting = [asyncio.ensure_future(ended(operations, begun.name)) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(one.done() for one in waiting)
        held.go.set()
        first, second = await asyncio.gather(*waiting)
        assert first == second
        assert first.done
        # what was reported is in the database too, for whoever looks from elsewhere
        record = await asyncio.to_thread(stored.get, store, first.name.partition("/")[2])
        assert record.state is OperationState.DONE


async def test_a_cancelled_operation_ends_at_its_next_look_and_says_so(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run), threads=1) as operations:
        running = await begin(operations)
        queued = await begin(operations)
        await happens(held.begun)
        await operations.cancel(queued.name)
        assert reason_of(await ended(operations, queued.name)) == "CANCELLED", "it does not wait for its turn"
        await operations.cancel(running.name)
        done = await ended(operations, running.name)
        assert (reason_of(done), done.error.code) == ("CANCELLED", 1)
        assert metadata_of(done).cancel_requested
        assert held.noticed.is_set()
        await operations.cancel(running.name)
        assert await operations.get(running.name) == done, "one that has ended stays as it is"


async def test_what_waits_for_the_worker_is_cancelled_too(store: GraphStore, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def run(_task: Task) -> Response:
        begun.set()
        await asyncio.sleep(PATIENCE)
        return Response()

    async with serving(store, tmp_path, in_loop(run)) as operations:
        operation = await begin(operations)
        await begun.wait()
        await operations.cancel(operation.name)
        assert reason_of(await ended(operations, operation.name)) == "CANCELLED"


async def test_another_server_of_the_database_can_ask_for_the_end(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with (
        serving(store, tmp_path / "one", in_thread(held.run)) as one,
        serving(store, tmp_path / "two", in_thread(answer)) as two,
    ):
        operation = await begin(one)
        await happens(held.begun)
        await two.cancel(operation.name)
        assert reason_of(await ended(two, operation.name)) == "CANCELLED"


async def test_the_next_start_takes_up_what_a_server_let_go(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run), threads=1) as operations:
        names = [(await begin(operations)).name for _ in range(3)]
        await happens(held.begun)
    assert held.noticed.is_set()
    for name in names:
        record = await asyncio.to_thread(stored.get, store, name.partition("/")[2])
        assert (record.state, record.crashes) == (OperationState.RUNNING, 0)
    async with serving(store, tmp_path / "elsewhere", in_thread(answer)) as other:
        assert not (await other.get(names[0])).done, "its files are not there"
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        done = [await ended(operations, name) for name in names]
    assert [metadata_of(one).attempt for one in done] == [2, 1, 1], "those that waited for a thread were not taken up"
    assert {response_of(one).graph_id for one in done} == {"g"}


async def test_whoever_waits_while_the_server_ends_is_answered_at_once(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run)) as operations:
        operation = await begin(operations)
        waiting = asyncio.ensure_future(operations.wait(operation.name, PATIENCE))
        await happens(held.begun)
    assert not (await waiting).done


def unfinished(directory: Path, **fields: Any) -> OperationRecord:
    """An operation that a server began which was killed."""
    values: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "method": "Work",
        "resource_id": "g",
        "actor": "tests",
        "request_id": str(uuid.uuid4()),
        "body_digest": "d",
        "home": Folders(directory).home,
        "request": Request(graph_id="g").SerializeToString(),
        **fields,
    }
    return OperationRecord(**values)


async def test_what_ends_the_server_again_and_again_is_not_tried_for_ever(store: GraphStore, tmp_path: Path) -> None:
    record = unfinished(tmp_path)
    stored.create(store, record)
    for _ in range(3):
        stored.take_up(store, record.id)
        stored.settle(store, record.home, crashed=True)
    tried: list[Task] = []

    def run(task: Task) -> Response:
        tried.append(task)
        return answer(task)

    async with serving(store, tmp_path, in_thread(run)) as operations:
        done = await ended(operations, f"operations/{record.id}")
    assert (reason_of(done), tried) == ("FAILED_PRECONDITION", [])
    assert "crashed 3 times" in done.error.message


async def test_one_whose_end_was_asked_for_before_the_crash_is_not_begun_again(
    store: GraphStore, tmp_path: Path
) -> None:
    record = unfinished(tmp_path)
    stored.create(store, record)
    stored.request_cancel(store, record.id)
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        assert reason_of(await ended(operations, f"operations/{record.id}")) == "CANCELLED"


async def test_a_method_of_another_release_fails_and_says_so(store: GraphStore, tmp_path: Path) -> None:
    record = unfinished(tmp_path, method="Forgotten")
    stored.create(store, record)
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        done = await ended(operations, f"operations/{record.id}")
    assert reason_of(done) == "FAILED_PRECONDITION"
    assert "does not know" in done.error.message


@pytest.mark.parametrize(("losses", "reason"), [(2, ""), (9, "WORKER_UNAVAILABLE")])
async def test_an_attempt_that_loses_what_it_needs_is_made_again_some_times(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: int, reason: str
) -> None:
    monkeypatch.setattr("knowledgesmith.server.operations.attempts._PAUSE_SECONDS", 0.0)
    errors: list[Exception] = [WorkerUnavailable("gone") for _ in range(losses)]
    errors[1] = GraphUnavailable("gone")

    def run(task: Task) -> Response:
        if errors:
            raise errors.pop()
        return answer(task)

    async with serving(store, tmp_path, in_thread(run)) as operations:
        done = await ended(operations, (await begin(operations)).name)
    if reason:
        assert reason_of(done) == reason
    else:
        assert response_of(done).digest == str(losses + 1)


async def test_an_unexpected_error_ends_the_operation_and_stays_in_the_log(
    store: GraphStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def run(_task: Task) -> Response:
        raise ZeroDivisionError("secret")

    async with serving(store, tmp_path, in_thread(run)) as operations:
        done = await ended(operations, (await begin(operations)).name)
    assert (reason_of(done), done.error.code) == ("INTERNAL", 13)
    assert "secret" not in str(done)
    assert "secret" in caplog.text


async def test_files_are_kept_while_they_are_needed(store: GraphStore, tmp_path: Path) -> None:
    read: list[str] = []

    def run(task: Task) -> Response:
        read.append((task.folder.uploads / "x").read_text())
        (task.folder.path / "kept").write_text("for a download")
        return answer(task)

    key = str(uuid.uuid4())
    async with serving(store, tmp_path, in_thread(run)) as operations:

        async def send() -> operations_pb2.Operation:
            folder = operations.upload()
            (folder.make_uploads() / "x").write_text("content")
            return await begin(operations, request_id=key, upload=folder, uploaded="d")

        first, second = await asyncio.gather(send(), send())
        assert first.name == second.name
        done = await ended(operations, first.name)
        folder = operations.folder(await operations.record(done.name))
        while folder.uploads.exists():  # they go after the end was told
            await asyncio.sleep(0.01)
        assert read == ["content"]
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [folder.id]
        assert (folder.path / "kept").exists()
        await operations.delete(done.name)
        assert not folder.path.exists()
        with pytest.raises(OperationNotFound):
            await operations.get(done.name)


async def test_a_refused_beginning_leaves_no_files_and_a_start_removes_what_was_cut_off(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check() -> None:
        raise GraphNotFound("no")

    async with serving(store, tmp_path, in_thread(answer)) as operations:
        refused = operations.upload()
        refused.make_uploads()
        with pytest.raises(GraphNotFound):
            await begin(operations, upload=refused, check=check)
        assert not refused.path.exists()
        cut_off = operations.upload()
        cut_off.make_uploads()

        def unavailable(*_args: object) -> str:
            raise GraphUnavailable("gone")

        uncertain = operations.upload()
        uncertain.make_uploads()
        with monkeypatch.context() as patch:
            patch.setattr(stored, "create", unavailable)
            with pytest.raises(GraphUnavailable):
                await begin(operations, upload=uncertain)
        assert uncertain.path.exists(), "nobody knows whether it was begun"
    async with serving(store, tmp_path, in_thread(answer)):
        assert not cut_off.path.exists()
        assert not uncertain.path.exists()


async def test_more_than_a_server_takes_are_refused_and_running_ones_are_not_deleted(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAITING", 1)
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run), threads=1) as operations:
        names = [(await begin(operations)).name for _ in range(2)]
        with pytest.raises(ServerBusy):
            await begin(operations)
        with pytest.raises(IllegalState, match="has not ended"):
            await operations.delete(names[0])
        held.go.set()
        for name in names:
            await ended(operations, name)
        await ended(operations, (await begin(operations)).name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "operations",
        "operations/",
        "operations/../../etc/passwd",
        "operations/00000000-0000-4000-8000-000000000000",
        "operations/00000000-0000-4000-8000-000000000000\n",
        "operations/00000000-0000-4000-8000-00000000000A",
        "operations/\x00",
        "operations/" + "x" * 100_000,
        "00000000-0000-4000-8000-000000000000",
    ],
)
async def test_no_name_but_that_of_an_operation_is_one(store: GraphStore, tmp_path: Path, name: str) -> None:
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        for ask in (operations.get, operations.cancel, operations.delete, partial(operations.wait, seconds=0.0)):
            with pytest.raises(OperationNotFound) as refused:
                await ask(name)
            assert len(refused.value.describe()) < 500


async def test_waiting_has_an_end(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run)) as operations:
        operation = await begin(operations)
        assert not (await operations.wait(operation.name, 0.1)).done
        held.go.set()
