"""How long a wait for an operation lasts: as long as asked for, but never up to the deadline of its own call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2

from knowledgesmith.server.front.dependencies import Parts
from knowledgesmith.server.front.interceptors import Context
from knowledgesmith.server.operations.engine import LONGEST_WAIT_SECONDS
from knowledgesmith.server.servicers.operation import OperationsServicer


class Waits:
    """Operations that note how long somebody would wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def wait(self, name: str, seconds: float) -> operations_pb2.Operation:
        self.seconds.append(seconds)
        return operations_pb2.Operation(name=name)


@pytest.mark.parametrize(
    ("asked", "deadline", "waited"),
    [
        (None, None, LONGEST_WAIT_SECONDS),
        (None, 1000.0, LONGEST_WAIT_SECONDS),
        (None, 30.0, 29.0),
        (None, 2.0, 1.0),
        (None, 0.5, 0.25),
        (5, 30.0, 5.0),
        (50, 30.0, 29.0),
        (0, 30.0, 0.0),
        (5, None, 5.0),
    ],
)
async def test_the_shorter_of_timeout_and_deadline_is_waited_with_time_to_answer(
    asked: int | None, deadline: float | None, waited: float
) -> None:
    def time_remaining() -> float | None:
        return deadline

    waits = Waits()
    parts: Any = SimpleNamespace(operations=waits)
    context: Any = SimpleNamespace(time_remaining=time_remaining)
    timeout = None if asked is None else duration_pb2.Duration(seconds=asked)
    request = operations_pb2.WaitOperationRequest(name="operations/x", timeout=timeout)
    answered = await OperationsServicer(cast("Parts", parts)).WaitOperation(request, cast("Context", context))
    assert answered.name == "operations/x"
    assert waits.seconds == [waited]
