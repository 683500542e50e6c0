"""No true distractor on deep graphs, rings and all-some relations, by searches that know nothing of rounds."""

from __future__ import annotations

from itertools import pairwise

from tests.graph_schema.oracle.judge import named
from tests.graph_schema.oracle.reasoning import Triple
from tests.graph_schema.oracle.worlds import imported
from tests.names import fresh_graph

from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Relation, Traits, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan, WorldOp
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

IS_A, PART_OF, INSIDE = "is_a", "part_of", "inside"
RELATIONS = [
    Relation(name=IS_A, rel_type="", traits=Traits(transitive=True, hierarchical=True)),
    Relation(
        name=PART_OF, rel_type="", traits=Traits(transitive=True, compositions=((PART_OF, IS_A), (IS_A, PART_OF)))
    ),
    Relation(name=INSIDE, rel_type="", traits=Traits(sub_of=(PART_OF,))),
]
CHAIN = [f"kind{n:02}" for n in range(34)]
RING = [f"loop{n}" for n in range(6)]


def _facts() -> list[Triple]:
    """A chain of 33 links with a sprig at every third, parts at both ends and inside, and a ring below a link."""
    facts = [(one, IS_A, other) for one, other in pairwise(CHAIN)]
    facts += [(f"sprig{n:02}", IS_A, CHAIN[n]) for n in range(0, 34, 3)]
    facts += [(one, IS_A, other) for one, other in zip(RING, [*RING[1:], RING[0]], strict=True)]
    facts += [(RING[0], IS_A, CHAIN[20])]
    facts += [("bolt", INSIDE, CHAIN[30]), ("thread", PART_OF, "bolt"), (CHAIN[5], PART_OF, "frame00")]
    facts += [(f"frame{n:02}", IS_A, f"frame{n + 1:02}") for n in range(8)]
    return facts


def _true(facts: set[Triple]) -> set[Triple]:
    """Searches from every entity: over is_a; and over both with at least one part on the way."""
    found = set(facts)
    steps: dict[str, list[tuple[str, bool]]] = {}
    for s, r, o in facts:
        steps.setdefault(s, []).append((o, r != IS_A))
    for start in {uid for s, _, o in facts for uid in (s, o)}:
        seen, todo = {(start, False)}, [(start, False)]
        while todo:
            uid, part = todo.pop()
            fresh = {(other, part or is_part) for other, is_part in steps.get(uid, ())} - seen
            seen |= fresh
            todo += fresh
        found |= {(start, PART_OF if part else IS_A, end) for end, part in seen if end != start}
    return found


def _stated(probe: Probe, uid: str, uids: list[str], graph_id: str) -> list[Triple]:
    """What a wrong option would say, were it right; a false statement is found by its id."""
    relation = probe.path[0].removeprefix("~")
    if probe.kind is ProbeKind.CONFLICT:
        wanted = probe.fact_ids[0]
        return [
            (probe.anchor, relation, obj) for obj in uids if fact_id(graph_id, probe.anchor, relation, obj) == wanted
        ]
    ends = (uid, probe.anchor) if probe.path[0].startswith("~") else (probe.anchor, uid)
    return [(ends[0], relation, ends[1])]


def _check(probe: Probe, answers: tuple[int, ...], true: set[Triple], uids: list[str], graph_id: str) -> int:
    """How many options were judged."""
    if len(probe.path) > 1:
        return 0
    for position, uid in enumerate(probe.option_uids):
        for fact in _stated(probe, uid, uids, graph_id):
            right = position in answers
            said = right == (uid == "true") if probe.kind is ProbeKind.CONFLICT else right
            assert (fact in true) == said, (probe, fact)
    return len(probe.option_uids)


def test_sets_and_plans_of_a_deep_graph_hold_no_true_distractor(store: GraphStore) -> None:
    graph_id, facts = fresh_graph(__name__), _facts()
    uids = sorted({uid for s, _, o in facts for uid in (s, o)})
    entities = [named(uid, uid.title(), "Thing") for uid in uids]
    with imported(store, graph_id, entities, RELATIONS, facts):
        data = generate(store, graph_id=graph_id)
        judged = sum(_check(p, p.answers, _true(set(facts)), uids, graph_id) for p in data.probes)
        assert judged > 500
        move = Change(subject=CHAIN[17], relation=IS_A, old_object=CHAIN[18], new_object="frame03")
        request = PlanRequest(graph_id=graph_id, branch_id="main", goal=Goal.EDIT, changes=(move,))
        _check_plan(make_plan(store, request), facts, uids)
        derived = Change(subject=CHAIN[0], relation=IS_A, old_object=CHAIN[33])
        request = PlanRequest(graph_id=graph_id, branch_id="main", goal=Goal.UNLEARN, changes=(derived,))
        plan = make_plan(store, request)
        assert len([c for c in plan.overlay if c.op is WorldOp.RETRACT]) == 1, "one link breaks a chain of 33"
        _check_plan(plan, facts, uids)


def _check_plan(plan: Plan, facts: list[Triple], uids: list[str]) -> None:
    """Both worlds are those of the searches, and so is every option of every question in both."""
    moved = {op: {(c.subject, c.relation, c.object) for c in plan.overlay if c.op is op} for op in WorldOp}
    worlds = [_true(set(facts)), _true((set(facts) - moved[WorldOp.RETRACT]) | moved[WorldOp.ASSERT])]
    changed = {
        op: {(c.subject, c.relation, c.object) for c in (*plan.overlay, *plan.derived) if c.op is op} for op in WorldOp
    }
    assert changed == {WorldOp.RETRACT: worlds[0] - worlds[1], WorldOp.ASSERT: worlds[1] - worlds[0]}
    for planned in plan.probes:
        for answers, true in ((planned.before, worlds[0]), (planned.after, worlds[1])):
            _check(planned.probe, answers, true, uids, plan.graph_id)
