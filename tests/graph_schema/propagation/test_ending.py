"""An intervention ends although the beliefs of its graph cannot be restored."""

from __future__ import annotations

import neo4j
import pytest
from tests.graph_schema.budgets.world import ledger_slot
from tests.graph_schema.planning.conftest import atlas_entities, atlas_facts, atlas_relations, write_graph
from tests.graph_schema.propagation.conftest import CHANGES, committed, open_branch, planned
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import GraphUnavailable
from knowledgesmith.graph_schema.interventions import ledger, steps
from knowledgesmith.graph_schema.interventions.ledger import Measured
from knowledgesmith.graph_schema.interventions.records import Claim
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Goal, State


@pytest.fixture
def damaged(store: GraphStore, neo4j_uri: str) -> str:
    """A graph and branch (one name) with a committed run, the ledger rows of which were spoilt by hand."""
    graph_id = fresh_graph(__name__)
    write_graph(store, graph_id, atlas_entities(), atlas_relations(), atlas_facts())
    open_branch(store, graph_id, graph_id)
    run = committed(store, planned(store, graph_id, goal=Goal.EDIT, changes=CHANGES), seed=7, order=1)
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver:
        driver.execute_query("MATCH (:Intervention {id: $id})-[c:CHANGED]->() SET c.n = 'x'", id=run.id)
    return graph_id


def begin(store: GraphStore, branch: str) -> str:
    """A running intervention of the branch, with a row about an entity that the damaged ledger is about too."""
    run = f"{branch}-next"
    store.write(
        "interventions/steps/create",
        branch_id=branch,
        properties={"id": run, "request_id": run, "goal": "EDIT", "method": "m"},
    )
    store.write(
        "interventions/steps/advance",
        id=run,
        fence=0,
        from_states=["QUEUED"],
        properties={"state": "RUNNING"},
        finished=False,
    )
    one = Measured(before=0.5, after=0.25, new_before=None, new_after=None, n=1)
    ledger.append(store, run, 0, [(ledger_slot("france", 1), one)])
    return run


def test_it_ends_and_says_what_could_not_be_restored(store: GraphStore, damaged: str) -> None:
    run = begin(store, damaged)
    ended = steps.finish(
        store, run, from_states=[State.RUNNING], state=State.FAILED, reason="BROKEN", message="its own reason"
    )
    assert ended
    properties = store.read("interventions/steps/get", id=run)[0]["properties"]
    assert (properties["state"], properties["error_reason"]) == ("FAILED", "BROKEN")
    assert properties["error_message"].startswith("its own reason; the graph's head beliefs could not be restored: ")
    assert "Error" not in properties["error_message"], "no class of an exception in what people read"
    assert not steps.finish(store, run, from_states=[State.RUNNING], state=State.FAILED), "it has ended"


@pytest.mark.parametrize(("attempt", "ends"), [(1, False), (steps.MAX_ATTEMPTS, False), (steps.MAX_ATTEMPTS + 1, True)])
def test_beliefs_that_take_too_long_are_tried_as_often_as_an_attempt(
    store: GraphStore, damaged: str, monkeypatch: pytest.MonkeyPatch, attempt: int, ends: bool
) -> None:
    run = begin(store, damaged)

    def slow(*_: object, start: bool) -> str:
        if start:
            raise GraphUnavailable("the query took longer than Neo4j allows a transaction")
        return ""

    monkeypatch.setattr(steps, "mend_heads", slow)
    held = Claim(id=run, fence=0, attempt=attempt)

    def finish() -> bool:
        return steps.finish(store, run, from_states=[State.RUNNING], state=State.FAILED, held=held)

    if ends:
        assert finish()
    else:
        with pytest.raises(GraphUnavailable):
            finish()
    state = store.read("interventions/steps/get", id=run)[0]["properties"]["state"]
    assert state == ("FAILED" if ends else "RUNNING")
