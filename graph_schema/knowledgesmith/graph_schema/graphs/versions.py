"""Versions of a graph: what each import changed. The importer writes them, one for every import that changed facts."""

from __future__ import annotations

from dataclasses import dataclass

from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.storage.store import GraphStore


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """One version; ``interventions`` counts those that were planned on its facts and stay readable under its digest."""

    number: int
    digest: str
    parent_digest: str
    source: str
    format: str
    imported_ms: int | None
    entities_created: int
    entities_matched: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    interventions: int


def list_versions(store: GraphStore, graph_id: str) -> list[VersionInfo]:
    """Versions of a graph, newest first.

    Raises:
        GraphNotFound: there is no graph of this id.
    """
    store.read_transaction(lambda tx: require_graph(tx, graph_id))
    return [VersionInfo(**row) for row in store.read("graphs/versions", graph_id=graph_id)]
