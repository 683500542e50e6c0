"""A batch of the ledger costs what the batch costs, however many rows the run, the entities and older runs have."""

from __future__ import annotations

from collections.abc import Sequence

import neo4j
import pytest
from tests.graph_schema.budgets.test_budgets import walk
from tests.graph_schema.budgets.world import ledger_slot
from tests.graph_schema.planning.conftest import write_graph
from tests.graph_schema.propagation.conftest import open_branch

from knowledgesmith.graph_schema.interventions import ledger
from knowledgesmith.graph_schema.interventions.ledger import Measured
from knowledgesmith.graph_schema.storage.queries import load
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.plans import LedgerSlot

ENTITIES = 400
FIRST = 8
UIDS = [f"e{n:04d}" for n in range(ENTITIES)]
Batch = list[tuple[LedgerSlot, Measured]]


@pytest.fixture
def run(store: GraphStore, graph_id: str) -> str:
    """A running intervention on a selected branch."""
    write_graph(store, graph_id, [Entity(uid=uid, name=uid, type="T", domain="d", aliases=()) for uid in UIDS], [], [])
    open_branch(store, graph_id, graph_id)
    return begin(store, graph_id, graph_id)


def begin(store: GraphStore, branch: str, run: str) -> str:
    store.write("interventions/steps/create", branch_id=branch, properties={"id": run, "request_id": run})
    running = {"state": "RUNNING"}
    assert store.write(
        "interventions/steps/advance", id=run, fence=0, from_states=["QUEUED"], properties=running, finished=False
    )
    return run


def commit(store: GraphStore, run: str, order: int) -> None:
    done = {"state": "SUCCEEDED", "commit_order": order}
    assert store.write(
        "interventions/steps/advance", id=run, fence=0, from_states=["RUNNING"], properties=done, finished=False
    )


def rows(uids: Sequence[str], *, start: int) -> Batch:
    """One row an entity, numbered from ``start``."""
    one = Measured(before=0.5, after=0.25, new_before=None, new_after=None, n=1)
    return [(ledger_slot(uid, seq), one) for seq, uid in enumerate(uids, start=start)]


def hits(uri: str, query: str, **params: object) -> int:
    """Database hits of a query whose effects are taken back."""
    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session, session.begin_transaction() as tx:
        result = tx.run("PROFILE " + load(query).text, params)  # pyright: ignore[reportArgumentType]
        assert len(list(result)) == 1
        plan = result.consume().profile
        tx.rollback()
    assert plan is not None
    return sum(int(step.get("dbHits", 0)) for step in walk(plan))


def test_heads_of_a_batch_do_not_read_the_whole_run(store: GraphStore, neo4j_uri: str, run: str) -> None:
    ledger.append(store, run, 0, rows(UIDS[:FIRST], start=1))
    alone = hits(neo4j_uri, "interventions/ledger/heads", id=run, uids=UIDS[:FIRST])
    ledger.append(store, run, 0, rows(UIDS[FIRST:], start=FIRST + 1))
    assert hits(neo4j_uri, "interventions/ledger/heads", id=run, uids=UIDS[:FIRST]) <= 1.5 * alone + 20


def test_a_batch_costs_the_same_after_many_rows_and_runs(store: GraphStore, neo4j_uri: str, run: str) -> None:
    """The first batch of a run, one after 400 rows, and one in the fifth run over the same entities."""

    def append(to: str, start: int) -> int:
        entities = ledger.by_entity(rows(UIDS[-FIRST:], start=start))
        return hits(neo4j_uri, "interventions/ledger/append", id=to, fence=0, entities=entities)

    first = append(run, 1)
    ledger.append(store, run, 0, rows(UIDS[:-FIRST], start=1))
    assert append(run, ENTITIES) <= first + 20
    commit(store, run, 1)
    for order in range(2, 6):
        older = begin(store, run, f"{run}-{order}")
        ledger.append(store, older, 0, rows(UIDS[-FIRST:], start=1))
        commit(store, older, order)
    assert append(begin(store, run, f"{run}-last"), 1) <= first + 20
