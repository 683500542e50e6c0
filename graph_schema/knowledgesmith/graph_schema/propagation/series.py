"""Several interventions: two side by side, a branch over time, and accuracy by scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InterventionNotFound
from knowledgesmith.graph_schema.propagation.pasteable import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.store import GraphStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """One (entity, kind, polarity, asked fact) in both runs; ``difference`` is second minus first change."""

    entity: str
    name: str
    kind: str
    polarity: str
    fact_id: str
    relation: str
    first_before: float | None
    first_after: float | None
    first_delta: float | None
    second_before: float | None
    second_after: float | None
    second_delta: float | None
    difference: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How two ledgers overlap: rows in both, in one only, and how the changes of the shared ones differ."""

    both: int
    only_first: int
    only_second: int
    mean_difference: float | None
    mean_abs_difference: float | None
    same_direction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One committed intervention of a branch: means and verdict counts of its rows that fit."""

    position: int
    intervention: str
    goal: str
    method: str
    rows: int
    mean_before: float | None
    mean_after: float | None
    mean_delta: float | None
    propagated: int
    missed: int
    drifted: int
    preserved: int
    collateral: int
    ineligible: int
    no_old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Accuracy of one intervention that changed ``k`` facts, over the probes whose answer should change."""

    intervention: str
    k: int
    direct_right: int
    direct_n: int
    reverse_right: int
    reverse_n: int


def compare(store: GraphStore, first: str, second: str, *, skip: int, limit: int) -> tuple[list[SideBySide], Pasteable]:
    """Two ledgers row by row, the largest difference of their changes first."""
    params = {"first": first, "second": second, "skip": skip, "limit": limit}
    rows = [SideBySide(**row) for row in store.read("propagation/compare", **params)]
    return rows, pasteable("propagation/compare", **params)


def overlap(store: GraphStore, first: str, second: str) -> tuple[Overlap, Pasteable]:
    """Two ledgers as a whole."""
    params = {"first": first, "second": second}
    (whole,) = store.read("propagation/compare_counts", **params)
    return Overlap(**whole), pasteable("propagation/compare_counts", **params)


def over_time(
    store: GraphStore, branch_id: str, *, entity: str = "", relation: str = "", kind: str = ""
) -> tuple[list[Point], Pasteable]:
    """Committed interventions of a branch in order; the filters (uid, relation name, probe kind) may be empty."""
    params = {"branch_id": branch_id, "relation": relation, "kind": kind}
    name = "propagation/over_time"
    if entity:
        name, params = "propagation/over_time_entity", {**params, "entity": entity}
    return [Point(**row) for row in store.read(name, **params)], pasteable(name, **params)


def scales(store: GraphStore, intervention_ids: Sequence[str]) -> tuple[list[Scale], Pasteable]:
    """Accuracy by scale, the smallest first.

    Raises:
        InterventionNotFound: an id is unknown.
    """
    ids = sorted(set(intervention_ids))
    rows = [Scale(**row) for row in store.read("propagation/scale", ids=ids)]
    missing = sorted(set(ids) - {row.intervention for row in rows})
    if missing:
        raise InterventionNotFound("There is no such intervention.", field="intervention_ids", value=missing[0])
    return rows, pasteable("propagation/scale", ids=ids)
