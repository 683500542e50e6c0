"""Why each fact is in a plan: proofs down to asserted facts or the request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.reasoning.after_world import ClosedWorld
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.types.plans import Cited, Plan, Proof, WorldChange, WorldOp

ASSERTED: Final = "asserted"
BOTH: Final = "both"
_ASSERTED: Final = Proof(rule=ASSERTED)
_SIDES: Final = {WorldOp.RETRACT: "before", WorldOp.ASSERT: "after"}


def cited(*, before: ClosedWorld, after: ClosedWorld, changed: Sequence[WorldChange]) -> tuple[Cited, ...]:
    """Facts that the proofs of changes rest on and that are no changes themselves, sorted.

    Args:
        before: the world that retracted facts follow in.
        after: the world that new facts follow in.
        changed: overlay and derived changes of a plan.
    """
    ours = {(change.subject, change.relation, change.object) for change in changed}
    found: dict[tuple[str, str], Cited] = {}
    for op, world in ((WorldOp.RETRACT, before), (WorldOp.ASSERT, after)):
        todo = {(c.subject, c.relation, c.object) for c in changed if c.op is op}
        seen: set[Triple] = set()
        while todo:
            todo = world.all_premises(todo) - seen
            fresh = _cite(world, sorted(todo - ours), _SIDES[op])
            found.update({(one.fact_id, one.worlds): one for one in fresh})
            seen |= todo
    return tuple(_merged(found))


def _cite(world: ClosedWorld, triples: Sequence[Triple], side: str) -> Iterator[Cited]:
    for name, triple, fact in zip(world.ids(triples), triples, world.derivations(triples), strict=True):
        yield Cited(
            fact_id=name,
            subject=triple[0],
            relation=triple[1],
            object=triple[2],
            proof=Proof(rule=fact.rule, premises=fact.premises) if fact else _ASSERTED,
            worlds=side,
        )


def _merged(found: Mapping[tuple[str, str], Cited]) -> Iterator[Cited]:
    """One entry for a fact that is proven alike in both worlds."""
    for (fact, side), one in sorted(found.items()):
        other = found.get((fact, "before" if side == "after" else "after"))
        if other is None or other.proof != one.proof:
            yield one
        elif side == "before":
            yield Cited(
                fact_id=fact,
                subject=one.subject,
                relation=one.relation,
                object=one.object,
                proof=one.proof,
                worlds=BOTH,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofNode:
    """One fact of a proof with the facts that its rule was applied to."""

    fact_id: str
    triple: Triple
    rule: str
    premises: tuple[ProofNode, ...] = ()


def proof_trees(plan: Plan) -> tuple[ProofNode, ...]:
    """The proof of every change of a plan, overlay first, in the plan's order."""
    changes = (*plan.overlay, *plan.derived)
    ours = {change.fact_id: change for change in changes}
    known = {(one.fact_id, side): one for one in plan.cited for side in _sides(one)}
    return tuple(_node(change, change.op, ours, known, ()) for change in changes)


def _sides(one: Cited) -> Iterable[str]:
    return _SIDES.values() if one.worlds == BOTH else (one.worlds,)


def _node(
    fact: WorldChange | Cited,
    op: WorldOp,
    ours: Mapping[str, WorldChange],
    known: Mapping[tuple[str, str], Cited],
    above: tuple[str, ...],
) -> ProofNode:
    premises: list[ProofNode] = []
    for name in fact.proof.premises:
        premise = ours.get(name) or known.get((name, _SIDES[op]))
        if premise is not None and name not in above:
            side = premise.op if isinstance(premise, WorldChange) else op
            premises.append(_node(premise, side, ours, known, (*above, fact.fact_id)))
    return ProofNode(
        fact_id=fact.fact_id,
        triple=(fact.subject, fact.relation, fact.object),
        rule=fact.proof.rule,
        premises=tuple(premises),
    )
