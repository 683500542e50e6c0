"""Reading graphs: counts, listings, and what is not there."""

from __future__ import annotations

import pytest
from tests.graph_schema.test_importing import import_world

from knowledgesmith.graph_schema.errors import GraphNotFound
from knowledgesmith.graph_schema.graphs import get_graph, list_graphs, load_catalogue, load_snapshot
from knowledgesmith.graph_schema.store import GraphStore


def test_counts_and_listing(store: GraphStore, graph_id: str) -> None:
    import_world(store, graph_id)
    info = get_graph(store, graph_id)
    assert info.entities_by_level == {"Root": 1, "Intermediate": 1, "Leaf": 4}
    assert info.entities_by_domain == {"geography": 5, "physics": 1}
    assert (info.facts, info.relations, info.source, info.head_branch) == (4, 3, "test", "")
    assert list_graphs(store, after=graph_id[:-1], limit=1) == [info]
    assert graph_id not in {graph.graph_id for graph in list_graphs(store, after=graph_id, limit=3)}


def test_an_unknown_graph_is_not_found(store: GraphStore, graph_id: str) -> None:
    for read in (get_graph, load_catalogue, load_snapshot):
        with pytest.raises(GraphNotFound) as caught:
            read(store, graph_id)
        assert caught.value.metadata["graph_id"] == graph_id[:63]
