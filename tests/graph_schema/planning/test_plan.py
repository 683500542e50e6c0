"""Plans on the small world, checked against worlds that were closed by hand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from knowledgesmith.graph_schema.errors import (
    ConflictingChanges,
    EntityNotFound,
    FactNotFound,
    InvalidInput,
    NothingToChange,
    ProbeSetEmpty,
    RelationNotFound,
)
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.planning.planner import PlanRequest, digest_of, make_plan
from knowledgesmith.graph_schema.probes.asking.questions import TRUE
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan, WorldChange, WorldOp
from knowledgesmith.graph_schema.types.probes import Context, PlannedProbe, Polarity, ProbeKind

MOVE = Change(subject="paris", relation="capital_of", old_object="france", new_object="germany")
ERASE = Change(subject="japan", relation="uses_currency", old_object="yen")


def _request(graph_id: str, *changes: Change, goal: Goal = Goal.EDIT, **more: Any) -> PlanRequest:
    return PlanRequest(graph_id=graph_id, branch_id="main", goal=goal, changes=changes, **more)


def _triples(changes: tuple[WorldChange, ...], op: WorldOp) -> set[Triple]:
    return {(c.subject, c.relation, c.object) for c in changes if c.op is op}


def _world(facts: list[Triple], overlay: tuple[WorldChange, ...]) -> set[Triple]:
    world = set(facts)
    for change in overlay:
        triple = (change.subject, change.relation, change.object)
        world = world | {triple} if change.op is WorldOp.ASSERT else world - {triple}
    return world


def _answers(probe: PlannedProbe, world: set[Triple]) -> set[str]:
    """Follow the path of a probe through a closed world."""
    if probe.probe.kind is ProbeKind.CONFLICT:
        holds = {fact_id(GRAPH["id"], *t) for t in world if t[0] == probe.probe.anchor}
        return {TRUE if probe.asked_fact_id in holds else "false"}
    ends = {probe.probe.anchor}
    for step in probe.probe.path:
        name = step.removeprefix("~")
        if step.startswith("~"):
            ends = {s for s, r, o in world if r == name and o in ends}
        else:
            ends = {o for s, r, o in world if r == name and s in ends}
    return ends


GRAPH = {"id": ""}


def _check_against_oracle(
    plan: Plan, facts: list[Triple], relations: list[Relation], oracle: Any, overlay: tuple[WorldChange, ...] = ()
) -> None:
    GRAPH["id"] = plan.graph_id
    asserted = _world(facts, overlay)
    before = oracle(asserted, relations)
    after = oracle(_world(sorted(asserted), plan.overlay), relations)
    assert _triples(plan.overlay + plan.derived, WorldOp.RETRACT) == before - after
    assert _triples(plan.overlay + plan.derived, WorldOp.ASSERT) == after - before
    for planned in plan.probes:
        uids = planned.probe.option_uids
        for indices, world in ((planned.before, before), (planned.after, after)):
            right = _answers(planned, world)
            assert {uids[n] for n in indices} == right & set(uids), planned
        changed = _answers(planned, before) != _answers(planned, after)
        assert changed == (planned.polarity is Polarity.CHANGE), planned
        assert planned.before or planned.after
        assert len({option.casefold() for option in planned.probe.options}) == len(uids) >= 2


def test_an_edit_of_a_derived_fact_moves_what_supports_it(
    store: GraphStore, graph_id: str, lexicon: Lexicon, facts: list[Triple], relations: list[Relation], oracle: Any
) -> None:
    plan = make_plan(store, _request(graph_id, MOVE))
    assert _triples(plan.overlay, WorldOp.RETRACT) == {
        ("france", "has_capital", "paris"),
        ("germany", "has_capital", "berlin"),
    }
    assert _triples(plan.overlay, WorldOp.ASSERT) == {("paris", "capital_of", "germany")}
    assert {c.proof.rule for c in plan.overlay} <= {"request", "functional", "inverse_functional", "support"}
    assert all(c.proof.premises for c in plan.derived)
    _check_against_oracle(plan, facts, relations, oracle)


def test_every_kind_is_asked_and_both_answers_are_options(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    plan = make_plan(store, _request(graph_id, MOVE))
    changed = {p.probe.kind for p in plan.probes if p.polarity is Polarity.CHANGE}
    assert changed == set(ProbeKind) - {ProbeKind.CONTEXTUAL}
    own = [p for p in plan.probes if p.probe.anchor == "paris" and p.probe.path == ("capital_of",)]
    direct = [p for p in own if p.probe.kind is ProbeKind.DIRECT]
    assert direct
    for planned in direct:
        options = planned.probe.option_uids
        assert len(options) == 4
        assert [options[n] for n in planned.before] == ["france"]
        assert [options[n] for n in planned.after] == ["germany"]
    contexts = {p.probe.context for p in plan.probes if p.probe.kind is ProbeKind.CONTEXTUAL}
    assert contexts == {Context.SAME_SUBJECT, Context.SAME_RELATION, Context.OTHER_DOMAIN}
    assert any(p.probe.prefix for p in plan.probes)


@pytest.mark.parametrize(
    ("goal", "changes"),
    [
        (Goal.UNLEARN, (ERASE,)),
        (Goal.UNLEARN, (Change(subject="paris", relation="capital_of", old_object="france"),)),
        (Goal.UNLEARN, (Change(subject="lyon", relation="located_in", old_object="europe"),)),
        (Goal.UNLEARN, (Change(subject="lyon", relation="city_currency", old_object="euro"),)),
        (Goal.EDIT, (Change(subject="ann", relation="spouse", old_object="bob", new_object="carla"),)),
        (Goal.EDIT, (Change(subject="bob", relation="parent_of", new_object="finn"),)),
        (Goal.EDIT, (Change(subject="peru", relation="uses_currency", new_object="yen"), MOVE)),
    ],
)
def test_worlds_and_answers_agree_with_the_hand_closed_ones(
    store: GraphStore,
    graph_id: str,
    lexicon: Lexicon,
    facts: list[Triple],
    relations: list[Relation],
    oracle: Any,
    goal: Goal,
    changes: tuple[Change, ...],
) -> None:
    plan = make_plan(store, _request(graph_id, *changes, goal=goal))
    _check_against_oracle(plan, facts, relations, oracle)
    gone = {(c.subject, c.relation, c.old_object) for c in changes if c.old_object}
    assert gone <= _triples(plan.overlay + plan.derived, WorldOp.RETRACT)


def test_a_symmetric_functional_edit_frees_both_partners(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    change = Change(subject="ann", relation="spouse", old_object="bob", new_object="carla")
    plan = make_plan(store, _request(graph_id, change))
    assert _triples(plan.overlay, WorldOp.RETRACT) == {("ann", "spouse", "bob"), ("carla", "spouse", "dan")}


def test_unlearning_what_follows_from_two_facts_cuts_the_cheaper_one(
    store: GraphStore, graph_id: str, lexicon: Lexicon
) -> None:
    change = Change(subject="lyon", relation="city_currency", old_object="euro")
    plan = make_plan(store, _request(graph_id, change, goal=Goal.UNLEARN))
    assert _triples(plan.overlay, WorldOp.RETRACT) == {("lyon", "city_of", "france")}
    assert plan.overlay[0].proof.rule == "support"


def test_a_second_edit_starts_from_the_branch_world(
    store: GraphStore, graph_id: str, lexicon: Lexicon, facts: list[Triple], relations: list[Relation], oracle: Any
) -> None:
    first = make_plan(store, _request(graph_id, MOVE))
    back = Change(subject="paris", relation="capital_of", old_object="germany", new_object="japan")
    with pytest.raises(FactNotFound):
        make_plan(store, _request(graph_id, back))
    second = make_plan(store, _request(graph_id, back, overlay=first.overlay))
    _check_against_oracle(second, facts, relations, oracle, overlay=first.overlay)
    assert ("paris", "capital_of", "germany") in _triples(second.overlay, WorldOp.RETRACT)
    assert ("japan", "has_capital", "tokyo") in _triples(second.overlay, WorldOp.RETRACT)


def test_planning_leaves_no_trace(
    store: GraphStore, graph_id: str, lexicon: Lexicon, dump: Callable[[], str], facts: list[Triple]
) -> None:
    graph_before = dump()
    with store.what_if() as tx:
        tx.rows(
            "worlds/update", graph_id=graph_id, asserts=[["ann", "SPOUSE", "dan", "x"]], retracts=[]
        )  # a write that another session must not see
        make_plan(store, _request(graph_id, MOVE))
        assert dump() == graph_before
    assert dump() == graph_before
    assert len(store.read("graphs/facts", graph_id=graph_id)) == len(set(facts))


def test_the_same_request_gives_the_same_plan_in_any_order(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    other = Change(subject="kenya", relation="uses_currency", old_object="shilling", new_object="sol")
    one = make_plan(store, _request(graph_id, MOVE, other, seed=7))
    two = make_plan(store, _request(graph_id, other, MOVE, seed=7))
    assert one == two
    assert one.digest == digest_of(one) == digest_of(replace(one, digest="x"))
    assert make_plan(store, _request(graph_id, MOVE, other, seed=8)).digest != one.digest


def test_the_ledger_has_no_gaps_and_runs_outwards(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    plan = make_plan(store, _request(graph_id, MOVE))
    assert [slot.seq for slot in plan.slots] == list(range(1, len(plan.slots) + 1))
    order = [(slot.hops is None, slot.hops or 0, slot.entity, slot.kind.value) for slot in plan.slots]
    assert order == sorted(order)
    assert len({(s.entity, s.fact_id, s.kind, s.polarity) for s in plan.slots}) == len(plan.slots)
    ids = [probe_id for slot in plan.slots for probe_id in slot.probe_ids]
    assert ids == [planned.probe.id for planned in plan.probes]
    assert len(set(ids)) == len(ids)
    slots = {slot.seq: slot for slot in plan.slots}
    for planned in plan.probes:
        slot = slots[planned.row_seq]
        assert (slot.entity, slot.kind, slot.polarity) == (planned.probe.anchor, planned.probe.kind, planned.polarity)
        assert (slot.hops, slot.nearest_target) == (planned.hops, planned.nearest_target)


def test_hops_are_undirected_and_unknown_where_nothing_connects(
    store: GraphStore, graph_id: str, lexicon: Lexicon
) -> None:
    plan = make_plan(store, _request(graph_id, MOVE, max_probes=40))
    hops = {planned.probe.anchor: (planned.hops, planned.nearest_target) for planned in plan.probes}
    assert hops["paris"] == (0, "paris")
    assert hops["germany"] == (0, "germany")
    assert hops.get("berlin", (1, "germany")) == (1, "germany")
    assert hops.get("lyon", (1, "france")) == (1, "france")
    for person in {"ann", "bob", "carla", "dan", "eve", "gold", "iron"} & hops.keys():
        assert hops[person] == (None, "")


def test_the_budget_is_kept_and_a_part_of_it_is_far(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    for budget in (5, 20, 40, 500):
        plan = make_plan(store, _request(graph_id, MOVE, max_probes=budget))
        assert len(plan.probes) <= min(budget, 40)
        far = [p for p in plan.probes if p.hops is None or p.hops > 2]
        assert len(far) >= round(0.2 * len(plan.probes))


@pytest.mark.parametrize(
    ("changes", "goal", "error"),
    [
        ((), Goal.EDIT, InvalidInput),
        ((ERASE,), Goal.EDIT, InvalidInput),
        ((MOVE,), Goal.UNLEARN, InvalidInput),
        ((Change(subject="paris", relation="capital_of", new_object="paris"),), Goal.EDIT, InvalidInput),
        ((Change(subject="nowhere", relation="capital_of", new_object="peru"),), Goal.EDIT, EntityNotFound),
        ((Change(subject="paris", relation="`DROP`", new_object="peru"),), Goal.EDIT, RelationNotFound),
        ((Change(subject="paris", relation="capital_of", old_object="peru"),), Goal.UNLEARN, FactNotFound),
        ((Change(subject="paris", relation="capital_of", new_object="france"),), Goal.EDIT, NothingToChange),
        ((MOVE, replace(MOVE, new_object="peru")), Goal.EDIT, ConflictingChanges),
    ],
)
def test_requests_that_cannot_be_meant_are_refused(
    store: GraphStore, graph_id: str, lexicon: Lexicon, changes: tuple[Change, ...], goal: Goal, error: type[Exception]
) -> None:
    with pytest.raises(error):
        make_plan(store, _request(graph_id, *changes, goal=goal))
    with pytest.raises(InvalidInput, match="at least one probe"):
        make_plan(store, _request(graph_id, MOVE, max_probes=0))


def test_a_retraction_against_its_own_assertion_is_a_conflict(store: GraphStore, graph_id: str, writer: Any) -> None:
    relations = [Relation(name="t", rel_type="T", traits=Traits(transitive=True))]
    writer(graph_id, [Entity(uid=n, name=n) for n in "abc"], relations, [("a", "t", "c")])
    changes = (
        Change(subject="a", relation="t", old_object="c", new_object="b"),
        Change(subject="b", relation="t", new_object="c"),
    )
    with pytest.raises(ConflictingChanges, match="still follows"):
        make_plan(store, _request(graph_id, *changes))


def test_a_world_without_words_has_no_probes(store: GraphStore, graph_id: str, writer: Any) -> None:
    relations = [Relation(name="t", rel_type="T")]
    writer(graph_id, [Entity(uid=n, name=n) for n in "abc"], relations, [("a", "t", "b"), ("b", "t", "c")])
    with pytest.raises(ProbeSetEmpty):
        make_plan(store, _request(graph_id, Change(subject="a", relation="t", old_object="b", new_object="c")))


def test_plans_survive_other_writers(store: GraphStore, graph_id: str, lexicon: Lexicon) -> None:
    """Plans write to the same entities in transactions of their own; deadlocks between them are tried again."""
    expected = make_plan(store, _request(graph_id, MOVE))
    with ThreadPoolExecutor(max_workers=6) as pool:
        plans = [pool.submit(make_plan, store, _request(graph_id, MOVE)) for _ in range(6)]
    assert [plan.result() for plan in plans] == [expected] * 6
