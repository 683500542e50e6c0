"""Options that say nothing: shares, weights, drawn sets; against sums over all sets."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.balanced_draw import draw_sets
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key
from knowledgesmith.graph_schema.probes.drawing.fairness import fair_parts, weights_for
from knowledgesmith.graph_schema.probes.drawing.vector_draw import NOBODY, Wanted
from knowledgesmith.graph_schema.types.facts import Entity, Relation

COUNTS = st.lists(st.integers(1, 400), min_size=1, max_size=20)


def _shares(counts: list[int], arity: int) -> tuple[int, np.ndarray]:
    fair = fair_parts(dict(enumerate(counts)), arity=arity)
    kept = np.array([count * fair.parts.get(n, 1.0) for n, count in enumerate(counts)])
    return fair.options, kept / kept.sum()


@given(counts=COUNTS, arity=st.sampled_from([2, 4]))
@settings(max_examples=150, deadline=None)
def test_no_answer_has_more_than_its_share(counts: list[int], arity: int) -> None:
    fair = fair_parts(dict(enumerate(counts)), arity=arity)
    assert all(0 <= part <= 1 for part in fair.parts.values())
    assert 2 <= fair.options <= arity
    if len(counts) == 1:
        assert fair.parts == {0: pytest.approx(1 / counts[0])}
        return
    options, shares = _shares(counts, arity)
    assert shares.max() <= 1 / options + 1e-9
    assert (shares > 0).sum() >= options
    if len(counts) > 6:
        kept = [count * fair.parts.get(n, 1.0) for n, count in enumerate(counts)]
        assert min(kept) > 0
        if max(counts) * 8 < sum(counts):
            assert not fair.parts, "nothing is common, so nothing is left out"


@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=9), arity=st.sampled_from([2, 3, 4]))
@settings(max_examples=80, deadline=None)
def test_every_member_of_a_set_is_right_equally_often(counts: list[int], arity: int) -> None:
    """The chance that a set of options is drawn for a question is the same whichever of them is right."""
    options, shares = _shares(counts, arity)
    shares = shares[shares > 0]
    weights = weights_for(shares, options=options).astype(float)
    for chosen in combinations(range(len(shares)), options):
        chances: list[float] = []
        for right in chosen:
            rest = [n for n in range(len(shares)) if n != right]
            whole = sum(prod(weights[list(others)]) for others in combinations(rest, options - 1))
            drawn = prod(weights[[n for n in chosen if n != right]]) / whole
            chances.append(float(shares[right] * drawn))
        assert chances == pytest.approx([chances[0]] * options, rel=1e-3)


def _lexicon(count: int) -> Lexicon:
    entities = [Entity(uid=f"u{n:02}", name=f"Town {n}", type="City") for n in range(count)]
    return Lexicon.build(graph_id="g", entities=entities, relations=[Relation(name="r", rel_type="R")])


def _wanted(pool: list[int], shown: list[int], banned: list[tuple[int, int]], count: int) -> Wanted:
    pairs = np.array(banned, dtype=np.int64).reshape(-1, 2)
    return Wanted(
        pool=np.array(pool, dtype=np.int64),
        shown=np.array(shown, dtype=np.int64),
        banned=(pairs[:, 0], pairs[:, 1]),
        keys=np.array([draw_key(0, str(n)) for n in range(len(shown))], dtype=np.uint64),
        count=count,
    )


def test_drawn_sets_are_as_likely_as_their_weights() -> None:
    weights = np.array([5, 4, 3, 2, 1, 1], dtype=np.int64)
    drawn = draw_sets(_lexicon(7), _wanted([0, 1, 2, 3, 4, 5], [6] * 20_000, [], 3), weights)
    found = Counter(tuple(sorted(row)) for row in drawn.tolist())
    products = {chosen: prod(weights[list(chosen)].tolist()) for chosen in combinations(range(6), 3)}
    for chosen, product in products.items():
        expected = 20_000 * product / sum(products.values())
        # five standard deviations; the draw is seeded, so this holds always or never
        assert abs(found[chosen] - expected) < 5 * expected**0.5, chosen


def test_what_is_banned_is_never_drawn_and_what_is_left_is_taken() -> None:
    rows = 200
    banned = [(row, other) for row in range(rows) for other in ((row % 4), 4)]
    weights = np.array([1_000_000, 1, 1, 1, 1], dtype=np.int64)
    drawn = draw_sets(_lexicon(6), _wanted([0, 1, 2, 3, 4], [row % 4 for row in range(rows)], banned, 3), weights)
    for row, members in enumerate(drawn.tolist()):
        assert set(members) == {0, 1, 2, 3} - {row % 4}
    few = draw_sets(_lexicon(6), _wanted([0, 1], [0, 5], [(0, 0)], 3), np.array([1, 1], dtype=np.int64))
    assert sorted(few[0].tolist()) == [NOBODY, NOBODY, 1]
    assert sorted(few[1].tolist()) == [NOBODY, 0, 1]


def test_a_draw_depends_on_its_own_question_alone() -> None:
    pool, weights = list(range(12)), np.arange(1, 13, dtype=np.int64)
    wanted = _wanted(pool, [12] * 50, [(n, n % 12) for n in range(50)], 3)
    whole = draw_sets(_lexicon(13), wanted, weights)
    for rows in (np.array([7]), np.arange(20, 31)):
        assert (draw_sets(_lexicon(13), wanted.only(rows), weights) == whole[rows]).all()
