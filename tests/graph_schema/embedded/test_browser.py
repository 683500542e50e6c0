"""Neo4j Browser's server: a tiny bundle stands in for the real one; no database is asked."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from knowledgesmith.graph_schema.embedded.files.browser import BrowserServer, ensure_browser, read_bundle
from knowledgesmith.graph_schema.embedded.files.jars import Jar
from knowledgesmith.graph_schema.embedded.files.repository import REPOSITORY_VARIABLE
from knowledgesmith.graph_schema.errors import JarsUnavailable

FILES = {"browser/index.html": b"<html>", "browser/assets/a.js": b"1;", "META-INF/MANIFEST.MF": b"secret"}


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jar:
    """A jar in a repository of its own."""
    file = tmp_path / "repository" / "org" / "example" / "browser" / "1.0" / "browser-1.0.jar"
    file.parent.mkdir(parents=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    monkeypatch.setenv(REPOSITORY_VARIABLE, str(tmp_path / "repository"))
    return Jar(hashlib.sha256(file.read_bytes()).hexdigest(), "org.example", "browser", "1.0")


@pytest.fixture
def server(bundle: Jar, tmp_path: Path) -> Iterator[BrowserServer]:
    files = read_bundle(ensure_browser(jar=bundle, cache=tmp_path / "cache"))
    with BrowserServer(files, uri="bolt://127.0.0.1:7687") as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def _get(server: BrowserServer, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_bundle_is_fetched_once_and_checked(bundle: Jar, tmp_path: Path) -> None:
    file = ensure_browser(jar=bundle, cache=tmp_path / "cache")
    file.write_bytes(b"something else")
    assert read_bundle(ensure_browser(jar=bundle, cache=tmp_path / "cache"))["/browser/index.html"] == b"<html>"
    with pytest.raises(JarsUnavailable, match="not the locked file"):
        ensure_browser(jar=Jar("0" * 64, bundle.group, bundle.artifact, bundle.version), cache=tmp_path / "other")


def test_the_page_knows_its_database_and_reaches_nothing_else(server: BrowserServer) -> None:
    asked = parse_qs(urlsplit(server.address).query)
    assert asked == {"dbms": ["bolt://127.0.0.1:7687"], "preselectAuthMethod": ["NO_AUTH"]}
    answer, content = _get(server, "/browser/")
    assert content == b"<html>"
    assert "connect-src 'self' ws: wss:" in str(answer.getheader("Content-Security-Policy"))
    assert _get(server, "/browser/assets/a.js")[0].getheader("Content-Type", "").startswith("text/javascript")
    assert _get(server, "/")[0].getheader("Location") == server.address
    assert _get(server, "/", Accept="application/json")[1] == b'{"bolt_direct": "bolt://127.0.0.1:7687"}'


@pytest.mark.parametrize("path", ["/META-INF/MANIFEST.MF", "/browser/../META-INF/MANIFEST.MF", "/browser/none"])
def test_nothing_but_the_bundle_is_served(server: BrowserServer, path: str) -> None:
    assert _get(server, path)[0].status == 404


def test_a_foreign_name_for_this_machine_is_refused(server: BrowserServer) -> None:
    assert _get(server, "/browser/", Host=f"evil.example:{server.server_port}")[0].status == 403
