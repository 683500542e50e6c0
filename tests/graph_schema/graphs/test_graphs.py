"""Reading graphs: counts, listings, and what is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import neo4j
import pytest
from tests.graph_schema.importing.test_importing import import_world
from tests.graph_schema.storage.test_locks import Patient, working_for

from knowledgesmith.graph_schema.errors import GraphNotFound
from knowledgesmith.graph_schema.graphs import reading as graphs
from knowledgesmith.graph_schema.graphs.reading import get_graph, list_graphs, load_catalogue, load_snapshot
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings


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


READS: list[Callable[[GraphStore, str], object]] = [
    get_graph,
    lambda store, graph_id: list_graphs(store, after=graph_id[:-1], limit=1)[0],
]


def kept(store: GraphStore, graph_id: str) -> bool:
    """Whether the counts are kept beside the graph."""
    return store.read("graphs/get", graph_id=graph_id)[0]["counts_stamp"] is not None


@pytest.fixture
def uncounted(store: GraphStore, graph_id: str, neo4j_uri: str) -> str:
    """A graph whose counts are not kept."""
    import_world(store, graph_id)
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver:
        driver.execute_query("MATCH (g:Graph {graph_id: $id}) REMOVE g.counts_stamp", id=graph_id)
    return graph_id


@pytest.mark.parametrize("read", READS)
def test_who_reads_waits_for_nobodys_locks(
    store: GraphStore, neo4j_uri: str, uncounted: str, read: Callable[[GraphStore, str], object]
) -> None:
    """An import holds the graph: its counts are read all the same, and kept by who comes later."""

    def tell(_tries: int) -> bool:
        raise AssertionError("it waits")

    with (
        neo4j.GraphDatabase.driver(neo4j_uri) as driver,
        driver.session() as session,
        session.begin_transaction() as other,
    ):
        other.run("MATCH (g:Graph {graph_id: $id}) SET g.source = g.source", id=uncounted).consume()
        found = working_for(Patient(tell), lambda: read(store, uncounted))
        assert not kept(store, uncounted)
    assert read(store, uncounted) == found
    assert kept(store, uncounted)


@pytest.mark.parametrize("read", READS)
def test_who_reads_while_another_keeps_counts_leaves_it_to_that_one(
    store: GraphStore, uncounted: str, read: Callable[[GraphStore, str], object]
) -> None:
    with graphs._KEEPING:  # pyright: ignore[reportPrivateUsage]
        read(store, uncounted)
    assert not kept(store, uncounted)
    read(store, uncounted)
    assert kept(store, uncounted)


class ReadOnly(GraphStore):
    """The real store on a database that refuses to write."""

    def _session(self, access: str, *, fetch_size: int | None = None) -> Any:  # noqa: ARG002 - it is always the same
        return super()._session(neo4j.READ_ACCESS, fetch_size=fetch_size)


@pytest.mark.parametrize("read", READS)
def test_a_database_that_only_reads_is_read(
    neo4j_uri: str, store: GraphStore, uncounted: str, read: Callable[[GraphStore, str], object]
) -> None:
    reading = ReadOnly(StoreSettings(uri=neo4j_uri))
    try:
        found = read(reading, uncounted)
    finally:
        reading.close()
    assert not kept(store, uncounted)
    assert found == read(store, uncounted)
