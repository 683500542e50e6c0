"""The world after an update, as a difference to the indexed world before it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Protocol

from knowledgesmith.graph_schema.reasoning.closure import Derived, Triple
from knowledgesmith.graph_schema.reasoning.world_index import Held, WorldIndex
from knowledgesmith.graph_schema.types.facts import fact_id

Group = tuple[str, str]
"""Subject uid and relation name."""
End = tuple[str, str, bool]
"""Entity, relation, and whether the entity is the object."""


class ClosedWorld(Protocol):
    """What a plan looks up in a closed world."""

    def find(self, triple: Triple) -> Held | None:
        """The fact, where it holds."""
        ...

    def out(self, uid: str) -> list[Held]:
        """Facts of a subject."""
        ...

    def into(self, uid: str) -> list[Held]:
        """Facts of an object."""
        ...

    def objects(self, subject: str, relation: str) -> list[Held]:
        """Facts of a subject and a relation."""
        ...

    def subjects(self, relation: str, obj: str) -> list[Held]:
        """Facts of a relation and an object."""
        ...

    def relations_at(self, uid: str, *, back: bool) -> set[str]:
        """Relations of which an entity may be a subject, or (``back``) an object."""
        ...

    def some_ends(self, uid: str, relation: str, *, back: bool, most: int) -> set[str]:
        """Other ends of an entity's facts of a relation, at most so many; itself left out."""
        ...

    def follows_at(self, uid: str, *, back: bool, most: int, of: Collection[str] | None) -> list[Triple]:
        """Derived facts of a subject, or (``back``) an object; ``most`` of each relation in ``of`` (or all).

        A world after an update may leave out what the world before says as well.
        """
        ...

    def counts_at(self, uid: str, *, back: bool, at_least: int = 0) -> dict[str, int]:
        """How many facts of each relation an entity has; none where it has fewer than ``at_least`` in all."""
        ...

    def derivations(self, triples: Sequence[Triple]) -> list[Derived | None]:
        """The kept proofs of facts that follow, ``None`` for every other."""
        ...

    def ids(self, triples: Sequence[Triple]) -> list[str]:
        """Ids of facts."""
        ...

    def premises(self, triple: Triple) -> list[Triple]:
        """The facts of that proof's last step."""
        ...

    def all_premises(self, triples: Collection[Triple]) -> set[Triple]:
        """The same of many facts."""
        ...


class AfterWorld:
    """The world before with what the update asserts, retracts, and derives anew.

    Args:
        before: the world before.
        asserts: newly asserted facts.
        retracts: facts that are asserted no more.
        groups: whose derived facts were derived anew; ``None`` when all were.
    """

    def __init__(
        self,
        before: WorldIndex,
        *,
        asserts: Collection[Triple],
        retracts: Collection[Triple],
        groups: frozenset[Group] | None = frozenset(),
    ) -> None:
        self._before = before
        self._retracts = frozenset(retracts)
        self.groups = groups
        self.derived: dict[Triple, Derived] = {}
        self._premises: dict[Triple, list[Triple]] = {}
        self._asserts = frozenset(asserts)
        self._out: defaultdict[str, list[Held]] = defaultdict(list)
        self._into: defaultdict[str, list[Held]] = defaultdict(list)
        for triple in sorted(asserts):
            self._out[triple[0]].append(Held(triple, 0))
            self._into[triple[2]].append(Held(triple, 0))

    def derive(self, facts: Iterable[Derived], *, premises: Mapping[Triple, list[Triple]] | None = None) -> None:
        """Add newly derived facts, with the triples of their premises where they are known."""
        for fact in facts:
            triple = fact.triple
            self.derived[triple] = fact
            held = Held(triple, fact.round)
            self._out[triple[0]].append(held)
            self._into[triple[2]].append(held)
        self._premises.update(premises or {})

    def _stays(self, held: Held) -> bool:
        if held.derived:
            return not self._anew(held.triple)
        return held.triple not in self._retracts

    def _anew(self, triple: Triple) -> bool:
        return self.groups is None or triple[:2] in self.groups or triple in self._asserts

    def find(self, triple: Triple) -> Held | None:
        """The fact, where it holds."""
        if triple in self._asserts:
            return Held(triple, 0)
        if triple in self.derived:
            return Held(triple, self.derived[triple].round)
        held = self._before.find(triple)
        return held if held and self._stays(held) else None

    def out(self, uid: str) -> list[Held]:
        """Facts of a subject."""
        return [held for held in self._before.out(uid) if self._stays(held)] + self._out.get(uid, [])

    def into(self, uid: str) -> list[Held]:
        """Facts of an object."""
        return [held for held in self._before.into(uid) if self._stays(held)] + self._into.get(uid, [])

    def objects(self, subject: str, relation: str) -> list[Held]:
        """Facts of a subject and a relation."""
        new = [held for held in self._out.get(subject, []) if held.triple[1] == relation]
        return [held for held in self._before.objects(subject, relation) if self._stays(held)] + new

    def subjects(self, relation: str, obj: str) -> list[Held]:
        """Facts of a relation and an object."""
        new = [held for held in self._into.get(obj, []) if held.triple[1] == relation]
        return [held for held in self._before.subjects(relation, obj) if self._stays(held)] + new

    def relations_at(self, uid: str, *, back: bool) -> set[str]:
        """Relations of which an entity may be a subject, or (``back``) an object."""
        new = (self._into if back else self._out).get(uid, [])
        return self._before.relations_at(uid, back=back) | {held.triple[1] for held in new}

    def some_ends(self, uid: str, relation: str, *, back: bool, most: int) -> set[str]:
        """Other ends of an entity's facts of a relation, at most so many; itself left out."""
        end = 0 if back else 2
        new = (self._into if back else self._out).get(uid, [])
        ends = {held.triple[end] for held in new if held.triple[1] == relation} - {uid}
        if len(ends) < most:  # of a hub's old facts the first few tell enough
            for held in self._before.each_at(uid, relation, back=back):
                if held.triple[end] != uid and self._stays(held):
                    ends.add(held.triple[end])
                    if len(ends) >= most:
                        break
        return set(sorted(ends)[:most])

    def derivations(self, triples: Sequence[Triple]) -> list[Derived | None]:
        """The kept proofs of facts that follow, ``None`` for every other."""
        old = self._before.derivations(triples)
        return [
            self.derived.get(triple) or (None if known is None or self._anew(triple) else known)
            for triple, known in zip(triples, old, strict=True)
        ]

    def ids(self, triples: Sequence[Triple]) -> list[str]:
        """Ids of facts."""
        return self._before.ids(triples)

    def _follows(self, triple: Triple) -> bool:
        held = self.find(triple)
        return held is not None and held.derived

    def premises(self, triple: Triple) -> list[Triple]:
        """The facts of that proof's last step."""
        if triple not in self.derived:
            return self._before.premises(triple) if self._follows(triple) else []
        if triple not in self._premises:
            self._premises[triple] = [self._by_id[premise] for premise in self.derived[triple].premises]
        return self._premises[triple]

    def all_premises(self, triples: Collection[Triple]) -> set[Triple]:
        """The same of many facts."""
        new = {premise for triple in triples if triple in self.derived for premise in self.premises(triple)}
        old = [triple for triple in triples if triple not in self.derived and self._follows(triple)]
        return new | self._before.all_premises(old)

    def rounds(self, triples: Sequence[Triple], before: Sequence[int]) -> list[int]:
        """Rounds of many facts (asserted: 0), negative where one does not hold.

        Args:
            triples: the facts.
            before: their rounds in the world before.
        """
        return [self._round(triple, known) for triple, known in zip(triples, before, strict=True)]

    def _round(self, triple: Triple, before: int) -> int:
        if triple in self._asserts:
            return 0
        if (fact := self.derived.get(triple)) is not None:
            return fact.round
        gone = self._anew(triple) if before > 0 else triple in self._retracts
        return -1 if gone else before

    @cached_property
    def _by_id(self) -> Mapping[str, Triple]:
        """Every fact of this world by its id."""
        graph_id = self._before.graph_id
        asserted = {triple for triple in self._before.asserted() if triple not in self._retracts} | self._asserts
        return {fact_id(graph_id, *triple): triple for triple in asserted} | {
            fact.fact_id: triple for triple, fact in self.derived.items()
        }

    def follows_at(self, uid: str, *, back: bool, most: int, of: Collection[str] | None) -> list[Triple]:
        """Facts of an entity that follow here, where they were derived anew; a few of each of the relations ``of``.

        Those that stay from the world before are named only where the few need them.
        """
        found = (self._into if back else self._out).get(uid, ())
        new = sorted(held.triple for held in found if held.derived)
        if of is None:
            of = self.relations_at(uid, back=back)
        kept = [triple for triple in new if triple[1] not in of]
        for relation in sorted(of):
            few = (triple for triple in new if triple[1] == relation)
            old = self._before.each_at(uid, relation, back=back)
            stay = (held.triple for held in old if held.derived and self._stays(held))
            kept += islice(chain(few, stay), most)
        return kept

    def counts_at(self, uid: str, *, back: bool, at_least: int = 0) -> dict[str, int]:
        """How many facts of each relation a subject has, or (``back``) an object; none where it has fewer in all."""
        fresh, gone, room = self._moved
        old = self._before.counts_at(uid, back=back, at_least=at_least - room[uid, back])
        names = old.keys() | self.relations_at(uid, back=back) if old or room[uid, back] >= at_least else ()
        return {name: old.get(name, 0) + fresh[uid, name, back] - gone[uid, name, back] for name in sorted(names)}

    @cached_property
    def _moved(self) -> tuple[Counter[End], Counter[End], Counter[tuple[str, bool]]]:
        """How many facts an entity has here alone, and in the world before alone; the former of all relations too."""
        lost, gained = self.changes
        fresh = [*gained, *(triple for triple in self._asserts if self._before.find(triple) is None)]
        gone = [*lost, *(triple for triple in self._retracts if self.find(triple) is None)]
        counts: list[Counter[End]] = []
        for triples in (fresh, gone):
            ends = Counter((subject, relation, False) for subject, relation, _ in triples)
            ends.update((obj, relation, True) for _, relation, obj in triples)
            counts.append(ends)
        room: Counter[tuple[str, bool]] = Counter()
        for (uid, _, back), count in counts[0].items():
            room[uid, back] += count
        return counts[0], counts[1], room

    @cached_property
    def changes(self) -> tuple[Mapping[Triple, Derived], Mapping[Triple, Derived]]:
        """Derived facts that only the world before has, and those that only this one has; once all is derived."""
        # a derived fact of an affected group holds no more unless it was found again or is asserted now
        gone = [triple for triple in self._derived_before() if triple not in self._asserts]
        lost = {proof.triple: proof for proof in self._before.derivations(gone) if proof}
        rounds = self._before.rounds(list(self.derived))
        gained = {t: fact for (t, fact), known in zip(self.derived.items(), rounds, strict=True) if known < 0}
        return lost, gained

    def _derived_before(self) -> Iterable[Triple]:
        """Derived facts of the world before that this one derived anew, or may have lost."""
        if self.groups is None:
            return (t for t in self._before.derived() if t not in self.derived)
        return (
            held.triple
            for group in self.groups
            for held in self._before.objects(*group)
            if held.derived and held.triple not in self.derived
        )
