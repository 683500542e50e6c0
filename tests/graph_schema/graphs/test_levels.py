"""Levels: links, depths and labels, on the real database."""

from __future__ import annotations

import io
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph_schema.oracle.reasoning import depths

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, TraitKind
from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.graphs import levels
from knowledgesmith.graph_schema.graphs.levels import cycle_seeds, rebuild_levels
from knowledgesmith.graph_schema.graphs.reading import load_catalogue, load_snapshot
from knowledgesmith.graph_schema.importing import InputFile, import_graph
from knowledgesmith.graph_schema.importing.formats.own_tables import FileRole
from knowledgesmith.graph_schema.importing.staging.levels import settle_levels
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.suggesting.accept import accept
from knowledgesmith.graph_schema.types.facts import Traits

Links = Sequence[tuple[str, str]]


def _import(
    store: GraphStore, graph_id: str, links: Links, *, extra: Sequence[str] = (), inverse: bool = False
) -> None:
    """Import (child, parent) links, or (parent, child) links of the inverse relation."""
    uids = sorted({uid for link in links for uid in link} | set(extra))
    relation = "holds" if inverse else "lies_in"
    texts = {
        FileRole.ENTITIES: "uid,name\n" + "".join(f"{uid},{uid}\n" for uid in uids),
        FileRole.RELATIONS: "name,hierarchical,inverse_of\nlies_in,true,\nholds,,lies_in\nlikes,,\n",
        FileRole.FACTS: "subject,relation,object\n" + "".join(f"{a},{relation},{b}\n" for a, b in links),
    }
    files = [InputFile(name=role.value, content=io.BytesIO(text.encode()), role=role) for role, text in texts.items()]
    import_graph(store, graph_id=graph_id, files=files)


def _depths(store: GraphStore, graph_id: str) -> dict[str, int | None]:
    text = "MATCH (e:Entity {graph_id: $g}) RETURN e.uid AS uid, e.depth AS depth"
    _, rows = store.run_user_query(text, {"g": graph_id}, limit=10_000, timeout_s=30)
    return {row["uid"]: row["depth"] for row in rows}


def _levels(store: GraphStore, graph_id: str) -> dict[str, str]:
    return {uid: level.value for uid, level in load_snapshot(store, graph_id).levels.items()}


def test_a_tree_has_roots_intermediates_and_leaves(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("b", "a"), ("c", "b"), ("d", "a")], extra=["lone"])
    assert _levels(store, graph_id) == {"a": "Root", "b": "Intermediate", "c": "Leaf", "d": "Leaf", "lone": "Leaf"}
    assert _depths(store, graph_id) == {"a": 0, "b": 1, "c": 2, "d": 1, "lone": None}


def test_depth_is_the_shortest_way_over_several_parents(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("b", "a"), ("c", "b"), ("c", "a")])
    assert _depths(store, graph_id)["c"] == 1


def test_facts_of_the_inverse_relation_count_the_other_way_round(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("a", "b"), ("b", "c")], inverse=True)
    assert _levels(store, graph_id) == {"a": "Root", "b": "Intermediate", "c": "Leaf"}


def test_a_cycle_without_root_starts_at_its_smallest_uid(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("m", "z"), ("z", "y"), ("y", "z"), ("a", "m")])
    assert _depths(store, graph_id) == {"y": 0, "z": 1, "m": 2, "a": 3}
    assert _levels(store, graph_id) == {"y": "Intermediate", "z": "Intermediate", "m": "Intermediate", "a": "Leaf"}


def test_a_cycle_below_a_root_needs_no_seed(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("x", "r"), ("x", "y"), ("y", "x")])
    assert _depths(store, graph_id) == {"r": 0, "x": 1, "y": 2}


def test_levels_follow_a_re_import(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("b", "a"), ("c", "b")])
    _import(store, graph_id, [("b", "a")], extra=["c"])
    assert _levels(store, graph_id) == {"a": "Root", "b": "Leaf", "c": "Leaf"}
    assert _depths(store, graph_id) == {"a": 0, "b": 1, "c": None}


def test_the_smallest_of_every_topmost_cycle_is_a_seed() -> None:
    assert cycle_seeds([("p", "q"), ("q", "p"), ("p", "a"), ("a", "b"), ("b", "a"), ("x", "x")]) == ["p", "x"]


def test_levels_of_a_transaction_are_those_of_the_import(store: GraphStore, graph_id: str) -> None:
    """A change inside the database rebuilds them there; both ways agree."""
    _import(store, graph_id, [("b", "a"), ("c", "b"), ("m", "z"), ("z", "y"), ("y", "z")], extra=["lone"])
    before = (_levels(store, graph_id), _depths(store, graph_id))
    relations = load_catalogue(store, graph_id)
    assert not store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=graph_id, relations=relations))
    none = {name: replace(relation, traits=Traits()) for name, relation in relations.items()}
    assert store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=graph_id, relations=none))
    assert set(_levels(store, graph_id).values()) == {"Leaf"}
    assert store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=graph_id, relations=relations))
    assert (_levels(store, graph_id), _depths(store, graph_id)) == before


def test_below_a_ring_that_a_root_reaches_by_a_longer_way_the_ring_counts(store: GraphStore, graph_id: str) -> None:
    """What a clean import writes is what the check asks for, and what a rebuilding inside the database gives."""
    _import(store, graph_id, [("a", "r"), ("c", "a"), ("c", "x"), ("x", "y"), ("y", "x"), ("d", "c")])
    expected = {"r": 0, "a": 1, "x": 0, "y": 1, "c": 1, "d": 2}
    assert _depths(store, graph_id) == expected
    assert check_graph(store, graph_id).sound
    relations = load_catalogue(store, graph_id)
    none = {name: replace(relation, traits=Traits()) for name, relation in relations.items()}
    assert store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=graph_id, relations=none))
    assert store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=graph_id, relations=relations))
    assert _depths(store, graph_id) == expected


@settings(max_examples=300, deadline=None, derandomize=True)
@given(links=st.sets(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=20))
def test_depths_of_any_hierarchy_are_those_of_breadth_first_search(links: set[tuple[int, int]]) -> None:
    """With rings, loops, several roots and parts that hang together in none of these ways."""
    with sqlite3.connect(":memory:") as database:
        database.executescript(
            "CREATE TABLE relation (id INTEGER PRIMARY KEY, to_parent INTEGER, to_child INTEGER);"
            "CREATE TABLE entity (id INTEGER PRIMARY KEY, level INTEGER NOT NULL DEFAULT 0, depth INTEGER);"
            "CREATE TABLE fact (subject INTEGER, relation INTEGER, object INTEGER);"
            "CREATE TABLE link (parent INTEGER, child INTEGER, PRIMARY KEY (parent, child)) WITHOUT ROWID;"
            "INSERT INTO relation VALUES (1, 1, 0);"
        )
        database.executemany("INSERT INTO entity (id) VALUES (?)", ((n,) for n in range(1, 13)))
        database.executemany("INSERT INTO fact VALUES (?, 1, ?)", sorted(links))
        settle_levels(database)
        found = dict(database.execute("SELECT id, depth FROM entity WHERE depth IS NOT NULL"))
    graph: nx.DiGraph[str] = nx.DiGraph((f"{o:02}", f"{s:02}") for s, o in links if s != o)
    assert {f"{n:02}": depth for n, depth in found.items()} == depths(graph)


def test_only_topmost_cycles_are_seeded(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("q", "p"), ("p", "q"), ("a", "p"), ("b", "a"), ("a", "b")])
    assert _depths(store, graph_id) == {"p": 0, "q": 1, "a": 1, "b": 2}


@pytest.mark.parametrize("seed", range(3))
def test_a_random_graph_agrees_with_networkx(store: GraphStore, graph_id: str, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    uids = [f"n{i:03}" for i in range(60)]
    links = sorted({(a, b) for _ in range(70) for a, b in [draw.sample(uids, 2)]})
    _import(store, graph_id, links, extra=uids)
    graph: nx.DiGraph[str] = nx.DiGraph((parent, child) for child, parent in links)
    found = depths(graph)
    expected = {uid: found.get(uid) for uid in uids}
    assert _depths(store, graph_id) == expected
    for uid, level in _levels(store, graph_id).items():
        children = graph.out_degree(uid) if uid in graph else 0
        parents = graph.in_degree(uid) if uid in graph else 0
        assert level == ("Leaf" if not children else "Intermediate" if parents else "Root")


def test_every_entity_has_exactly_one_level_label(store: GraphStore, graph_id: str) -> None:
    _import(store, graph_id, [("b", "a"), ("c", "b")])
    _import(store, graph_id, [("a", "b"), ("b", "c")], extra=["d"])
    text = "MATCH (e:Entity {graph_id: $g}) RETURN e.uid AS uid, labels(e) AS labels"
    _, rows = store.run_user_query(text, {"g": graph_id}, limit=100, timeout_s=30)
    assert {row["uid"]: sorted(row["labels"]) for row in rows} == {
        "a": ["Entity", "Leaf"],
        "b": ["Entity", "Intermediate"],
        "c": ["Entity", "Root"],
        "d": ["Entity", "Leaf"],
    }


def test_an_accepted_inverse_of_a_hierarchy_gives_levels_up_to_a_size(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one transaction of a small server cannot rebuild is refused, and nothing changed."""
    parts = {
        FileRole.ENTITIES: "uid,name\na,A\nb,B\nc,C\n",
        FileRole.RELATIONS: "name,hierarchical\nis_a,true\nkinds,false\n",
        FileRole.FACTS: "subject,relation,object\nb,is_a,a\nb,kinds,c\n",
    }
    files = [InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(t.encode())) for role, t in parts.items()]
    import_graph(store, graph_id=graph_id, files=files)
    wanted = [Acceptance(kind=TraitKind.INVERSE, relation="is_a", others=("kinds",))]
    before = _depths(store, graph_id)
    with monkeypatch.context() as patch:
        patch.setattr(levels, "MAX_LINKS", 1)
        with pytest.raises(TooLarge, match="more than 1 links"):
            accept(store, graph_id, wanted)
        accept(store, graph_id, [Acceptance(kind=TraitKind.TRANSITIVE, relation="is_a")])  # changes no link
    assert _depths(store, graph_id) == before
    accept(store, graph_id, wanted)
    assert _depths(store, graph_id) == {"a": 0, "b": 1, "c": 2}
