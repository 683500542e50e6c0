"""Whether there is what a request names, before an operation begins on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import GraphIncomplete, GraphNotFound
from knowledgesmith.graph_schema.graphs.reading import require_graph

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore


def known_graph(store: GraphStore, graph_id: str, field: str, *, deleting: bool = False) -> None:
    """Refuse an id that no graph has; one that is imported or loaded at present is there.

    Args:
        store: the database.
        graph_id: the id.
        field: that held it.
        deleting: one whose deletion was cut off is there too.

    Raises:
        GraphNotFound: there is none.
    """
    try:
        store.read_transaction(lambda tx: require_graph(tx, graph_id))
    except GraphIncomplete:
        return
    except GraphNotFound as error:
        if deleting and store.read("graphs/state", graph_id=graph_id):
            return
        error.field = field
        raise
