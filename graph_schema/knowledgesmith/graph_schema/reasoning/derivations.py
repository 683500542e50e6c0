"""All ways in which facts follow: the AND/OR derivation hypergraph of given facts.

The closure keeps one proof of a fact; to make a fact no longer follow, every proof must be known. A node is a fact
(known by its fact id), a hyperedge is a :class:`Step` (one rule applied to one or two premises). A fact may be asserted
and have steps as well: it then still follows when it is retracted. The hypergraph may have cycles, and a proof any
height. :mod:`~knowledgesmith.graph_schema.reasoning.support` reads it from a closed world.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.reasoning.closure import Triple

_NEVER: Final = np.iinfo(np.int32).max
"""Height of a fact that has no proof."""


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

    def _levels(self, without: Collection[str]) -> NDArray[np.int32]:
        """Height of the lowest proof by the table's index, ``_NEVER`` where there is none. Shape ``(facts,)``."""
        table = self._table
        levels = np.full(len(table.facts), _NEVER, dtype=np.int32)
        levels[table.asserted] = 0
        levels[[table.index[fact] for fact in without if fact in table.index]] = _NEVER
        for height in range(1, len(table.facts) + 1):
            holds = (levels[table.premises] < height).all(axis=1)
            heads = table.heads[holds]
            fresh = heads[levels[heads] > height]
            if not len(fresh):
                break
            levels[fresh] = height
        return levels

    def heights(self, *, without: Collection[str] = ()) -> dict[str, int]:
        """Height of the lowest proof of every fact that has one (asserted facts: 0).

        Args:
            without: asserted facts that are taken away.
        """
        pairs = zip(self._table.facts, self._levels(without).tolist(), strict=True)
        return {fact: level for fact, level in pairs if level != _NEVER}

    def following(self, targets: Iterable[str], *, without: Collection[str] = ()) -> list[str]:
        """The targets that have a proof; as :meth:`heights`, but faster."""
        levels, index = self._levels(without), self._table.index
        return [target for target in targets if target in index and levels[index[target]] != _NEVER]

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

    def behind(self, targets: Iterable[str]) -> Derivations:
        """The part that lies in proofs of the targets."""
        heights = self.heights()
        reached: set[str] = {fact for fact in targets if fact in heights}
        todo, kept = sorted(reached), set[Step]()
        while todo:
            for step in self.by_head.get(todo.pop(), ()):
                if all(premise in heights for premise in step.premises):
                    kept.add(step)
                    fresh = set(step.premises) - reached
                    reached |= fresh
                    todo += sorted(fresh)
        return Derivations(
            steps=tuple(sorted(kept)),
            asserted=self.asserted & reached,
            triples={fact: self.triples[fact] for fact in sorted(reached) if fact in self.triples},
        )
