"""Which branch is selected is decided under the graph's lock, and a branch that goes away is selected no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import neo4j
import pytest
from tests.graph_schema.planning.conftest import write_graph
from tests.graph_schema.propagation.conftest import open_branch
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import BranchNotFound
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.maintenance.deletion import delete_branch
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity

WAITING = (
    "SHOW TRANSACTIONS YIELD status, parameters "
    "WHERE status STARTS WITH 'Blocked' AND $id IN [parameters.id, parameters.graph_id] RETURN count(*) AS n"
)


@pytest.fixture
def graph(store: GraphStore) -> str:
    """A graph with two branches, the first of them selected."""
    made = fresh_graph(__name__)
    write_graph(store, made, [Entity(uid="a", name="a", type="T", domain="d", aliases=())], [], [])
    open_branch(store, f"{made}-one", made, select=True)
    open_branch(store, f"{made}-two", made, select=False)
    return made


@contextmanager
def meanwhile(uri: str, graph: str, what: Callable[[], object], waits_for: str) -> Generator[neo4j.Transaction]:
    """A transaction that holds the graph; ``what`` comes in between and waits for it until the block ends."""
    with (
        neo4j.GraphDatabase.driver(uri) as driver,
        driver.session() as session,
        driver.session() as watch,
        ThreadPoolExecutor(1) as pool,
    ):
        with session.begin_transaction() as holder:
            holder.run("MATCH (g:Graph {graph_id: $id}) SET g.imports = g.imports", id=graph).consume()
            done: Future[object] = pool.submit(what)
            while not watch.run(WAITING, id=waits_for).single(strict=True)["n"]:
                if done.done():
                    pytest.fail(f"it did not wait: {done.result()}")
                threading.Event().wait(0.01)
            yield holder
            holder.commit()
        done.result()


def selected(store: GraphStore, graph: str) -> str | None:
    found: str | None = store.read("graphs/get", graph_id=graph)[0]["head_branch"]
    return found


def test_a_branch_selected_while_another_goes_away_stays_so(store: GraphStore, neo4j_uri: str, graph: str) -> None:
    """The deletion of the selected branch began before the selection of another one, and ends after it."""
    one = f"{graph}-one"
    with meanwhile(neo4j_uri, graph, lambda: delete_branch(store, one), one) as holder:
        holder.run("MATCH (g:Graph {graph_id: $id}) SET g.head_branch = $id + '-two'", id=graph).consume()
    assert selected(store, graph) == f"{graph}-two"


def test_a_branch_selected_while_it_goes_away_is_selected_no_more(
    store: GraphStore, neo4j_uri: str, graph: str
) -> None:
    two = f"{graph}-two"
    with meanwhile(neo4j_uri, graph, lambda: delete_branch(store, two), two) as holder:
        holder.run("MATCH (g:Graph {graph_id: $id}) SET g.head_branch = $id + '-two'", id=graph).consume()
    assert selected(store, graph) is None


@pytest.mark.parametrize("gone", ["closed", "deleted", "never there"])
def test_a_branch_that_goes_away_cannot_be_selected(store: GraphStore, graph: str, gone: str) -> None:
    two = f"{graph}-two"
    if gone == "closed":  # its deletion was cut off
        assert store.write("maintenance/branch_mark", id=two, live=[])
    elif gone == "deleted":
        delete_branch(store, two)
    else:
        two = f"{graph}-three"
    with pytest.raises(BranchNotFound):
        branches.select_branch(store, two)
    assert selected(store, graph) == f"{graph}-one"
