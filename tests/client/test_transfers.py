"""Calls that go wrong on this side: limits, parameters, files and a client that is closed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.longrunning import operations_pb2
from google.protobuf.message import Message
from tests.client.fake_server import FakeServer

from knowledgesmith.client import (
    AsyncKnowledgeSmith,
    ClientClosed,
    GraphFile,
    InvalidInput,
    KnowledgeSmith,
    Unavailable,
)
from knowledgesmith.client._sync.transport import Transport
from knowledgesmith.client._wire.files import complete_file
from knowledgesmith.client._wire.outgoing import Outgoing, states
from knowledgesmith.client._wire.values import write_cypher, write_struct
from knowledgesmith.v1 import graph_pb2


def test_a_negative_limit_is_refused(either: KnowledgeSmith) -> None:
    for listing in (either.graphs.list, either.operations.list):
        with pytest.raises(InvalidInput) as caught:
            listing(limit=-3)
        assert (caught.value.field, caught.value.value) == ("limit", "-3")


@pytest.mark.parametrize("write", [write_cypher, write_struct])
def test_a_key_that_is_no_text_is_refused(write: Any) -> None:
    with pytest.raises(InvalidInput, match="key of a map"):
        write({1: 2})


def test_two_downloads_to_one_path_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "atlas.ksarchive"
    with complete_file(target) as first, complete_file(target) as second:
        first.write(b"one whole file")
        second.write(b"another")
    assert target.read_bytes() == b"one whole file"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_fails_is_named(either: KnowledgeSmith) -> None:
    # it opens, and reading its beginning fails, as a broken disk does
    with pytest.raises(InvalidInput) as caught:
        either.graphs.import_files(graph_id="atlas", files=[GraphFile(path=Path("/proc/self/mem"), name="facts.csv")])
    assert caught.value.value == "/proc/self/mem"
    assert either.health() == "SERVING"


def test_a_pipe_is_not_sent_again(tmp_path: Path) -> None:
    table = tmp_path / "facts.csv"
    table.write_text("s,r,o\n")
    assert states([table]) == states([table])
    os.mkfifo(tmp_path / "pipe")
    assert states([table, tmp_path / "pipe"]) is None
    before = states([table])
    table.write_text("longer,than,before\n")
    assert states([table]) != before


@pytest.mark.parametrize("pipe", [False, True])
def test_only_an_upload_of_files_is_repeated(tmp_path: Path, pipe: bool) -> None:
    table = tmp_path / "facts.csv"
    table.write_text("s,r,o\n")
    made: list[int] = []

    def parts() -> Iterator[Message]:
        made.append(1)
        yield graph_pb2.ImportGraphRequest()

    transport = Transport.to("127.0.0.1:1", metadata=(), timeout_s=5, long_timeout_s=5)
    files = [Path("/dev/null") if pipe else table]
    with pytest.raises(Unavailable):
        transport.upload(graph_pb2.ImportGraphRequest, parts, operations_pb2.Operation, files)
    transport.close()
    assert (len(made) == 1) is pipe


def test_a_closed_client_says_so(fake: FakeServer) -> None:
    smith = KnowledgeSmith(fake.target)
    handle = smith.graphs.check(graph_id="atlas", wait=False)
    smith.close()
    for call in (smith.health, handle.refresh, lambda: list(smith.interventions.watch(intervention_id="i1"))):
        with pytest.raises(ClientClosed):
            call()


async def test_a_closed_client_with_an_event_loop_says_so(fake: FakeServer) -> None:
    fake.operations.endless = {"CheckGraph"}
    smith = AsyncKnowledgeSmith(fake.target)
    handle = await smith.graphs.check(graph_id="atlas", wait=False)
    waiting = asyncio.create_task(handle.result())
    while not fake.requests("WaitOperation"):
        await asyncio.sleep(0.01)
    await smith.close()
    with pytest.raises(ClientClosed):
        await waiting
    for call in (smith.health, handle.refresh):
        with pytest.raises(ClientClosed):
            await call()


async def test_a_pipe_holds_up_nothing_else() -> None:
    gate = threading.Event()

    def slow() -> Iterator[Message]:
        gate.wait(30)
        yield graph_pb2.ImportGraphRequest()

    part = asyncio.ensure_future(anext(Outgoing(slow())))
    await asyncio.sleep(0)
    assert not part.done()
    gate.set()
    assert await part == graph_pb2.ImportGraphRequest()
