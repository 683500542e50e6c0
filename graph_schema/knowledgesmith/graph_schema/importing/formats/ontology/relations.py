"""The relations that an ontology declares: names for their ids, and traits that do not contradict each other.

Importers note what they read, in any order and from any file; ``records`` then tells one consistent story of the
relations that facts used, with what the notation promises to follow: subrelations, chains, and that what is said of
every member of a class holds for the classes below it (``X is_a Y, Y part_of Z`` gives ``X part_of Z``) and for wider
objects (``X part_of Y, Y is_a Z``). What cannot be kept (a second inverse, a functional transitive relation) is a
``Rejection``; which of two claims is kept depends on the ids alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from knowledgesmith.graph_schema.importing.formats.ontology.entities import IS_A
from knowledgesmith.graph_schema.importing.formats.ontology.names import fit, relation_word
from knowledgesmith.graph_schema.importing.reading.records import (
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_WORD
from knowledgesmith.graph_schema.types.facts import Relation, Traits


@dataclass(slots=True, kw_only=True)
class Declaration:
    """What the files say of one relation. ``words`` are candidates for its name; ``places`` where it was declared.

    ``chains`` compose it; ``implied`` ones do where facts use both parts. ``above`` are relations that hold wherever it
    does. ``quantified``: a fact of it says something of every member of a class and of some member of another.
    """

    words: set[str] = field(default_factory=set[str])
    places: set[Place] = field(default_factory=set[Place])
    symmetric: bool = False
    transitive: bool = False
    functional: bool = False
    inverse_functional: bool = False
    inverses: set[str] = field(default_factory=set[str])
    chains: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    implied: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    above: set[str] = field(default_factory=set[str])
    quantified: bool = False
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

    def use(self, identifier: str, *, quantified: bool = False) -> str:
        """The name of a relation that a fact uses; ``quantified`` as in ``Declaration``."""
        key = self.key(identifier)
        self._used.add(key)
        if quantified:
            self._declared[key].quantified = True
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

    def records(self, hierarchical: Collection[str], *, inherited: bool = True) -> Iterator[Record]:
        """Records of the used relations and of those that their traits name.

        Args:
            hierarchical: names of the relations from child to parent.
            inherited: facts of classes hold for the classes below, and their objects' wider classes count too.
        """
        chains = self._all_chains()
        wanted = set(self._used)
        while more := {part for key in wanted for chain in chains.get(key, ()) for part in chain} - wanted:
            wanted |= more
        inverses, inverse_problems = self._chosen_inverses(wanted)
        quantified = self._quantified() if inherited else set[str]()
        yield from self._without_inverse(inverses, quantified)
        wanted |= {inverses[key] for key in wanted if key in inverses}
        parents = {key for key in wanted if self._name(key) in hierarchical}
        for key in sorted(wanted):
            own_chains = [*chains.get(key, ()), *self._implied(key, quantified)]
            traits, own_problems = self._traits(key, inverses.get(key), own_chains, self._above(key, wanted), parents)
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
            for reason in [*inverse_problems.get(key, ()), *own_problems]:
                yield Rejection(place=place, reason=f"relation {self._name(key)!r} {reason}")

    def _all_chains(self) -> dict[str, list[tuple[str, str]]]:
        """The chains of which relations are composed; one of the relation with itself says that it is transitive."""
        chosen: dict[str, list[tuple[str, str]]] = {}
        for key, declaration in list(self._declared.items()):
            found = sorted({(self.key(first), self.key(second)) for first, second in declaration.chains})
            if (key, key) in found:
                found.remove((key, key))
                declaration.transitive = True
            if found:
                chosen[key] = found
            for part in (part for chain in found for part in chain):
                self._name(part)
        return chosen

    def _quantified(self) -> set[str]:
        """Relations whose facts say "every one of these has some of those", where there are wider classes.

        Not the symmetric ones: from the other end nothing is promised of every one, so the two would not agree. Not the
        functional ones, for an object's wider classes would be further objects.
        """
        if IS_A not in self._used:
            return set()
        return {
            key
            for key in self._used
            if (own := self._declared[key]).quantified
            and not (own.symmetric or own.functional or own.inverse_functional)
        }

    def _implied(self, key: str, quantified: Collection[str]) -> list[tuple[str, str]]:
        implied = [chain for chain in sorted(self._declared[key].implied) if self._used.issuperset(chain)]
        return [*implied, (IS_A, key), (key, IS_A)] if key in quantified else implied

    def _without_inverse(self, inverses: dict[str, str], quantified: Collection[str]) -> Iterator[Record]:
        """Forget inverses where both sides have facts about every member of a class: neither follows from the other."""
        for key in sorted(set(inverses) & set(quantified)):
            other = inverses.get(key)
            if other is not None and other in quantified and key < other:
                del inverses[key], inverses[other]
                text = (
                    f"{self._name(key)!r} and {self._name(other)!r} are inverses of things, but both are stated of "
                    "whole classes, where neither follows from the other; no fact was turned round"
                )
                place = min(self._declared[key].places, default=self._fallback)
                yield Finding(place=place, kind=FindingKind.NOTE, text=text)

    def _above(self, key: str, wanted: Collection[str]) -> list[str]:
        """The relations above this one, whatever unused ones stand between."""
        seen, todo = {key}, [key]
        while todo:
            declared = self._declared.get(todo.pop())
            more = {self.key(other) for other in declared.above} - seen if declared else set[str]()
            seen |= more
            todo += more
        return sorted((seen - {key}) & set(wanted))

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
        self,
        key: str,
        inverse: str | None,
        chains: Sequence[tuple[str, str]],
        above: Sequence[str],
        parents: Collection[str],
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
        named = [(self._name(first), self._name(second)) for first, second in chains]
        traits = Traits(
            functional=functional,
            inverse_functional=inverse_functional,
            symmetric=own.symmetric,
            transitive=transitive,
            hierarchical=hierarchical,
            inverse_of=None if inverse is None else self._name(inverse),
            composed_of=named[0] if named else (),
            compositions=tuple(named[1:]),
            sub_of=tuple(map(self._name, above)),
        )
        return traits, problems
