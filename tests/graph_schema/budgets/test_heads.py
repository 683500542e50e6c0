"""The heads of a batch cost what the batch costs, however many rows the run has already."""

from __future__ import annotations

import neo4j
from tests.graph_schema.budgets.test_budgets import walk
from tests.graph_schema.planning.conftest import write_graph
from tests.graph_schema.propagation.conftest import open_branch

from knowledgesmith.graph_schema.facts import Entity
from knowledgesmith.graph_schema.queries import load
from knowledgesmith.graph_schema.store import GraphStore

ENTITIES = 400
FIRST = 8


def test_heads_of_a_batch_do_not_read_the_whole_run(store: GraphStore, neo4j_uri: str, graph_id: str) -> None:
    uids = [f"e{n:04d}" for n in range(ENTITIES)]
    write_graph(store, graph_id, [Entity(uid=uid, name=uid, type="T", domain="d", aliases=()) for uid in uids], [], [])
    open_branch(store, graph_id, graph_id)
    store.write("jobs/create", branch_id=graph_id, properties={"id": graph_id, "request_id": graph_id})
    running = {"state": "RUNNING"}
    store.write("jobs/advance", id=graph_id, fence=0, from_states=["QUEUED"], properties=running, finished=False)

    def append(start: int, stop: int) -> None:
        values = {"kind": "DIRECT", "n": 1, "before": 0.5, "after": 0.25, "delta": -0.25}
        rows = [{"seq": n + 1, "entity": uids[n], "properties": values} for n in range(start, stop)]
        store.write("ledger/append", id=graph_id, fence=0, rows=rows)

    append(0, FIRST)
    alone = hits(neo4j_uri, graph_id, uids[:FIRST])
    append(FIRST, ENTITIES)
    assert hits(neo4j_uri, graph_id, uids[:FIRST]) <= 1.5 * alone + 20


def hits(uri: str, run: str, uids: list[str]) -> int:
    """Database hits of the heads of some entities."""
    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session, session.begin_transaction() as tx:
        result = tx.run("PROFILE " + load("ledger/heads").text, {"id": run, "uids": uids})  # pyright: ignore[reportArgumentType]
        assert [record["entities"] for record in result] == [len(uids)]
        plan = result.consume().profile
        tx.rollback()
    assert plan is not None
    return sum(int(step.get("dbHits", 0)) for step in walk(plan))
