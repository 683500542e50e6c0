"""JSON trees of unknown depth, by themselves and by a mapping that recurses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.errors import InvalidInput

NAMES = [f"level {n}" for n in range(400)]


def _deep(size: int, name: str = "name", children: str = "children") -> dict[str, Any]:
    tree: dict[str, Any] = {name: NAMES[size - 1]}
    for level in reversed(range(size - 1)):
        tree = {children: [tree], name: NAMES[level]}
    return tree


@pytest.mark.parametrize("size", [1, 2, 7, 400])
@pytest.mark.parametrize(("name", "children"), [("name", "children"), ("label", "narrower"), ("名称", "子节点")])
def test_a_tree_of_any_depth_is_told_and_read(size: int, name: str, children: str) -> None:
    if size == 1:
        with pytest.raises(InvalidInput):
            read_files({"t.json": json.dumps(_deep(1, name, children))})
        return
    found = read_files({"t.json": json.dumps(_deep(size, name, children))})
    assert found.facts == sorted((NAMES[n], "child_of", NAMES[n - 1]) for n in range(1, size))
    assert f"{size} nodes, 1 at the top" in found.said("read_as")


def test_names_that_hold_names() -> None:
    tree = {"animal": {"mammal": {"dog": {}, "cat": None}, "bird": ["eagle", "owl"]}, "plant": {}}
    found = read_files({"t.json": json.dumps(tree)}, relation="kind_of", uid="name")
    assert ("dog", "kind_of", "mammal") in found.facts
    assert ("owl", "kind_of", "bird") in found.facts
    assert len(found.facts) == 6
    assert len(found.entities) == 8


def test_equal_names_in_two_places_are_two_things_unless_asked() -> None:
    tree = {"name": "all", "children": [{"name": n, "children": [{"name": "other"}]} for n in ("one", "two")]}
    text = json.dumps(tree)
    found = read_files({"t.json": text})
    assert len(found.entities) == 5
    assert "'other' is the name of 2 entities" in found.said("same_name")
    assert len(read_files({"t.json": text}, uid="name").entities) == 4


def test_ids_values_leaves_and_what_is_left_aside() -> None:
    tree = {
        "id": "r",
        "name": "animal",
        "meta": {"name": "nobody"},
        "children": [{"id": 7, "name": "dog", "legs": 4, "children": ["puppy", None]}, {"children": []}],
    }
    found = read_files({"t.json": json.dumps(tree)}, values="legs")
    assert ("dog", "legs", "4") in found.facts
    assert ("puppy", "child_of", "dog") in found.facts
    assert "nobody" not in found.entities.values()
    assert found.reasons == ["t.json:5: the node has no name and no id"]
    assert "'legs'" in read_files({"t.json": json.dumps(tree)}).said("ignored")
    wrapped = {"taxonomy": {"name": "animal", "children": [{"name": "dog"}]}}
    assert read_files({"t.json": json.dumps(wrapped)}).facts == [("dog", "child_of", "animal")]
    listed = [{"name": "a", "children": [{"name": "b"}]}, {"name": "c"}]
    assert read_files({"t.json": json.dumps(listed)}).facts == [("b", "child_of", "a")]


def test_a_tree_that_never_ends_or_breaks_off() -> None:
    endless = '{"name": "a", "children": [' * 3_000
    with pytest.raises(InvalidInput):
        read_files({"t.json": endless}, "tree")
    broken = '[{"name": "a", "children": [{"name": "b"}]}, {"name": '
    found = read_files({"t.json": broken}, "tree")
    assert found.facts == [("b", "child_of", "a")]
    assert "cannot be read from this node on" in found.reasons[0]


TREE = {"name": "root", "children": [{"name": "a", "children": ["b"]}]}
FACTS = [("a", "child_of", "root"), ("b", "child_of", "a")]
DESCRIPTIONS: list[Any] = [
    {"name": "Taxonomy v1"},
    {"title": "Taxonomy v1", "id": 7},
    {"source": "x"},
    {"source": {"name": "x", "by": {"name": "y"}}},
    {"nodes": 120, "name": "counted"},
    [{"name": "one"}, {"name": "two"}],
    [],
    "v1",
    3,
    None,
]


@pytest.mark.parametrize("about", DESCRIPTIONS)
@pytest.mark.parametrize("key", ["metadata", "معلومات"])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("lists", ["children", "子节点"])
def test_a_description_beside_a_tree_takes_no_place_in_it(about: Any, key: str, last: bool, lists: str) -> None:
    tree = json.loads(json.dumps(TREE).replace("children", lists))
    for way in (["taxonomy"], ["data", "tree"], ["taxonomies", []], [lists]):
        inner: Any = [tree] if way == [lists] else tree
        for step in reversed(way):
            inner = {step: inner} if isinstance(step, str) else [inner]
        whole = {**inner, key: about} if last else {key: about, **inner}
        found = read_files({"t.json": json.dumps(whole, ensure_ascii=False)})
        assert (found.facts, found.reasons) == (FACTS, []), whole
        assert sorted(found.entities.values()) == ["a", "b", "root"]


def test_several_trees_below_keys_are_all_read() -> None:
    found = read_files({"t.json": json.dumps({"version": 1, "x": TREE, "y": {"name": "other", "children": ["c"]}})})
    assert found.facts == [FACTS[0], FACTS[1], ("c", "child_of", "other")]
    assert "'version', which stand beside the tree" in found.said("ignored")
    described = read_files({"t.json": json.dumps({"about": {"source": "s", "more": TREE}, **TREE})})
    assert described.facts == FACTS
    assert "'source', which stand beside the tree" in described.said("ignored")
    assert "objects with children of their own" in described.said("ignored")
    alone = read_files({"t.json": json.dumps({"about": {"name": "n"}, "x": {"name": "root", "children": []}})})
    assert list(alone.entities.values()) == ["root"]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ('{"name": ', "the file ends in the middle"),
        ('{"name" "c"}]', "a colon lacks"),
        ('{"name": "c"} {}]', "a comma or ] lacks"),
        ('{"name": "c]', "the file ends in the middle"),
        ("{1: 2}]", "a key is no text"),
        ('{"name": "c"}]]', "something stands behind the end"),
        (b'{"name": "\xff"}]', "not UTF-8"),
    ],
)
def test_where_a_tree_breaks_off_is_said_in_words(end: str | bytes, said: str) -> None:
    raw = b'[{"name": "a", "children": [{"name": "b"}]}, ' + (end.encode() if isinstance(end, str) else end)
    found = read_files({"t.json": raw}, "tree")
    assert found.facts == [("b", "child_of", "a")]
    assert said in found.reasons[0]
    assert not any(word in found.reasons[0] for word in ("Error", "lexical", "parse"))


MAPPING = """files:
  - match: t.json
    recurse: parts
    entities:
      - uid: {path: no, prefix: "part:"}
        name: title
        type: Part
        facts:
          - {relation: part_of, object: {path: "@parent.no", prefix: "part:"}}
relations:
  - {name: part_of, hierarchical: true, transitive: true}
"""


@pytest.mark.parametrize("size", [2, 9, 45])
def test_a_mapping_recurses(size: int) -> None:
    tree: dict[str, Any] = {"no": size - 1, "title": NAMES[size - 1]}
    for level in reversed(range(size - 1)):
        tree = {"no": level, "title": NAMES[level], "parts": [tree]}
    found = read_files({"t.json": json.dumps([tree]), "x.mapping.yaml": MAPPING}, "mapped")
    assert found.facts == sorted((NAMES[n], "part_of", NAMES[n - 1]) for n in range(1, size))
    assert found.reasons == []


def test_a_mapping_recurses_through_keys_and_texts() -> None:
    mapping = """files:
  - recurse: "*"
    entities:
      - {uid: "@key", name: "@key", facts: [{relation: below, object: "@parent.@key"}]}
"""
    tree: dict[str, Any] = {"animal": {"mammal": {"dog": {}}, "bird": {}}}
    found = read_files({"t.json": json.dumps(tree), "x.mapping.yaml": mapping}, "mapped")
    assert found.facts == [("bird", "below", "animal"), ("dog", "below", "mammal"), ("mammal", "below", "animal")]
