"""Relations, and what facts suggest about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from knowledgesmith.v1 import catalogue_pb2 as pb


class TraitKind(StrEnum):
    """What a trait says about a relation."""

    FUNCTIONAL = "FUNCTIONAL"
    INVERSE_FUNCTIONAL = "INVERSE_FUNCTIONAL"
    SYMMETRIC = "SYMMETRIC"
    INVERSE = "INVERSE"
    TRANSITIVE = "TRANSITIVE"
    COMPOSITION = "COMPOSITION"
    DOMAIN = "DOMAIN"
    RANGE = "RANGE"


class WordingUse(StrEnum):
    """What a wording is used for."""

    DIRECT = "DIRECT"
    REVERSE = "REVERSE"
    QUESTION = "QUESTION"
    REVERSE_QUESTION = "REVERSE_QUESTION"
    STATEMENT = "STATEMENT"
    PHRASE = "PHRASE"
    REVERSE_PHRASE = "REVERSE_PHRASE"
    REVERSE_STATEMENT = "REVERSE_STATEMENT"


class WordingOrigin(StrEnum):
    """Where a wording comes from: files, a correction, sure grammar, or a plain frame around the relation's name."""

    GIVEN = "GIVEN"
    CORRECTED = "CORRECTED"
    DERIVED = "DERIVED"
    FRAME = "FRAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One wording of a relation; ``training`` ones are never asked, ``example`` is filled from the graph."""

    use: WordingUse
    training: bool
    text: str
    origin: WordingOrigin
    example: str

    @classmethod
    def from_proto(cls, message: pb.Wording) -> Self:
        """Read the wire's message."""
        return cls(
            use=WordingUse(pb.WordingUse.Name(message.use).removeprefix("WORDING_USE_")),
            training=message.training,
            text=message.text,
            origin=WordingOrigin(pb.WordingOrigin.Name(message.origin).removeprefix("WORDING_ORIGIN_")),
            example=message.example,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingCorrection:
    """A wording to be corrected; an empty text takes the correction back."""

    use: WordingUse
    text: str
    training: bool = False

    def to_proto(self) -> pb.WordingCorrection:
        """Write the wire's message."""
        use = pb.WordingUse.Value(f"WORDING_USE_{self.use.value}")
        return pb.WordingCorrection(use=use, training=self.training, text=self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One relation of a graph's catalogue; ``templates`` is their number."""

    name: str
    rel_type: str
    domain_type: str
    range_type: str
    functional: bool
    inverse_functional: bool
    symmetric: bool
    transitive: bool
    hierarchical: bool
    inverse_of: str
    composed_of: tuple[str, ...]
    templates: int
    compositions: tuple[tuple[str, ...], ...] = ()
    sub_of: tuple[str, ...] = ()
    wordings: tuple[Wording, ...] = ()
    """As they are used; only where they were asked for, as the next two."""
    chained: bool = False
    """Whether questions over several facts lead through it."""
    worded_like: tuple[str, ...] = ()
    """Relations that are asked about in the same words."""

    @classmethod
    def from_proto(cls, message: pb.Relation) -> Self:
        """Read the wire's message."""
        return cls(
            name=message.name,
            rel_type=message.rel_type,
            domain_type=message.domain_type,
            range_type=message.range_type,
            functional=message.functional,
            inverse_functional=message.inverse_functional,
            symmetric=message.symmetric,
            transitive=message.transitive,
            hierarchical=message.hierarchical,
            inverse_of=message.inverse_of,
            composed_of=tuple(message.composed_of),
            templates=message.templates,
            compositions=tuple(tuple(pair.split("|")) for pair in message.compositions),
            sub_of=tuple(message.sub_of),
            wordings=tuple(map(Wording.from_proto, message.wordings)),
            chained=message.chained,
            worded_like=tuple(message.worded_like),
        )

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits in words."""
        flags = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
        words = [name.replace("_", " ") for name in flags if getattr(self, name)]
        words += [f"inverse of {self.inverse_of}"] if self.inverse_of else []
        pairs = (pair for pair in (self.composed_of, *self.compositions) if len(pair) == 2)
        words += [f"{first} then {second}" for first, second in pairs]
        words += [f"implies {above}" for above in self.sub_of]
        return tuple(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One trait of one relation; ``others``: the inverse, the parts of a composition, or the type of an end."""

    kind: TraitKind
    relation: str
    others: Sequence[str] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``kind:relation`` or ``kind:relation|other|other`` as ``str()`` writes it.

        A name may hold a colon, but no ``|``.

        Raises:
            ValueError: it is not of this form.
        """
        kind, _, rest = text.partition(":")
        relation, *others = rest.split("|")
        if not relation:
            raise ValueError(f"{text!r} is not KIND:RELATION or KIND:RELATION|OTHER|OTHER")
        return cls(kind=TraitKind(kind.strip().upper().replace("-", "_")), relation=relation, others=tuple(others))

    def __str__(self) -> str:
        """``kind:relation`` and, where there are any, ``|other|other``."""
        return "|".join((f"{self.kind.lower()}:{self.relation}", *self.others))

    @classmethod
    def from_proto(cls, message: pb.Trait) -> Self:
        """Read the wire's message."""
        name = pb.TraitKind.Name(message.kind).removeprefix("TRAIT_KIND_")
        return cls(kind=TraitKind(name), relation=message.relation, others=tuple(message.others))

    def to_proto(self) -> pb.Trait:
        """Write the wire's message."""
        kind = pb.TraitKind.Value(f"TRAIT_KIND_{self.kind.value}")
        return pb.Trait(kind=kind, relation=self.relation, others=self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A trait with its support; ``low`` and ``high`` bound ``support / cases`` with 95 % confidence (Wilson)."""

    trait: Trait
    support: int
    cases: int
    low: float
    high: float
    exceptions: tuple[str, ...]
    declared: bool

    @classmethod
    def from_proto(cls, message: pb.Suggestion) -> Self:
        """Read the wire's message."""
        return cls(
            trait=Trait.from_proto(message.trait),
            support=message.support,
            cases=message.cases,
            low=message.low,
            high=message.high,
            exceptions=tuple(message.exceptions),
            declared=message.declared,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Homonym:
    """A name or alias that several living entities share; ``uids`` are the first 20.

    Its ``spellings`` look alike; ``differs`` says in words what tells them apart.
    """

    label: str
    entities: int
    uids: tuple[str, ...]
    spellings: tuple[str, ...] = ()
    differs: str = ""

    @classmethod
    def from_proto(cls, message: pb.Homonym) -> Self:
        """Read the wire's message."""
        return cls(
            label=message.label,
            entities=message.entities,
            uids=tuple(message.uids),
            spellings=tuple(message.spellings),
            differs=message.differs,
        )
