"""All ways in which facts follow: the AND/OR derivation hypergraph of given facts, read from a closed world.

The closure keeps one proof of a fact; to make a fact no longer follow, every proof must be known. A node is a fact
(known by its fact id), a hyperedge is a :class:`Step` (one rule applied to one or two premises). A fact may be asserted
and have steps as well: it then still follows when it is retracted. The hypergraph may have cycles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from knowledgesmith.graph_schema.closure import AFTER, MAX_ROUNDS, Rules, Triple
from knowledgesmith.graph_schema.facts import fact_id
from knowledgesmith.graph_schema.store import Transaction

_BATCH: Final = 2_000
"""Facts a query; a hub fact may have thousands of steps."""


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

    def heights(self, *, without: Collection[str] = (), limit: int = MAX_ROUNDS) -> dict[str, int]:
        """Height of the lowest proof of every fact that has one of at most ``limit`` (asserted facts: 0).

        Args:
            without: asserted facts that are taken away.
            limit: highest proof that counts.
        """
        found = {fact: 0 for fact in self.asserted if fact not in without}
        open_steps = [step for step in self.steps if step.head not in found]
        for height in range(1, limit + 1):
            fresh = {step.head for step in open_steps if all(premise in found for premise in step.premises)}
            if not fresh:
                break
            found.update(dict.fromkeys(fresh, height))
            open_steps = [step for step in open_steps if step.head not in fresh]
        return found

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
    by_head = _by_head(rules)
    triples = {fact_id(graph_id, *triple): triple for triple in targets}
    steps: set[Step] = set()
    asserted: set[str] = set()
    frontier = sorted(triples)
    for room in range(limit - 1, -1, -1):
        rows = [[n, *_typed(triples[fact], rules), room] for n, fact in enumerate(frontier)]
        fresh: dict[str, Triple] = {}
        for row in _asked(tx, "closure/derivations", rows, graph_id=graph_id, world=world, **by_head):
            head = frontier[row["position"]]
            asserted |= {head} if row["asserted"] else set()
            for rule, premises in row["steps"]:
                steps.add(Step(head=head, rule=rule, premises=tuple(premise[3] for premise in premises)))
                for subject, rel_type, obj, fact, is_asserted, _ in premises:
                    asserted |= {fact} if is_asserted else set()
                    fresh[fact] = (subject, rules.names[rel_type], obj)
        frontier = sorted(fresh.keys() - triples.keys())
        triples |= fresh
    return Derivations(steps=tuple(sorted(steps)), asserted=frozenset(asserted), triples=dict(sorted(triples.items())))


def read_loads(
    tx: Transaction, *, graph_id: str, rules: Rules, facts: Mapping[str, Triple], world: int = AFTER
) -> dict[str, int]:
    """How many derivation steps of a closed world have a fact as a premise, for every given fact id."""
    ids = sorted(facts)
    rows = [[n, *_typed(facts[fact], rules)] for n, fact in enumerate(ids)]
    rule_rows = {"swaps": rules.swaps, "seconds": rules.seconds, "firsts": rules.firsts}
    found = _asked(tx, "closure/loads", rows, graph_id=graph_id, world=world, **rule_rows)
    return {ids[row["position"]]: row["load"] for row in found}


def _typed(triple: Triple, rules: Rules) -> tuple[str, str, str]:
    return (triple[0], rules.types[triple[1]], triple[2])


def _by_head(rules: Rules) -> dict[str, dict[str, list[list[str]]]]:
    """The rules turned round: from the type of a conclusion to the types of its premises."""
    swaps: dict[str, list[list[str]]] = {}
    for premise, rows in rules.swaps.items():
        for head, rule in rows:
            swaps.setdefault(head, []).append([premise, rule])
    chains: dict[str, list[list[str]]] = {}
    for first, rows in rules.seconds.items():
        for second, head, rule in rows:
            chains.setdefault(head, []).append([first, second, rule])
    return {"swaps": swaps, "chains": chains}


def _asked(tx: Transaction, query: str, rows: Sequence[list[Any]], **params: object) -> Iterator[dict[str, Any]]:
    for start in range(0, len(rows), _BATCH):
        yield from tx.rows(query, **params, rows=rows[start : start + _BATCH])
