"""Several interventions: two side by side, a branch over time, and accuracy by scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import InterventionNotFound
from knowledgesmith.graph_schema.propagation.counts import Counts, values_of
from knowledgesmith.graph_schema.propagation.noise import floor, withheld
from knowledgesmith.graph_schema.propagation.query_text import Pasteable, pasteable
from knowledgesmith.graph_schema.propagation.rows import chances

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore, Row

MOST_COMMITS: Final = 1000
"""Interventions of a branch that are told of at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """One (entity, kind, polarity, asked fact) in both runs; ``difference`` is second minus first change."""

    entity: str
    name: str
    kind: str
    polarity: str
    role: str
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
class Point(Counts):
    """The rows of one role of a committed intervention that fit: means and verdict counts.

    ``scheme`` is that of its verdicts, ``wrecked`` says that its revision was found unhealthy. ``noise`` holds the same
    rates of ``placebo``, a run of the branch that changed nothing (empty where there is none), by name.
    """

    position: int
    intervention: str
    goal: str
    method: str
    scheme: int
    wrecked: bool
    role: str
    rows: int
    mean_before: float | None
    mean_after: float | None
    mean_delta: float | None
    placebo: str = ""
    noise: Mapping[str, float | None] = field(default_factory=dict[str, "float | None"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Accuracy of one intervention that changed ``k`` facts, over the probes whose answer should change.

    ``withheld`` says why it is not to be shown: its revision was found unhealthy.
    """

    intervention: str
    k: int
    direct_right: int
    direct_n: int
    reverse_right: int
    reverse_n: int
    withheld: str = ""


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
    store: GraphStore,
    branch_id: str,
    *,
    entity: str = "",
    relation: str = "",
    kind: str = "",
    after: int = 0,
    limit: int = MOST_COMMITS,
) -> tuple[list[Point], Pasteable]:
    """Committed interventions of a branch in order, role by role; filters (uid, relation, probe kind) may be empty.

    ``after`` is a place in the order of commits, ``limit`` counts interventions.
    """
    params: dict[str, object] = {
        "branch_id": branch_id,
        "relation": relation,
        "kind": kind,
        "after": after,
        "limit": limit,
    }
    name = "propagation/over_time"
    if entity:
        name, params = "propagation/over_time_entity", {**params, "entity": entity}
    rows = store.read(name, **params)
    ids = sorted({row["intervention"] for row in rows})
    guessed = chances(store, ids, by="all", entity=entity, relation=relation, kind=kind)
    placebos = _placebos(store, rows)
    noise = _noise(store, placebos.values(), entity=entity, relation=relation, kind=kind)
    found: list[Point] = []
    for row in rows:
        values: Row = {**row, **guessed.get((row["intervention"], "all", row["role"]), {})}
        placebo = placebos[row["intervention"]]
        found.append(Point(**values, placebo=placebo, noise=noise.get((placebo, row["role"]), {})))
    return found, pasteable(name, **params)


def _placebos(store: GraphStore, rows: Sequence[Row]) -> dict[str, str]:
    """The placebo of each intervention of a branch: one for all of a goal and scheme, but for a placebo itself."""
    found: dict[tuple[str, int, str], str] = {}
    placebos: dict[str, str] = {}
    for row in rows:
        one = row["intervention"]
        key = (row["goal"], row["scheme"], one if row["method"] == "placebo" else "")
        if key not in found:
            found[key] = floor(store, one).placebo
        placebos[one] = found[key]
    return placebos


def _noise(
    store: GraphStore, placebos: Iterable[str], *, entity: str, relation: str, kind: str
) -> dict[tuple[str, str], dict[str, float | None]]:
    """Rates of placebos by intervention and role, over the rows that fit."""
    params = {"ids": sorted(set(placebos) - {""}), "entity": entity, "relation": relation, "kind": kind}
    return {
        (row.pop("intervention"), row.pop("role")): values_of(Counts(**row))
        for row in store.read("propagation/noise_rates", **params)
    }


def scales(store: GraphStore, intervention_ids: Sequence[str]) -> tuple[list[Scale], Pasteable]:
    """Accuracy by scale, the smallest first.

    Raises:
        InterventionNotFound: an id is unknown.
    """
    ids = sorted(set(intervention_ids))
    rows: list[Scale] = []
    for row in store.read("propagation/scale", ids=ids):
        reason = withheld(row.pop("reasons"), healthy=row.pop("healthy"))
        rows.append(Scale(**row, withheld=reason))
    missing = sorted(set(ids) - {row.intervention for row in rows})
    if missing:
        raise InterventionNotFound("There is no such intervention.", field="intervention_ids", value=missing[0])
    return rows, pasteable("propagation/scale", ids=ids)
