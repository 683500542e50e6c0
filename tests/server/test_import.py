"""Imports over the wire: files on their way in, and the stream that comes back."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing

import grpc
import pytest
from tests.server.service import PATIENCE, Service, reason_of
from tests.server.world import facts, upload

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.v1 import graph_pb2
from knowledgesmith.server.uploads.pieces import Upload


def _chunk(name: str, content: bytes, role: str = "") -> graph_pb2.ImportGraphRequest:
    return graph_pb2.ImportGraphRequest(chunk=graph_pb2.FileChunk(name=name, content=content, role=role))


def _upload(*messages: graph_pb2.ImportGraphRequest, max_bytes: int = 10_000) -> Upload:
    taken = Upload(max_bytes=max_bytes)
    taken.add(graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id="g")))
    for message in messages:
        taken.add(message)
    return taken


def test_files_are_joined_and_unpacked_while_they_arrive() -> None:
    packed = gzip.compress(b"one,") + gzip.compress(b"two")
    pieces = [_chunk("x.obo.gz", packed[i : i + 7]) for i in range(0, len(packed), 7)]
    taken = _upload(_chunk("a.csv", b"1"), *pieces, _chunk("a.csv", b"2"), _chunk("a.csv", b"3", role="facts"))
    _, files = taken.complete()
    assert [(file.name, file.role, file.content.read()) for file in files] == [
        ("a.csv", "", b"12"),
        ("x.obo", "", b"one,two"),
        ("a.csv", "facts", b"3"),
    ]
    taken.close()
    assert all(file.content.closed for file in files)


def test_a_small_file_cannot_fill_the_disk() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with closing(_upload()) as taken:
        with pytest.raises(TooLarge) as caught:
            taken.add(_chunk("bomb.gz", bomb))
        assert caught.value.value == "'bomb.gz'"
    with closing(_upload(_chunk("a", b"x" * 6_000))) as taken, pytest.raises(TooLarge):
        taken.add(_chunk("b", b"x" * 6_000))


@pytest.mark.parametrize(
    "content",
    [b"not packed", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"x") + b"tail"],
    ids=["not packed", "cut off", "more behind it"],
)
def test_a_broken_packed_file_is_refused(content: bytes) -> None:
    def send(taken: Upload) -> None:
        taken.add(_chunk("x.gz", content))
        taken.complete()

    with closing(_upload()) as taken, pytest.raises(InvalidInput) as caught:
        send(taken)
    assert caught.value.field == "chunk.content"


def test_progress_rejections_and_the_result_come_as_a_stream(service: Service, graph_id: str) -> None:
    lines = facts().encode() + b"france,has_capital,atlantis\n" * 450
    header, *chunks = upload(graph_id, {"FACTS": lines})
    header.header.strict = False
    for message in chunks:
        if message.chunk.role == "facts":
            message.chunk.name += ".gz"
            message.chunk.content = gzip.compress(message.chunk.content)
    answers = list(service.graph.ImportGraph(iter([header, *chunks]), timeout=PATIENCE))
    kinds = [answer.WhichOneof("part") for answer in answers]
    assert kinds[-1] == "result"
    assert {"progress", "rejections"} == set(kinds[:-1])
    told = [r for answer in answers for r in answer.rejections.rejections]
    report = answers[-1].result.report
    assert len(told) == report.rejected == 450
    assert (told[0].file, len(report.rejections), sum(report.reasons.values())) == ("facts.csv", 100, 450)
    assert answers[-1].result.graph.facts == report.facts_created
    assert report.version == 1
    assert {"read", "settled"} <= {answer.progress.stage for answer in answers}


def test_an_own_table_comes_in_and_the_report_says_how(service: Service, graph_id: str) -> None:
    table = "Objekt;Beziehung;Subjekt\r\n" + "".join(f"Ort {n % 7};wohnt in;Person {n}\r\n" for n in range(20))
    header = graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id=graph_id))
    files = [
        _chunk("LIESMICH/README.md", b"# Notes"),
        _chunk("mine.csv", table.encode() + b"Ort 1;wohnt in;Person 1\r\n"),
    ]
    *_, last = service.graph.ImportGraph(iter([header, *files]), timeout=PATIENCE)
    report = last.result.report
    assert (report.facts_created, report.rejected) == (20, 0)
    found = {kind.kind: kind for kind in report.findings}
    assert all(kind.meaning for kind in report.findings)
    assert "subject=column 3 'Subjekt'" in found["read_as"].examples[0].text
    assert found["file_left_out"].examples[0].file == "LIESMICH/README.md"
    doubled = found["doubled"]
    assert (doubled.count, doubled.examples[0].file, doubled.examples[0].record) == (1, "mine.csv", 22)


def test_a_strict_import_that_is_refused_tells_every_record(service: Service, graph_id: str) -> None:
    lines = facts().encode() + b"france,has_capital,atlantis\n" * 300
    told: list[graph_pb2.ImportRejection] = []

    def read() -> None:
        for answer in service.graph.ImportGraph(iter(upload(graph_id, {"FACTS": lines})), timeout=PATIENCE):
            told.extend(answer.rejections.rejections)

    with pytest.raises(grpc.RpcError) as refused:
        read()
    assert reason_of(refused.value)[1] == "IMPORT_REJECTED"
    assert len(told) == 300


def test_importers_are_listed_with_their_options(service: Service) -> None:
    found = service.graph.ListImporters(graph_pb2.ListImportersRequest(), timeout=PATIENCE).importers
    assert "tables" in {importer.name for importer in found}
    assert all(importer.summary for importer in found)


def test_a_caller_that_goes_away_stops_the_import(service: Service, graph_id: str) -> None:
    def endless() -> Iterator[graph_pb2.ImportGraphRequest]:
        header, *chunks = upload(graph_id)
        yield header
        while True:
            yield from chunks

    call = service.graph.ImportGraph(endless(), timeout=2)
    call.cancel()
    (answer,) = [a for a in service.graph.ImportGraph(iter(upload(graph_id)), timeout=PATIENCE) if a.HasField("result")]
    assert answer.result.report.version == 1, "the interrupted upload left nothing"
