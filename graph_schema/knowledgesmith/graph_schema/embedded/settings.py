"""What a caller decides about an embedded database, and where its files lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledgesmith.graph_schema.errors import InvalidInput

_MEMORY: Final = re.compile(r"[1-9][0-9]{0,5}[mg]")
_MEBIBYTES: Final = {"m": 1, "g": 1024}
_SMALLEST_HEAP_MIB: Final = 256


def mebibytes(size: str) -> int:
    """Read a size such as ``"512m"`` or ``"1g"`` as MiB."""
    return int(size[:-1]) * _MEBIBYTES[size[-1]]


@dataclass(frozen=True, kw_only=True)
class EmbeddedSettings:
    """One embedded database.

    Attributes:
        data_dir: Neo4j's home; every file of this database lies below it.
        port: Bolt port; ``None`` or 0 lets a free one be chosen.
        host: address to listen on; only loopback, since nothing is encrypted.
        heap: Java heap, fixed size, e.g. ``"512m"`` or ``"1g"``.
        page_cache: memory for the store's pages, outside the heap.
        start_timeout_s: seconds until Bolt must answer; infinite = as long as the process lives. A recovery after a
            kill is part of the start, and is lost when the process is ended meanwhile.
        short_lived: let Java optimise less. It starts with 40 % less CPU time, but long queries stay slower (tests).
        login: ask for a login, which is made at the first start and kept in the directory. A directory that has one
            keeps it, whatever is said here.

    Raises:
        InvalidInput: a size or the port cannot be meant.
    """

    data_dir: Path
    port: int | None = None
    host: str = "127.0.0.1"
    heap: str = "1g"
    page_cache: str = "512m"
    start_timeout_s: float = 900
    short_lived: bool = False
    login: bool = False

    def __post_init__(self) -> None:
        for field in ("heap", "page_cache"):
            self._check_memory(field)
        if mebibytes(self.heap) < _SMALLEST_HEAP_MIB:
            raise InvalidInput(
                "The heap is too small for Neo4j.", field="heap", value=self.heap, hint="Give at least 256m."
            )
        if self.port is not None and not 0 <= self.port <= 65535:
            raise InvalidInput("Not a TCP port.", field="port", value=self.port, hint="Use 0 for a free one.")
        if not self.start_timeout_s > 0:
            raise InvalidInput(
                "Not a time to wait.",
                field="start_timeout_s",
                value=self.start_timeout_s,
                hint="Give seconds above 0, or inf to wait as long as the process lives.",
            )

    def _check_memory(self, field: str) -> None:
        value = getattr(self, field)
        if not _MEMORY.fullmatch(value):
            raise InvalidInput("Not a memory size.", field=field, value=value, hint="Write it like 512m or 1g.")


@dataclass(frozen=True)
class Home:
    """The files of one data directory. ``root`` is absolute and free of symbolic links."""

    root: Path

    @classmethod
    def at(cls, data_dir: Path) -> Home:
        """The home at ``data_dir``, which need not exist yet."""
        return cls(data_dir.expanduser().resolve())

    @property
    def config_dir(self) -> Path:
        """Folder of ``neo4j.conf``."""
        return self.root / "conf"

    @property
    def console_log(self) -> Path:
        """What the Java process wrote to its terminal."""
        return self.root / "logs" / "console.log"

    @property
    def state_file(self) -> Path:
        """Who runs this home (JSON)."""
        return self.root / "owner" / "state.json"

    @property
    def port_file(self) -> Path:
        """The last Bolt port, which the next start takes again."""
        return self.root / "owner" / "port"

    @property
    def login_file(self) -> Path:
        """User and password (JSON), for the owner's eyes only."""
        return self.root / "owner" / "login.json"

    @property
    def life_lock(self) -> Path:
        """Locked for as long as a Java process uses this home."""
        return self.root / "owner" / "life.lock"

    @property
    def operation_lock(self) -> Path:
        """Locked while one process starts or stops this home."""
        return self.root / "owner" / "operation.lock"

    def create(self) -> None:
        """Make the folders, readable by this user only."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (self.config_dir, self.console_log.parent, self.state_file.parent, self.root / "import"):
            folder.mkdir(exist_ok=True, mode=0o700)
