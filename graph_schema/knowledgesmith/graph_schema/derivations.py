"""All ways in which facts follow: the AND/OR derivation hypergraph of given facts, read from a closed world.

The closure keeps one proof of a fact; to make a fact no longer follow, every proof must be known. A node is a fact
(known by its fact id), a hyperedge is a :class:`Step` (one rule applied to one or two premises). A fact may be asserted
and have steps as well: it then still follows when it is retracted. The hypergraph may have cycles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.closure import AFTER, MAX_ROUNDS, Rules, Triple
from knowledgesmith.graph_schema.facts import fact_id
from knowledgesmith.graph_schema.store import Transaction

_BATCH: Final = 2_000
"""Entities or pairs a query; a hub may have thousands of facts."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Step:
    """One rule applied to one or two premises; all members but the rule's name are fact ids."""

    head: str
    rule: str
    premises: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofTree:
    """One proof: ``steps`` in an order in which every premise comes before its conclusion, one step a fact.

    ``leaves`` are the asserted facts at its bottom, sorted; of a fact that is itself asserted, the fact alone.
    """

    conclusion: str
    steps: tuple[Step, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A hypergraph as arrays of positions in ``facts``: heads ``(steps,)``, premises ``(steps, width)``."""

    facts: Sequence[str]
    index: Mapping[str, int]
    heads: NDArray[np.int32]
    premises: NDArray[np.int32]
    asserted: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Derivations:
    """The hypergraph: sorted steps, which of the facts are asserted, and the triple behind every fact id."""

    steps: tuple[Step, ...]
    asserted: frozenset[str]
    triples: Mapping[str, Triple] = field(default_factory=dict[str, Triple])

    @cached_property
    def by_head(self) -> Mapping[str, tuple[Step, ...]]:
        """Steps that conclude a fact."""
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.head, []).append(step)
        return {head: tuple(steps) for head, steps in found.items()}

    @cached_property
    def _table(self) -> _Table:
        facts = sorted({*self.asserted, *(fact for step in self.steps for fact in (step.head, *step.premises))})
        index = {fact: n for n, fact in enumerate(facts)}
        width = max((len(step.premises) for step in self.steps), default=1)
        padded = ((*step.premises, *step.premises[-1:] * (width - len(step.premises))) for step in self.steps)
        return _Table(
            facts=facts,
            index=index,
            heads=np.array([index[step.head] for step in self.steps], dtype=np.int32),
            premises=np.array([[index[fact] for fact in row] for row in padded], dtype=np.int32).reshape(-1, width),
            asserted=np.array([index[fact] for fact in sorted(self.asserted)], dtype=np.int32),
        )

    def _levels(self, without: Collection[str], limit: int) -> NDArray[np.int8]:
        """Height of the lowest proof by the table's index, or one more than ``limit``. Shape ``(facts,)``."""
        table = self._table
        levels = np.full(len(table.facts), limit + 1, dtype=np.int8)
        levels[table.asserted] = 0
        levels[[table.index[fact] for fact in without if fact in table.index]] = limit + 1
        for height in range(1, limit + 1):
            holds = (levels[table.premises] < height).all(axis=1)
            heads = table.heads[holds]
            fresh = heads[levels[heads] > height]
            if not len(fresh):
                break
            levels[fresh] = height
        return levels

    def heights(self, *, without: Collection[str] = (), limit: int = MAX_ROUNDS) -> dict[str, int]:
        """Height of the lowest proof of every fact that has one of at most ``limit`` (asserted facts: 0).

        Args:
            without: asserted facts that are taken away.
            limit: highest proof that counts.
        """
        levels = self._levels(without, limit)
        pairs = zip(self._table.facts, levels.tolist(), strict=True)
        return {fact: level for fact, level in pairs if level <= limit}

    def following(self, targets: Iterable[str], *, without: Collection[str] = (), limit: int = MAX_ROUNDS) -> list[str]:
        """The targets that have a proof of at most ``limit``; as :meth:`heights`, but faster."""
        levels, index = self._levels(without, limit), self._table.index
        return [target for target in targets if target in index and levels[index[target]] <= limit]

    def proof(self, fact: str, heights: Mapping[str, int]) -> ProofTree:
        """A lowest proof of a fact (ties: smallest rule and premises).

        Args:
            fact: what is proven; it must be in ``heights``.
            heights: from :meth:`heights`, for the same facts taken away.
        """
        steps: dict[str, Step | None] = {}
        todo = [fact]
        while todo:
            current = todo.pop()
            if current in steps:
                continue
            chosen = self._lowest(current, heights)
            steps[current] = chosen
            todo += chosen.premises if chosen else ()
        inner = sorted((step for step in steps.values() if step), key=lambda step: (heights[step.head], step))
        return ProofTree(
            conclusion=fact, steps=tuple(inner), leaves=tuple(sorted(f for f, step in steps.items() if step is None))
        )

    def _lowest(self, fact: str, heights: Mapping[str, int]) -> Step | None:
        if heights[fact] == 0:
            return None
        lower = (
            step
            for step in self.by_head[fact]
            if all(heights.get(premise, heights[fact]) < heights[fact] for premise in step.premises)
        )
        return min(lower)

    def behind(self, targets: Iterable[str], *, limit: int = MAX_ROUNDS) -> Derivations:
        """The part that lies in proofs of the targets of at most ``limit``."""
        heights = self.heights(limit=limit)
        reached: set[str] = {fact for fact in targets if fact in heights}
        frontier, kept = set(reached), set[Step]()
        for room in range(limit - 1, -1, -1):
            usable = [
                step
                for head in frontier
                for step in self.by_head.get(head, ())
                if all(heights.get(premise, limit) <= room for premise in step.premises)
            ]
            kept.update(usable)
            frontier = {premise for step in usable for premise in step.premises} - reached
            reached |= frontier
        return Derivations(
            steps=tuple(sorted(kept)),
            asserted=self.asserted & reached,
            triples={fact: self.triples[fact] for fact in sorted(reached) if fact in self.triples},
        )


def read_derivations(
    tx: Transaction,
    *,
    graph_id: str,
    rules: Rules,
    targets: Iterable[Triple],
    world: int = AFTER,
    limit: int = MAX_ROUNDS,
) -> Derivations:
    """Read every proof, of at most ``limit`` steps in height, of given facts in a closed world.

    One query for all facts of a height (in batches): first the targets, then their premises, and so on down.

    Args:
        tx: a transaction in which :func:`~knowledgesmith.graph_schema.closure.close` has closed ``world``.
        graph_id: the graph.
        rules: the rules that the world was closed with.
        targets: facts to explain; those that do not hold have no steps.
        world: which world.
        limit: highest proof that counts.
    """
    triples = {fact_id(graph_id, *triple): triple for triple in targets}
    reader = _Reader(tx=tx, graph_id=graph_id, world=world, rules=rules, ways=_Ways.of(rules, triples.values()))
    steps: set[Step] = set()
    asserted: set[str] = set()
    frontier = dict(sorted(triples.items()))
    for room in range(limit - 1, -1, -1):
        reader.look(frontier.values(), room=room)
        fresh: dict[str, Triple] = {}
        for head, triple in frontier.items():
            asserted |= {head} if reader.is_asserted(triple) else set()
            for rule, premises in reader.steps(triple, room=room):
                steps.add(Step(head=head, rule=rule, premises=tuple(premise.fact_id for premise, _ in premises)))
                fresh.update((premise.fact_id, ends) for premise, ends in premises)
                asserted.update(premise.fact_id for premise, _ in premises if premise.asserted)
        frontier = {fact: fresh[fact] for fact in sorted(fresh.keys() - triples.keys())}
        triples |= frontier
    return Derivations(steps=tuple(sorted(steps)), asserted=frozenset(asserted), triples=dict(sorted(triples.items())))


def read_loads(
    tx: Transaction, *, graph_id: str, rules: Rules, facts: Mapping[str, Triple], world: int = AFTER
) -> dict[str, int]:
    """How many derivation steps of a closed world have a fact as a premise, for every given fact id."""
    ids = sorted(facts)
    rows = [[n, facts[fact][0], rules.types[facts[fact][1]], facts[fact][2]] for n, fact in enumerate(ids)]
    found: dict[str, int] = {}
    for batch in _batches(rows):
        scope = {"graph_id": graph_id, "world": world, "swaps": rules.swaps}
        answer = tx.rows("closure/loads", **scope, seconds=rules.seconds, firsts=rules.firsts, rows=batch)
        found.update((ids[row["position"]], row["load"]) for row in answer)
    return found


class _Premise(NamedTuple):
    """A fact as the query returns it: type, uid of the end that was not asked for, fact id, asserted, round."""

    rel_type: str
    other: str
    fact_id: str
    asserted: bool
    round: int


_Used = tuple[tuple[_Premise, Triple], ...]
_ByType = dict[str, dict[str, _Premise]]
"""Premises by type and other end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """The rules turned round, from the type of a conclusion to its premises, as far as they lead to the targets."""

    swaps: Mapping[str, list[tuple[str, str]]]
    chains: Mapping[str, list[tuple[str, str, str]]]

    @classmethod
    def of(cls, rules: Rules, targets: Iterable[Triple]) -> Self:
        swaps: dict[str, list[tuple[str, str]]] = {}
        chains: dict[str, list[tuple[str, str, str]]] = {}
        before: dict[str, set[str]] = {}
        for premise, rows in rules.swaps.items():
            for head, rule in rows:
                swaps.setdefault(head, []).append((premise, rule))
                before.setdefault(head, set()).add(premise)
        for first, rows in rules.seconds.items():
            for second, head, rule in rows:
                chains.setdefault(head, []).append((first, second, rule))
                before.setdefault(head, set()).update((first, second))
        wanted: set[str] = set()
        todo = [rules.types[relation] for _, relation, _ in targets]
        while todo:
            head = todo.pop()
            if head not in wanted:
                wanted.add(head)
                todo += before.get(head, ())
        return cls(
            swaps={head: rows for head, rows in swaps.items() if head in wanted},
            chains={head: rows for head, rows in chains.items() if head in wanted},
        )

    @property
    def firsts(self) -> list[str]:
        return sorted({first for rows in self.chains.values() for first, _, _ in rows})

    @property
    def seconds(self) -> list[str]:
        return sorted({second for rows in self.chains.values() for _, second, _ in rows})


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads what stands around facts, each entity once, and joins it into steps.

    Rooms only shrink from one look to the next, so what was read for a larger one serves the smaller ones too.
    """

    tx: Transaction
    graph_id: str
    world: int
    rules: Rules
    ways: _Ways
    out: dict[str, _ByType] = field(default_factory=dict[str, _ByType])
    into: dict[str, _ByType] = field(default_factory=dict[str, _ByType])
    between: dict[tuple[str, str], dict[str, _Premise]] = field(
        default_factory=dict[tuple[str, str], dict[str, _Premise]]
    )

    def look(self, facts: Iterable[Triple], *, room: int) -> None:
        """Read what the steps of these facts need."""
        subjects, objects, pairs = set[str](), set[str](), dict[tuple[str, str], set[str]]()
        for subject, relation, obj in facts:
            head = self.rules.types[relation]
            pairs.setdefault((subject, obj), set()).add(head)
            for premise, _ in self.ways.swaps.get(head, ()):
                pairs.setdefault((obj, subject), set()).add(premise)
            if head in self.ways.chains:
                subjects.add(subject)
                objects.add(obj)
        new = {"subjects": sorted(subjects - self.out.keys()), "objects": sorted(objects - self.into.keys())}
        rows: list[list[object]] = [[one, other, sorted(types)] for (one, other), types in sorted(pairs.items())]
        self.out.update((uid, {}) for uid in new["subjects"])
        self.into.update((uid, {}) for uid in new["objects"])
        for pair_rows in _batches(rows):
            self._read(room, subjects=[], objects=[], pairs=pair_rows)
        for key, uids in new.items():
            for some in _batches(uids):
                self._read(room, **{"subjects": [], "objects": [], "pairs": [], key: some})

    def _read(self, room: int, **asked: Sequence[object]) -> None:
        scope = {"graph_id": self.graph_id, "world": self.world, "room": room}
        types = {"firsts": self.ways.firsts, "seconds": self.ways.seconds}
        for row in self.tx.rows("closure/derivations", **scope, **types, **asked):
            for premise in (_Premise(*fact) for fact in row["facts"]):
                if row["side"] == "between":
                    self.between.setdefault((row["uid"], row["other"]), {})[premise.rel_type] = premise
                else:
                    side = self.out if row["side"] == "out" else self.into
                    side[row["uid"]].setdefault(premise.rel_type, {})[premise.other] = premise

    def is_asserted(self, fact: Triple) -> bool:
        """Whether the world asserts a fact that was looked at."""
        found = self.between.get((fact[0], fact[2]), {}).get(self.rules.types[fact[1]])
        return found is not None and found.asserted

    def steps(self, fact: Triple, *, room: int) -> Iterator[tuple[str, _Used]]:
        """Rule and premises of every step to a fact whose premises appeared in a round up to ``room``."""
        subject, relation, obj = fact
        if subject == obj:
            return
        head = self.rules.types[relation]
        for rel_type, rule in self.ways.swaps.get(head, ()):
            premise = self.between.get((obj, subject), {}).get(rel_type)
            if premise is not None and premise.round <= room:
                yield rule, ((premise, (obj, self.rules.names[rel_type], subject)),)
        for first, second, rule in self.ways.chains.get(head, ()):
            ahead, behind = self.out[subject].get(first, {}), self.into[obj].get(second, {})
            for middle in ahead.keys() & behind.keys():
                one, other = ahead[middle], behind[middle]
                if one.round <= room and other.round <= room:
                    yield (
                        rule,
                        (
                            (one, (subject, self.rules.names[first], middle)),
                            (other, (middle, self.rules.names[second], obj)),
                        ),
                    )


def _batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]
