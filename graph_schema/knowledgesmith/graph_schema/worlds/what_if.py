"""The world before and after an update, side by side in one transaction that will be rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.errors import ConflictingChanges
from knowledgesmith.graph_schema.reasoning.after_world import AfterWorld
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.reasoning.contraction import CutSet, Uncuttable, find_cut
from knowledgesmith.graph_schema.reasoning.forward_chaining import derive
from knowledgesmith.graph_schema.reasoning.incremental import NamedRules, Placed, affected_groups, close_region
from knowledgesmith.graph_schema.reasoning.support import read_derivations, weights_of
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.plans import Cut, Proof, WorldChange, WorldOp
from knowledgesmith.graph_schema.worlds.update import SUPPORT, Update, world_change
from knowledgesmith.graph_schema.worlds.world_conflicts import settle_conflicts

_PASSES: Final = 8
"""Times that the world after is closed: once, once after a cut, and once for every link of displaced facts."""


class RegionTooLarge(Exception):
    """The update reaches so much of the graph that closing all of it is faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldPair:
    """What the update asserts and retracts, and what the closure gains and loses by it.

    ``placed`` are the derived facts that the transaction holds already; ``None`` where it must still write the update.
    """

    before: WorldIndex
    after: AfterWorld
    update: Update
    overlay: tuple[WorldChange, ...]
    derived: tuple[WorldChange, ...]
    cut: Cut
    placed: Placed | None

    @property
    def changed(self) -> tuple[WorldChange, ...]:
        """All facts that are true in one of the worlds only."""
        return (*self.overlay, *self.derived)


@dataclass(slots=True, kw_only=True)
class _Closer:
    """Closes the world after an update: by the region in a transaction, or all of it, where none is ``placed``."""

    update: Update
    rules: NamedRules
    placed: Placed | None
    cuts: list[CutSet] = field(default_factory=list[CutSet])

    def settle(self) -> AfterWorld:
        """The world after, once nothing that must go follows any more and nothing conflicts."""
        update = self.update
        if self.placed:
            update.write(self.placed.tx)
        for _ in range(_PASSES):
            after = self._close()
            left = sorted(triple for triple in update.gone if after.find(triple))
            known = set(update.retracts)
            if left:
                self._cut(after, left)
            elif not settle_conflicts(update, after):
                return after
            else:
                update.retract_asserted()
            if self.placed:  # the update has grown
                self.placed.clear()
                update.write(self.placed.tx, retracts=update.retracts.keys() - known)
        raise ConflictingChanges(
            "The update displaces facts without end.",
            field="changes",
            value=sorted(update.asserts)[:3],
            hint="Split the request.",
        )

    def _close(self) -> AfterWorld:
        update, before = self.update, self.update.before
        if self.placed is None:
            after = AfterWorld(before, asserts=update.asserts, retracts=update.retracts, groups=None)
            asserted = {*before.asserted(), *update.asserts} - update.retracts.keys()
            after.derive(derive(asserted, graph_id=before.graph_id, rules=before.rules).values())
            return after
        groups = affected_groups(before, self.rules, {*update.asserts, *update.retracts})
        found = None
        if groups is not None:
            found = close_region(
                self.placed, rules=self.rules, asserts=update.asserts, retracts=update.retracts, groups=groups
            )
        if found is None:
            raise RegionTooLarge
        return found

    def _cut(self, after: AfterWorld, left: Sequence[Triple]) -> None:
        """Retract the lightest set of asserted facts without which nothing that must go still follows."""
        update, graph_id = self.update, self.update.before.graph_id
        derivations = read_derivations(after, graph_id=graph_id, rules=self.rules, targets=left)
        leaves = {fact: derivations.triples[fact] for fact in sorted(derivations.asserted)}
        targets = [update.id_of(triple) for triple in left]
        try:
            cut = find_cut(
                derivations,
                targets=targets,
                protected=[update.id_of(triple) for triple in update.asserts],
                weights=weights_of(after, rules=self.rules, facts=leaves, targets=left),
            )
        except Uncuttable as error:
            raise _contradiction(update, error) from error
        self.cuts.append(cut)
        for fact in cut.facts:
            update.retracts[leaves[fact]] = Proof(rule=SUPPORT, premises=(cut.breaks[fact].conclusion,))


def _contradiction(update: Update, error: Uncuttable) -> ConflictingChanges:
    """Names the change whose fact must go and a change that it follows from."""
    names = {update.id_of(triple): triple for triple in (*update.gone, *update.asserts)}
    proof = error.proof
    leaves = proof.leaves if proof else ()
    first = " ".join(names[proof.conclusion]) if proof and proof.conclusion in names else error.metadata["fact"]
    second = "; ".join(" ".join(names[leaf]) for leaf in leaves if leaf in names)
    return ConflictingChanges(
        f"A fact that must no longer hold still follows from what the request asserts: {first}, from {second}",
        field="changes",
        value=first,
        hint="Split the request, or change the facts that it follows from.",
        metadata={**error.metadata, "first": first, "second": second},
    )


def build_worlds(tx: Transaction, *, update: Update) -> WorldPair:
    """Apply an update with what it displaces, and close the world after it, in a transaction that holds the branch.

    Args:
        tx: a transaction that will be rolled back, with the branch's overlay applied.
        update: from :func:`~knowledgesmith.graph_schema.worlds.update.update_of`; it grows by what must go as well.

    Raises:
        ConflictingChanges: a fact to retract follows from the facts to assert, or two of them exclude each other.
        RegionTooLarge: the update reaches too much; :func:`build_whole` closes the whole graph instead.
    """
    return _settled(update, Placed(tx=tx, before=update.before))


def build_whole(update: Update) -> WorldPair:
    """The same by a closure of the whole graph, with nothing written yet.

    Raises:
        ConflictingChanges: as above.
        TooLarge: too much follows.
    """
    return _settled(update, None)


def _settled(update: Update, placed: Placed | None) -> WorldPair:
    closer = _Closer(update=update, rules=NamedRules.of(update.before.rules), placed=placed)
    after = closer.settle()
    overlay = update.overlay()
    return WorldPair(
        before=update.before,
        after=after,
        update=update,
        overlay=overlay,
        derived=_difference(after, overlay=overlay),
        cut=_cut_of(closer.cuts),
        placed=placed,
    )


def _cut_of(cuts: Sequence[CutSet]) -> Cut:
    facts = {fact for cut in cuts for fact in cut.facts}
    return Cut(
        facts=tuple(sorted(facts)),
        weight=sum(cut.weight for cut in cuts),
        lower_bound=sum(cut.lower_bound for cut in cuts),
    )


def _difference(after: AfterWorld, *, overlay: tuple[WorldChange, ...]) -> tuple[WorldChange, ...]:
    """Derived facts that only one world has; a fact that merely became asserted has not changed."""
    touched = {change.fact_id for change in overlay}
    lost, gained = after.changes
    return tuple(
        world_change(op, fact.fact_id, fact.triple, Proof(rule=fact.rule, premises=fact.premises))
        for op, facts in ((WorldOp.RETRACT, lost), (WorldOp.ASSERT, gained))
        for _, fact in sorted(facts.items())
        if fact.fact_id not in touched
    )
