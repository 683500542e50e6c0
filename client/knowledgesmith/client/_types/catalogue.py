"""Relations, and what facts suggest about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from .enums import TraitKind, WordingOrigin, WordingUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One wording of a relation; ``training`` ones are never asked, ``example`` is filled from the graph."""

    use: WordingUse
    training: bool
    text: str
    origin: WordingOrigin
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingCorrection:
    """A wording to be corrected; an empty text takes the correction back."""

    use: WordingUse
    text: str
    training: bool = False


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
    compositions: tuple[str, ...] = ()
    """Further pairs that it is composed of, each ``first|second``."""
    sub_of: tuple[str, ...] = ()
    wordings: tuple[Wording, ...] = ()
    """As they are used; only where they were asked for, as the next two."""
    chained: bool = False
    """Whether questions over several facts lead through it."""
    worded_like: tuple[str, ...] = ()
    """Relations that are asked about in the same words."""

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits in words."""
        flags = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
        words = [name.replace("_", " ") for name in flags if getattr(self, name)]
        words += [f"inverse of {self.inverse_of}"] if self.inverse_of else []
        pairs = (
            pair for pair in (self.composed_of, *(both.split("|") for both in self.compositions)) if len(pair) == 2
        )
        words += [f"{first} then {second}" for first, second in pairs]
        words += [f"implies {above}" for above in self.sub_of]
        return tuple(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One trait of one relation; ``others``: the inverse, the parts of a composition, or the type of an end."""

    kind: TraitKind
    relation: str
    others: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``kind:relation`` or ``kind:relation|other|other`` as ``str()`` writes it.

        A name may hold a colon, but no ``|``.

        Raises:
            ValueError: it is not of this form.
        """
        kind, _, rest = text.partition(":")
        relation, *others = rest.split("|")
        trait = TraitKind.__members__.get(kind.strip().upper().replace("-", "_"), TraitKind.UNSPECIFIED)
        if not relation or trait is TraitKind.UNSPECIFIED:
            raise ValueError(f"{text!r} is not KIND:RELATION or KIND:RELATION|OTHER|OTHER")
        return cls(kind=trait, relation=relation, others=tuple(others))

    def __str__(self) -> str:
        """``kind:relation`` and, where there are any, ``|other|other``."""
        return "|".join((f"{self.kind.lower()}:{self.relation}", *self.others))


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
