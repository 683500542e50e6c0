"""The closure in Cypher against naive forward chaining."""

from __future__ import annotations

import uuid
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledgesmith.graph_schema.closure import AFTER, BEFORE, Triple, clear, close, leaves, rules_of
from knowledgesmith.graph_schema.errors import InvalidCatalogue
from knowledgesmith.graph_schema.facts import Entity, Relation, Traits
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.store import GraphStore

PLAIN = [
    Relation(name="a", rel_type="A", traits=Traits(inverse_of="b")),
    Relation(name="b", rel_type="B"),
    Relation(name="t", rel_type="T", traits=Traits(transitive=True)),
    Relation(name="s", rel_type="S", traits=Traits(symmetric=True)),
    Relation(name="c", rel_type="C", traits=Traits(composed_of=("a", "t"))),
]


def _closed(store: GraphStore, graph_id: str, relations: list[Relation]) -> dict[str, Any]:
    with store.what_if() as tx:
        return dict(close(tx, graph_id=graph_id, rules=rules_of(relations)))


def test_the_small_world_is_closed_as_by_hand(
    store: GraphStore, graph_id: str, lexicon: Lexicon, facts: list[Triple], relations: list[Relation], oracle: Any
) -> None:
    derived = _closed(store, graph_id, relations)
    assert {fact.triple for fact in derived.values()} == oracle(facts, relations) - set(facts)
    assert ("paris", "capital_of", "france") in {fact.triple for fact in derived.values()}


def test_every_proof_ends_in_asserted_facts(
    store: GraphStore, graph_id: str, lexicon: Lexicon, facts: list[Triple], relations: list[Relation]
) -> None:
    derived = _closed(store, graph_id, relations)
    asserted = {row["fact_id"] for row in store.read("graph/facts", graph_id=graph_id)}
    for name in derived:
        assert leaves(derived, name) <= asserted
        assert leaves(derived, name)


def test_clearing_a_world_leaves_the_other(
    store: GraphStore, graph_id: str, lexicon: Lexicon, relations: list[Relation]
) -> None:
    rules = rules_of(relations)
    with store.what_if() as tx:
        first = close(tx, graph_id=graph_id, rules=rules, world=BEFORE)
        second = close(tx, graph_id=graph_id, rules=rules, world=AFTER)
        assert first == second
        clear(tx, graph_id=graph_id, derived=second, world=AFTER)
        assert close(tx, graph_id=graph_id, rules=rules, world=BEFORE) == {}
        assert close(tx, graph_id=graph_id, rules=rules, world=AFTER) == second


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    edges=st.lists(
        st.tuples(st.sampled_from("uvwxyz"), st.sampled_from(["a", "b", "t", "s", "c"]), st.sampled_from("uvwxyz")),
        min_size=1,
        max_size=14,
    )
)
def test_small_graphs_with_cycles_and_loops(store: GraphStore, writer: Any, oracle: Any, edges: list[Triple]) -> None:
    graph_id = f"t_{uuid.uuid4().hex}"
    writer(graph_id, [Entity(uid=n, name=n) for n in "uvwxyz"], PLAIN, edges)
    asserted = {edge for edge in edges if edge[0] != edge[2]}
    derived = {fact.triple for fact in _closed(store, graph_id, PLAIN).values()}
    assert derived == oracle(asserted, PLAIN) - asserted


def test_a_long_chain_stops_after_three_rounds(store: GraphStore, graph_id: str, writer: Any) -> None:
    nodes = [f"n{n:02}" for n in range(12)]
    writer(graph_id, [Entity(uid=n, name=n) for n in nodes], PLAIN, [(a, "t", b) for a, b in pairwise(nodes)])
    derived = _closed(store, graph_id, PLAIN)
    lengths = {nodes.index(f.triple[2]) - nodes.index(f.triple[0]) for f in derived.values()}
    assert max(lengths) == 8
    assert {f.round for f in derived.values()} == {1, 2, 3}


def test_a_catalogue_that_refers_to_nothing_is_refused() -> None:
    with pytest.raises(InvalidCatalogue, match="composed"):
        rules_of([Relation(name="c", rel_type="C", traits=Traits(composed_of=("x",)))])
    with pytest.raises(InvalidCatalogue, match="lacks"):
        rules_of([Relation(name="c", rel_type="C", traits=Traits(inverse_of="x"))])


def test_mirrors_say_the_same_the_other_way_round() -> None:
    rules = rules_of(PLAIN)
    assert rules.mirrors(("u", "a", "v")) == {("v", "b", "u"): "inverse"}
    assert rules.mirrors(("u", "s", "v")) == {("v", "s", "u"): "symmetric"}
    assert rules.mirrors(("u", "t", "v")) == {}
