"""Long work of the server: waited for, watched, cancelled, found again, and never begun twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.client.fake_graphs import Archives
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith.client import (
    Cancelled,
    DeadlineExceeded,
    Graph,
    ImportRejected,
    ImportResult,
    InvalidInput,
    KnowledgeSmith,
    OperationNotFound,
    OperationProgress,
    ServerFault,
    ServerUnreachable,
)
from knowledgesmith.client._retry import Backoff
from knowledgesmith.client._wire.policies import policy_of
from knowledgesmith.v1 import branch_pb2, graph_pb2, intervention_pb2, options_pb2

AWAY = Failure(code=grpc.StatusCode.UNAVAILABLE)
DRAINING = Failure(code=grpc.StatusCode.UNAVAILABLE, reason="SERVER_DRAINING")
IMPATIENT = Backoff(first_s=0.001, attempts=2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a server that is away."""
    for twin in ("_sync", "_async"):
        monkeypatch.setattr(f"knowledgesmith.client.{twin}.operation.PATIENT", IMPATIENT)


def test_a_call_waits_for_its_result(either: KnowledgeSmith, fake: FakeServer) -> None:
    seen: list[OperationProgress] = []
    result = either.graphs.import_bundled(name="atlas", graph_id="mine", progress=seen.append)
    assert isinstance(result.graph, Graph)
    assert result.graph.id == "mine"
    assert [(one.stage, one.done, one.total) for one in seen if one.stage] == [("read", 4, 0), ("write facts", 2, 8)]
    assert len(fake.requests("ImportBundledGraph")) == 1
    assert all(request.timeout.ToMilliseconds() <= 30_000 for request in fake.requests("WaitOperation"))


def test_a_handle_tells_how_far_it_is(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.operations.endless = {"DeleteGraph"}
    handle = either.graphs.delete(graph_id="atlas", force=True, wait=False)
    assert not fake.requests("WaitOperation")
    assert (handle.done, handle.metadata.method, handle.metadata.resource_id) == (False, "DeleteGraph", "atlas")
    assert (handle.metadata.actor, handle.metadata.attempt, handle.metadata.finish_time) == ("tester", 1, None)
    with pytest.raises(DeadlineExceeded, match="It goes on") as caught:
        handle.result(timeout_s=0.1)
    assert caught.value.value == handle.name
    handle.cancel()
    assert not handle.done, "as it was when the server was last asked"
    assert handle.refresh().metadata.cancel_requested
    with pytest.raises(Cancelled, match="at your request"):
        handle.result()


def test_operations_are_found_again_by_name(either: KnowledgeSmith, fake: FakeServer) -> None:
    handle = either.graphs.check(graph_id="atlas", wait=False)
    again = either.operations.get(name=handle.name)
    assert (again.name, again.metadata.method) == (handle.name, "CheckGraph")
    assert either.operations.wait(name=handle.name).sound
    assert [one.name for one in either.operations.list(filter="done=true", limit=5)] == [handle.name]
    assert fake.requests("ListOperations")[0].filter == "done=true"
    assert either.operations.list(limit=0) == []
    either.operations.delete(name=handle.name)
    for ask in (handle.refresh, lambda: either.operations.get(name=handle.name), lambda: handle.cancel()):
        with pytest.raises(OperationNotFound):
            ask()


def test_operations_are_cancelled_by_name(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.operations.endless = {"AuditProbeSet"}
    handle = either.probe_sets.audit(probe_set_id="s1", wait=False)
    either.operations.cancel(name=handle.name)
    with pytest.raises(Cancelled):
        either.operations.wait(name=handle.name, timeout_s=60)


def test_an_operation_that_fails_raises_what_the_server_says(
    either: KnowledgeSmith, fake: FakeServer, tmp_path: Path
) -> None:
    (tmp_path / "facts.csv").write_text("x")
    rejected = Failure(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="IMPORT_REJECTED",
        message="Nothing can be used.",
        metadata={"file": "facts.csv", "hint": "Look at it."},
    )
    fake.operations.outcomes["ImportGraph"] = [rejected]
    with pytest.raises(ImportRejected) as caught:
        either.graphs.import_files(graph_id="mine", files=[tmp_path])
    assert (caught.value.hint, caught.value.metadata) == ("Look at it.", {"file": "facts.csv"})
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("failure", [AWAY, DRAINING], ids=["away", "draining"])
def test_a_wait_goes_on_over_a_server_that_is_away(either: KnowledgeSmith, fake: FakeServer, failure: Failure) -> None:
    fake.failures["WaitOperation"] = [failure] * 6
    assert isinstance(either.graphs.import_bundled(), ImportResult)
    assert len(fake.requests("ImportBundledGraph")) == 1


def test_a_wait_outlives_a_restart_of_the_server(fake: FakeServer) -> None:
    fake.operations.endless = {"CheckGraph"}
    with KnowledgeSmith(fake.target) as smith:
        handle = smith.graphs.check(graph_id="atlas", wait=False)
        seen: list[OperationProgress] = []

        def restart(progress: OperationProgress) -> None:
            seen.append(progress)
            if len(seen) == 2:
                fake.__exit__(None, None, None)
                fake.operations.endless.clear()
                fake.__enter__()

        assert handle.result(progress=restart).sound
    assert len(fake.requests("CheckGraph")) == 1


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stays_away_is_said_with_the_way_out(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["WaitOperation"] = [AWAY] * 100
    handle = either.graphs.check(graph_id="atlas", wait=False)
    with pytest.raises(ServerUnreachable, match="when the server is back") as caught:
        handle.result()
    assert caught.value.value == handle.name
    fake.failures.clear()
    assert handle.result().sound


def test_a_repeated_call_begins_nothing_twice(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["DeleteBranch"] = [AWAY, AWAY]
    assert either.branches.delete(branch_id="main").id == "main"
    ids = {request.request_id for request in fake.requests("DeleteBranch")}
    assert (len(fake.requests("DeleteBranch")), len(ids), len(fake.operations.held)) == (3, 1, 1)
    mine = "3f0f2a54-26f7-4f0e-9d5c-2c9f1a0f7e11"
    either.branches.delete(branch_id="main", request_id=mine)
    either.branches.delete(branch_id="main", request_id=mine)
    assert len(fake.operations.held) == 2


def test_an_upload_that_broke_is_sent_again_as_a_whole(
    either: KnowledgeSmith, fake: FakeServer, tmp_path: Path
) -> None:
    body = b"x" * 600_000
    (tmp_path / "facts.csv").write_bytes(body)
    fake.failures["ImportGraph"] = [AWAY]
    either.graphs.import_files(graph_id="mine", files=[tmp_path / "facts.csv"])
    first, second, *pieces = fake.requests("ImportGraph")
    assert first.header.request_id == second.header.request_id
    assert b"".join(piece.chunk.content for piece in pieces) == body
    assert len(fake.operations.held) == 1


def test_an_archive_arrives_as_a_whole(either: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "atlas.ksa"
    summary = either.archives.export(graph_id="atlas", path=path, with_artefacts=True)
    assert path.read_bytes() == b"an archive"
    assert (summary.size, summary.rows) == (10, {"facts": 12})
    assert fake.requests("CreateArchive")[0].with_artefacts
    (held,) = fake.operations.held.values()
    assert [request.operation for request in fake.requests("DownloadArchive")] == [held.name]
    loaded = either.archives.load(path=path, graph_id="other", graph_only=True)
    assert (loaded.graph_id, loaded.files, loaded.summary.graph_id) == ("other", 2, "atlas")
    header, piece = fake.requests("LoadArchive")
    assert (header.header.name, header.header.graph_only, piece.chunk) == ("atlas.ksa", True, b"an archive")
    diff = either.archives.diff(graph_id="atlas", path=path)
    assert (diff.left, diff.right, diff.equal, diff.by_relation[0].removed) == ("atlas", "atlas.ksa", False, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["atlas.ksa"]


def test_an_archive_is_begun_and_fetched_apart(either: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    begun = either.archives.create(graph_id="atlas", wait=False)
    assert either.archives.download(operation=begun.name, path=tmp_path / "a.ksa").size == 10
    assert either.archives.create(graph_id="atlas").sha256
    checking = either.graphs.check(graph_id="atlas", wait=False)
    with pytest.raises(InvalidInput, match="writes no archive"):
        either.archives.download(operation=checking.name, path=tmp_path / "b.ksa")
    assert [one.name for one in tmp_path.iterdir()] == ["a.ksa"]


def test_an_archive_that_is_too_short_is_none(
    either: KnowledgeSmith, fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.client.fake_graphs.Archives.content", (b"an arch",))
    with pytest.raises(ServerFault, match="cut off"):
        either.archives.export(graph_id="atlas", path=tmp_path / "atlas.ksa")
    assert not list(tmp_path.iterdir())


def test_a_download_begins_when_the_server_is_back(either: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    fake.failures["DownloadArchive"] = [AWAY, DRAINING]
    either.archives.export(graph_id="atlas", path=tmp_path / "atlas.ksa")
    assert (tmp_path / "atlas.ksa").read_bytes() == b"an archive"


def test_a_download_goes_on_where_it_broke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Archives.DownloadArchive

    def broken(self: Archives, request: Any, context: Any) -> Iterator[Any]:
        for number, piece in enumerate(whole(self, request, context)):
            if number == 2 and request.offset == 0:
                AWAY.abort(context)
            yield piece

    monkeypatch.setattr(Archives, "DownloadArchive", broken)
    with FakeServer() as server, KnowledgeSmith(server.target) as smith:
        smith.archives.export(graph_id="atlas", path=tmp_path / "atlas.ksa")
        assert (tmp_path / "atlas.ksa").read_bytes() == b"an archive"
        assert [request.offset for request in server.requests("DownloadArchive")] == [0, 6]


@pytest.mark.parametrize(
    ("request_type", "duration", "repeatable"),
    [
        (graph_pb2.GetGraphRequest, options_pb2.METHOD_DURATION_QUICK, True),
        (graph_pb2.ImportGraphRequest, options_pb2.METHOD_DURATION_UNBOUNDED, True),
        (branch_pb2.CreateBranchRequest, options_pb2.METHOD_DURATION_QUICK, False),
        (branch_pb2.AskRequest, options_pb2.METHOD_DURATION_LONG, True),
        (intervention_pb2.CreateInterventionRequest, options_pb2.METHOD_DURATION_LONG, True),
        (intervention_pb2.CommitInterventionRequest, options_pb2.METHOD_DURATION_LONG, False),
    ],
)
def test_deadlines_and_repetitions_are_what_the_method_says(
    request_type: type[Any], duration: options_pb2.MethodDuration.ValueType, *, repeatable: bool
) -> None:
    policy = policy_of(request_type)
    assert (policy.duration, policy.repeatable) == (duration, repeatable)
    assert policy.path.endswith(request_type.__name__.removesuffix("Request"))


def test_what_no_method_takes_has_no_policy() -> None:
    with pytest.raises(LookupError, match="Graph"):
        policy_of(graph_pb2.Graph)
