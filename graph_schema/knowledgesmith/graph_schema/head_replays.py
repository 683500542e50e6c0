"""Head beliefs restored from the ledgers, in transactions of bounded size, and only where something changed.

Whatever changes which ledgers make up the heads of a graph says so on the graph, in the transaction of the change:
``heads_todo`` are the steps that are left, ``heads_after`` is the place in the first one. A first batch is done in that
same transaction, so that a small ledger is replayed all or nothing; the rest follows batch by batch, each moving the
place on in its own transaction. Where that is cut off, whoever comes next finishes it: the next append, end, rollback,
selection or deletion, and an idle worker.

A step is ``clear`` (remove all heads), ``fill RUN`` (heads of the run's entities that have none) or ``mend RUN`` (heads
of the run's entities, whatever stands there). An entity's heads are always derived from all ledgers that count, so a
step may be done twice, and in any order.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import Cancelled, GraphLocked, GraphUnavailable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.store import GraphStore, Transaction

_LOG = logging.getLogger(__name__)
BATCH: Final = 2_000
"""Ledger rows, or entities without heads, of one transaction."""


def mend_heads(tx: Transaction, intervention_id: str, *, start: bool = True) -> str:
    """Restore the heads that the ledger of a run made, which counts no longer; :func:`settle` does what is left.

    Args:
        tx: the transaction that makes the ledger count no longer.
        intervention_id: the run.
        start: do a first batch at once; else only say what is to be done.

    Returns:
        The graph where heads are left to be restored; empty where none are. A run without rows, and one of a branch
        that is not selected, made no heads.
    """
    for row in tx.rows("ledger/replay_run", id=intervention_id):
        graph_id = str(row["graph_id"])
        return "" if start and carry_on(tx, graph_id) else graph_id
    return ""


def renew_heads(tx: Transaction, graph_id: str) -> str:
    """Restore all heads of a graph from the ledgers of its selected branch; :func:`settle` does what is left.

    Returns:
        The graph where heads are left to be restored, else empty.
    """
    tx.rows("ledger/replay_graph", graph_id=graph_id)
    return "" if carry_on(tx, graph_id) else graph_id


def carry_on(tx: Transaction, graph_id: str) -> bool:
    """Do at most ``BATCH`` rows of what is left; whether the heads are whole then."""
    todo: list[str] = []
    after = 0
    for row in tx.rows("ledger/replay_place", graph_id=graph_id):
        todo, after = list(row["todo"]), int(row["after"])
    if not todo:
        return True
    order = {row["id"]: place for place, row in enumerate(tx.rows("ledger/replay_order", graph_id=graph_id))}
    left = BATCH
    while todo and left > 0:
        step, _, run = todo[0].partition(" ")
        if step == "clear":
            done = int(tx.rows("ledger/clear_heads", graph_id=graph_id, limit=left)[0]["entities"])
        else:
            found = tx.rows("ledger/touched", id=run, after=after, limit=left)[0]
            done, after = max(0, min(left, int(found["ahead"]))), after + left
            afresh = step == "mend"
            tx.rows("ledger/restore", graph_id=graph_id, uids=found["uids"], order=order, afresh=afresh)
        if done < left:
            todo, after = todo[1:], 0
        left -= done
    tx.rows("ledger/replay_move", graph_id=graph_id, todo=todo, after=after)
    return not todo


def settle(store: GraphStore, graph_id: str) -> bool:
    """Finish what is left of restoring a graph's heads, one batch a transaction; nothing where nothing is left.

    Returns:
        Whether the heads are whole. They are not where a ledger is damaged; this is logged, and kept from holding up
        the appends of other runs until something else changes.

    Raises:
        GraphUnavailable: the database does not answer; what is left is kept.
    """
    try:
        while not store.write_transaction(lambda tx: carry_on(tx, graph_id)):
            pass
    except (GraphUnavailable, Cancelled):
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with one ledger holds up nobody
        _LOG.exception("the head beliefs of graph %s cannot be restored", graph_id)
        store.write("ledger/replay_failed", graph_id=graph_id)
        return False
    return True


def settle_later(store: GraphStore, graph_id: str) -> None:
    """As :func:`settle`, after a change that stands: where the database is gone, it is left to whoever comes next.

    An empty ``graph_id`` says that nothing is left.
    """
    try:
        if graph_id:
            settle(store, graph_id)
    except (GraphUnavailable, Cancelled) as error:
        _LOG.warning("head beliefs of graph %s are restored later: %s", graph_id, error.message)


def settle_all(store: GraphStore) -> None:
    """Finish what is left on every graph, except where it failed, or somebody holds what is to be written.

    Raises:
        GraphUnavailable: the database does not answer; what is left is kept.
    """
    for row in store.read("ledger/replays_left"):
        with suppress(GraphLocked):
            settle(store, row["graph_id"])
