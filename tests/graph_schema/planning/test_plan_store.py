"""A stored plan comes back as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

import neo4j
import pytest
from tests.graph_schema.propagation.conftest import open_branch

from knowledgesmith.graph_schema.errors import EntityNotFound, FenceRejected, IllegalState, InterventionNotFound
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.planning.plan_store import load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan
from knowledgesmith.graph_schema.types.probes import Context


@dataclass(frozen=True)
class Held:
    id: str
    fence: int


@pytest.fixture
def plan(store: GraphStore, graph_id: str, lexicon: Lexicon) -> Plan:
    change = Change(subject="paris", relation="capital_of", old_object="france", new_object="germany")
    return make_plan(store, PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.EDIT, changes=(change,), seed=3))


@pytest.fixture
def held(store: GraphStore, graph_id: str, lexicon: Lexicon) -> Held:
    """An intervention of this test that nobody runs."""
    open_branch(store, graph_id, graph_id, select=False)
    properties = {"id": graph_id, "request_id": graph_id}
    (row,) = store.write("interventions/steps/create", branch_id=graph_id, properties=properties)
    return Held(id=row["id"], fence=0)


def test_a_plan_survives_the_graph_bit_by_bit(store: GraphStore, held: Held, plan: Plan) -> None:
    store_plan(store, held, plan)
    assert load_plan(store, held.id) == plan


def test_storing_again_replaces(store: GraphStore, held: Held, plan: Plan, graph_id: str) -> None:
    store_plan(store, held, plan)
    change = Change(subject="japan", relation="uses_currency", old_object="yen")
    request = PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.UNLEARN, changes=(change,))
    other = make_plan(store, request)
    store_plan(store, held, other)
    store_plan(store, held, other)
    assert load_plan(store, held.id) == other


def test_a_stored_plan_does_not_change_what_is_planned_next(
    store: GraphStore, held: Held, plan: Plan, graph_id: str
) -> None:
    store_plan(store, held, plan)
    request = PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.EDIT, changes=plan.targets, seed=3)
    assert make_plan(store, request) == plan


def test_plans_that_share_questions_are_all_read_back(
    store: GraphStore, held: Held, graph_id: str, lexicon: Lexicon
) -> None:
    """What stands near the one change stands far from the other: the same question has another context."""
    edits = [
        Change(subject="france", relation="has_capital", old_object="paris", new_object="lyon"),
        Change(subject="japan", relation="on_continent", old_object="asia", new_object="europe"),
        Change(subject="gold", relation="symbol", old_object="au", new_object="fe"),
        Change(subject="france", relation="uses_currency", old_object="euro", new_object="yen"),
        Change(subject="peru", relation="has_capital", old_object="lima", new_object="cusco"),
    ]
    stored: dict[str, Plan] = {}
    for number, change in enumerate(edits):
        request = PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.EDIT, changes=(change,))
        one = Held(id=f"{held.id}-{number}", fence=0)
        store.write("interventions/steps/create", branch_id=held.id, properties={"id": one.id, "request_id": one.id})
        stored[one.id] = make_plan(store, request)
        store_plan(store, one, stored[one.id])
    assert {name: load_plan(store, name) for name in stored} == stored
    asked: dict[tuple[str, str, tuple[str, ...]], set[Context]] = {}
    for planned in (planned for plan in stored.values() for planned in plan.probes):
        probe = planned.probe
        asked.setdefault((probe.text, probe.template, probe.option_uids), set()).add(probe.context)
    assert any(len(contexts - {Context.NONE}) > 1 for contexts in asked.values()), "some question had two contexts"


def test_an_entity_that_is_renamed_leaves_older_plans_as_they_were(
    store: GraphStore, held: Held, plan: Plan, graph_id: str
) -> None:
    store_plan(store, held, plan)
    (found,) = store.run_user_query(
        "MATCH (e:Entity {graph_id: $graph_id, uid: 'germany'}) RETURN elementId(e) AS element",
        {"graph_id": graph_id},
        limit=1,
        timeout_s=10,
    )[1]
    renamed = [found["element"], "Deutschland", "Country", "geography", [], "Leaf", 0]
    store.write("importing/entities_update", graph_id=graph_id, rows=[renamed])
    other = Held(id=f"{held.id}-2", fence=0)
    store.write("interventions/steps/create", branch_id=held.id, properties={"id": other.id, "request_id": other.id})
    request = PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.EDIT, changes=plan.targets, seed=3)
    after = make_plan(store, request)
    store_plan(store, other, after)
    assert any("Deutschland" in planned.probe.options for planned in after.probes)
    assert (load_plan(store, held.id), load_plan(store, other.id)) == (plan, after)


def test_an_old_attempt_may_not_write(store: GraphStore, held: Held, plan: Plan) -> None:
    with pytest.raises(FenceRejected):
        store_plan(store, replace(held, fence=7), plan)
    with pytest.raises(IllegalState, match="no plan"):
        load_plan(store, held.id)
    with pytest.raises(InterventionNotFound):
        load_plan(store, "nobody")


def lost(neo4j_uri: str, graph_id: str, uid: str) -> None:
    """Somebody deletes an entity by hand."""
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver:
        driver.execute_query("MATCH (e:Entity {graph_id: $graph, uid: $uid}) DETACH DELETE e", graph=graph_id, uid=uid)


def test_a_target_that_is_gone_is_an_error(
    store: GraphStore, held: Held, plan: Plan, graph_id: str, neo4j_uri: str
) -> None:
    lost(neo4j_uri, graph_id, plan.targets[0].subject)
    with pytest.raises(EntityNotFound, match=plan.targets[0].subject):
        store_plan(store, held, plan)
    with pytest.raises(IllegalState):
        load_plan(store, held.id)


def test_probes_about_an_entity_that_is_gone_are_an_error(
    store: GraphStore, held: Held, plan: Plan, graph_id: str, neo4j_uri: str
) -> None:
    anchors = sorted({planned.probe.anchor for planned in plan.probes} - {plan.targets[0].subject})
    lost(neo4j_uri, graph_id, anchors[-1])
    with pytest.raises(EntityNotFound, match=anchors[-1]):
        store_plan(store, held, plan)
    with pytest.raises(IllegalState):
        load_plan(store, held.id)
