"""Derivations read from the database against brute force: every step of every proof, and cuts that hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.graph_schema.oracle.reasoning import Triple, cheapest_cut, closure, heights, ways

from knowledgesmith.graph_schema.catalogue import to_properties
from knowledgesmith.graph_schema.closure import AFTER, BEFORE, close, rules_of
from knowledgesmith.graph_schema.cuts import find_cut, weights_of
from knowledgesmith.graph_schema.derivations import Derivations, read_derivations, read_loads
from knowledgesmith.graph_schema.facts import Relation, Traits, fact_id
from knowledgesmith.graph_schema.store import GraphStore, Transaction

NODES = "uvwxy"
RELATIONS = [
    Relation(name="a", rel_type="A", traits=Traits(inverse_of="b")),
    Relation(name="b", rel_type="B"),
    Relation(name="t", rel_type="T", traits=Traits(transitive=True)),
    Relation(name="s", rel_type="S", traits=Traits(symmetric=True)),
    Relation(name="c", rel_type="C", traits=Traits(composed_of=("a", "t"))),
]
TYPES = {relation.name: relation.rel_type for relation in RELATIONS}
edges = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(sorted(TYPES)), st.sampled_from(NODES)), min_size=1, max_size=11
)


def _write(tx: Transaction, graph_id: str, facts: Sequence[Triple]) -> None:
    """A graph that exists in this transaction only."""
    tx.rows("graph/relations_replace", graph_id=graph_id, rows=[to_properties(relation) for relation in RELATIONS])
    names = sorted({uid for s, _, o in facts for uid in (s, o)})
    tx.rows("lifecycle/load_entities", graph_id=graph_id, rows=[[uid, uid, "", "", [], False] for uid in names])
    rows = [[s, o, TYPES[r], fact_id(graph_id, s, r, o), "test"] for s, r, o in sorted(set(facts))]
    tx.rows("lifecycle/load_facts", graph_id=graph_id, rows=rows)


@pytest.fixture
def rules() -> Any:
    return rules_of(RELATIONS)


def _reachable(facts: Sequence[Triple], target: Triple) -> tuple[set[Any], set[Triple]]:
    """Steps and facts of all proofs of the target of at most three in height, by following every premise down."""
    height = heights(facts, RELATIONS)
    if target not in height:
        return set(), set()
    every = ways(set(height), RELATIONS)
    steps: set[Any] = set()

    def down(fact: Triple, room: int) -> Iterator[Triple]:
        yield fact
        for head, premises in every:
            if head == fact and all(height[premise] < room for premise in premises):
                steps.add((head, premises))
                for premise in premises:
                    yield from down(premise, room - 1)

    return steps, set(down(target, 3))


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=edges, data=st.data())
def test_every_step_of_every_proof_is_read(store: GraphStore, rules: Any, facts: list[Triple], data: Any) -> None:
    graph_id = f"t_{uuid.uuid4().hex}"
    targets = data.draw(st.lists(st.sampled_from(sorted(closure(facts, RELATIONS))), min_size=1, max_size=3))
    with store.what_if() as tx:
        _write(tx, graph_id, facts)
        close(tx, graph_id=graph_id, rules=rules, world=BEFORE)
        found = read_derivations(tx, graph_id=graph_id, rules=rules, targets=targets, world=BEFORE)
        loads = read_loads(tx, graph_id=graph_id, rules=rules, facts=found.triples, world=BEFORE)
    expected = [_reachable(facts, target) for target in targets]
    inside = {fact: found.triples[fact] for fact in found.triples}
    read = {(inside[step.head], tuple(inside[p] for p in step.premises)) for step in found.steps}
    assert read >= set().union(*(steps for steps, _ in expected))
    assert read <= ways(closure(facts, RELATIONS), RELATIONS)
    assert {inside[fact] for fact in found.asserted} == set(inside.values()) & set(facts)
    every = ways(closure(facts, RELATIONS), RELATIONS)
    assert {inside[f]: n for f, n in loads.items()} == {
        fact: sum(premises.count(fact) for _, premises in every) for fact in inside.values()
    }
    _check_cut(found, facts, targets, loads)


def _check_cut(found: Derivations, facts: Sequence[Triple], targets: Sequence[Triple], loads: dict[str, int]) -> None:
    ids = {triple: fact for fact, triple in found.triples.items()}
    weights = weights_of(found, targets=[ids[target] for target in targets], loads=loads)
    cut = find_cut(found, targets=[ids[target] for target in targets], weights=weights)
    gone = {found.triples[fact] for fact in cut.facts}
    best = cheapest_cut(
        set(facts), RELATIONS, targets=targets, weights={found.triples[f]: w for f, w in weights.items()}
    )
    assert best is not None
    assert cut.weight == best[0]
    assert gone in best[1]


def test_worlds_are_kept_apart(store: GraphStore, graph_id: str, rules: Any) -> None:
    facts: list[Triple] = [("u", "t", "v"), ("v", "t", "w"), ("u", "t", "x"), ("x", "t", "w")]
    with store.what_if() as tx:
        _write(tx, graph_id, facts)
        close(tx, graph_id=graph_id, rules=rules, world=BEFORE)
        row = ["u", "T", "v", fact_id(graph_id, "u", "t", "v")]
        tx.rows("world/update", graph_id=graph_id, asserts=[], retracts=[row])
        close(tx, graph_id=graph_id, rules=rules, world=AFTER)
        target = ("u", "t", "w")
        before = read_derivations(tx, graph_id=graph_id, rules=rules, targets=[target], world=BEFORE)
        after = read_derivations(tx, graph_id=graph_id, rules=rules, targets=[target], world=AFTER)
    assert len(before.steps) == 2
    assert len(after.steps) == 1
    assert {after.triples[fact] for fact in after.asserted} == {("u", "t", "x"), ("x", "t", "w")}


def test_facts_that_do_not_hold_have_no_steps(store: GraphStore, graph_id: str, rules: Any) -> None:
    with store.what_if() as tx:
        _write(tx, graph_id, [("u", "t", "v"), ("v", "t", "v")])
        close(tx, graph_id=graph_id, rules=rules, world=BEFORE)
        found = read_derivations(
            tx, graph_id=graph_id, rules=rules, targets=[("v", "t", "u"), ("v", "t", "v")], world=BEFORE
        )
    assert found.steps == ()
    assert {found.triples[fact] for fact in found.asserted} == {("v", "t", "v")}
