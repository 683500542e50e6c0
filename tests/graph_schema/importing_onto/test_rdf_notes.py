"""Notes with a structure, provenance, reified statements and scaffolding of RDF: no entities, but counted."""

from __future__ import annotations

import io

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind
from knowledgesmith.graph_schema.importing.registry import load_importer

PREFIXES = """
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix void: <http://rdfs.org/ns/void#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix e: <http://e.org/> .
"""
CONCEPTS = """
e:fluss a skos:Concept ; skos:prefLabel "Fluss"@de .
e:bach a skos:Concept ; skos:prefLabel "Bach"@de ; skos:broader e:fluss .
"""
THINGS = {"http://e.org/fluss", "http://e.org/bach"}
FACTS = {("http://e.org/bach", "broader", "http://e.org/fluss")}


def rdf(text: str, **options: object) -> Folded:
    return read("rdf", ("notizen.ttl", PREFIXES + CONCEPTS + text), **{"language": "de", **options})


def documented(text: str) -> int:
    """How many parts of the text are reported as remarks, beside those of the concepts (none)."""
    importer = load_importer("rdf")
    content = io.BytesIO((PREFIXES + CONCEPTS + text).encode())
    records = importer.read(
        [InputFile(name="notizen.ttl", content=content)], importer.options.model_validate({"language": "de"})
    )
    return sum(r.count for r in records if isinstance(r, Finding) and r.kind is FindingKind.DOCUMENTATION)


@pytest.mark.parametrize(
    "text",
    [
        'e:bach skos:editorialNote [ dct:title "Woher" ; dct:source "Handbuch" ] .',
        'e:bach skos:scopeNote [ a e:Notiz ; dct:title "Umfang" ] .',
        'e:bach skos:changeNote [ rdf:value "neu gefasst"@de ; dct:creator e:anna ; e:datum "2020" ] .',
        'e:bach skos:historyNote e:n1 . e:n1 rdf:value "früher Beek" ; dct:creator [ rdfs:label "Anna" ] .',
        'e:bach skos:note e:n1 . e:n1 a e:Notiz ; rdfs:label "Notiz eins" .',
        'e:eigen rdfs:subPropertyOf skos:note . e:bach e:eigen [ a e:Notiz ; rdfs:label "unter einer Notiz" ] .',
        "e:bach skos:note [ a e:Notiz ; e:von e:anna ] . e:anna dct:title 'Anna' .",
        'e:bach skos:definition [ rdf:value "kleiner Fluss" ; skos:note [ rdf:value "innen" ; skos:note [ ] ] ] .',
        "e:bach prov:wasDerivedFrom e:quelle . e:quelle a prov:Entity ; rdfs:label 'Quelle' .",
        "e:lauf a prov:Activity ; prov:used e:bach ; prov:wasAssociatedWith [ a prov:Agent ; rdfs:label 'Wir' ] .",
        "e:daten a void:Dataset ; dct:title 'Gewässer' ; void:triples 9 .",
        "e:bach dct:source e:buch . e:buch dct:title 'Ein Buch' .",
        "e:bach dct:creator [ a e:Person ; rdfs:label 'Anna' ] .",
        "[] a owl:Axiom ; owl:annotatedSource e:bach ; owl:annotatedProperty e:p ; owl:annotatedTarget e:fluss .",
        "e:s a rdf:Statement ; rdf:subject e:bach ; rdf:predicate skos:broader ; rdf:object e:fluss ; e:sicher 0.9 .",
        "[] rdf:subject e:bach ; rdf:predicate skos:broader ; rdf:object e:fluss ; prov:wasDerivedFrom e:q .",
        "<< e:bach skos:broader e:fluss >> e:sagt e:anna .",
        "e:bach skos:broader e:fluss {| e:sagt 'Anna' |} .",
        "e:Form a sh:NodeShape ; sh:targetClass e:Ding ; sh:property [ sh:path e:p ; sh:minCount 1 ] .",
        "e:Form sh:path e:p ; sh:minCount 1 .",
        "e:liste rdf:first e:bach ; rdf:rest ( e:fluss ) .",
        "e:o a owl:Ontology ; rdfs:label 'Gewässer' ; owl:imports e:andere .",
    ],
)
def test_what_is_no_thing_is_counted_and_becomes_none(text: str) -> None:
    folded = rdf(text)
    assert folded.uids == THINGS
    assert set(folded.facts) == FACTS
    assert folded.rejections == []
    assert documented(text) >= 1


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("e:a a e:Person ; rdfs:label 'Anna' . e:bach dct:creator e:a .", "a"),
        ("e:a a e:Person , prov:Agent ; rdfs:label 'Anna' . e:bach prov:wasAttributedTo e:a .", "a"),
        ("e:a a owl:Class ; rdfs:label 'Wasser' . e:bach skos:note e:a .", "a"),
        ("e:a a owl:NamedIndividual ; rdfs:label 'Rhein' . e:bach skos:note e:a .", "a"),
        ("e:a a skos:Concept ; skos:prefLabel 'See'@de . e:bach skos:note e:a .", "a"),
        ("e:a a prov:Entity ; rdfs:label 'Q' . e:bach e:aus e:a .", "a"),
        ("e:a e:p e:bach . e:fluss skos:note e:a .", "a"),
        ("e:a rdfs:label 'nur benannt' .", "a"),
        ("e:c skos:note e:a . e:a a e:Notiz ; e:lange 7 .", "a"),
        ("e:a a sh:NodeShape , owl:Class ; rdfs:label 'beides' .", "a"),
    ],
)
def test_what_takes_part_in_facts_or_is_declared_is_a_thing(text: str, thing: str) -> None:
    assert f"http://e.org/{thing}" in rdf(text).entities


def test_a_structured_thing_without_an_iri_stays_where_a_fact_leads_to_it() -> None:
    folded = rdf("e:bach e:adresse [ e:ort e:koeln ; rdfs:label 'Ufer' ] .")
    assert {key[1] for key in folded.facts} == {"broader", "adresse", "ort"}


def test_reified_statements_that_nobody_makes_are_rejected() -> None:
    for text in (
        "[] a rdf:Statement ; rdf:subject e:fluss ; rdf:predicate skos:broader ; rdf:object e:bach .",
        "<< e:fluss skos:broader e:bach >> e:sagt e:anna .",
    ):
        folded = rdf(text)
        assert set(folded.facts) == FACTS
        assert ["a statement about a statement" in reason for reason in folded.reasons] == [True]


def test_an_ordered_collection_has_its_members() -> None:
    folded = rdf("e:k a skos:OrderedCollection ; skos:memberList ( e:bach e:fluss ) .")
    assert {key for key in folded.facts if key[1] == "member"} == {
        ("http://e.org/k", "member", "http://e.org/bach"),
        ("http://e.org/k", "member", "http://e.org/fluss"),
    }


def test_annotations_may_be_facts_when_asked_for() -> None:
    text = "e:bach prov:wasDerivedFrom e:quelle . e:quelle rdfs:label 'Quelle' ."
    assert rdf(text, annotations=True).count("wasDerivedFrom") == 1
