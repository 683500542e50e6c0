"""The properties of an RDF graph: what their values are, and their traits for the catalogue."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from pyoxigraph import NamedNode

from knowledgesmith.graph_schema.importing.formats.ontology.entities import IS_A
from knowledgesmith.graph_schema.importing.formats.ontology.names import (
    is_opaque,
    last_part,
    obo_fragment,
    relation_word,
)
from knowledgesmith.graph_schema.importing.formats.ontology.relations import Declaration, RelationTable
from knowledgesmith.graph_schema.importing.formats.rdf.options import RdfOptions
from knowledgesmith.graph_schema.importing.formats.rdf.triples import Triples
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import (
    BROADER,
    DOCUMENTATION,
    DOCUMENTATION_SPACES,
    IMPLIED_ABOVE,
    INSTANCE,
    LABELS,
    NO_TARGET,
    OBO_IN_OWL,
    OWL,
    PROPERTY_KINDS,
    RDFS,
    RELATIONS,
    REVERSED,
    SKOS,
    STRUCTURE,
    SYMMETRIC,
    TRANSITIVE,
    TYPE,
    XSD,
)
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place

MAX_VALUE: Final = 100
"""Characters of a literal of an undeclared predicate that counts as a value; what is longer is a remark."""


class Properties:
    """Kinds, names and traits; all of it is known before the first fact is made."""

    def __init__(self, triples: Triples, options: RdfOptions) -> None:
        self._triples = triples
        self._options = options
        self.table = RelationTable(Place(file=triples.loaded.files[0] if triples.loaded.files else ""))
        self.kinds: dict[str, str] = {}
        self.findings: list[Finding] = []
        """What of the properties became no trait."""
        self._parents: dict[str, set[str]] = {}
        self._remarks: dict[str, bool] = {}
        self._class_level = {
            node.value
            for node, flag, _ in triples.pairs(f"{OBO_IN_OWL}is_class_level")
            if isinstance(node, NamedNode) and getattr(flag, "value", "") == "true"
        }
        self._read_kinds()
        self.hierarchical = {*options.hierarchical}
        if not triples.loaded.predicates & {f"{SKOS}broader", f"{SKOS}narrower"}:
            # Where nothing else orders the concepts; beside skos:broader it would be the closure of the hierarchy.
            self.hierarchical.add("broaderTransitive")
        for iri in sorted(triples.loaded.predicates | set(self.kinds) | set(RELATIONS)):
            self._declare(iri)
        self._read_traits()

    def is_property(self, iri: str) -> bool:
        """Whether the IRI is a relation and no thing: declared as one, or used as one and not as a class."""
        return iri in self.kinds or iri in self._triples.loaded.predicates

    def key(self, predicate: str) -> str:
        """The key of a predicate in the table of relations."""
        return RELATIONS.get(predicate, predicate)

    def states_facts(self, predicate: str) -> bool:
        """Whether statements of this predicate between two things are facts."""
        if predicate in RELATIONS or predicate in REVERSED:
            return True
        if predicate in self._class_level:
            return True
        if self.kinds.get(predicate) == "annotation" or self._is_documentation(predicate):
            return self._options.annotations and not predicate.startswith(STRUCTURE)
        return not predicate.startswith(STRUCTURE)

    def states_literals(self, predicate: str, literal: Any) -> bool:
        """Whether a literal of this predicate is a value and no label or remark."""
        if self._options.literals == "none" or predicate.startswith((*STRUCTURE, SKOS)):
            return False
        kind = self.kinds.get(predicate, "")
        if self._options.literals == "all":
            return not self._is_documentation(predicate)
        if kind:
            return kind == "data"
        short = len(literal.value) <= MAX_VALUE and "\n" not in literal.value
        if literal.language or not short or self._is_documentation(predicate):
            return False
        if predicate not in self._remarks:
            self._remarks[predicate] = self._triples.stands_on_classes(predicate)
        return not self._remarks[predicate]

    def is_below(self, predicate: str, ancestors: frozenset[str]) -> bool:
        """Whether a predicate is one of these or, over subPropertyOf, below one."""
        return predicate in ancestors or not ancestors.isdisjoint(self.above(predicate))

    def above(self, predicate: str) -> list[str]:
        """The properties that ``rdfs:subPropertyOf`` leads to, the predicate itself left out."""
        seen, todo = {predicate}, [predicate]
        while todo:
            more = self._parents.get(todo.pop(), set()) - seen
            seen |= more
            todo += more
        return sorted(seen - {predicate})

    def _is_documentation(self, predicate: str) -> bool:
        if predicate.startswith(DOCUMENTATION_SPACES) or predicate in LABELS:
            return True
        return self.is_below(predicate, DOCUMENTATION)

    def _read_kinds(self) -> None:
        for type_, kind in PROPERTY_KINDS.items():
            for node, _ in self._triples.members(type_):
                if isinstance(node, NamedNode):
                    self.kinds[node.value] = max(kind, self.kinds.get(node.value, ""))
        for node, parent, _ in self._triples.pairs(f"{RDFS}subPropertyOf"):
            if isinstance(node, NamedNode) and isinstance(parent, NamedNode):
                self._parents.setdefault(node.value, set()).add(parent.value)
                self.kinds.setdefault(node.value, "")
                if self._options.super_properties:
                    self.kinds.setdefault(parent.value, "")

    def _declare(self, iri: str) -> None:
        key = self.key(iri)
        declared = self.table.declare(key)
        if key != iri:
            self.table.also(iri, key)
            declared.words.add(self._options.relation_names.get(iri, key))
            declared.symmetric = key in SYMMETRIC
            declared.transitive = key in TRANSITIVE or (key == BROADER and self._options.transitive_broader)
        else:
            declared.words.add(relation_word(self._options.relation_names.get(iri) or self._word(iri)) or iri)
        for quad in self._triples.loaded.store.quads_for_pattern(NamedNode(iri), NamedNode(TYPE), None, None):
            declared.places.add(self._triples.loaded.place(quad.graph_name))

    def _word(self, iri: str) -> str:
        node = NamedNode(iri)
        shorthand = self._triples.object(node, f"{OBO_IN_OWL}shorthand")
        if shorthand is not None:
            return str(shorthand.value)
        part = obo_fragment(iri) or last_part(iri)
        if is_opaque(part):
            labels = sorted(
                (getattr(label, "language", None) not in {"en", None}, label.value)
                for predicate in LABELS
                for label in self._triples.objects(node, predicate)
            )
            if labels:
                return str(labels[0][1])
        return unquote(part)

    def _read_traits(self) -> None:
        for type_, flag in (
            ("TransitiveProperty", "transitive"),
            ("SymmetricProperty", "symmetric"),
            ("FunctionalProperty", "functional"),
            ("InverseFunctionalProperty", "inverse_functional"),
        ):
            for node, _ in self._triples.members(f"{OWL}{type_}"):
                if isinstance(node, NamedNode):
                    setattr(self._of(node), flag, True)
        for node, other, _ in self._triples.pairs(f"{OWL}inverseOf"):
            if isinstance(node, NamedNode) and isinstance(other, NamedNode):
                self._of(other)
                self._of(node).inverses.add(self.key(other.value))
        for node, other, _ in self._triples.pairs(f"{OWL}equivalentProperty"):
            if isinstance(node, NamedNode) and isinstance(other, NamedNode) and node != other:
                self._of(node).above.add(self.key(other.value))
                self._of(other).above.add(self.key(node.value))
        self._read_chains()
        self._read_above()
        self._read_types()

    def _read_chains(self) -> None:
        for node, head, place in self._triples.pairs(f"{OWL}propertyChainAxiom"):
            items = self._triples.list_items(head)
            parts = [item for item in items if isinstance(item, NamedNode)]
            if isinstance(node, NamedNode) and len(parts) == 2 == len(items):
                for part in parts:
                    self._of(part)
                self._of(node).chains.add((self.key(parts[0].value), self.key(parts[1].value)))
            else:
                told = quote(getattr(node, "value", "?"))
                text = f"a chain of {len(items)} for {told}: only two named properties compose one"
                self.findings.append(Finding(place=place, kind=FindingKind.IGNORED, text=text))

    def _read_above(self) -> None:
        """Subproperties that the files declare, and those that the notations define."""
        for iri, parents in self._parents.items():
            if self.states_facts(iri):
                self._of(NamedNode(iri)).above.update(map(self.key, parents))
        for below, above in IMPLIED_ABOVE.items():
            self.table.declare(below).above.add(above)
        self.table.declare(INSTANCE).implied.add((INSTANCE, IS_A))

    def _read_types(self) -> None:
        for predicate, attribute in ((f"{RDFS}domain", "domains"), (f"{RDFS}range", "ranges")):
            for node, type_, _ in self._triples.pairs(predicate):
                if isinstance(node, NamedNode) and isinstance(type_, NamedNode) and type_.value not in NO_TARGET:
                    is_value = type_.value.startswith(XSD)
                    getattr(self._of(node), attribute).add("Literal" if is_value else last_part(type_.value)[:200])

    def _of(self, node: NamedNode) -> Declaration:
        if not self.table.knows(node.value):
            self._declare(node.value)
        return self.table.declare(self.key(node.value))
