"""Derivations read from a closed world against brute force: what follows without some facts, and cuts that hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph_schema.oracle.reasoning import Triple, cheapest_cut, closure, heights, ways

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.reasoning.closure import Derived, rules_of
from knowledgesmith.graph_schema.reasoning.contraction import find_cut
from knowledgesmith.graph_schema.reasoning.derivations import Derivations
from knowledgesmith.graph_schema.reasoning.incremental import NamedRules
from knowledgesmith.graph_schema.reasoning.support import read_derivations, weights_of
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits, fact_id

NODES = "uvwxy"
GRAPH = "g"
RELATIONS = [
    Relation(name="a", rel_type="A", traits=Traits(inverse_of="b")),
    Relation(name="b", rel_type="B"),
    Relation(name="t", rel_type="T", traits=Traits(transitive=True, inverse_of="ti")),
    Relation(name="ti", rel_type="TI", traits=Traits(transitive=True)),
    Relation(name="s", rel_type="S", traits=Traits(symmetric=True, sub_of=("t",))),
    Relation(name="c", rel_type="C", traits=Traits(composed_of=("a", "t"), compositions=(("t", "c"), ("c", "t")))),
]
RULES = rules_of(RELATIONS)
NAMED = NamedRules.of(RULES)
edges = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from([r.name for r in RELATIONS]), st.sampled_from(NODES)),
    min_size=1,
    max_size=9,
)


def _world(facts: Iterable[Triple], relations: Sequence[Relation] = RELATIONS) -> WorldIndex:
    """The world as the closure would give it, its proofs left out: they are not read here."""
    asserted = set(facts)
    rules = rules_of(relations)
    derived = [
        Derived(
            fact_id=fact_id(GRAPH, *fact), triple=fact, rule="any", premises=(fact_id(GRAPH, *min(asserted)),), round=n
        )
        for fact, n in heights(asserted, relations).items()
        if n
    ]
    uids = sorted({uid for s, _, o in asserted for uid in (s, o)})
    lexicon = Lexicon.build(
        graph_id=GRAPH, graph_digest="", entities=[Entity(uid=uid, name=uid) for uid in uids], relations=relations
    )
    return WorldIndex(lexicon=lexicon, rules=rules, asserted=asserted, derived={fact.fact_id: fact for fact in derived})


def _read(facts: Iterable[Triple], targets: Sequence[Triple]) -> Derivations:
    return read_derivations(_world(facts), graph_id=GRAPH, rules=NAMED, targets=targets)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(facts=edges, data=st.data())
def test_what_follows_without_some_facts_is_what_brute_force_says(facts: list[Triple], data: Any) -> None:
    every = closure(facts, RELATIONS)
    targets = data.draw(st.lists(st.sampled_from(sorted(every)), min_size=1, max_size=3, unique=True))
    gone = data.draw(st.sets(st.sampled_from(sorted(set(facts)))))
    found = _read(facts, targets)
    steps = {(found.triples[step.head], tuple(found.triples[p] for p in step.premises)) for step in found.steps}
    assert steps <= ways(every, RELATIONS)
    assert {found.triples[fact] for fact in found.asserted} == set(found.triples.values()) & set(facts)
    left = closure(set(facts) - gone, RELATIONS)
    names = {triple: fact for fact, triple in found.triples.items()}
    follow = found.following([names[t] for t in targets], without=[names[f] for f in gone if f in names])
    assert {found.triples[fact] for fact in follow} == set(targets) & left


@settings(max_examples=80, deadline=None, derandomize=True)
@given(facts=edges, data=st.data())
def test_weights_and_cuts_are_those_of_brute_force(facts: list[Triple], data: Any) -> None:
    every = closure(facts, RELATIONS)
    targets = data.draw(st.lists(st.sampled_from(sorted(every)), min_size=1, max_size=3, unique=True))
    found = _read(facts, targets)
    leaves = {fact: found.triples[fact] for fact in found.asserted}
    weights = weights_of(_world(facts), rules=NAMED, facts=leaves, targets=targets)
    steps = [(head, premises) for head, premises in ways(every, RELATIONS) if head not in targets]
    assert weights == {name: 1 + sum(premises.count(fact) for _, premises in steps) for name, fact in leaves.items()}
    cut = find_cut(found, targets=[fact_id(GRAPH, *target) for target in targets], weights=weights)
    best = cheapest_cut(
        set(facts), RELATIONS, targets=targets, weights={found.triples[f]: w for f, w in weights.items()}
    )
    assert best is not None
    assert cut.weight == best[0]
    assert {found.triples[fact] for fact in cut.facts} in best[1]


def test_a_deep_chain_and_a_ring_have_as_many_steps_as_links() -> None:
    """Of a chain every link is split off once: all ways to split it would be a thousand times as many."""
    chain = [f"n{n:02}" for n in range(31)]
    facts: list[Triple] = [(one, "t", other) for one, other in pairwise(chain)]
    deep = [Relation(name="t", rel_type="T", traits=Traits(transitive=True))]
    rules = NamedRules.of(rules_of(deep))
    for more in ([], [(chain[-1], "t", chain[0])]):
        world = _world([*facts, *more], deep)
        found = read_derivations(world, graph_id=GRAPH, rules=rules, targets=[(chain[0], "t", chain[-1])])
        assert len(found.steps) == 29
        assert {found.triples[fact] for fact in found.asserted} == set(facts)
        cut = find_cut(found, targets=[fact_id(GRAPH, chain[0], "t", chain[-1])])
        assert cut.weight == cut.lower_bound == 1


def test_facts_that_do_not_hold_have_no_steps() -> None:
    found = _read([("u", "t", "v"), ("v", "t", "v")], [("v", "t", "u"), ("v", "t", "v")])
    assert found.steps == ()
    assert {found.triples[fact] for fact in found.asserted} == {("v", "t", "v")}
