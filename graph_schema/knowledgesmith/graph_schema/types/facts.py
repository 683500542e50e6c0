"""Entities, relations and facts: pure values without I/O (design: graph model)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from knowledgesmith.graph_schema.types.digests import prefixed

_KEYS: Final = 1 << 15


class Level(StrEnum):
    """Place of an entity in the hierarchy; the value is the Neo4j label."""

    ROOT = "Root"
    INTERMEDIATE = "Intermediate"
    LEAF = "Leaf"


class Direction(StrEnum):
    """Which end of the relation a template asks for."""

    FORWARD = "forward"
    REVERSE = "reverse"


class Split(StrEnum):
    """Training templates never appear in an evaluation, and the other way round."""

    TRAIN = "train"
    EVAL = "eval"


class Form(StrEnum):
    """Grammar of a template: text to be completed, full sentence, question, or noun phrase for chains."""

    CLOZE = "cloze"
    STATEMENT = "statement"
    QUESTION = "question"
    PHRASE = "phrase"


class Origin(StrEnum):
    """Where a template comes from."""

    GIVEN = "given"
    """A file or an importer brought it."""
    CORRECTED = "corrected"
    """Somebody wrote it for this graph."""
    DERIVED = "derived"
    """Made from the relation's name, whose grammar is sure."""
    FRAME = "frame"
    """A plain frame around the relation's name: true whatever the name means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A node of one graph; a literal (number, date) is an entity of type ``Literal``."""

    uid: str
    name: str
    type: str = ""
    domain: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name followed by its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One phrasing of a relation; ``{s}`` is the subject's name and ``{o}`` the object's.

    Two of one text are the same, wherever they come from.
    """

    direction: Direction
    split: Split
    form: Form
    text: str
    origin: Origin = field(default=Origin.GIVEN, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What follows from a fact of the relation.

    ``composed_of = (r1, r2)`` means ``r(x, z) <- r1(x, y), r2(y, z)``, and so does every further pair of
    ``compositions``; :attr:`chains` gives them all. ``sub_of`` names relations that hold wherever this one does:
    ``p(x, y) <- r(x, y)``. ``hierarchical`` relations point from the child to its parent. From ``either_way`` nothing
    follows: some facts of the relation may hold both ways, nobody knows which, so none is called false the other way.
    """

    functional: bool = False
    inverse_functional: bool = False
    symmetric: bool = False
    transitive: bool = False
    hierarchical: bool = False
    inverse_of: str | None = None
    composed_of: tuple[str, ...] = ()
    compositions: tuple[tuple[str, ...], ...] = ()
    sub_of: tuple[str, ...] = ()
    either_way: bool = False

    @property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """Every pair of relations of which this one is composed, without doubles, ``composed_of`` first."""
        pairs = (tuple(pair) for pair in (self.composed_of, *self.compositions) if pair)
        return tuple(dict.fromkeys(pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A catalogue entry: ``rel_type`` is the Neo4j relationship type, injective in ``name``."""

    name: str
    rel_type: str
    domain_type: str = ""
    range_type: str = ""
    traits: Traits = Traits()
    templates: tuple[Template, ...] = ()

    def pick(self, *, direction: Direction, form: Form, split: Split) -> tuple[Template, ...]:
        """Templates of one direction, form and split, in catalogue order; corrected ones take the others' place."""
        wanted = (direction, form, split)
        found = tuple(t for t in self.templates if (t.direction, t.form, t.split) == wanted)
        return tuple(t for t in found if t.origin is Origin.CORRECTED) or found


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fact:
    """One typed relationship between two entities, named by their uids."""

    subject: str
    relation: str
    object: str
    source: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Subject uid, relation name, object uid."""
        return (self.subject, self.relation, self.object)


def fact_id(graph_id: str, subject: str, relation: str, obj: str) -> str:
    """Stable id of a fact: 32 hexadecimal digits of SHA-256 over the length-prefixed parts."""
    return hashlib.sha256(_key(graph_id) + _key(subject) + _key(relation) + _key(obj)).hexdigest()[:32]


@lru_cache(maxsize=_KEYS)
def _key(part: str) -> bytes:
    """``prefixed``, kept: the same few entities stand in very many facts."""
    return prefixed(part)


def fact_id_from_keys(graph: bytes, subject: bytes, relation: bytes, obj: bytes) -> str:
    """``fact_id`` of parts that are prefixed already (``digests.prefixed``)."""
    return hashlib.sha256(graph + subject + relation + obj).hexdigest()[:32]
