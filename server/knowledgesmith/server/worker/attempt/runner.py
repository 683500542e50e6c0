"""One attempt at one intervention: plan, measure, apply, measure again, decide, commit.

Every step writes under the fence and can be repeated: a later attempt takes the stored plan, the stored artefact and
the ledger as they are and goes on after the last row (design: the main job; service specification: commit protocol).
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from knowledgesmith.editors.contract import Method, Selective
from knowledgesmith.editors.registry import build
from knowledgesmith.editors.scoring.cache import ScoreCache
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.cancellation import abandonable
from knowledgesmith.graph_schema.errors import (
    Cancelled,
    FenceRejected,
    GraphLocked,
    GraphUnavailable,
    IllegalState,
    KnowledgeSmithError,
    ModelNotFinite,
    RevisionMismatch,
)
from knowledgesmith.graph_schema.graphs.reading import stamp_of
from knowledgesmith.graph_schema.interventions import branches, ledger, steps
from knowledgesmith.graph_schema.planning.plan_store import load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.types.interventions import State
from knowledgesmith.graph_schema.types.plans import SCHEME
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache, WorldMoved
from knowledgesmith.server.worker.attempt import gates, health
from knowledgesmith.server.worker.attempt.compose import compose
from knowledgesmith.server.worker.attempt.greedy_texts import Speaker, names_of
from knowledgesmith.server.worker.attempt.measurement import Meter, Reading, measured_row
from knowledgesmith.server.worker.attempt.method_config import computed_in, resolve_config
from knowledgesmith.server.worker.attempt.notes import notes_of
from knowledgesmith.server.worker.attempt.patience import given_up, patient
from knowledgesmith.server.worker.attempt.reporting import AttemptCaller, InterventionProgress, Reporter, Stopped
from knowledgesmith.server.worker.attempt.waiting import when_imported

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.artefacts.session import ModelSession
    from knowledgesmith.graph_schema.interventions.records import Claim, Intervention
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.health import Health
    from knowledgesmith.graph_schema.types.plans import LedgerSlot, Plan
    from knowledgesmith.server.settings import ServerSettings
    from knowledgesmith.server.worker.model.host import ModelHost

_LOG = logging.getLogger(__name__)
_ACTIVE = (State.PREPARING, State.RUNNING)
_RUNNING = (State.RUNNING,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    intervention: Intervention
    held: Claim
    progress: InterventionProgress


class AttemptRunner:
    """Runs interventions one after another; ``cancel`` may be called from another thread."""

    def __init__(self, *, settings: ServerSettings, store: GraphStore, host: ModelHost, reporter: Reporter) -> None:
        self._settings = settings
        self._store = store
        self._host = host
        self._report = reporter
        self._cancelled: set[str] = set()
        self._running: tuple[str, AttemptCaller] | None = None
        self._lost: dict[str, dict[int, str]] = {}
        self._worlds = WorldCache(capacity=settings.worlds_kept)
        self._health = health.HealthCheck(store)

    def cancel(self, *, intervention_id: str) -> None:
        """Stop this intervention now, or when it is taken up."""
        self._cancelled.add(intervention_id)
        running = self._running
        if running is not None and running[0] == intervention_id:
            running[1].leave()

    def leave(self) -> None:
        """The event that means "stop" is set: the running intervention shall see it now, whatever it waits for."""
        running = self._running
        if running is not None:
            running[1].leave()

    def run(self, intervention_id: str, *, stop: threading.Event) -> None:
        """Claim an intervention and carry it as far as it goes.

        Raises:
            GraphUnavailable: the database is gone; the intervention stays interrupted and is taken up again.
            ConnectionError: the front process is gone; so is this worker, and its successor takes the intervention up.
        """
        held = steps.claim(self._store, intervention_id)
        if held is None:
            return
        try:
            intervention = steps.get(self._store, intervention_id)
        except IllegalState as error:
            _LOG.error("%s: %s", intervention_id, error)
            live = [*_ACTIVE, State.COMMITTING]
            steps.finish(self._store, held.id, from_states=live, state=State.FAILED, reason=error.reason, held=held)
            return
        self._report.attempt(intervention)
        start = time.monotonic()
        caller = patient(self._report, intervention.id, stop)
        self._running = (intervention.id, caller)
        if intervention.cancel_requested or intervention.id in self._cancelled:
            caller.leave()
        try:
            with cancellation.working_for(caller.devoted()):
                outcome = self._guarded(intervention, held, caller)
        finally:
            self._running = None
            self._cancelled.discard(intervention.id)
        if outcome is not None:
            self._report.ended(intervention, outcome, time.monotonic() - start)

    def _guarded(self, intervention: Intervention, held: Claim, caller: AttemptCaller) -> State | None:
        """Carry the intervention; its state in the end, None when this attempt does not decide that."""
        progress = InterventionProgress(self._report, intervention.id, caller)
        try:
            if held.attempt > steps.MAX_ATTEMPTS:
                lost = given_up(steps.MAX_ATTEMPTS, self._lost.pop(intervention.id, {}))
                return self._end(intervention, held, State.FAILED, lost)
            with cancellation.working_for(caller):
                return self._carry(_Attempt(intervention=intervention, held=held, progress=progress))
        except (Stopped, GraphLocked):  # locks are waited for until the worker is told to stop
            _LOG.info("%s is left for the next worker", intervention.id)
            with suppress(FenceRejected):  # an orderly stop is not a lost worker
                steps.advance(self._store, held, from_states=_ACTIVE, attempt=held.attempt - 1)
        except (GraphUnavailable, ConnectionError) as error:
            self._lost.setdefault(intervention.id, {})[held.attempt] = str(getattr(error, "message", error))
            raise
        except FenceRejected:
            self._report.fence_rejected(intervention.id)
        except Cancelled as error:
            return self._end(intervention, held, State.CANCELLED, error)
        except KnowledgeSmithError as error:
            return self._end(intervention, held, State.FAILED, error)
        except Exception as error:  # noqa: BLE001 - whatever a method raises ends this intervention only
            _LOG.exception("%s failed", intervention.id)
            return self._end(intervention, held, State.FAILED, KnowledgeSmithError(f"{type(error).__name__}: {error}"))
        return None

    def _end(self, intervention: Intervention, held: Claim, state: State, error: KnowledgeSmithError) -> State | None:
        ended = steps.finish(
            self._store,
            intervention.id,
            from_states=[*_ACTIVE, State.COMMITTING],
            state=state,
            reason=error.reason,
            message=error.describe(),
            held=held,
        )
        return state if ended else None

    def _carry(self, attempt: _Attempt) -> State:
        if attempt.intervention.state is State.COMMITTING:
            if attempt.intervention.health is not None:
                with cancellation.to_the_end():
                    return self._commit(attempt)
            # an earlier release decided without a look at its health: it is decided again
            self._advance(attempt, [State.COMMITTING], state=State.RUNNING)
        self._check_start(attempt.intervention)
        plan = self._plan(attempt)
        self._advance(attempt, _ACTIVE, state=State.RUNNING, phase="measure_before")
        with self._host.resident_of(attempt.intervention.spec.branch_id) as resident:
            found = self._changed(attempt, plan, resident)
        return self._decide(attempt, found)

    def _changed(self, attempt: _Attempt, plan: Plan, resident: ModelSession) -> Health:
        """Measure, apply, measure again into the ledger; the health of what came of it."""
        intervention = attempt.intervention
        line = branches.lineage(self._store, intervention.spec.branch_id, intervention.base_revision)
        base = self._host.artefacts(line)
        with self._cache(intervention) as cache:
            speaker = Speaker(resident, plan, names_of(self._store, intervention.id))
            meter = Meter(resident, cache, intervention.spec.scorer, self._report.sink, speaker)
            resident.switch(base)
            self._report.shown(line[0], resident.weights_sha256())
            method, computed = self._method(attempt, resident)
            with self._phase(attempt, "measure_before"), self._never_nonfinite(attempt):
                start = self._health.start(resident, base, plan)
                before = self._measure_all(attempt, meter, plan)
                self._advance(attempt, _RUNNING, notes=notes_of(resident.loaded, plan))
            with self._phase(attempt, "apply"):
                artefact = self._apply(attempt, plan, resident, method, computed)
            resident.switch([*base, artefact])
            self._advance(attempt, _RUNNING, weights_sha256=resident.weights_sha256())
            with self._phase(attempt, "health"):
                after = self._health.read(resident)
            with self._phase(attempt, "measure_after"), self._never_nonfinite(attempt):
                if after.nonfinite:
                    raise health.not_finite(self._health.judge(resident, start, after, artefact, intervention.id))
                self._write_ledger(attempt, plan, meter, before)
        return self._health.judge(resident, start, after, artefact, intervention.id)

    @staticmethod
    def _check_start(intervention: Intervention) -> None:
        """The head may have moved since the request was queued: what was asked for another start is not done here.

        Raises:
            RevisionMismatch: it does not start from the revision that the request expected.
        """
        expected = intervention.spec.expected_revision
        if expected and intervention.base_revision != expected:
            raise RevisionMismatch(
                "the branch head moved while the request waited",
                field="expected_revision_id",
                value=expected,
                hint=f"The head was {intervention.base_revision} at its turn; read the branch again and decide anew.",
            )

    def _method(self, attempt: _Attempt, resident: ModelSession) -> tuple[Method, str | None]:
        """The method and the dtype that it computes in.

        A model that it cannot change truly is refused here, before minutes are spent on measuring it.
        """
        spec = attempt.intervention.spec
        config = resolve_config(spec, resident.loaded, self._settings.precision_cache)
        method = build(spec.method, config)
        if isinstance(method, Selective):
            method.check(resident.loaded)
        return method, computed_in(config, resident.loaded)

    @contextmanager
    def _cache(self, intervention: Intervention) -> Generator[ScoreCache | None]:
        """Scores by revision; none for a placebo, whose second measurement must be a real one."""
        if intervention.spec.method == "placebo":
            yield None
            return
        with ScoreCache(self._settings.score_cache) as cache:
            yield cache

    @contextmanager
    def _phase(self, attempt: _Attempt, name: str) -> Generator[None]:
        self._advance(attempt, _RUNNING, phase=name)
        start = time.monotonic()
        yield
        self._report.phase(attempt.intervention, name, time.monotonic() - start)

    def _advance(
        self, attempt: _Attempt, states: Sequence[State], *, state: State | None = None, **properties: object
    ) -> None:
        steps.advance(self._store, attempt.held, from_states=states, state=state, **properties)
        self._report.changed(attempt.intervention.id)

    def _plan(self, attempt: _Attempt) -> Plan:
        """The stored plan, or one made now where the branch's world is another than the one it was made in."""
        intervention = attempt.intervention
        request = PlanRequest(
            graph_id=intervention.graph_id,
            branch_id=intervention.spec.branch_id,
            goal=intervention.spec.goal,
            changes=intervention.spec.changes,
            overlay=branches.overlay(self._store, intervention.spec.branch_id),
            entities=(*branches.inserted(self._store, intervention.spec.branch_id), *intervention.spec.entities),
            seed=intervention.spec.seed,
            max_probes=intervention.spec.max_probes,
        )
        if intervention.plan_digest and (stored := self._stored_plan(attempt, request.world)):
            return stored
        self._advance(attempt, _ACTIVE, phase="plan")
        start = time.monotonic()

        def planned() -> Plan:
            while True:
                plan = abandonable(lambda: make_plan(self._store, request, worlds=self._worlds))
                with suppress(WorldMoved):  # the graph changed since it was planned on
                    store_plan(self._store, attempt.held, plan)
                    return plan

        plan = when_imported(attempt.progress, planned)
        self._report.phase(intervention, "plan", time.monotonic() - start)
        return plan

    def _stored_plan(self, attempt: _Attempt, world: str) -> Plan | None:
        """The plan of the request, or of an earlier attempt; None where nothing hangs on it yet and it is outdated.

        It is outdated where it is of an earlier release, of another state of the graph, or of another ``world``: the
        branch's head may have moved while the intervention waited.
        """
        intervention = attempt.intervention
        if intervention.verdict_scheme != SCHEME and not intervention.written_rows:
            return None
        held = bool(intervention.written_rows or intervention.artefact_sha256)
        try:
            plan = load_plan(self._store, intervention.id)
        except IllegalState:
            if held:
                raise
            return None  # of a release that sums plans up in another way: nothing hangs on it
        if held or not plan.stamp:
            return plan
        if plan.world and plan.world != world:
            return None
        read = self._store.read_transaction
        stamp = when_imported(attempt.progress, lambda: read(lambda tx: stamp_of(tx, intervention.graph_id)))
        return plan if plan.stamp == stamp else None

    def _measure_all(self, attempt: _Attempt, meter: Meter, plan: Plan) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        size = self._settings.batch_probes
        for start in range(0, len(plan.probes), size):
            attempt.progress.step("measure_before", start, len(plan.probes))
            readings |= meter.read(plan.probes[start : start + size], "measure_before")
        attempt.progress.step("measure_before", len(plan.probes), len(plan.probes))
        return readings

    def _apply(
        self, attempt: _Attempt, plan: Plan, resident: ModelSession, method: Method, computed: str | None
    ) -> Artefact:
        """The stored artefact of an earlier attempt, or a new one, stored before it is used."""
        intervention = attempt.intervention
        if intervention.artefact_sha256:
            return self._host.artefact(intervention.artefact_sha256)
        made = when_imported(attempt.progress, lambda: abandonable(lambda: compose(self._store, intervention, plan)))
        statistics = TextStatistics(
            resident.loaded,
            made.request.statistics_text,
            self._settings.statistics_dir,
            corpus=made.corpus,
            artefacts=resident.attached,
            limit_bytes=self._settings.statistics_bytes,
        )
        artefact = method.apply(resident.loaded, made.request, statistics, attempt.progress.within("apply"))
        digest = artefact.save(self._settings.artefact_dir)
        self._advance(attempt, _RUNNING, artefact_sha256=digest, compute_dtype=computed)
        return artefact

    def _write_ledger(self, attempt: _Attempt, plan: Plan, meter: Meter, before: dict[str, Reading]) -> None:
        """Measure again, nearest first, and commit batch by batch, going on after the rows that are there."""
        planned = {p.probe.id: p for p in plan.probes}
        written = steps.get(self._store, attempt.intervention.id).written_rows
        rest = [slot for slot in plan.slots if slot.seq > written]
        for batch in batches(rest, self._settings.batch_probes):
            attempt.progress.step("measure_after", written, len(plan.slots))
            probes = [planned[probe_id] for slot in batch for probe_id in slot.probe_ids]
            after = meter.read(probes, "measure_after")
            rows = [(slot, measured_row(slot, planned, before, after, goal=plan.goal)) for slot in batch]
            start = time.monotonic()
            written = ledger.append(self._store, attempt.intervention.id, attempt.held.fence, rows)
            self._report.written(attempt.intervention, rows, time.monotonic() - start)
        attempt.progress.step("measure_after", written, len(plan.slots))

    @contextmanager
    def _never_nonfinite(self, attempt: _Attempt) -> Generator[None]:
        """End the attempt where a value is no number, with that as its health: there is nothing to decide about."""
        try:
            with health.finite_scores():
                yield
        except ModelNotFinite as error:
            found = health.broken(error)
            self._report.metrics(attempt.intervention, {}, found)
            self._report.health(attempt.intervention, found)
            stored: dict[str, Any] = found.properties()
            self._advance(attempt, _RUNNING, **stored)
            raise

    def _decide(self, attempt: _Attempt, found: Health) -> State:
        """Commit, or wait for a decision: because the user asked to, the revision is a wreck, or a gate is not met."""
        intervention = attempt.intervention
        rates = gates.measure(self._store, intervention, found)
        attempt.progress.step("decide", 0, 1)  # the last point where a cancellation wins
        with cancellation.to_the_end():
            return self._decided(attempt, found, rates)

    def _decided(self, attempt: _Attempt, found: Health, rates: Mapping[str, float]) -> State:
        intervention = attempt.intervention
        failed = gates.failed(intervention.spec.gates, rates, found)
        self._report.metrics(intervention, rates, found)
        self._report.health(intervention, found)
        stored: dict[str, Any] = {**gates.kept(rates, found), **found.properties(), "failed_gates": failed}
        if intervention.spec.hold or failed:
            self._advance(attempt, _RUNNING, state=State.AWAITING_DECISION, phase="", **stored)
            return State.AWAITING_DECISION
        self._advance(attempt, _RUNNING, state=State.COMMITTING, phase="commit", **stored)
        return self._commit(attempt)

    def _commit(self, attempt: _Attempt) -> State:
        intervention = steps.get(self._store, attempt.intervention.id)
        steps.commit(
            self._store,
            attempt.held,
            revision_id=branches.revision_id(intervention.base_revision, intervention.artefact_sha256),
            artefact_sha256=intervention.artefact_sha256,
            weights_sha256=intervention.weights_sha256,
        )
        return State.SUCCEEDED


def batches(slots: Sequence[LedgerSlot], size: int) -> Iterator[list[LedgerSlot]]:
    """Consecutive slots of about ``size`` probes; an entity stays whole, so its head is written once."""
    batch: list[LedgerSlot] = []
    probes = 0
    for slot in slots:
        if probes >= size and slot.entity != batch[-1].entity:
            yield batch
            batch, probes = [], 0
        batch.append(slot)
        probes += len(slot.probe_ids)
    if batch:
        yield batch
