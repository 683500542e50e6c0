"""The life of an operation in the graph, one transaction a step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.errors import IllegalState, OperationNotFound, RequestIdReused
from knowledgesmith.graph_schema.operations.records import OperationRecord, OperationState, record_of
from knowledgesmith.graph_schema.storage.store import GraphStore, Row

WEEK_MS: Final = 7 * 24 * 3600 * 1000
_LATEST: Final = 2**62
_PAGE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One taking up of an operation: how many there were, and how many crashed at the stage of the last crash."""

    attempt: int
    crashes: int


def create(store: GraphStore, record: OperationRecord) -> tuple[str, bool]:
    """Note an operation, or find the one that the same request began.

    Returns:
        Its id, and whether it is new.

    Raises:
        RequestIdReused: the request id was used with another body.
    """
    properties = {
        "id": record.id,
        "method": record.method,
        "resource_id": record.resource_id,
        "actor": record.actor,
        "body_digest": record.body_digest,
        "home": record.home,
        "request": record.request,
        "state": record.state.value,
        "stage": record.stage,
        "done": 0,
        "total": 0,
        "attempt": 0,
        "crashes": 0,
        "held": False,
        "cancel_requested": False,
        "error_reason": "",
    }
    row = store.write("operations/create", request_id=record.request_id, properties=properties)[0]
    return _same(row, record), row["id"] == record.id


def earlier(store: GraphStore, record: OperationRecord) -> str:
    """Id of the operation that the same request began before; empty where its request id is new.

    Raises:
        RequestIdReused: the request id was used with another body.
    """
    for row in store.read("operations/by_request", request_id=record.request_id):
        return _same(row, record)
    return ""


def begun_by(store: GraphStore, request_id: str) -> OperationRecord | None:
    """The operation that a request of this id began, whatever was asked for."""
    for row in store.read("operations/by_request", request_id=request_id):
        with suppress(OperationNotFound):  # it was deleted just now
            return get(store, str(row["id"]))
    return None


def reused(request_id: str) -> RequestIdReused:
    """A request id came with something else than before."""
    return RequestIdReused(
        "this request id was used with another body",
        field="request_id",
        value=request_id,
        hint="Send a fresh UUID for a new request.",
    )


def _same(row: Row, record: OperationRecord) -> str:
    if row["body_digest"] != record.body_digest:
        raise reused(record.request_id)
    return str(row["id"])


def get(store: GraphStore, operation_id: str) -> OperationRecord:
    """One operation.

    Raises:
        OperationNotFound: there is none of this id.
    """
    for row in store.read("operations/get", id=operation_id):
        return record_of(row["properties"])
    raise not_found(operation_id)


def list_operations(
    store: GraphStore,
    *,
    method: str = "",
    states: Sequence[OperationState] = tuple(OperationState),
    before: tuple[int, str] | None = None,
    limit: int = 50,
) -> list[OperationRecord]:
    """Operations without requests, newest first, older than ``before`` = (created_ms, id)."""
    before_ms, before_id = before or (_LATEST, "")
    rows = store.read(
        "operations/list",
        before_ms=before_ms,
        before_id=before_id,
        method=method,
        states=[state.value for state in states],
        limit=limit,
    )
    return [record_of(row["properties"]) for row in rows]


def unfinished(store: GraphStore, home: str) -> list[OperationRecord]:
    """Operations of a data directory that have not ended, oldest first."""
    return [record_of(row["properties"]) for row in store.read("operations/unfinished", home=home)]


def settle(store: GraphStore, home: str, *, crashed: bool) -> None:
    """After the end of a server: nobody works on its operations; where it ended in no good order, a crash of each."""
    store.write("operations/settle", home=home, crashed=crashed)


def take_up(store: GraphStore, operation_id: str) -> Attempt | None:
    """Begin to work on an operation; None where it has ended or is gone."""
    for row in store.write("operations/take_up", id=operation_id):
        return Attempt(attempt=row["attempt"], crashes=row["crashes"])
    return None


def let_go(store: GraphStore, operation_id: str) -> None:
    """Stop working on an operation that has not ended; whoever takes it up next does not count a crash."""
    store.write("operations/let_go", id=operation_id)


def progress(store: GraphStore, operation_id: str, *, stage: str, done: int, total: int) -> None:
    """Note how far an operation is."""
    store.write("operations/progress", id=operation_id, stage=stage, done=done, total=total)


def cancelled(store: GraphStore, ids: Sequence[str]) -> set[str]:
    """Those of these operations of which somebody, perhaps through another server, has asked for the end."""
    return {str(row["id"]) for row in store.read("operations/cancelled", ids=list(ids))}


def finish(store: GraphStore, operation_id: str, result: bytes) -> None:
    """End an operation with its response."""
    _end(store, operation_id, OperationState.DONE, {"result": result})


def fail(store: GraphStore, operation_id: str, *, reason: str, error: bytes, cancelled: bool = False) -> None:
    """End an operation with a status; ``cancelled`` where somebody had asked for it."""
    state = OperationState.CANCELLED if cancelled else OperationState.FAILED
    _end(store, operation_id, state, {"error_reason": reason, "error": error})


def _end(store: GraphStore, operation_id: str, state: OperationState, properties: dict[str, object]) -> None:
    store.write("operations/end", id=operation_id, state=state.value, properties=properties)


def request_cancel(store: GraphStore, operation_id: str) -> OperationState:
    """Note that somebody asks for the end of an operation; where it stands.

    Raises:
        OperationNotFound: there is none of this id.
    """
    for row in store.write("operations/request_cancel", id=operation_id):
        return OperationState(row["state"])
    raise not_found(operation_id)


def delete(store: GraphStore, operation_id: str) -> None:
    """Forget an operation that has ended.

    Raises:
        OperationNotFound: there is none of this id.
        IllegalState: it has not ended.
    """
    rows = store.write("operations/delete", id=operation_id)
    if not rows:
        raise not_found(operation_id)
    if rows[0]["state"] == OperationState.RUNNING:
        raise IllegalState(
            "the operation has not ended",
            field="name",
            value=f"operations/{operation_id}",
            hint="Cancel it, and delete it once it has ended.",
        )


def purge(store: GraphStore, home: str, *, age_ms: int = WEEK_MS) -> list[str]:
    """Forget what ended longer ago than ``age_ms``, and what servers of other data directories have left for as long.

    Returns:
        Ids of what was forgotten.
    """
    gone: list[str] = []
    while rows := store.write("operations/purge", age_ms=age_ms, limit=_PAGE):
        gone += [str(row["id"]) for row in rows]
    while rows := store.write("operations/purge_lost", home=home, age_ms=age_ms, limit=_PAGE):
        gone += [str(row["id"]) for row in rows]
    return gone


def known(store: GraphStore, ids: Sequence[str]) -> set[str]:
    """Those of these ids that are ids of operations."""
    return {str(row["id"]) for row in store.read("operations/known", ids=list(ids))}


def database_id(store: GraphStore) -> str:
    """What tells this database from any other."""
    return str(store.read("operations/database")[0]["id"])


def not_found(operation_id: str) -> OperationNotFound:
    """There is no operation of this id."""
    return OperationNotFound(
        "no such operation",
        field="name",
        value=f"operations/{operation_id}",
        hint="See `ksmith operations`; operations are deleted a week after their end.",
    )
