"""Names and aliases that several entities share: questions about them would have no single answer."""

from __future__ import annotations

from dataclasses import dataclass

from knowledgesmith.graph_schema.graphs import require_graph
from knowledgesmith.graph_schema.store import GraphStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Homonym:
    """A shared name or alias: how many living entities have it, and the first 20 of them by uid."""

    label: str
    entities: int
    uids: tuple[str, ...]


def homonyms(
    store: GraphStore, graph_id: str, *, after: tuple[int, str] | None = None, limit: int = 100
) -> list[Homonym]:
    """Shared names and aliases, the most shared first, then by label; ``after`` = (entities, label) of the last one.

    Raises:
        GraphNotFound: there is no graph of this id.
    """
    store.read_transaction(lambda tx: require_graph(tx, graph_id))
    entities, label = after or (None, "")
    rows = store.read("suggest/homonyms", graph_id=graph_id, after_entities=entities, after_label=label, limit=limit)
    return [Homonym(label=row["label"], entities=row["entities"], uids=tuple(row["uids"])) for row in rows]
