"""The relations that an ontology declares: names for their ids, and traits that do not contradict each other.

Importers note what they read, in any order and from any file; ``records`` then tells one consistent story of the
relations that facts used. What cannot be kept (a second inverse, a third chain, a functional transitive relation) is
a ``Rejection``; which of two claims is kept depends on the ids alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from knowledgesmith.graph_schema.facts import Relation, Traits
from knowledgesmith.graph_schema.importing.formats.ontology.names import fit, relation_word
from knowledgesmith.graph_schema.importing.records import Place, Record, Rejection, RelationRecord
from knowledgesmith.graph_schema.text_checks import MAX_WORD


@dataclass(slots=True, kw_only=True)
class Declaration:
    """What the files say of one relation. ``words`` are candidates for its name; ``places`` where it was declared."""

    words: set[str] = field(default_factory=set[str])
    places: set[Place] = field(default_factory=set[Place])
    symmetric: bool = False
    transitive: bool = False
    functional: bool = False
    inverse_functional: bool = False
    inverses: set[str] = field(default_factory=set[str])
    chains: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    above: set[str] = field(default_factory=set[str])
    domains: set[str] = field(default_factory=set[str])
    ranges: set[str] = field(default_factory=set[str])


class RelationTable:
    """Relations by id (``key``); small, for an ontology has hundreds of relations and millions of facts."""

    def __init__(self, fallback: Place) -> None:
        self._fallback = fallback
        self._declared: dict[str, Declaration] = {}
        self._same: dict[str, str] = {}
        self._names: dict[str, str] | None = None
        self._used: set[str] = set()

    def declare(self, key: str, place: Place | None = None) -> Declaration:
        """What is known of a relation, to be added to."""
        declaration = self._declared.setdefault(key, Declaration())
        if place is not None:
            declaration.places.add(place)
        self._names = None
        return declaration

    def also(self, other: str, key: str) -> None:
        """Note that ``other`` is a second id of the relation ``key``; of several keys the first by alphabet counts."""
        self._same[other] = min(key, self._same.get(other, key))
        self._names = None

    def key(self, identifier: str) -> str:
        """The id under which a relation is declared: its own, or the one that it is a second id of."""
        return identifier if identifier in self._declared else self._same.get(identifier, identifier)

    def knows(self, identifier: str) -> bool:
        """Whether the relation is declared."""
        return self.key(identifier) in self._declared

    def name(self, identifier: str) -> str:
        """The name of a relation. Declare every relation before the first name is asked for: names depend on all."""
        return self._name(self.key(identifier))

    def use(self, identifier: str) -> str:
        """The name of a relation that a fact uses."""
        key = self.key(identifier)
        self._used.add(key)
        return self._name(key)

    def _name(self, key: str) -> str:
        if key not in self._declared:
            self.declare(key)
        if self._names is None:
            wanted = {
                key: min(declaration.words, default="") or relation_word(key)
                for key, declaration in self._declared.items()
            }
            count = Counter(wanted.values())
            # Two relations of one name stay two relations: both get their id behind it.
            self._names = {
                key: word if count[word] == 1 or word == key else fit(f"{word} ({key})", MAX_WORD)
                for key, word in wanted.items()
            }
        return self._names[key]

    def records(self, hierarchical: Collection[str]) -> Iterator[Record]:
        """Records of the used relations and of those that their traits name.

        Args:
            hierarchical: names of the relations from child to parent.
        """
        chains, problems = self._chosen_chains()
        wanted = set(self._used)
        while more := {part for key in wanted for part in chains.get(key, ())} - wanted:
            wanted |= more
        inverses, inverse_problems = self._chosen_inverses(wanted)
        wanted |= {inverses[key] for key in wanted if key in inverses}
        parents = {key for key in wanted if self._name(key) in hierarchical}
        for key in sorted(wanted):
            traits, own_problems = self._traits(key, inverses.get(key), chains.get(key), parents)
            declaration = self._declared[key]
            place = min(declaration.places, default=self._fallback)
            yield RelationRecord(
                place=place,
                relation=Relation(
                    name=self._name(key),
                    rel_type="",
                    domain_type=next(iter(declaration.domains)) if len(declaration.domains) == 1 else "",
                    range_type=next(iter(declaration.ranges)) if len(declaration.ranges) == 1 else "",
                    traits=traits,
                ),
            )
            reasons = [*problems.get(key, ()), *inverse_problems.get(key, ()), *own_problems]
            for reason in reasons:
                yield Rejection(place=place, reason=f"relation {self._name(key)!r} {reason}")

    def _chosen_chains(self) -> tuple[dict[str, tuple[str, str]], dict[str, list[str]]]:
        chosen: dict[str, tuple[str, str]] = {}
        problems: dict[str, list[str]] = {}
        for key, declaration in list(self._declared.items()):
            found = sorted({(self.key(first), self.key(second)) for first, second in declaration.chains})
            chains = [chain for chain in found if chain != (key, key)]
            if len(chains) != len(found):
                declaration.transitive = True
            if chains:
                chosen[key] = chains[0]
            problems[key] = [
                f"is composed in several ways; {self._chain(chains[0])} was kept, {self._chain(chain)} was not"
                for chain in chains[1:]
            ]
            for part in (part for chain in chains for part in chain):
                self._name(part)
        return chosen, problems

    def _chain(self, chain: tuple[str, str]) -> str:
        return " then ".join(repr(self._name(part)) for part in chain)

    def _chosen_inverses(self, wanted: Collection[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
        """One inverse each, mutual; pairs that facts use go first, then the alphabet."""
        pairs = {
            (min(key, other), max(key, other))
            for key, declaration in self._declared.items()
            for other in map(self.key, declaration.inverses)
        }
        chosen: dict[str, str] = {}
        problems: dict[str, list[str]] = {}
        for one, other in sorted(pairs, key=lambda pair: (-sum(key in wanted for key in pair), pair)):
            for key in (one, other):
                self._name(key)
            if one == other or self._declared[one].symmetric or self._declared[other].symmetric:
                for key in (one, other):
                    self._declared[key].symmetric = self._declared[key].symmetric or one == other
            elif one in chosen or other in chosen:
                late, early = (one, other) if other in chosen else (other, one)
                problems.setdefault(late, []).append(
                    f"cannot be the inverse of {self._name(early)!r}, whose inverse is {self._name(chosen[early])!r}"
                )
            else:
                chosen[one], chosen[other] = other, one
        return chosen, problems

    def _traits(
        self, key: str, inverse: str | None, chain: tuple[str, str] | None, parents: Collection[str]
    ) -> tuple[Traits, list[str]]:
        own = self._declared[key]
        mirror = self._declared[inverse] if inverse is not None else None
        transitive = own.transitive or (mirror is not None and mirror.transitive)
        functional, inverse_functional = own.functional, own.inverse_functional
        problems: list[str] = []
        if transitive and (functional or inverse_functional):
            functional = inverse_functional = False
            problems.append("is transitive and functional, which contradict each other; it stays transitive")
        hierarchical = key in parents
        if hierarchical and own.symmetric:
            hierarchical = False
            problems.append("is symmetric and cannot lead from child to parent")
        if hierarchical and inverse is not None and inverse in parents and inverse < key:
            hierarchical = False
            problems.append(f"and its inverse {self._name(inverse)!r} cannot both lead from child to parent")
        traits = Traits(
            functional=functional,
            inverse_functional=inverse_functional,
            symmetric=own.symmetric,
            transitive=transitive,
            hierarchical=hierarchical,
            inverse_of=None if inverse is None else self._name(inverse),
            composed_of=() if chain is None else (self._name(chain[0]), self._name(chain[1])),
        )
        return traits, problems
