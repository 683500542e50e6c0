"""Cut sets: which asserted facts must go so that given facts no longer follow (specification: planning on the graph).

A cut hits the leaves of every proof. There may be exponentially many proofs, so they are
found when they are needed (implicit hitting set, Moreno-Centeno & Karp 2013): solve the hitting set of the proofs known
so far, look for a proof that survives, add its leaves, repeat. What no longer finds a surviving proof is a cut, and as
cheap as the hitting set was. Targets that share no fact are solved apart from each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import networkx as nx

from knowledgesmith.graph_schema.errors import ConflictingChanges
from knowledgesmith.graph_schema.reasoning.derivations import Derivations, ProofTree
from knowledgesmith.graph_schema.reasoning.hitting_sets import (
    EXACT_ITEMS,
    HittingSet,
    exact_hitting_set,
    large_hitting_set,
)

_PASSES: Final = 4
"""Times that surviving proofs are looked for beside each other before the hitting set is solved again."""
_ROUNDS: Final = 60
"""Hitting sets solved for one large part; then the best cut so far and the proven bound are returned."""


class Uncuttable(ConflictingChanges):
    """A target follows from protected facts alone; ``proof`` says how."""

    proof: ProofTree | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSet:
    """Asserted facts to retract, none of which could stay.

    ``breaks`` gives for every cut fact a proof of a target that only this retraction breaks. No cut weighs less than
    ``lower_bound``; ``optimal`` says that the bound is met.
    """

    facts: tuple[str, ...] = ()
    weight: int = 0
    lower_bound: int = 0
    breaks: Mapping[str, ProofTree] = field(default_factory=dict[str, ProofTree])

    @property
    def optimal(self) -> bool:
        """Whether no cut weighs less."""
        return self.weight == self.lower_bound

    @property
    def gap(self) -> float:
        """Share of the weight that may be too much, from 0 (optimal) to 1."""
        return (self.weight - self.lower_bound) / self.weight if self.weight else 0.0


def find_cut(
    derivations: Derivations,
    *,
    targets: Iterable[str],
    protected: Iterable[str] = (),
    weights: Mapping[str, int] | None = None,
) -> CutSet:
    """The lightest set of asserted facts without which no target follows.

    A target that is asserted itself is part of the cut. Exact where at most 20 facts come into question for targets
    that share facts; beyond that as good as the rounds allow, with a proven bound. Of cuts of the same weight the one
    whose sorted fact ids come first is taken (beyond 20 facts: always the same one).

    Args:
        derivations: the hypergraph behind the targets, with all their proofs.
        targets: fact ids of what must no longer follow; those that do not follow anyway are ignored.
        protected: fact ids that must not be cut.
        weights: positive weight of asserted facts; 1 where one is missing.

    Raises:
        Uncuttable: a target follows from protected facts alone.
        ValueError: a weight is not positive.
    """
    weights = weights or {}
    if any(weight <= 0 for weight in weights.values()):
        raise ValueError("weights must be positive")
    wanted = sorted(set(targets))
    whole = derivations.behind(wanted)
    kept = whole.asserted & frozenset(protected)
    _check_cuttable(whole, wanted, kept)
    cuts = [
        _Part(derivations=part, targets=of_part, protected=kept, weights=weights).solve()
        for part, of_part in _parts(whole, wanted, kept)
    ]
    return CutSet(
        facts=tuple(sorted(fact for cut in cuts for fact in cut.facts)),
        weight=sum(cut.weight for cut in cuts),
        lower_bound=sum(cut.lower_bound for cut in cuts),
        breaks=dict(sorted((fact, proof) for cut in cuts for fact, proof in cut.breaks.items())),
    )


def _check_cuttable(whole: Derivations, targets: Sequence[str], protected: frozenset[str]) -> None:
    heights = whole.heights(without=whole.asserted - protected)
    left = next((target for target in targets if target in heights), None)
    if left is None:
        return
    proof = whole.proof(left, heights)
    error = Uncuttable(
        "A fact that must no longer hold still follows from facts that must stay.",
        field="changes",
        value=whole.triples.get(left, left),
        hint="Split the request, or change the facts that it follows from.",
        metadata={
            "fact": " ".join(whole.triples.get(left, (left,))),
            "follows_from": "; ".join(" ".join(whole.triples.get(leaf, (leaf,))) for leaf in proof.leaves),
        },
    )
    error.proof = proof
    raise error


def _parts(
    whole: Derivations, targets: Sequence[str], protected: frozenset[str]
) -> Iterable[tuple[Derivations, tuple[str, ...]]]:
    """Targets with the part of the hypergraph that they share; what stays in any case connects nothing."""
    links: nx.Graph[str] = nx.Graph()
    links.add_nodes_from(target for target in targets if target in whole.by_head or target in whole.asserted)
    for step in whole.steps:
        links.add_edges_from((step.head, premise) for premise in step.premises if premise not in protected)
    links.remove_nodes_from(protected)
    number = {fact: n for n, part in enumerate(nx.connected_components(links)) for fact in part}
    steps: dict[int, list[int]] = {}
    for position, step in enumerate(whole.steps):
        if step.head in number:
            steps.setdefault(number[step.head], []).append(position)
    of_part: dict[int, list[str]] = {}
    for target in targets:
        if target in number:
            of_part.setdefault(number[target], []).append(target)
    for part, members in of_part.items():
        inside = tuple(whole.steps[position] for position in steps.get(part, ()))
        facts = {*members, *(premise for step in inside for premise in step.premises)}
        yield (
            Derivations(steps=inside, asserted=whole.asserted & facts, triples=whole.triples),
            tuple(members),
        )


@dataclass(slots=True, kw_only=True)
class _Part:
    """Targets that share facts, and the proofs of them that are known so far by the facts that could break them."""

    derivations: Derivations
    targets: tuple[str, ...]
    protected: frozenset[str]
    weights: Mapping[str, int]
    known: dict[frozenset[str], ProofTree] = field(default_factory=dict[frozenset[str], ProofTree])
    by_leaf: dict[str, list[frozenset[str]]] = field(default_factory=dict[str, list[frozenset[str]]])

    def solve(self) -> CutSet:
        candidates = sorted(self.derivations.asserted - self.protected)
        costs = {fact: self.weights.get(fact, 1) for fact in candidates}
        exact = len(candidates) <= EXACT_ITEMS
        best: frozenset[str] | None = None
        bound = 0
        rounds = 0
        while exact or rounds < _ROUNDS:
            rounds += 1
            hit = exact_hitting_set(self.known, costs) if exact else large_hitting_set(list(self.known), costs)
            bound = max(bound, hit.lower_bound)
            best = self._better(best, hit, costs=costs, exact=exact)
            if best is not None and self._cost(best, costs) <= bound:
                break
        return self._result(best or frozenset(), costs, bound)

    def _better(
        self, best: frozenset[str] | None, hit: HittingSet, *, costs: Mapping[str, int], exact: bool
    ) -> frozenset[str] | None:
        """Learn the proofs that survive a hitting set; the best cut known afterwards."""
        fresh = self._surviving(hit.items)
        if not fresh:
            found = hit.items
        elif exact:
            return best
        else:
            found = self._completed(hit.items, costs)
        found = self._reduced(found, costs)
        return min((cut for cut in (best, found) if cut is not None), key=lambda c: (self._cost(c, costs), sorted(c)))

    def _surviving(self, cut: frozenset[str]) -> set[frozenset[str]]:
        """Leaves of proofs that a cut leaves whole: one of each target, then of what is left beside those."""
        gone = set(cut)
        found: set[frozenset[str]] = set()
        for _ in range(_PASSES):
            left = self._following(gone)
            if not left:
                break
            heights = self._heights(gone)
            for target in left:
                leaves = self._learn(self.derivations.proof(target, heights))
                found.add(leaves)
                gone |= leaves
        return found

    def _learn(self, proof: ProofTree) -> frozenset[str]:
        """Remember a proof; the facts that could break it."""
        leaves = frozenset(proof.leaves) - self.protected
        if leaves not in self.known:
            self.known[leaves] = proof
            for leaf in leaves:
                self.by_leaf.setdefault(leaf, []).append(leaves)
        return leaves

    def _broken_by(self, fact: str, cut: Collection[str]) -> ProofTree | None:
        """A known proof that of a cut only this fact breaks."""
        alone = (leaves for leaves in self.by_leaf.get(fact, ()) if sum(leaf in cut for leaf in leaves) == 1)
        found = next(alone, None)
        return None if found is None else self.known[found]

    def _completed(self, cut: frozenset[str], costs: Mapping[str, int]) -> frozenset[str]:
        """A hitting set made a cut: of every proof that survives, the cheapest leaf for the proofs it breaks."""
        done = set(cut)
        while left := [leaves for leaves in self._surviving(frozenset(done)) if done.isdisjoint(leaves)]:
            counts: dict[str, int] = {}
            for leaves in left:
                for leaf in leaves:
                    counts[leaf] = counts.get(leaf, 0) + 1
            for leaves in sorted(left, key=sorted):
                if done.isdisjoint(leaves):
                    done.add(min(leaves, key=lambda leaf: (costs[leaf] / counts[leaf], leaf)))
        return frozenset(done)

    def _reduced(self, cut: frozenset[str], costs: Mapping[str, int]) -> frozenset[str]:
        """The cut without facts that can stay, the most expensive first."""
        kept = set(cut)
        for fact in sorted(cut, key=lambda leaf: (-costs[leaf], leaf)):
            if self._broken_by(fact, kept) is None and not self._following(kept - {fact}):
                kept.remove(fact)
        return frozenset(kept)

    def _heights(self, gone: Collection[str]) -> dict[str, int]:
        return self.derivations.heights(without=gone)

    def _following(self, gone: Collection[str]) -> list[str]:
        return self.derivations.following(self.targets, without=gone)

    def _cost(self, cut: Iterable[str], costs: Mapping[str, int]) -> int:
        return sum(costs[fact] for fact in cut)

    def _result(self, cut: frozenset[str], costs: Mapping[str, int], bound: int) -> CutSet:
        breaks: dict[str, ProofTree] = {}
        for fact in sorted(cut):
            if (known := self._broken_by(fact, cut)) is None:
                rest = cut - {fact}
                known = self.derivations.proof(self._following(rest)[0], self._heights(rest))
            breaks[fact] = known
        return CutSet(facts=tuple(sorted(cut)), weight=self._cost(cut, costs), lower_bound=bound, breaks=breaks)
