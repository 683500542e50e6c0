"""Fetch the jars of Neo4j once, each checked against the committed lock.

``jars.lock`` names every jar by Maven coordinate and SHA-256 (no addresses), so a mirror, a folder or the central
repository serve equally well and none of them has to be trusted. ``scripts/lock_jars.py`` writes it.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final

import platformdirs

from knowledgesmith.graph_schema.embedded.files.locks import exclusive
from knowledgesmith.graph_schema.embedded.files.repository import CONNECTIONS, Fetcher, base_url
from knowledgesmith.graph_schema.errors import JarsUnavailable

CACHE_VARIABLE: Final = "KSMITH_CACHE_DIR"
_LOCK_TIMEOUT_S: Final = 600
_WAY_OUT: Final = (
    "Set KSMITH_MAVEN_REPOSITORY to a reachable Maven repository (address or folder), "
    "or KSMITH_NEO4J_URI to a running Neo4j."
)


@dataclass(frozen=True)
class Jar:
    """One locked jar."""

    sha256: str
    group: str
    artifact: str
    version: str
    classifier: str = ""

    @property
    def coordinate(self) -> str:
        """``group:artifact:version[:classifier]``."""
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file_name(self) -> str:
        """Name inside a repository and inside the cache."""
        return "-".join(filter(None, (self.artifact, self.version, self.classifier))) + ".jar"

    @property
    def path(self) -> str:
        """Path inside a repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file_name}"


@dataclass(frozen=True)
class JarLock:
    """A parsed lock: the text of ``jars.lock``."""

    text: str

    @cached_property
    def root(self) -> str:
        """Coordinate whose closure this is."""
        return self.text.splitlines()[0].removeprefix("#").strip()

    @cached_property
    def version(self) -> str:
        """Version of the root."""
        return self.root.rpartition(":")[2]

    @cached_property
    def jars(self) -> tuple[Jar, ...]:
        """Every jar, in the lock's order."""
        rows = (line.split() for line in self.text.splitlines() if line and not line.startswith("#"))
        return tuple(Jar(digest, *coordinate.split(":")) for digest, coordinate in rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the lock itself."""
        return hashlib.sha256(self.text.encode()).hexdigest()


LOCK: Final = JarLock(
    (resources.files("knowledgesmith.graph_schema.embedded") / "jars.lock").read_text(encoding="utf-8")
)
NEO4J_VERSION: Final = LOCK.version


def cache_dir() -> Path:
    """Folder for fetched files: ``KSMITH_CACHE_DIR``, else the user's cache."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser().resolve() if chosen else platformdirs.user_cache_path("knowledgesmith")


def ensure_jars(*, lock: JarLock = LOCK, cache: Path | None = None) -> Path:
    """Folder that holds exactly the locked jars; fetches what is missing. A second call takes milliseconds.

    Raises:
        JarsUnavailable: a jar cannot be fetched or has another SHA-256.
    """
    home = (cache or cache_dir()) / f"neo4j-{lock.version}"
    library, marker = home / "lib", home / "verified"
    if _is_complete(library, marker, lock):
        return library
    library.mkdir(parents=True, exist_ok=True)
    with exclusive(home / "fetch.lock", timeout_s=_LOCK_TIMEOUT_S):
        if not _is_complete(library, marker, lock):
            marker.unlink(missing_ok=True)
            _fill(library, lock)
            marker.write_text(lock.digest, encoding="utf-8")
    return library


def are_fetched(*, lock: JarLock = LOCK, cache: Path | None = None) -> bool:
    """Whether every locked jar is there and was verified; fetches nothing."""
    home = (cache or cache_dir()) / f"neo4j-{lock.version}"
    return _is_complete(home / "lib", home / "verified", lock)


def _is_complete(library: Path, marker: Path, lock: JarLock) -> bool:
    try:
        present = {entry.name for entry in library.iterdir()}
        return marker.read_text(encoding="utf-8") == lock.digest and present == {jar.file_name for jar in lock.jars}
    except OSError:
        return False


def _fill(library: Path, lock: JarLock) -> None:
    wanted = {jar.file_name: jar for jar in lock.jars}
    for entry in library.iterdir():  # the class path is lib/*, so leftovers would be loaded
        if entry.name not in wanted or not matches(entry, wanted[entry.name]):
            entry.unlink()
    missing = [jar for name, jar in wanted.items() if not (library / name).exists()]
    if missing:
        fetcher = Fetcher(base=base_url())
        with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="jars") as pool:
            jobs = [pool.submit(fetch_jar, fetcher, jar, library) for jar in missing]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def matches(file: Path, jar: Jar) -> bool:
    """Whether a file is the locked jar."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256


def fetch_jar(fetcher: Fetcher, jar: Jar, library: Path) -> None:
    """Write one jar below ``library``, whole or not at all.

    Raises:
        JarsUnavailable: it cannot be fetched or has another SHA-256.
    """
    try:
        content = fetcher.read(jar.path)
    except OSError as error:
        raise JarsUnavailable(
            f"Cannot fetch {jar.coordinate}: {error}.",
            field="coordinate",
            value=jar.coordinate,
            hint=_WAY_OUT,
            metadata={"coordinate": jar.coordinate},
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise JarsUnavailable(
            f"{jar.coordinate} from the repository is not the locked file (SHA-256 {found}, locked {jar.sha256}).",
            field="coordinate",
            value=jar.coordinate,
            hint="It was changed on the way: use another repository. " + _WAY_OUT,
            metadata={"coordinate": jar.coordinate, "found": found, "locked": jar.sha256},
        )
    part = library / f"{jar.file_name}.part"
    part.write_bytes(content)
    part.replace(library / jar.file_name)
