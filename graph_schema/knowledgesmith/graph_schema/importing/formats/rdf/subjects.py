"""One subject of an RDF graph: whether it is a thing, what it is called, and which facts it states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode

from knowledgesmith.graph_schema.importing.formats.ontology.entities import (
    DISJOINT,
    EQUIVALENT,
    IS_A,
    Literals,
    entity_records,
    name_from,
)
from knowledgesmith.graph_schema.importing.formats.ontology.names import (
    clean,
    compact,
    fit,
    is_opaque,
    last_part,
    readable,
)
from knowledgesmith.graph_schema.importing.formats.ontology.tally import Tally
from knowledgesmith.graph_schema.importing.formats.rdf.blank_nodes import BlankNodes
from knowledgesmith.graph_schema.importing.formats.rdf.expressions import Expressions
from knowledgesmith.graph_schema.importing.formats.rdf.labels import Labels
from knowledgesmith.graph_schema.importing.formats.rdf.options import RdfOptions
from knowledgesmith.graph_schema.importing.formats.rdf.properties import Properties
from knowledgesmith.graph_schema.importing.formats.rdf.remarks import Remarks
from knowledgesmith.graph_schema.importing.formats.rdf.triples import Triples
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import (
    CLASSES,
    INSTANCE,
    NO_ENTITY,
    NO_TARGET,
    OWL,
    PROPERTY_KINDS,
    RDF,
    RDFS,
    REVERSED,
    SHACL,
    SKOS,
    SKOS_XL,
    STATEMENTS,
    STRUCTURE,
    SYMMETRIC,
    TYPE,
    XL_LABELS,
    XSD,
)
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, MAX_WORD, problem_with
from knowledgesmith.graph_schema.language.unnamed import invented_name

Statements = Sequence[tuple[str, Any, Place]]
_EXPRESSIONS: Final = {f"{RDFS}subClassOf": IS_A, f"{OWL}equivalentClass": EQUIVALENT, TYPE: INSTANCE}
_STRUCTURAL: Final = frozenset(
    {f"{RDF}first", f"{RDF}rest"}
    | {
        f"{OWL}{name}"
        for name in (
            *("onProperty", "unionOf", "intersectionOf", "complementOf", "oneOf", "onDatatype", "inverseOf"),
            *("annotatedSource", "members", "distinctMembers", "sourceIndividual", "withRestrictions"),
        )
    }
    | {f"{SKOS_XL}literalForm"}
)
_REIFIED: Final = (f"{RDF}subject", f"{RDF}predicate", f"{RDF}object")
_NEGATED: Final = tuple(
    f"{OWL}{name}" for name in ("sourceIndividual", "assertionProperty", "targetIndividual", "targetValue")
)
MAX_DISJOINT: Final = 200
"""Classes of which each excludes each other; more would be too many pairs."""


class Subjects:
    """Turns subjects with all their statements into records."""

    def __init__(self, triples: Triples, properties: Properties, options: RdfOptions) -> None:
        self._triples = triples
        self._properties = properties
        self._options = options
        self._labels = Labels(properties, options)
        self._expressions = Expressions(triples, properties, options)
        self._blank_nodes = BlankNodes(triples)
        self._literals = Literals()
        self._remarks = Remarks(triples, properties, self._labels)
        self.tally = Tally()

    def records(self, subject: Any, statements: Statements) -> Iterator[Record]:
        """Records of one subject; nothing for what is part of the notation."""
        place = min(place for *_, place in statements)
        types = {obj.value for predicate, obj, _ in statements if predicate == TYPE and isinstance(obj, NamedNode)}
        predicates = {predicate for predicate, *_ in statements}
        yield from self._several(place, subject, types, predicates)
        if self._is_notation(subject, types, predicates):
            if not (types & PROPERTY_KINDS.keys() or self._is_relation(subject)):
                self.tally.add(place, FindingKind.DOCUMENTATION, _notation_sort(types))
            return
        if remark := self._remarks.sort(subject):
            self.tally.add(place, FindingKind.DOCUMENTATION, remark)
            return
        if isinstance(subject, BlankNode) and self._options.blank_nodes == "reject":
            yield Rejection(place=place, reason=f"a thing without an IRI ({self._unnamed(subject)})")
            return
        if self._options.deprecated != "keep" and self._triples.is_deprecated(subject):
            if self._options.deprecated == "reject":
                yield Rejection(place=place, reason=f"{self._told(subject)} is deprecated")
            return
        if not self._options.individuals and not self._is_concept(types, statements):
            return
        choice = self._labels.choose(self._spelled((predicate, obj) for predicate, obj, _ in statements))
        for kind, text in choice.notes:
            yield Finding(place=place, kind=kind, text=f"{self._told(subject)}: {text}")
        if isinstance(subject, BlankNode) and not choice.name:
            self.tally.add(place, FindingKind.NAMED_BY_ID, "a thing without an IRI or a name; no question will name it")
        yield from entity_records(
            place=place,
            uid=self._uid(subject),
            name=choice.name or self._mention(subject),
            type_=self._type(types, statements),
            aliases=choice.aliases,
        )
        yield from self._facts(subject, statements)

    # What a subject is

    def _is_notation(self, subject: Any, types: set[str], predicates: set[str]) -> bool:
        if types & (NO_ENTITY | STATEMENTS.keys()):
            return True
        if isinstance(subject, BlankNode):
            return _is_part(types, predicates)
        if predicates & {_REIFIED[0], f"{SKOS_XL}literalForm"}:
            return True
        if any(type_.startswith(SHACL) for type_ in types) and not types & CLASSES:
            return True
        if subject.value.startswith(STRUCTURE) or subject.value in NO_TARGET:
            return True
        if _is_part((), predicates) and not types & CLASSES:
            return True
        return self._is_relation(subject) and not types & CLASSES

    def _is_relation(self, subject: Any) -> bool:
        return isinstance(subject, NamedNode) and self._properties.is_property(subject.value)

    def _several(self, place: Place, subject: Any, types: set[str], predicates: set[str]) -> Iterator[Record]:
        """What a part of the notation says about several other things, or why that is no fact."""
        reasons = sorted(STATEMENTS[type_] for type_ in types & STATEMENTS.keys())
        if reasons or _REIFIED[0] in predicates:
            parts = [self._triples.object(subject, name) for name in (*_REIFIED, *_NEGATED) if name in predicates]
            spoken = " ".join(self._told(part) for part in parts if part is not None) or self._told(subject)
            reason = reasons[0] if reasons else STATEMENTS[f"{RDF}Statement"]
            if not self._holds_anyway(parts):
                yield Rejection(place=place, reason=f"{spoken}: {reason}")
        for predicate in predicates & {f"{OWL}members", f"{OWL}disjointUnionOf"}:
            if predicate == f"{OWL}disjointUnionOf" or f"{OWL}AllDisjointClasses" in types:
                for head in self._triples.objects(subject, predicate):
                    yield from self._disjoint(place, subject, self._triples.list_items(head))

    def _holds_anyway(self, parts: Sequence[Any]) -> bool:
        """Whether a statement that is spoken about is made by the files too; what is said about it is then a remark."""
        if len(parts) != len(_REIFIED) or not isinstance(parts[1], NamedNode) or isinstance(parts[0], Literal):
            return False
        return any(self._triples.loaded.store.quads_for_pattern(parts[0], parts[1], parts[2], None))

    def _disjoint(self, place: Place, subject: Any, classes: Sequence[Any]) -> Iterator[Record]:
        named = [item for item in classes if isinstance(item, NamedNode)]
        if len(named) != len(classes):
            yield Rejection(place=place, reason=f"{self._told(subject)}: a part of the disjoint classes has no name")
        if len(named) > MAX_DISJOINT:
            reason = f"{len(named)} classes exclude each other, at most {MAX_DISJOINT} become facts"
            yield Rejection(place=place, reason=f"{self._told(subject)}: {reason}")
            return
        for one, other in combinations(named, 2):
            yield from self._fact(place, one, DISJOINT, other)

    def _is_concept(self, types: set[str], statements: Statements) -> bool:
        return (
            bool(types & CLASSES)
            or any(type_.startswith(SKOS) for type_ in types)
            or any(predicate in _EXPRESSIONS and predicate != TYPE for predicate, *_ in statements)
        )

    def _type(self, types: set[str], statements: Statements) -> str:
        """Name of the type: of several the alphabetically first one that is not of the notation itself."""
        own = sorted(self._class_word(type_) for type_ in types if not type_.startswith((*STRUCTURE, SKOS)))
        if own:
            return own[0]
        if types & CLASSES or any(predicate.startswith(f"{RDFS}subClassOf") for predicate, *_ in statements):
            return "Class"
        skos = sorted(type_.removeprefix(SKOS) for type_ in types if type_.startswith(SKOS))
        return skos[0] if skos else ""

    def _class_word(self, iri: str) -> str:
        part = last_part(iri)
        return fit(self._name(NamedNode(iri)) if is_opaque(part) else part, MAX_WORD)

    def _uid(self, node: Any) -> str:
        return self._blank_nodes.uid(node) if isinstance(node, BlankNode) else self._triples.uid(node.value)

    def _name(self, node: Any) -> str:
        """A name for a thing as it is mentioned: its label where it has one, else from its IRI."""
        if isinstance(node, BlankNode):
            types = sorted(map(last_part, self._triples.types(node)))
            return invented_name(self._blank_nodes.uid(node), readable(types[0]) if types else "")
        quads = self._triples.statements(node)
        choice = self._labels.choose(self._spelled((quad.predicate.value, quad.object) for quad in quads))
        return fit(choice.name, MAX_NAME) or readable(node.value)

    def _spelled(self, statements: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """The statements, and the texts of labels that are things themselves (SKOS-XL)."""
        for predicate, obj in statements:
            yield predicate, obj
            if (plain := XL_LABELS.get(predicate)) is not None:
                yield from ((plain, text) for text in self._triples.objects(obj, f"{SKOS_XL}literalForm"))

    def _unnamed(self, node: BlankNode) -> str:
        types = sorted(map(last_part, self._triples.types(node)))
        return f"unnamed {readable(types[0])}" if types else "unnamed"

    # What it states

    def _facts(self, subject: Any, statements: Statements) -> Iterator[Record]:
        for predicate, obj, place in statements:
            if predicate in _EXPRESSIONS:
                yield from self._said(place, subject, self._expressions.read(obj, relation=_EXPRESSIONS[predicate]))
                continue
            above = self._properties.above(predicate) if self._options.super_properties else ()
            for stated in (predicate, *above):
                if isinstance(obj, Literal):
                    yield from self._literal(place, subject, stated, obj)
                elif stated == f"{SKOS}memberList":
                    for item in self._triples.list_items(obj):
                        yield from self._plain(place, subject, f"{SKOS}member", item)
                elif self._remarks.leads_to_fact(stated):
                    yield from self._plain(place, subject, stated, obj)
                elif isinstance(obj, NamedNode) and not stated.startswith(STRUCTURE):
                    sort = f"a statement of {last_part(stated)} between things is a remark (option annotations)"
                    self.tally.add(place, FindingKind.DOCUMENTATION, sort)
        yield from self._said(statements[0][2], subject, self._expressions.of_class(subject))

    def _said(self, place: Place, subject: Any, said: Iterator[Any]) -> Iterator[Record]:
        for item in said:
            if isinstance(item, str):
                yield Rejection(place=place, reason=f"{self._told(subject)}: {item}")
            elif isinstance(item.object, Literal):
                if self._properties.kinds.get(item.relation) != "annotation":
                    yield from self._literal_fact(place, subject, item.relation, item.object)
            elif item.relation == INSTANCE and item.object.value.startswith((*STRUCTURE, SKOS)):
                continue
            elif item.reverse:
                yield from self._fact(place, item.object, item.relation, subject)
            else:
                yield from self._fact(place, subject, item.relation, item.object, quantified=item.quantified)

    def _plain(self, place: Place, subject: Any, predicate: str, obj: Any) -> Iterator[Record]:
        if (forward := REVERSED.get(predicate)) is not None:
            if not any(self._triples.loaded.store.quads_for_pattern(obj, NamedNode(forward), subject, None)):
                yield from self._fact(place, obj, self._properties.key(forward), subject)
            return
        yield from self._fact(place, subject, self._properties.key(predicate), obj)

    def _fact(
        self, place: Place, subject: Any, relation: str, obj: Any, *, quantified: bool = False
    ) -> Iterator[Record]:
        name = self._properties.table.name(relation)
        if self._options.relations and name not in self._options.relations:
            return
        for end in (subject, obj):
            if isinstance(end, NamedNode) and (end.value in NO_TARGET or end.value == f"{RDF}nil"):
                return
            if (reason := self._unusable(end)) is not None:
                if reason:
                    fact = f"{self._told(subject)} {quote(name)} {self._told(obj)}"
                    yield Rejection(place=place, reason=f"{fact}: {reason}")
                return
        self._properties.table.use(relation, quantified=quantified)
        pair = [(self._uid(subject), self._mention(subject)), (self._uid(obj), self._mention(obj))]
        if relation in SYMMETRIC:
            pair.sort()
        yield FactRecord(
            place=place,
            subject=pair[0][0],
            relation=name,
            object=pair[1][0],
            create_missing=True,
            subject_name=pair[0][1],
            object_name=pair[1][1],
        )

    def _told(self, node: Any) -> str:
        """A thing for a message: of an IRI the end tells more than the beginning."""
        text = self._name(node) if isinstance(node, BlankNode) else node.value
        return quote(text if len(text) <= 60 else f"…{text[-59:]}")

    def _mention(self, node: Any) -> str:
        return self._name(node) if isinstance(node, BlankNode) else name_from(compact(node.value))

    def _unusable(self, end: Any) -> str | None:
        """Why no fact can end here; empty when that need not be told, None when it can."""
        options = self._options
        if options.deprecated != "keep" and self._triples.is_deprecated(end):
            return f"{self._told(end)} is deprecated" if options.deprecated == "reject" else ""
        if isinstance(end, BlankNode):
            if options.blank_nodes == "reject":
                return "an end has no IRI"
            said = {quad.predicate.value for quad in self._triples.statements(end)}
            if _is_part(self._triples.types(end), said):
                return "an end is a part of the notation"
        return None

    # Literals

    def _literal(self, place: Place, subject: Any, predicate: str, literal: Literal) -> Iterator[Record]:
        if self._labels.is_label(predicate) or predicate in self._triples.deprecated_predicates:
            return
        if self._properties.states_literals(predicate, literal):
            yield from self._literal_fact(place, subject, self._properties.key(predicate), literal)

    def _literal_fact(self, place: Place, subject: Any, relation: str, literal: Literal) -> Iterator[Record]:
        name = self._properties.table.name(relation)
        if self._options.literals == "none" or (self._options.relations and name not in self._options.relations):
            return
        text = clean(literal.value)
        if problem := problem_with(text, limit=MAX_NAME):
            yield Rejection(place=place, reason=f"the {quote(name)} of {self._told(subject)} {problem}")
            return
        uid = literal_uid(literal)
        self._properties.table.use(relation)
        yield from self._literals.record(place, uid, text)
        yield FactRecord(
            place=place,
            subject=self._uid(subject),
            relation=name,
            object=uid,
            create_missing=True,
            subject_name=self._mention(subject),
        )


def _notation_sort(types: Iterable[str]) -> str:
    """What part of the notation a subject is, for the report."""
    words = sorted(last_part(type_) for type_ in types if type_.startswith(STRUCTURE))
    return f"a part of the notation ({words[0]})" if words else "a part of the notation (an expression or a list)"


def _is_part(types: Iterable[str], predicates: Iterable[str]) -> bool:
    """Whether a thing without an IRI is a part of an expression, a list, a container or a shape."""
    return any(type_.startswith((OWL, RDF, SHACL)) for type_ in types) or any(
        predicate in _STRUCTURAL or predicate in _REIFIED or predicate.startswith((SHACL, XSD))
        for predicate in predicates
    )


def literal_uid(literal: Literal) -> str:
    """``"text"``, ``"text"@en`` or ``"42"^^integer``."""
    text = f'"{clean(literal.value)}"'
    if literal.language:
        return fit(f"{text}@{literal.language}")
    datatype = literal.datatype.value
    return fit(text if datatype == f"{XSD}string" else f"{text}^^{last_part(datatype)}")
