"""google.longrunning.Operations on a real server: what any client of the standard service sees."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of
from tests.server.world import upload

from knowledgesmith.v1 import archive_pb2, graph_pb2, operation_pb2, probe_pb2


def metadata_of(operation: operations_pb2.Operation) -> operation_pb2.OperationMetadata:
    found = operation_pb2.OperationMetadata()
    assert operation.metadata.Unpack(found)
    return found


def listed(service: Service, filter_text: str = "", *, page_size: int = 1000) -> Iterator[operations_pb2.Operation]:
    """All operations, page by page."""
    token = ""
    while True:
        request = operations_pb2.ListOperationsRequest(filter=filter_text, page_size=page_size, page_token=token)
        answer = service.operations.ListOperations(request, timeout=PATIENCE)
        yield from answer.operations
        token = answer.next_page_token
        if not token:
            return


def test_the_same_request_sent_twice_is_one_operation(service: Service, world: str, graph_id: str) -> None:
    checked = graph_pb2.CheckGraphRequest(graph_id=world, request_id=str(uuid.uuid4()))
    with ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(partial(service.graph.CheckGraph, timeout=PATIENCE), [checked] * 4))
    assert len({one.name for one in begun}) == 1
    assert service.result(begun[0], graph_pb2.CheckGraphResponse).sound
    again = service.graph.CheckGraph(checked, timeout=PATIENCE)
    assert (again.name, again.done) == (begun[0].name, True)
    with pytest.raises(grpc.RpcError) as reused:
        service.graph.DeleteGraph(
            graph_pb2.DeleteGraphRequest(graph_id=world, request_id=checked.request_id), timeout=PATIENCE
        )
    assert reason_of(reused.value)[1] == "REQUEST_ID_REUSED"


def test_a_deletion_asked_again_after_its_end_tells_what_it_deleted(service: Service, world: str) -> None:
    request = graph_pb2.DeleteGraphRequest(graph_id=world, request_id=str(uuid.uuid4()))
    first = service.ended(service.graph.DeleteGraph(request, timeout=PATIENCE))
    assert service.graph.DeleteGraph(request, timeout=PATIENCE) == first
    assert service.result(first, graph_pb2.DeleteGraphResponse).deletion.removed["graphs"] == 1


def test_an_upload_sent_twice_is_one_import_and_other_files_are_another(service: Service, graph_id: str) -> None:
    def send(overrides: dict[str, bytes] | None = None) -> operations_pb2.Operation:
        header, *chunks = upload(graph_id, overrides)
        header.header.request_id = key
        return service.graph.ImportGraph(iter([header, *chunks]), timeout=PATIENCE)

    key = str(uuid.uuid4())
    first, second = send(), send()
    assert first.name == second.name
    assert service.result(first, graph_pb2.ImportGraphResponse).report.version == 1
    with pytest.raises(grpc.RpcError) as reused:
        send({"FACTS": b"subject,relation,object\nfrance,has_capital,rome\n"})
    assert reason_of(reused.value)[1] == "REQUEST_ID_REUSED"
    kept = {path.name for path in (service.data_dir / "operations").iterdir()}
    assert first.name.partition("/")[2] not in kept, "uploads go once the import has ended, others at once"


def test_operations_are_listed_filtered_and_paged(service: Service, world: str) -> None:
    begun = [
        service.ended(service.graph.CheckGraph(graph_pb2.CheckGraphRequest(graph_id=world), timeout=PATIENCE)).name
        for _ in range(3)
    ]
    checks = list(listed(service, "method=CheckGraph", page_size=2))
    mine = [one for one in checks if metadata_of(one).resource_id == world]
    assert [one.name for one in mine] == begun[::-1], "newest first"
    assert {metadata_of(one).method for one in checks} == {"CheckGraph"}
    assert all(one.done and one.HasField("response") for one in mine)
    assert {one.name for one in listed(service, 'done=true AND method="CheckGraph"')} >= set(begun)
    assert not {one.name for one in listed(service, "done=false")} & set(begun)
    assert not list(listed(service, "method=Nothing"))


@pytest.mark.parametrize(
    "text", ["state=DONE", "method", "done=maybe", "done=true AND done=false", "method=A OR done=true", "x" * 400]
)
def test_other_filters_are_refused(service: Service, text: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        list(listed(service, text))
    code, reason, metadata = reason_of(refused.value)
    assert (code, reason, metadata["field"]) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "filter")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "operations/x"}, "INVALID_FIELD"),
        ({"return_partial_success": True}, "INVALID_FIELD"),
        ({"page_size": -1}, "INVALID_FIELD"),
        ({"page_token": "x"}, "PAGE_TOKEN_MISMATCH"),
        ({"filter": "x" * 501}, "TOO_LARGE"),
    ],
)
def test_wrong_listings_are_refused(service: Service, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        service.operations.ListOperations(operations_pb2.ListOperationsRequest(**fields), timeout=PATIENCE)
    assert reason_of(refused.value)[1] == reason


@pytest.mark.parametrize("name", ["", "operations/../../x", "operations/\x00", "operations/" + "x" * 50_000, "\u202e"])
def test_hostile_names_are_not_found(service: Service, name: str) -> None:
    calls: list[tuple[Callable[..., Any], Any]] = [
        (service.operations.GetOperation, operations_pb2.GetOperationRequest(name=name)),
        (service.operations.CancelOperation, operations_pb2.CancelOperationRequest(name=name)),
        (service.operations.DeleteOperation, operations_pb2.DeleteOperationRequest(name=name)),
        (service.operations.WaitOperation, operations_pb2.WaitOperationRequest(name=name)),
    ]
    for call, request in calls:
        with pytest.raises(grpc.RpcError) as refused:
            call(request, timeout=PATIENCE)
        assert reason_of(refused.value)[:2] == (grpc.StatusCode.NOT_FOUND, "OPERATION_NOT_FOUND")
    with pytest.raises(grpc.RpcError) as refused:
        downloaded(service, name)
    assert reason_of(refused.value)[1] == "OPERATION_NOT_FOUND"


def test_a_negative_wait_is_refused_and_none_at_all_answers_at_once(service: Service, world: str) -> None:
    begun = service.graph.CheckGraph(graph_pb2.CheckGraphRequest(graph_id=world), timeout=PATIENCE)
    request = operations_pb2.WaitOperationRequest(name=begun.name)
    request.timeout.FromNanoseconds(-1)
    with pytest.raises(grpc.RpcError) as refused:
        service.operations.WaitOperation(request, timeout=PATIENCE)
    assert reason_of(refused.value)[1] == "INVALID_FIELD"
    request.timeout.FromSeconds(0)
    assert service.operations.WaitOperation(request, timeout=PATIENCE).name == begun.name


def test_two_clients_wait_for_one_operation_and_it_can_be_deleted(service: Service, world: str) -> None:
    begun = service.graph.CheckGraph(graph_pb2.CheckGraphRequest(graph_id=world), timeout=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(service.ended, [begun, begun])
    assert first == second
    assert metadata_of(first).attempt == 1
    gone = operations_pb2.DeleteOperationRequest(name=begun.name)
    service.operations.DeleteOperation(gone, timeout=PATIENCE)
    with pytest.raises(grpc.RpcError) as missing:
        service.operations.GetOperation(operations_pb2.GetOperationRequest(name=begun.name), timeout=PATIENCE)
    assert reason_of(missing.value)[1] == "OPERATION_NOT_FOUND"


def downloaded(service: Service, name: str, offset: int = 0) -> bytes:
    """An archive from a byte on."""
    request = archive_pb2.DownloadArchiveRequest(operation=name, offset=offset)
    return b"".join(piece.chunk for piece in service.archive.DownloadArchive(request, timeout=PATIENCE))


def test_an_archive_is_downloaded_from_any_byte_until_its_operation_goes(service: Service, world: str) -> None:
    begun = service.archive.CreateArchive(archive_pb2.CreateArchiveRequest(graph_id=world), timeout=PATIENCE)
    summary = service.result(begun, archive_pb2.CreateArchiveResponse).summary
    whole = downloaded(service, begun.name)
    assert len(whole) == summary.size > 1_000
    for offset in (1, 1_000, len(whole) - 1, len(whole)):
        assert downloaded(service, begun.name, offset) == whole[offset:]
    for offset in (-1, len(whole) + 1, 2**62):
        with pytest.raises(grpc.RpcError) as refused:
            downloaded(service, begun.name, offset)
        assert reason_of(refused.value)[2]["field"] == "offset"
    checked = service.graph.CheckGraph(graph_pb2.CheckGraphRequest(graph_id=world), timeout=PATIENCE)
    with pytest.raises(grpc.RpcError) as other:
        downloaded(service, checked.name)
    assert reason_of(other.value)[1] == "INVALID_FIELD"
    request = operations_pb2.DeleteOperationRequest(name=begun.name)
    service.operations.DeleteOperation(request, timeout=PATIENCE)
    with pytest.raises(grpc.RpcError) as gone:
        downloaded(service, begun.name)
    assert reason_of(gone.value)[1] == "OPERATION_NOT_FOUND"


def test_a_listed_operation_that_is_done_has_its_response(service: Service, world: str) -> None:
    begun = service.graph.CheckGraph(
        graph_pb2.CheckGraphRequest(graph_id=world, request_id=str(uuid.uuid4())), timeout=PATIENCE
    )
    done = service.ended(begun)
    assert done.WhichOneof("result") == "response"
    assert [one for one in listed(service, "method=CheckGraph") if one.name == begun.name] == [done]


def test_an_upload_is_refused_at_its_header_before_its_files_come(service: Service, world: str) -> None:
    checked = graph_pb2.CheckGraphRequest(graph_id=world, request_id=str(uuid.uuid4()))
    service.ended(service.graph.CheckGraph(checked, timeout=PATIENCE))
    answered = threading.Event()

    def imported() -> Iterator[graph_pb2.ImportGraphRequest]:
        header, *_ = upload(world)
        header.header.request_id = checked.request_id
        yield header
        answered.wait(PATIENCE)

    def loaded() -> Iterator[archive_pb2.LoadArchiveRequest]:
        yield archive_pb2.LoadArchiveRequest(header=archive_pb2.LoadArchiveHeader(request_id=checked.request_id))
        answered.wait(PATIENCE)

    def compared() -> Iterator[archive_pb2.DiffArchiveRequest]:
        header = archive_pb2.DiffArchiveHeader(graph_id=world, request_id=checked.request_id)
        yield archive_pb2.DiffArchiveRequest(header=header)
        answered.wait(PATIENCE)

    def recorded() -> Iterator[probe_pb2.ImportProbeSetRequest]:
        header = probe_pb2.ImportProbeSetHeader(format=probe_pb2.PROBE_SET_FORMAT_JSONL, request_id=checked.request_id)
        yield probe_pb2.ImportProbeSetRequest(header=header)
        answered.wait(PATIENCE)

    calls: list[tuple[Callable[..., Any], Iterator[Any]]] = [
        (service.graph.ImportGraph, imported()),
        (service.archive.LoadArchive, loaded()),
        (service.archive.DiffArchive, compared()),
        (service.probe.ImportProbeSet, recorded()),
    ]
    try:
        for call, messages in calls:
            with pytest.raises(grpc.RpcError) as refused:
                call(messages, timeout=PATIENCE / 4)
            assert reason_of(refused.value)[1] == "REQUEST_ID_REUSED"
    finally:
        answered.set()


def test_what_another_server_keeps_is_not_told_to_be_empty_or_gone(
    service: Service, world: str, graph_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_pb2.CreateArchiveRequest(graph_id=world, request_id=str(uuid.uuid4()))
    written = service.archive.CreateArchive(archive, timeout=PATIENCE)
    imported = service.graph.ImportGraph(iter(large(graph_id)), timeout=PATIENCE)
    for begun in (written, imported):
        service.ended(begun)
    database = service.store_settings()
    monkeypatch.setenv("KSMITH_NEO4J_USER", database.user)
    monkeypatch.setenv("KSMITH_NEO4J_PASSWORD", database.password)
    other = Service(data_dir=tmp_path / "other", neo4j_uri=database.uri).start()
    try:
        with pytest.raises(grpc.RpcError) as gone:
            downloaded(other, written.name)
        request = graph_pb2.ListImportRejectionsRequest(operation=imported.name)
        with pytest.raises(grpc.RpcError) as empty:
            other.graph.ListImportRejections(request, timeout=PATIENCE)
    finally:
        assert other.stop() == 0
    for refused in (gone, empty):
        assert reason_of(refused.value)[1] == "FAILED_PRECONDITION"
        assert "another server keeps the files" in str(refused.value.details())


def cancelled(service: Service, begun: operations_pb2.Operation) -> tuple[str, bool]:
    """Reason of an operation that was cancelled as soon as it had begun."""
    service.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=begun.name), timeout=PATIENCE)
    done = service.ended(begun)
    return reason_of(OperationFailed(done.error))[1], metadata_of(done).cancel_requested


def large(graph_id: str) -> list[graph_pb2.ImportGraphRequest]:
    """An import that takes seconds."""
    header = graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id=graph_id, format="triples"))
    lines = "".join(f"person {n}\tknows\tperson {n + 1}\n" for n in range(20_000)).encode()
    pieces = [lines[start : start + (1 << 20)] for start in range(0, len(lines), 1 << 20)]
    return [
        header,
        *(graph_pb2.ImportGraphRequest(chunk=graph_pb2.FileChunk(name="facts.tsv", content=p)) for p in pieces),
    ]


def test_a_cancelled_import_and_a_cancelled_generation_end_and_say_so(service: Service, graph_id: str) -> None:
    begun = service.graph.ImportGraph(iter(large(graph_id)), timeout=PATIENCE)
    assert cancelled(service, begun) == ("CANCELLED", True)
    assert service.import_graph(large(graph_id)).graph.facts == 20_000, "the next one is in nobody's way"
    request = probe_pb2.GenerateProbeSetRequest(graph_id=graph_id)
    begun = service.probe.GenerateProbeSet(request, timeout=PATIENCE)
    assert cancelled(service, begun) == ("CANCELLED", True)
    sets = service.probe.ListProbeSets(probe_pb2.ListProbeSetsRequest(graph_id=graph_id), timeout=PATIENCE)
    assert not sets.probe_sets
