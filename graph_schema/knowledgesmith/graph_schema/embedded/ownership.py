"""The record of who runs a home. The lock says *that* somebody does; this file says who, where and since when."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from knowledgesmith.graph_schema.embedded import processes
from knowledgesmith.graph_schema.embedded.processes import ProcessIdentity
from knowledgesmith.graph_schema.embedded.settings import Home


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """One running database.

    Attributes:
        java: the database process.
        owner: the process whose end ends the database; of a detached one, merely who started it.
        owned: whether the database ends with its owner.
        port: Bolt port.
        uri: Bolt address.
        version: Neo4j's version.
        heap: Java heap.
        page_cache: page cache.
        started_at: when the process was started, UTC.
        login: whether it asks for the home's login.
    """

    java: ProcessIdentity
    owner: ProcessIdentity
    owned: bool
    port: int
    uri: str
    version: str
    heap: str
    page_cache: str
    started_at: datetime
    login: bool = False

    @property
    def host(self) -> str:
        """Address it listens on, without brackets."""
        return self.uri.removeprefix("bolt://").rpartition(":")[0].strip("[]")

    def is_running(self, home: Home) -> bool:
        """Whether the recorded process is alive and runs this home."""
        return self.java.is_alive() and processes.runs_home(self.java.pid, home.root)

    def is_abandoned(self) -> bool:
        """Whether the database should have ended with its owner."""
        return self.owned and not self.owner.is_alive()


def read(home: Home) -> Ownership | None:
    """The last recorded ownership; ``None`` when there is none or it is unreadable."""
    try:
        raw: dict[str, Any] = json.loads(home.state_file.read_text(encoding="utf-8"))
        raw["java"], raw["owner"] = ProcessIdentity(**raw["java"]), ProcessIdentity(**raw["owner"])
        raw["started_at"] = datetime.fromisoformat(raw["started_at"])
        return Ownership(**raw)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(home: Home, record: Ownership) -> None:
    """Record an ownership; readers see the old or the new record, never half of one."""
    text = json.dumps(asdict(record) | {"started_at": record.started_at.isoformat()}, indent=2)
    part = home.state_file.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(home.state_file)


def forget(home: Home) -> None:
    """Remove the record."""
    home.state_file.unlink(missing_ok=True)


def keep_port(home: Home, port: int) -> None:
    """Remember the port for the next start."""
    home.port_file.write_text(f"{port}\n", encoding="ascii")


def last_port(home: Home) -> int | None:
    """The port of the last start; ``None`` when there was none or the file is unreadable."""
    try:
        port = int(home.port_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return port if 0 < port <= 65535 else None
