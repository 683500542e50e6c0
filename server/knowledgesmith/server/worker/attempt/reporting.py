"""What the worker tells the front process of an intervention: events for watchers, samples for Prometheus."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.cancellation import Caller
from knowledgesmith.graph_schema.errors import Cancelled
from knowledgesmith.graph_schema.propagation import HEADLINES
from knowledgesmith.server.metrics import HEALTH_FIGURES

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.interventions.branches import RevisionInfo
    from knowledgesmith.graph_schema.interventions.ledger import Measured
    from knowledgesmith.graph_schema.interventions.records import Intervention
    from knowledgesmith.graph_schema.types.health import Health
    from knowledgesmith.graph_schema.types.interventions import State
    from knowledgesmith.graph_schema.types.plans import LedgerSlot
    from knowledgesmith.server.worker.channel import Channel, PipeSink

_LOG = logging.getLogger(__name__)
_PROGRESS_SECONDS = 0.2
_PAGE_BYTES = 4096
_RATIOS = {
    "collateral": "ksmith_collateral_change_ratio",
    "propagated": "ksmith_propagated_ratio",
    "residual": "ksmith_residual_retention_ratio",
}


class Stopped(Exception):
    """The worker was told to stop; the intervention stays interrupted and is taken up by the next worker."""


class Reporter:
    """Sends events and samples; knows nothing of the graph."""

    def __init__(self, channel: Channel, sink: PipeSink) -> None:
        self._channel = channel
        self.sink = sink

    def changed(self, intervention_id: str) -> None:
        """State, phase or ledger of an intervention changed."""
        self._channel.send({"event": "changed", "id": intervention_id})

    def progress(self, intervention_id: str, phase: str, done: int, total: int, *, step: str = "") -> None:
        """Progress within a phase, or within a step of it."""
        told = {"phase": phase, "step": step, "done": done, "total": total}
        self._channel.send({"event": "progress", "id": intervention_id, **told})

    def attempt(self, intervention: Intervention) -> None:
        """An attempt begins."""
        self.sink.inc("ksmith_intervention_attempts", goal=intervention.spec.goal.value)
        self.changed(intervention.id)

    def phase(self, intervention: Intervention, name: str, seconds: float) -> None:
        """A phase ended."""
        self.sink.observe("ksmith_intervention_phase_seconds", seconds, phase=name, method=intervention.spec.method)

    def written(self, intervention: Intervention, rows: Sequence[tuple[LedgerSlot, Measured]], seconds: float) -> None:
        """A ledger batch was committed."""
        self.sink.inc("ksmith_ledger_rows", len(rows))
        self.sink.observe("ksmith_ledger_write_seconds", seconds)
        for slot, measured in rows:
            delta = measured.delta or 0.0
            role = slot.role.value if slot.role else ""
            labels = {"kind": slot.kind.value, "polarity": slot.polarity.value, "role": role}
            direction = "up" if delta > 0 else "down" if delta < 0 else "none"
            self.sink.inc("ksmith_belief_changes", direction=direction, **labels)
            self.sink.observe("ksmith_belief_delta_abs", abs(delta), **labels)
            if slot.hops is not None:
                self.sink.observe("ksmith_propagation_hops", slot.hops, goal=intervention.spec.goal.value)
        self.changed(intervention.id)

    def metrics(self, intervention: Intervention, values: Mapping[str, float], health: Health) -> None:
        """Rates of a measured run; what it lacks, and a wreck's headline rates, are NaN: no rate of a former run stays.

        What a wreck broke is shown, here as on the intervention.
        """
        for key, name in _RATIOS.items():
            shown = health.ok or key not in HEADLINES
            value = values.get(key, math.nan) if shown else math.nan
            self.sink.set(name, value, goal=intervention.spec.goal.value, method=intervention.spec.method)

    def health(self, intervention: Intervention, health: Health) -> None:
        """Health of a measured run; what could not be measured is no number."""
        labels = {"goal": intervention.spec.goal.value, "method": intervention.spec.method}
        self.sink.inc("ksmith_health_checks", verdict=health.verdict.value, **labels)
        for name, figure in HEALTH_FIGURES.items():
            value = getattr(health, figure)
            self.sink.set(name, math.nan if value is None else float(value), **labels)

    def ended(self, intervention: Intervention, state: State, seconds: float) -> None:
        """The attempt ended in ``state``."""
        labels = {"goal": intervention.spec.goal.value, "method": intervention.spec.method, "outcome": state.value}
        if state.terminal:
            self.sink.inc("ksmith_interventions_completed", **labels)
        self.sink.observe("ksmith_intervention_duration_seconds", seconds, **labels)
        self.changed(intervention.id)

    def shown(self, revision: RevisionInfo, weights_sha256: str) -> None:
        """A revision is used; its weights should be those that were recorded when it was made.

        A rollback trusts this digest. Another device may round a sum otherwise, so it is no error.
        """
        if revision.weights_sha256 != weights_sha256:
            self.sink.inc("ksmith_rollback_verify_failures")
            _LOG.warning(
                "the weights of %s are %s, recorded as %s", revision.id, weights_sha256, revision.weights_sha256
            )

    def fence_rejected(self, intervention_id: str) -> None:
        """A newer attempt, or a decision from outside, locked this attempt out."""
        self.sink.inc("ksmith_fence_rejections")
        _LOG.warning("%s was taken over", intervention_id)


class AttemptCaller(Caller):
    """Whom an attempt works for: it leaves when the intervention is cancelled, or when the worker is told to stop.

    Thread-safe; every block of the model, every reading query and every loop that can last asks it.
    """

    __slots__ = ("_stop",)

    def __init__(self, stop: threading.Event) -> None:
        """``stop`` is set when the worker shall end; whoever sets it also lets this caller leave."""
        super().__init__()
        self._stop = stop

    @property
    def waits(self) -> bool:
        """Whether the intervention shall go on."""
        return super().waits and not self._stop.is_set()

    def check(self) -> None:
        """Go on only where the intervention shall.

        Raises:
            Cancelled: the user asked to stop.
            Stopped: the worker was told to stop.
        """
        if self._stop.is_set():
            raise Stopped
        if not super().waits:
            raise Cancelled("cancelled on request")


class InterventionProgress:
    """The progress of an attempt: reports at most five times a second, and raises where an intervention may stop.

    Its steps are phases; of one :meth:`within` a phase they are the steps of that phase.
    """

    def __init__(self, reporter: Reporter, intervention_id: str, caller: Caller, *, phase: str = "") -> None:
        self._reporter = reporter
        self._id = intervention_id
        self._caller = caller
        self._phase = phase
        self._last = 0.0

    def within(self, phase: str) -> InterventionProgress:
        """For who names steps of their own, as methods do."""
        return InterventionProgress(self._reporter, self._id, self._caller, phase=phase)

    def step(self, phase: str, done: int, total: int) -> None:
        """Report progress.

        Raises:
            Cancelled: the user asked to stop.
            Stopped: the worker was told to stop.
        """
        self._caller.check()
        now = time.monotonic()
        if now - self._last >= _PROGRESS_SECONDS or done == total:
            self._last = now
            step = phase if self._phase else ""
            self._reporter.progress(self._id, self._phase or phase, done, total, step=step)


def resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
