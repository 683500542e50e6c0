"""The closure in Cypher against naive forward chaining."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.graph_schema.oracle.reasoning import heights, ways
from tests.names import fresh_graph

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.errors import InvalidCatalogue, TooLarge
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.verification.reach import judge_reach
from knowledgesmith.graph_schema.probes.verification.verify import judge
from knowledgesmith.graph_schema.reasoning import forward_chaining
from knowledgesmith.graph_schema.reasoning.closure import AFTER, BEFORE, Triple, clear, close, leaves, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits, fact_id

PLAIN = [
    Relation(name="a", rel_type="A", traits=Traits(inverse_of="b")),
    Relation(name="b", rel_type="B"),
    Relation(name="t", rel_type="T", traits=Traits(transitive=True)),
    Relation(name="s", rel_type="S", traits=Traits(symmetric=True)),
    Relation(name="c", rel_type="C", traits=Traits(composed_of=("a", "t"), compositions=(("t", "c"), ("c", "s")))),
    Relation(name="p", rel_type="P", traits=Traits(transitive=True)),
    Relation(name="q", rel_type="Q", traits=Traits(sub_of=("p", "s"))),
]
NAMES = [relation.name for relation in PLAIN]


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
    asserted = {row["fact_id"] for row in store.read("graphs/facts", graph_id=graph_id)}
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
        subjects = sorted({fact.triple[0] for fact in first.values()})
        left = [tx.rows("reasoning/clear", graph_id=graph_id, world=w, subjects=subjects) for w in (AFTER, BEFORE)]
        assert [rows[0]["removed"] for rows in left] == [0, len(first)]
        assert close(tx, graph_id=graph_id, rules=rules, world=AFTER) == second


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    edges=st.lists(
        st.tuples(st.sampled_from("uvwxyz"), st.sampled_from(NAMES), st.sampled_from("uvwxyz")),
        min_size=1,
        max_size=14,
    )
)
def test_small_graphs_with_cycles_and_loops(store: GraphStore, writer: Any, oracle: Any, edges: list[Triple]) -> None:
    graph_id = fresh_graph(__name__)
    writer(graph_id, [Entity(uid=n, name=n) for n in "uvwxyz"], PLAIN, edges)
    asserted = {edge for edge in edges if edge[0] != edge[2]}
    derived = {fact.triple for fact in _closed(store, graph_id, PLAIN).values()}
    assert derived == oracle(asserted, PLAIN) - asserted


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    edges=st.lists(
        st.tuples(st.sampled_from("uvwxyz"), st.sampled_from(NAMES), st.sampled_from("uvwxyz")), min_size=1, max_size=12
    ),
    joins=st.sampled_from([1, 7, 1 << 20]),
)
def test_every_round_and_proof_is_that_of_brute_force(edges: list[Triple], joins: int) -> None:
    """However few pairs are joined at a time: the height of the lowest proof, and such a proof."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forward_chaining, "_JOINS", joins)
        derived = forward_chaining.derive(edges, graph_id="g", rules=rules_of(PLAIN))
    height = {fact: n for fact, n in heights(edges, PLAIN).items() if fact[0] != fact[2]}
    assert {fact.triple: fact.round for fact in derived.values()} == {fact: n for fact, n in height.items() if n}
    names = {fact_id("g", *fact): fact for fact in height}
    steps = ways(set(height), PLAIN)
    for name, fact in derived.items():
        assert name == fact.fact_id == fact_id("g", *fact.triple)
        premises = tuple(names[premise] for premise in fact.premises)
        assert (fact.triple, premises) in steps
        assert max(height[premise] for premise in premises) == fact.round - 1


@pytest.mark.parametrize("ring", [False, True])
def test_a_chain_and_a_ring_of_any_length_are_closed_whole(
    store: GraphStore, graph_id: str, writer: Any, ring: bool
) -> None:
    """All pairs of forty links; the round is the height of the lowest proof, which halves a chain at every step."""
    nodes = [f"n{n:02}" for n in range(41)]
    links = list(pairwise(nodes)) + ([(nodes[-1], nodes[0])] if ring else [])
    writer(graph_id, [Entity(uid=n, name=n) for n in nodes], PLAIN, [(a, "t", b) for a, b in links])
    derived = _closed(store, graph_id, PLAIN)
    pairs = permutations(nodes, 2) if ring else combinations(nodes, 2)
    assert {(f.triple[0], f.triple[2]) for f in derived.values()} == set(pairs) - set(links)
    size = len(nodes)
    for fact in derived.values():
        length = (nodes.index(fact.triple[2]) - nodes.index(fact.triple[0])) % size
        assert fact.round == (length - 1).bit_length()


def test_what_a_format_promises_follows(store: GraphStore, graph_id: str, writer: Any) -> None:
    """All-some relations over is_a on both sides, a subrelation, and an inverse of what follows."""
    catalogue = [
        Relation(name="is_a", rel_type="IS_A", traits=Traits(transitive=True)),
        Relation(
            name="part_of",
            rel_type="PART_OF",
            traits=Traits(transitive=True, compositions=(("part_of", "is_a"), ("is_a", "part_of"))),
        ),
        Relation(name="proper_part_of", rel_type="PROPER", traits=Traits(sub_of=("part_of",))),
        Relation(name="contains", rel_type="CONTAINS", traits=Traits(inverse_of="part_of", transitive=True)),
    ]
    facts = [
        ("spark plug", "proper_part_of", "petrol engine"),
        ("petrol engine", "is_a", "engine"),
        ("engine", "is_a", "machine"),
        ("glow plug", "is_a", "spark plug"),
        ("engine", "part_of", "car"),
    ]
    uids = sorted({uid for s, _, o in facts for uid in (s, o)})
    writer(graph_id, [Entity(uid=uid, name=uid) for uid in uids], catalogue, facts)
    found = {fact.triple for fact in _closed(store, graph_id, catalogue).values()} | set(facts)
    wholes = {"petrol engine", "engine", "machine", "car"}
    for part in ("spark plug", "glow plug"):
        assert {o for s, r, o in found if (s, r) == (part, "part_of")} == wholes
    assert {o for s, r, o in found if (s, r) == ("car", "contains")} == uids_of(found, "part_of", "car")


def uids_of(facts: set[Triple], relation: str, obj: str) -> set[str]:
    return {s for s, r, o in facts if (r, o) == (relation, obj)}


def test_a_world_of_which_too_much_follows_is_refused(
    store: GraphStore, graph_id: str, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is cut off in silence: what is missing would be drawn as a false option."""
    nodes = [f"n{n:02}" for n in range(12)]
    writer(graph_id, [Entity(uid=n, name=n) for n in nodes], PLAIN, [(a, "t", b) for a, b in pairwise(nodes)])
    monkeypatch.setattr(forward_chaining, "MAX_DERIVED", 54)
    with pytest.raises(TooLarge, match="'t'"):
        _closed(store, graph_id, PLAIN)
    monkeypatch.setattr(forward_chaining, "MAX_DERIVED", 55)
    assert len(_closed(store, graph_id, PLAIN)) == 55


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


def test_the_verifier_finds_true_options_that_the_closure_missed(store: GraphStore, graph_id: str, writer: Any) -> None:
    """It searches ways over asserted facts, inverses and subrelations, and derives nothing."""
    catalogue = list(
        build_catalogue(
            [
                Relation(name="over", rel_type="OVER", traits=Traits(transitive=True)),
                Relation(name="under", rel_type="UNDER", traits=Traits(transitive=True, inverse_of="over")),
                Relation(name="right_under", rel_type="RIGHT_UNDER", traits=Traits(sub_of=("under",))),
            ]
        ).values()
    )
    nodes = [f"n{n:02}" for n in range(20)]
    names = ["under", "right_under", "over"]
    facts = [
        (other, "over", one) if names[n % 3] == "over" else (one, names[n % 3], other)
        for n, (one, other) in enumerate(pairwise(nodes))
    ]
    lexicon = writer(graph_id, [Entity(uid=n, name=n) for n in [*nodes, "x"]], catalogue, facts)
    with store.what_if() as tx:
        rows: list[list[Any]] = [
            ["up", "n00", "UNDER", False, ["n01"], ["n19"]],
            ["down", "n19", "UNDER", True, ["n18"], ["x", "n00"]],
            ["inverse", "n19", "OVER", False, ["n18"], ["n03"]],
            ["fine", "n05", "UNDER", False, ["n06"], ["n04", "x"]],
        ]
        found = judge_reach(tx, rows, lexicon=lexicon, world=BEFORE)
        assert found == dict.fromkeys(("up", "down", "inverse"), "true_distractor")
        close(tx, graph_id=graph_id, rules=rules_of(catalogue))
        assert judge(tx, "options", rows, lexicon=lexicon) == found
