"""What the questions of a plan can see of the closure: only those derived facts are put into its transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, Question
from knowledgesmith.graph_schema.reasoning.after_world import AfterWorld, ClosedWorld
from knowledgesmith.graph_schema.reasoning.closure import AFTER, BEFORE, Triple
from knowledgesmith.graph_schema.reasoning.incremental import Placed
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.types.probes import ProbeKind

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

    def show(self, anchors: Collection[str], *, steps: Collection[str] = ()) -> None:
        """Everything that follows about the anchors, hubs aside; those are noted as ``crowded``.

        Args:
            anchors: entities to ask about.
            steps: entities inside a chain, about which it is enough to tell whether a step has one answer, and which.
        """
        found: list[Triple] = []
        for uid in sorted(anchors):
            crowds = set(self._crowds(uid))
            self.crowded |= crowds
            for back in (False, True):
                found += self._follows_at(uid, back=back, few_of={name for _, name, side in crowds if side is back})
        for uid in sorted(set(steps) - set(anchors)):
            for back in (False, True):
                found += self._follows_at(uid, back=back, few_of=None)
        self._put(found)

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
        fresh = dict.fromkeys(triple for triple in triples if triple not in self.placed.facts)
        # what differs between the worlds has both ends among the touched
        moved = [triple for triple in fresh if triple[0] in self.touched and triple[2] in self.touched]
        rounds = self.before.rounds(moved)
        later = self.after.rounds(moved, rounds)
        worlds: dict[Triple, int | None] = dict.fromkeys(fresh)
        worlds |= {triple: _world_of(*pair) for triple, *pair in zip(moved, rounds, later, strict=True)}
        self.placed.show(worlds)

    def _world(self, world: int) -> ClosedWorld:
        return self.before if world == BEFORE else self.after

    def _worlds(self, uid: str) -> tuple[ClosedWorld, ...]:
        return (self.before, self.after) if uid in self.touched else (self.before,)

    def _crowds(self, uid: str) -> Iterator[Crowd]:
        """Questions about an entity that have too many right answers in one of the worlds."""
        for world in self._worlds(uid):
            for back in (False, True):
                counts = world.counts_at(uid, back=back, at_least=MAX_ANSWERS + 1)
                yield from ((uid, name, back) for name, count in counts.items() if count > MAX_ANSWERS)

    def _follows_at(self, uid: str, *, back: bool, few_of: Collection[str] | None) -> Iterator[Triple]:
        """Derived facts of an entity; a few of each of certain relations (``None``: of all)."""
        for world in self._worlds(uid):
            yield from world.follows_at(uid, back=back, most=_ENOUGH, of=few_of)

    def _follows(self, triple: Triple) -> bool:
        return any(held and held.derived for held in (self.before.find(triple), self.after.find(triple)))


def _world_of(before: int, after: int) -> int | None:
    """The world in which a fact follows by its rounds, ``None`` for both."""
    return None if before > 0 and after > 0 else BEFORE if before > 0 else AFTER


def touched_ends(triples: Iterable[Triple]) -> frozenset[str]:
    """Subjects and objects."""
    known = list(triples)
    return frozenset({subject for subject, _, _ in known} | {obj for _, _, obj in known})
