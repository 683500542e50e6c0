"""What may be sent again only with a key is refused without one, before it begins."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message
from tests.server.bad_keys import BY_NATURE, KEYLESS
from tests.server.bad_requests import GOOD, INVALID
from tests.server.keyed import keyed
from tests.server.service import PATIENCE, Service, reason_of

from knowledgesmith.server.front.policies import services
from knowledgesmith.v1 import graph_pb2, intervention_pb2, intervention_pb2_grpc

IDEMPOTENT = descriptor_pb2.MethodOptions.IDEMPOTENT
METHODS = {
    f"{service.name}/{method.name}": method
    for service in services()
    for method in service.methods
    if method.GetOptions().idempotency_level == IDEMPOTENT
}


def test_the_table_has_a_row_for_every_method_that_needs_a_key() -> None:
    assert {*KEYLESS, *BY_NATURE} == set(METHODS)


def refused(service: Service, name: str, request: Message) -> grpc.RpcError:
    """The refusal of a request as it stands, sent past the helpers that give it a key."""
    ways: Any = service.channel
    way = ways.stream_unary if METHODS[name].client_streaming else ways.unary_unary
    call = way(
        f"/knowledgesmith.v1.{name}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=operations_pb2.Operation.FromString,
    )
    with pytest.raises(grpc.RpcError) as caught:
        call(iter([request]) if METHODS[name].client_streaming else request, timeout=PATIENCE)
    return caught.value


@pytest.mark.parametrize("name", KEYLESS)
def test_without_a_key_it_is_refused_and_told_what_to_send(service: Service, name: str) -> None:
    code, reason, metadata = reason_of(refused(service, name, KEYLESS[name]))
    assert (code, reason, metadata["field"]) == (INVALID, "INVALID_FIELD", "request_id")
    assert metadata["hint"] == "Send a random UUID, and the same one when you ask again."


def test_a_preview_makes_nothing_and_needs_no_key(service: Service, branch: str) -> None:
    request = intervention_pb2.CreateInterventionRequest(spec=service.spec(branch, GOOD), validate_only=True)
    stub = intervention_pb2_grpc.InterventionServiceStub(service.channel)
    answer = stub.CreateIntervention(request, timeout=PATIENCE)
    assert (answer.intervention.id, answer.intervention.request_id) == ("", "")
    assert answer.plan.digest


def test_helpers_send_a_fresh_key_where_a_test_sends_none() -> None:
    checked = graph_pb2.CheckGraphRequest(graph_id="g")
    upload = graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id="g"))
    assert len({keyed(checked).request_id, keyed(checked).request_id, keyed(upload).header.request_id, ""}) == 4
    assert (checked.request_id, upload.header.request_id) == ("", "")
    own = graph_pb2.CheckGraphRequest(graph_id="g", request_id="mine")
    assert keyed(own) is own
