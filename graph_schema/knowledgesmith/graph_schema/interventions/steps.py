"""Interventions as interventions: their life in the graph, one transaction a step, every step under the fence.

States and moves: design, contracts. A claim raises the fence; whoever holds an older fence can no longer write.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import (
    AlreadyExists,
    BranchNotFound,
    FenceRejected,
    GraphLocked,
    GraphUnavailable,
    IllegalState,
    InterventionNotFound,
    KnowledgeSmithError,
    RequestIdReused,
    TooLarge,
)
from knowledgesmith.graph_schema.interventions.head_replays import mend_heads, settle_later
from knowledgesmith.graph_schema.interventions.records import (
    Claim,
    Intervention,
    InterventionSpec,
    Pulse,
    spec_properties,
    stored_intervention,
    whole,
)
from knowledgesmith.graph_schema.storage.settled import settled
from knowledgesmith.graph_schema.types.interventions import Goal, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction

_LOG = logging.getLogger(__name__)
LIVE = (State.QUEUED, State.PREPARING, State.RUNNING, State.AWAITING_DECISION, State.COMMITTING)
MAX_ATTEMPTS = 3


def create(
    store: GraphStore, spec: InterventionSpec, *, actor: str, request_id: str, request_hash: str, graph_digest: str
) -> tuple[str, bool]:
    """Queue an intervention, or find the one that the same request made before.

    Returns:
        Its id, and whether it is new.

    Raises:
        BranchNotFound: no such branch, or it is being deleted.
        RequestIdReused: the request id was used with another body.
    """
    properties = {
        **spec_properties(spec),
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
        rows = tx.rows("interventions/steps/create", branch_id=spec.branch_id, properties=properties)
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
    for row in tx.rows("interventions/steps/by_request", request_id=request_id):
        if row["request_hash"] != request_hash:
            raise RequestIdReused(
                "this request id was used with another body",
                field="request_id",
                value=request_id,
                hint="Send a fresh UUID for a new request.",
            )
        return str(row["id"])
    return None


def get(store: GraphStore, intervention_id: str) -> Intervention:
    """One intervention.

    Raises:
        InterventionNotFound: no such id.
        IllegalState: its properties are not those of an intervention.
    """
    return stored_intervention(_found(store, "interventions/steps/get", intervention_id, whole))


def pulse(store: GraphStore, intervention_id: str) -> Pulse:
    """Where an intervention stands: what a watch reads again and again.

    Raises:
        InterventionNotFound: no such id.
        IllegalState: its state is none.
    """
    row = _found(
        store, "interventions/steps/pulse", intervention_id, lambda found: None not in (found["state"], found["phase"])
    )
    try:
        return Pulse(state=State(row.pop("state")), **row)
    except ValueError as error:
        raise IllegalState(
            "the stored intervention is damaged", field="intervention_id", value=intervention_id
        ) from error


def _found(store: GraphStore, query: str, intervention_id: str, adds_up: Callable[[Row], bool]) -> Row:
    rows = settled(lambda: store.read(query, id=intervention_id), lambda found: bool(found) and adds_up(found[0]))
    for row in rows:
        return row
    raise InterventionNotFound(
        "no such intervention", field="intervention_id", value=intervention_id, hint="See `ksmith interventions`."
    )


def list_interventions(
    store: GraphStore,
    *,
    branch_id: str = "",
    states: Collection[State] = (),
    goal: Goal | None = None,
    before: tuple[int, str] | None = None,
    limit: int = 50,
) -> list[Intervention]:
    """Interventions, newest first, older than the position ``before`` = (created_ms, id); filters may be empty."""
    before_ms, before_id = before or (None, "")
    asked = {
        "branch_id": branch_id,
        "states": sorted(state.value for state in states),
        "goal": goal.value if goal else "",
        "before_ms": before_ms,
        "before_id": before_id,
        "limit": limit,
    }
    rows = settled(lambda: store.read("interventions/steps/list", **asked), lambda found: all(map(whole, found)))
    return [stored_intervention(row) for row in rows]


def counts(store: GraphStore) -> dict[tuple[str, str], int]:
    """Number of interventions by (state, goal)."""
    rows = settled(lambda: store.read("interventions/steps/counts"), lambda found: all(row["state"] for row in found))
    return {(row["state"], row["goal"]): row["n"] for row in rows if row["state"]}


class InterventionCounts:
    """Numbers of interventions for a reader that asks every few seconds.

    Those that ended are counted again only when there may be others: their number, the ones that have not ended, or
    the one that ended last are not the same as before. Each of these is looked up without reading the others.
    """

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self._seen: object = None
        self._number = 0
        self._ended: dict[tuple[str, str], int] = {}

    def read(self) -> dict[tuple[str, str], int]:
        """Number of interventions by (state, goal)."""
        found = settled(self._read, lambda seen: seen.total() == self._number)
        return dict(found)

    def _read(self) -> Counter[tuple[str, str]]:
        live = self._store.read("interventions/steps/live", states=[state.value for state in LIVE])
        self._number = int(self._store.read("interventions/steps/number")[0]["n"])
        seen = (self._number, self._store.read("interventions/steps/latest_end"), [row["id"] for row in live])
        if seen != self._seen:  # read before what is counted: whatever comes in between is seen the next time
            ended = counts(self._store)
            self._ended = {key: n for key, n in ended.items() if key[0] not in LIVE}
            self._seen = seen
        found = Counter(self._ended) + Counter((row["state"], row["goal"]) for row in live)
        if found.total() != self._number:  # something was read in the middle of a commit
            self._seen = None
        return found


def next_intervention(store: GraphStore, apart: Iterable[str] = ()) -> tuple[str, str] | None:
    """The oldest queued intervention that may start now, and its branch; none of the branches ``apart``."""
    rows = store.read("interventions/steps/next", limit=1, apart=sorted(apart))
    return (rows[0]["id"], rows[0]["branch_id"]) if rows else None


def interrupted_ids(store: GraphStore) -> list[str]:
    """Interventions whose worker is gone (only a starting worker may ask)."""
    return [row["id"] for row in store.read("interventions/steps/interrupted")]


def claim(store: GraphStore, intervention_id: str) -> Claim | None:
    """Begin an attempt; None when the intervention is no longer claimable."""
    states = [State.QUEUED.value, State.PREPARING.value, State.RUNNING.value, State.COMMITTING.value]
    rows = store.write("interventions/steps/claim", id=intervention_id, from_states=states)
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
        "interventions/steps/advance",
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
        "interventions/steps/commit",
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
    *,
    from_states: Iterable[State],
    state: State,
    reason: str = "",
    message: str = "",
    held: Claim | None = None,
) -> bool:
    """End an intervention without a commit and restore the head beliefs that its ledger made.

    Raises the fence, so that an attempt which still runs can write no more. Where the beliefs cannot be restored (a
    damaged ledger), it ends all the same and says so: one intervention must not keep every other from its turn. Where
    it ended and the database is then gone, whoever comes next restores the beliefs that are left.

    Returns:
        Whether it was in one of ``from_states``, and where ``held`` is given, still under that fence.
    """
    properties = {"state": state.value, "phase": "", "error_reason": reason, "error_message": message[:2000]}
    states = [s.value for s in from_states]

    def end(tx: Transaction, *, restore: bool) -> tuple[bool, str]:
        rows = tx.rows(
            "interventions/steps/take_over",
            id=intervention_id,
            fence=None if held is None else held.fence,
            from_states=states,
            properties=properties,
            finished=True,
        )
        return bool(rows), mend_heads(tx, intervention_id, start=restore) if rows else ""

    try:
        ended, graph_id = store.write_transaction(lambda tx: end(tx, restore=True))
    except Exception as error:
        tried_enough = held is not None and held.attempt > MAX_ATTEMPTS and not isinstance(error, GraphLocked)
        if isinstance(error, GraphUnavailable) and not tried_enough:
            raise  # it is tried again, as often as an attempt may be
        _LOG.exception("the head beliefs that %s made cannot be restored", intervention_id)
        if not isinstance(error, TooLarge):  # they are restored in smaller batches, or when there is the memory
            known = error.message if isinstance(error, KnowledgeSmithError) else "the server's log says why"
            why = f"; the graph's head beliefs could not be restored: {known}"
            properties["error_message"] = (message[:1200] + why)[:2000].removeprefix("; ")
        ended, graph_id = store.write_transaction(lambda tx: end(tx, restore=False))
    settle_later(store, graph_id)
    return ended


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
            "interventions/steps/take_over",
            id=intervention_id,
            fence=None,
            from_states=[State.AWAITING_DECISION.value],
            properties={"state": State.COMMITTING.value, "phase": "commit"},
            finished=False,
        )
        if not taken:
            return False
        p = tx.rows("interventions/steps/get", id=intervention_id)[0]["properties"]
        done = tx.rows(
            "interventions/steps/commit",
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
    return bool(store.write("interventions/steps/request_cancel", id=intervention_id))


def illegal(intervention: Intervention, action: str, allowed: Sequence[State]) -> IllegalState:
    """The error for an action that the state of ``intervention`` forbids."""
    return IllegalState(
        f"cannot {action} an intervention in this state",
        field="state",
        value=intervention.state.value,
        hint=f"It must be in {', '.join(s.value for s in allowed)}.",
        metadata={"id": intervention.id, "state": intervention.state.value},
    )
