"""The proofs of a plan as trees, put together from what the plan says of each fact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.reasoning.explanations import BOTH
from knowledgesmith.graph_schema.types.plans import Cited, Plan, WorldChange, WorldOp

SIDES: Final = {WorldOp.RETRACT: "before", WorldOp.ASSERT: "after"}


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
    return SIDES.values() if one.worlds == BOTH else (one.worlds,)


def _node(
    fact: WorldChange | Cited,
    op: WorldOp,
    ours: Mapping[str, WorldChange],
    known: Mapping[tuple[str, str], Cited],
    above: tuple[str, ...],
) -> ProofNode:
    premises: list[ProofNode] = []
    for name in fact.proof.premises:
        premise = ours.get(name) or known.get((name, SIDES[op]))
        if premise is not None and name not in above:
            side = premise.op if isinstance(premise, WorldChange) else op
            premises.append(_node(premise, side, ours, known, (*above, fact.fact_id)))
    return ProofNode(
        fact_id=fact.fact_id,
        triple=(fact.subject, fact.relation, fact.object),
        rule=fact.proof.rule,
        premises=tuple(premises),
    )
