"""All Prometheus metrics of the service, in one registry of the front process.

The worker has no endpoint of its own: it sends samples through its pipe and the front process applies them here
(Prometheus' multi-process mode loses process metrics and custom collectors).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERVENTION = (1, 5, 15, 60, 300, 900, 3600, 14400)
_PHASE = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
_QUERY = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
_RPC = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
_DELTA = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1)

COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ksmith_interventions_submitted": ("Interventions accepted", ("goal", "method")),
    "ksmith_interventions_completed": ("Interventions that ended", ("goal", "method", "outcome")),
    "ksmith_intervention_attempts": ("Attempts begun", ("goal",)),
    "ksmith_fence_rejections": ("Writes refused because a newer attempt took over", ()),
    "ksmith_lock_waits": ("Tries of an intervention's writes that waited in vain for locks of other transactions", ()),
    "ksmith_belief_changes": ("Ledger rows by what was asked", ("kind", "polarity", "role", "direction")),
    "ksmith_ledger_rows": ("Ledger rows written", ()),
    "ksmith_probes_scored": ("Probes scored", ("phase",)),
    "ksmith_score_cache_hits": ("Scores found in the cache", ()),
    "ksmith_score_cache_misses": ("Scores computed", ()),
    "ksmith_neo4j_errors": ("Failed queries", ("query", "error")),
    "ksmith_grpc_server_started": ("Calls started", ("method",)),
    "ksmith_grpc_server_handled": ("Calls ended", ("method", "code")),
    "ksmith_worker_restarts": ("Worker processes started again after a crash", ()),
    "ksmith_neo4j_restarts": ("Embedded databases started again after a crash", ()),
    "ksmith_health_checks": ("Measured revisions by verdict", ("verdict", "goal", "method")),
    "ksmith_rollback_verify_failures": ("Revisions whose weights differ from the recorded digest", ()),
}
HEALTH_FIGURES = {
    "ksmith_health_perplexity_ratio": "perplexity_ratio",
    "ksmith_health_realised_min": "realised_min",
    "ksmith_health_across_max": "across_max",
    "ksmith_health_repetition_share": "repetition",
    "ksmith_health_empty_share": "emptiness",
    "ksmith_health_agreement_share": "agreement",
    "ksmith_health_constant_share": "constant_share",
    "ksmith_health_collateral_sure_share": "collateral_sure",
    "ksmith_health_nonfinite": "nonfinite",
}
"""Gauges of the last measured revision's health, and the figure that each shows (NaN = not measured)."""

_RUN = ("goal", "method")
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ksmith_health_perplexity_ratio": ("Times that untrained text became less likely, last measured run", _RUN),
    "ksmith_health_realised_min": ("Least realised share of a fact's wanted change, last measured run", _RUN),
    "ksmith_health_across_max": ("Largest change in other directions over the wanted one, last measured run", _RUN),
    "ksmith_health_repetition_share": ("Share of untouched prompts whose text repeats itself", _RUN),
    "ksmith_health_empty_share": ("Share of untouched prompts whose text is empty", _RUN),
    "ksmith_health_agreement_share": ("Share of untouched prompts whose text begins as before", _RUN),
    "ksmith_health_constant_share": ("Largest share of one answer among the planned probes", _RUN),
    "ksmith_health_collateral_sure_share": ("Share of sure answers that should stay and are lost", _RUN),
    "ksmith_health_nonfinite": ("Weights and scores that are no finite numbers", _RUN),
    "ksmith_interventions": ("Interventions by state", ("state", "goal")),
    "ksmith_neo4j_up": ("Whether the database answered the last check", ()),
    "ksmith_worker_up": ("Whether the worker process is ready and has said so lately", ()),
    "ksmith_watch_streams": ("Open watch streams", ()),
    "ksmith_worker_memory_bytes": ("Resident memory of the worker; 0 while there is none", ()),
    "ksmith_collateral_change_ratio": ("Collateral share of the last measured run, a wreck included", _RUN),
    "ksmith_propagated_ratio": ("Propagated share of the last measured run; NaN for a wreck", _RUN),
    "ksmith_residual_retention_ratio": ("Residual share of the last measured run; NaN for a wreck", _RUN),
    "ksmith_build_info": ("Versions", ("version", "torch", "transformers")),
}
HISTOGRAMS: dict[str, tuple[str, tuple[str, ...], Sequence[float]]] = {
    "ksmith_intervention_duration_seconds": ("From the claim to the end", ("goal", "method", "outcome"), _INTERVENTION),
    "ksmith_intervention_phase_seconds": ("Phases of an intervention", ("phase", "method"), _PHASE),
    "ksmith_belief_delta_abs": ("Absolute belief change of a ledger row", ("kind", "polarity", "role"), _DELTA),
    "ksmith_propagation_hops": ("Hops of changed rows from the nearest target", ("goal",), (0, 1, 2, 3, 4, 6, 8)),
    "ksmith_ledger_write_seconds": ("One batch of ledger rows with heads", (), _QUERY),
    "ksmith_neo4j_query_seconds": ("Named queries", ("query",), _QUERY),
    "ksmith_grpc_server_handling_seconds": ("Unary calls", ("method",), _RPC),
}


class MetricSink(Protocol):
    """Where samples go: the registry in the front process, the pipe in the worker."""

    def inc(self, name: str, value: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        ...

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        ...

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add an observation to a histogram."""
        ...


class Metrics:
    """The registry and its metrics; implements :class:`MetricSink`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._counters = {n: Counter(n, doc, labels, registry=self.registry) for n, (doc, labels) in COUNTERS.items()}
        self._gauges = {n: Gauge(n, doc, labels, registry=self.registry) for n, (doc, labels) in GAUGES.items()}
        self._histograms = {
            n: Histogram(n, doc, labels, buckets=buckets, registry=self.registry)
            for n, (doc, labels, buckets) in HISTOGRAMS.items()
        }

    def inc(self, name: str, value: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        metric = self._counters[name]
        (metric.labels(**labels) if labels else metric).inc(value)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        metric = self._gauges[name]
        (metric.labels(**labels) if labels else metric).set(value)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add an observation to a histogram."""
        metric = self._histograms[name]
        (metric.labels(**labels) if labels else metric).observe(value)

    def replace_interventions(self, counts: dict[tuple[str, str], int]) -> None:
        """Set the gauge of interventions by state, dropping states that have none."""
        gauge = self._gauges["ksmith_interventions"]
        gauge.clear()
        for (state, goal), number in counts.items():
            gauge.labels(state=state, goal=goal).set(number)


def query_observer(sink: MetricSink) -> QueryHook:
    """An observer for the graph store that feeds the query metrics."""

    def observe(name: str, seconds: float, outcome: str) -> None:
        sink.observe("ksmith_neo4j_query_seconds", seconds, query=name)
        if outcome != "ok":
            sink.inc("ksmith_neo4j_errors", query=name, error=outcome)

    return observe


class QueryHook(Protocol):
    """Shape of the store's query observer."""

    def __call__(self, name: str, seconds: float, outcome: str, /) -> None:
        """One query ended."""
        ...
