"""What the questions of a plan can see of the closure: only those derived facts are put into its transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.after_world import AfterWorld, ClosedWorld
from knowledgesmith.graph_schema.closure import AFTER, BEFORE, Triple
from knowledgesmith.graph_schema.probes.questions import BACKWARD, Question
from knowledgesmith.graph_schema.probes.types import ProbeKind
from knowledgesmith.graph_schema.region import Placed
from knowledgesmith.graph_schema.world_index import WorldIndex

MAX_ANSWERS: Final = 256
"""A question with more right answers is not asked: it tells nothing, and of a hub it may have a whole graph of them."""
_ENOUGH: Final = 2
"""So many facts show that a step has more than one answer."""

Crowd = tuple[str, str, bool]
"""Anchor, relation, and whether it is read from object to subject."""


@dataclass(slots=True, kw_only=True)
class Sight:
    """Places derived facts of both worlds as the questions need them.

    ``touched`` are the ends of all facts that only one world has: around any other entity the worlds are the same.
    """

    placed: Placed
    before: WorldIndex
    after: AfterWorld
    touched: frozenset[str]
    crowded: set[Crowd] = field(default_factory=set[Crowd])
    _nodes: set[str] = field(default_factory=set[str])

    def show(self, anchors: Iterable[str]) -> None:
        """Everything that follows about the anchors, hubs aside; those are noted as ``crowded``."""
        fresh = sorted(set(anchors) - self._nodes)
        self._nodes.update(fresh)
        self._put(triple for uid in fresh for triple in self._around(uid, whole=True))

    def show_steps(self, nodes: Iterable[str]) -> None:
        """Enough about entities inside a chain to tell whether a step has one answer, and which."""
        fresh = sorted(set(nodes) - self._nodes)
        self._put(triple for uid in fresh for triple in self._around(uid, whole=False))

    def show_facts(self, triples: Iterable[Triple]) -> None:
        """Given facts, where they follow."""
        self._put(triple for triple in triples if self._follows(triple))

    def show_chains(self, world: int, chains: Iterable[tuple[str, Sequence[str]]]) -> None:
        """Everything that follows along given paths (relation names, ``~`` backward) in one world."""
        view = self._world(world)
        found: set[Triple] = set()
        for anchor, path in chains:
            nodes = {anchor}
            for step in path:
                name = step.removeprefix(BACKWARD)
                back = step.startswith(BACKWARD)
                facts = [h for n in nodes for h in (view.subjects(name, n) if back else view.objects(n, name))]
                found.update(held.triple for held in facts if held.derived)
                nodes = {held.triple[0] if back else held.triple[2] for held in facts}
        self._put(sorted(found))

    def onward(self, uid: str, *, forward: Collection[str], backward: Collection[str]) -> set[str]:
        """Where a step with one answer leads from an entity, in either world."""
        found: set[str] = set()
        for world in self._worlds(uid):
            for back, wanted in ((False, forward), (True, backward)):
                for relation in world.relations_at(uid, back=back) & set(wanted):
                    ends = world.some_ends(uid, relation, back=back, most=_ENOUGH)
                    found |= ends if len(ends) == 1 else set()
        return found

    def asked(self, questions: Iterable[Question]) -> list[Question]:
        """The questions without those of more than ``MAX_ANSWERS`` right answers."""
        return [
            question
            for question in questions
            if question.kind in {ProbeKind.MULTI_HOP, ProbeKind.CONFLICT}
            or (question.anchor, question.relation, question.reverse) not in self.crowded
        ]

    def _put(self, triples: Iterable[Triple]) -> None:
        fresh = list({triple: None for triple in triples if triple not in self.placed.facts})
        rounds = self.before.rounds(fresh)
        later = self.after.rounds(fresh, rounds)
        self.placed.put(map(_row, fresh, rounds, later), named=False)

    def _world(self, world: int) -> ClosedWorld:
        return self.before if world == BEFORE else self.after

    def _worlds(self, uid: str) -> tuple[ClosedWorld, ...]:
        return (self.before, self.after) if uid in self.touched else (self.before,)

    def _around(self, uid: str, *, whole: bool) -> list[Triple]:
        """Derived facts of an entity; of crowds, and where not the ``whole`` is needed, a few of each relation."""
        if uid not in self.touched:
            crowd = {(uid, *group) for group in self.before.crowd(uid, more_than=MAX_ANSWERS)} if whole else set()
            self.crowded |= crowd
            out, into = self.before.follows_around(uid)
            return [*_few(uid, out, crowd, back=False, whole=whole), *_few(uid, into, crowd, back=True, whole=whole)]
        found: set[Triple] = set()
        for world in (self.before, self.after):
            for back, facts in ((False, world.out(uid)), (True, world.into(uid))):
                counts = Counter(held.triple[1] for held in facts)
                crowd = {(uid, name, back) for name, count in counts.items() if count > MAX_ANSWERS and whole}
                self.crowded |= crowd
                derived = sorted(held.triple for held in facts if held.derived)
                found.update(_few(uid, derived, crowd, back=back, whole=whole))
        return sorted(found)

    def _follows(self, triple: Triple) -> bool:
        return any(held and held.derived for held in (self.before.find(triple), self.after.find(triple)))


def _row(triple: Triple, before: int, after: int) -> tuple[Triple, int, int | None]:
    """A fact with its round and the world in which it follows, ``None`` for both."""
    world = None if before > 0 and after > 0 else BEFORE if before > 0 else AFTER
    return (triple, max(before, after), world)


def _few(uid: str, triples: list[Triple], crowd: set[Crowd], *, back: bool, whole: bool) -> list[Triple]:
    """All of the sorted facts, of crowded relations only a few; a few of each where not the ``whole`` is needed."""
    if whole and not crowd:
        return triples
    kept: list[Triple] = []
    counts: Counter[str] = Counter()
    for triple in triples:
        counts[triple[1]] += 1
        if counts[triple[1]] <= _ENOUGH or (whole and (uid, triple[1], back) not in crowd):
            kept.append(triple)
    return kept


def touched_ends(triples: Iterable[Triple]) -> frozenset[str]:
    """Subjects and objects."""
    return frozenset(uid for subject, _, obj in triples for uid in (subject, obj))
