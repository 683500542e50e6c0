"""A random ontology written in OBO, in OBO Graphs and in Turtle is one graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize
from tests.graph_schema.importing_onto.folding import read

fastobo: Any = import_module("fastobo")
"""Writes OBO by the letter of the grammar; the reader does not use it."""

OBO = "http://purl.obolibrary.org/obo/"
OWL = "http://www.w3.org/2002/07/owl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"
RELATIONS = {"R:0000001": "part of", "R:0000002": "develops from"}


@dataclass(frozen=True)
class Ontology:
    """Names by number of term, obsolete numbers, synonyms, parents and relationships."""

    names: dict[int, str]
    obsolete: set[int]
    synonyms: dict[int, str]
    parents: set[tuple[int, int]]
    others: set[tuple[int, str, int]]


_words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12).map(str.strip).filter(bool)
_terms = st.integers(1, 6)
ontologies = st.builds(
    Ontology,
    names=st.dictionaries(_terms, _words, min_size=1),
    obsolete=st.sets(_terms, max_size=2),
    synonyms=st.dictionaries(_terms, _words),
    # Up to 8: beyond 6 there are no terms, so some targets stand outside the files
    parents=st.sets(st.tuples(_terms, st.integers(1, 8)), max_size=10),
    others=st.sets(st.tuples(_terms, st.sampled_from(sorted(RELATIONS)), st.integers(1, 8)), max_size=10),
)


def curie(number: int) -> str:
    return f"T:{number:07}"


def iri(identifier: str) -> str:
    return OBO + identifier.replace(":", "_")


def as_obo(ontology: Ontology) -> str:
    frames = ["format-version: 1.4\n"]
    for identifier, name in RELATIONS.items():
        frames.append(f"[Typedef]\nid: {identifier}\nname: {name}\n")
    for number, name in ontology.names.items():
        clauses: list[object] = [fastobo.term.NameClause(name)]
        if number in ontology.synonyms:
            clauses.append(fastobo.term.SynonymClause(fastobo.syn.Synonym(ontology.synonyms[number], "EXACT")))
        clauses += [
            fastobo.term.IsAClause(fastobo.id.parse(curie(up))) for low, up in ontology.parents if low == number
        ]
        clauses += [
            fastobo.term.RelationshipClause(fastobo.id.parse(relation), fastobo.id.parse(curie(up)))
            for low, relation, up in ontology.others
            if low == number
        ]
        if number in ontology.obsolete:
            clauses.append(fastobo.term.IsObsoleteClause(True))
        frames.append(str(fastobo.term.TermFrame(fastobo.id.parse(curie(number)), clauses)))
    return "\n".join(frames)


def as_graphs(ontology: Ontology) -> str:
    nodes: list[dict[str, object]] = [
        {"id": iri(identifier), "lbl": name, "type": "PROPERTY"} for identifier, name in RELATIONS.items()
    ]
    for number, name in ontology.names.items():
        meta: dict[str, object] = {"deprecated": True} if number in ontology.obsolete else {}
        if number in ontology.synonyms:
            meta["synonyms"] = [{"pred": "hasExactSynonym", "val": ontology.synonyms[number]}]
        nodes.append({"id": iri(curie(number)), "lbl": name, "type": "CLASS", "meta": meta})
    triples = [(low, "is_a", up) for low, up in ontology.parents]
    triples += [(low, iri(relation), up) for low, relation, up in ontology.others]
    edges = [
        {"sub": iri(curie(low)), "pred": relation, "obj": iri(curie(up))}
        for low, relation, up in triples
        if low in ontology.names
    ]
    return json.dumps({"graphs": [{"edges": edges, "nodes": nodes}]})


def as_turtle(ontology: Ontology) -> bytes:
    def node(identifier: str) -> NamedNode:
        return NamedNode(iri(identifier))

    triples = [Triple(node(key), NamedNode(f"{RDF}type"), NamedNode(f"{OWL}ObjectProperty")) for key in RELATIONS]
    triples += [Triple(node(key), NamedNode(f"{RDFS}label"), Literal(name)) for key, name in RELATIONS.items()]
    for number, name in ontology.names.items():
        subject = node(curie(number))
        triples.append(Triple(subject, NamedNode(f"{RDF}type"), NamedNode(f"{OWL}Class")))
        triples.append(Triple(subject, NamedNode(f"{RDFS}label"), Literal(name)))
        if number in ontology.synonyms:
            triples.append(Triple(subject, NamedNode(f"{IN_OWL}hasExactSynonym"), Literal(ontology.synonyms[number])))
        if number in ontology.obsolete:
            triples.append(Triple(subject, NamedNode(f"{OWL}deprecated"), Literal(value=True)))
        triples += [
            Triple(subject, NamedNode(f"{RDFS}subClassOf"), node(curie(up)))
            for low, up in ontology.parents
            if low == number
        ]
    restrictions = "".join(
        f"<{iri(curie(low))}> <{RDFS}subClassOf> [ <{OWL}onProperty> <{iri(relation)}> ;"
        f" <{OWL}someValuesFrom> <{iri(curie(up))}> ] .\n"
        for low, relation, up in ontology.others
        if low in ontology.names
    )
    text = serialize(triples, format=RdfFormat.TURTLE)
    assert text is not None
    return text + restrictions.encode()


@settings(max_examples=60, deadline=None)
@given(ontologies)
def test_one_ontology_in_three_notations_is_one_graph(ontology: Ontology) -> None:
    obo = read("obo", ("o.obo", as_obo(ontology)))
    graphs = read("obograph", ("o.json", as_graphs(ontology)))
    turtle = read("rdf", ("o.ttl", as_turtle(ontology)))
    live = ontology.names.keys() - ontology.obsolete
    kept = ontology.obsolete & ontology.names.keys()
    expected = {(curie(low), "is_a", curie(up)) for low, up in ontology.parents if low in live and up not in kept}
    expected |= {
        (curie(low), RELATIONS[relation].replace(" ", "_"), curie(up))
        for low, relation, up in ontology.others
        if low in live and up not in kept
    }
    for folded in (obo, graphs, turtle):
        assert set(folded.facts) == expected
        assert folded.names == {curie(number): ontology.names[number] for number in live}
        assert folded.uids == obo.uids
        assert {uid: record.aliases for uid, record in folded.entities.items()} == {
            curie(number): tuple({ontology.synonyms[number]} - {ontology.names[number]})
            if number in ontology.synonyms
            else ()
            for number in live
        }
    assert obo.digest == graphs.digest == turtle.digest
