"""Roles of planned probes: the request's own facts, what follows, what stays; plans of the first scheme."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.graph_schema.propagation.conftest import CHANGES, Held, planned

from knowledgesmith.graph_schema.planning.plan_store import load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import digest_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plan_slots import slots_of
from knowledgesmith.graph_schema.types.plans import Plan
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind, Role

ERASURES = (
    Change(subject="kenya", relation="on_continent", old_object="africa"),
    Change(subject="gold", relation="symbol", old_object="au"),
)


@pytest.fixture(scope="module", params=[(Goal.EDIT, CHANGES), (Goal.UNLEARN, ERASURES)], ids=["edit", "unlearn"])
def plan(request: pytest.FixtureRequest, store: GraphStore, world: str) -> Plan:
    goal, changes = request.param
    return planned(store, world, goal=goal, changes=changes)


def test_targets_are_the_forward_questions_about_the_facts_of_the_request(plan: Plan) -> None:
    asked = {
        fact_id(plan.graph_id, change.subject, change.relation, uid)
        for change in plan.targets
        for uid in (change.old_object, change.new_object)
        if uid
    }
    for one in plan.probes:
        forward = one.probe.kind in {ProbeKind.DIRECT, ProbeKind.COMPARISON, ProbeKind.CONFLICT}
        change = one.polarity is Polarity.CHANGE
        target = change and forward and one.asked_fact_id in asked
        assert one.role is (Role.TARGET if target else Role.FOLLOWS if change else Role.STAYS), one.probe.stem
    about = {(one.probe.anchor, one.relation) for one in plan.probes if one.role is Role.TARGET}
    assert about == {(change.subject, change.relation) for change in plan.targets}, "every target is asked"
    assert {one.role for one in plan.probes} == set(Role)
    kinds = {one.probe.kind for one in plan.probes if one.role is Role.FOLLOWS}
    assert ProbeKind.REVERSE in kinds


def test_the_role_is_part_of_the_key_of_a_row(plan: Plan) -> None:
    keys = [(s.entity, s.fact_id, s.kind, s.polarity, s.role) for s in plan.slots]
    assert len(keys) == len(set(keys))
    role = {probe_id: slot.role for slot in plan.slots for probe_id in slot.probe_ids}
    assert all(role[one.probe.id] is one.role for one in plan.probes)


def test_the_role_is_stored_and_digested(store: GraphStore, plan: Plan) -> None:
    run = f"{plan.graph_id}-{plan.goal.value}"
    store.write(
        "interventions/steps/create", branch_id=plan.graph_id, properties={"id": run, "request_id": run, "goal": "EDIT"}
    )
    store_plan(store, Held(run), plan)
    assert load_plan(store, run) == plan
    moved = tuple(replace(one, role=Role.FOLLOWS) for one in plan.probes)
    assert digest_of(replace(plan, probes=moved, slots=slots_of(moved))) != plan.digest


def test_a_plan_of_the_first_scheme_keeps_its_digest(store: GraphStore, plan: Plan) -> None:
    """Its probes have no role, and its digest says nothing of one."""
    run = f"{plan.graph_id}-{plan.goal.value}-first"
    probes = tuple(replace(one, role=None) for one in plan.probes)
    old = replace(plan, verdict_scheme=1, probes=probes, slots=slots_of(probes))
    old = replace(old, digest=digest_of(old))
    assert old.digest != plan.digest
    store.write(
        "interventions/steps/create", branch_id=plan.graph_id, properties={"id": run, "request_id": run, "goal": "EDIT"}
    )
    store_plan(store, Held(run), old)
    _, rows = store.run_user_query(
        "MATCH (i:Intervention {id: $id}) RETURN i.plan_digest AS digest", {"id": run}, limit=1, timeout_s=30
    )
    assert rows == [{"digest": old.digest}]
    assert load_plan(store, run) == old
