"""The ledger: append-only belief changes of an intervention, and the head beliefs that follow from it.

Head beliefs are a pure function of the ledgers: the same query writes them batch by batch while a job runs and
replays them after a discard, a failure or a rollback.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import FenceRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.graph_schema.plan_types import LedgerSlot
    from knowledgesmith.graph_schema.store import GraphStore, Row, Transaction

COUNTS = ("n_propagated", "n_missed", "n_drifted", "n_preserved", "n_collateral", "n_ineligible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one planned probe showed: the evidence behind a ledger row.

    ``pred_before`` and ``pred_after`` index the best option; the probabilities are those of the old and of the new
    world's answers, normalised over the options; ``verdict`` is the verdict's name (design: belief, verdict, metrics).
    """

    probe_id: str
    pred_before: int
    pred_after: int
    p_old_before: float
    p_old_after: float
    p_new_before: float
    p_new_after: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the probes of one ledger slot showed: means over the probes, and verdict counts.

    ``before`` and ``after`` are the mean probability of the old world's answer; None where that world has none.
    ``outcomes`` are the probes one by one; they are stored with the plan, not in the row.
    """

    before: float | None
    after: float | None
    new_before: float | None
    new_after: float | None
    n: int
    n_propagated: int = 0
    n_missed: int = 0
    n_drifted: int = 0
    n_preserved: int = 0
    n_collateral: int = 0
    n_ineligible: int = 0
    outcomes: tuple[Outcome, ...] = ()

    @property
    def delta(self) -> float | None:
        """``after - before`` where both exist."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A ledger row as it stands in the graph, with its entity's name and level."""

    seq: int
    entity: str
    name: str
    level: str
    kind: str
    polarity: str
    fact_id: str
    relation: str
    hops: int | None
    nearest_target: str
    measured: Measured


def append(store: GraphStore, intervention_id: str, fence: int, batch: Sequence[tuple[LedgerSlot, Measured]]) -> int:
    """Append consecutive rows, their probes' outcomes and the heads of their entities, in one transaction.

    Rows that an earlier, unacknowledged transaction wrote are passed over, so a retry cannot double them.

    Returns:
        The last sequence number in the ledger.

    Raises:
        FenceRejected: a newer attempt owns the intervention, or it is no longer running.
    """
    rows = [row_of(slot, measured) for slot, measured in sorted(batch, key=lambda pair: pair[0].entity)]
    uids = sorted({slot.entity for slot, _ in batch})
    outcomes = [list(astuple(outcome)) for _, measured in batch for outcome in measured.outcomes]

    def work(tx: Transaction) -> int:
        written = tx.rows("ledger/append", id=intervention_id, fence=fence, rows=rows)
        if not written:
            raise FenceRejected("another attempt took over", field="intervention", value=intervention_id)
        if outcomes:
            tx.rows("ledger/outcomes", id=intervention_id, rows=outcomes)
        tx.rows("ledger/heads", id=intervention_id, uids=uids)
        return int(written[0]["written"])

    return store.write_transaction(work)


def row_of(slot: LedgerSlot, measured: Measured) -> dict[str, object]:
    """A ledger row as it travels to the database."""
    counts = {name: getattr(measured, name) for name in COUNTS}
    properties: dict[str, object] = {
        "kind": slot.kind.value,
        "polarity": slot.polarity.value,
        "fact_id": slot.fact_id,
        "relation": slot.relation,
        "before": measured.before,
        "after": measured.after,
        "new_before": measured.new_before,
        "new_after": measured.new_after,
        "delta": measured.delta,
        "hops": slot.hops,
        "nearest_target": slot.nearest_target,
        "n": measured.n,
        **counts,
    }
    return {"seq": slot.seq, "entity": slot.entity, "properties": properties}


def read(store: GraphStore, intervention_id: str, *, after: int, limit: int) -> list[LedgerRow]:
    """Ledger rows with a larger sequence number than ``after``, in order, at most ``limit``."""
    return [parse_row(row) for row in store.read("ledger/read", id=intervention_id, after=after, limit=limit)]


def parse_row(row: Row) -> LedgerRow:
    """One row of a query that returns ``entity, name, level, row``."""
    values = row["row"]
    return LedgerRow(
        seq=values["seq"],
        entity=row["entity"],
        name=row["name"],
        level=row["level"] or "",
        kind=values["kind"],
        polarity=values["polarity"],
        fact_id=values["fact_id"],
        relation=values["relation"],
        hops=values.get("hops"),
        nearest_target=values.get("nearest_target") or "",
        measured=Measured(
            before=values.get("before"),
            after=values.get("after"),
            new_before=values.get("new_before"),
            new_after=values.get("new_after"),
            n=values["n"],
            **{name: values[name] for name in COUNTS},
        ),
    )


def replay_heads(tx: Transaction, graph_id: str) -> None:
    """Rebuild the head beliefs of a graph from the ledgers of its selected branch."""
    tx.rows("ledger/clear_heads", graph_id=graph_id)
    for row in tx.rows("ledger/replay_order", graph_id=graph_id):
        tx.rows("ledger/heads", id=row["id"], uids=None)
