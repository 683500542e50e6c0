"""Imports over the wire: files on their way in, and the operation that imports them."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of
from tests.server.world import facts, upload

from knowledgesmith.graph_schema.errors import FailedPrecondition, InvalidInput, TooLarge
from knowledgesmith.server.operations.folders import Folder
from knowledgesmith.server.uploads.pieces import MAX_FILES, Upload, uploaded_files
from knowledgesmith.v1 import graph_pb2


def _chunk(name: str, content: bytes, role: str = "UNSPECIFIED") -> graph_pb2.ImportGraphRequest:
    chunk = graph_pb2.FileChunk(name=name, content=content, role=graph_pb2.FileRole.Value(f"FILE_ROLE_{role}"))
    return graph_pb2.ImportGraphRequest(chunk=chunk)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """The folder of an operation that is about to begin."""
    return Folder(tmp_path / "operation")


def _upload(folder: Folder, *messages: graph_pb2.ImportGraphRequest, max_bytes: int = 10_000) -> Upload:
    taken = Upload(folder, max_bytes=max_bytes)
    taken.add(graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id="g")))
    for message in messages:
        taken.add(message)
    return taken


def test_files_are_joined_and_unpacked_while_they_arrive_and_can_be_read_again(folder: Folder) -> None:
    packed = gzip.compress(b"one,") + gzip.compress(b"two")
    pieces = [_chunk("../../x.obo.gz", packed[i : i + 7]) for i in range(0, len(packed), 7)]
    taken = _upload(folder, _chunk("a.csv", b"1"), *pieces, _chunk("a.csv", b"2"), _chunk("a.csv", b"3", role="FACTS"))
    with closing(taken):
        taken.complete()
    for _ in range(2):
        with uploaded_files(folder) as files:
            assert [(file.name, file.role, file.content.read()) for file in files] == [
                ("a.csv", "", b"12"),
                ("../../x.obo", "", b"one,two"),
                ("a.csv", "facts", b"3"),
            ]
        assert all(file.content.closed for file in files)
    assert sorted(path.name for path in folder.uploads.iterdir()) == ["0", "1", "2", "files.json"]
    folder.remove_uploads()
    with pytest.raises(FailedPrecondition, match="send them again"), uploaded_files(folder):
        pass


def test_the_same_files_have_the_same_digest_however_they_were_cut(tmp_path: Path) -> None:
    def digest(number: int, *messages: graph_pb2.ImportGraphRequest) -> str:
        with closing(_upload(Folder(tmp_path / str(number)), *messages)) as taken:
            return taken.complete()[1]

    whole = digest(0, _chunk("a", b"12"), _chunk("b", b"3"))
    assert digest(1, _chunk("a", b"1"), _chunk("b", b"3"), _chunk("a", b"2")) == whole
    others = [
        digest(2, _chunk("a", b"12"), _chunk("b", b"4")),
        digest(3, _chunk("a", b"12"), _chunk("c", b"3")),
        digest(4, _chunk("a", b"12"), _chunk("b", b"3", role="FACTS")),
        digest(5, _chunk("a", b"1"), _chunk("b", b"23")),
    ]
    assert len({whole, *others}) == 5


def test_a_small_file_cannot_fill_the_disk(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with closing(_upload(Folder(tmp_path / "bomb"))) as taken:
        with pytest.raises(TooLarge) as caught:
            taken.add(_chunk("bomb.gz", bomb))
        assert caught.value.value == "'bomb.gz'"
    with closing(_upload(Folder(tmp_path / "two"), _chunk("a", b"x" * 6_000))) as taken, pytest.raises(TooLarge):
        taken.add(_chunk("b", b"x" * 6_000))
    many = [_chunk(str(number), b"x") for number in range(MAX_FILES)]
    with closing(_upload(Folder(tmp_path / "many"), *many)) as taken, pytest.raises(TooLarge, match="more than 256"):
        taken.add(_chunk("one more", b"x"))


@pytest.mark.parametrize(
    "content",
    [b"not packed", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"x") + b"tail"],
    ids=["not packed", "cut off", "more behind it"],
)
def test_a_broken_packed_file_is_refused(folder: Folder, content: bytes) -> None:
    def send(taken: Upload) -> None:
        taken.add(_chunk("x.gz", content))
        taken.complete()

    with closing(_upload(folder)) as taken, pytest.raises(InvalidInput) as caught:
        send(taken)
    assert caught.value.field == "chunk.content"


def test_a_piece_has_at_most_what_the_wire_says(folder: Folder) -> None:
    with closing(_upload(folder, _chunk("a", b"x" * 2**20), max_bytes=2**24)) as taken:
        with pytest.raises(TooLarge, match="1 MiB") as caught:
            taken.add(_chunk("a", b"x" * (2**20 + 1)))
        assert (caught.value.field, caught.value.hint) == ("chunk.content", "Cut it smaller.")


@pytest.mark.parametrize(("first", "second"), [("facts.csv", "facts.csv.gz"), ("b/x.GZ", "b/x"), ("x.gz", "x.GZ")])
def test_two_files_of_one_name_are_refused(folder: Folder, first: str, second: str) -> None:
    with closing(_upload(folder, _chunk(first, b""))) as taken:
        with pytest.raises(InvalidInput, match=first) as caught:
            taken.add(_chunk(second, b"", role="FACTS"))
        assert caught.value.field == "chunk.name"
        taken.add(_chunk(f"c/{second}", b""))


@pytest.mark.parametrize("name", [".gz", "folder/.gz", "folder\\.GZ"])
def test_a_packed_file_has_a_name_once_it_is_unpacked(folder: Folder, name: str) -> None:
    with closing(_upload(folder)) as taken, pytest.raises(InvalidInput, match=r"before \.gz"):
        taken.add(_chunk(name, b""))


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_zeros_behind_a_packed_file_fill_a_block_and_say_nothing(folder: Folder, cut: int) -> None:
    packed = gzip.compress(b"one,") + b"\0" * 20 + gzip.compress(b"two") + b"\0" * 300
    with closing(_upload(folder, *(_chunk("x.gz", packed[i : i + cut]) for i in range(0, len(packed), cut)))) as taken:
        taken.complete()
    with uploaded_files(folder) as [file]:
        assert file.content.read() == b"one,two"


def test_an_import_answers_with_its_report_and_its_rejections_are_paged(service: Service, graph_id: str) -> None:
    lines = facts().encode() + b"".join(b"france,has_capital,nowhere %d\n" % n for n in range(450))
    header, *chunks = upload(graph_id, {"FACTS": lines})
    header.header.strict = False
    for message in chunks:
        if message.chunk.role == graph_pb2.FILE_ROLE_FACTS:
            message.chunk.name += ".gz"
            message.chunk.content = gzip.compress(message.chunk.content)
    begun = service.graph.ImportGraph(iter([header, *chunks]), timeout=PATIENCE)
    answer = service.result(begun, graph_pb2.ImportGraphResponse)
    report = answer.report
    assert (report.rejected, len(report.rejections), sum(report.reasons.values())) == (450, 100, 450)
    assert (answer.graph.id, answer.graph.facts, report.version) == (graph_id, report.facts_created, 1)
    told = rejections(service, begun.name, page_size=200)
    assert [len(page) for page in told] == [200, 200, 50]
    records = [one.record for page in told for one in page]
    assert records == sorted(records)
    assert len(set(records)) == 450
    assert told[0][0].file == "facts.csv"
    assert "nowhere 0" in told[0][0].reason


def rejections(service: Service, name: str, *, page_size: int) -> list[list[graph_pb2.ImportRejection]]:
    """All pages of an import's rejections."""
    pages: list[list[graph_pb2.ImportRejection]] = []
    token = ""
    while token or not pages:
        request = graph_pb2.ListImportRejectionsRequest(operation=name, page_size=page_size, page_token=token)
        answer = service.graph.ListImportRejections(request, timeout=PATIENCE)
        pages.append(list(answer.rejections))
        token = answer.next_page_token
    return pages


def test_a_dry_run_reports_and_writes_nothing(service: Service, graph_id: str) -> None:
    answer = service.import_graph(upload(graph_id, validate_only=True))
    assert (answer.HasField("graph"), answer.report.version) == (False, 0)
    assert answer.report.facts_created > 0
    with pytest.raises(grpc.RpcError) as missing:
        service.graph.GetGraph(graph_pb2.GetGraphRequest(graph_id=graph_id), timeout=PATIENCE)
    assert reason_of(missing.value)[1] == "GRAPH_NOT_FOUND"


def test_an_own_table_comes_in_and_the_report_says_how(service: Service, graph_id: str) -> None:
    table = "Objekt;Beziehung;Subjekt\r\n" + "".join(f"Ort {n % 7};wohnt in;Person {n}\r\n" for n in range(20))
    header = graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id=graph_id))
    files = [
        _chunk("LIESMICH/README.md", b"# Notes"),
        _chunk("mine.csv", table.encode() + b"Ort 1;wohnt in;Person 1\r\n"),
    ]
    report = service.import_graph([header, *files]).report
    assert (report.facts_created, report.rejected) == (20, 0)
    found = {kind.kind: kind for kind in report.findings}
    assert all(kind.meaning for kind in report.findings)
    assert "subject=column 3 'Subjekt'" in found["read_as"].examples[0].text
    assert found["file_left_out"].examples[0].file == "LIESMICH/README.md"
    doubled = found["doubled"]
    assert (doubled.count, doubled.examples[0].file, doubled.examples[0].record) == (1, "mine.csv", 22)


def test_a_strict_import_that_is_refused_tells_every_record(service: Service, graph_id: str) -> None:
    lines = facts().encode() + b"france,has_capital,atlantis\n" * 300
    begun = service.graph.ImportGraph(iter(upload(graph_id, {"FACTS": lines})), timeout=PATIENCE)
    with pytest.raises(OperationFailed) as refused:
        service.result(begun, graph_pb2.ImportGraphResponse)
    assert reason_of(refused.value)[1] == "IMPORT_REJECTED"
    [page] = rejections(service, begun.name, page_size=0)
    assert len(page) == 300


def test_rejections_are_those_of_imports(service: Service, world: str) -> None:
    checked = service.graph.CheckGraph(graph_pb2.CheckGraphRequest(graph_id=world), timeout=PATIENCE)
    names = {
        checked.name: "INVALID_FIELD",
        "operations/00000000-0000-4000-8000-000000000000": "OPERATION_NOT_FOUND",
        "../../etc/passwd": "OPERATION_NOT_FOUND",
        "": "OPERATION_NOT_FOUND",
    }
    for name, reason in names.items():
        with pytest.raises(grpc.RpcError) as refused:
            rejections(service, name, page_size=10)
        assert reason_of(refused.value)[1] == reason, name


def test_importers_are_listed_with_their_options(service: Service) -> None:
    whole = service.graph.ListImporters(graph_pb2.ListImportersRequest(), timeout=PATIENCE).importers
    assert "tables" in {importer.name for importer in whole}
    assert all(importer.summary for importer in whole)
    options = [option for importer in whole for option in importer.options]
    kinds = {MessageToDict(option.schema).get("type") for option in options}
    assert kinds >= {"string", "boolean"}
    assert {True, False} == {option.HasField("default") for option in options}
    first = service.graph.ListImporters(graph_pb2.ListImportersRequest(page_size=3), timeout=PATIENCE)
    request = graph_pb2.ListImportersRequest(page_size=1_000, page_token=first.next_page_token)
    rest = service.graph.ListImporters(request, timeout=PATIENCE)
    assert [*first.importers, *rest.importers] == list(whole)
    assert not rest.next_page_token


def test_a_caller_that_goes_away_leaves_no_upload_behind(service: Service, graph_id: str) -> None:
    def endless() -> Iterator[graph_pb2.ImportGraphRequest]:
        header, *chunks = upload(graph_id)
        yield header
        while True:
            yield from chunks

    call = service.graph.ImportGraph.future(endless(), timeout=PATIENCE)
    kept = service.data_dir / "operations"
    before = {path.name for path in kept.iterdir()}
    while not (uploading := {path.name for path in kept.iterdir()} - before):
        time.sleep(0.01)
    call.cancel()
    while uploading & {path.name for path in kept.iterdir()}:
        time.sleep(0.01)
    assert service.import_graph(upload(graph_id)).report.version == 1, "the interrupted upload left nothing"
