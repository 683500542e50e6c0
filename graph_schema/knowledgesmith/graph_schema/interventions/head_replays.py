"""Head beliefs restored from the ledgers, in transactions of bounded size, and only where something changed.

Whatever changes which ledgers make up the heads of a graph says so on the graph, in the transaction of the change:
``heads_todo`` are the steps that are left, ``heads_after`` is the place in the first one. A first batch is done in that
same transaction, so that a small ledger is replayed all or nothing; the rest follows batch by batch, each moving the
place on in its own transaction. Where that is cut off, whoever comes next finishes it: the next append, end, rollback,
selection or deletion, and an idle worker.

Where a ledger is damaged, restoring fails, and the graph says so (``heads_failed``). Runs then write their rows and
heads beside it, and the steps that are left know nothing of these: the next change begins anew, with all ledgers that
count then.

A step is ``clear`` (remove all heads), ``fill RUN`` (heads of the run's entities that have none) or ``mend RUN`` (heads
of the run's entities, whatever stands there). An entity's heads are always derived from all ledgers that count, so a
step may be done twice, and in any order.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from knowledgesmith.graph_schema.errors import Cancelled, GraphLocked, GraphUnavailable, KnowledgeSmithError, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
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
    for row in tx.rows("interventions/ledger/replay_intervention", id=intervention_id):
        graph_id = str(row["graph_id"])
        if row["failed"]:
            return renew_heads(tx, graph_id, start=start)
        return "" if start and carry_on(tx, graph_id) else graph_id
    return ""


def renew_heads(tx: Transaction, graph_id: str, *, start: bool = True) -> str:
    """Restore all heads of a graph from the ledgers of its selected branch; :func:`settle` does what is left.

    Args:
        tx: the transaction of what changed.
        graph_id: the graph.
        start: do a first batch at once; else only say what is to be done.

    Returns:
        The graph where heads are left to be restored, else empty.
    """
    tx.rows("interventions/ledger/replay_graph", graph_id=graph_id)
    return "" if start and carry_on(tx, graph_id) else graph_id


def with_heads(store: GraphStore, change: Callable[[Transaction, bool], tuple[T, str]]) -> T:
    """Carry out a change of what counts for the heads, in one transaction with a first batch of them; then the rest.

    Where heads cannot be restored (a damaged ledger, no memory), the change stands all the same: who wants to delete,
    roll back or leave behind what is damaged must be able to.

    Args:
        store: the database.
        change: makes the change and says to :func:`mend_heads` or :func:`renew_heads` what is to be restored, with its
            second argument as ``start``; it returns what the caller wants, and the graph where heads are left.
    """
    try:
        done, graph_id = store.write_transaction(lambda tx: change(tx, True))
    except Exception as error:
        if isinstance(error, KnowledgeSmithError) and not isinstance(error, TooLarge):
            raise
        _LOG.exception("head beliefs cannot be restored together with what changed")
        done, graph_id = store.write_transaction(lambda tx: change(tx, False))
    settle_later(store, graph_id)
    return done


def carry_on(tx: Transaction, graph_id: str, *, limit: int | None = None) -> bool:
    """Do at most ``limit`` (``BATCH``) rows of what is left; whether the heads are whole then.

    What failed before is begun anew.
    """
    place = tx.rows("interventions/ledger/replay_place", graph_id=graph_id)
    if place and place[0]["failed"]:
        tx.rows("interventions/ledger/replay_graph", graph_id=graph_id)
        place = tx.rows("interventions/ledger/replay_place", graph_id=graph_id)
    todo: list[str] = []
    after = 0
    for row in place:
        todo, after = list(row["todo"]), int(row["after"])
    if not todo:
        return True
    order = {
        row["id"]: place for place, row in enumerate(tx.rows("interventions/ledger/replay_order", graph_id=graph_id))
    }
    left = limit or BATCH
    while todo and left > 0:
        step, _, run = todo[0].partition(" ")
        if step == "clear":
            done = int(tx.rows("interventions/ledger/clear_heads", graph_id=graph_id, limit=left)[0]["entities"])
        else:
            found = tx.rows("interventions/ledger/touched", id=run, after=after, limit=left)[0]
            done, after = max(0, min(left, int(found["ahead"]))), after + left
            afresh = step == "mend"
            tx.rows("interventions/ledger/restore", graph_id=graph_id, uids=found["uids"], order=order, afresh=afresh)
        if done < left:
            todo, after = todo[1:], 0
        left -= done
    tx.rows("interventions/ledger/replay_move", graph_id=graph_id, todo=todo, after=after)
    return not todo


def settle(store: GraphStore, graph_id: str) -> bool:
    """Finish what is left of restoring a graph's heads, one batch a transaction; nothing where nothing is left.

    Returns:
        Whether the heads are whole. They are not where a ledger is damaged; this is logged, and kept from holding up
        the appends of other runs until something else changes.

    Raises:
        GraphUnavailable: the database does not answer; what is left is kept.
        TooLarge: it has at present not even the memory for a single row; what is left is kept.
    """
    try:
        _to_the_end(store, graph_id)
    except (GraphUnavailable, TooLarge, Cancelled):
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong with one ledger holds up nobody
        _LOG.exception("the head beliefs of graph %s cannot be restored", graph_id)
        store.write("interventions/ledger/replay_failed", graph_id=graph_id)
        return False
    return True


def _to_the_end(store: GraphStore, graph_id: str) -> None:
    """Batch after batch; where one needs too much memory, smaller ones."""
    size = BATCH
    while True:
        try:
            if store.write_transaction(partial(carry_on, graph_id=graph_id, limit=size)):
                return
        except TooLarge:
            size //= 2
            if not size:
                raise


def settle_later(store: GraphStore, graph_id: str) -> None:
    """As :func:`settle`, after a change that stands: where the database cannot do it now, whoever comes next does.

    An empty ``graph_id`` says that nothing is left.
    """
    try:
        if graph_id:
            settle(store, graph_id)
    except (GraphUnavailable, TooLarge, Cancelled) as error:
        _LOG.warning("head beliefs of graph %s are restored later: %s", graph_id, error.message)


def settle_all(store: GraphStore) -> None:
    """Finish what is left on every graph, except where it failed, nothing can be written now, or memory is short.

    Raises:
        GraphUnavailable: the database does not answer; what is left is kept.
    """
    for row in store.read("interventions/ledger/replays_left"):
        with suppress(GraphLocked, TooLarge):
            settle(store, row["graph_id"])
