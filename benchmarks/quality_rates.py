"""Rates over runs: facts of one joint edit share one change of the weights, so the run is the unit of an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

Observations = Mapping[str, Sequence[tuple[str, bool]]]
"""Metric to (fact, success), one entry a phrasing."""


@dataclass(frozen=True, kw_only=True)
class RunRate:
    """A rate with Student's 95 % interval over runs; without one (None) where there is a single run.

    Attributes:
        value: mean of the runs' own rates.
        low, high: value ∓ t(runs - 1) · s / √runs, cut to [0, 1].
        runs: how many runs have the metric.
        facts: distinct facts behind it, over all runs.
        n: phrasings.
    """

    value: float
    low: float | None
    high: float | None
    runs: int
    facts: int
    n: int


def rate_of(rows: Sequence[tuple[str, bool]]) -> float:
    """Share of successes of one run."""
    return sum(success for _, success in rows) / len(rows)


def over_runs(runs: Sequence[Observations]) -> dict[str, RunRate]:
    """Every metric over the runs.

    Raises:
        ValueError: a fact was measured in two runs; it would count as new evidence twice.
    """
    table: dict[str, RunRate] = {}
    for metric in sorted({metric for run in runs for metric in run}):
        measured = [run[metric] for run in runs if run.get(metric)]
        if not measured:
            continue
        facts = [{fact for fact, _ in rows} for rows in measured]
        if sum(map(len, facts)) != len(set[str]().union(*facts)):
            raise ValueError(f"{metric}: a fact was measured in two runs")
        low, high = interval([rate_of(rows) for rows in measured])
        table[metric] = RunRate(
            value=sum(map(rate_of, measured)) / len(measured),
            low=low,
            high=high,
            runs=len(measured),
            facts=sum(map(len, facts)),
            n=sum(map(len, measured)),
        )
    return table


def interval(rates: Sequence[float]) -> tuple[float | None, float | None]:
    """Student's 95 % interval of the mean of some runs' rates."""
    count = len(rates)
    if count < 2:
        return None, None
    mean = math.fsum(rates) / count
    spread = math.sqrt(math.fsum((rate - mean) ** 2 for rate in rates) / (count - 1))
    half = float(stdtrit(count - 1, 0.975)) * spread / math.sqrt(count)
    return max(0.0, mean - half), min(1.0, mean + half)
