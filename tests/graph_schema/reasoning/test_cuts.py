"""Cut sets against all subsets of small hypergraphs, and what large and impossible ones answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledgesmith.graph_schema.errors import ConflictingChanges
from knowledgesmith.graph_schema.reasoning import contraction
from knowledgesmith.graph_schema.reasoning.contraction import CutSet, Uncuttable, find_cut
from knowledgesmith.graph_schema.reasoning.derivations import Derivations, ProofTree, Step
from knowledgesmith.graph_schema.reasoning.hitting_sets import exact_hitting_set, large_hitting_set

FACTS = "abcdefgh"
Edge = tuple[str, tuple[str, ...]]


def _hypergraph(edges: Iterable[Edge], asserted: Iterable[str]) -> Derivations:
    steps = {Step(head=head, rule="rule", premises=tuple(premises)) for head, premises in edges}
    return Derivations(steps=tuple(sorted(steps)), asserted=frozenset(asserted))


def _follows(edges: Sequence[Edge], asserted: Iterable[str], target: str) -> bool:
    """Whether a proof exists: all facts at once, round by round, as often as there are facts."""
    known = set(asserted)
    for _ in edges:
        known |= {head for head, premises in edges if set(premises) <= known}
    return target in known


def _subsets(items: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def _cheapest(
    edges: Sequence[Edge], asserted: str, targets: str, protected: str, weights: dict[str, int]
) -> tuple[int, tuple[str, ...]] | None:
    """Weight and sorted facts of the cheapest cut, by trying every subset."""
    free = sorted(set(asserted) - set(protected))
    valid = [
        (sum(weights.get(fact, 1) for fact in cut), cut)
        for cut in _subsets(free)
        if not any(_follows(edges, set(asserted) - set(cut), target) for target in targets)
    ]
    return min(valid) if valid else None


def _check_reasons(found: CutSet, edges: Sequence[Edge], asserted: Iterable[str], targets: str) -> None:
    """Every cut fact has a proof that nothing else in the cut breaks."""
    assert found.breaks.keys() == set(found.facts)
    for fact, proof in found.breaks.items():
        assert proof.conclusion in targets
        assert fact in proof.leaves
        assert set(proof.leaves) & set(found.facts) == {fact}
        _check_proof(proof, edges, asserted)


def _check_proof(proof: ProofTree, edges: Sequence[Edge], asserted: Iterable[str]) -> None:
    heights = dict.fromkeys(proof.leaves, 0)
    assert set(proof.leaves) <= set(asserted)
    for step in proof.steps:
        assert (step.head, step.premises) in edges
        assert step.head not in heights, "one step a fact"
        heights[step.head] = 1 + max(heights[premise] for premise in step.premises)
    used = {proof.conclusion, *(premise for step in proof.steps for premise in step.premises)}
    assert used == heights.keys()


hypergraphs = st.lists(
    st.tuples(st.sampled_from(FACTS), st.lists(st.sampled_from(FACTS), min_size=1, max_size=2).map(tuple)),
    max_size=16,
)
facts = st.sets(st.sampled_from(FACTS)).map(lambda found: "".join(sorted(found)))
few = st.sets(st.sampled_from(FACTS), max_size=2)
prices = st.dictionaries(st.sampled_from(FACTS), st.integers(1, 4))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    edges=hypergraphs, asserted=facts, targets=facts, protected=st.sets(st.sampled_from(FACTS), max_size=2), w=prices
)
def test_a_cut_is_the_cheapest_of_all_subsets(
    edges: list[Edge], asserted: str, targets: str, protected: set[str], w: dict[str, int]
) -> None:
    held = "".join(sorted(protected))
    expected = _cheapest(edges, asserted, targets, held, w)
    graph = _hypergraph(edges, asserted)
    if expected is None:
        with pytest.raises(Uncuttable) as caught:
            find_cut(graph, targets=targets, protected=held, weights=w)
        proof = caught.value.proof
        assert proof is not None
        assert set(proof.leaves) <= protected
        assert proof.conclusion in targets
        _check_proof(proof, edges, asserted)
        return
    found = find_cut(graph, targets=targets, protected=held, weights=w)
    assert (found.weight, found.facts) == expected
    assert found.optimal
    assert found.lower_bound == found.weight
    assert found.gap == 0.0
    _check_reasons(found, edges, asserted, targets)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(edges=hypergraphs, asserted=facts, targets=facts, w=prices)
def test_the_search_for_large_parts_is_valid_irredundant_and_honest(
    edges: list[Edge], asserted: str, targets: str, w: dict[str, int]
) -> None:
    """The way of parts with more than twenty candidates, on small ones whose optimum is known."""
    expected = _cheapest(edges, asserted, targets, "", w)
    assert expected is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contraction, "EXACT_ITEMS", 0)
        found = find_cut(_hypergraph(edges, asserted), targets=targets, weights=w)
    left = set(asserted) - set(found.facts)
    assert not any(_follows(edges, left, target) for target in targets)
    assert found.lower_bound <= expected[0] <= found.weight
    assert found.optimal == (found.weight == found.lower_bound)
    _check_reasons(found, edges, asserted, targets)


def test_few_rounds_leave_a_gap_that_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring of thirty facts, any two neighbours proving the target: half of them must go, one round proves less."""
    ring = [f"f{n:02}" for n in range(30)]
    edges = [("t", (one, other)) for one, other in zip(ring, [*ring[1:], ring[0]], strict=True)]
    graph = _hypergraph(edges, ring)
    full = find_cut(graph, targets=["t"])
    assert (full.weight, full.optimal, full.gap) == (15, True, 0.0)
    monkeypatch.setattr(contraction, "_ROUNDS", 1)
    monkeypatch.setattr(contraction, "_PASSES", 1)
    early = find_cut(graph, targets=["t"])
    assert early.lower_bound < early.weight
    assert not early.optimal
    assert early.gap == (early.weight - early.lower_bound) / early.weight
    assert early.weight >= 15
    _check_reasons(early, edges, ring, "t")


def test_targets_that_share_nothing_are_solved_apart() -> None:
    """Two hundred targets of three candidates each stay exact, since no part has more than twenty."""
    edges: list[Edge] = []
    for n in range(200):
        edges += [(f"t{n}", (f"a{n}", f"b{n}")), (f"t{n}", (f"a{n}", f"c{n}")), (f"t{n}", ("always",))]
    asserted = {fact for _, premises in edges for fact in premises}
    graph = _hypergraph([edge for edge in edges if edge[1] != ("always",)], asserted)
    found = find_cut(graph, targets=[f"t{n}" for n in range(200)], weights={"always": 1})
    assert set(found.facts) == {f"a{n}" for n in range(200)}
    assert found.optimal
    with pytest.raises(ConflictingChanges, match="still follows") as caught:
        find_cut(_hypergraph(edges, asserted), targets=["t7"], protected=["always"])
    assert caught.value.metadata == {"fact": "t7", "follows_from": "always"}


def test_what_is_retracted_may_still_follow_a_step_higher() -> None:
    """``p`` is asserted and follows from ``q`` too: without ``q`` the target would come back."""
    edges: list[Edge] = [("t", ("p",)), ("p", ("q",))]
    found = find_cut(_hypergraph(edges, "pq"), targets=["t"])
    assert found.facts == ("p", "q")
    assert found.breaks["q"].steps == (
        Step(head="p", rule="rule", premises=("q",)),
        Step(head="t", rule="rule", premises=("p",)),
    )


def test_proofs_of_any_height_count() -> None:
    edges: list[Edge] = [("f0", ("y",)), *((f"f{n}", (f"f{n + 1}",)) for n in range(40))]
    found = find_cut(_hypergraph(edges, ["f40", "y"]), targets=["f0"])
    assert found.facts == ("f40", "y")
    assert len(found.breaks["f40"].steps) == 40
    assert find_cut(_hypergraph(edges, ["z"]), targets=["f0"]) == CutSet()


def test_the_lightest_cut_is_taken() -> None:
    graph = _hypergraph([("t", ("a", "b"))], "ab")
    assert find_cut(graph, targets=["t"], weights={"a": 2, "b": 1}).facts == ("b",)
    with pytest.raises(ValueError, match="positive"):
        find_cut(graph, targets=["t"], weights={"a": 0})


sets = st.lists(st.sets(st.sampled_from(FACTS), min_size=1, max_size=4), max_size=10)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(found=sets, w=prices)
def test_hitting_sets_are_the_cheapest(found: list[set[str]], w: dict[str, int]) -> None:
    costs = {fact: w.get(fact, 1) for fact in FACTS}
    best = min(
        (sum(costs[fact] for fact in items), items)
        for items in _subsets(FACTS)
        if all(not one.isdisjoint(items) for one in found)
    )
    exact = exact_hitting_set(found, costs)
    assert (exact.lower_bound, tuple(sorted(exact.items))) == best
    large = large_hitting_set(found, costs)
    assert sum(costs[fact] for fact in large.items) == large.lower_bound == best[0]
    assert all(not one.isdisjoint(large.items) for one in found)
