"""Brings a transaction's graph into the state of a branch."""

from __future__ import annotations

from collections.abc import Iterable

from knowledgesmith.graph_schema.reasoning.closure import Rules
from knowledgesmith.graph_schema.storage.store import Transaction
from knowledgesmith.graph_schema.types.plans import WorldChange, WorldOp


def apply_overlay(tx: Transaction, *, graph_id: str, rules: Rules, overlay: Iterable[WorldChange]) -> None:
    """Bring the transaction's graph into the state of a branch: the last word on each fact counts."""
    net = {change.fact_id: change for change in overlay}
    rows: dict[WorldOp, list[list[str]]] = {WorldOp.ASSERT: [], WorldOp.RETRACT: []}
    for change in sorted(net.values(), key=lambda c: (c.subject, c.object, c.relation)):
        if change.relation in rules.types:  # a later import may have dropped the relation
            rel_type = rules.types[change.relation]
            rows[change.op].append([change.subject, rel_type, change.object, change.fact_id])
    if net:
        tx.rows("worlds/apply", graph_id=graph_id, asserts=rows[WorldOp.ASSERT], retracts=rows[WorldOp.RETRACT])
