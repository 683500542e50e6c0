"""OBO 1.2 and 1.4: terms and instances become entities, ``is_a`` and relationships become facts.

The files are read twice: first the typedefs, the names of relations and the ids of obsolete terms (all that is held in
memory), then term by term. Cross-references, definitions and subsets are no facts and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, Literal

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.ontology.entities import (
    DISJOINT,
    EQUIVALENT,
    IS_A,
    entity_records,
    fact_record,
    name_from,
)
from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, fit, relation_word, uid_of
from knowledgesmith.graph_schema.importing.formats.ontology.obo_frames import Frame, fastobo, parse, split, text_of
from knowledgesmith.graph_schema.importing.formats.ontology.relations import RelationTable
from knowledgesmith.graph_schema.importing.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.problems import quote
from knowledgesmith.graph_schema.importing.records import Place, Record, Rejection
from knowledgesmith.graph_schema.text_checks import MAX_NAME

header, term, typedef = fastobo.header, fastobo.term, fastobo.typedef
Scope = Literal["EXACT", "NARROW", "BROAD", "RELATED"]
_ID: Final = re.compile(r"id:\s*((?:\\.|[^\s!{\\])+)")
_RELATION: Final = re.compile(r"(?:relationship|intersection_of):\s*((?:\\.|[^\s\\])+)\s+[^\s!{]")
_OBSOLETE: Final = re.compile(r"is_obsolete:\s*true\b")


class OntologyOptions(ImportOptions):
    """What both readers of the OBO family take."""

    synonyms: tuple[Scope, ...] = ("EXACT",)
    """Scopes whose synonyms become aliases."""
    obsolete: Literal["reject", "skip", "keep"] = "reject"
    """Obsolete terms are left out and named as rejections, left out silently, or read like any other."""
    namespace: Literal["domain", "type"] = "domain"
    """What a term's namespace is to its entity; the type is otherwise ``Class`` (``Individual`` for instances)."""
    hierarchical: tuple[str, ...] = (IS_A,)
    """Names of the relations that lead from child to parent."""
    metadata_relations: bool = False
    """Also take relations that are metadata tags (contributor, see also); those of the class level always count."""
    relations: tuple[str, ...] = ()
    """Take only facts of relations of these names; empty = all."""
    logical_definitions: bool = False
    """Also take the parts of logical definitions (``intersection_of``): genus as ``is_a``, differentiae as facts."""


def base_table(fallback: Place) -> RelationTable:
    """The relations that the format itself defines."""
    table = RelationTable(fallback)
    table.declare(IS_A).transitive = True
    equivalent = table.declare(EQUIVALENT)
    equivalent.symmetric = equivalent.transitive = True
    table.declare(DISJOINT).symmetric = True
    return table


class OboImporter:
    """Reads OBO files; several files form one ontology."""

    name: ClassVar[str] = "obo"
    summary: ClassVar[str] = "Ontologies in OBO 1.2 or 1.4"
    endings: ClassVar[tuple[str, ...]] = (".obo",)
    options: ClassVar[type[ImportOptions]] = OntologyOptions

    def read(self, files: Sequence[InputFile], options: OntologyOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        reader = _Reader(files, options)
        yield from reader.read()


class _Reader:
    def __init__(self, files: Sequence[InputFile], options: OntologyOptions) -> None:
        self._files = files
        self._options = options
        self._table = base_table(Place(file=files[0].name if files else ""))
        self._metadata: set[str] = set()
        self._tags: set[str] = set()
        self._mentioned: set[str] = set()
        self._obsolete: set[str] = set()

    def read(self) -> Iterator[Record]:
        self._survey_all()
        for file in self._files:
            namespace = ""
            for frame in split(file):
                ast, problems = parse(frame)
                yield from problems
                if ast is None or frame.kind == "Typedef":
                    continue
                if frame.kind:
                    yield from self._entity(frame, ast, namespace)
                else:
                    namespace = _default_namespace(ast)
        yield from self._table.records(self._options.hierarchical)

    # What must be known before the first fact

    def _survey_all(self) -> None:
        found = 0
        for file in self._files:
            for frame in split(file):
                found += frame.kind in {"Term", "Typedef", "Instance"}
                self._survey(frame)
        if not found:
            names = ", ".join(file.name for file in self._files[:5])
            hint = "An OBO file has frames such as [Term] with an id."
            raise InvalidInput("no frame was found in the files", field="files", value=names, hint=hint)
        for relation in self._mentioned:
            if not self._table.knows(relation):
                self._table.declare(relation)

    def _survey(self, frame: Frame) -> None:
        if frame.kind == "Typedef":
            ast, _ = parse(frame)
            if ast is not None:
                self._declare(frame, ast)
            return
        relations = {found[1] for _, text in frame.lines if (found := _RELATION.match(text))}
        if frame.kind == "Instance":
            self._mentioned.add("instance_of")
        for word in relations:
            with suppress(ValueError):
                self._mentioned.add(text_of(fastobo.id.parse(word)))
        if any(_OBSOLETE.match(text) for _, text in frame.lines):
            for _, text in frame.lines:
                if found := _ID.match(text):
                    with suppress(ValueError):
                        self._obsolete.add(text_of(fastobo.id.parse(found[1])))

    def _declare(self, frame: Frame, ast: Any) -> None:
        key = text_of(ast.id)
        declared = self._table.declare(key, frame.place)
        plain = isinstance(ast.id, fastobo.id.UnprefixedIdent)
        if plain:
            declared.words.add(relation_word(key))
        metadata = class_level = False
        for clause in ast:
            if isinstance(clause, typedef.NameClause) and not plain:
                declared.words.add(relation_word(clause.name))
            elif isinstance(clause, typedef.XrefClause) and plain:
                self._table.also(text_of(clause.xref.id), key)
            elif isinstance(clause, typedef.IsMetadataTagClause):
                metadata = clause.metadata_tag
            elif isinstance(clause, typedef.IsClassLevelClause):
                class_level = clause.class_level
            else:
                _note_trait(declared, key, clause)
        if metadata and not class_level:
            self._metadata.add(key)
        if metadata or class_level:
            self._tags.add(key)

    # Terms

    def _entity(self, frame: Frame, ast: Any, namespace: str) -> Iterator[Record]:
        identifier = text_of(ast.id)
        if identifier in self._obsolete and self._options.obsolete != "keep":
            if self._options.obsolete == "reject":
                yield Rejection(place=frame.place, reason=f"{quote(identifier)} is obsolete")
            return
        names = sorted({clean(c.name) for c in ast if isinstance(c, term.NameClause)})
        synonyms = [c.synonym for c in ast if isinstance(c, term.SynonymClause)]
        namespaces = {text_of(c.namespace) for c in ast if isinstance(c, term.NamespaceClause)}
        space = min(namespaces, default=namespace)
        by_type = self._options.namespace == "type" and space
        yield from entity_records(
            place=frame.place,
            uid=uid_of(identifier),
            name=names[0] if names else "",
            type_=space if by_type else "Individual" if frame.kind == "Instance" else "Class",
            domain="" if by_type else space,
            aliases=[*names[1:], *(s.desc for s in synonyms if s.scope in self._options.synonyms)],
        )
        for number, clause in zip(frame.clauses, ast, strict=True):
            yield from self._facts(Place(file=frame.file, record=number), identifier, clause)

    def _facts(self, place: Place, subject: str, clause: Any) -> Iterator[Record]:
        if isinstance(clause, term.IsAClause):
            yield from self._fact(place, subject, IS_A, clause.term, clause.comment)
        elif isinstance(clause, term.RelationshipClause):
            yield from self._fact(place, subject, text_of(clause.typedef), clause.term, clause.comment)
        elif isinstance(clause, term.EquivalentToClause):
            yield from self._fact(place, subject, EQUIVALENT, clause.term, clause.comment)
        elif isinstance(clause, term.DisjointFromClause):
            yield from self._fact(place, subject, DISJOINT, clause.term, clause.comment)
        elif isinstance(clause, term.IntersectionOfClause) and self._options.logical_definitions:
            relation = IS_A if clause.typedef is None else text_of(clause.typedef)
            yield from self._fact(place, subject, relation, clause.term, clause.comment)
        elif isinstance(clause, term.PropertyValueClause):
            # The other way to write a relationship that is a metadata tag
            value = clause.property_value
            if isinstance(value, fastobo.pv.ResourcePropertyValue):
                relation = text_of(value.relation)
                if self._table.key(relation) in self._tags:
                    yield from self._fact(place, subject, relation, value.value, clause.comment)

    def _fact(self, place: Place, subject: str, relation: str, target: Any, comment: str | None) -> Iterator[Record]:
        if self._table.key(relation) in self._metadata and not self._options.metadata_relations:
            return
        obj = text_of(target)
        if obj in self._obsolete and self._options.obsolete != "keep":
            if self._options.obsolete == "reject":
                reason = f"{quote(subject)} {relation} {quote(obj)}: the object is obsolete"
                yield Rejection(place=place, reason=reason)
            return
        name = self._table.name(relation)
        if self._options.relations and name not in self._options.relations:
            return
        self._table.use(relation)
        target_name = fit(clean(comment or ""), MAX_NAME) or name_from(uid_of(obj))
        yield fact_record(place, uid_of(subject), name, uid_of(obj), object_name=target_name)


def _default_namespace(ast: Any) -> str:
    return next((text_of(c.namespace) for c in ast if isinstance(c, header.DefaultNamespaceClause)), "")


def _note_trait(declared: Any, key: str, clause: Any) -> None:
    """Traits of a typedef; ``transitive_over`` is the composition with the relation it is transitive over."""
    if isinstance(clause, typedef.IsTransitiveClause):
        declared.transitive = clause.transitive
    elif isinstance(clause, typedef.IsSymmetricClause):
        declared.symmetric = clause.symmetric
    elif isinstance(clause, typedef.IsFunctionalClause):
        declared.functional = clause.functional
    elif isinstance(clause, typedef.IsInverseFunctionalClause):
        declared.inverse_functional = clause.inverse_functional
    elif isinstance(clause, typedef.InverseOfClause):
        declared.inverses.add(text_of(clause.typedef))
    elif isinstance(clause, typedef.TransitiveOverClause):
        declared.chains.add((key, text_of(clause.typedef)))
    elif isinstance(clause, typedef.HoldsOverChainClause | typedef.EquivalentToChainClause):
        declared.chains.add((text_of(clause.first), text_of(clause.last)))
