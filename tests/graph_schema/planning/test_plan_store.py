"""A stored plan comes back as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from knowledgesmith.graph_schema.errors import FenceRejected, IllegalState, InterventionNotFound
from knowledgesmith.graph_schema.interventions import Change, Goal
from knowledgesmith.graph_schema.plan import PlanRequest, make_plan
from knowledgesmith.graph_schema.plan_store import load_plan, store_plan
from knowledgesmith.graph_schema.plan_types import Plan
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.store import GraphStore


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
    store.write(
        "models/register",
        id=graph_id,
        path="",
        weights_sha256="w",
        architecture="",
        parameters=0,
        base_revision=graph_id,
    )
    store.write("models/create_branch", id=graph_id, model_id=graph_id, graph_id=graph_id, select=False)
    properties = {"id": graph_id, "request_id": graph_id}
    (row,) = store.write("jobs/create", branch_id=graph_id, properties=properties)
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


def test_an_old_attempt_may_not_write(store: GraphStore, held: Held, plan: Plan) -> None:
    with pytest.raises(FenceRejected):
        store_plan(store, replace(held, fence=7), plan)
    with pytest.raises(IllegalState, match="no plan"):
        load_plan(store, held.id)
    with pytest.raises(InterventionNotFound):
        load_plan(store, "nobody")
