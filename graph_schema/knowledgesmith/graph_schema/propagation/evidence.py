"""The probes behind the verdicts: what was asked, and what the model preferred before and after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.propagation.query_text import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore, Row
    from knowledgesmith.graph_schema.types.probes import Role


class VerdictName(StrEnum):
    """Verdicts as the ledger's outcomes name them (design: belief, verdict, metrics)."""

    INELIGIBLE = "INELIGIBLE"
    INSTALLED = "INSTALLED"
    NOT_INSTALLED = "NOT_INSTALLED"
    ERASED = "ERASED"
    NOT_ERASED = "NOT_ERASED"
    PROPAGATED = "PROPAGATED"
    FORGOTTEN = "FORGOTTEN"
    MISSED = "MISSED"
    DRIFTED = "DRIFTED"
    PRESERVED = "PRESERVED"
    COLLATERAL = "COLLATERAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One planned probe with its outcome.

    ``text`` is what the model read, ``counter_text`` the denial that a CONFLICT probe also asked; ``role`` is empty
    under the verdicts' first scheme. ``answers_before`` and ``answers_after`` are the options that the graph holds for
    right in each world; ``preferred_before`` and ``preferred_after`` are the model's best options, empty for a tie;
    probabilities are normalised over the options. ``text_before`` and ``text_after`` are the model's own greedy texts,
    None where none was taken; ``text_disagrees`` says that the text afterwards is not the choice, ``scorers_disagree``
    that another scorer would choose otherwise. ``seq`` is the ledger row that counts the probe.
    """

    seq: int
    entity: str
    name: str
    level: str
    kind: str
    polarity: str
    role: str
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
    counter_text: str
    text_before: str | None
    text_after: str | None
    text_disagrees: bool
    scorers_disagree: bool


def evidence(
    store: GraphStore,
    intervention_id: str,
    verdicts: Collection[VerdictName],
    *,
    roles: Collection[Role] = (),
    skip: int,
    limit: int,
) -> tuple[list[Evidence], Pasteable]:
    """Probes of the given verdicts and roles (all where none is given): targets first, then the largest change."""
    wanted = sorted(verdict.value for verdict in (verdicts or VerdictName))
    chosen = sorted(role.value for role in roles)
    params = {"id": intervention_id, "verdicts": wanted, "roles": chosen, "skip": skip, "limit": limit}
    found = [_evidence(row) for row in store.read("propagation/evidence", **params)]
    return found, pasteable("propagation/evidence", **params)


def _evidence(row: Row) -> Evidence:
    values: Row = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Evidence(**values)
