"""Options of the RDF reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from knowledgesmith.graph_schema.importing.formats.ontology.entities import IS_A
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import BROADER
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions


class RdfOptions(ImportOptions):
    """What may be chosen; IRIs are written in full."""

    syntax: Literal["", "nt", "nq", "ttl", "trig", "rdfxml", "jsonld"] = ""
    """Syntax of all files; empty = by each file's ending, else by its first bytes."""
    base: str = ""
    """IRI that relative ones stand below in files that declare none; empty = ``file:///`` and the file's name."""
    graphs: tuple[str, ...] = ()
    """Take only these named graphs; empty = everything."""
    language: tuple[str, ...] = ("en",)
    """Languages of names, best first. Each stands for its variants too (``en`` for ``en-GB``); then come labels without
    a language, then the alphabetically first language. Names that had to be taken from elsewhere are counted."""
    other_languages: bool = False
    """Labels in other languages become aliases."""
    label_predicates: tuple[str, ...] = ()
    """Further predicates of names, preferred to the usual ones."""
    alias_predicates: tuple[str, ...] = ()
    """Further predicates of aliases, beside skos:altLabel, skos:hiddenLabel and exact synonyms."""
    deprecated: Literal["reject", "skip", "keep"] = "reject"
    """Deprecated things are left out and named as rejections, left out silently, or read like any other."""
    deprecated_predicates: tuple[str, ...] = ()
    """Further predicates that mark deprecated things with ``true``, beside any whose last part is ``deprecated``."""
    uids: Literal["iri", "curie"] = "iri"
    """``curie`` shortens IRIs by the files' prefixes where that is unambiguous; the same graph in a notation without
    prefixes then has other uids. OBO addresses are always short (``CL:0000000``)."""
    blank_nodes: Literal["keep", "reject"] = "keep"
    """Things without an IRI get a uid from what is said about them, or are left out and named as rejections."""
    literals: Literal["auto", "all", "none"] = "auto"
    """Which literals become entities of type ``Literal``. ``auto``: values of data properties, and of undeclared
    predicates that are short, in no language and never said of a class; ``all``: every one that is no label or
    documentation."""
    annotations: bool = False
    """Also take facts of annotation properties and of documentation (notes, Dublin Core) between things."""
    individuals: bool = True
    """Take things that are members of classes; without them only classes and concepts are read."""
    restrictions: tuple[Literal["some", "only", "value", "on_class", "optional"], ...] = (
        "some",
        "only",
        "value",
        "on_class",
    )
    """Restrictions of classes that become facts. ``on_class``: at least one; ``optional``: also none or at most n."""
    inherited: bool = True
    """Facts of a class follow for the classes below it and for its objects' wider classes (restrictions over
    ``rdfs:subClassOf``)."""
    transitive_broader: bool = True
    """A concept above a broader one is broader too. SKOS says that of ``skos:broaderTransitive``, which every broader
    concept is; no question in words can tell the two apart."""
    hierarchical: tuple[str, ...] = (IS_A, BROADER)
    """Names of the relations that lead from child to parent."""
    relation_names: Mapping[str, str] = Field(default_factory=dict)
    """Predicate to relation name, where the last part of the IRI is not wanted."""
    super_properties: bool = False
    """Also state the facts of a property as facts of those above it (``rdfs:subPropertyOf``). They are then facts of
    their own, which an edit of the property below leaves as they are."""
    relations: tuple[str, ...] = ()
    """Take only facts of relations of these names; empty = all."""

    @field_validator("language", mode="before")
    @classmethod
    def _one_language(cls, value: object) -> object:
        """One language may be given as a text."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
