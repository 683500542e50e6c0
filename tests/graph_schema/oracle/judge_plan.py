"""Judges a whole plan: its two worlds, what it retracts and why nothing less would do, its probes and its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.graph_schema.oracle.judge import Judge
from tests.graph_schema.oracle.reasoning import Triple, hops
from tests.graph_schema.oracle.worlds import World

from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.plans import Plan, WorldChange, WorldOp
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, ProbeKind

Clash = tuple[str, str, frozenset[str]]


def triples(changes: Iterable[WorldChange], op: WorldOp) -> set[Triple]:
    return {(c.subject, c.relation, c.object) for c in changes if c.op is op}


def clashes(truth: Iterable[Triple], world: World) -> Iterator[Clash]:
    """Pairs of facts that a functional or inverse-functional relation does not allow beside each other."""
    by_subject: dict[tuple[str, str], set[str]] = {}
    by_object: dict[tuple[str, str], set[str]] = {}
    for s, r, o in truth:
        by_subject.setdefault((r, s), set()).add(o)
        by_object.setdefault((r, o), set()).add(s)
    for (r, s), objects in by_subject.items():
        if world.relations[r].traits.functional:
            yield from ((f"{r} {s}", "objects", frozenset({a, b})) for a in objects for b in objects if a < b)
    for (r, o), subjects in by_object.items():
        if world.relations[r].traits.inverse_functional:
            yield from ((f"{r} {o}", "subjects", frozenset({a, b})) for a in subjects for b in subjects if a < b)


def ways(fact: Triple, world: World) -> set[Triple]:
    """The fact, and the fact that says the same the other way round."""
    s, r, o = fact
    traits = world.relations[r].traits
    found = {fact}
    if traits.symmetric:
        found.add((o, r, s))
    if traits.inverse_of:
        found.add((o, traits.inverse_of, s))
    return found


def check_plan(plan: Plan, world: World) -> None:
    """Everything that the brute-force worlds can say about a plan.

    Raises:
        AssertionError: the plan says something else.
    """
    asserts, retracts = triples(plan.overlay, WorldOp.ASSERT), triples(plan.overlay, WorldOp.RETRACT)
    after = world.after(asserts=asserts, retracts=retracts)
    judge = Judge(worlds=(world, after))
    _check_worlds(plan, world, after)
    _check_retracts(plan, world, after)
    near = hops(world.facts, _endpoints(plan))
    for planned in plan.probes:
        _check_probe(planned, judge, near, plan)
    assert sorted({planned.row_seq for planned in plan.probes}) == [slot.seq for slot in plan.slots]
    assert [slot.seq for slot in plan.slots] == list(range(1, len(plan.slots) + 1))
    reached = [slot.hops for slot in plan.slots if slot.hops is not None]
    assert reached == sorted(reached)


def _endpoints(plan: Plan) -> set[str]:
    return {uid for c in plan.targets for uid in (c.subject, c.old_object, c.new_object) if uid}


def _check_worlds(plan: Plan, world: World, after: World) -> None:
    lost, gained = world.true - after.true, after.true - world.true
    changed = (*plan.overlay, *plan.derived)
    assert triples(changed, WorldOp.RETRACT) == lost
    assert triples(changed, WorldOp.ASSERT) == gained
    wanted = {(c.subject, c.relation, c.new_object) for c in plan.targets if c.new_object}
    assert triples(plan.overlay, WorldOp.ASSERT) == wanted - world.true
    assert wanted <= after.true
    assert triples(plan.overlay, WorldOp.RETRACT) <= world.facts
    for change in changed:
        assert change.fact_id == fact_id(plan.graph_id, change.subject, change.relation, change.object)


def _gone(plan: Plan, world: World) -> set[Triple]:
    """What must not hold afterwards: what was asked for, and what the new facts displace."""
    gone = {(c.subject, c.relation, c.old_object) for c in plan.targets if c.old_object}
    new = triples(plan.overlay, WorldOp.ASSERT)
    for s, r, o in {way for fact in new for way in ways(fact, world)}:
        traits = world.relations[r].traits
        for s2, r2, o2 in world.true:
            if r2 == r and (
                (traits.functional and s2 == s and o2 != o) or (traits.inverse_functional and o2 == o and s2 != s)
            ):
                gone.add((s2, r2, o2))
    return gone


def _check_retracts(plan: Plan, world: World, after: World) -> None:
    """What must go is gone, and giving back any retracted fact would bring some of it back."""
    gone = _gone(plan, world)
    assert gone.isdisjoint(after.true)
    present = set(clashes(after.true, world))
    for fact in triples(plan.overlay, WorldOp.RETRACT):
        richer = after.after(asserts={fact}, retracts=()).true
        assert not gone.isdisjoint(richer) or set(clashes(richer, world)) - present, f"{fact} could have stayed"


def _check_probe(planned: PlannedProbe, judge: Judge, near: dict[str, int], plan: Plan) -> None:
    probe = planned.probe
    judge.check(probe, (planned.before, planned.after))
    before, after = (judge.answers(probe, truth) for truth in judge.truths)
    assert (before != after) == (planned.polarity is Polarity.CHANGE), planned
    assert probe.answers == planned.before
    assert planned.hops == near.get(probe.anchor), planned
    if planned.hops is not None:
        assert planned.nearest_target in _endpoints(plan)
        assert hops(judge.graph.facts, {planned.nearest_target})[probe.anchor] == planned.hops
    if probe.kind is ProbeKind.CONTEXTUAL:
        assert planned.polarity is Polarity.STAY
    if planned.polarity is Polarity.CHANGE and probe.kind is not ProbeKind.CONFLICT:
        shown = set(probe.option_uids)
        assert not before - after or (before - after) & shown, "the old answer is an option"
        assert not after - before or (after - before) & shown, "the new answer is an option"
    assert plan.goal in Goal
