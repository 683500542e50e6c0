"""One operation at work: what its runner is given, and what runners are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from knowledgesmith.server.operations.folders import Folder


class Report(Protocol):
    """Told how far a stage is; ``total`` 0 means unknown. May be called from any thread, as often as one likes."""

    def __call__(self, stage: str, done: int = 0, total: int = 0, /) -> None:
        """Take note."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a runner works on.

    Attributes:
        id: of the operation.
        request: as it was stored; its type is the method's.
        request_id: idempotence key.
        attempt: how often it was taken up, this time included; from the second one on, any part of the work may be
            done already.
        folder: the files that were uploaded with it, and those that it leaves behind.
        report: to tell how far it is.
    """

    id: str
    request: Any
    request_id: str
    attempt: int
    folder: Folder
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class InThread:
    """Blocking work, done in one of the threads for operations.

    It is cancelled through ``graph_schema.cancellation``, and must be safe to do again after it was cut off anywhere.
    """

    request: type[Message]
    run: Callable[[Task], Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class InLoop:
    """Work that mostly waits for the worker, and takes no thread meanwhile; cancelled as a task of asyncio."""

    request: type[Message]
    run: Callable[[Task], Awaitable[Message]]


Runner = InThread | InLoop
