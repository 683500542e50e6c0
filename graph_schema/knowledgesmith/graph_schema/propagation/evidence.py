"""The probes behind the verdicts: what was asked, and what the model preferred before and after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.propagation.pasteable import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.store import GraphStore, Row


class VerdictName(StrEnum):
    """Verdicts as the ledger's outcomes name them (design: belief, verdict, metrics)."""

    INELIGIBLE = "INELIGIBLE"
    PROPAGATED = "PROPAGATED"
    MISSED = "MISSED"
    DRIFTED = "DRIFTED"
    PRESERVED = "PRESERVED"
    COLLATERAL = "COLLATERAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One planned probe with its outcome.

    ``text`` is what the model read; ``answers_before`` and ``answers_after`` are the options that the graph holds for
    right in each world; ``preferred_before`` and ``preferred_after`` are the model's best options; probabilities are
    normalised over the options. ``seq`` is the ledger row that counts the probe.
    """

    seq: int
    entity: str
    name: str
    level: str
    kind: str
    polarity: str
    relation: str
    hops: int | None
    verdict: str
    text: str
    options: tuple[str, ...]
    answers_before: tuple[str, ...]
    answers_after: tuple[str, ...]
    preferred_before: str
    preferred_after: str
    p_old_before: float
    p_old_after: float
    p_new_before: float
    p_new_after: float
    probe_id: str


def evidence(
    store: GraphStore, intervention_id: str, verdicts: Collection[VerdictName], *, skip: int, limit: int
) -> tuple[list[Evidence], Pasteable]:
    """Probes of the given verdicts (all where none is given), the largest change of belief first."""
    wanted = sorted(verdict.value for verdict in (verdicts or VerdictName))
    params = {"id": intervention_id, "verdicts": wanted, "skip": skip, "limit": limit}
    found = [_evidence(row) for row in store.read("propagation/evidence", **params)]
    return found, pasteable("propagation/evidence", **params)


def _evidence(row: Row) -> Evidence:
    values: Row = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Evidence(**values)
