"""Triple files (head, relation, tail, perhaps a label), with files that give ids a text.

WN18RR, FB15k, FB13 and their kin: one triple a line, mostly between tabs. ``entity2text`` and ``relation2text`` files
(known by role or name) map ids to texts; an id without one is its own name. A label of ``1``, ``true`` or ``yes`` is a
fact; ``-1``, ``0``, ``false`` or ``no`` marks a triple that is false (a sampled one may be true now and then): it never
becomes a fact, and the report says of which ones the files state both.

Rows are streamed; held in memory are the relations and one number for each id that the triples use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any, ClassVar, Final, TypeGuard

from pydantic import BeforeValidator

from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.benchmarks.case_building import one_line, stem_of
from knowledgesmith.graph_schema.importing.formats.rows.column_words import Role as Column
from knowledgesmith.graph_schema.importing.formats.rows.separator import dialect_of
from knowledgesmith.graph_schema.importing.formats.rows.text import TextRecord, records
from knowledgesmith.graph_schema.importing.formats.tables.layout import Header, header_roles
from knowledgesmith.graph_schema.importing.formats.tables.marks import denies, truth_of
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import lines_of
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    DeniedRecord,
    EntityRecord,
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME
from knowledgesmith.graph_schema.types.facts import Relation, Traits

_SAMPLE: Final = 100


class Role(StrEnum):
    """What a file holds."""

    TRIPLES = "triples"
    ENTITIES = "entities"
    RELATIONS = "relations"


class FalseTriples(StrEnum):
    """What becomes of false triples: they are counted in the report, or each is rejected."""

    REJECT = "reject"
    COUNT = "count"


class Order(StrEnum):
    """Columns of a triple."""

    HRT = "hrt"
    HTR = "htr"


def _names(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class TriplesOptions(ImportOptions):
    """How triples are written and what their relations mean."""

    order: Order = Order.HRT
    """Columns of a triple: ``hrt`` or ``htr``."""
    separator: str = ""
    """Between columns; empty = told from the rows."""
    header: Header = Header.AUTO
    """Whether the first row of a file of triples names its columns: ``auto``, ``yes`` or ``no``."""
    encoding: str = "utf-8"
    """Of all files."""
    false_triples: FalseTriples = FalseTriples.COUNT
    """Triples labelled false are counted in the report (``count``) or each rejected (``reject``)."""
    name_until: str = ""
    """An entity's text up to this sign is its name, the whole text becomes an alias ("stool, solid …")."""
    all_entities: bool = False
    """Also entities that no triple names."""
    hierarchical: Names = ()
    """Relations from child to parent, parted by commas."""
    transitive: Names = ()
    """Relations that are transitive, parted by commas."""
    symmetric: Names = ()
    """Relations that are symmetric, parted by commas."""
    functional: Names = ()
    """Relations with one object for each subject, parted by commas."""
    inverse: Names = ()
    """Pairs ``a=b`` of relations, parted by commas."""
    domain: str = ""
    """Domain of all entities."""


class Triples:
    """See the module."""

    name: ClassVar[str] = "triples"
    summary: ClassVar[str] = "Head, relation, tail files with texts of entities and relations (WN18RR, FB13, …)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = TriplesOptions

    def read(self, files: Sequence[InputFile], options: TriplesOptions) -> Iterator[Record]:
        """See ``Importer.read``."""
        roles = [(role_of(file), file) for file in files]
        if not any(role is Role.TRIPLES for role, _ in roles):
            raise InvalidInput(
                "there is no file of triples", field="files", value=files[0].name, hint="Give one the role triples."
            )
        used: set[int] = set()
        relations: set[str] = set()
        for role, file in roles:
            if role is Role.TRIPLES:
                yield from _triples(file, options, used, relations)
        for role, file in roles:
            if role is Role.ENTITIES:
                yield from _entities(file, options, used)
        yield from _relations([file for role, file in roles if role is Role.RELATIONS], options, relations)


def role_of(file: InputFile) -> Role:
    """What a file holds: its role, else ``entity`` or ``relation`` with ``text`` or ``name`` in its name.

    Raises:
        InvalidInput: its role is none.
    """
    if file.role:
        if file.role == "facts":  # the word of tables
            return Role.TRIPLES
        if file.role not in set(Role):
            raise InvalidInput(
                "this is no role of a triple file", field="role", value=file.role, hint=f"Use {', '.join(Role)}."
            )
        return Role(file.role)
    name = file.name.replace("\\", "/").rpartition("/")[2].casefold()
    if any(word in name for word in ("2text", "2name", "_text", "_name", "2label", "2desc")):
        return Role.RELATIONS if "rel" in name else Role.ENTITIES
    return Role.TRIPLES


def _triples(file: InputFile, options: TriplesOptions, used: set[int], relations: set[str]) -> Iterator[Record]:
    name, source = file.name, stem_of(file.name)
    dialect = dialect_of(file, usual="\t", firm=True, separator=options.separator, encoding=options.encoding)
    rows = [r.cells for r in islice(records(file, dialect, encoding=options.encoding), _SAMPLE) if _is_record(r)]
    worded = header_roles(name, rows) if options.header is not Header.NO else {}
    order = (Column.SUBJECT, Column.RELATION, Column.OBJECT)
    head, relation, tail = (0, 1, 2) if options.order is Order.HRT else (0, 2, 1)
    if worded and "order" not in options.model_fields_set:
        head, relation, tail = (next(n for n, role in worded.items() if role is wanted) for wanted in order)
    # Of four columns the one that is no part of the triple is its label
    label = next(n for n in range(4) if n not in {head, relation, tail})
    inverted = bool(worded) and label < len(rows[0]) and denies(rows[0][label])
    skip, facts = bool(worded) or options.header is Header.YES, 0
    for record in records(file, dialect, encoding=options.encoding):
        if isinstance(record, Rejection):
            yield record
            continue
        if skip:
            skip = False
            continue
        place, cells = Place(file=name, record=record.line), record.cells
        if not max(3, head + 1, relation + 1, tail + 1) <= len(cells) <= 4:
            text = dialect.separator.join(cells)
            yield Rejection(place=place, reason=f"has {len(cells)} columns, a triple has 3 or 4: {quote(text)}")
            continue
        denied = False
        if len(cells) == 4:
            stated = truth_of(cells[label])
            denied = stated is inverted
            if stated is None or (denied and options.false_triples is FalseTriples.REJECT):
                unread = f"the label {quote(cells[label])} is neither true nor false"
                reason = unread if stated is None else "the triple is labelled false, so it is no fact"
                yield Rejection(place=place, reason=reason)
                continue
        subject, predicate, obj = cells[head], cells[relation], cells[tail]
        if denied:
            yield DeniedRecord(place=place, subject=subject, relation=predicate, object=obj)
            continue
        facts += 1
        used.add(hash(subject))
        used.add(hash(obj))
        relations.add(predicate)
        yield FactRecord(
            place=place, subject=subject, relation=predicate, object=obj, source=source, create_missing=True
        )
    header = "first row taken as header" if worded or options.header is Header.YES else "no header"
    columns = f"subject=column {head + 1}, relation=column {relation + 1}, object=column {tail + 1}"
    yield Finding(place=Place(file=name), kind=FindingKind.READ_AS, text=f"{columns}; {facts:,} facts; {header}")


def _is_record(found: TextRecord | Rejection) -> TypeGuard[TextRecord]:
    return isinstance(found, TextRecord)


def _entities(file: InputFile, options: TriplesOptions, used: set[int]) -> Iterator[Record]:
    for line in lines_of(file, encoding=options.encoding):
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        place = Place(file=file.name, record=number)
        uid, found, described = text.partition(options.separator or "\t")
        described = one_line(described)
        uid = uid.strip()
        if not (found and uid and described):
            yield Rejection(place=place, reason=f"not an id and its text: {quote(text)}")
            continue
        if not options.all_entities and hash(uid) not in used:
            continue
        name = described
        if options.name_until:
            name = described.partition(options.name_until)[0].strip() or described
        aliases = (described,) if described != name and len(described) <= MAX_NAME else ()
        # Texts that describe more than they name are cut, so that the entity is not lost.
        yield EntityRecord(
            place=place, uid=uid, name=name[:MAX_NAME], domain=options.domain, aliases=aliases, merge=True
        )


def _relations(files: Sequence[InputFile], options: TriplesOptions, relations: set[str]) -> Iterator[Record]:
    """The catalogue: what the options say about the relations, and phrasings from their texts."""
    texts: dict[str, tuple[str, Place]] = {}
    for file in files:
        for line in lines_of(file, encoding=options.encoding):
            if isinstance(line, Rejection):
                yield line
                continue
            name, found, text = line[1].partition(options.separator or "\t")
            place = Place(file=file.name, record=line[0])
            if not found or not text.strip():
                yield Rejection(place=place, reason=f"not a relation and its text: {quote(line[1])}")
            elif name.strip() not in texts or (text, place) < texts[name.strip()]:
                texts[name.strip()] = (text, place)
    inverses = dict(_pairs(options.inverse))
    spoken = {*options.hierarchical, *options.transitive, *options.symmetric, *options.functional}
    if unknown := sorted((spoken | inverses.keys() | set(inverses.values())) - relations):
        raise InvalidInput(
            "no triple has this relation", field="options", value=unknown[0], hint="Name relations as the triples do."
        )
    for name in sorted(relations & (texts.keys() | spoken | inverses.keys())):
        text, place = texts.get(name, (name, Place(file="(options)")))
        # Text and id may differ in more than signs, so the phrasings come from the text.
        traits = Traits(
            functional=name in options.functional,
            symmetric=name in options.symmetric,
            transitive=name in options.transitive,
            hierarchical=name in options.hierarchical,
            inverse_of=inverses.get(name),
        )
        templates = derive_templates(one_line(text).replace("{", "").replace("}", ""))
        yield RelationRecord(place=place, relation=Relation(name=name, rel_type="", traits=traits, templates=templates))


def _pairs(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    for pair in given:
        first, found, second = pair.partition("=")
        if not found or not first.strip() or not second.strip():
            raise InvalidInput("not a pair of relations", field="options.inverse", value=pair, hint="Write a=b.")
        yield first.strip(), second.strip()
