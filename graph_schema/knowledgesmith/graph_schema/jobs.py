"""Interventions as jobs: their life in the graph, one transaction a step, every step under the fence.

States and moves: design, contracts. A claim raises the fence; whoever holds an older fence can no longer write.
"""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.branches import dump_entities, parse_entities
from knowledgesmith.graph_schema.errors import (
    AlreadyExists,
    BranchNotFound,
    FenceRejected,
    GraphUnavailable,
    IllegalState,
    InterventionNotFound,
    KnowledgeSmithError,
    RequestIdReused,
)
from knowledgesmith.graph_schema.health import Health
from knowledgesmith.graph_schema.interventions import Change, Goal, State, TargetDistribution
from knowledgesmith.graph_schema.ledger import replay_heads
from knowledgesmith.graph_schema.plan_types import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from knowledgesmith.graph_schema.facts import Entity
    from knowledgesmith.graph_schema.store import GraphStore, Row, Transaction

_LOG = logging.getLogger(__name__)
LIVE = (State.QUEUED, State.PREPARING, State.RUNNING, State.AWAITING_DECISION, State.COMMITTING)
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A condition on a metric of the finished run."""

    metric: str
    max: float | None = None
    min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What was asked, resolved to uids."""

    branch_id: str
    goal: Goal
    changes: tuple[Change, ...]
    method: str
    method_config: Mapping[str, Any]
    target_distribution: TargetDistribution
    scorer: str = "cloze-exact"
    seed: int = 0
    hold: bool = False
    gates: tuple[Gate, ...] = ()
    max_probes: int = 2000
    install_derived: bool = False
    entities: tuple[Entity, ...] = ()
    expected_revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An intervention as it stands in the graph."""

    id: str
    spec: JobSpec
    graph_id: str
    state: State
    phase: str
    attempt: int
    fence: int
    actor: str
    request_id: str
    base_revision: str
    revision_id: str = ""
    artefact_sha256: str = ""
    weights_sha256: str = ""
    graph_digest: str = ""
    plan_digest: str = ""
    planned_rows: int = 0
    planned_probes: int = 0
    written_rows: int = 0
    error_reason: str = ""
    error_message: str = ""
    failed_gates: tuple[str, ...] = ()
    cancel_requested: bool = False
    created_ms: int = 0
    finished_ms: int | None = None
    rolled_back_ms: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    metrics_withheld: str = ""
    verdict_scheme: int = SCHEME
    health: Health | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Where an intervention stands; small, whatever was asked and planned."""

    state: State
    phase: str
    attempt: int
    planned_rows: int
    written_rows: int
    rolled_back_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to write for one attempt."""

    id: str
    fence: int
    attempt: int


def create(
    store: GraphStore, spec: JobSpec, *, actor: str, request_id: str, request_hash: str, graph_digest: str
) -> tuple[str, bool]:
    """Queue an intervention, or find the one that the same request made before.

    Returns:
        Its id, and whether it is new.

    Raises:
        BranchNotFound: no such branch, or it is being deleted.
        RequestIdReused: the request id was used with another body.
    """
    properties = {
        **_spec_properties(spec),
        "id": f"iv_{uuid.uuid4().hex[:20]}",
        "actor": actor,
        "request_id": request_id,
        "request_hash": request_hash,
        "graph_digest": graph_digest,
    }

    def work(tx: Transaction) -> tuple[str, bool]:
        earlier = _earlier(tx, request_id, request_hash)
        if earlier is not None:
            return earlier, False
        rows = tx.rows("jobs/create", branch_id=spec.branch_id, properties=properties)
        if not rows:
            raise BranchNotFound(
                "no such branch, or it is being deleted",
                field="branch_id",
                value=spec.branch_id,
                hint="See `ksmith branch list`.",
            )
        return str(rows[0]["id"]), True

    try:
        return store.write_transaction(work)
    except AlreadyExists:  # the same request came twice at once, and the other one was first
        return store.write_transaction(work)


def find_request(store: GraphStore, request_id: str, request_hash: str) -> str | None:
    """The intervention that the same request made before; None when this id is new.

    Raises:
        RequestIdReused: the request id was used with another body.
    """
    return store.read_transaction(lambda tx: _earlier(tx, request_id, request_hash))


def _earlier(tx: Transaction, request_id: str, request_hash: str) -> str | None:
    for row in tx.rows("jobs/by_request", request_id=request_id):
        if row["request_hash"] != request_hash:
            raise RequestIdReused(
                "this request id was used with another body",
                field="request_id",
                value=request_id,
                hint="Send a fresh UUID for a new request.",
            )
        return str(row["id"])
    return None


def _spec_properties(spec: JobSpec) -> dict[str, object]:
    return {
        "goal": spec.goal.value,
        "method": spec.method,
        "method_config": json.dumps(dict(spec.method_config), sort_keys=True),
        "target_distribution": spec.target_distribution.value,
        "scorer": spec.scorer,
        "seed": spec.seed,
        "hold": spec.hold,
        "gates": json.dumps([[g.metric, g.max, g.min] for g in spec.gates]),
        "max_probes": spec.max_probes,
        "install_derived": spec.install_derived,
        "entities": dump_entities(spec.entities),
        **({"expected_revision": spec.expected_revision} if spec.expected_revision else {}),
        "changes": json.dumps(
            [[c.subject, c.relation, c.old_object, c.new_object] for c in spec.changes], ensure_ascii=False
        ),
    }


def get(store: GraphStore, intervention_id: str) -> Job:
    """One intervention.

    Raises:
        InterventionNotFound: no such id.
        IllegalState: its properties are not those of an intervention.
    """
    return _job(_found(store, "jobs/get", intervention_id))


def pulse(store: GraphStore, intervention_id: str) -> Pulse:
    """Where an intervention stands: what a watch reads again and again.

    Raises:
        InterventionNotFound: no such id.
        IllegalState: its state is none.
    """
    row = _found(store, "jobs/pulse", intervention_id)
    try:
        return Pulse(state=State(row.pop("state")), **row)
    except ValueError as error:
        raise IllegalState("the stored intervention is damaged", field="id", value=intervention_id) from error


def _found(store: GraphStore, query: str, intervention_id: str) -> Row:
    for row in store.read(query, id=intervention_id):
        return row
    raise InterventionNotFound(
        "no such intervention", field="id", value=intervention_id, hint="See `ksmith interventions`."
    )


def list_jobs(
    store: GraphStore, *, branch_id: str = "", before: tuple[int, str] | None = None, limit: int = 50
) -> list[Job]:
    """Interventions, newest first, older than the position ``before`` = (created_ms, id)."""
    before_ms, before_id = before or (None, "")
    rows = store.read("jobs/list", branch_id=branch_id, before_ms=before_ms, before_id=before_id, limit=limit)
    return [_job(row) for row in rows]


def _job(row: Row) -> Job:
    """The intervention of a node.

    Raises:
        IllegalState: its properties are not those of an intervention.
    """
    try:
        return _parse(row)
    except (KeyError, TypeError, ValueError) as error:
        raise IllegalState(
            "the stored intervention is damaged",
            field="id",
            value=row["properties"].get("id"),
            hint="Somebody wrote to the database by hand; delete the node.",
        ) from error


def _parse(row: Row) -> Job:
    p = row["properties"]
    spec = JobSpec(
        branch_id=p["branch_id"],
        goal=Goal(p["goal"]),
        changes=tuple(
            Change(subject=s, relation=r, old_object=old, new_object=new) for s, r, old, new in json.loads(p["changes"])
        ),
        method=p["method"],
        method_config=json.loads(p["method_config"]),
        target_distribution=TargetDistribution(p["target_distribution"]),
        scorer=p["scorer"],
        seed=p["seed"],
        hold=p["hold"],
        gates=tuple(Gate(metric=m, max=high, min=low) for m, high, low in json.loads(p["gates"])),
        max_probes=p["max_probes"],
        install_derived=p["install_derived"],
        entities=parse_entities(p.get("entities")),
        expected_revision=p.get("expected_revision") or "",
    )
    text: Row = {
        name: p.get(name) or ""
        for name in (
            "revision_id",
            "artefact_sha256",
            "weights_sha256",
            "graph_digest",
            "plan_digest",
            "error_reason",
            "error_message",
            "metrics_withheld",
        )
    }
    numbers: Row = {name: int(p.get(name) or 0) for name in ("planned_rows", "planned_probes", "written_rows")}
    return Job(
        id=p["id"],
        spec=spec,
        graph_id=p["graph_id"],
        state=State(p["state"]),
        phase=p["phase"],
        attempt=p["attempt"],
        fence=p["fence"],
        actor=p["actor"],
        request_id=p["request_id"],
        base_revision=p["base_revision"],
        failed_gates=tuple(p.get("failed_gates") or ()),
        cancel_requested=bool(p.get("cancel_requested")),
        created_ms=row["created_ms"],
        finished_ms=row["finished_ms"],
        rolled_back_ms=row["rolled_back_ms"],
        metrics=json.loads(p.get("metrics") or "{}"),
        verdict_scheme=int(p.get("verdict_scheme") or (1 if p.get("plan_digest") else SCHEME)),
        health=Health.read(p),
        **text,
        **numbers,
    )


def counts(store: GraphStore) -> dict[tuple[str, str], int]:
    """Number of interventions by (state, goal)."""
    return {(row["state"], row["goal"]): row["n"] for row in store.read("jobs/counts")}


def next_job(store: GraphStore, apart: Iterable[str] = ()) -> tuple[str, str] | None:
    """The oldest queued intervention that may start now, and its branch; none of the branches ``apart``."""
    rows = store.read("jobs/next", limit=1, apart=sorted(apart))
    return (rows[0]["id"], rows[0]["branch_id"]) if rows else None


def interrupted_ids(store: GraphStore) -> list[str]:
    """Interventions whose worker is gone (only a starting worker may ask)."""
    return [row["id"] for row in store.read("jobs/interrupted")]


def claim(store: GraphStore, intervention_id: str) -> Claim | None:
    """Begin an attempt; None when the intervention is no longer claimable."""
    states = [State.QUEUED.value, State.PREPARING.value, State.RUNNING.value, State.COMMITTING.value]
    rows = store.write("jobs/claim", id=intervention_id, from_states=states)
    return Claim(id=intervention_id, fence=rows[0]["fence"], attempt=rows[0]["attempt"]) if rows else None


def advance(
    store: GraphStore,
    held: Claim,
    *,
    from_states: Iterable[State],
    state: State | None = None,
    **properties: object,
) -> None:
    """Change state and properties under the fence.

    Raises:
        FenceRejected: a newer attempt owns the intervention, or it left the expected states.
    """
    changes: dict[str, object] = dict(properties)
    if state is not None:
        changes["state"] = state.value
    rows = store.write(
        "jobs/advance",
        id=held.id,
        fence=held.fence,
        from_states=[s.value for s in from_states],
        properties=changes,
        finished=state is not None and state.terminal,
    )
    if not rows:
        raise FenceRejected("another attempt took over", field="intervention", value=held.id)


def commit(store: GraphStore, held: Claim, *, revision_id: str, artefact_sha256: str, weights_sha256: str) -> None:
    """Move the branch head to the new revision, all or nothing.

    Raises:
        FenceRejected: a newer attempt owns the intervention, or the head is no longer its base.
    """
    rows = store.write(
        "jobs/commit",
        id=held.id,
        fence=held.fence,
        revision_id=revision_id,
        artefact_sha256=artefact_sha256,
        weights_sha256=weights_sha256,
    )
    if not rows:
        raise FenceRejected("another attempt took over, or the head moved", field="intervention", value=held.id)


def finish(
    store: GraphStore,
    intervention_id: str,
    graph_id: str,
    *,
    from_states: Iterable[State],
    state: State,
    reason: str = "",
    message: str = "",
    held: Claim | None = None,
) -> bool:
    """End an intervention without a commit and restore the head beliefs, in one transaction.

    Raises the fence, so that an attempt which still runs can write no more. Where the beliefs cannot be restored (a
    damaged ledger), it ends all the same and says so: one intervention must not keep every other from its turn.

    Returns:
        Whether it was in one of ``from_states``, and where ``held`` is given, still under that fence.
    """
    properties = {"state": state.value, "phase": "", "error_reason": reason, "error_message": message[:2000]}

    states = [s.value for s in from_states]

    def end(tx: Transaction) -> bool:
        rows = tx.rows(
            "jobs/take_over",
            id=intervention_id,
            fence=None if held is None else held.fence,
            from_states=states,
            properties=properties,
            finished=True,
        )
        return bool(rows)

    def end_and_restore(tx: Transaction) -> bool:
        ended = end(tx)
        if ended:
            replay_heads(tx, graph_id)
        return ended

    try:
        return store.write_transaction(end_and_restore)
    except Exception as error:
        if isinstance(error, GraphUnavailable) and (held is None or held.attempt <= MAX_ATTEMPTS):
            raise  # it is tried again, as often as an attempt may be; then the beliefs are too many for a transaction
        _LOG.exception("the head beliefs of graph %s cannot be restored", graph_id)
        known = error.message if isinstance(error, KnowledgeSmithError) else "the server's log says why"
        why = f"; the graph's head beliefs could not be restored: {known}"
        properties["error_message"] = (message[:1200] + why)[:2000].removeprefix("; ")
        return store.write_transaction(end)


def commit_decided(store: GraphStore, intervention_id: str, revision_of: Callable[[str, str], str]) -> None:
    """Commit an intervention that awaits a decision, in one transaction: it never stays between the two states.

    Args:
        store: the database.
        intervention_id: the intervention.
        revision_of: id of the revision that a base revision and an artefact make.

    Raises:
        IllegalState: it does not await a decision.
        FenceRejected: the head is no longer its base.
    """

    def work(tx: Transaction) -> bool:
        taken = tx.rows(
            "jobs/take_over",
            id=intervention_id,
            fence=None,
            from_states=[State.AWAITING_DECISION.value],
            properties={"state": State.COMMITTING.value, "phase": "commit"},
            finished=False,
        )
        if not taken:
            return False
        p = tx.rows("jobs/get", id=intervention_id)[0]["properties"]
        done = tx.rows(
            "jobs/commit",
            id=intervention_id,
            fence=taken[0]["fence"],
            revision_id=revision_of(p["base_revision"], p["artefact_sha256"]),
            artefact_sha256=p["artefact_sha256"],
            weights_sha256=p["weights_sha256"],
        )
        if not done:
            raise FenceRejected("the head moved", field="intervention", value=intervention_id)
        return True

    if not store.write_transaction(work):
        raise illegal(get(store, intervention_id), "commit", (State.AWAITING_DECISION,))


def request_cancel(store: GraphStore, intervention_id: str) -> bool:
    """Ask the worker to stop; whether the intervention is one that it works on."""
    return bool(store.write("jobs/request_cancel", id=intervention_id))


def illegal(job: Job, action: str, allowed: Sequence[State]) -> IllegalState:
    """The error for an action that the state of ``job`` forbids."""
    return IllegalState(
        f"cannot {action} an intervention in this state",
        field="state",
        value=job.state.value,
        hint=f"It must be in {', '.join(s.value for s in allowed)}.",
        metadata={"id": job.id, "state": job.state.value},
    )
