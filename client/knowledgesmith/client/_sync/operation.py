"""One operation of the server: a handle that waits for its result, also over a restart of the server."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import time
from typing import Any, Final, Generic, Self, TypeVar, cast

from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty

from knowledgesmith.client._errors import (
    DeadlineExceeded,
    KnowledgeSmithClientError,
    ServerFault,
    ServerUnreachable,
    Unavailable,
)
from knowledgesmith.client._retry import PATIENT
from knowledgesmith.client._types.operations import OnProgress, OperationMetadata, OperationProgress
from knowledgesmith.client._wire.fill import read
from knowledgesmith.client._wire.results import read_result
from knowledgesmith.client._wire.rpc_errors import from_status
from knowledgesmith.v1 import operation_pb2

from .transport import Transport

LONGEST_WAIT_S: Final = 30.0
"""Of one call; the next one goes on."""
PROGRESS_S: Final = 1.0
"""Of one call where somebody wants to see the progress."""

Result = TypeVar("Result")


class Operation(Generic[Result]):
    """Long work of the server, whose result is kept there for a week: the client may go away and come back."""

    def __init__(self, transport: Transport, message: operations_pb2.Operation, kind: type[Result]) -> None:
        self._transport = transport
        self._message = message
        self._kind = kind

    @property
    def name(self) -> str:
        """``operations/`` and a UUID; ``operations.get`` finds it again."""
        return str(self._message.name)

    @property
    def done(self) -> bool:
        """Whether it had ended when the server was last asked."""
        return bool(self._message.done)

    @property
    def metadata(self) -> OperationMetadata:
        """What it is about, and how far it was when the server was last asked."""
        return read(OperationMetadata, operation_pb2.OperationMetadata.FromString(self._message.metadata.value))

    @property
    def error(self) -> KnowledgeSmithClientError | None:
        """What it failed of, as :meth:`result` raises it; ``None`` while it runs and where it did not fail."""
        return from_status(cast("Any", self._message.error)) if self._message.HasField("error") else None

    def refresh(self) -> Self:
        """Ask the server how far it is.

        Raises:
            OperationNotFound: it is not kept any more.
        """
        request = operations_pb2.GetOperationRequest(name=self.name)
        self._message = self._transport.unary(request, operations_pb2.Operation)
        return self

    def cancel(self) -> None:
        """Ask for its end at the next safe point; it may still succeed.

        Raises:
            OperationNotFound: it is not kept any more.
        """
        self._transport.unary(operations_pb2.CancelOperationRequest(name=self.name), Empty)

    def result(self, *, timeout_s: float | None = None, progress: OnProgress | None = None) -> Result:
        """Wait until it has ended, also over a restart of the server, and return its result.

        Args:
            timeout_s: most seconds to wait; ``None`` = as long as it takes.
            progress: told how far it is, about once a second.

        Raises:
            DeadlineExceeded: it has not ended in time; it goes on.
            Cancelled: somebody asked for its end.
            ServerUnreachable: the server stayed away through all attempts; the operation is taken up when it is back.
            KnowledgeSmithClientError: it failed, or it is not kept any more.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        pauses = PATIENT.pauses()
        told: OperationProgress | None = None
        while True:
            told = self._tell(told, progress)
            if self._message.WhichOneof("result") is not None:  # one from a listing comes without its response
                return self._outcome()
            left = LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded(
                    f"The operation has not ended after {timeout_s:g} s.",
                    field="operation",
                    value=self.name,
                    hint="It goes on: ask again for its result.",
                )
            try:
                self._wait(min(left, LONGEST_WAIT_S if progress is None else PROGRESS_S))
            except (Unavailable, DeadlineExceeded) as away:
                pause = next(pauses, None)
                if pause is None:
                    raise _gone(away, self.name) from None
                time.sleep(min(pause, left))
            else:
                pauses = PATIENT.pauses()

    def _wait(self, seconds: float) -> None:
        span = Duration()
        span.FromMilliseconds(max(1, round(seconds * 1000)))
        request = operations_pb2.WaitOperationRequest(name=self.name, timeout=span)
        self._message = self._transport.unary(request, operations_pb2.Operation, longer_s=seconds)

    def _tell(self, told: OperationProgress | None, progress: OnProgress | None) -> OperationProgress | None:
        if progress is None:
            return None
        known = self.metadata
        now = OperationProgress(stage=known.stage, done=known.done, total=known.total)
        if now != told:
            progress(now)
        return now

    def _outcome(self) -> Result:
        if self.error is not None:
            raise self.error
        found = read_result(self._message.response)
        if not isinstance(found, self._kind):
            raise ServerFault("The operation ended with another result than its method promises.", value=self.name)
        return found


def _gone(failure: Unavailable | DeadlineExceeded, name: str) -> Exception:
    if not isinstance(failure, ServerUnreachable):
        return failure
    return ServerUnreachable(
        failure.message,
        field="operation",
        value=name,
        hint="The operation is kept: ask for its result when the server is back.",
        code=failure.code,
        metadata=failure.metadata,
    )
