"""The paper's metrics as counts: collateral change, residual retention, conflict, consistency, plasticity.

The counts come from two queries; intervals are computed where they are shown. Definitions (El: probes that the model
answered rightly before; Q+ should change, Q- should stay; a0 and a1: answers of the old and of the closed new graph):

- ``ccr``: share of El in Q- that is no longer answered rightly, by hop band, level and kind.
- ``rr``: share of El in Q+ that is still answered with a0. A question without an a0 was not answered rightly before
  and does not count; it does in ``propagated``, the share of eligible probes in Q+ that is answered with a1.
- ``conflict_same``: facts of functional relations, asked as statements, whose old and new statement are both held
  for true. ``conflict_any``: facts with a question that supports a0 and one that supports a1. ``…_before`` is the
  same before the update, to be subtracted.
- ``plasticity``: direct questions answered with a1, for an erasure with anything but a0. ``corrected`` is
  ``1 - clip((acc(a0) - chance) / (1 - chance), 0, 1)`` for an erasure.
- ``consistency_new``, ``_old``, ``_mixed``: facts whose questions all follow one world, or not;
  ``forms_agree``: facts whose direct and reverse questions follow the same one by majority.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.propagation.pasteable import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.store import GraphStore, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One rate as counts: ``successes`` of ``trials``; ``chance`` is a uniform guesser's rate.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Verdict counts of one hop band, level and kind.

    ``no_old`` are the eligible probes in Q+ without an old answer. ``guess_kept`` and ``guess_lost`` are what a uniform
    guesser would get: old answers where the answer should change, and other answers where it should stay.
    """

    band: str
    level: str
    kind: str
    rows: int
    probes: int
    propagated: int
    missed: int
    drifted: int
    preserved: int
    collateral: int
    ineligible: int
    no_old: int
    guess_kept: float
    guess_lost: float

    @property
    def change(self) -> int:
        """Eligible probes that should change."""
        return self.propagated + self.missed + self.drifted

    @property
    def old(self) -> int:
        """Those that have an old answer, which can be retained."""
        return self.change - self.no_old

    @property
    def stay(self) -> int:
        """Eligible probes that should stay."""
        return self.preserved + self.collateral


def metrics(store: GraphStore, intervention_id: str) -> tuple[list[Metric], tuple[Pasteable, ...]]:
    """All metrics of one intervention, and the queries that they were counted with."""
    guesses = {_place(row): row for row in store.read("propagation/guesses", id=intervention_id)}
    cells = [_cell(row, guesses.get(_place(row), {})) for row in store.read("propagation/rates", id=intervention_id)]
    facts = store.read("propagation/fact_metrics", id=intervention_id)
    found = [*spread(cells), *(fact_metrics(facts[0]) if facts else ())]
    names = ("propagation/rates", "propagation/guesses", "propagation/fact_metrics")
    return found, tuple(pasteable(name, id=intervention_id) for name in names)


def _place(row: Row) -> tuple[str, str, str]:
    return (row["band"], row["level"] or "", row["kind"])


def _cell(row: Row, guesses: Row) -> Cell:
    values: Row = {
        **row,
        "level": row["level"] or "",
        "guess_kept": guesses.get("kept", 0.0),
        "guess_lost": guesses.get("lost", 0.0),
    }
    return Cell(**values)


def spread(cells: Sequence[Cell]) -> list[Metric]:
    """Collateral change, residual retention and propagation: over all, by band, level and kind."""
    found = _spread("all", "all", cells)
    for by in ("band", "level", "kind"):
        for group in sorted({str(getattr(cell, by)) for cell in cells}):
            found += _spread(by, group, [cell for cell in cells if getattr(cell, by) == group])
    return found


def _spread(by: str, group: str, cells: Iterable[Cell]) -> list[Metric]:
    chosen = list(cells)
    change, old, stay = (sum(getattr(c, name) for c in chosen) for name in ("change", "old", "stay"))
    asked = sum(c.probes for c in chosen)
    kept = sum(c.guess_kept for c in chosen) / old if old else None
    lost = sum(c.guess_lost for c in chosen) / stay if stay else None

    def metric(name: str, successes: int, trials: int, chance: float | None) -> Metric:
        return Metric(
            name=name,
            group_by=by,
            group=group,
            successes=successes,
            trials=trials,
            asked=asked,
            chance=chance,
        )

    return [
        metric("ccr", sum(c.collateral for c in chosen), stay, lost),
        metric("rr", sum(c.missed for c in chosen), old, kept),
        metric("propagated", sum(c.propagated for c in chosen), change, None),
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
        metric("plasticity_eligible", "direct_eligible_new", "direct_eligible", "direct_n", chance=chance_new),
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
