"""Counts that are kept are those that counting gives, after whatever changes them; and nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.graph_schema.lifecycle.conftest import LIMA, PARIS, Cypher, Runs, import_world

from knowledgesmith.graph_schema.archive.load import load_archive
from knowledgesmith.graph_schema.archive.write import export_graph
from knowledgesmith.graph_schema.graphs.reading import get_graph, list_graphs
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.maintenance.deletion import Folders, delete_branch, delete_graph, delete_intervention
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.interventions import State


class Watched(NamedTuple):
    """A store, and the names of its queries."""

    store: GraphStore
    queries: list[str]

    def asked(self, query: str) -> int:
        """How often a query was asked since the last look."""
        count = self.queries.count(query)
        self.queries.clear()
        return count


@pytest.fixture
def watched(neo4j_uri: str, store: GraphStore) -> Iterator[Watched]:
    queries: list[str] = []
    with_names = GraphStore(StoreSettings(uri=neo4j_uri), observe=lambda name, _seconds, _outcome: queries.append(name))
    yield Watched(with_names, queries)
    with_names.close()


def counted(cypher: Cypher, graph_id: str) -> tuple[dict[str, int], int]:
    """Levels of living entities, and facts, by looking at all of them."""
    levels = cypher(
        "MATCH (e:Entity {graph_id: $g}) WHERE NOT e.retired UNWIND labels(e) AS l WITH l WHERE l <> 'Entity' "
        "RETURN l, count(*) AS n",
        g=graph_id,
    )
    facts = cypher(
        "MATCH (:Entity {graph_id: $g})-[f]->() WHERE f.fact_id IS NOT NULL RETURN count(f) AS n", g=graph_id
    )
    return {row["l"]: row["n"] for row in levels}, facts[0]["n"]


def told(store: GraphStore, graph_id: str) -> tuple[dict[str, int], int]:
    info = get_graph(store, graph_id)
    assert list_graphs(store, after=graph_id[:-1], limit=1) == [info]
    return {level: n for level, n in info.entities_by_level.items() if n}, info.facts


def test_a_graph_is_counted_once_after_each_change(
    watched: Watched, graph_id: str, cypher: Cypher, tmp_path: Path
) -> None:
    store = watched.store

    def load() -> None:
        export_graph(store, graph_id, tmp_path / "graph.ksmith", folders=Folders())
        delete_graph(store, graph_id)
        load_archive(store, tmp_path / "graph.ksmith", folders=Folders())

    changes: list[Callable[[], object]] = [
        lambda: import_world(store, graph_id),
        lambda: import_world(store, graph_id, without="nepal"),
        load,
        lambda: import_world(store, graph_id),
    ]
    for change in changes:
        change()
        watched.queries.clear()
        assert told(store, graph_id) == counted(cypher, graph_id)
        assert told(store, graph_id) == counted(cypher, graph_id)
        assert watched.asked("graphs/count") == 1


def test_a_graph_that_is_being_imported_is_counted_as_it_is(watched: Watched, graph_id: str, cypher: Cypher) -> None:
    import_world(watched.store, graph_id)
    told(watched.store, graph_id)
    lock = take_lock(watched.store, graph_id)
    cypher("MATCH (e:Entity {graph_id: $g, uid: 'nepal'}) SET e.retired = true", g=graph_id)
    assert told(watched.store, graph_id) == counted(cypher, graph_id)
    cypher("MATCH (e:Entity {graph_id: $g, uid: 'nepal'}) SET e.retired = false", g=graph_id)
    lock.release(watched.store, untouched=True)
    assert told(watched.store, graph_id) == counted(cypher, graph_id)


@pytest.mark.parametrize(
    ("damage", "domain", "level"),
    [
        ("REMOVE e.domain", "(none)", "Leaf"),
        ("SET e.domain = 7", "7", "Leaf"),
        ("REMOVE e:Root:Intermediate:Leaf", "geography", "(none)"),
    ],
)
def test_an_entity_that_was_damaged_by_hand_is_counted_and_hides_no_graph(
    watched: Watched, graph: str, cypher: Cypher, damage: str, domain: str, level: str
) -> None:
    before = get_graph(watched.store, graph)
    cypher(f"MATCH (e:Entity {{graph_id: $g, uid: 'lima'}}) {damage}", g=graph)
    cypher("MATCH (g:Graph {graph_id: $g}) REMOVE g.counts, g.counts_stamp", g=graph)
    found = get_graph(watched.store, graph)
    assert list_graphs(watched.store, after=graph[:-1], limit=1) == [found] == [get_graph(watched.store, graph)]
    assert sum(found.entities_by_level.values()) == sum(before.entities_by_level.values())
    assert sum(found.entities_by_domain.values()) == sum(before.entities_by_domain.values())
    assert (found.entities_by_domain[domain] > 0, found.entities_by_level[level] > 0) == (True, True)


def test_accepted_traits_are_counted(watched: Watched, graph: str, cypher: Cypher) -> None:
    told(watched.store, graph)
    cypher("MATCH (g:Graph {graph_id: $g}) SET g.accepted_at = datetime.realtime()", g=graph)
    watched.queries.clear()
    assert told(watched.store, graph) == counted(cypher, graph)
    assert watched.asked("graphs/count") == 1


def test_kept_counts_are_no_part_of_an_archive(watched: Watched, graph: str, cypher: Cypher, tmp_path: Path) -> None:
    told(watched.store, graph)
    cypher("MATCH (g:Graph {graph_id: $g}) SET g.counts = '[[], 7]'", g=graph)
    export_graph(watched.store, graph, tmp_path / "graph.ksmith", folders=Folders())
    delete_graph(watched.store, graph)
    load_archive(watched.store, tmp_path / "graph.ksmith", folders=Folders())
    assert told(watched.store, graph) == counted(cypher, graph)


def test_interventions_are_counted_as_they_are_after_every_step(watched: Watched, runs: Runs) -> None:
    counter = steps.InterventionCounts(watched.store)
    branch = runs.branch()

    def same() -> None:
        assert counter.read() == steps.counts(runs.store)

    same()
    run = runs.queue(branch, PARIS)
    same()
    held = steps.claim(runs.store, run)
    assert held is not None
    same()
    steps.advance(runs.store, held, from_states=[State.PREPARING], state=State.RUNNING)
    same()
    assert steps.finish(runs.store, run, from_states=[State.RUNNING], state=State.CANCELLED)
    same()
    runs.finish(branch, PARIS)
    same()
    other = runs.finish(branch, LIMA, commit=False)
    same()
    delete_intervention(runs.store, other)
    same()
    runs.roll_back(branch)
    same()
    delete_branch(runs.store, branch, with_interventions=True)
    same()


def test_what_has_ended_is_counted_again_only_when_something_ended(watched: Watched, runs: Runs) -> None:
    counter = steps.InterventionCounts(watched.store)
    run = runs.queue(runs.branch(), PARIS)
    counter.read()
    watched.queries.clear()
    for _ in range(3):
        counter.read()
    held = steps.claim(runs.store, run)
    assert held is not None
    assert counter.read() == steps.counts(runs.store)
    assert watched.asked("interventions/steps/counts") == 0
    assert steps.finish(runs.store, run, from_states=[State.PREPARING], state=State.FAILED)
    for _ in range(3):
        assert counter.read() == steps.counts(runs.store)
    assert watched.asked("interventions/steps/counts") == 1
