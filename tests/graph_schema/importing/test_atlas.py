"""The bundled atlas: its files agree with each other and with the traits they declare."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ATLAS = Path(__file__).parents[3] / "graph_schema/knowledgesmith/graph_schema/atlas"
HEADERS = {
    "entities": "uid,name,type,domain,aliases",
    "relations": (
        "name,rel_type,domain_type,range_type,functional,inverse_functional,"
        "symmetric,transitive,hierarchical,inverse_of,composed_of"
    ),
    "facts": "subject,relation,object",
    "templates": "relation,direction,split,form,text",
}
DOMAINS = {"biology", "economics", "history", "physics", "geography"}
TRAITS = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
Row = dict[str, str]
Pairs = set[tuple[str, str]]


def load(name: str) -> list[Row]:
    """The rows of one atlas file, with a check that none is ragged."""
    with (ATLAS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle, strict=True)
        rows = list(reader)
    assert ",".join(reader.fieldnames or []) == HEADERS[name]
    assert all(None not in row and None not in row.values() for row in rows)
    return rows


ENTITIES = {row["uid"]: row for row in load("entities")}
RELATIONS = {row["name"]: row for row in load("relations")}
FACTS = load("facts")
TEMPLATES = load("templates")


def asserted() -> dict[str, Pairs]:
    """The pairs asserted for each relation."""
    pairs: dict[str, Pairs] = defaultdict(set)
    for fact in FACTS:
        pairs[fact["relation"]].add((fact["subject"], fact["object"]))
    return pairs


def joined(left: Pairs, right: Pairs) -> Pairs:
    """All (x, z) with (x, y) in left and (y, z) in right."""
    after: dict[str, set[str]] = defaultdict(set)
    for start, end in right:
        after[start].add(end)
    return {(x, z) for x, y in left for z in after[y]}


@cache
def closed() -> dict[str, Pairs]:
    """The pairs of each relation under all traits, to the fixed point."""
    pairs = asserted()
    size = -1
    while size != sum(map(len, pairs.values())):
        size = sum(map(len, pairs.values()))
        for name, row in RELATIONS.items():
            if row["symmetric"] == "true":
                pairs[name] |= {(o, s) for s, o in pairs[name]}
            if row["transitive"] == "true":
                pairs[name] |= joined(pairs[name], pairs[name])
            if row["inverse_of"]:
                pairs[row["inverse_of"]] |= {(o, s) for s, o in pairs[name]}
            if row["composed_of"]:
                first, second = row["composed_of"].split("|")
                pairs[name] |= joined(pairs[first], pairs[second])
    return pairs


def parents() -> dict[str, set[str]]:
    """The hierarchy: child to parents."""
    above: dict[str, set[str]] = defaultdict(set)
    for fact in FACTS:
        if RELATIONS[fact["relation"]]["hierarchical"] == "true":
            above[fact["subject"]].add(fact["object"])
    return above


def texts(relation: str, direction: str, split: str, form: str) -> list[str]:
    """The texts of one relation in one cell of the template table."""
    key = (relation, direction, split, form)
    return [t["text"] for t in TEMPLATES if (t["relation"], t["direction"], t["split"], t["form"]) == key]


def blank(text: str) -> str:
    """A text with its placeholders made equal and case ignored."""
    return re.sub(r"\{[so]\}", "{}", text).casefold().strip()


def test_counts() -> None:
    assert len(FACTS) >= 800
    assert len(RELATIONS) >= 20
    per_domain = Counter(ENTITIES[fact["subject"]]["domain"] for fact in FACTS)
    assert set(per_domain) == DOMAINS
    assert min(per_domain.values()) >= 100
    assert sum(bool(row["inverse_of"]) for row in RELATIONS.values()) >= 6
    assert sum(bool(row["composed_of"]) for row in RELATIONS.values()) >= 2
    for trait in TRAITS:
        assert any(row[trait] == "true" for row in RELATIONS.values())


def test_entities_are_unique_and_plain() -> None:
    assert len(ENTITIES) == len(load("entities"))
    assert all(re.fullmatch(r"[a-z0-9_]+", uid) for uid in ENTITIES)
    names = Counter((row["type"], row["name"]) for row in ENTITIES.values())
    assert max(names.values()) == 1
    for row in ENTITIES.values():
        assert row["domain"] in DOMAINS
        assert re.fullmatch(r"[A-Z][A-Za-z]+", row["type"])
        aliases = [alias for alias in row["aliases"].split("|") if alias]
        for text in (row["name"], *aliases):
            assert text == text.strip()
            assert not re.search(r"[{}|\n_]", text)
        assert len({row["name"], *aliases}) == len(aliases) + 1


def test_no_alias_is_another_name_of_the_same_type() -> None:
    owners: dict[tuple[str, str], str] = {(row["type"], row["name"]): uid for uid, row in ENTITIES.items()}
    for uid, row in ENTITIES.items():
        for alias in filter(None, row["aliases"].split("|")):
            assert owners.setdefault((row["type"], alias), uid) == uid, (row["type"], alias)


def test_relations_are_well_formed() -> None:
    assert len(RELATIONS) == len(load("relations"))
    types = {row["type"] for row in ENTITIES.values()} | {""}
    for name, row in RELATIONS.items():
        assert re.fullmatch(r"[a-z][a-z_]*", name)
        assert row["rel_type"] == name.upper()
        assert {row["domain_type"], row["range_type"]} <= types
        assert {row[trait] for trait in TRAITS} <= {"true", "false"}


def test_references_and_types_resolve() -> None:
    assert len({tuple(fact.values()) for fact in FACTS}) == len(FACTS)
    used = {uid for fact in FACTS for uid in (fact["subject"], fact["object"])}
    assert used == set(ENTITIES)
    for fact in FACTS:
        row = RELATIONS[fact["relation"]]
        assert row["domain_type"] in ("", ENTITIES[fact["subject"]]["type"]), fact
        assert row["range_type"] in ("", ENTITIES[fact["object"]]["type"]), fact
        assert fact["subject"] != fact["object"]


def test_functional_relations_hold_in_the_closure() -> None:
    pairs = closed()
    for name, row in RELATIONS.items():
        subjects = Counter(s for s, _ in pairs[name])
        objects = Counter(o for _, o in pairs[name])
        if row["functional"] == "true":
            assert [s for s, n in subjects.items() if n > 1] == [], name
        if row["inverse_functional"] == "true":
            assert [o for o, n in objects.items() if n > 1] == [], name


def test_inverse_pairs_mirror_each_other_and_are_asserted_once() -> None:
    pairs = asserted()
    for name, row in RELATIONS.items():
        if not row["inverse_of"]:
            continue
        other = RELATIONS[row["inverse_of"]]
        assert other["inverse_of"] == name
        assert (other["domain_type"], other["range_type"]) == (row["range_type"], row["domain_type"])
        assert other["functional"] == row["inverse_functional"]
        assert bool(pairs[name]) != bool(pairs[other["name"]])


def test_symmetric_facts_are_asserted_once() -> None:
    pairs = asserted()
    for name, row in RELATIONS.items():
        if row["symmetric"] == "true":
            assert row["domain_type"] == row["range_type"]
            assert not {(o, s) for s, o in pairs[name]} & pairs[name]


def test_composed_relations_follow_from_their_parts() -> None:
    before, after = asserted(), closed()
    for name, row in RELATIONS.items():
        if not row["composed_of"]:
            assert before[name] or row["inverse_of"], name
            continue
        first, second = row["composed_of"].split("|")
        derived = joined(after[first], after[second])
        assert derived
        assert before[name] <= derived


def test_hierarchy_is_acyclic_and_three_levels_deep_in_every_domain() -> None:
    above = parents()
    list(TopologicalSorter(above).static_order())
    for domain in DOMAINS:
        inside = {
            child: {p for p in ps if ENTITIES[p]["domain"] == domain}
            for child, ps in above.items()
            if ENTITIES[child]["domain"] == domain
        }
        assert any(inside.get(parent) for ps in inside.values() for parent in ps), domain


def test_every_level_occurs_in_every_domain() -> None:
    above = parents()
    has_child = {parent for ps in above.values() for parent in ps}
    leaves = {ENTITIES[uid]["domain"] for uid in above if uid not in has_child}
    inner = {ENTITIES[uid]["domain"] for uid in above if uid in has_child}
    assert leaves == DOMAINS
    assert inner == DOMAINS


@pytest.mark.parametrize("relation", sorted(RELATIONS))
def test_templates_are_complete(relation: str) -> None:
    assert len(texts(relation, "forward", "train", "cloze")) >= 3
    assert len(texts(relation, "forward", "eval", "cloze")) >= 3
    assert texts(relation, "forward", "train", "statement")
    assert texts(relation, "forward", "eval", "statement")
    assert texts(relation, "forward", "eval", "phrase")
    assert texts(relation, "forward", "eval", "question")
    reverse = [texts(relation, "reverse", split, "cloze") for split in ("train", "eval")]
    assert not any(reverse) or (len(reverse[0]) >= 1 and len(reverse[1]) >= 2)


def test_templates_carry_the_right_placeholders() -> None:
    for row in TEMPLATES:
        assert row["relation"] in RELATIONS
        assert row["direction"] in {"forward", "reverse"}
        assert row["split"] in {"train", "eval"}
        assert row["form"] in {"cloze", "statement", "question", "phrase"}
        wanted = {"{s}"} if row["direction"] == "forward" else {"{o}"}
        if row["form"] == "statement":
            wanted = {"{s}", "{o}"}
        assert set(re.findall(r"\{[^}]*\}", row["text"])) == wanted, row
        assert row["text"] == row["text"].strip()
        if row["form"] in ("cloze", "statement") and not row["text"].startswith("{"):
            assert row["text"][0].isupper()


def test_clozes_that_open_with_a_name_open_with_a_capital() -> None:
    for row in TEMPLATES:
        match = re.match(r"\{([so])\}", row["text"])
        if row["form"] == "phrase" or not match:
            continue
        side = "domain_type" if match[1] == "s" else "range_type"
        kind = RELATIONS[row["relation"]][side]
        assert all(e["name"][0].isupper() for e in ENTITIES.values() if e["type"] == kind), row


def test_no_eval_text_is_a_train_text() -> None:
    by_split: dict[str, set[str]] = defaultdict(set)
    for row in TEMPLATES:
        text = blank(row["text"])
        by_split[row["split"]] |= {text, text.removesuffix(" {}.")}
    assert not by_split["train"] & by_split["eval"]
    assert len({(t["relation"], t["direction"], t["form"], t["text"]) for t in TEMPLATES}) == len(TEMPLATES)
