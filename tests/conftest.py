"""Fixtures that every room shares: one Neo4j per test run, one graph per test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import neo4j
import psutil
import pytest
from tests.names import fresh_graph

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings


def pytest_configure() -> None:
    """Every Java of a test run optimises less: none lives long enough to earn back what its compiler takes."""
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


Cypher = Callable[..., list[dict[str, Any]]]
MEMORY = Path("/dev/shm")  # noqa: S108 - folders are made there with names of their own, for this user only


@contextmanager
def database_folder() -> Generator[Path]:
    """A folder for a database of this test run: in memory where there is room, since every commit waits for its disk.

    What the tests ask of a database is the same on either; those that kill one have a folder on the disk. Folders of
    runs that were killed themselves are taken away, as nobody else would.
    """
    for left in MEMORY.glob("ksmith-tests-*-*"):
        if not psutil.pid_exists(int(left.name.split("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) if os.access(MEMORY, os.W_OK) else 0
    with TemporaryDirectory(prefix=f"ksmith-tests-{os.getpid()}-", dir=MEMORY if room > 8 << 30 else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def neo4j_uri() -> Iterator[str]:
    """Bolt address of a real Neo4j: ``KSMITH_TEST_NEO4J_URI``, or one that this test run starts and owns."""
    if uri := os.environ.get("KSMITH_TEST_NEO4J_URI"):
        yield uri
        return
    with database_folder() as folder:
        settings = EmbeddedSettings(data_dir=folder, heap="512m", page_cache="128m", short_lived=True)
        with start(settings, owned=True) as database:
            yield database.uri


@pytest.fixture
def cypher(neo4j_uri: str) -> Iterator[Cypher]:
    """Any Cypher, as somebody with another client would type it."""
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:

        def run(text: str, **params: object) -> list[dict[str, Any]]:
            return [record.data() for record in session.run(neo4j.Query(text), params)]  # pyright: ignore[reportArgumentType]

        yield run


@pytest.fixture
def graph_id(request: pytest.FixtureRequest) -> str:
    """A graph that no other test writes to."""
    return fresh_graph(request.node.nodeid)


@pytest.fixture(scope="session")
def store(neo4j_uri: str) -> Iterator[GraphStore]:
    """A connected store whose database has the newest schema."""
    connected = GraphStore.connect(StoreSettings(uri=neo4j_uri))
    migrate(connected)
    yield connected
    connected.close()


SLOW = (
    "tests/server/test_crashes.py",
    "tests/test_readme.py",
    "tests/server/",
    "tests/editors/health/",
    "tests/graph_schema/importing/",
    "tests/graph_schema/budgets/",
)
"""What takes minutes begins first, so that no worker is left with it at the end while the others have nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise the order in which they were collected."""

    def place(item: pytest.Item) -> int:
        return next((at for at, start in enumerate(SLOW) if item.nodeid.startswith(start)), len(SLOW))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole files to a worker, as ``loadfile`` gives them, and those that share one server to the same worker."""
    from xdist.scheduler import LoadFileScheduling

    if config.getvalue("dist") != "loadfile":
        return None
    scheduler: Any = LoadFileScheduling(config, log)
    scheduler._split_scope = unit_of
    return scheduler


def unit_of(nodeid: str) -> str:
    """What one worker runs as a whole: a file, or all files that ask the one server of ``tests/server/conftest.py``."""
    file = nodeid.partition("::")[0]
    shares = file.startswith("tests/server/") and not file.endswith("/test_crashes.py")
    return "tests/server/" if shares else file
