"""RDF as it is published: relative IRIs, SKOS-XL, statements about several things, shapes, facets, sub-properties."""

from __future__ import annotations

import pytest
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.errors import InvalidInput

E = "http://e.org/"
PREFIXES = """
@prefix e: <http://e.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""

NEGATED = """
[] a owl:NegativePropertyAssertion ; owl:sourceIndividual e:x ; owl:assertionProperty e:p ; owl:targetIndividual e:z .
"""


def turtle(text: str, **options: object) -> Folded:
    return read("rdf", ("t.ttl", PREFIXES + text), **options)


def facts(folded: Folded) -> set[tuple[str, str, str]]:
    return {(s.removeprefix(E), r, o.removeprefix(E)) for s, r, o in folded.facts}


def test_relative_iris_stand_below_the_file_or_the_given_base() -> None:
    text = "<#a> <#knows> <#b> ."
    assert set(read("rdf", ("d/my file.ttl", text)).facts) == {
        ("file:///d/my%20file.ttl#a", "knows", "file:///d/my%20file.ttl#b")
    }
    assert set(read("rdf", ("x.ttl", text), base="http://e.org/d").facts) == {
        ("http://e.org/d#a", "knows", "http://e.org/d#b")
    }
    with pytest.raises(InvalidInput, match=r"options\.base"):
        read("rdf", ("x.ttl", text), base="no iri")


def test_labels_that_are_things_give_names_and_are_no_entities() -> None:
    folded = turtle(
        "e:x a skos:Concept ; skos:broader e:y ; xl:prefLabel e:l ; xl:altLabel [ xl:literalForm 'lens lore'@en ] . "
        "e:l a xl:Label ; xl:literalForm 'optics'@en . e:y xl:prefLabel [ a xl:Label ; xl:literalForm 'physics'@en ] ."
    )
    assert {uid.removeprefix(E): name for uid, name in folded.names.items()} == {"x": "optics", "y": "physics"}
    assert list(folded.entities[f"{E}x"].aliases) == ["lens lore"]
    assert facts(folded) == {("x", "broader", "y")}


def test_disjoint_classes_become_pairs() -> None:
    folded = turtle(
        "[] a owl:AllDisjointClasses ; owl:members (e:A e:B e:C) . e:D a owl:Class ; owl:disjointUnionOf (e:E e:F) ."
    )
    assert facts(folded) == {
        *{(a, "disjoint_from", b) for a, b in ("AB", "AC", "BC", "EF")},
        *{(a, "is_a", "D") for a in "EF"},
    }
    assert folded.reasons == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            NEGATED,
            "'http://e.org/x' 'http://e.org/p' 'http://e.org/z': says that something does not hold",
        ),
        (
            "e:s a rdf:Statement ; rdf:subject e:x ; rdf:predicate e:p ; rdf:object e:y .",
            "'http://e.org/x' 'http://e.org/p' 'http://e.org/y': a statement about a statement",
        ),
        ("[] rdf:subject e:x ; rdf:predicate e:p ; rdf:object 'y' .", "'y': a statement about a statement"),
        ("[] a owl:AllDifferent ; owl:distinctMembers (e:x e:y) .", "says that things differ"),
        ("e:x e:p [ a rdf:Bag ; rdf:_1 e:y ] .", "an end is a part of the notation"),
    ],
)
def test_what_is_said_about_several_things_is_told_and_no_fact(text: str, told: str) -> None:
    folded = turtle(f"e:x e:knows e:y . {text}")
    assert facts(folded) == {("x", "knows", "y")}
    assert len(folded.reasons) == 1
    assert told in folded.reasons[0]
    assert folded.reasons == turtle(f"e:x e:knows e:y . {text}").reasons  # no label of a parser's making


def test_shapes_and_facets_are_notation() -> None:
    folded = turtle(
        "e:Shape a sh:NodeShape ; sh:targetClass e:Dog ; sh:property [ sh:path e:age ; sh:minInclusive 0 ] . "
        "e:Dog a owl:Class . e:age a owl:DatatypeProperty ; rdfs:range [ a rdfs:Datatype ; "
        "owl:onDatatype xsd:integer ; owl:withRestrictions ( [ xsd:minInclusive 0 ] ) ] . e:rex a e:Dog ; e:age 3 ."
    )
    assert facts(folded) == {("rex", "type", "Dog"), ("rex", "age", '"3"^^integer')}
    assert {uid.removeprefix(E) for uid in folded.entities} == {"rex", "Dog", '"3"^^integer'}


def test_a_property_s_facts_are_also_those_of_the_properties_above_when_asked() -> None:
    text = "e:mother rdfs:subPropertyOf e:parent . e:parent rdfs:subPropertyOf e:relative . e:x e:mother e:y ."
    assert facts(turtle(text)) == {("x", "mother", "y")}
    assert facts(turtle(text, super_properties=True)) == {("x", name, "y") for name in ("mother", "parent", "relative")}


@pytest.mark.parametrize("name", ["t.rj", "t.trix", "t.hdt"])
def test_notations_that_look_like_others_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not read"):
        read("rdf", (name, "{}"))
