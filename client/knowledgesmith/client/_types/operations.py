"""Long work of the server: what it is about and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationMetadata:
    """What an operation is about and how far it is.

    Attributes:
        method: that began it, such as ``ImportGraph``.
        resource_id: of the graph, branch, model, probe set or intervention.
        actor: who asked.
        stage: what it is doing; ``done`` of ``total`` of it (0 = unknown) are done: bytes, records, rows or probes.
        attempt: how often it was taken up; more than 1 after a restart of the server.
        cancel_requested: somebody has asked for its end.
        finish_time: ``None`` while it runs.
    """

    method: str
    resource_id: str
    actor: str
    stage: str
    done: int
    total: int
    attempt: int
    cancel_requested: bool
    create_time: datetime | None
    finish_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationProgress:
    """How far an operation is: bytes, records, rows or probes ``done`` of a ``stage``; ``total`` 0 = unknown."""

    stage: str
    done: int
    total: int


OnProgress = Callable[[OperationProgress], None]
"""Told how far an operation is, whenever that has changed."""
