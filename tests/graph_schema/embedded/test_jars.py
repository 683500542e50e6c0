"""Fetching Neo4j's jars: a tiny lock and a tiny repository stand in for the 213 real ones."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from knowledgesmith.graph_schema.embedded.files.jars import CACHE_VARIABLE, LOCK, JarLock, cache_dir, ensure_jars
from knowledgesmith.graph_schema.embedded.files.repository import REPOSITORY_VARIABLE, base_url, mirror_of_central
from knowledgesmith.graph_schema.errors import InvalidInput, JarsUnavailable

_CONTENTS = {
    "org.example:one:1.0": b"first jar",
    "org.example:two:2.0": b"second jar",
    "org.example.deep:native:3.0:linux-x86_64": b"third jar",
}


def _path(coordinate: str) -> str:
    group, artifact, version, *classifier = coordinate.split(":")
    return f"{group.replace('.', '/')}/{artifact}/{version}/{'-'.join([artifact, version, *classifier])}.jar"


@pytest.fixture
def lock() -> JarLock:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}" for name, content in _CONTENTS.items()]
    return JarLock("\n".join(["# org.example:root:9.9", *lines, ""]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for coordinate, content in _CONTENTS.items():
        file = tmp_path / "repository" / _path(coordinate)
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return tmp_path / "repository"


class _Handler(SimpleHTTPRequestHandler):
    """Counts what it serves; the first request of each path can be made to fail."""

    served: list[str]
    fail_first: bool

    def do_GET(self) -> None:
        first = self.path not in self.served
        self.served.append(self.path)
        if first and self.fail_first:
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Keep the test output clean."""


@pytest.fixture
def served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Handler]]:
    handler = type("Handler", (_Handler,), {"served": [], "fail_first": False})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(REPOSITORY_VARIABLE, f"http://127.0.0.1:{server.server_port}/")
        yield handler
        server.shutdown()
        thread.join()


def test_the_committed_lock_is_the_version_that_was_measured() -> None:
    assert LOCK.root == "org.neo4j:neo4j:5.26.30"
    assert len(LOCK.jars) == 213
    assert len({jar.file_name for jar in LOCK.jars}) == 213
    assert all(len(jar.sha256) == 64 for jar in LOCK.jars)


def test_jars_come_over_http_once(served: type[_Handler], lock: JarLock, tmp_path: Path) -> None:
    library = ensure_jars(lock=lock, cache=tmp_path)
    assert library == tmp_path / "neo4j-9.9" / "lib"
    assert {file.name: file.read_bytes() for file in library.iterdir()} == {
        Path(_path(coordinate)).name: content for coordinate, content in _CONTENTS.items()
    }
    assert sorted(served.served) == sorted(f"/{_path(coordinate)}" for coordinate in _CONTENTS)
    assert ensure_jars(lock=lock, cache=tmp_path) == library
    assert len(served.served) == 3


def test_only_what_is_missing_is_fetched_again(served: type[_Handler], lock: JarLock, tmp_path: Path) -> None:
    library = ensure_jars(lock=lock, cache=tmp_path)
    (library / "two-2.0.jar").unlink()
    (library / "stranger.jar").write_bytes(b"would be on the class path")
    ensure_jars(lock=lock, cache=tmp_path)
    assert served.served[3:] == ["/org/example/two/2.0/two-2.0.jar"]
    assert sorted(file.name for file in library.iterdir()) == sorted(jar.file_name for jar in lock.jars)


def test_a_stumbling_repository_is_asked_again(served: type[_Handler], lock: JarLock, tmp_path: Path) -> None:
    served.fail_first = True
    assert len(list(ensure_jars(lock=lock, cache=tmp_path).iterdir())) == 3
    assert len(served.served) == 6


def test_many_callers_fetch_once(served: type[_Handler], lock: JarLock, tmp_path: Path) -> None:
    threads = [threading.Thread(target=ensure_jars, kwargs={"lock": lock, "cache": tmp_path}) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served.served) == 3


def test_a_changed_jar_is_refused(folder: Path, lock: JarLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / _path("org.example:two:2.0")).write_bytes(b"something else")
    monkeypatch.setenv(REPOSITORY_VARIABLE, str(folder))
    with pytest.raises(JarsUnavailable, match=r"two:2\.0 from the repository is not the locked file") as caught:
        ensure_jars(lock=lock, cache=tmp_path)
    assert caught.value.metadata["found"] == hashlib.sha256(b"something else").hexdigest()
    assert not (tmp_path / "neo4j-9.9" / "lib" / "two-2.0.jar").exists()
    assert not (tmp_path / "neo4j-9.9" / "verified").exists()


def test_a_missing_jar_names_coordinate_and_way_out(
    served: type[_Handler], folder: Path, lock: JarLock, tmp_path: Path
) -> None:
    (folder / _path("org.example:one:1.0")).unlink()
    with pytest.raises(JarsUnavailable, match=r"org\.example:one:1\.0.*404.*KSMITH_MAVEN_REPOSITORY.*KSMITH_NEO4J_URI"):
        ensure_jars(lock=lock, cache=tmp_path)


def test_no_network_names_the_way_out(lock: JarLock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        monkeypatch.setenv(REPOSITORY_VARIABLE, f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(JarsUnavailable, match="KSMITH_NEO4J_URI"):
            ensure_jars(lock=lock, cache=tmp_path)


def test_the_cache_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_dir().name == "knowledgesmith"


@pytest.mark.parametrize(
    ("mirror_of", "expected"),
    [
        ("central", "https://mirror.example/m2"),
        ("*", "https://mirror.example/m2"),
        ("*,!central", None),
        ("other", None),
    ],
)
def test_a_mirror_in_the_maven_settings_is_used(tmp_path: Path, mirror_of: str, expected: str | None) -> None:
    file = tmp_path / "settings.xml"
    file.write_text(
        '<settings xmlns="http://example/settings"><mirrors><mirror><id>m</id>'
        f"<mirrorOf>{mirror_of}</mirrorOf><url> https://mirror.example/m2 </url></mirror></mirrors></settings>",
        encoding="utf-8",
    )
    assert mirror_of_central(file) == expected


def test_settings_that_are_absent_or_broken_name_no_mirror(tmp_path: Path) -> None:
    assert mirror_of_central(tmp_path / "settings.xml") is None
    (tmp_path / "settings.xml").write_text("<settings>", encoding="utf-8")
    assert mirror_of_central(tmp_path / "settings.xml") is None


def test_without_any_setting_the_central_repository_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REPOSITORY_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    parts = urlsplit(base_url())
    assert parts.scheme == "https"
    assert parts.path == "/maven2"


def test_a_repository_that_is_neither_address_nor_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REPOSITORY_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput, match=REPOSITORY_VARIABLE):
        base_url()
