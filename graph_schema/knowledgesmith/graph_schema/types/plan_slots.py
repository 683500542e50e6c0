"""Ledger rows of a plan: they follow from the planned probes, so only those are stored."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from knowledgesmith.graph_schema.types.plans import LedgerSlot
from knowledgesmith.graph_schema.types.probes import PlannedProbe


def slots_of(probes: Iterable[PlannedProbe]) -> tuple[LedgerSlot, ...]:
    """One slot for each ``row_seq``; the probes must be in plan order."""
    slots: list[LedgerSlot] = []
    for seq, group in groupby(probes, key=lambda planned: planned.row_seq):
        rows = list(group)
        first = rows[0]
        slots.append(
            LedgerSlot(
                seq=seq,
                entity=first.probe.anchor,
                fact_id=first.asked_fact_id,
                relation=first.relation,
                kind=first.probe.kind,
                polarity=first.polarity,
                role=first.role,
                hops=first.hops,
                nearest_target=first.nearest_target,
                probe_ids=tuple(row.probe.id for row in rows),
            )
        )
    return tuple(slots)
