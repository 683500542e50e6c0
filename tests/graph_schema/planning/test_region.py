"""Plans that close only what an update reaches, against closures of the whole graph and naive forward chaining."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.graph_schema.planning.conftest import describe
from tests.graph_schema.planning.proofs import ProofNode, proof_trees
from tests.names import fresh_graph

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.errors import ConflictingChanges, ProbeSetEmpty
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.planning import planner as planning
from knowledgesmith.graph_schema.planning import visibility
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.reasoning.explanations import ASSERTED
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Relation, Split, Template, Traits, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan, WorldOp
from knowledgesmith.graph_schema.worlds.what_if import RegionTooLarge
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache

NODES = "pqrstuvwxy"
NAMES = ["a", "b", "t", "it", "s", "c", "d", "e"]


def _words(name: str) -> tuple[Template, ...]:
    ahead, back, ev = Direction.FORWARD, Direction.REVERSE, Split.EVAL
    return (
        Template(direction=ahead, split=ev, form=Form.CLOZE, text=f"the {name} of {{s}} is"),
        Template(direction=ahead, split=ev, form=Form.STATEMENT, text=f"the {name} of {{s}} is {{o}}."),
        Template(direction=ahead, split=ev, form=Form.PHRASE, text=f"the {name} of {{s}}"),
        Template(direction=back, split=ev, form=Form.CLOZE, text=f"{{o}} is {name} of"),
        Template(direction=back, split=ev, form=Form.PHRASE, text=f"what has the {name} {{o}}"),
    )


def _relation(name: str, **traits: Any) -> Relation:
    return Relation(name=name, rel_type="", traits=Traits(**traits), templates=_words(name))


RELATIONS = list(
    build_catalogue(
        [
            _relation("a", inverse_of="b"),
            _relation("b"),
            _relation("t", transitive=True, inverse_of="it"),
            _relation("it", transitive=True),
            _relation("s", symmetric=True),
            _relation("c", composed_of=("a", "t")),
            _relation("d", composed_of=("c", "s"), compositions=(("t", "d"),)),
            _relation("e", sub_of=("t", "c")),
        ]
    ).values()
)

FACT = st.tuples(st.sampled_from(NODES), st.sampled_from(NAMES), st.sampled_from(NODES)).filter(lambda t: t[0] != t[2])


@st.composite
def _cases(draw: st.DrawFn) -> tuple[list[Triple], Goal, list[Change]]:
    """A graph with cycles and several parents, and changes of some of its facts."""
    facts = draw(st.lists(FACT, min_size=3, max_size=22, unique=True))
    goal = draw(st.sampled_from(list(Goal)))
    count = draw(st.integers(min_value=1, max_value=min(3, len(facts))))
    changes: list[Change] = []
    for subject, relation, obj in facts[:count]:
        new = draw(st.sampled_from([n for n in NODES if n not in (subject, obj)]))
        changes.append(
            Change(subject=subject, relation=relation, old_object=obj, new_object=new if goal is Goal.EDIT else "")
        )
    return facts, goal, changes


def _outcome(store: GraphStore, request: PlanRequest, cache: WorldCache) -> Plan | str:
    try:
        return make_plan(store, request, worlds=cache)
    except (ConflictingChanges, ProbeSetEmpty) as error:
        return f"{type(error).__name__}: {error}"


def _whole(store: GraphStore, request: PlanRequest, cache: WorldCache) -> Plan | str:
    """The same plan by closing the whole graph in both worlds."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise RegionTooLarge

    with pytest.MonkeyPatch.context() as patch:
        inside = planning._look_inside  # pyright: ignore[reportPrivateUsage]

        def look(*args: Any, whole: Any, **more: Any) -> Any:
            return refuse() if whole is None else inside(*args, whole=whole, **more)

        patch.setattr(planning, "_look_inside", look)
        return _outcome(store, request, cache)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(case=_cases(), most=st.sampled_from([2, visibility.MAX_ANSWERS]))
def test_the_region_gives_the_plan_of_the_whole_graph(
    store: GraphStore, writer: Any, oracle: Any, case: tuple[list[Triple], Goal, list[Change]], most: int
) -> None:
    facts, goal, changes = case
    graph_id = fresh_graph(__name__)
    writer(graph_id, [Entity(uid=n, name=f"node {n}") for n in NODES], RELATIONS, facts)
    request = PlanRequest(graph_id=graph_id, branch_id="main", goal=goal, changes=tuple(changes), max_probes=300)
    cache = WorldCache()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visibility, "MAX_ANSWERS", most)  # two make hubs of the nodes of a small graph
        plan = _outcome(store, request, cache)
        assert plan == _whole(store, request, cache)
    if isinstance(plan, str):
        return
    asserted = {c.fact_id: (c.subject, c.relation, c.object) for c in plan.overlay if c.op is WorldOp.ASSERT}
    retracted = {(c.subject, c.relation, c.object) for c in plan.overlay if c.op is WorldOp.RETRACT}
    before = oracle(facts, RELATIONS)
    after = oracle((set(facts) - retracted) | set(asserted.values()), RELATIONS)
    moved = {
        op: {(c.subject, c.relation, c.object) for c in plan.overlay + plan.derived if c.op is op} for op in WorldOp
    }
    assert moved == {WorldOp.RETRACT: before - after, WorldOp.ASSERT: after - before}
    for node in proof_trees(plan):
        _check_proof(node)


def _check_proof(node: ProofNode) -> None:
    """A proof ends in asserted facts or in what the request says, within a few rules and a displacement."""
    if not node.premises:
        assert node.rule in {ASSERTED, "request"}, node
    for premise in node.premises:
        _check_proof(premise)


def test_a_cached_world_follows_imports_and_overlays(
    store: GraphStore, graph_id: str, lexicon: Lexicon, facts: list[Triple], writer: Any, relations: list[Relation]
) -> None:
    cache = WorldCache()
    change = Change(subject="ann", relation="spouse", old_object="bob", new_object="carla")
    request = PlanRequest(graph_id=graph_id, branch_id="main", goal=Goal.EDIT, changes=(change,))
    first = make_plan(store, request, worlds=cache)
    assert make_plan(store, request, worlds=cache) == first == make_plan(store, request)
    there = PlanRequest(graph_id=graph_id, branch_id="main", goal=Goal.EDIT, changes=(change,), overlay=first.overlay)
    assert cache.world(store, graph_id=graph_id, overlay=first.overlay).find(("ann", "spouse", "carla"))
    back = Change(subject="ann", relation="spouse", old_object="carla", new_object="bob")
    second = make_plan(store, replace(there, changes=(back,)), worlds=cache)
    assert second.overlay[0].object == "carla"
    store.write(
        "archive/load_facts",
        graph_id=graph_id,
        rows=[["eve", "finn", "SPOUSE", fact_id(graph_id, "eve", "spouse", "finn"), "test"]],
    )
    store.write_transaction(lambda tx: describe(tx, graph_id, digest="e" * 64))
    assert cache.world(store, graph_id=graph_id, overlay=()).find(("finn", "spouse", "eve"))
    assert make_plan(store, request, worlds=cache) == make_plan(store, request)
