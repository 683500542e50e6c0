"""95 % intervals: Wilson for one rate, a cluster bootstrap where probes of one fact are not independent."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.types.shares import wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean or rate with its 95 % interval and the number of observations (and of clusters)."""

    value: float
    low: float
    high: float
    n: int
    clusters: int


def wilson(successes: int, n: int) -> Estimate:
    """A rate with Wilson's score interval (Wilson 1927); without observations the interval is [0, 1].

    Raises:
        InvalidInput: the counts are impossible.
    """
    if not 0 <= successes <= n:
        raise InvalidInput("impossible counts", field="successes", value=f"{successes} of {n}")
    if n == 0:
        return Estimate(value=math.nan, low=0.0, high=1.0, n=0, clusters=0)
    low, high = wilson_interval(successes, n)
    return Estimate(value=successes / n, low=low, high=high, n=n, clusters=n)


def cluster_bootstrap(
    values: Sequence[float], clusters: Sequence[Hashable], *, seed: int, resamples: int = 2000
) -> Estimate:
    """Mean of ``values`` with the percentile interval over resampled clusters (one cluster = one fact).

    Args:
        values: one number a probe.
        clusters: the fact of each probe.
        seed: seed of the resampling; equal input gives an equal interval.
        resamples: number of resamples.

    Raises:
        InvalidInput: the lengths differ, or there is nothing to average.
    """
    if len(values) != len(clusters) or not values or resamples < 1:
        raise InvalidInput(
            "needs one cluster a value, and at least one", field="clusters", value=f"{len(values)}, {len(clusters)}"
        )
    order = {cluster: index for index, cluster in enumerate(dict.fromkeys(clusters))}
    member = np.array([order[cluster] for cluster in clusters])
    sums = np.bincount(member, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(member)
    drawn = np.random.default_rng(seed).integers(len(order), size=(resamples, len(order)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Estimate(
        value=math.fsum(values) / len(values), low=float(low), high=float(high), n=len(values), clusters=len(order)
    )


def difference(first: tuple[int, int], second: tuple[int, int]) -> Estimate:
    """First rate minus second rate of independent samples, with Newcombe's hybrid score interval (Newcombe 1998).

    Args:
        first: successes and trials, at least one trial.
        second: successes and trials, at least one trial.

    Raises:
        InvalidInput: the counts are impossible, or there is no trial.
    """
    one, two = wilson(*first), wilson(*second)
    if not one.n or not two.n:
        raise InvalidInput("a difference needs trials on both sides", field="trials", value=f"{one.n}, {two.n}")
    value = one.value - two.value
    low = value - math.hypot(one.value - one.low, two.high - two.value)
    high = value + math.hypot(one.high - one.value, two.value - two.low)
    return Estimate(value=value, low=max(-1.0, low), high=min(1.0, high), n=one.n + two.n, clusters=one.n + two.n)
