"""Rings and loops of hierarchies and of transitive relations are told by their members, whatever the format."""

from __future__ import annotations

import io
import random

import pytest

from knowledgesmith.graph_schema.importing.reading.findings import Finding, FindingKind
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.registry import load_importer
from knowledgesmith.graph_schema.importing.staging.staging import Staging

Told = tuple[list[Finding], list[str], int]


def staged(kind: str, name: str, text: str) -> Told:
    """Cycles, reasons of rejections, and how many facts are left."""
    importer = load_importer(kind)
    with Staging() as staging:
        staging.take(importer.read([InputFile(name=name, content=io.BytesIO(text.encode()))], importer.options()))
        staging.settle()
        cycles = [f for found in staging.findings.report() if found.kind is FindingKind.CYCLE for f in found.examples]
        return cycles, [rejection.reason for rejection in staging.rejections.first()], staging.facts


def obo(*facts: tuple[str, str, str], more: str = "") -> str:
    names = {uid: f"Teil {uid[2:]}" for fact in facts for uid in (fact[0], fact[2])}
    text = f"[Typedef]\nid: teil_von\nis_transitive: true\n{more}\n"
    for uid, name in names.items():
        lines = [f"relationship: {r} {o}" if r != "is_a" else f"is_a: {o}" for s, r, o in facts if s == uid]
        text += "\n".join(["[Term]", f"id: {uid}", f"name: {name}", *lines, "", ""])
    return text


def test_a_ring_of_parts_is_told_and_kept() -> None:
    facts = [("A:1", "teil_von", "A:2"), ("A:2", "teil_von", "A:3"), ("A:3", "teil_von", "A:1")]
    cycles, reasons, left = staged("obo", "ring.obo", obo(*facts, ("A:4", "teil_von", "A:1")))
    ring = "'Teil 1' ('A:1') → 'Teil 2' ('A:2') → 'Teil 3' ('A:3') → 'Teil 1' ('A:1') by teil_von"
    assert [finding.text for finding in cycles] == [f"{ring}; 3 in all, every fact is kept"]
    assert cycles[0].place.record > 0
    assert (reasons, left) == ([], 4)


def test_a_ring_over_an_inverse_is_one_ring() -> None:
    more = "inverse_of: hat_teil\n\n[Typedef]\nid: hat_teil\n"
    facts = [("A:1", "teil_von", "A:2"), ("A:1", "hat_teil", "A:2")]
    cycles, _, _ = staged("obo", "ring.obo", obo(*facts, more=more))
    assert len(cycles) == 1
    assert "2 in all" in cycles[0].text


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([("A:1", "teil_von", "A:1")], 1),
        ([("A:1", "teil_von", "A:2"), ("A:2", "teil_von", "A:3")], 0),
        ([("A:1", "is_a", "A:2"), ("A:2", "is_a", "A:1")], 1),
        ([("A:1", "neben", "A:2"), ("A:2", "neben", "A:1")], 0),
    ],
)
def test_loops_and_what_is_none(facts: list[tuple[str, str, str]], told: int) -> None:
    cycles, _, left = staged("obo", "ring.obo", obo(*facts))
    assert len(cycles) == told
    assert left == len(facts)


def test_a_thing_above_itself_is_dropped_and_named() -> None:
    turtle = (
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix e: <http://e.org/> .\n"
        'e:a a skos:Concept ; skos:prefLabel "自己"@zh ; skos:broader e:a , e:b .\n'
        'e:b a skos:Concept ; skos:prefLabel "知識"@zh ; skos:narrower e:b , e:a ; skos:broader e:a .\n'
    )
    cycles, reasons, left = staged("rdf", "kreis.ttl", turtle)
    assert len(cycles) == 1
    assert {"'自己'", "'知識'"} <= set(cycles[0].text.replace(" by ", " → ").split(" → "))
    assert sorted(reason[:18] for reason in reasons) == ["'http://e.org/a' c", "'http://e.org/b' c"]
    assert left == 2


def test_random_relations_against_reachability() -> None:
    """A ring is told for each set of things that all reach each other, and for nothing else."""
    drawn = random.Random(11)  # noqa: S311
    for _ in range(25):
        pairs = {(drawn.randrange(7), drawn.randrange(7)) for _ in range(9)}
        onward = {n: {b for a, b in pairs if a == n} for n in range(7)}
        reach = {n: set(onward[n]) for n in range(7)}
        for _ in range(7):
            reach = {n: found | {c for b in found for c in onward[b]} for n, found in reach.items()}
        rings = {frozenset(m for m in reach[n] if n in reach[m]) for n in range(7) if n in reach[n]}
        expected = sum(len(ring) > 1 for ring in rings) + sum((n, n) in pairs for n in range(7))
        text = obo(*((f"A:{a}", "teil_von", f"A:{b}") for a, b in sorted(pairs)))
        cycles, reasons, left = staged("obo", "ring.obo", text)
        assert (len(cycles), reasons, left) == (expected, [], len(pairs))
