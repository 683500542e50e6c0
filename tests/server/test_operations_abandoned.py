"""Operations whose caller, server or files go at a bad moment: each ends all the same, or says why it cannot."""

from __future__ import annotations

import asyncio
import shutil
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.longrunning import operations_pb2
from tests.server.test_operations import (
    PATIENCE,
    Held,
    answer,
    begin,
    ended,
    happens,
    in_thread,
    metadata_of,
    reason_of,
    response_of,
    serving,
    unfinished,
)

from knowledgesmith.graph_schema.errors import (
    FailedPrecondition,
    GraphUnavailable,
    OperationNotFound,
    RequestIdReused,
    ServerBusy,
)
from knowledgesmith.graph_schema.operations import operations as stored
from knowledgesmith.graph_schema.operations.records import OperationState
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.server.operations import engine
from knowledgesmith.server.operations.engine import Operations
from knowledgesmith.server.operations.folders import Folders
from knowledgesmith.server.operations.tasks import Task
from knowledgesmith.v1 import graph_pb2

Request = graph_pb2.CheckGraphRequest
Response = graph_pb2.CheckGraphResponse


class Gate:
    """Keeps calls of a function of the store's waiting, after they have done what they do."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self.done, self.go = threading.Semaphore(0), threading.Event()

    def __call__(self, *args: Any) -> Any:
        found = self._work(*args)
        self.done.release()
        assert self.go.wait(PATIENCE)
        return found


def with_file(operations: Operations, content: str) -> Any:
    folder = operations.upload()
    folder.keep("x", content)
    return folder


def read(task: Task) -> Response:
    """Work that needs its file."""
    return Response(digest=(task.folder.uploads / "x").read_text())


async def test_an_operation_whose_caller_left_while_it_began_is_worked_on_with_its_files(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(stored.create)
    key = str(uuid.uuid4())
    async with serving(store, tmp_path, in_thread(read)) as operations:
        with monkeypatch.context() as patch:
            patch.setattr(stored, "create", gate)
            call = asyncio.ensure_future(
                begin(operations, request_id=key, upload=with_file(operations, "content"), uploaded="d")
            )
            await happens(gate.done)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            gate.go.set()
        record = await asyncio.to_thread(stored.begun_by, store, key)
        assert record is not None
        assert response_of(await ended(operations, f"operations/{record.id}")).digest == "content"


async def test_a_call_that_ended_before_anything_was_noted_leaves_nothing(store: GraphStore, tmp_path: Path) -> None:
    gate = Gate(lambda: None)
    key = str(uuid.uuid4())
    async with serving(store, tmp_path, in_thread(read)) as operations:
        folder = with_file(operations, "content")
        call = asyncio.ensure_future(begin(operations, request_id=key, upload=folder, check=gate))
        await happens(gate.done)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        gate.go.set()
        assert not folder.path.exists()
        assert await asyncio.to_thread(stored.begun_by, store, key) is None


async def test_what_nobody_works_on_is_found_and_taken_up(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_TICK_SECONDS", 0.01)
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        record = unfinished(tmp_path)
        await asyncio.to_thread(stored.create, store, record)
        assert response_of(await ended(operations, f"operations/{record.id}")).graph_id == "g"


async def test_what_nobody_works_on_can_be_cancelled(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_TICK_SECONDS", 3600.0)
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        record = unfinished(tmp_path)
        await asyncio.to_thread(stored.create, store, record)
        await operations.cancel(f"operations/{record.id}")
        done = await ended(operations, f"operations/{record.id}")
    assert (reason_of(done), metadata_of(done).attempt) == ("CANCELLED", 0)


async def test_an_upload_sent_again_replaces_files_that_are_missing(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_TICK_SECONDS", 3600.0)
    key = str(uuid.uuid4())

    def unsure(*args: Any) -> Any:
        create(*args)
        raise GraphUnavailable("the answer was lost")

    create = stored.create
    async with serving(store, tmp_path, in_thread(read)) as operations:
        lost = with_file(operations, "content")
        with monkeypatch.context() as patch:
            patch.setattr(stored, "create", unsure)
            with pytest.raises(GraphUnavailable):
                await begin(operations, request_id=key, upload=lost, uploaded="d")
        shutil.rmtree(lost.path)
        again = with_file(operations, "content")
        begun = await begin(operations, request_id=key, upload=again, uploaded="d")
        assert begun.name == f"operations/{lost.id}"
        assert response_of(await ended(operations, begun.name)).digest == "content"
        assert not again.path.exists()


async def test_what_waits_for_a_thread_while_the_server_is_killed_has_not_crashed_it(
    store: GraphStore, tmp_path: Path
) -> None:
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run), threads=1) as operations:
        running = await begin(operations)
        await happens(held.begun)
        waiting = await begin(operations)
        home = Folders(tmp_path).home
        await asyncio.to_thread(stored.settle, store, home, crashed=True)  # as the start after a kill would
        crashes = [(await operations.record(one.name)).crashes for one in (running, waiting)]
        assert crashes == [1, 0]
        held.go.set()
        await ended(operations, waiting.name)


async def test_suspects_of_a_crash_run_one_at_a_time_and_others_beside_them(store: GraphStore, tmp_path: Path) -> None:
    suspects = [unfinished(tmp_path) for _ in range(2)]
    for record in suspects:
        stored.create(store, record)
        stored.take_up(store, record.id)
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run), threads=3) as operations:
        other = await begin(operations)
        await happens(held.begun)
        await happens(held.begun)
        attempts = [metadata_of(await operations.get(f"operations/{one.id}")).attempt for one in suspects]
        assert sorted(attempts) == [1, 2]
        assert metadata_of(await operations.get(other.name)).attempt == 1
        held.go.set()
        for record in suspects:
            await ended(operations, f"operations/{record.id}")


async def test_a_server_that_ends_in_good_order_has_not_crashed_whatever_it_could_not_write(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_args: object) -> None:
        raise GraphUnavailable("gone")

    held = Held()
    async with serving(store, tmp_path, in_thread(held.run)) as operations:
        begun = await begin(operations)
        await happens(held.begun)
        monkeypatch.setattr(stored, "let_go", lost)
    monkeypatch.undo()
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        await ended(operations, begun.name)
        assert (await operations.record(begun.name)).crashes == 0


async def test_a_cancel_through_another_server_ends_what_waits_for_a_thread(store: GraphStore, tmp_path: Path) -> None:
    held = Held()
    async with (
        serving(store, tmp_path / "one", in_thread(held.run), threads=1) as one,
        serving(store, tmp_path / "two", in_thread(answer)) as two,
    ):
        await begin(one)
        await happens(held.begun)
        waiting = await begin(one)
        await two.cancel(waiting.name)
        assert reason_of(await ended(two, waiting.name)) == "CANCELLED"
        held.go.set()


async def test_files_are_told_to_be_with_the_server_that_has_them(store: GraphStore, tmp_path: Path) -> None:
    async with (
        serving(store, tmp_path / "one", in_thread(answer)) as one,
        serving(store, tmp_path / "two", in_thread(answer)) as two,
    ):
        begun = await begin(one)
        record = await two.record(begun.name)
        assert one.folder(record).id == record.id
        with pytest.raises(FailedPrecondition, match="another server keeps the files") as refused:
            two.folder(record)
        assert Folders(tmp_path / "one").home in refused.value.describe()


async def test_the_files_of_another_database_stay(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def elsewhere(_store: GraphStore) -> str:
        return "another database"

    async with serving(store, tmp_path, in_thread(answer)) as operations:
        kept = with_file(operations, "for a download")
    with monkeypatch.context() as patch:
        patch.setattr(stored, "database_id", elsewhere)
        async with serving(store, tmp_path, in_thread(answer)):
            assert kept.path.exists()
            assert "belong to another database" in caplog.text
        monkeypatch.setattr(engine, "_WEEK_SECONDS", 0.0)
        async with serving(store, tmp_path, in_thread(answer)):
            assert not kept.path.exists(), "what is as old as what is forgotten anyway"


async def test_progress_that_cannot_be_written_is_news_lost_and_no_more(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_TICK_SECONDS", 0.01)
    tried = threading.Semaphore(0)

    def broken(*_args: object, **_fields: object) -> None:
        tried.release()
        raise OverflowError("beyond int64")

    held = Held()
    monkeypatch.setattr(stored, "progress", broken)
    async with serving(store, tmp_path, in_thread(held.run)) as operations:
        begun = await begin(operations)
        await happens(tried)
        await asyncio.to_thread(stored.request_cancel, store, begun.name.partition("/")[2])
        assert reason_of(await ended(operations, begun.name)) == "CANCELLED"


async def test_a_result_that_cannot_be_kept_is_a_failure(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(stored, "finish", broken)
    async with serving(store, tmp_path, in_thread(answer)) as operations:
        assert reason_of(await ended(operations, (await begin(operations)).name)) == "INTERNAL"


async def test_what_can_be_refused_before_the_files_come_is(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAITING", 0)
    key = str(uuid.uuid4())
    held = Held()
    async with serving(store, tmp_path, in_thread(held.run), threads=1) as operations:
        await operations.admit("Work", Request(graph_id="g"), request_id=key)
        begun = await begin(operations, request_id=key)
        await operations.admit("Work", Request(graph_id="g"), request_id=key)
        for method, graph_id in (("Other", "g"), ("Work", "other")):
            with pytest.raises(RequestIdReused):
                await operations.admit(method, Request(graph_id=graph_id), request_id=key)
        with pytest.raises(ServerBusy):
            await operations.admit("Work", Request(graph_id="g"), request_id=str(uuid.uuid4()))
        held.go.set()
        await ended(operations, begun.name)


async def test_a_listing_tells_what_came_of_operations(store: GraphStore, tmp_path: Path) -> None:
    method = f"Work{uuid.uuid4().hex}"
    runner = in_thread(answer)["Work"]
    async with serving(store, tmp_path, {method: runner}) as operations:
        done = await ended(operations, (await begin(operations, method=method)).name)
        [(_, listed)] = await operations.list(method=method, states=tuple(OperationState), before=None, limit=9)
    assert listed == done
    assert isinstance(listed, operations_pb2.Operation)
    assert listed.WhichOneof("result") == "response"


async def test_a_deletion_whose_caller_left_takes_the_files_too(
    store: GraphStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(task: Task) -> Response:
        task.folder.make()
        return answer(task)

    gate = Gate(stored.delete)
    async with serving(store, tmp_path, in_thread(run)) as operations:
        begun = await begin(operations)
        await ended(operations, begun.name)
        folder = Folders(tmp_path).of(begun.name.partition("/")[2])
        monkeypatch.setattr(stored, "delete", gate)
        call = asyncio.ensure_future(operations.delete(begun.name))
        await happens(gate.done)
        call.cancel()
        gate.go.set()
        with pytest.raises(asyncio.CancelledError):
            await call
        while folder.path.exists():
            await asyncio.sleep(0.01)
        with pytest.raises(OperationNotFound):
            await operations.get(begun.name)
