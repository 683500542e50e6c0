"""The graph's database: the embedded one, or the one that the settings name."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from knowledgesmith.server.doctor.check import Finding, ok, warn

if TYPE_CHECKING:
    from knowledgesmith.server.settings import ServerSettings

_CONNECT_S = 10.0


def database(settings: ServerSettings) -> Finding:
    """Whether the database is there; nothing is started."""
    return _own(settings) if settings.neo4j_uri else _embedded(settings)


def _own(settings: ServerSettings) -> Finding:
    from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings

    chosen = StoreSettings(
        uri=settings.neo4j_uri,
        user=settings.neo4j_user,
        password=settings.neo4j_password,
        database=settings.neo4j_database,
        timeout_s=_CONNECT_S,
    )
    with closing(GraphStore.connect(chosen)):
        return ok(f"your own Neo4j answers at {settings.neo4j_uri}", uri=settings.neo4j_uri)


def _embedded(settings: ServerSettings) -> Finding:
    from knowledgesmith.graph_schema.embedded import NEO4J_VERSION, DatabaseState, status
    from knowledgesmith.graph_schema.embedded.files.jars import are_fetched

    name = f"embedded Neo4j {NEO4J_VERSION}"
    now = status(settings.data_dir / "neo4j")
    if now.state is DatabaseState.RUNNING:
        return ok(f"{name} runs at {now.uri} (pid {now.pid})", uri=now.uri or "", pid=now.pid or 0)
    if now.state is not DatabaseState.STOPPED:
        return warn(f"{name} is {now.state} (pid {now.pid})", "Wait a minute, then look at `ksmith neo4j logs`.")
    if not are_fetched():
        return warn(
            f"the jars of {name} are not fetched yet (123 MB)",
            "They are at the first start; to do it now: python -m knowledgesmith.graph_schema fetch",
        )
    return ok(f"{name} is ready, not running; `ksmith up` starts it")
