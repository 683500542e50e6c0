"""Neo4j Browser for any Neo4j: its web bundle, fetched once and checked by digest, served on loopback.

The Browser is a page that talks Bolt over a WebSocket, so the database needs no HTTP connector and this server never
sees a query. The jar (GPLv3) is never shipped; it is read as a zip, file by file.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit
from zipfile import ZipFile

from knowledgesmith.graph_schema.embedded.files.jars import Jar, cache_dir, fetch_jar, matches
from knowledgesmith.graph_schema.embedded.files.locks import exclusive
from knowledgesmith.graph_schema.embedded.files.repository import Fetcher, base_url

BROWSER: Final = Jar(
    "064b3291c4236002c9ea04c89592ebebc80fe1f790eda36642599c9a1ee80bb8", "org.neo4j.client", "neo4j-browser", "5.24.0"
)
_HOME: Final = "/browser/"
_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_TEXT: Final = ("text/", "application/json", "application/javascript")
# The bundle asks other sites for fonts and counts its use there; nothing but the database is to be reached from it.
_POLICY: Final = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
_LOCK_TIMEOUT_S: Final = 300


def ensure_browser(*, jar: Jar = BROWSER, cache: Path | None = None) -> Path:
    """The Browser's jar; fetched when it is missing or not the locked one.

    Raises:
        JarsUnavailable: it cannot be fetched or has another SHA-256.
    """
    folder = (cache or cache_dir()) / f"{jar.artifact}-{jar.version}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / jar.file_name
    with exclusive(folder / "fetch.lock", timeout_s=_LOCK_TIMEOUT_S):
        if not file.is_file() or not matches(file, jar):
            fetch_jar(Fetcher(base=base_url()), jar, folder)
    return file


def read_bundle(jar: Path) -> dict[str, bytes]:
    """Every file of the Browser by its path on the server."""
    with ZipFile(jar) as archive:
        names = [name for name in archive.namelist() if name.startswith(_HOME[1:]) and not name.endswith("/")]
        return {f"/{name}": archive.read(name) for name in names}


class BrowserServer(ThreadingHTTPServer):
    """Serves the Browser on loopback, set up for one database.

    Args:
        files: content by path, from :func:`read_bundle`.
        uri: Bolt address of the database.
        port: 0 is any free one.
        user: login name; empty where the database asks for none.
    """

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes], *, uri: str, port: int = 0, user: str = "") -> None:
        self.files, self.uri, self.user = files, uri, user
        super().__init__(("127.0.0.1", port), partial(_Page, self))

    @property
    def address(self) -> str:
        """What to open: the Browser, connected to the database."""
        method = {"preselectAuthMethod": "USERNAME_PASSWORD" if self.user else "NO_AUTH"}
        scheme, _, place = self.uri.partition("://")
        connect = f"{scheme}://{self.user}@{place}" if self.user else self.uri
        return f"http://127.0.0.1:{self.server_port}{_HOME}?{urlencode({'dbms': connect, **method})}"


class _Page(BaseHTTPRequestHandler):
    """One request: the discovery document, a file of the bundle, or the way to it."""

    server_version = "ksmith"

    def __init__(self, owner: BrowserServer, *arguments: object) -> None:
        self.owner = owner
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer; a name that leads here from elsewhere (DNS rebinding) gets nothing."""
        path = urlsplit(self.path).path
        if self.headers.get("Host", "").rpartition(":")[0] not in _HOSTS:
            self._answer(HTTPStatus.FORBIDDEN, b"loopback only", "text/plain")
        elif path == "/" and "json" in self.headers.get("Accept", ""):
            self._answer(HTTPStatus.OK, json.dumps({"bolt_direct": self.owner.uri}).encode(), "application/json")
        elif path in {"/", "/browser"}:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", self.owner.address)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            name = f"{path}index.html" if path == _HOME else path
            found = self.owner.files.get(name)
            if found is None:
                self._answer(HTTPStatus.NOT_FOUND, b"no such file", "text/plain")
            else:
                self._answer(HTTPStatus.OK, found, mimetypes.guess_type(name)[0] or "application/octet-stream")

    def _answer(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith(_TEXT) else kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Requests are not logged."""
