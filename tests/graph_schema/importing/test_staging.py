"""Records become the same graph whatever their order; what cannot be used is named."""

from __future__ import annotations

import random
from collections.abc import Sequence

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph_schema.importing.records import Settled, entity, fact, place, relation, settle

from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.importing.reading.records import Record, Rejection, TemplateRecord
from knowledgesmith.graph_schema.importing.staging.relations import MAX_RELATIONS
from knowledgesmith.graph_schema.importing.staging.staging import Staging
from knowledgesmith.graph_schema.types.digests import graph_digest
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, Template

_NAMES = st.sampled_from(["a", "b", "c", "Ä", "z", "𝔸", "\U0001f600"])
_RELATIONS = [
    relation("one", 1, functional=True, inverse_of="eno"),
    relation("eno", 2),
    relation("pair", 3, functional=True, symmetric=True),
    relation("match", 4, functional=True, inverse_functional=True),
    relation("like", 5, symmetric=True),
    relation("up", 6, hierarchical=True, inverse_of="down", domain="Part", range_="Whole"),
    relation("down", 7),
]
_FACTS = st.lists(
    st.tuples(_NAMES, st.sampled_from([r.relation.name for r in _RELATIONS]), _NAMES, st.sampled_from(["", "s", "t"])),
    max_size=25,
)


def _reasons(graph: Settled) -> list[str]:
    return [rejection.reason for rejection in graph.rejections]


@settings(max_examples=60, deadline=None)
@given(facts=_FACTS, seed=st.integers(0, 9))
def test_the_order_of_records_changes_nothing(facts: list[tuple[str, str, str, str]], seed: int) -> None:
    """Contradictions, doubles, homonyms and merges included."""
    records: list[Record] = [*_RELATIONS, entity("a", 50), entity("a", 51, name="again"), entity("h", 52, name="Ä")]
    records += [entity("b", 60, name="", merge=True), entity("b", 61, name="x", type="T", merge=True)]
    records += [
        fact(f"{s} {r} {o}", 100 + i, source=source, by_name=True, create_missing=s != "z")
        for i, (s, r, o, source) in enumerate(facts)
    ]
    first = settle(records)
    random.Random(seed).shuffle(records)  # noqa: S311
    second = settle(records)
    assert (first.entities, first.facts, first.links, first.relations, first.digest) == (
        second.entities,
        second.facts,
        second.links,
        second.relations,
        second.digest,
    )
    assert {(r.place, r.reason) for r in first.rejections} == {(r.place, r.reason) for r in second.rejections}
    _check_traits(first)


def _check_traits(graph: Settled) -> None:
    """By brute force: nothing that is left contradicts a trait, nothing is said twice, and the digest is right."""
    ways = {(s, r, o) for s, r, o, _ in graph.facts}
    assert graph.digest == graph_digest(ways)
    for s, r, o in ways:
        traits = graph.relations[r].traits
        twin = r if traits.symmetric else traits.inverse_of
        assert s == o or twin is None or (o, twin, s) not in ways
    both = ways | {
        (o, graph.relations[r].name if graph.relations[r].traits.symmetric else inverse, s)
        for s, r, o in ways
        if (inverse := graph.relations[r].traits.inverse_of or (r if graph.relations[r].traits.symmetric else ""))
    }
    for s, r, o in both:
        if graph.relations[r].traits.functional:
            assert not any(x == s and y == r and z != o for x, y, z in both)
        if graph.relations[r].traits.inverse_functional:
            assert not any(z == o and y == r and x != s for x, y, z in both)


def test_of_contradicting_facts_the_first_stays_and_is_named() -> None:
    facts = ["a one c", "a one b", "d eno a", "b pair a", "b pair c", "x match y", "x match z", "w match y"]
    graph = settle([*_RELATIONS, *(fact(f, n, create_missing=True) for n, f in enumerate(facts, 1))])
    assert [" ".join(f[:3]) for f in graph.facts] == ["a one b", "b pair a", "w match y", "x match z"]
    assert _reasons(graph) == [
        "'one' has one object a subject, but 'a' has 'b' (f:2) and 'c'",
        "'eno' has one subject an object, but 'a' has 'b' (f:2) and 'd'",
        "'pair' has one object a subject, but 'b' has 'a' (f:4) and 'c'",
        "'match' has one subject an object, but 'y' has 'w' (f:8) and 'x'",
    ]


def test_records_of_one_uid_merge_where_they_may() -> None:
    graph = settle(
        [
            entity("a", 1, name="B", aliases=["x", "B"], merge=True),
            entity("a", 2, name="A", type="T", aliases=["y", "x"], merge=True),
            entity("b", 3, name="", merge=True),
            entity("c", 4, name="first"),
            entity("c", 5, name="second"),
        ]
    )
    assert graph.entities["a"] == ("A", "T", "", ("B", "x", "y"), 0, None)
    assert graph.entities["b"][0] == "b"
    assert graph.entities["c"][0] == "first"
    assert _reasons(graph) == ["uid 'c' stands twice, 'first' of f:4 is kept"]


def test_ends_are_found_by_uid_then_by_a_name_that_is_unique() -> None:
    people = [entity("1", 1, name="Ann"), entity("2", 2, name="Bob"), entity("3", 3, name="Bob"), entity("Ann", 4)]
    facts = [
        fact("Ann r 2", 5, by_name=True),
        fact("1 r Bob", 6, by_name=True),
        fact("1 r Bob", 7),
        fact("1 r new", 8, create_missing=True, object_name="New"),
        fact("1 r Bob", 9, by_name=True, create_missing=True),
        fact("lost r 1", 10, by_name=True),
    ]
    graph = settle([*people, *facts])
    assert [f[:3] for f in graph.facts] == [("1", "r", "new"), ("Ann", "r", "2")]
    assert graph.entities["new"][0] == "New"
    assert _reasons(graph) == [
        "object 'Bob' is the name of several entities; use a uid: '2', '3'",
        "object 'Bob' is no entity's uid",
        "object 'Bob' is the name of several entities; use a uid: '2', '3'",
        "subject 'lost' is no entity's uid or name",
    ]


def test_types_come_from_the_relations_where_no_record_names_one() -> None:
    graph = settle([*_RELATIONS, entity("a", type="Own"), *(fact(f, create_missing=True) for f in ("a up b", "c r b"))])
    assert {uid: values[1] for uid, values in graph.entities.items()} == {"a": "Own", "b": "Whole", "c": "Entity"}


def test_a_relation_with_a_fault_goes_with_its_facts_and_what_hangs_on_it() -> None:
    graph = settle(
        [
            entity("a"),
            relation("good", 1),
            relation("bad", 2, inverse_of="nowhere"),
            relation("hangs", 3, composed_of=("good", "bad")),
            fact("a bad a", 4),
            fact("a good a", 5),
            fact("a implied a", 6),
        ]
    )
    assert list(graph.relations) == ["good", "implied"]
    assert [f[1] for f in graph.facts] == ["good", "implied"]
    assert [str(r.place) for r in graph.rejections] == ["f:4", "r:2", "r:3"]


def test_templates_join_their_relation() -> None:
    def template(name: str, text: str, record: int) -> TemplateRecord:
        made = Template(direction=Direction.FORWARD, split=Split.EVAL, form=Form.CLOZE, text=text)
        return TemplateRecord(place=place(record, "t"), relation=name, template=made)

    graph = settle(
        [
            entity("a"),
            fact("a r a"),
            template("r", "{s} rules", 1),
            template("r", "{s} and {o}", 2),
            template("none", "{s} x", 3),
        ]
    )
    found = graph.relations["r"].pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.EVAL)
    assert [t.text for t in found] == ["{s} rules"]
    assert [str(r.place) for r in graph.rejections] == ["t:2", "t:3"]


@pytest.mark.parametrize("seed", range(4))
def test_levels_agree_with_networkx(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    uids = [f"n{i:02}" for i in range(40)]
    links = sorted({(draw.choice(uids), draw.choice(uids)) for _ in range(45)})
    graph = settle(
        [
            *_RELATIONS,
            *map(entity, uids),
            *(fact(f"{c} up {p}" if c < p else f"{p} down {c}", i) for i, (p, c) in enumerate(links)),
        ]
    )
    tree: nx.DiGraph[str] = nx.DiGraph((p, c) for p, c in links if p != c)
    assert set(graph.links) == set(tree.edges)
    assert len(graph.rejections) == sum(p == c for p, c in links)
    roots = [n for n in tree if tree.out_degree(n) and not tree.in_degree(n)]
    depths = dict(nx.multi_source_dijkstra_path_length(tree, roots, weight=None)) if roots else {}
    left = tree.subgraph(set(tree) - set(depths))
    parts = nx.condensation(left)
    seeds = [min(parts.nodes[n]["members"]) for n in parts if not parts.in_degree(n)]
    depths |= dict(nx.multi_source_dijkstra_path_length(left, seeds, weight=None)) if seeds else {}
    for uid, values in graph.entities.items():
        children, parents = (tree.out_degree(uid), tree.in_degree(uid)) if uid in tree else (0, 0)
        assert values[-2:] == (0 if not children else 1 if parents else 2, depths.get(uid))


def test_too_many_relations_are_refused() -> None:
    with Staging() as staging, pytest.raises(TooLarge, match="relations"):
        staging.take(fact(f"a r{n} b", n) for n in range(MAX_RELATIONS + 1))


BAD = ["", "x" * 501, "x" * 10_000_000, "a\x00b", "a\nb", "\ud800", "\x1b[2J", "\u2028"]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_texts_that_cannot_be_stored_are_rejected_with_their_record(text: str) -> None:
    records: Sequence[Record] = [
        entity(text, 1),
        entity("a", 2, name=text),
        entity("b", 3, type=text or "\x00"),
        entity("c", 4, aliases=[text or "\x00"]),
        entity("good", 5),
        fact("good r good", 6, source=text or "\x00"),
        fact("good r good", 7, create_missing=True, subject_name=text or "\x00"),
        Rejection(place=place(8), reason=text),
    ]
    graph = settle(records)
    assert list(graph.entities) == ["good"]
    assert [r.place.record for r in graph.rejections] == [1, 2, 3, 4, 6, 7, 8]
    assert all(len(reason) <= 500 for reason in _reasons(graph))
