"""OBO Graphs: the same ontology as in OBO gives the same graph."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.errors import InvalidInput

OBO = "http://purl.obolibrary.org/obo/"
IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
TEXT = """format-version: 1.2
ontology: toy

[Typedef]
id: develops_from
name: develops from
xref: RO:0002202

[Typedef]
id: in_taxon
name: lives as
xref: RO:0002162
is_metadata_tag: true
is_class_level: true

[Typedef]
id: RO:0000057
name: has participant

[Typedef]
id: toy_only

[Term]
id: T:1
name: cell
synonym: "unit" EXACT []
synonym: "thing" BROAD []

[Term]
id: T:2
name: neuron
is_a: T:1
relationship: develops_from T:1
relationship: in_taxon TAXON:1
relationship: RO:0000057 T:1
relationship: toy_only T:1
equivalent_to: T:4

[Term]
id: T:3
name: obsolete blob
is_obsolete: true
"""


def annotation(predicate: str, value: str) -> dict[str, str]:
    return {"pred": predicate, "val": value}


def document() -> dict[str, Any]:
    """``TEXT`` as the usual converters write it."""
    tag = [annotation(f"{IN_OWL}is_metadata_tag", "true"), annotation(f"{IN_OWL}is_class_level", "true")]
    nodes: list[dict[str, Any]] = [
        {
            "id": f"{OBO}T_1",
            "lbl": "cell",
            "type": "CLASS",
            "meta": {
                "synonyms": [
                    {"pred": "hasExactSynonym", "val": "unit"},
                    {"pred": "hasBroadSynonym", "val": "thing"},
                ],
                "xrefs": [{"val": "X:1"}],
            },
        },
        {
            "id": f"{OBO}T_2",
            "lbl": "neuron",
            "type": "CLASS",
            "meta": {"basicPropertyValues": [annotation(f"{OBO}RO_0002162", f"{OBO}TAXON_1")]},
        },
        {"id": f"{OBO}T_3", "lbl": "obsolete blob", "type": "CLASS", "meta": {"deprecated": True}},
        {
            "id": f"{OBO}RO_0002202",
            "lbl": "develops from",
            "type": "PROPERTY",
            "meta": {"basicPropertyValues": [annotation(f"{IN_OWL}shorthand", "develops_from")]},
        },
        {
            "id": f"{OBO}RO_0002162",
            "lbl": "lives as",
            "type": "PROPERTY",
            "meta": {"basicPropertyValues": [annotation(f"{IN_OWL}shorthand", "in_taxon"), *tag]},
        },
        {"id": f"{OBO}RO_0000057", "lbl": "has participant", "type": "PROPERTY"},
    ]
    edges = [
        ("is_a", "T_1"),
        (f"{OBO}RO_0002202", "T_1"),
        (f"{OBO}RO_0000057", "T_1"),
        (f"{OBO}toy#toy_only", "T_1"),
    ]
    graph = {
        "id": f"{OBO}toy.json",
        "nodes": nodes,
        "edges": [{"sub": f"{OBO}T_2", "pred": pred, "obj": OBO + obj} for pred, obj in edges],
        "equivalentNodesSets": [{"nodeIds": [f"{OBO}T_4", f"{OBO}T_2"]}],
        "logicalDefinitionAxioms": [{"definedClassId": f"{OBO}T_2", "genusIds": [f"{OBO}T_9"], "restrictions": []}],
    }
    return {"graphs": [graph]}


def graphs(value: object, **options: object) -> Folded:
    text = value if isinstance(value, str | bytes) else json.dumps(value)
    return read("obograph", ("toy.json", text), **options)


def test_the_same_graph_as_from_obo() -> None:
    one, other = read("obo", ("toy.obo", TEXT)), graphs(document())
    assert set(other.facts) == {
        ("T:2", "is_a", "T:1"),
        ("T:2", "develops_from", "T:1"),
        ("T:2", "in_taxon", "TAXON:1"),
        ("T:2", "has_participant", "T:1"),
        ("T:2", "toy_only", "T:1"),
        ("T:2", "equivalent_to", "T:4"),
    }
    assert one.digest == other.digest
    assert one.names == other.names == {"T:1": "cell", "T:2": "neuron"}
    assert one.uids == other.uids
    assert one.entities["T:1"].aliases == other.entities["T:1"].aliases == ("unit",)
    assert one.relations == other.relations
    assert [r.reason for r in one.rejections] == [r.reason for r in other.rejections] == ["'T:3' is obsolete"]


def test_options_are_those_of_obo() -> None:
    assert "T:3" in graphs(document(), obsolete="keep").names
    assert graphs(document(), synonyms=("BROAD",)).entities["T:1"].aliases == ("thing",)
    assert ("T:2", "is_a", "T:9") in graphs(document(), logical_definitions=True).facts
    assert {key[1] for key in graphs(document(), relations=("is_a",)).facts} == {"is_a"}


def test_nodes_without_label_are_called_by_their_id() -> None:
    folded = graphs({"graphs": [{"nodes": [{"id": f"{OBO}T_1"}, {"id": "http://e.org/x#SomeCell"}]}]})
    assert folded.names == {"T:1": "T:1", "http://e.org/x#SomeCell": "Some Cell"}


def test_properties_are_relations_with_what_their_axioms_say() -> None:
    graph = {
        "nodes": [{"id": f"{OBO}R_{n}", "lbl": f"r{n}", "type": "PROPERTY"} for n in range(1, 5)],
        "edges": [
            {"sub": f"{OBO}R_1", "pred": "inverseOf", "obj": f"{OBO}R_2"},
            {"sub": f"{OBO}R_1", "pred": "subPropertyOf", "obj": f"{OBO}R_3"},
            {"sub": f"{OBO}T_1", "pred": f"{OBO}R_1", "obj": f"{OBO}T_2"},
            {"sub": f"{OBO}T_1", "pred": f"{OBO}R_4", "obj": f"{OBO}T_2"},
            {"sub": f"{OBO}T_1", "pred": "type", "obj": f"{OBO}T_2"},
        ],
        "propertyChainAxioms": [{"predicateId": f"{OBO}R_4", "chainPredicateIds": [f"{OBO}R_1", f"{OBO}R_3"]}],
    }
    folded = graphs({"graphs": [graph]})
    assert set(folded.facts) == {("T:1", "r1", "T:2"), ("T:1", "r4", "T:2"), ("T:1", "instance_of", "T:2")}
    assert folded.relations["r1"].traits.inverse_of == "r2"
    assert folded.relations["r4"].traits.composed_of == ("r1", "r3")


def test_records_that_cannot_be_used_are_named() -> None:
    graph = {
        "nodes": [{"lbl": "no id"}, {"id": f"{OBO}T_1", "lbl": "x" * 600, "meta": "text", "type": "CLASS"}],
        "edges": [{"sub": f"{OBO}T_1", "pred": "is_a"}, {"sub": [1], "pred": "is_a", "obj": {}}],
    }
    folded = graphs({"graphs": [graph]})
    assert folded.names == {"T:1": "T:1"}
    assert folded.reasons == [
        "toy.json:1: the node has no id",
        "toy.json:2: the name of 'T:1' has 600 characters, at most 500 are allowed; its id is used instead",
        "toy.json:3: the edge lacks sub, pred or obj",
        "toy.json:4: the edge lacks sub, pred or obj",
    ]


def test_what_stands_before_a_syntax_error_stays() -> None:
    text = json.dumps(document()).replace('"equivalentNodesSets"', "oops")
    folded = graphs(text)
    assert ("T:2", "develops_from", "T:1") in folded.facts
    assert folded.reasons[-1].startswith("toy.json:11: not JSON from here on")


@pytest.mark.parametrize(
    "text",
    [b'{"graphs": [{"nodes": [{"id": "T:1", "lbl": "\xff"}]}]}', b'{"graphs": [{"nodes": [' + b'{"meta":' * 100_000],
    ids=["not UTF-8", "deep nesting"],
)
def test_hostile_files_are_named(text: bytes) -> None:
    folded = graphs(text)
    assert folded.entities == {}
    assert [rejection.place.record for rejection in folded.rejections] == [1]


def test_a_file_without_graphs_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"toy\.json"):
        graphs({"nodes": []})


def test_the_order_of_nodes_and_edges_does_not_matter() -> None:
    wanted = graphs(document())
    for seed in range(4):
        value = document()
        graph = value["graphs"][0]
        for key in ("nodes", "edges"):
            random.Random(seed).shuffle(graph[key])  # noqa: S311
        value["graphs"] = [{"edges": graph.pop("edges")}, {key: graph[key] for key in reversed(graph)}]
        got = graphs(value)
        assert (got.digest, got.names, got.relations) == (wanted.digest, wanted.names, wanted.relations)
