"""What the attributes of a node or an edge mean: names, types, relations, values. Shared by the network formats."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.networks.edge_relations import LOOKED_AT, EdgeSurvey
from knowledgesmith.graph_schema.importing.formats.ontology.entities import Literals, entity_records
from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, fit
from knowledgesmith.graph_schema.importing.formats.tables.naming import Survey
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions
from knowledgesmith.graph_schema.importing.reading.literals import not_finite
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, MAX_WORD, problem_with
from knowledgesmith.graph_schema.types.facts import Relation, Traits

_UNUSED: Final = 50
"""Attributes without a meaning that are told."""


class Directed(StrEnum):
    """Whether edges lead one way."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True)
class _Edge:
    """An edge as the file has it."""

    place: Place
    ends: tuple[str, str]
    attributes: Mapping[str, Any]
    directed: bool
    key: str


@dataclass
class _Used:
    """A relation of the facts: where it stands first, and how its edges run."""

    place: Place
    one_way: int = 0
    both_ways: int = 0
    undirected: Place | None = None


class NetworkOptions(ImportOptions):
    """Which attributes carry what; of several the first that a node or an edge has counts."""

    label_attributes: tuple[str, ...] = ("label", "name", "title")
    """Of a node: its name. Where none of them holds words and ids are codes, what reads like names; else the id."""
    alias_attributes: tuple[str, ...] = ("aliases", "alias")
    """Of a node: further names, parted by ``|`` or a list."""
    type_attributes: tuple[str, ...] = ("type", "class", "category", "kind", "labelV", "labels")
    """Of a node: its type; the last two are what Gremlin and exports of Neo4j write (the first of its labels)."""
    domain_attributes: tuple[str, ...] = ("domain",)
    """Of a node: its domain."""
    relation_attributes: tuple[str, ...] = ("relation", "label", "labelE", "type", "predicate", "rel_type")
    """Of an edge: its relation; a key that is a word comes last. Where it is not set, attributes that are called so in
    other languages count too, else the only one that holds few words again and again."""
    relation: str = "related_to"
    """Relation of the edges that name none."""
    value_attributes: tuple[str, ...] = ()
    """Further attributes of nodes that become facts with a ``Literal``; ``*`` = all that have no other meaning."""
    directed: Directed = Directed.AUTO
    """Whether edges lead from source to target: ``auto`` (what the files say), ``yes`` or ``no``."""
    hierarchical: tuple[str, ...] = ()
    """Names of the relations that lead from child to parent."""
    symmetric: tuple[str, ...] = ()
    """Names of relations that hold both ways, whatever their edges say."""


def text_of(value: Any) -> str:
    """A value as text: strings as they are, whole numbers without a point, anything else as JSON writes it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _first_label(text: str) -> str:
    """``Person`` of ``:Person:Actor``, as Neo4j's exports write labels; other texts as they are."""
    return text.removeprefix(":").split(":", 1)[0] if text.startswith(":") else text


def _word(key: str) -> str:
    """A key of an edge that is no running number."""
    return "" if key.isdigit() else key


class Network:
    """Turns nodes and edges into records; at the end come the relations that all edges leave symmetric."""

    def __init__(self, options: NetworkOptions, survey: Survey) -> None:
        self._options = options
        self._literals = Literals()
        self._used: dict[str, _Used] = {}
        self._survey = survey
        told = "label_attributes" in options.model_fields_set
        self._labels = options.label_attributes if told else survey.names(options.label_attributes)
        self._nodes = self._edges = 0
        self._defaulted = 0
        self._first_default: Place | None = None
        self._unused: Counter[str] = Counter()
        self._unused_of_edges: Counter[str] = Counter()
        self._carriers: Counter[str] = Counter()
        self._relations = options.relation_attributes
        self._only = ""
        # The first edges wait until they show what their relation is called
        self._waiting: list[_Edge] | None = None if "relation_attributes" in options.model_fields_set else []

    @property
    def asks_files(self) -> bool:
        """Whether the files decide how edges run."""
        return self._options.directed is Directed.AUTO

    def node(self, place: Place, identifier: str, attributes: Mapping[str, Any]) -> Iterator[Record]:
        """An entity, and facts of the attributes that are values."""
        if problem := problem_with(clean(identifier), limit=MAX_NAME * 100):
            yield Rejection(place=place, reason=f"the id of the node {problem}")
            return
        uid, options = fit(clean(identifier)), self._options
        self._nodes += 1
        name = self._first(self._labels, attributes)
        if not_finite(name) or any(not_finite(attributes.get(label)) for label in self._labels):
            yield Rejection(place=place, reason=f"the name of {quote(uid)} is no finite number; its id is used instead")
            name = ""
        for key in getattr(attributes, "defaulted", ()):
            if key in self._labels or key in options.type_attributes:
                text = f"the {quote(key)} of {quote(uid)} is its key's default"
                yield Finding(place=place, kind=FindingKind.DEFAULTED, text=text)
        yield from entity_records(
            place=place,
            uid=uid,
            name=name or uid,
            type_=_first_label(clean(self._first(options.type_attributes, attributes))),
            domain=clean(self._first(options.domain_attributes, attributes)),
            aliases=self._aliases(attributes),
        )
        for name, value in attributes.items():
            if value in (None, "", [], {}):
                continue
            if self._is_value(name):
                yield from self._value(place, uid, clean(name), value)
            elif name not in self._labels and not self._is_told(name):
                self._unused[name] += 1

    def edge(
        self, place: Place, ends: tuple[str, str], attributes: Mapping[str, Any], *, directed: bool, key: str = ""
    ) -> Iterator[Record]:
        """Facts of this edge and of those that waited for it."""
        edge = _Edge(place, ends, attributes, directed, key)
        if self._waiting is None:
            yield from self._fact(edge)
            return
        self._waiting.append(edge)
        if len(self._waiting) >= LOOKED_AT:
            yield from self._begun()

    def _begun(self) -> Iterator[Record]:
        """Facts of the edges that waited, now that they show which attribute is their relation."""
        waiting, self._waiting = self._waiting or [], None
        survey = EdgeSurvey()
        for edge in waiting:
            survey.add(edge.attributes)
        self._relations = survey.by_name(self._options.relation_attributes)
        named = any(_word(edge.key) or self._first(self._relations, edge.attributes) for edge in waiting)
        if not named and "relation" not in self._options.model_fields_set:
            self._only = survey.only_one()
            self._relations = (*self._relations, *filter(None, [self._only]))
        for edge in waiting:
            yield from self._fact(edge)

    def _fact(self, edge: _Edge) -> Iterator[Record]:
        """A fact; one without a direction starts at the smaller uid, so that an edge and its reverse are one."""
        place, attributes, directed = edge.place, edge.attributes, edge.directed
        if self._options.directed is not Directed.AUTO:
            directed = self._options.directed is Directed.YES
        subject, obj = (fit(clean(end)) for end in edge.ends)
        if not (subject and obj):
            yield Rejection(place=place, reason="the edge lacks an end")
            return
        if not directed:
            subject, obj = sorted((subject, obj))
        self._edges += 1
        carrier = next((name for name in self._relations if self._first((name,), attributes)), "")
        self._carriers[carrier] += bool(carrier)
        self._unused_of_edges.update(
            name for name, value in attributes.items() if name != carrier and value not in (None, "", [], {})
        )
        word = self._first((carrier,), attributes) if carrier else _word(edge.key)
        if not word:
            self._defaulted += 1
            self._first_default = min(self._first_default or place, place)
        relation = clean(word or self._options.relation)
        relation = relation.replace("|", "/").lstrip("~")
        if problem := problem_with(relation, limit=MAX_WORD):
            yield Rejection(place=place, reason=f"the relation of {quote(subject)} and {quote(obj)} {problem}")
            return
        used = self._use(relation, place)
        used.one_way += directed
        if not directed:
            used.both_ways += 1
            used.undirected = min(used.undirected or place, place)
        yield FactRecord(place=place, subject=subject, relation=relation, object=obj, create_missing=True)

    def relations(self) -> Iterator[Record]:
        """The relations of the edges: symmetric when no edge of that relation has a direction, or the user says it.

        Raises:
            InvalidInput: the user says it of a relation that no edge has.
        """
        if self._waiting is not None:
            yield from self._begun()
        options = self._options
        if unknown := sorted(set(options.symmetric) - self._used.keys()):
            raise InvalidInput(
                "no edge has this relation",
                field="options.symmetric",
                value=unknown[0],
                hint=f"Name relations as the files do: {', '.join(sorted(self._used)[:10])}.",
            )
        for name, used in sorted(self._used.items()):
            symmetric = name in options.symmetric or not used.one_way
            traits = Traits(
                symmetric=symmetric,
                hierarchical=name in options.hierarchical and not symmetric,
                either_way=used.undirected is not None and not symmetric,
            )
            yield RelationRecord(place=used.place, relation=Relation(name=name, rel_type="", traits=traits))
            if used.undirected is not None:
                yield self._way(name, used, used.undirected)
            if symmetric and name in options.hierarchical:
                reason = (
                    f"relation {quote(name)} has no direction and cannot lead from child to parent; "
                    "--option directed=yes reads its edges from source to target"
                )
                yield Rejection(place=used.place, reason=reason)

    def _way(self, name: str, used: _Used, place: Place) -> Finding:
        """How the edges of a relation were read that have no direction."""
        edges = f"{used.both_ways:,} undirected edge{'' if used.both_ways == 1 else 's'}"
        how = "no edge is directed, so the relation is symmetric"
        if name in self._options.symmetric:
            how = "the relation is said to be symmetric"
        elif used.one_way:
            how = f"beside {used.one_way:,} directed, so the relation is not symmetric"
            how += ", and no edge is asked as false turned round"
        once = "each is one fact, from the id that comes first in the order of signs to the other"
        out = "--option directed=yes reads them from source to target"
        if used.one_way and name not in self._options.symmetric:
            out = f"--option symmetric={name} makes it hold both ways, {out}"
        text = f"{quote(name)}: {edges}; {how}; {once}; {out}"
        return Finding(place=place, kind=FindingKind.NOTE, text=text, count=used.both_ways)

    def _use(self, relation: str, place: Place) -> _Used:
        used = self._used.setdefault(relation, _Used(place))
        used.place = min(used.place, place)
        return used

    def findings(self) -> Iterator[Finding]:
        """How the attributes were read."""
        everywhere = Place(file="(all files)")
        names = ", ".join(map(quote, self._labels))
        others = ", ".join(map(quote, [name for name in self._survey.attributes if name not in self._labels][:8]))
        said = f"names from the attribute {names}" if names else "no attribute reads like names, so ids are the names"
        if others:
            said += f"; others are {others}; --option label_attributes=… names another"
        text = f"{self._nodes:,} nodes, {self._edges:,} edges; {said}"
        yield Finding(place=everywhere, kind=FindingKind.READ_AS, text=text)
        if not self._labels and self._nodes:
            yield Finding(place=everywhere, kind=FindingKind.NAMED_BY_ID, text="all nodes", count=self._nodes)
        if self._defaulted and self._first_default is not None:
            text = f"edges that name no relation are {quote(self._options.relation)}; --option relation=… names it"
            if likely := [name for name in self._unused_of_edges if name not in self._relations]:
                text += f", --option relation_attributes={likely[0]} takes it from an attribute"
            yield Finding(place=self._first_default, kind=FindingKind.DEFAULTED, text=text, count=self._defaulted)
        yield from self._read_edges(everywhere)
        for name, count in sorted(self._unused.items())[:_UNUSED]:
            text = f"the attribute {quote(name)} of nodes; --option value_attributes={name} makes facts of it"
            yield Finding(place=everywhere, kind=FindingKind.IGNORED, text=text, count=count)

    def _read_edges(self, everywhere: Place) -> Iterator[Finding]:
        """Which attributes of edges were their relation, and which became nothing."""
        if carriers := sorted(name for name in +self._carriers if name):
            said = f"relations of edges from the attribute {', '.join(map(quote, carriers))}"
            if self._only:
                said += ", the only one of words that repeat"
            text = f"{said}; --option relation_attributes=… names another"
            yield Finding(place=everywhere, kind=FindingKind.READ_AS, text=text)
        for name, count in sorted(self._unused_of_edges.items())[:_UNUSED]:
            text = f"the attribute {quote(name)} of edges; --option relation_attributes={name} makes it their relation"
            yield Finding(place=everywhere, kind=FindingKind.IGNORED, text=text, count=count)

    def _first(self, names: tuple[str, ...], attributes: Mapping[str, Any]) -> str:
        for name in names:
            value = attributes.get(name)
            if value not in (None, "", [], {}) and (text := text_of(value).strip()):
                return text
        return ""

    def _aliases(self, attributes: Mapping[str, Any]) -> Iterator[str]:
        for name in self._options.alias_attributes:
            value = attributes.get(name)
            yield from map(text_of, value) if isinstance(value, list) else str(value or "").split("|")

    def _is_value(self, name: str) -> bool:
        options = self._options
        if name in options.value_attributes:
            return True
        return "*" in options.value_attributes and name not in self._labels and not self._is_told(name)

    def _is_told(self, name: str) -> bool:
        options = self._options
        taken = (options.label_attributes, options.alias_attributes, options.type_attributes, options.domain_attributes)
        return any(name in names for names in taken)

    def _value(self, place: Place, uid: str, name: str, value: Any) -> Iterator[Record]:
        text = clean(text_of(value))
        if not_finite(value) or not_finite(text):
            yield Rejection(place=place, reason=f"the {quote(name)} of {quote(uid)} is no finite number: {quote(text)}")
            return
        relation = name.replace("|", "/").lstrip("~")
        if problem := problem_with(relation, limit=MAX_WORD) or problem_with(text, limit=MAX_NAME):
            yield Rejection(place=place, reason=f"the {quote(name)} of {quote(uid)} {problem}")
            return
        self._use(relation, place).one_way += 1
        literal = fit(f'"{text}"')
        yield from self._literals.record(place, literal, text)
        yield FactRecord(place=place, subject=uid, relation=relation, object=literal, create_missing=True)
