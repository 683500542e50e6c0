"""The ledger: append-only belief changes of an intervention, and the head beliefs that follow from it.

Head beliefs are a pure function of the ledgers: while an intervention runs they are written with each batch, and after
a discard, a failure or a rollback they are restored, with the same result to the last bit (:mod:`.head_replays`). An
append first finishes what is left of that, and one run at a time holds a branch. So the heads of an entity name the
running intervention exactly when that has rows of it already: an append needs to read the ledger of such entities only,
and takes the heads of all others from the rows that it writes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import FenceRejected, IllegalState
from knowledgesmith.graph_schema.graphs.reading import require_entities
from knowledgesmith.graph_schema.interventions.head_replays import settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction
    from knowledgesmith.graph_schema.types.plans import LedgerSlot

COUNTS: Final = (
    *("n_installed", "n_not_installed", "n_erased", "n_not_erased"),
    *("n_propagated", "n_forgotten", "n_missed", "n_drifted", "n_preserved", "n_collateral", "n_ineligible"),
)
"""Verdict counts of a row: those of targets, then those of what follows and stays."""
_COUNTS: Final = attrgetter(*COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one planned probe showed: the evidence behind a ledger row.

    ``pred_before`` and ``pred_after`` index the best option, -1 is a tie; the probabilities are those of the old and of
    the new world's answers, normalised over the options; ``verdict`` is the verdict's name (design: belief, verdict,
    metrics). ``text_before`` and ``text_after`` are the model's own greedy texts, None where none was taken;
    ``text_disagrees``: the text afterwards does not say the option that was chosen; ``scorers_disagree``: another way
    to score the options chooses another one afterwards.
    """

    probe_id: str
    pred_before: int
    pred_after: int
    p_old_before: float
    p_old_after: float
    p_new_before: float
    p_new_after: float
    verdict: str
    text_before: str | None = None
    text_after: str | None = None
    text_disagrees: bool = False
    scorers_disagree: bool = False


_OUTCOME: Final = attrgetter(*(field.name for field in fields(Outcome)))


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
    n_installed: int = 0
    n_not_installed: int = 0
    n_erased: int = 0
    n_not_erased: int = 0
    n_propagated: int = 0
    n_forgotten: int = 0
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
    """A ledger row as it stands in the graph, with its entity's name and level.

    ``role`` is empty in rows of the verdicts' first scheme, which did not tell targets from what follows.
    """

    seq: int
    entity: str
    name: str
    level: str
    kind: str
    polarity: str
    role: str
    fact_id: str
    relation: str
    hops: int | None
    nearest_target: str
    measured: Measured


class _Unsettled(Exception):
    """Heads of the graph are to be restored first."""


def append(store: GraphStore, intervention_id: str, fence: int, batch: Sequence[tuple[LedgerSlot, Measured]]) -> int:
    """Append consecutive rows, their probes' outcomes and the heads of their entities, in one transaction.

    Rows that an earlier, unacknowledged transaction wrote are passed over, so a retry cannot double them.

    Returns:
        The last sequence number in the ledger.

    Raises:
        FenceRejected: a newer attempt owns the intervention, or it is no longer running.
        EntityNotFound: a row is about an entity that the graph does not have; nothing is written.
        IllegalState: the stored plan lacks a probe that was asked; nothing is written.
    """
    entities = by_entity(batch)
    outcomes = [list(_OUTCOME(outcome)) for _, measured in batch for outcome in measured.outcomes]

    def work(tx: Transaction) -> int:
        found = tx.rows("interventions/ledger/append", id=intervention_id, fence=fence, entities=entities)
        if not found:
            raise FenceRejected("another attempt took over", field="intervention", value=intervention_id)
        if found[0]["unsettled"]:
            raise _Unsettled(found[0]["graph_id"])
        new = [slot.entity for slot, _ in batch if slot.seq > found[0]["earlier"]]
        if len(new) != found[0]["created"]:
            require_entities(tx, found[0]["graph_id"], new, field="ledger")
        if outcomes:
            _write_outcomes(tx, intervention_id, outcomes)
        if found[0]["again"]:
            tx.rows("interventions/ledger/heads", id=intervention_id, uids=found[0]["again"])
        return int(found[0]["written"])

    while True:
        try:
            return store.write_transaction(work)
        except _Unsettled as error:
            settle(store, str(error))


def _write_outcomes(tx: Transaction, intervention_id: str, outcomes: Sequence[Sequence[object]]) -> None:
    """Write what the probes showed onto the stored plan; a row begins with its probe's id."""
    asked = {str(row[0]) for row in outcomes}
    [found] = tx.rows("interventions/ledger/outcomes", id=intervention_id, rows=outcomes)
    if lost := sorted(asked - set(found["written"])):
        raise IllegalState(
            f"the stored plan lacks {len(lost)} of {len(asked)} planned probes, nothing was written",
            field="probe",
            value=lost[0],
            hint="They were taken away by hand; ask for the intervention again.",
        )


def by_entity(batch: Sequence[tuple[LedgerSlot, Measured]]) -> list[list[object]]:
    """Rows as they travel to the database: ``[uid, [[kind, rows]], last sequence number]``, in the order of uid.

    An entity is looked up once, and lists spare the names that maps would repeat in every row. The order of entities
    keeps writers that share some from locking each other out; that of kinds and rows is the order of the heads' sums.
    """
    found: dict[str, dict[str, list[list[object]]]] = {}
    last: dict[str, int] = {}
    for slot, measured in sorted(batch, key=lambda pair: (pair[0].entity, pair[0].kind.value, pair[0].seq)):
        found.setdefault(slot.entity, {}).setdefault(slot.kind.value, []).append(_row(slot, measured))
        last[slot.entity] = max(slot.seq, last.get(slot.entity, 0))
    return [[uid, [[kind, rows] for kind, rows in kinds.items()], last[uid]] for uid, kinds in found.items()]


def _row(slot: LedgerSlot, measured: Measured) -> list[object]:
    """One row in the order that ``interventions/ledger/append`` names."""
    return [
        *(slot.seq, slot.polarity.value, slot.role.value if slot.role else None, slot.fact_id, slot.relation),
        *(measured.before, measured.after, measured.new_before, measured.new_after, measured.delta),
        *(slot.hops, slot.nearest_target, measured.n),
        *_COUNTS(measured),
    ]


def read(store: GraphStore, intervention_id: str, *, after: int, limit: int) -> list[LedgerRow]:
    """Ledger rows with a larger sequence number than ``after``, in order, at most ``limit``."""
    return [
        parse_row(row) for row in store.read("interventions/ledger/read", id=intervention_id, after=after, limit=limit)
    ]


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
        role=values.get("role") or "",
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
            **{name: values.get(name, 0) for name in COUNTS},
        ),
    )
