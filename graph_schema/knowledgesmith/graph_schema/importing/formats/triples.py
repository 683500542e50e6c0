"""Triple files (head, relation, tail, perhaps a label), with files that give ids a text.

WN18RR, FB15k, FB13 and their kin: one triple a line, parted by tabs. ``entity2text`` and ``relation2text`` files (known
by role or name) map ids to texts; an id without one is its own name. A label of ``1`` or ``true`` is a fact; ``-1``,
``0`` or ``false`` marks a triple that is false (a sampled one may be true now and then): it never becomes a fact.

Rows are streamed; held in memory are the relations and one number for each id that the triples use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field

from knowledgesmith.graph_schema.derived_wordings import derive_templates
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.facts import Relation, Traits
from knowledgesmith.graph_schema.importing.case_building import one_line, stem_of
from knowledgesmith.graph_schema.importing.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.problems import quote
from knowledgesmith.graph_schema.importing.reading import lines_of
from knowledgesmith.graph_schema.importing.records import (
    EntityRecord,
    FactRecord,
    Place,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.text_checks import MAX_NAME

_TRUE: Final = frozenset({"1", "true", "+1", "1.0"})
_FALSE: Final = frozenset({"-1", "0", "false", "-1.0", "0.0"})
_LINE: Final = 1 << 16


class Role(StrEnum):
    """What a file holds."""

    TRIPLES = "triples"
    ENTITIES = "entities"
    RELATIONS = "relations"


class FalseTriples(StrEnum):
    """What becomes of false triples: each is reported as rejected, or they are counted once a file."""

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
    separator: str = Field(default="\t", min_length=1)
    """Between columns; a tab by default."""
    encoding: str = "utf-8"
    """Of all files."""
    false_triples: FalseTriples = FalseTriples.REJECT
    """Triples labelled false are each reported (``reject``) or counted once a file (``count``)."""
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
    head, relation, tail = (0, 1, 2) if options.order is Order.HRT else (0, 2, 1)
    name, source, separator = file.name, stem_of(file.name), options.separator
    false = 0
    for line in lines_of(file, encoding=options.encoding, limit=_LINE):
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        place = Place(file=name, record=number)
        cells = text.split(separator)
        if not 3 <= len(cells) <= 4:
            yield Rejection(place=place, reason=f"has {len(cells)} columns, a triple has 3 or 4: {quote(text)}")
            continue
        if len(cells) == 4 and (label := cells[3].strip().lower()) not in _TRUE:
            false += label in _FALSE
            if label not in _FALSE:
                yield Rejection(place=place, reason=f"the label {quote(cells[3])} is neither true nor false")
            elif options.false_triples is FalseTriples.REJECT:
                yield Rejection(place=place, reason="the triple is labelled false, so it is no fact")
            continue
        subject, predicate, obj = cells[head].strip(), cells[relation].strip(), cells[tail].strip()
        used.add(hash(subject))
        used.add(hash(obj))
        relations.add(predicate)
        yield FactRecord(
            place=place, subject=subject, relation=predicate, object=obj, source=source, create_missing=True
        )
    if false and options.false_triples is FalseTriples.COUNT:
        yield Rejection(place=Place(file=name), reason=f"{false} triples are labelled false, so they are no facts")


def _entities(file: InputFile, options: TriplesOptions, used: set[int]) -> Iterator[Record]:
    for line in lines_of(file, encoding=options.encoding):
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        place = Place(file=file.name, record=number)
        uid, found, described = text.partition(options.separator)
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
            name, found, text = line[1].partition(options.separator)
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
