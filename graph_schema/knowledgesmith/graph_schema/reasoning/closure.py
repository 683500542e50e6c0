"""The closure: facts that follow from the asserted ones by the relations' traits, in a transaction.

Rounds go on until nothing new follows: what a chain of any length or a ring leads to is found. A graph of which too
much follows is refused.

Derived facts exist only inside a transaction that is rolled back. Each relationship carries ``derived: true``, the
``round`` in which it appeared and the ``world`` it belongs to; its proof comes back as :class:`Derived`. A
relationship without ``world`` belongs to every world; so the state before and after an update can stand side by side
in one transaction, and the same probe queries read either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from knowledgesmith.graph_schema.catalogue.rules import Derived as Derived
from knowledgesmith.graph_schema.catalogue.rules import Rule as Rule
from knowledgesmith.graph_schema.catalogue.rules import Rules as Rules
from knowledgesmith.graph_schema.catalogue.rules import Triple as Triple
from knowledgesmith.graph_schema.catalogue.rules import rules_of as rules_of
from knowledgesmith.graph_schema.reasoning.forward_chaining import derive
from knowledgesmith.graph_schema.reasoning.placing import Placement, place
from knowledgesmith.graph_schema.storage.store import Transaction

BEFORE: Final = 0
"""World before the update (and the only world of a bulk run)."""

AFTER: Final = 1
"""World after the update."""


def asserted_in(tx: Transaction, *, graph_id: str, rules: Rules, world: int = BEFORE) -> list[Triple]:
    """The asserted facts of one world of a transaction, those of relations of the catalogue."""
    return [
        (row["subject"], rules.names[rel_type], obj)
        for row in tx.rows("worlds/facts", graph_id=graph_id, world=world)
        for rel_type, obj in row["facts"]
        if rel_type in rules.names
    ]


def close(tx: Transaction, *, graph_id: str, rules: Rules, world: int = BEFORE) -> dict[str, Derived]:
    """Derive all facts of one world, which must not be closed yet, and write them into the transaction.

    Args:
        tx: a transaction that will be rolled back.
        graph_id: the graph.
        rules: from :func:`rules_of`.
        world: :data:`BEFORE` or :data:`AFTER`.

    Returns:
        The derived facts by fact id.

    Raises:
        TooLarge: more facts follow than :data:`~knowledgesmith.graph_schema.reasoning.forward_chaining.MAX_DERIVED`.
    """
    if not rules.any:
        return {}
    derived = derive(asserted_in(tx, graph_id=graph_id, rules=rules, world=world), graph_id=graph_id, rules=rules)
    placements = (Placement(fact.triple, fact.fact_id, fact.round, world) for fact in derived.values())
    place(tx, graph_id=graph_id, types=rules.types, facts=placements)
    return derived


def clear(tx: Transaction, *, graph_id: str, derived: Mapping[str, Derived], world: int) -> None:
    """Remove the derived facts of one world from the transaction."""
    subjects = sorted({fact.triple[0] for fact in derived.values()})
    if subjects:
        tx.rows("reasoning/clear", graph_id=graph_id, world=world, subjects=subjects)


def leaves(derived: Mapping[str, Derived], fact: str) -> frozenset[str]:
    """Asserted facts at the bottom of the proof of ``fact`` (itself, when it is not derived)."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [fact]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        proof = derived.get(current)
        if proof is None:
            found.add(current)
        else:
            todo.extend(proof.premises)
    return frozenset(found)
