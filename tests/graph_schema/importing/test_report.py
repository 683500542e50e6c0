"""What a report says beside its counts: merged, doubled, cyclic, contradictory, alike; by kind, with places."""

from __future__ import annotations

import json
import sqlite3

import pytest
from tests.graph_schema.importing.own import read_files
from tests.graph_schema.importing.records import entity, fact, place, relation

from knowledgesmith.graph_schema.importing.reading.findings import (
    MAX_EXAMPLES,
    MEANINGS,
    FindingCount,
    FindingKind,
    Findings,
)
from knowledgesmith.graph_schema.importing.reading.records import DeniedRecord, Finding, Record
from knowledgesmith.graph_schema.importing.reading.rejections import Rejections
from knowledgesmith.graph_schema.importing.staging.staging import Staging


def report(records: list[Record]) -> dict[str, FindingCount]:
    """The findings of records by kind, the same in any order."""
    found: list[tuple[FindingCount, ...]] = []
    for order in (records, records[::-1], sorted(records, key=repr)):
        with Staging() as staging:
            staging.take(order)
            staging.settle()
            found.append(staging.findings.report())
            assert staging.records == sum(not isinstance(record, Finding) for record in records)
    assert found[0] == found[1] == found[2]
    return {kind.kind.value: kind for kind in found[0]}


def said(found: FindingCount) -> list[str]:
    return [f"{example.place}: {example.text}" for example in found.examples]


def test_every_kind_has_words() -> None:
    assert set(MEANINGS) == set(FindingKind)


def test_a_kind_is_counted_in_full_and_shown_by_its_first_places() -> None:
    noted = Findings()
    for number in sorted(range(1, 1001), key=str, reverse=True):
        noted.add(place(number), FindingKind.NOTE, f"text {number}", count=2)
    (found,) = noted.report()
    assert (found.count, len(found.examples)) == (2000, MAX_EXAMPLES)
    assert [example.place.record for example in found.examples] == list(range(1, MAX_EXAMPLES + 1))


def test_facts_stated_twice_and_in_two_ways() -> None:
    facts = ["a r b", "a r b", "a r b", "a s b", "b s a", "a up b", "b down a"]
    found = report(
        [
            entity("a"),
            entity("b"),
            relation("s", symmetric=True),
            relation("up", inverse_of="down"),
            *(fact(text, number) for number, text in enumerate(facts, 1)),
        ]
    )
    assert found["doubled"].count == 4
    assert "f:2: 'a' r 'b' is stated 3 times" in said(found["doubled"])
    assert "contradictory" not in found


def test_merged_entities_say_what_differs() -> None:
    found = report(
        [
            entity("a", 1, name="Ada", type="Poet", merge=True),
            entity("a", 2, name="Ada Long", type="", merge=True),
            entity("a", 3, name="Ada", type="Smith", merge=True),
            entity("b", 4, name="Bob", merge=True),
            entity("b", 5, name="Bob", merge=True),
        ]
    )
    assert found["merged"].count == 1
    (text,) = said(found["merged"])
    assert text == "f:1: 'a' has the names 'Ada', 'Ada Long' and the types 'Poet', 'Smith'; it is 'Ada'"


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("size", [2, 3, 12])
def test_cycles_are_named_by_their_members(size: int, *, up: bool) -> None:
    ring = [f"n{i:02}" for i in range(size)]
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    records: list[Record] = [entity(uid) for uid in [*ring, "root", "leaf"]]
    records += (
        [relation("is_a", hierarchical=True)]
        if up
        else [
            relation("is_a", hierarchical=True, inverse_of="has_kind"),
            relation("has_kind"),
        ]
    )
    for number, (child, parent) in enumerate([*pairs, (ring[0], "root"), ("leaf", ring[1])], 1):
        records.append(fact(f"{child} is_a {parent}" if up else f"{parent} has_kind {child}", number))
    found = report(records)
    assert found["cycle"].count == 1
    (text,) = said(found["cycle"])
    assert text.startswith("f:1: ")
    assert f" by {'is_a' if up else 'has_kind'}, " in text
    assert sum(f"'{uid}'" in text for uid in ring) == min(size, 8)
    assert ("12 members" in text) is (size == 12)


def test_contradictions_and_both_labels() -> None:
    found = report(
        [
            entity("a"),
            entity("b"),
            entity("c"),
            relation("r", functional=True),
            fact("a r b", 1),
            fact("a r c", 2),
            DeniedRecord(place=place(7), subject="a", relation="r", object="b"),
            DeniedRecord(place=place(8), subject="a", relation="q", object="b"),
        ]
    )
    assert (found["contradictory"].count, found["labelled_false"].count, found["both_labels"].count) == (1, 2, 1)
    assert said(found["contradictory"])[0].startswith("f:2: 'r' has one object a subject, but 'a' has 'b' (f:1)")
    assert said(found["both_labels"]) == ["f:7: 'a' r 'b' is labelled true as well; it stays a fact"]


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("Zoë", "Zoe\u0308", "composed or decomposed letters"),
        ("Ada\u200bLong", "AdaLong", "invisible signs (U+200B)"),
        ("القاهرة", "\u200fالقاهرة", "invisible signs (U+200F)"),
        ("東京", "東\u3000京", ""),
        ("ABC", "\uff21\uff22\uff23", "width"),
        ("paris", "Paris", "letter case"),
    ],
)
def test_twins_say_what_differs(one: str, other: str, words: str) -> None:
    found = report([entity("1", name=one), entity("2", name=other), entity("3", name="quite another")])
    if not words:
        assert "twin_names" not in found
        return
    (text,) = said(found["twin_names"])
    assert words in text
    assert "\u200b" not in text


def test_homonyms_ends_and_ids() -> None:
    found = report(
        [
            entity("1", name="bank"),
            entity("2", name="bank"),
            entity("3", name="", merge=True),
            *(entity(f"x{n}", name=f"name {n}") for n in range(5)),
            fact("1 r 9", 4, create_missing=True),
            fact("9 r 2", 3, create_missing=True),
        ]
    )
    assert said(found["same_name"]) == ["(all files): 'bank' is the name of 2 entities: '1', '2'"]
    assert said(found["undescribed"]) == ["f:3: nothing describes '9'"]
    assert (found["named_by_id"].count, said(found["named_by_id"])) == (1, ["f:1: '3' has no name"])


def test_names_that_are_ids_by_nature_are_no_finding() -> None:
    found = report([fact("Ada knows Bob", create_missing=True), fact("Bob knows Cid", create_missing=True)])
    assert not found


@pytest.mark.parametrize(
    "reasons",
    [
        [f"the restriction <http://x.org/{n}#a> allows no value" for n in range(20)],
        [f"http://x.org/{n}/b is deprecated" for n in range(20)],
        [f"GO:{n:07} is obsolete" for n in range(20)],
        [f"term x.y:A_{n} stands twice (file{n}.obo:{n})" for n in range(20)],
        [f"_:b{n} has no name" for n in range(20)],
        [f"'name {n}' is \"quoted {n}\"" for n in range(20)],
        [f"urn:isbn:{n} is unknown" for n in range(20)],
    ],
)
def test_rejections_that_differ_in_a_value_only_are_one_kind(reasons: list[str]) -> None:
    database = sqlite3.connect(":memory:")
    rejections = Rejections(database)
    for number, reason in enumerate(reasons):
        rejections.add(place(number), reason)
    rejections.add(place(99), "relation: the word is a kind of its own")
    assert sorted(rejections.reasons.values()) == [1, 20]
    assert "relation: the word is a kind of its own" in rejections.reasons
    database.close()


def test_doubles_of_a_file_are_told_with_line_and_file() -> None:
    found = read_files({"mine.csv": "Ardel,likes,Bela\nBela,likes,Cato\nArdel,likes,Bela\n"})
    assert found.said("doubled") == "mine.csv:3: 'Ardel' likes 'Bela' is stated 2 times"


def test_numbers_without_a_size_in_tables_and_mappings() -> None:
    rows = [{"uid": 1, "name": "x"}, {"uid": 2, "name": float("inf")}, {"uid": float("nan"), "name": "y"}]
    lines = "\n".join(map(json.dumps, rows))
    found = read_files({"entities.jsonl": lines})
    assert found.entities == {"1": "x"}
    assert found.reasons == [
        "entities.jsonl:2: name is no finite number: inf",
        "entities.jsonl:3: uid is no finite number: nan",
    ]
    mapping = "files: [{entities: [{uid: uid, name: name}]}]"
    mapped = read_files({"rows.jsonl": lines, "x.mapping.yaml": mapping}, "mapped")
    assert mapped.entities == {"1": "x"}
    assert any("is no finite number" in reason for reason in mapped.reasons)


def test_relations_in_two_spellings_are_told() -> None:
    rows = (
        "Ann,likes,tea",
        "Bob,Likes,milk",
        "Cid,capital-of,Ur",
        "Dan,capital_of,Uruk",
        "Eve,like\u200bs,rum",
        "Fay,owns,x",
    )
    found = read_files({"facts.csv": "subject,relation,object\n" + "\n".join(rows)})
    said = found.said("twin_names")
    assert "the relations 'Likes', 'likes', 'like<U+200B>s' differ in their spelling alone; they stay apart" in said
    assert "'capital-of', 'capital_of'" in said
    assert "owns" not in said
