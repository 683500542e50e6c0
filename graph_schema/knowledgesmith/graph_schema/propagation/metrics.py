"""The paper's metrics as counts: collateral change, residual retention, conflict, consistency, plasticity.

The counts come from named queries; intervals are computed where they are shown. Definitions (El: probes that the model
answered rightly before; Q+ should change, Q- should stay; a0 and a1: answers of the old and of the closed new graph):

- ``installed``, ``erased``: share of the questions about the request's own facts that are answered with a1, or not with
  a0 any more, by choice and by greedy text; whatever the model knew before (no El).
- ``propagated``: share of El in what follows that has an a1 and is now answered with it; ``forgotten``: of El without
  an a1, those no longer answered with a0. A choice that did not move is neither.
- ``rr``: share of El in what follows that is still answered with a0.
- ``ccr``: share of El in Q- that is no longer answered rightly. All of these by hop band, level and kind.
- ``conflict_same``: facts of functional relations, asked as statements, whose old and new statement are both held
  for true. ``conflict_any``: facts with a question that supports a0 and one that supports a1. ``…_before`` is the
  same before the update, to be subtracted.
- ``plasticity``: direct questions answered with a1, for an erasure with anything but a0; ``plasticity_eligible``: of
  those that could move there, being answered with a0 (or having none) and not with a1 before. ``corrected`` is
  ``1 - clip((acc(a0) - chance) / (1 - chance), 0, 1)`` for an erasure.
- ``consistency_new``, ``_old``, ``_mixed``: facts whose questions all follow one world, or not;
  ``forms_agree``: facts whose direct and reverse questions follow the same one by majority.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.propagation.counts import GUESSED, ROLES, Counts, total
from knowledgesmith.graph_schema.propagation.noise import floor
from knowledgesmith.graph_schema.propagation.query_text import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One rate as counts, ``successes`` of ``trials``, beside what it would be for nothing.

    ``chance`` is the rate of a uniform guesser, ``placebo`` that of a run on the same branch that changed nothing.
    ``group_by`` is ``all``, ``band``, ``level`` or ``kind``, ``group`` its value. ``trials`` of a rate over eligible
    probes are the eligible ones; ``asked`` counts all.
    """

    name: str
    group_by: str
    group: str
    successes: int
    trials: int
    asked: int
    chance: float | None = None
    corrected: float | None = None
    placebo: float | None = None

    @property
    def share(self) -> float | None:
        """The rate; None without trials."""
        return self.successes / self.trials if self.trials else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(Counts):
    """Verdict counts of one hop band, level, kind and role."""

    band: str
    level: str
    kind: str
    role: str
    rows: int
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All metrics of one intervention.

    ``withheld`` says why its headline rates are left out: its revision was found unhealthy. ``placebo`` is the run that
    the noise floor of the metrics comes from, empty where none was measured on the branch.
    """

    metrics: tuple[Metric, ...]
    queries: tuple[Pasteable, ...]
    placebo: str = ""
    withheld: str = ""
    scheme: int = 1


HEADLINES: Final = frozenset(
    {
        *("installed", "erased", "propagated", "forgotten", "residual", "rr"),
        *("plasticity", "plasticity_eligible", "forms_agree", "conflict_same", "conflict_any"),
        *("consistency_new", "consistency_old", "consistency_mixed"),
    }
)
"""Rates that a wreck, which answers at random, could have better than a good edit, and those they follow from.

The one table of what is withheld, wherever rates are shown. What a wreck broke (collateral) and what was so before it
stay: no high figure there is a success.
"""
_NAMES: Final = {"residual": "rr", "collateral": "ccr"}


def metrics(store: GraphStore, intervention_id: str) -> Report:
    """All metrics of one intervention beside those of the branch's placebo, and the queries they were counted with."""
    found = _metrics(store, intervention_id)
    state = floor(store, intervention_id)
    noise = _metrics(store, state.placebo) if state.placebo else ()
    shares = {(m.name, m.group_by, m.group): m.share for m in noise}
    kept = [
        replace(m, placebo=shares.get((m.name, m.group_by, m.group)))
        for m in found
        if not (state.withheld and m.name in HEADLINES)
    ]
    names = ("propagation/rates", "propagation/guesses", "propagation/fact_metrics", "propagation/noise_floor")
    return Report(
        metrics=tuple(kept),
        queries=tuple(pasteable(name, id=intervention_id) for name in names),
        placebo=state.placebo,
        withheld=state.withheld,
        scheme=state.scheme,
    )


def _metrics(store: GraphStore, intervention_id: str) -> list[Metric]:
    guesses = {_place(row): row for row in store.read("propagation/guesses", id=intervention_id)}
    cells = [_cell(row, guesses.get(_place(row), {})) for row in store.read("propagation/rates", id=intervention_id)]
    facts = store.read("propagation/fact_metrics", id=intervention_id)
    return [*spread(cells), *(fact_metrics(facts[0]) if facts else ())]


def _place(row: Row) -> tuple[str, str, str, str]:
    return (row["band"], row["level"] or "", row["kind"], row["role"])


def _cell(row: Row, guesses: Row) -> Cell:
    values: Row = {**row, "level": row["level"] or "", **{name: guesses.get(name, 0.0) for name in GUESSED}}
    return Cell(**values)


def spread(cells: Sequence[Cell]) -> list[Metric]:
    """The rates of targets, of what follows and of what stays: over all, by band, level and kind."""
    found = _spread("all", "all", cells)
    for by in ("band", "level", "kind"):
        for group in sorted({str(getattr(cell, by)) for cell in cells}):
            found += _spread(by, group, [cell for cell in cells if getattr(cell, by) == group])
    return found


def _spread(by: str, group: str, cells: Sequence[Cell]) -> list[Metric]:
    asked = {role: sum(cell.probes for cell in cells if cell.role == role) for role in ROLES}
    change = asked["follows"] + asked[""]
    of = {"installed": asked["target"], "erased": asked["target"], "collateral": asked["stays"]}
    return [
        Metric(
            name=_NAMES.get(share.name, share.name),
            group_by=by,
            group=group,
            successes=share.successes,
            trials=share.trials,
            asked=of.get(share.name, change),
            chance=share.chance,
        )
        for share in total(cells).shares
    ]


def fact_metrics(row: Row) -> list[Metric]:
    """Metrics over the changed facts from the counts of ``propagation/fact_metrics``."""

    def metric(name: str, successes: str, trials: str, asked: str = "facts", **more: float | None) -> Metric:
        return Metric(
            name=name,
            group_by="all",
            group="all",
            successes=row[successes],
            trials=row[trials],
            asked=row[asked],
            **more,
        )

    n = row["direct_n"]
    chance_new = row["direct_chance_new"] / n if n else None
    eligible = row["direct_eligible"]
    chance_eligible = row["direct_eligible_chance"] / eligible if eligible else None
    return [
        metric("conflict_same", "conflict_same_after", "same_context"),
        metric("conflict_same_before", "conflict_same_before", "same_context"),
        metric("conflict_any", "conflict_any_after", "contradictable"),
        metric("conflict_any_before", "conflict_any_before", "contradictable"),
        metric("consistency_new", "all_new", "asked"),
        metric("consistency_old", "all_old", "asked"),
        metric("consistency_mixed", "mixed", "asked"),
        metric("forms_agree", "forms_agree", "both_forms"),
        metric("plasticity", "direct_new", "direct_n", "direct_n", chance=chance_new, corrected=_corrected(row)),
        metric("plasticity_eligible", "direct_eligible_new", "direct_eligible", "direct_n", chance=chance_eligible),
    ]


def _corrected(row: Row) -> float | None:
    """Chance-corrected forgetting of an erasure; nothing for an edit."""
    if row["goal"] != "UNLEARN" or not row["direct_n"]:
        return None
    chance = row["direct_chance_old"] / row["direct_n"]
    if chance >= 1:
        return None
    accuracy = row["direct_old"] / row["direct_n"]
    return float(1 - min(1.0, max(0.0, (accuracy - chance) / (1 - chance))))
