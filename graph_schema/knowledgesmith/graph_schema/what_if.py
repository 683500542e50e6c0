"""The world before and after an update, side by side in one transaction that will be rolled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.closure import AFTER, BEFORE, Derived, Rules, Triple, clear, close, leaves
from knowledgesmith.graph_schema.errors import ConflictingChanges, FactNotFound, NothingToChange
from knowledgesmith.graph_schema.facts import fact_id
from knowledgesmith.graph_schema.interventions import Change
from knowledgesmith.graph_schema.plan_types import Proof, WorldChange, WorldOp
from knowledgesmith.graph_schema.probes.lexicon import Lexicon
from knowledgesmith.graph_schema.store import Transaction

_MAX_CONTRACTIONS: Final = 16
_REQUEST: Final = Proof(rule="request")
SUPPORT: Final = "support"
"""Rule of a retraction whose fact was asked for by nobody: without it a fact that must go would still follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldPair:
    """What the update asserts and retracts, and what the closure gains and loses by it."""

    overlay: tuple[WorldChange, ...]
    derived: tuple[WorldChange, ...]
    before: Mapping[str, Derived]
    after: Mapping[str, Derived]

    @property
    def changed(self) -> tuple[WorldChange, ...]:
        """All facts that are true in one of the worlds only."""
        return (*self.overlay, *self.derived)


@dataclass(slots=True, kw_only=True)
class _Update:
    """The update while it is worked out. What is ``gone`` must not hold afterwards, asserted or derived."""

    tx: Transaction
    graph_id: str
    rules: Rules
    gone: dict[Triple, Proof] = field(default_factory=dict)
    retracts: dict[Triple, Proof] = field(default_factory=dict)
    asserts: dict[Triple, Proof] = field(default_factory=dict)

    def id_of(self, triple: Triple) -> str:
        return fact_id(self.graph_id, *triple)

    def row(self, triple: Triple) -> list[str]:
        return [triple[0], self.rules.types[triple[1]], triple[2], self.id_of(triple)]

    def status(self, triples: Sequence[Triple]) -> list[tuple[bool, bool]]:
        """Whether each fact is asserted, and whether it is derived, in the world before."""
        rows = [[n, t[0], self.rules.types[t[1]], t[2]] for n, t in enumerate(triples)]
        found = {
            row["position"]: (bool(row["asserted"]), bool(row["derived"]))
            for row in self.tx.rows("world/status", graph_id=self.graph_id, world=BEFORE, rows=rows)
        }
        return [found[n] for n in range(len(rows))]

    def write(self, *, asserts: Iterable[Triple] = (), retracts: Iterable[Triple] = ()) -> None:
        """Separate the worlds by these facts."""
        self.tx.rows(
            "world/update",
            graph_id=self.graph_id,
            asserts=[self.row(t) for t in sorted(asserts)],
            retracts=[self.row(t) for t in sorted(retracts)],
        )


def apply_overlay(tx: Transaction, *, graph_id: str, rules: Rules, overlay: Iterable[WorldChange]) -> None:
    """Bring the transaction's graph into the state of a branch: the last word on each fact counts."""
    net = {change.fact_id: change for change in overlay}
    rows: dict[WorldOp, list[list[str]]] = {WorldOp.ASSERT: [], WorldOp.RETRACT: []}
    for change in sorted(net.values(), key=lambda c: (c.subject, c.object, c.relation)):
        if change.relation in rules.types:  # a later import may have dropped the relation
            rel_type = rules.types[change.relation]
            rows[change.op].append([change.subject, rel_type, change.object, change.fact_id])
    if net:
        tx.rows("world/apply", graph_id=graph_id, asserts=rows[WorldOp.ASSERT], retracts=rows[WorldOp.RETRACT])


def build_worlds(tx: Transaction, *, lexicon: Lexicon, rules: Rules, changes: Sequence[Change]) -> WorldPair:
    """Close the present world, apply the update with what it displaces, and close the world after it.

    The transaction then holds both worlds: relationships without ``world`` are in both, the others in one. A fact that
    must not hold but still follows is cut off at the asserted premise on which the fewest other derivations rest.

    Raises:
        FactNotFound: an old fact is not true in the present world.
        ConflictingChanges: a fact to retract follows from the facts to assert.
        NothingToChange: both worlds are the same.
    """
    before = close(tx, graph_id=lexicon.graph_id, rules=rules, world=BEFORE)
    update = _Update(tx=tx, graph_id=lexicon.graph_id, rules=rules)
    _take_request(update, changes)
    _displace(update, lexicon)
    if not update.asserts and not update.gone:
        raise NothingToChange(
            "The branch's world already is as asked for.",
            field="changes",
            value=changes[0],
            hint="Ask for a change that differs from the world, or take another branch.",
        )
    _retract_asserted(update)
    update.write(asserts=update.asserts, retracts=update.retracts)
    after = _close_without_gone(update)
    overlay = _overlay(update)
    return WorldPair(overlay=overlay, derived=_difference(before, after, overlay=overlay), before=before, after=after)


def _take_request(update: _Update, changes: Sequence[Change]) -> None:
    old = sorted({(c.subject, c.relation, c.old_object) for c in changes if c.old_object})
    for triple, held in zip(old, update.status(old), strict=True):
        if not any(held):
            raise FactNotFound(
                "The branch's world does not hold the fact to change.",
                field="old_object",
                value=triple,
                hint="Leave old_object empty to insert a fact, or query what the world asserts.",
                metadata={"subject": triple[0], "relation": triple[1], "object": triple[2]},
            )
        update.gone[triple] = _REQUEST
    new = sorted({(c.subject, c.relation, c.new_object) for c in changes if c.new_object})
    for triple, held in zip(new, update.status(new), strict=True):
        if not any(held):
            update.asserts[triple] = _REQUEST


def _displace(update: _Update, lexicon: Lexicon) -> None:
    """Everything that a functional or inverse-functional relation allows no longer beside the new facts."""
    causes = [(fact, triple) for triple in update.asserts for fact in (triple, *sorted(update.rules.mirrors(triple)))]
    rows: list[list[object]] = []
    for position, ((subject, relation, obj), _) in enumerate(causes):
        traits = lexicon.relations[relation].traits
        if traits.functional or traits.inverse_functional:
            flags = [traits.functional, traits.inverse_functional]
            rows.append([position, subject, update.rules.types[relation], obj, *flags])
    if not rows:
        return
    for row in update.tx.rows("world/displaced", graph_id=update.graph_id, world=BEFORE, rows=rows):
        (_, relation, _), cause = causes[row["position"]]
        proof = Proof(rule=row["rule"], premises=(update.id_of(cause),))
        update.gone.setdefault((row["subject"], relation, row["object"]), proof)


def _retract_asserted(update: _Update) -> None:
    """Retract what must go, and asserted facts that say the same the other way round."""
    wanted = dict(update.gone)
    for triple in update.gone:
        for mirror in update.rules.mirrors(triple):
            wanted.setdefault(mirror, Proof(rule=SUPPORT, premises=(update.id_of(triple),)))
    triples = sorted(wanted)
    for triple, (asserted, _) in zip(triples, update.status(triples), strict=True):
        if asserted:
            update.retracts[triple] = wanted[triple]


def _close_without_gone(update: _Update) -> dict[str, Derived]:
    """Close the world after the update, cutting supports until nothing that must go follows any more."""
    gone = {update.id_of(triple): triple for triple in update.gone}
    for _ in range(_MAX_CONTRACTIONS):
        after = close(update.tx, graph_id=update.graph_id, rules=update.rules, world=AFTER)
        left = sorted(after.keys() & gone.keys())
        if not left:
            return after
        cuts = _supports(update, after, left)
        if not cuts:
            break
        clear(update.tx, graph_id=update.graph_id, derived=after, world=AFTER)
        _cut(update, cuts)
    raise ConflictingChanges(
        "A fact that must no longer hold still follows from the facts that the update asserts.",
        field="changes",
        value=sorted(gone.values())[:3],
        hint="Split the request, or change the facts that it follows from.",
    )


def _supports(update: _Update, after: Mapping[str, Derived], left: Sequence[str]) -> dict[str, str]:
    """For each fact that still follows, the premise to retract; empty where one rests on new facts alone."""
    new = {update.id_of(triple) for triple in update.asserts}
    load = Counter(premise for fact in after.values() for premise in fact.premises)
    cuts: dict[str, str] = {}
    for fact in left:
        candidates = leaves(after, fact) - new
        if not candidates:
            return {}
        if not cuts.keys() & candidates:
            cuts[min(candidates, key=lambda leaf: (load[leaf], leaf))] = fact
    return cuts


def _cut(update: _Update, cuts: Mapping[str, str]) -> None:
    rows = update.tx.rows(
        "world/resolve",
        graph_id=update.graph_id,
        world=AFTER,
        types=sorted(update.rules.names),
        ids=sorted(cuts),
    )
    found = {
        (row["subject"], update.rules.names[row["rel_type"]], row["object"]): Proof(
            rule=SUPPORT, premises=(cuts[row["fact_id"]],)
        )
        for row in rows
    }
    update.retracts.update(found)
    update.write(retracts=found)


def _overlay(update: _Update) -> tuple[WorldChange, ...]:
    return tuple(
        _change(op, update.id_of(triple), triple, proof)
        for op, facts in ((WorldOp.RETRACT, update.retracts), (WorldOp.ASSERT, update.asserts))
        for triple, proof in sorted(facts.items())
    )


def _difference(
    before: Mapping[str, Derived], after: Mapping[str, Derived], *, overlay: tuple[WorldChange, ...]
) -> tuple[WorldChange, ...]:
    """Derived facts that only one world has; a fact that merely became asserted has not changed."""
    touched = {change.fact_id for change in overlay}
    return tuple(
        _change(op, fact.fact_id, fact.triple, Proof(rule=fact.rule, premises=fact.premises))
        for op, one, other in ((WorldOp.RETRACT, before, after), (WorldOp.ASSERT, after, before))
        for fact in sorted(one.values(), key=lambda f: f.triple)
        if fact.fact_id not in other and fact.fact_id not in touched
    )


def _change(op: WorldOp, fact: str, triple: Triple, proof: Proof) -> WorldChange:
    return WorldChange(op=op, fact_id=fact, subject=triple[0], relation=triple[1], object=triple[2], proof=proof)


def distances(tx: Transaction, *, lexicon: Lexicon, sources: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Hops over asserted facts, in both directions, from the nearest source, with that source (ties: smallest uid).

    Run it before the update is written. Entities that cannot be reached are absent.
    """
    frontier = {uid: uid for uid in sources}
    found = {uid: (0, uid) for uid in frontier}
    hops = 0
    while frontier:
        hops += 1
        rows = tx.rows(
            "world/frontier",
            graph_id=lexicon.graph_id,
            types=lexicon.rel_types,
            frontier=[[uid, label] for uid, label in sorted(frontier.items())],
        )
        frontier = {row["uid"]: row["label"] for row in rows if row["uid"] not in found}
        found.update({uid: (hops, label) for uid, label in frontier.items()})
    return found
