"""What given facts rest on in a closed world: every way in which they follow, and what else rests on the same facts.

All proofs of a fact of a transitive relation would be as many as there are ways to split its chains. Of a chain only
the first link is split off here, where a link is a fact that follows in another way than by the chain itself: a chain
that comes by an entity twice has a shorter one inside, so the smallest sets of asserted facts at the bottom of the
proofs are the same, and so is what must go to break them all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.reasoning.after_world import ClosedWorld
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.reasoning.derivations import Derivations, Step
from knowledgesmith.graph_schema.reasoning.incremental import NamedRules
from knowledgesmith.graph_schema.types.facts import fact_id

MAX_STEPS: Final = 300_000
"""Most derivation steps behind the facts of one request that must no longer follow."""

_Chain = tuple[str, str, str]
"""First premise, second premise, rule."""


def read_derivations(world: ClosedWorld, *, graph_id: str, rules: NamedRules, targets: Iterable[Triple]) -> Derivations:
    """The hypergraph behind given facts, of proofs of any height.

    Args:
        world: the closed world.
        graph_id: the graph.
        rules: the rules that the world was closed with.
        targets: facts to explain; those that do not hold have no steps.

    Raises:
        TooLarge: more than :data:`MAX_STEPS` steps lie behind them.
    """
    reader = _Reader(world=world, rules=rules)
    steps: set[Step] = set()
    asserted: set[str] = set()
    triples = {fact_id(graph_id, *triple): triple for triple in targets}
    todo = sorted(triples.items())
    while todo:
        head, triple = todo.pop()
        held = world.find(triple)
        if held is None:
            continue
        if not held.derived:
            asserted.add(head)
        for rule, premises in reader.steps(triple):
            names = {fact_id(graph_id, *premise): premise for premise in premises}
            steps.add(Step(head=head, rule=rule, premises=tuple(names)))
            todo += [(name, premise) for name, premise in names.items() if name not in triples]
            triples |= names
        if len(steps) > MAX_STEPS:
            raise TooLarge(
                f"what must no longer follow follows in more than {MAX_STEPS:,} steps",
                field="changes",
                value=" ".join(triple),
                hint="Change the asserted facts that it follows from, or fewer facts at once.",
            )
    return Derivations(steps=tuple(sorted(steps)), asserted=frozenset(asserted), triples=dict(sorted(triples.items())))


def weights_of(
    world: ClosedWorld, *, rules: NamedRules, facts: Mapping[str, Triple], targets: Collection[Triple]
) -> dict[str, int]:
    """Weight of every given fact: 1 + the derivation steps of other facts than the targets that rest on it.

    Steps are counted whether or not another proof of their head was found first.
    """
    reader = _Reader(world=world, rules=rules)
    own: dict[Triple, int] = {}
    for target in targets:
        for _, premises in reader.every_step(target):
            for premise in premises:
                own[premise] = own.get(premise, 0) + 1
    return {name: 1 + reader.load(fact) - own.get(fact, 0) for name, fact in sorted(facts.items())}


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Turns the rules round: from a conclusion to its premises, as far as they hold."""

    world: ClosedWorld
    rules: NamedRules
    links: dict[Triple, bool] = field(default_factory=dict[Triple, bool])
    counts: dict[tuple[str, str, bool], int] = field(default_factory=dict[tuple[str, str, bool], int])

    def every_step(self, fact: Triple) -> Iterator[tuple[str, tuple[Triple, ...]]]:
        """Rule and premises of every step to a fact that holds."""
        if fact[0] != fact[2]:
            yield from self._single(fact)
            for way in self.rules.chains_to.get(fact[1], ()):
                yield from self._chained(fact, way)

    def steps(self, fact: Triple) -> Iterator[tuple[str, tuple[Triple, ...]]]:
        """The same, but of chains of a transitive relation only those that split off their first link."""
        if fact[0] == fact[2]:
            return
        yield from self._single(fact)
        for way in self.rules.chains_to.get(fact[1], ()):
            own = way[:2] == (fact[1], fact[1])
            yield from (step for step in self._chained(fact, way) if not own or self.is_link(step[1][0]))

    def is_link(self, fact: Triple) -> bool:
        """Whether a fact, or one that says the same or more, is asserted or follows by anything but its own chain."""
        if fact not in self.links:
            self.links[fact] = self._is_link(fact)
        return self.links[fact]

    def _is_link(self, fact: Triple) -> bool:
        seen, todo = {fact}, [fact]
        while todo:
            current = todo.pop()
            held = self.world.find(current)
            if held is None:
                continue
            relation = current[1]
            ways = (way for way in self.rules.chains_to.get(relation, ()) if way[:2] != (relation, relation))
            if not held.derived or any(True for way in ways for _ in self._chained(current, way)):
                return True
            fresh = [premise for _, (premise,) in self._single(current) if premise not in seen]
            seen.update(fresh)
            todo += fresh
        return False

    def _single(self, fact: Triple) -> Iterator[tuple[str, tuple[Triple]]]:
        subject, relation, obj = fact
        premises = [((obj, name, subject), rule) for name, rule in self.rules.swaps_to.get(relation, ())]
        premises += [((subject, name, obj), rule) for name, rule in self.rules.lifts_to.get(relation, ())]
        for premise, rule in premises:
            if self.world.find(premise) is not None:
                yield rule, (premise,)

    def _chained(self, fact: Triple, way: _Chain) -> Iterator[tuple[str, tuple[Triple, Triple]]]:
        subject, _, obj = fact
        first, second, rule = way
        for held in self.world.objects(subject, first):
            middle = held.triple[2]
            other = (middle, second, obj)
            if middle not in (subject, obj) and self.world.find(other) is not None:
                yield rule, (held.triple, other)

    def load(self, fact: Triple) -> int:
        """How many derivation steps of the world have the fact as a premise."""
        subject, relation, obj = fact
        if subject == obj:
            return 0
        found = len(self.rules.swaps.get(relation, ())) + len(self.rules.lifts.get(relation, ()))
        for ways in self.rules.chains_to.values():
            for first, second, _ in ways:
                found += self._others(obj, second, {subject, obj}, back=False) if first == relation else 0
                found += self._others(subject, first, {subject, obj}, back=True) if second == relation else 0
        return found

    def _others(self, uid: str, relation: str, but: Collection[str], *, back: bool) -> int:
        """How many facts of a relation an entity has, those with some other ends left out."""
        key = (uid, relation, back)
        if key not in self.counts:
            found = self.world.subjects(relation, uid) if back else self.world.objects(uid, relation)
            self.counts[key] = len(found)
        ends = ((other, relation, uid) if back else (uid, relation, other) for other in but)
        return self.counts[key] - sum(self.world.find(end) is not None for end in ends)
