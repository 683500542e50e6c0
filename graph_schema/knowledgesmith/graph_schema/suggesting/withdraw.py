"""Withdraws accepted traits: they are no longer noted on the graph, so the next import declares what the files say.

The catalogue stays as it is until then. Accepting a trait may have taken facts away, overwritten a type or set what
follows from it on another relation; only the files say what was there before, and importing them brings all of it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, parse_accepted
from knowledgesmith.graph_schema.errors import GraphNotFound, InvalidInput
from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction


def withdraw(store: GraphStore, graph_id: str, withdrawn: Sequence[Acceptance]) -> tuple[Acceptance, ...]:
    """Take these traits from those that were accepted and return the ones that are left.

    Raises:
        GraphNotFound: there is no graph of this id.
        GraphIncomplete: it is being imported, or its import was cut off.
        InvalidInput: nothing is withdrawn, or a trait was not accepted.
    """
    if not withdrawn:
        raise InvalidInput("nothing is withdrawn", field="withdrawn", hint="Name at least one accepted trait.")
    return store.write_transaction(lambda tx: _withdraw(tx, graph_id, withdrawn))


def _withdraw(tx: Transaction, graph_id: str, withdrawn: Sequence[Acceptance]) -> tuple[Acceptance, ...]:
    """Under the graph's lock, so that neither an import nor an acceptance comes in between."""
    rows = tx.rows("suggesting/lock", graph_id=graph_id)
    require_graph(tx, graph_id)
    if not rows:
        raise GraphNotFound("there is no graph of this id", field="graph_id", value=graph_id, hint="List the graphs.")
    noted = parse_accepted(rows[0]["accepted"])
    if unknown := sorted(set(withdrawn) - set(noted)):
        known = "; ".join(item.label for item in noted[:10]) or "none"
        raise InvalidInput(
            "this trait was not accepted for the graph",
            field="withdrawn",
            value=unknown[0].label,
            hint=f"Accepted are: {known}. What the files declare is changed in the files.",
        )
    left = tuple(item for item in noted if item not in set(withdrawn))
    stored = [item.dump() for item in left]
    tx.rows("suggesting/accepted", graph_id=graph_id, accepted=stored, digest=rows[0]["digest"], removed=0)
    return left
