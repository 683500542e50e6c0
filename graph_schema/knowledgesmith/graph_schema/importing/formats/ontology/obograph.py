"""OBO Graphs JSON, streamed: classes and individuals become entities, edges become facts.

The files are read twice: first the property nodes, the predicates of edges and the ids of deprecated nodes (all that
is held in memory), then node by node. A record's number counts the nodes, edges and axioms of a file together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, cast

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.ontology.entities import (
    EQUIVALENT,
    IS_A,
    entity_records,
    fact_record,
    name_from,
)
from knowledgesmith.graph_schema.importing.formats.ontology.names import (
    compact,
    last_part,
    obo_fragment,
    relation_word,
    uid_of,
)
from knowledgesmith.graph_schema.importing.formats.ontology.obo import (
    INSTANCE_OF,
    OntologyOptions,
    base_table,
    declare_instances,
)
from knowledgesmith.graph_schema.importing.formats.ontology.relations import Declaration
from knowledgesmith.graph_schema.importing.formats.ontology.tally import Tally
from knowledgesmith.graph_schema.importing.formats.rows.json_parts import ITEM, Paths, json_parts
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Record, Rejection

_PARTS: Final[Paths] = {
    ("graphs", ITEM, "meta"): "meta",
    ("graphs", ITEM, "nodes", ITEM): "node",
    ("graphs", ITEM, "edges", ITEM): "edge",
    ("graphs", ITEM, "equivalentNodesSets", ITEM): "equivalents",
    ("graphs", ITEM, "logicalDefinitionAxioms", ITEM): "definition",
    ("graphs", ITEM, "domainRangeAxioms", ITEM): "domain",
    ("graphs", ITEM, "propertyChainAxioms", ITEM): "chain",
}
_OBO_IN_OWL: Final = "http://www.geneontology.org/formats/oboInOwl#"
_ADDRESSES: Final = ("http://", "https://", "urn:")
_SCOPES: Final[Mapping[str, str]] = {
    "hasExactSynonym": "EXACT",
    "hasNarrowSynonym": "NARROW",
    "hasBroadSynonym": "BROAD",
    "hasRelatedSynonym": "RELATED",
}
_INVERSE_OF: Final = frozenset({"inverseOf", "http://www.w3.org/2002/07/owl#inverseOf"})
_SUBCLASS: Final = frozenset(
    {"is_a", "subClassOf", "rdfs:subClassOf", "http://www.w3.org/2000/01/rdf-schema#subClassOf"}
)
_TYPE: Final = frozenset({"type", "rdf:type", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"})
_REPLACED: Final = frozenset({"http://purl.obolibrary.org/obo/IAO_0100001", "IAO:0100001"})
_REMARKS: Final = ("definition", "comments", "subsets", "xrefs")
_SUB_PROPERTY: Final = frozenset({"subPropertyOf", "http://www.w3.org/2000/01/rdf-schema#subPropertyOf"})


class OboGraphImporter:
    """Reads OBO Graphs; several files form one ontology."""

    name: ClassVar[str] = "obograph"
    summary: ClassVar[str] = "Ontologies as OBO Graphs JSON"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = OntologyOptions

    def read(self, files: Sequence[InputFile], options: OntologyOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        yield from _Reader(files, options).read()


def _parts(file: InputFile) -> Iterator[tuple[Place, str, Any, str]]:
    """Place, kind and value of the parts of a file; at an error a last one without kind, with the reason."""
    record = 0
    for kind, value, reason in json_parts(file.content, _PARTS):
        record += kind != "meta"
        yield Place(file=file.name, record=record), kind, value, reason


def _values(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Predicates and values of a node's annotations."""
    for item in _list(_dict(node.get("meta")).get("basicPropertyValues")):
        pair = _dict(item)
        yield str(pair.get("pred", "")), str(pair.get("val", ""))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _kind_of(node: Mapping[str, Any]) -> str:
    return _text(node.get("type")).upper() or "CLASS"


def _is_deprecated(node: Mapping[str, Any]) -> bool:
    return str(_dict(node.get("meta")).get("deprecated")).casefold() == "true"


class _Reader:
    def __init__(self, files: Sequence[InputFile], options: OntologyOptions) -> None:
        self._files = files
        self._options = options
        self._table = base_table(Place(file=files[0].name if files else ""))
        self._properties: set[str] = set()
        self._class_level: set[str] = set()
        self._metadata: set[str] = set()
        self._obsolete: dict[str, str] = {}
        """Ids of deprecated nodes and what replaces them."""
        self._alternatives: dict[str, str] = {}
        self._tally = Tally()
        self._namespaces: dict[str, str] = {}

    def read(self) -> Iterator[Record]:
        self._survey_all()
        readers = {"node": self._node, "edge": self._edge, "equivalents": self._equivalents}
        if self._options.logical_definitions:
            readers["definition"] = self._definition
        for file in self._files:
            for place, kind, value, reason in _parts(file):
                if not kind:
                    yield Rejection(place=place, reason=reason)
                elif not isinstance(value, dict):
                    yield Rejection(place=place, reason=f"the {kind} is not an object")
                elif kind in readers:
                    yield from readers[kind](place, value)
                elif kind == "definition":
                    sort = "a logical definition (option logical_definitions)"
                    self._tally.add(place, FindingKind.IGNORED, sort)
        yield from self._tally.findings()
        yield from self._table.records(self._options.hierarchical, inherited=self._options.inherited)

    # What must be known before the first fact

    def _survey_all(self) -> None:
        found = 0
        for file in self._files:
            for place, kind, value, _ in _parts(file):
                found += 1
                if isinstance(value, dict):
                    self._survey(place, kind, value)
        if not found:
            names = ", ".join(file.name for file in self._files[:5])
            hint = "An OBO Graphs file is an object with a list of graphs, each with nodes and edges."
            raise InvalidInput("no graph was found in the files", field="files", value=names, hint=hint)
        if self._alternatives:
            self._keep_living()

    def _keep_living(self) -> None:
        """An alternative id that is a node of its own names that node."""
        for file in self._files:
            for _, kind, value, _ in _parts(file):
                if kind == "node" and isinstance(value, dict) and not _is_deprecated(value):
                    self._alternatives.pop(compact(_text(value.get("id"))), None)

    def _survey(self, place: Place, kind: str, value: dict[str, Any]) -> None:
        if kind == "node":
            self._survey_node(place, value)
        elif kind == "edge":
            self._survey_edge(value)
        elif kind == "meta":
            for predicate, text in _values({"meta": value}):
                if predicate == f"{_OBO_IN_OWL}default-namespace":
                    self._namespaces[place.file] = min(text, self._namespaces.get(place.file, text))
        elif kind == "chain":
            self._survey_chain(value)
        elif kind == "definition" and self._options.logical_definitions:
            for restriction in _list(value.get("restrictions")):
                if relation := _text(_dict(restriction).get("propertyId")):
                    self._name_relation(relation, self._table.declare(compact(relation)))

    def _survey_chain(self, value: dict[str, Any]) -> None:
        chain = [compact(_text(part)) for part in _list(value.get("chainPredicateIds"))]
        if len(chain) == 2 and all(chain):
            self._table.declare(compact(_text(value.get("predicateId")))).chains.add((chain[0], chain[1]))
            for part in chain:
                self._table.declare(part)

    def _survey_node(self, place: Place, node: dict[str, Any]) -> None:
        iri = _text(node.get("id"))
        if _kind_of(node) != "PROPERTY":
            self._survey_term(compact(iri), node)
            return
        key = compact(iri)
        self._properties.add(key)
        declared = self._table.declare(key, place)
        declared.words.clear()
        self._name_relation(iri, declared)
        values = list(_values(node))
        shorthands = {value for predicate, value in values if predicate == f"{_OBO_IN_OWL}shorthand" and value}
        if shorthands:
            declared.words.update(map(relation_word, shorthands))
        elif not declared.words and (label := _text(node.get("lbl")).strip()):
            declared.words.add(relation_word(label))
        flags = {predicate.removeprefix(_OBO_IN_OWL) for predicate, value in values if value == "true"}
        if "is_class_level" in flags:
            self._class_level.add(key)
        if "is_metadata_tag" in flags:
            self._metadata.add(key)

    def _survey_term(self, identifier: str, node: dict[str, Any]) -> None:
        values = list(_values(node))
        if _is_deprecated(node):
            replaced = [compact(value) for predicate, value in values if predicate in _REPLACED]
            self._obsolete[identifier] = min(replaced, default="")
            return
        for predicate, value in values:
            if predicate == f"{_OBO_IN_OWL}hasAlternativeId" and value:
                other = compact(value)
                self._alternatives[other] = min(identifier, self._alternatives.get(other, identifier))

    def _name_relation(self, iri: str, declared: Declaration) -> None:
        if fragment := obo_fragment(iri):
            declared.words.add(relation_word(fragment))

    def _survey_edge(self, edge: dict[str, Any]) -> None:
        predicate, subject, obj = (_text(edge.get(key)) for key in ("pred", "sub", "obj"))
        if predicate in _INVERSE_OF:
            self._table.declare(compact(subject)).inverses.add(compact(obj))
            self._table.declare(compact(obj))
        elif predicate in _TYPE:
            declare_instances(self._table)
        elif predicate in _SUB_PROPERTY:
            self._table.declare(compact(subject)).above.add(compact(obj))
            self._table.declare(compact(obj))
        elif predicate not in _SUBCLASS and not self._table.knows(compact(predicate)):
            self._name_relation(predicate, self._table.declare(compact(predicate)))

    # Nodes and edges

    def _node(self, place: Place, node: dict[str, Any]) -> Iterator[Record]:
        iri, kind = _text(node.get("id")), _kind_of(node)
        identifier = compact(iri)
        if kind == "PROPERTY":
            return
        if not identifier:
            yield Rejection(place=place, reason="the node has no id")
            return
        if not self._is_kept(identifier):
            if self._options.obsolete == "reject":
                yield Rejection(place=place, reason=f"{quote(identifier)} is obsolete{self._instead(identifier)}")
            return
        self._count_remarks(place, node)
        name = yield from self._label(place, identifier, node)
        aliases = yield from self._aliases(place, identifier, node)
        spaces = {value for predicate, value in _values(node) if predicate == f"{_OBO_IN_OWL}hasOBONamespace"}
        space = min(spaces, default=self._namespaces.get(place.file, ""))
        by_type = self._options.namespace == "type" and space
        yield from entity_records(
            place=place,
            uid=uid_of(iri),
            name=name,
            type_=space if by_type else "Individual" if kind == "INDIVIDUAL" else "Class",
            domain="" if by_type else space,
            aliases=aliases,
        )
        for predicate, value in _values(node):
            relation = compact(predicate)
            if relation not in self._properties or not value.startswith(_ADDRESSES):
                continue
            if relation in self._class_level or (relation in self._metadata and self._options.metadata_relations):
                yield from self._fact(place, iri, relation, value)

    def _label(self, place: Place, identifier: str, node: dict[str, Any]) -> Generator[Record, None, str]:
        """The name (returned); one that is no text is told."""
        label = node.get("lbl")
        if isinstance(label, dict):
            label = cast("dict[str, Any]", label).get("val")
        if label is not None and not isinstance(label, str):
            text = f"the label of {quote(identifier)} is no text: {quote(label)}"
            yield Finding(place=place, kind=FindingKind.NAME_CHANGED, text=text)
        return _text(label)

    def _aliases(self, place: Place, identifier: str, node: dict[str, Any]) -> Generator[Record, None, list[str]]:
        """The synonyms that become aliases (returned); the others are told and counted."""
        aliases: list[str] = []
        for synonym in map(_dict, _list(_dict(node.get("meta")).get("synonyms"))):
            text = synonym.get("val")
            if not isinstance(text, str) or not text.strip():
                yield Rejection(place=place, reason=f"a synonym of {quote(identifier)} holds no text: {quote(text)}")
                continue
            scope = _SCOPES.get(last_part(_text(synonym.get("pred"))).rpartition(":")[2])
            if scope is None:
                sort = "a synonym without a scope that is known counts as RELATED"
                self._tally.add(place, FindingKind.DEFAULTED, sort)
            if (scope or "RELATED") in self._options.synonyms:
                aliases.append(text)
            else:
                sort = f"a synonym of the scope {scope or 'RELATED'} became no alias (option synonyms)"
                self._tally.add(place, FindingKind.IGNORED, sort)
        return aliases

    def _count_remarks(self, place: Place, node: dict[str, Any]) -> None:
        meta = _dict(node.get("meta"))
        for name in _REMARKS:
            if found := meta.get(name):
                count = len(_list(found)) or 1
                self._tally.add(place, FindingKind.DOCUMENTATION, f"{name}: states no fact", count)

    def _instead(self, identifier: str) -> str:
        replaced = self._obsolete.get(identifier, "")
        return f", replaced by {quote(replaced)}" if replaced else ""

    def _edge(self, place: Place, edge: dict[str, Any]) -> Iterator[Record]:
        subject, predicate, obj = (_text(edge.get(key)) for key in ("sub", "pred", "obj"))
        if not (subject and predicate and obj):
            yield Rejection(place=place, reason="the edge lacks sub, pred or obj")
        elif compact(subject) in self._properties or predicate in _INVERSE_OF | _SUB_PROPERTY:
            return
        elif predicate in _SUBCLASS:
            yield from self._fact(place, subject, IS_A, obj)
        else:
            yield from self._fact(place, subject, INSTANCE_OF if predicate in _TYPE else compact(predicate), obj)

    def _equivalents(self, place: Place, value: dict[str, Any]) -> Iterator[Record]:
        first, *others = sorted({_text(item) for item in _list(value.get("nodeIds"))} - {""}) or [""]
        for other in others:
            yield from self._fact(place, first, EQUIVALENT, other)

    def _definition(self, place: Place, value: dict[str, Any]) -> Iterator[Record]:
        defined = _text(value.get("definedClassId"))
        parts = [(IS_A, _text(genus)) for genus in _list(value.get("genusIds"))]
        restrictions = [_dict(item) for item in _list(value.get("restrictions"))]
        parts += [(compact(_text(item.get("propertyId"))), _text(item.get("fillerId"))) for item in restrictions]
        for relation, filler in parts:
            if defined and relation and filler:
                yield from self._fact(place, defined, relation, filler)

    def _fact(self, place: Place, subject: str, relation: str, obj: str) -> Iterator[Record]:
        known = self._alternatives.get(compact(obj))
        if known is not None:
            told = f"{quote(compact(subject))} {relation} {quote(compact(obj))}"
            text = f"{told}: that is an alternative id of {quote(known)}"
            yield Finding(place=place, kind=FindingKind.MERGED, text=text)
            obj = known
        for end in (subject, obj):
            if not self._is_kept(compact(end)):
                if self._options.obsolete == "reject":
                    text = f"{quote(compact(subject))} {relation} {quote(compact(obj))}"
                    reason = f"{text}: {quote(compact(end))} is obsolete{self._instead(compact(end))}"
                    yield Rejection(place=place, reason=reason)
                return
        name = self._table.name(relation)
        if self._options.relations and name not in self._options.relations:
            return
        by_format = relation in {IS_A, EQUIVALENT, INSTANCE_OF} or relation in self._class_level | self._metadata
        self._table.use(relation, quantified=not by_format)
        yield fact_record(place, uid_of(subject), name, uid_of(obj), object_name=name_from(uid_of(obj)))

    def _is_kept(self, identifier: str) -> bool:
        return self._options.obsolete == "keep" or identifier not in self._obsolete
