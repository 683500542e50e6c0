"""Errors are rebuilt from what the server sends, and read well."""

from __future__ import annotations

import grpc
import pytest
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith import client
from knowledgesmith.client import KnowledgeSmith, KnowledgeSmithClientError
from knowledgesmith.client._rpc_errors import error_class
from knowledgesmith.graph_schema import errors as domain
from knowledgesmith.server.wire.statuses import STATUS_OF


def domain_errors() -> list[type[domain.KnowledgeSmithError]]:
    found = [value for value in vars(domain).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, domain.KnowledgeSmithError)]


@pytest.mark.parametrize("kind", [kind for kind in domain_errors() if kind is not domain.KnowledgeSmithError])
def test_every_error_of_the_service_becomes_one_of_the_clients(kind: type[domain.KnowledgeSmithError]) -> None:
    code = next(code for parent, code in STATUS_OF if issubclass(kind, parent))
    rebuilt = error_class(kind.reason, code)
    families = [parent.__name__ for parent in kind.__mro__]
    assert rebuilt.__name__ in families
    assert rebuilt is not KnowledgeSmithClientError


def test_the_details_are_kept(smith: KnowledgeSmith, fake: FakeServer) -> None:
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
        smith.get_graph(graph_id="atlas")
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
        smith.get_graph(graph_id="atlas")
    assert type(caught.value) is client.NotFound
    assert caught.value.reason == "SOMETHING_NEW"


def test_details_of_another_domain_are_ignored(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["GetGraph"] = [
        Failure(code=grpc.StatusCode.FAILED_PRECONDITION, reason="BRANCH_BUSY", domain="elsewhere", message="no")
    ]
    with pytest.raises(client.FailedPrecondition) as caught:
        smith.get_graph(graph_id="atlas")
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
        smith.get_graph(graph_id="atlas")
    assert caught.value.code is code


def test_no_server_says_how_to_start_one() -> None:
    with (
        KnowledgeSmith("127.0.0.1:1", timeout_s=2) as smith,
        pytest.raises(client.ServerUnreachable, match="ksmith up"),
    ):
        smith.get_graph(graph_id="atlas")


def test_a_message_is_one_line() -> None:
    error = client.InvalidInput("first\nsecond", field="name", value="'x'")
    assert error.summary == "first second [name='x']"
