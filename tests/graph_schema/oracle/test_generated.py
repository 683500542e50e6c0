"""Graphs drawn at random, imported for real: everything that the database answers is compared with brute force."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.graph_schema.oracle.judge_plan import check_plan
from tests.graph_schema.oracle.judge_set import check_set
from tests.graph_schema.oracle.reasoning import Triple, depths, heights, hierarchy, levels
from tests.graph_schema.oracle.strategies import Drawn, graphs
from tests.graph_schema.oracle.worlds import World, imported, load, remove
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import ConflictingChanges, NothingToChange, ProbeSetEmpty
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation
from knowledgesmith.graph_schema.types.interventions import Change, Goal

real = settings(
    deadline=None,
    derandomize=True,
    # every example is a real import and the graphs are small: shrinking one takes minutes and gains little
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _fresh() -> str:
    return fresh_graph(__name__)


def _check_import(drawn: Drawn, world: World) -> None:
    """Every fact is stored, or its other way of saying is; nothing else is."""
    given_facts = set(drawn.facts)
    assert world.facts <= given_facts
    relations = list(world.relations.values())
    for s, r, o in given_facts - world.facts:
        traits = world.relations[r].traits
        assert (o, r if traits.symmetric else traits.inverse_of, s) in world.facts
    proper = {fact for fact in given_facts if fact[0] != fact[2]}
    assert proper <= heights(world.facts, relations).keys()


def _check_closure(store: GraphStore, world: World) -> None:
    relations = list(world.relations.values())
    with store.what_if() as tx:
        derived = close(tx, graph_id=world.graph_id, rules=rules_of(relations), world=BEFORE)
    found = {fact.triple: fact.round for fact in derived.values()}
    assert found == {fact: height for fact, height in heights(world.facts, relations).items() if height}


def _check_levels(store: GraphStore, world: World) -> None:
    links = hierarchy(world.facts, world.relations.values())
    expected = {uid: level.value for uid, level in levels(world.entities, links).items()}
    assert {row["uid"]: row["level"] for row in store.read("graphs/entities", graph_id=world.graph_id)} == expected
    text = "MATCH (e:Entity {graph_id: $g}) WHERE e.depth IS NOT NULL RETURN e.uid AS uid, e.depth AS depth"
    _, rows = store.run_user_query(text, {"g": world.graph_id}, limit=100, timeout_s=10)
    assert {row["uid"]: row["depth"] for row in rows} == depths(links)


@settings(real, max_examples=25)
@given(drawn=graphs(), seed=st.integers(0, 3))
def test_import_closure_levels_and_probes(store: GraphStore, drawn: Drawn, seed: int) -> None:
    with imported(store, _fresh(), drawn.entities, drawn.relations, drawn.facts) as world:
        _check_import(drawn, world)
        _check_closure(store, world)
        _check_levels(store, world)
        check_set(generate(store, graph_id=world.graph_id, seed=seed), world)


@st.composite
def changes(draw: st.DrawFn, world: World) -> Change:
    """An insertion, a change or an erasure of a fact, asserted or derived."""
    true = sorted(fact for fact in world.true if fact[0] != fact[2])
    uids = sorted(world.entities)
    old: Triple | None = draw(st.none() | st.sampled_from(true)) if true else None
    subject = old[0] if old else draw(st.sampled_from(uids))
    relation = old[1] if old else draw(st.sampled_from(sorted(world.relations)))
    others = [uid for uid in uids if uid != subject and (old is None or uid != old[2])]
    erase = old is not None and draw(st.booleans())
    new = "" if erase else draw(st.sampled_from(others))
    return Change(subject=subject, relation=relation, old_object=old[2] if old else "", new_object=new)


@settings(real, max_examples=25)
@given(drawn=graphs(), data=st.data())
def test_plans_of_edits_and_erasures(store: GraphStore, drawn: Drawn, data: Any) -> None:
    with imported(store, _fresh(), drawn.entities, drawn.relations, drawn.facts) as world:
        change = data.draw(changes(world))
        goal = Goal.EDIT if change.new_object else Goal.UNLEARN
        request = PlanRequest(graph_id=world.graph_id, branch_id="main", goal=goal, changes=(change,), seed=1)
        try:
            plan = make_plan(store, request)
        except NothingToChange:
            assert not change.old_object
            assert (change.subject, change.relation, change.new_object) in world.true
        except ConflictingChanges:
            assert goal is Goal.EDIT, "nothing protects a fact from an erasure"
        except ProbeSetEmpty:
            pass
        else:
            check_plan(plan, world)


@settings(real, max_examples=6)
@given(drawn=graphs(), data=st.data())
def test_the_order_of_import_changes_no_digest(store: GraphStore, drawn: Drawn, data: Any) -> None:
    graph_id, found = _fresh(), set[tuple[str, str]]()

    def shuffled(rows: Any) -> Any:
        return data.draw(st.permutations(rows))

    try:
        for order in (list, shuffled):
            entities: list[Entity] = order(drawn.entities)
            relations: list[Relation] = order(drawn.relations)
            facts: list[Triple] = order(drawn.facts)
            digest = load(store, graph_id, entities, relations, facts)
            found.add((digest, generate(store, graph_id=graph_id, seed=2).digest))
            remove(store.uri, graph_id)
    finally:
        remove(store.uri, graph_id)
    assert len(found) == 1
