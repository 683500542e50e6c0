"""OBO 1.0 to 1.4: terms and instances become entities, ``is_a`` and relationships become facts.

The files are read twice: first the typedefs, the names of relations, the ids of obsolete terms and the alternative ids
(all that is held in memory), then term by term. Cross-references, definitions and subsets are no facts and are counted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import ClassVar, Final, Literal

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.ontology.entities import (
    DISJOINT,
    EQUIVALENT,
    IS_A,
    entity_records,
    fact_record,
    name_from,
)
from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, fit, uid_of
from knowledgesmith.graph_schema.importing.formats.ontology.obo_clauses import (
    OLD_SCOPES,
    Line,
    Words,
    read_synonym,
    read_text,
    read_words,
)
from knowledgesmith.graph_schema.importing.formats.ontology.obo_frames import Frame, split
from knowledgesmith.graph_schema.importing.formats.ontology.obo_typedefs import Typedefs, is_true
from knowledgesmith.graph_schema.importing.formats.ontology.relations import RelationTable
from knowledgesmith.graph_schema.importing.formats.ontology.tally import Tally
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Record, Rejection
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME

Scope = Literal["EXACT", "NARROW", "BROAD", "RELATED"]
INSTANCE_OF: Final = "instance_of"
_SYNONYMS: Final = frozenset({"synonym", *OLD_SCOPES})
_REMARKS: Final = frozenset(
    {"def", "comment", "subset", "xref", "xref_analog", "xref_unk", "builtin", "is_anonymous", "union_of", "consider"}
    | {"created_by", "creation_date", "modified_by", "modification_date", "use_term"}
    | {"expand_assertion_to", "expand_expression_to"}
)
_READ: Final = frozenset({"id", "alt_id", "name", "namespace", "is_obsolete", "replaced_by"})
_TARGETS: Final = {"is_a": IS_A, "equivalent_to": EQUIVALENT, "disjoint_from": DISJOINT, "instance_of": INSTANCE_OF}


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
    inherited: bool = True
    """Facts of a class hold for the classes below it and for its objects' wider classes (``part_of`` over ``is_a``)."""
    logical_definitions: bool = False
    """Also take the parts of logical definitions (``intersection_of``): genus as ``is_a``, differentiae as facts."""


def base_table(fallback: Place) -> RelationTable:
    """The relations that the format itself defines."""
    table = RelationTable(fallback)
    table.declare(IS_A).transitive = True
    equivalent = table.declare(EQUIVALENT)
    equivalent.symmetric = equivalent.transitive = True
    equivalent.above.add(IS_A)
    table.declare(DISJOINT).symmetric = True
    return table


def declare_instances(table: RelationTable) -> None:
    """The relation from an individual to its classes, the wider ones too."""
    table.declare(INSTANCE_OF).implied.add((INSTANCE_OF, IS_A))


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
        self._typedefs = Typedefs(self._table)
        self._mentioned: set[str] = set()
        self._obsolete: dict[str, str] = {}
        """Ids of obsolete terms and what replaces them."""
        self._alternatives: dict[str, str] = {}
        self._tally = Tally()
        self._of_class = False
        """Whether what is read says something of every member of a class."""

    def read(self) -> Iterator[Record]:
        self._survey_all()
        for file in self._files:
            namespace = ""
            for frame in split(file):
                yield from frame.problems
                if not frame.usable:
                    continue
                if not frame.kind:
                    namespace = next((read_text(value).text for value in frame.values("default-namespace")), "")
                    yield from self._header(frame)
                elif not frame.values("id"):
                    yield Rejection(place=frame.place, reason=f"the {frame.kind} has no id")
                elif frame.kind == "Typedef":
                    yield from self._typedefs.problems(frame)
                else:
                    yield from self._entity(frame, namespace)
        yield from self._tally.findings()
        yield from self._table.records(self._options.hierarchical, inherited=self._options.inherited)

    def _header(self, frame: Frame) -> Iterator[Record]:
        for line in frame.lines:
            if line.tag == "import":
                text = f"{quote(line.value)} is named as an import; nothing is fetched, give the file itself"
                yield Finding(place=frame.at(line), kind=FindingKind.IGNORED, text=text)

    # What must be known before the first fact

    def _survey_all(self) -> None:
        found = 0
        for file in self._files:
            for frame in split(file):
                found += frame.usable and bool(frame.kind)
                self._survey(frame)
        if not found:
            names = ", ".join(file.name for file in self._files[:5])
            hint = "An OBO file has frames such as [Term] with an id."
            raise InvalidInput("no frame was found in the files", field="files", value=names, hint=hint)
        if self._alternatives:
            self._keep_living()
        for relation in self._mentioned:
            if not self._table.knows(relation):
                self._table.declare(relation)

    def _survey(self, frame: Frame) -> None:
        if frame.kind == "Typedef":
            self._typedefs.declare(frame)
            return
        if frame.kind == "Instance":
            declare_instances(self._table)
        for line in frame.lines:
            if line.tag in {"relationship", "intersection_of"} and len(read_words(line.value, 2).ids) == 2:
                self._mentioned.add(read_words(line.value, 1).ids[0])
        if (identifier := _id_of(frame)) is None or not frame.kind:
            return
        if _is_obsolete(frame):
            replaced = [id_ for value in frame.values("replaced_by") for id_ in read_words(value, 1).ids]
            self._obsolete[identifier] = min(replaced, default="")
            return
        for value in frame.values("alt_id"):
            for other in read_words(value, 1).ids:
                self._alternatives[other] = min(identifier, self._alternatives.get(other, identifier))

    def _keep_living(self) -> None:
        """An alternative id that is a term of its own names that term."""
        for file in self._files:
            for frame in split(file):
                if frame.kind and not _is_obsolete(frame):
                    self._alternatives.pop(_id_of(frame) or "", None)

    # Terms

    def _entity(self, frame: Frame, namespace: str) -> Iterator[Record]:
        identifier = _id_of(frame)
        if identifier is None:
            reason = f"the id {quote(frame.values('id')[0])} is empty or holds a blank"
            yield Rejection(place=frame.place, reason=reason)
            return
        if identifier in self._obsolete and self._options.obsolete != "keep":
            if self._options.obsolete == "reject":
                yield Rejection(place=frame.place, reason=f"{quote(identifier)} is obsolete{self._instead(identifier)}")
            return
        names = yield from self._names(frame, identifier)
        aliases = yield from self._aliases(frame, identifier)
        namespaces = [text for value in frame.values("namespace") if (text := clean(read_text(value).text))]
        space = min(namespaces, default=clean(namespace))
        by_type = self._options.namespace == "type" and space
        yield from entity_records(
            place=frame.place,
            uid=uid_of(identifier),
            name=names[0] if names else "",
            type_=space if by_type else "Individual" if frame.kind == "Instance" else "Class",
            domain="" if by_type else space,
            aliases=[*names[1:], *aliases],
        )
        self._of_class = frame.kind == "Term"
        for line in frame.lines:
            yield from self._statement(frame, identifier, line)

    def _names(self, frame: Frame, identifier: str) -> Generator[Record, None, list[str]]:
        """The names of a term in alphabetical order (returned), with a finding where one was cut or there are more."""
        names: set[str] = set()
        for line in frame.lines:
            if line.tag != "name":
                continue
            read = read_text(line.value)
            names.add(clean(read.text))
            for note in read.notes:
                text = f"the name of {quote(identifier)} is {quote(clean(read.text))}: {note}"
                yield Finding(place=frame.at(line), kind=FindingKind.NAME_CHANGED, text=text)
        found = sorted(names - {""})
        if len(found) > 1:
            text = f"{quote(identifier)} has {len(found)} names; {quote(found[0])} was taken, the others are aliases"
            yield Finding(place=frame.place, kind=FindingKind.SEVERAL_NAMES, text=text)
        return found

    def _aliases(self, frame: Frame, identifier: str) -> Generator[Record, None, list[str]]:
        """The synonyms that become aliases (returned); what could not be read, and what was left out, is yielded."""
        aliases: list[str] = []
        for line in frame.lines:
            if line.tag not in _SYNONYMS:
                continue
            read = read_synonym(line.value, line.tag)
            if not read.text:
                why = read.notes[0] if read.notes else "it holds no text"
                reason = f"{quote(f'{line.tag}: {line.value}')} does not parse: {why}"
                yield Rejection(place=frame.at(line), reason=reason)
                continue
            for note in read.notes:
                text = f"the synonym {quote(read.text)} of {quote(identifier)}: {note}"
                yield Finding(place=frame.at(line), kind=FindingKind.NAME_CHANGED, text=text)
            if not read.stated:
                self._tally.add(frame.at(line), FindingKind.DEFAULTED, "a synonym without a scope counts as RELATED")
            if read.scope in self._options.synonyms:
                aliases.append(read.text)
            else:
                sort = f"a synonym of the scope {read.scope} became no alias (option synonyms)"
                self._tally.add(frame.at(line), FindingKind.IGNORED, sort)
        return aliases

    # What they state

    def _statement(self, frame: Frame, subject: str, line: Line) -> Iterator[Record]:
        place, tag = frame.at(line), line.tag
        if tag in _TARGETS:
            yield from self._targets(place, subject, tag, read_words(line.value, 1), _TARGETS[tag])
        elif tag == "relationship":
            yield from self._targets(place, subject, tag, read_words(line.value, 2))
        elif tag == "intersection_of":
            if self._options.logical_definitions:
                two = read_words(line.value, 2)
                genus = len(two.ids) < 2
                yield from self._targets(place, subject, tag, two, IS_A if genus else "")
            else:
                sort = "a part of a logical definition (option logical_definitions)"
                self._tally.add(place, FindingKind.IGNORED, sort)
        elif tag == "property_value":
            yield from self._property(place, subject, line)
        elif tag in _REMARKS:
            self._tally.add(place, FindingKind.DOCUMENTATION, f"{tag}: states no fact")
        elif tag not in _READ | _SYNONYMS:
            yield Rejection(place=place, reason=f"the tag {quote(tag)} is unknown: {quote(line.value)}")

    def _targets(self, place: Place, subject: str, tag: str, words: Words, relation: str = "") -> Iterator[Record]:
        """The fact of a line whose words are a target, or a relation and a target."""
        if len(words.ids) < (1 if relation else 2):
            yield Rejection(place=place, reason=f"the {tag} of {quote(subject)} names no target")
            return
        if _states_none(words.modifiers):
            fact = f"{quote(subject)} {relation or words.ids[0]} {quote(words.ids[-1])}"
            yield Rejection(place=place, reason=f"{fact}: the line says that there is none (cardinality 0)")
            return
        for note in words.notes:
            yield Finding(place=place, kind=FindingKind.NOTE, text=f"the {tag} of {quote(subject)}: {note}")
        yield from self._fact(place, subject, relation or words.ids[0], words.ids[-1], words.comment)

    def _property(self, place: Place, subject: str, line: Line) -> Iterator[Record]:
        """The other way to write a relationship that is a metadata tag; texts, quoted or with a type, are remarks."""
        words = read_words(line.value, 3)
        relation = self._table.key(words.ids[0]) if words.ids else ""
        if len(words.ids) == 2 and not words.raw[1].startswith('"') and relation in self._typedefs.tags:
            yield from self._fact(place, subject, words.ids[0], words.ids[1], words.comment)
        else:
            self._tally.add(place, FindingKind.DOCUMENTATION, f"property_value {relation}: states no fact")

    def _fact(self, place: Place, subject: str, relation: str, obj: str, comment: str) -> Iterator[Record]:
        key, options = self._table.key(relation), self._options
        if key in self._typedefs.metadata and not options.metadata_relations:
            sort = f"a fact of the metadata tag {quote(key)} (option metadata_relations)"
            self._tally.add(place, FindingKind.IGNORED, sort)
            return
        if (known := self._alternatives.get(obj)) is not None:
            text = f"{quote(subject)} {relation} {quote(obj)}: that is an alternative id of {quote(known)}"
            yield Finding(place=place, kind=FindingKind.MERGED, text=text)
            obj = known
        if obj in self._obsolete and options.obsolete != "keep":
            if options.obsolete == "reject":
                told = f"{quote(subject)} {relation} {quote(obj)}: the object is obsolete"
                yield Rejection(place=place, reason=f"{told}{self._instead(obj)}")
            return
        name = self._table.name(relation)
        if options.relations and name not in options.relations:
            return
        by_format = relation in _TARGETS.values() or key in self._typedefs.tags
        self._table.use(relation, quantified=self._of_class and not by_format)
        target_name = fit(clean(comment), MAX_NAME) or name_from(uid_of(obj))
        yield fact_record(place, uid_of(subject), name, uid_of(obj), object_name=target_name)

    def _instead(self, identifier: str) -> str:
        replaced = self._obsolete.get(identifier, "")
        return f", replaced by {quote(replaced)}" if replaced else ""


def _id_of(frame: Frame) -> str | None:
    """The id of a frame; None where it has none or more than one word stands there."""
    values = frame.values("id")
    words = read_words(values[0], 1) if values else None
    return words.ids[0] if words and words.ids and not words.notes else None


def _is_obsolete(frame: Frame) -> bool:
    return any(map(is_true, frame.values("is_obsolete")))


def _states_none(modifiers: str) -> bool:
    """Whether modifiers such as ``{cardinality="0"}`` deny what the line seems to state."""
    plain = modifiers.replace(" ", "").replace('"', "")
    return any(f"{name}=0" in plain.strip("{}").split(",") for name in ("cardinality", "maxCardinality", "exactly"))
