"""The world after an update without a second closure: only what the changed facts can reach is derived anew.

A derived fact differs between the worlds only where one of its derivations does. Following the rules from the changed
facts gives the groups (subject, relation) whose facts may differ; these are derived again in the transaction, against
the unchanged facts next to them, which are put back from the index. Every other fact holds in both worlds as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.reasoning.after_world import AfterWorld, Group
from knowledgesmith.graph_schema.reasoning.closure import AFTER, Derived, Rules, Triple
from knowledgesmith.graph_schema.reasoning.placing import Placement, place
from knowledgesmith.graph_schema.reasoning.world_index import Held, WorldIndex
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.facts import fact_id

_FEWEST: Final = 128
_SHARE: Final = 32
"""A region of more than one group in so many is not worth the bookkeeping: then the whole graph is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRules:
    """The rules by relation name: where a relation is a premise, and where it is the conclusion."""

    swaps: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Premise to (head, rule), its ends exchanged."""
    lifts: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Premise to (head, rule), with the same ends."""
    firsts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """First premise to heads."""
    seconds: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Second premise to (first premise, head)."""
    chains_to: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict[str, list[tuple[str, str, str]]])
    """Head to (first, second, rule)."""
    swaps_to: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Head to (premise, rule)."""
    lifts_to: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Head to (premise, rule), with the same ends."""

    @classmethod
    def of(cls, rules: Rules) -> NamedRules:
        """The same rules with names instead of relationship types."""
        made = cls()
        for premise, pairs in rules.swap_names.items():
            for head, rule in pairs:
                made.swaps.setdefault(premise, []).append((head, rule))
                made.swaps_to.setdefault(head, []).append((premise, rule))
        for premise, pairs in rules.lift_names.items():
            for head, rule in pairs:
                made.lifts.setdefault(premise, []).append((head, rule))
                made.lifts_to.setdefault(head, []).append((premise, rule))
        for first_type, rows in rules.seconds.items():
            first = rules.names[first_type]
            for second_type, head_type, rule in rows:
                second, head = rules.names[second_type], rules.names[head_type]
                made.firsts.setdefault(first, []).append(head)
                made.seconds.setdefault(second, []).append((first, head))
                made.chains_to.setdefault(head, []).append((first, second, rule))
        return made

    def concludes(self, relation: str) -> bool:
        """Whether facts of the relation can follow."""
        return relation in self.chains_to or relation in self.swaps_to or relation in self.lifts_to


def affected_groups(
    before: WorldIndex, rules: NamedRules, changed: Iterable[Triple], *, limit: int | None = None
) -> frozenset[Group] | None:
    """Groups whose derived facts may differ after a change; ``None`` where there are more than the limit.

    Args:
        before: the world before.
        rules: the rules.
        changed: facts that are asserted or retracted, and derived facts that are known to be new.
        limit: most groups worth deriving one by one; by default one in 32 of all that have derived facts.
    """
    if limit is None:
        limit = max(_FEWEST, before.groups_count // _SHARE)
    facts = sorted(set(changed))
    found: set[Group] = {(s, r) for s, r, _ in facts if rules.concludes(r)}
    for s, r, o in facts:
        found.update((o, head) for head, _ in rules.swaps.get(r, ()))
        found.update(_conclusions(before, rules, (s, r)))
    todo = sorted(found)
    while todo:
        if len(found) > limit:
            return None
        group = todo.pop()
        fresh = {*_conclusions(before, rules, group), *_swapped(before, rules, group)} - found
        found |= fresh
        todo += sorted(fresh)
    return frozenset(found)


def _conclusions(before: WorldIndex, rules: NamedRules, group: Group) -> Iterator[Group]:
    """Groups that facts of this group lead to in a chain, or as a subrelation."""
    subject, relation = group
    yield from ((subject, head) for head, _ in rules.lifts.get(relation, ()))
    yield from ((subject, head) for head in rules.firsts.get(relation, ()))
    for first, head in rules.seconds.get(relation, ()):
        yield from ((held.triple[0], head) for held in before.subjects(first, subject))


def _swapped(before: WorldIndex, rules: NamedRules, group: Group) -> Iterator[Group]:
    for head, _ in rules.swaps.get(group[1], ()):
        yield from ((held.triple[2], head) for held in before.objects(*group))


@dataclass(slots=True, kw_only=True)
class Placed:
    """Derived facts that a transaction holds, so that its queries see them."""

    tx: Transaction
    before: WorldIndex
    facts: set[Triple] = field(default_factory=set[Triple])
    rounds: set[int] = field(default_factory=set[int])

    def put(self, facts: Iterable[tuple[Triple, int, int | None]]) -> None:
        """Put facts there that are not there yet, as premises: triple, round, and the world (``None``: both)."""
        graph_id = self.before.graph_id
        fresh = {triple: (depth, world) for triple, depth, world in facts if triple not in self.facts}
        self._place(Placement(triple, fact_id(graph_id, *triple), *where) for triple, where in fresh.items())
        self.rounds.update(depth for depth, _ in fresh.values())
        self.facts.update(fresh)

    def show(self, facts: Mapping[Triple, int | None]) -> None:
        """Put facts there for questions: by triple the world (``None``: both); none that is there yet."""
        self._place(Placement(triple, world=world) for triple, world in facts.items())
        self.facts.update(facts)

    def _place(self, facts: Iterable[Placement]) -> None:
        place(self.tx, graph_id=self.before.graph_id, types=self.before.rules.types, facts=facts)

    def clear(self) -> None:
        """Remove them all."""
        subjects = sorted({triple[0] for triple in self.facts})
        if subjects:
            self.tx.rows("reasoning/unplace", graph_id=self.before.graph_id, subjects=subjects)
        self.facts.clear()
        self.rounds.clear()


def close_region(
    placed: Placed,
    *,
    rules: NamedRules,
    asserts: Collection[Triple],
    retracts: Collection[Triple],
    groups: frozenset[Group],
) -> AfterWorld | None:
    """Derive the affected groups in the world after the update, which the transaction must hold already.

    Args:
        placed: the transaction's derived facts.
        rules: the rules.
        asserts: newly asserted facts.
        retracts: facts that are asserted no more.
        groups: from :func:`affected_groups`; it grows where new facts reach further.

    Returns:
        The world after, or ``None`` where the region became too large.
    """
    before = placed.before
    changed = {*asserts, *retracts}
    while True:
        after = AfterWorld(before, asserts=asserts, retracts=retracts, groups=groups)
        fresh: list[tuple[Derived, list[Triple]]] = []
        depth = 0
        while groups and (fresh or depth <= max(placed.rounds, default=0)):
            new = ((fact.triple, fact.round, _world_of(before, fact.triple)) for fact, _ in fresh)
            placed.put([*new, *_premises(after, rules, groups)])
            # without a fact of this round nothing can follow in the next
            fresh = _derive(placed, rules, groups, depth) if not depth or depth in placed.rounds else []
            after.derive((fact for fact, _ in fresh), premises={fact.triple: premises for fact, premises in fresh})
            depth += 1
        reached = {
            (fact.triple[2], head)
            for fact in after.derived.values()
            if before.find(fact.triple) is None
            for head, _ in rules.swaps.get(fact.triple[1], ())
        }
        if reached <= groups:
            return after
        changed |= {triple for triple in after.derived if before.find(triple) is None}
        grown = affected_groups(before, rules, changed)
        placed.clear()
        if grown is None:
            return None
        groups = grown | groups


def _premises(
    after: AfterWorld, rules: NamedRules, groups: frozenset[Group]
) -> Iterator[tuple[Triple, int, int | None]]:
    """Unchanged derived facts that the affected groups may follow from."""
    wanted: dict[Triple, int] = {}

    def want(facts: Iterable[Held]) -> None:
        for held in facts:
            if held.derived and held.triple[:2] not in groups:
                wanted[held.triple] = held.round

    seen: set[tuple[str, str]] = set()
    for subject, relation in groups:
        for first, second, _ in rules.chains_to.get(relation, ()):
            for held in after.objects(subject, first):
                if (held.triple[2], second) not in seen:
                    seen.add((held.triple[2], second))
                    want(after.objects(held.triple[2], second))
            want(after.objects(subject, first))
        for premise, _ in rules.swaps_to.get(relation, ()):
            want(after.subjects(premise, subject))
        for premise, _ in rules.lifts_to.get(relation, ()):
            want(after.objects(subject, premise))
    return ((triple, depth, None) for triple, depth in wanted.items())


def _derive(
    placed: Placed, rules: NamedRules, groups: frozenset[Group], depth: int
) -> list[tuple[Derived, list[Triple]]]:
    """One round for the affected groups."""
    before = placed.before
    types, names = before.rules.types, before.rules.names
    chains: dict[str, list[list[str]]] = {}
    swaps: dict[str, list[list[str]]] = {}
    lifts: dict[str, list[list[str]]] = {}
    for subject, head in sorted(groups):
        for first, second, rule in rules.chains_to.get(head, ()):
            chains.setdefault(subject, []).append([types[first], types[second], types[head], rule])
        for premise, rule in rules.swaps_to.get(head, ()):
            swaps.setdefault(subject, []).append([types[premise], types[head], rule])
        for premise, rule in rules.lifts_to.get(head, ()):
            lifts.setdefault(subject, []).append([types[premise], types[head], rule])
    rows = placed.tx.rows(
        "reasoning/derive",
        graph_id=before.graph_id,
        world=AFTER,
        round=depth,
        chains=[[subject, found] for subject, found in chains.items()],
        swaps=[[subject, found] for subject, found in swaps.items()],
        lifts=[[subject, found] for subject, found in lifts.items()],
    )
    proofs: dict[Triple, tuple[str, tuple[str, ...]]] = {}
    for row in rows:
        for head, obj, rule, found in row["facts"]:
            triple = (row["subject"], names[head], obj)
            proof = (rule, tuple(found))
            proofs[triple] = min(proof, proofs.get(triple, proof))
    fresh: list[tuple[Derived, list[Triple]]] = []
    for triple, (rule, found) in sorted(proofs.items()):
        ids, premises = _read_proof(triple, found, names)
        name = fact_id(before.graph_id, *triple)
        fresh.append((Derived(fact_id=name, triple=triple, rule=rule, premises=ids, round=depth + 1), premises))
    return fresh


def _read_proof(triple: Triple, proof: Sequence[str], names: Mapping[str, str]) -> tuple[tuple[str, ...], list[Triple]]:
    """Ids and triples of the premises, from a row of the query."""
    subject, _, obj = triple
    if len(proof) == 2:
        return (proof[0],), [(obj, names[proof[1]], subject)]
    if len(proof) == 3:
        return (proof[0],), [(subject, names[proof[1]], obj)]
    first, second, first_type, middle, second_type = proof
    return (first, second), [(subject, names[first_type], middle), (middle, names[second_type], obj)]


def _world_of(before: WorldIndex, triple: Triple) -> int | None:
    """Only the world after has it, unless it follows in the world before as well."""
    held = before.find(triple)
    return None if held and held.derived else AFTER
