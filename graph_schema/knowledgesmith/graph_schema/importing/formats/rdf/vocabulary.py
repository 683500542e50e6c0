"""The terms of RDF, RDFS, OWL and SKOS that have a meaning of their own for the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from knowledgesmith.graph_schema.importing.formats.ontology.entities import DISJOINT, EQUIVALENT, IS_A

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
OWL: Final = "http://www.w3.org/2002/07/owl#"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
SKOS_XL: Final = "http://www.w3.org/2008/05/skos-xl#"
SHACL: Final = "http://www.w3.org/ns/shacl#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
OBO_IN_OWL: Final = "http://www.geneontology.org/formats/oboInOwl#"

TYPE: Final = f"{RDF}type"
INSTANCE: Final = "type"
"""Name of the relation from an individual to its class."""
BROADER: Final = "broader"

RELATIONS: Final[Mapping[str, str]] = {
    TYPE: INSTANCE,
    f"{RDFS}subClassOf": IS_A,
    f"{OWL}equivalentClass": EQUIVALENT,
    f"{OWL}disjointWith": DISJOINT,
    f"{OWL}sameAs": "same_as",
    f"{SKOS}broader": BROADER,
    f"{SKOS}broaderTransitive": "broaderTransitive",
    f"{SKOS}related": "related",
    f"{SKOS}inScheme": "inScheme",
    f"{SKOS}topConceptOf": "topConceptOf",
    f"{SKOS}member": "member",
    f"{SKOS}broadMatch": "broadMatch",
    f"{SKOS}exactMatch": "exactMatch",
    f"{SKOS}closeMatch": "closeMatch",
    f"{SKOS}relatedMatch": "relatedMatch",
}
"""Predicates with a fixed name, which is also their key in the table of relations."""
IMPLIED_ABOVE: Final[Mapping[str, str]] = {
    EQUIVALENT: IS_A,
    BROADER: "broaderTransitive",
    "topConceptOf": "inScheme",
    "broadMatch": BROADER,
    "relatedMatch": "related",
    "exactMatch": "closeMatch",
}
"""Relations that imply another one by the notation's own definition."""
SYMMETRIC: Final = frozenset({EQUIVALENT, DISJOINT, "same_as", "related", "exactMatch", "closeMatch", "relatedMatch"})
TRANSITIVE: Final = frozenset({IS_A, EQUIVALENT, "same_as", "broaderTransitive", "exactMatch"})
REVERSED: Final[Mapping[str, str]] = {
    f"{SKOS}narrower": f"{SKOS}broader",
    f"{SKOS}narrowerTransitive": f"{SKOS}broaderTransitive",
    f"{SKOS}narrowMatch": f"{SKOS}broadMatch",
    f"{SKOS}hasTopConcept": f"{SKOS}topConceptOf",
}
"""Predicates that say the same as another one from the other end."""

STRUCTURE: Final = (RDF, RDFS, OWL, SKOS_XL, SHACL, XSD)
"""Namespaces whose other predicates describe the notation, not the world."""
CLASSES: Final = frozenset({f"{OWL}Class", f"{RDFS}Class"})
PROPERTY_KINDS: Final[Mapping[str, str]] = {
    f"{OWL}ObjectProperty": "object",
    f"{OWL}TransitiveProperty": "object",
    f"{OWL}SymmetricProperty": "object",
    f"{OWL}AsymmetricProperty": "object",
    f"{OWL}ReflexiveProperty": "object",
    f"{OWL}IrreflexiveProperty": "object",
    f"{OWL}InverseFunctionalProperty": "object",
    f"{OWL}DatatypeProperty": "data",
    f"{OWL}AnnotationProperty": "annotation",
    f"{OWL}OntologyProperty": "annotation",
    f"{OWL}FunctionalProperty": "",
    f"{RDF}Property": "",
}
"""Types of properties, and whether their values are things, literals or remarks; empty = the type does not tell."""
NO_ENTITY: Final = frozenset(
    {*PROPERTY_KINDS, f"{OWL}Ontology", f"{RDFS}Datatype", f"{OWL}DataRange", f"{OWL}Axiom", f"{OWL}Annotation"}
)
"""Types of things that are part of the notation."""
DECLARED: Final = CLASSES | {f"{OWL}NamedIndividual", f"{OWL}Thing"}
"""Types by which a thing is declared to be one, beside the types of SKOS."""
STATEMENTS: Final[Mapping[str, str]] = {
    f"{RDF}Statement": "a statement about a statement, which does not say that it holds",
    f"{OWL}NegativePropertyAssertion": "says that something does not hold, which is no fact",
    f"{OWL}AllDifferent": "says that things differ, which is no fact",
}
"""Types of things that speak about other things in a way that no fact can; why."""
XL_LABELS: Final[Mapping[str, str]] = {
    f"{SKOS_XL}{name}": f"{SKOS}{name}" for name in ("prefLabel", "altLabel", "hiddenLabel")
}
"""Predicates that lead to a label with a text of its own, and the plain ones they stand for."""
NO_TARGET: Final = frozenset({f"{OWL}Thing", f"{OWL}Nothing", f"{RDFS}Resource", f"{RDFS}Literal"})

DOCUMENTATION: Final = frozenset(
    {f"{SKOS}{name}" for name in ("definition", "example", "note", "notation")}
    | {f"{SKOS}{name}Note" for name in ("change", "editorial", "history", "scope")}
)
"""Remarks about a concept; no facts."""
NOTES: Final = frozenset(
    {f"{SKOS}{name}" for name in ("definition", "example", "note")}
    | {f"{SKOS}{name}Note" for name in ("change", "editorial", "history", "scope")}
    | {f"{RDFS}comment", "http://purl.org/dc/terms/description", "http://purl.org/dc/terms/provenance"}
)
"""Remarks whose value may be a thing of its own, with a text, an author and a date."""
PROVENANCE_SPACES: Final = (
    "http://www.w3.org/ns/prov#",
    "http://purl.org/pav/",
    "http://rdfs.org/ns/void#",
    "http://www.w3.org/ns/dcat#",
    "http://www.w3.org/ns/adms#",
)
"""Vocabularies of where data come from; what they speak of is not what the data are about."""
DOCUMENTATION_SPACES: Final = (
    "http://purl.org/dc/terms/",
    "http://purl.org/dc/elements/1.1/",
    OBO_IN_OWL,
    *PROVENANCE_SPACES,
)
LABELS: Final = (
    f"{SKOS}prefLabel",
    f"{RDFS}label",
    "http://schema.org/name",
    "https://schema.org/name",
    "http://xmlns.com/foaf/0.1/name",
    "http://purl.org/dc/terms/title",
    "http://purl.org/dc/elements/1.1/title",
)
"""Predicates of names, best first; before them stand those that the user names."""
LABEL_WORDS: Final = frozenset({"prefLabel", "label", "name", "title"})
"""Any other predicate that ends so gives a name where the ones above give none in a better language."""
ALIASES: Final = (
    f"{SKOS}altLabel",
    f"{SKOS}hiddenLabel",
    f"{OBO_IN_OWL}hasExactSynonym",
    "http://schema.org/alternateName",
    "https://schema.org/alternateName",
)
