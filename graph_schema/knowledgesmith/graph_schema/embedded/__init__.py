"""The embedded Neo4j: the real database, started as a process of this machine, without Docker or root.

Usage::

    settings = EmbeddedSettings(data_dir=Path("~/graph").expanduser())
    with start(settings, owned=True) as database:
        ...  # open a driver on database.uri, with database.user and database.password where it asks for a login
"""

from __future__ import annotations

from knowledgesmith.graph_schema.embedded.database import RunningDatabase, start, stop
from knowledgesmith.graph_schema.embedded.files.jars import NEO4J_VERSION
from knowledgesmith.graph_schema.embedded.settings import EmbeddedSettings
from knowledgesmith.graph_schema.embedded.status import (
    DatabaseInfo,
    DatabaseState,
    DatabaseStatus,
    info,
    status,
    tail_logs,
)

__all__ = [
    "NEO4J_VERSION",
    "DatabaseInfo",
    "DatabaseState",
    "DatabaseStatus",
    "EmbeddedSettings",
    "RunningDatabase",
    "info",
    "start",
    "status",
    "stop",
    "tail_logs",
]
