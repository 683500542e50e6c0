"""An operation as it is kept: states, the record, and reading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class OperationState(StrEnum):
    """Where an operation stands; all but RUNNING are ends."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRecord:
    """One operation.

    Attributes:
        id: a UUID.
        method: name of the method that began it.
        resource_id: what it is about.
        actor: who asked.
        request_id: idempotence key.
        body_digest: of what was asked, files included.
        home: mark of the data directory that holds its files; only a server of that directory can work on it.
        request: the request in the wire's bytes; empty in listings.
        state: see :class:`OperationState`.
        stage: what it is doing.
        done: how much of the stage is done.
        total: of how much; 0 = unknown.
        attempt: how often it was taken up.
        crashes: how often the server crashed at the stage of the last crash.
        cancel_requested: somebody has asked for its end.
        result: the response in the wire's bytes; empty where there is none.
        error_reason: why it failed; empty where it did not.
        error: the status in the wire's bytes; empty where it did not fail.
        created_ms: when it was asked for, in milliseconds since the epoch.
        finished_ms: when it ended.
    """

    id: str
    method: str
    resource_id: str
    actor: str
    request_id: str
    body_digest: str
    home: str
    request: bytes = b""
    state: OperationState = OperationState.RUNNING
    stage: str = ""
    done: int = 0
    total: int = 0
    attempt: int = 0
    crashes: int = 0
    cancel_requested: bool = False
    result: bytes = b""
    error_reason: str = ""
    error: bytes = b""
    created_ms: int = 0
    finished_ms: int | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state is not OperationState.RUNNING


_NAMES = {field.name for field in fields(OperationRecord)}


def record_of(properties: Mapping[str, Any]) -> OperationRecord:
    """The record in a node's properties; those that a later release added are passed over."""
    known: dict[str, Any] = {name: value for name, value in properties.items() if name in _NAMES and value is not None}
    known["state"] = OperationState(known["state"])
    return OperationRecord(**known)
