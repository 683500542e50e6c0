"""Fixtures of the client's tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledgesmith.client import KnowledgeSmith

# test modules share the fake server, and pytest's importlib mode does not put their folder on the path
sys.path.insert(0, str(Path(__file__).parents[2]))

if TYPE_CHECKING:
    from tests.client.fake_server import FakeServer

KINDS = ("for programs without an event loop", "for programs with one")


@pytest.fixture(autouse=True)
def no_server_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of these tests never start the real server: they are given an address where none answers."""
    monkeypatch.setenv("KSMITH_SERVER", "127.0.0.1:1")


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """A server with canned data on a free port."""
    from tests.client.fake_server import FakeServer

    with FakeServer() as server:
        yield server


@pytest.fixture
def smith(fake: FakeServer) -> Iterator[KnowledgeSmith]:
    """A client of the fake server."""
    with KnowledgeSmith(fake.target, actor="tester", timeout_s=10, long_timeout_s=10) as client:
        yield client


@pytest.fixture(params=KINDS, ids=("sync", "async"))
def either(fake: FakeServer, request: pytest.FixtureRequest) -> Iterator[KnowledgeSmith]:
    """Both clients in turn; the one for programs with an event loop is called as the other one."""
    from tests.client.blocking import blocking

    if request.param == KINDS[0]:
        with KnowledgeSmith(fake.target, actor="tester", timeout_s=10, long_timeout_s=10) as client:
            yield client
    else:
        with blocking(fake.target, actor="tester", timeout_s=10, long_timeout_s=10) as client:
            yield client
