"""Errors are rebuilt from what the server sends, and read well."""

from __future__ import annotations

import grpc
import pytest
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith import client
from knowledgesmith.client import KnowledgeSmith, KnowledgeSmithClientError
from knowledgesmith.client._wire.rpc_errors import error_class
from knowledgesmith.v1 import error_pb2

PREFIX = "ERROR_REASON_"
REASONS = {
    value.name.removeprefix(PREFIX): value.GetOptions().Extensions[error_pb2.status]
    for value in error_pb2.ErrorReason.DESCRIPTOR.values
    if value.number
}
"""Reasons of the wire with the numbers of their gRPC status."""
NOBODY_IS_TOLD = {
    "DATABASE_NOT_EMPTY",
    "DATABASE_RUNNING",
    "JAVA_NOT_FOUND",
    "PORT_TAKEN",
    "STORE_OWNED",
    "JARS_UNAVAILABLE",
    "DATABASE_START_FAILED",
    "OFFLINE_IMPORT_FAILED",
}
"""These arise while a server starts or while none runs: no call ends with them, so they have no class of their own."""
OF_THE_CLIENT = {"UNKNOWN", "SERVER_UNREACHABLE", "CLIENT_CLOSED", "SEQUENCE_GAP", "INTERVENTION_FAILED"}
"""Reasons of errors that arise in the client."""


def classes() -> list[type[KnowledgeSmithClientError]]:
    found: list[type[KnowledgeSmithClientError]] = [KnowledgeSmithClientError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


def code_of(number: int) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def test_every_reason_of_the_wire_has_exactly_one_class() -> None:
    reasons = [kind.default_reason for kind in classes()]
    assert len(reasons) == len(set(reasons))
    assert set(reasons) == (set(REASONS) - NOBODY_IS_TOLD) | OF_THE_CLIENT
    assert {kind.__name__ for kind in classes()} <= set(client.__all__)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_reason_stands_below_the_class_of_its_status(reason: str) -> None:
    code = code_of(REASONS[reason])
    family, kind = error_class("SOMETHING_NEW", code), error_class(reason, code)
    assert issubclass(kind, family)
    assert (kind.default_reason == reason) == (reason not in NOBODY_IS_TOLD)
    assert kind is not KnowledgeSmithClientError


def test_the_details_are_kept(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["GetGraph"] = [
        Failure(
            code=grpc.StatusCode.INVALID_ARGUMENT,
            reason="AMBIGUOUS_NAME",
            message="Two entities have this name. [subject='Georgia'] Use a uid.",
            metadata={
                "field": "subject",
                "value": "'Georgia'",
                "hint": "Use a uid.",
                "message": "Two entities have this name.",
                "uids": "country_georgia,state_georgia",
            },
        )
    ]
    with pytest.raises(client.AmbiguousName) as caught:
        either.graphs.get(graph_id="atlas")
    error = caught.value
    assert (error.reason, error.field, error.value, error.hint) == (
        "AMBIGUOUS_NAME",
        "subject",
        "'Georgia'",
        "Use a uid.",
    )
    assert error.metadata == {"uids": "country_georgia,state_georgia"}
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert str(error) == "Two entities have this name. [subject='Georgia'] Use a uid."


def test_a_reason_of_a_newer_server_falls_back_to_the_status(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["GetGraph"] = [Failure(code=grpc.StatusCode.NOT_FOUND, reason="SOMETHING_NEW", message="No such.")]
    with pytest.raises(client.NotFound) as caught:
        smith.graphs.get(graph_id="atlas")
    assert type(caught.value) is client.NotFound
    assert caught.value.reason == "SOMETHING_NEW"


def test_details_of_another_domain_are_ignored(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["GetGraph"] = [
        Failure(code=grpc.StatusCode.FAILED_PRECONDITION, reason="BRANCH_BUSY", domain="elsewhere", message="no")
    ]
    with pytest.raises(client.FailedPrecondition) as caught:
        smith.graphs.get(graph_id="atlas")
    assert caught.value.reason == "FAILED_PRECONDITION"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, client.DeadlineExceeded),
        (grpc.StatusCode.PERMISSION_DENIED, client.PermissionDenied),
        (grpc.StatusCode.INTERNAL, client.ServerFault),
        (grpc.StatusCode.UNIMPLEMENTED, client.ServerFault),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, client.ResourceExhausted),
    ],
)
def test_a_bare_status_has_a_class(
    smith: KnowledgeSmith, fake: FakeServer, code: grpc.StatusCode, kind: type[KnowledgeSmithClientError]
) -> None:
    fake.failures["GetGraph"] = [Failure(code=code)]
    with pytest.raises(kind) as caught:
        smith.graphs.get(graph_id="atlas")
    assert caught.value.code is code


def test_no_server_says_how_to_start_one() -> None:
    with (
        KnowledgeSmith("127.0.0.1:1", timeout_s=2) as smith,
        pytest.raises(client.ServerUnreachable, match="ksmith up"),
    ):
        smith.graphs.get(graph_id="atlas")


def test_a_message_is_one_line() -> None:
    error = client.InvalidInput("first\nsecond", field="name", value="'x'")
    assert error.summary == "first second [name='x']"
