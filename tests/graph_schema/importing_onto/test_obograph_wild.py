"""OBO Graphs as they are about: nothing costs a node its name, an alias or its place without a word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.importing.reading.records import FindingKind

OBO = "http://purl.obolibrary.org/obo/"
IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"


def node(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{OBO}H_{number}", "type": "CLASS", "lbl": f"Ding {number}", **more}


def edge(subject: int, predicate: str, obj: int) -> dict[str, str]:
    return {"sub": f"{OBO}H_{subject}", "pred": predicate, "obj": f"{OBO}H_{obj}"}


def graph(nodes: list[Any], edges: list[Any] | None = None, **more: Any) -> Folded:
    return read("obograph", ("haus.json", json.dumps({"graphs": [{"nodes": nodes, "edges": edges or [], **more}]})))


def kinds(folded: Folded) -> dict[FindingKind, int]:
    found: dict[FindingKind, int] = {}
    for finding in folded.findings:
        found[finding.kind] = found.get(finding.kind, 0) + finding.count
    return found


@pytest.mark.parametrize(
    ("predicate", "taken"),
    [
        ("hasExactSynonym", True),
        (f"{IN_OWL}hasExactSynonym", True),
        ("oboInOwl:hasExactSynonym", True),
        ("hasBroadSynonym", False),
        ("hatBeiname", False),
        (None, False),
    ],
)
def test_synonyms(predicate: str | None, taken: bool) -> None:
    folded = graph([node(1, meta={"synonyms": [{"pred": predicate, "val": "槌 {x} ! y"}]})])
    assert folded.entities["H:1"].aliases == (("槌 {x} ! y",) if taken else ())
    assert (FindingKind.IGNORED in kinds(folded)) is not taken


def test_synonyms_and_labels_without_a_text_are_told() -> None:
    folded = graph([node(1, lbl=7, meta={"synonyms": [{"pred": "hasExactSynonym", "val": 7}, {"val": " "}, None]})])
    assert len(folded.rejections) == 3
    assert kinds(folded) == {FindingKind.NAME_CHANGED: 1}
    assert graph([node(1, lbl={"val": "Tür"})]).names == {"H:1": "Tür"}


def test_alternative_ids_and_replacements() -> None:
    living = {"basicPropertyValues": [{"pred": f"{IN_OWL}hasAlternativeId", "val": f"H:{n}"} for n in (7, 3)]}
    gone = {"deprecated": "true", "basicPropertyValues": [{"pred": f"{OBO}IAO_0100001", "val": f"{OBO}H_1"}]}
    nodes = [node(1, meta=living), node(2), node(3), node(7, meta={"deprecated": True}), node(9, meta=gone)]
    folded = graph(nodes, [edge(2, "is_a", 7), edge(2, "is_a", 3), edge(2, "is_a", 9)])
    assert set(folded.facts) == {("H:2", "is_a", "H:1"), ("H:2", "is_a", "H:3")}
    assert kinds(folded)[FindingKind.MERGED] == 1
    assert sum("obsolete, replaced by 'H:1'" in reason for reason in folded.reasons) == 2


def test_kinds_in_small_letters_and_other_words_for_is_a() -> None:
    nodes = [node(1, type="class"), node(2, type=None), {"id": f"{OBO}x#teil", "type": "property", "lbl": "Teil"}]
    folded = graph(nodes, [edge(1, "rdfs:subClassOf", 2), edge(2, f"{OBO}x#teil", 1)])
    assert folded.uids == {"H:1", "H:2"}
    assert set(folded.facts) == {("H:1", "is_a", "H:2"), ("H:2", "teil", "H:1")}


def test_remarks_and_definitions_are_counted() -> None:
    meta = {"definition": {"val": "so"}, "comments": ["a", "b"], "xrefs": [{"val": "X:1"}], "subsets": []}
    axioms = [{"definedClassId": f"{OBO}H_1", "genusIds": [f"{OBO}H_2"], "restrictions": []}]
    folded = graph([node(1, meta=meta)], logicalDefinitionAxioms=axioms)
    assert kinds(folded) == {FindingKind.DOCUMENTATION: 4, FindingKind.IGNORED: 1}
