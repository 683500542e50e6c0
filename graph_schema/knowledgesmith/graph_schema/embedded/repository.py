"""Which Maven repository to fetch from, and how to fetch one file of it."""

from __future__ import annotations

import http.client
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.response import addinfourl
from xml.etree import ElementTree

from knowledgesmith.graph_schema.errors import InvalidInput

REPOSITORY_VARIABLE: Final = "KSMITH_MAVEN_REPOSITORY"
_CHUNK: Final = 1 << 20
_LARGEST_FILE: Final = 128 << 20
_TIMEOUT_S: Final = 60
_ATTEMPTS: Final = 3
_SCHEMES: Final = ("https://", "http://", "file://")


def base_url() -> str:
    """Address of the repository, without a trailing slash.

    Order: the environment variable ``KSMITH_MAVEN_REPOSITORY`` (an address or a folder in repository layout), a mirror
    of Maven's central repository in ``~/.m2/settings.xml``, the central repository as ``jgo`` knows it.

    Raises:
        InvalidInput: the variable holds neither an address nor a folder.
    """
    chosen = os.environ.get(REPOSITORY_VARIABLE) or mirror_of_central(Path.home() / ".m2" / "settings.xml")
    return _normalised(chosen) if chosen else _central()


def _normalised(chosen: str) -> str:
    if chosen.startswith(_SCHEMES):
        return chosen.rstrip("/")
    folder = Path(chosen).expanduser()
    if folder.is_dir():
        return folder.resolve().as_uri()
    raise InvalidInput(
        "Neither an address nor a folder.",
        field=REPOSITORY_VARIABLE,
        value=chosen,
        hint="Give https://…, file://… or a folder laid out like ~/.m2/repository.",
    )


def _central() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL  # 0.3 s to import and needed for downloads only

    return MAVEN_CENTRAL_URL.rstrip("/")


def mirror_of_central(settings: Path) -> str | None:
    """First mirror in a Maven settings file that stands in for the central repository."""
    try:
        root = ElementTree.parse(settings).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    for mirror in root.iter():
        if _local_name(mirror) == "mirror":
            fields = {_local_name(child): (child.text or "").strip() for child in mirror}
            names = {name.strip() for name in fields.get("mirrorOf", "").split(",")}
            url = fields.get("url")
            if url and fields.get("blocked") != "true" and "!central" not in names:
                if names & {"central", "*", "external:*"}:
                    return url
    return None


def _local_name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


class Fetcher:
    """Reads files of one repository. Safe to share between threads."""

    def __init__(self, *, base: str) -> None:
        self.base = base

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        # Loading the trusted certificates costs 0.1 s of CPU, so all 213 requests share one context.
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=ssl.create_default_context()))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Bytes of one file, in pieces of at most 1 MiB.

        Raises:
            OSError: the repository does not answer, or does not have the file.
        """
        received = 0
        with self._opener.open(f"{self.base}/{path}", timeout=_TIMEOUT_S) as reply:
            promised = reply.headers.get("Content-Length")
            while piece := self._read(reply):
                received += len(piece)
                if received > _LARGEST_FILE:
                    raise OSError(f"more than {_LARGEST_FILE} bytes")
                yield piece
        if promised is not None and received != int(promised):
            raise OSError(f"the connection broke after {received} of {promised} bytes")

    @staticmethod
    def _read(reply: addinfourl) -> bytes:
        try:
            return reply.read(_CHUNK)
        except http.client.HTTPException as error:
            raise OSError(f"broken reply: {error!r}") from error


def is_final(error: OSError) -> bool:
    """Whether asking again cannot help (the repository said no)."""
    return isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500 and error.code != 429


def attempts() -> Iterator[bool]:
    """Yield once per attempt, whether it is the last one, with a growing pause between them."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(0.5 * 2**attempt)
        yield attempt == _ATTEMPTS - 1
