"""Seeded draws: reproducible, even, and never ambiguous."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledgesmith.graph_schema.errors import EntityNotFound, RelationNotFound
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.draw import (
    draw_distractors,
    draw_key,
    draw_options,
    permutation,
    sample,
    stream,
)
from knowledgesmith.graph_schema.types.facts import Entity, Relation


def _cities(*names: str, kind: str = "City") -> list[Entity]:
    return [Entity(uid=f"u{n:03}", name=name, type=kind) for n, name in enumerate(names)]


def _lexicon(entities: list[Entity]) -> Lexicon:
    relation = Relation(name="r", rel_type="R", domain_type="Country", range_type="City")
    return Lexicon.build(graph_id="g", entities=entities, relations=[relation])


def test_the_stream_is_splitmix64() -> None:
    """First numbers of the published generator for seed 1234567."""
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [int(number) for number in stream(1234567, 4)] == expected


def test_a_key_depends_on_every_part_and_on_where_parts_end() -> None:
    keys = {draw_key(1, "ab", "c"), draw_key(1, "a", "bc"), draw_key(2, "ab", "c"), draw_key(-1, "ab", "c")}
    assert len(keys) == 4
    assert draw_key(1, "ab", "c") == draw_key(1, "ab", "c")


@given(st.integers(0, 200), st.integers(0, 2**64 - 1))
@settings(max_examples=30, deadline=None)
def test_a_permutation_holds_everything_once(count: int, key: int) -> None:
    assert sorted(permutation(count, key=key)) == list(range(count))


def test_draws_are_even() -> None:
    names = [f"n{n}" for n in range(20)]
    counts = Counter(sample(names, 1, key=draw_key(0, str(n)))[0] for n in range(4000))
    expected = np.full(20, 200.0)
    observed = np.array([counts[name] for name in names])
    # 95 % of chi-squared values with 19 degrees of freedom lie below 30.1, practically all below 50
    assert float((((observed - expected) ** 2) / expected).sum()) < 50


def test_distractors_are_false_distinct_and_of_the_pool() -> None:
    entities = [*_cities(*(f"Town {n}" for n in range(100))), Entity(uid="x", name="X", type="Country")]
    lexicon = _lexicon(entities)
    excluded = {f"u{n:03}" for n in range(50)}
    drawn = draw_distractors(
        lexicon, pool=lexicon.ranges["City"], shown=["u060"], excluded=excluded, count=60, key=draw_key(0, "q")
    )
    assert len(drawn) == len(set(drawn)) == 49
    assert not set(drawn) & {*excluded, "u060", "x"}


def test_nobody_is_an_option_under_two_names() -> None:
    entities = [
        Entity(uid="a", name="Bombay", type="City", aliases=("Mumbai",)),
        Entity(uid="b", name="MUMBAI", type="City"),
        Entity(uid="c", name="Delhi", type="City"),
        Entity(uid="d", name="mumbai", type="City"),
    ]
    lexicon = _lexicon(entities)
    options = draw_options(lexicon, pool=lexicon.ranges["City"], shown=["b"], excluded=(), arity=4, key=1)
    assert options is not None
    assert set(options) == {"b", "c"}
    assert draw_options(lexicon, pool=lexicon.ranges["City"], shown=["a", "d"], excluded=(), arity=4, key=1) is None


def test_too_small_a_type_gives_fewer_options_or_none() -> None:
    lexicon = _lexicon(_cities("One", "Two", "Three"))
    pool = lexicon.ranges["City"]
    options = draw_options(lexicon, pool=pool, shown=["u000"], excluded=["u000"], arity=4, key=3)
    assert options is not None
    assert set(options) == {"u000", "u001", "u002"}
    assert draw_options(lexicon, pool=pool, shown=["u000"], excluded=["u001", "u002"], arity=4, key=3) is None


def test_the_right_option_is_everywhere_equally_often() -> None:
    lexicon = _lexicon(_cities(*(f"Town {n}" for n in range(30))))
    places: Counter[int] = Counter()
    for n in range(800):
        options = draw_options(
            lexicon, pool=lexicon.ranges["City"], shown=["u000"], excluded=(), arity=4, key=draw_key(0, str(n))
        )
        assert options is not None
        places[options.index("u000")] += 1
    assert all(150 < places[n] < 250 for n in range(4))


def test_pools_fall_back_from_type_to_relation_to_known_objects() -> None:
    entities = [*_cities("One", "Two"), *[Entity(uid=uid, name=uid) for uid in ("p", "q", "z")]]
    lexicon = _lexicon(entities)
    assert list(lexicon.pool(answer="u000", relation="r", reverse=False)) == list(lexicon.ranges["City"])
    assert list(lexicon.pool(answer="p", relation="r", reverse=False)) == list(lexicon.ranges["City"])
    known = lexicon.pool(answer="p", relation="r", reverse=True, same_relation=["q", "p", "gone"])
    assert [lexicon.entities[n].uid for n in known] == ["p", "q"]


def test_the_index_is_contiguous_by_type() -> None:
    entities = [Entity(uid=f"e{n}", name=f"e{n}", type="AB"[n % 2]) for n in range(10)]
    lexicon = _lexicon(list(reversed(entities)))
    for kind, positions in lexicon.ranges.items():
        assert {lexicon.entities[n].type for n in positions} == {kind}
    assert [lexicon.entities[lexicon.index[e.uid]] for e in entities] == entities


def test_unknown_names_are_named() -> None:
    lexicon = _lexicon(_cities("One"))
    with pytest.raises(EntityNotFound, match="zzz"):
        lexicon.entity("zzz")
    with pytest.raises(RelationNotFound, match="zzz"):
        lexicon.relation("zzz")
