"""Which Maven repository to fetch from, and how to fetch one file of it."""

from __future__ import annotations

import os
import ssl
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass, url2pathname
from xml.etree import ElementTree

import urllib3

from knowledgesmith.graph_schema.errors import InvalidInput

REPOSITORY_VARIABLE: Final = "KSMITH_MAVEN_REPOSITORY"
CONNECTIONS: Final = 8
_TRY_AGAIN: Final = (429, 500, 502, 503, 504)
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
        root = ElementTree.parse(settings).getroot()  # noqa: S314  # a settings file of this user
    except (OSError, ElementTree.ParseError):
        return None
    for mirror in root.iter():
        if _local_name(mirror) == "mirror":
            fields = {_local_name(child): (child.text or "").strip() for child in mirror}
            names = {name.strip() for name in fields.get("mirrorOf", "").split(",")}
            url = fields.get("url")
            stands_in = bool(names & {"central", "*", "external:*"}) and "!central" not in names
            if url and stands_in and fields.get("blocked") != "true":
                return url
    return None


def _local_name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


class Fetcher:
    """Reads files of one repository over kept-open connections. Safe to share between threads."""

    def __init__(self, *, base: str) -> None:
        self.base = base

    def read(self, path: str) -> bytes:
        """Bytes of one file.

        Raises:
            OSError: the repository does not answer, or does not have the file.
        """
        address = f"{self.base}/{path}"
        if address.startswith("file://"):
            return Path(url2pathname(urlsplit(address).path)).read_bytes()
        try:
            reply = self._pool.request("GET", address)
        except urllib3.exceptions.HTTPError as error:
            raise OSError(str(error)) from error
        if reply.status != HTTPStatus.OK:
            raise OSError(f"the repository answers {reply.status} {reply.reason}")
        return reply.data

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        options: dict[str, Any] = {
            "maxsize": CONNECTIONS,
            "retries": urllib3.Retry(total=3, backoff_factor=0.5, status_forcelist=_TRY_AGAIN, raise_on_status=False),
            "timeout": urllib3.Timeout(connect=10, read=60),
            "ssl_context": ssl.create_default_context(),  # the system's certificates, as a company mirror needs them
        }
        parts = urlsplit(self.base)
        proxy = getproxies().get(parts.scheme)
        if proxy and not proxy_bypass(parts.netloc):
            return urllib3.ProxyManager(proxy, **options)
        return urllib3.PoolManager(**options)
