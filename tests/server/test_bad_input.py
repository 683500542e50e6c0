"""Bad input over the wire: field × violation, each with its documented status and reason, and nothing changed."""

from __future__ import annotations

import uuid

import grpc
import pytest
from tests.server.bad_files import SENDING
from tests.server.bad_questions import ASKING
from tests.server.bad_requests import CHANGING, GOOD, INVALID, Case
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of

from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.v1 import intervention_pb2

CASES = [*CHANGING, *ASKING, *SENDING]


def fingerprint(store: GraphStore, graph_id: str) -> object:
    """Everything of one graph, and the number of everything else; what was tried in vain is remembered."""
    query = (
        "MATCH (n) WHERE NOT n:Operation OPTIONAL MATCH (n)-[r]->() "
        "RETURN count(DISTINCT n) AS nodes, count(r) AS relationships, "
        "sum(CASE WHEN n.graph_id = $g THEN size(keys(n)) ELSE 0 END) AS properties"
    )
    return store.run_user_query(query, {"g": graph_id}, limit=1, timeout_s=60)[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_with_status_and_reason_and_nothing_changed(
    case: Case, service: Service, second_client: GraphStore, world: str, branch: str
) -> None:
    before = fingerprint(second_client, world)
    with pytest.raises((grpc.RpcError, OperationFailed)) as refused:
        case.send(service, branch, world)
    assert isinstance(refused.value, (grpc.RpcError, OperationFailed))
    code, reason, metadata = reason_of(refused.value)
    assert (code, reason) == (case.code, case.reason), refused.value
    assert metadata["message"]
    assert fingerprint(second_client, world) == before


def test_request_id_makes_one_intervention_and_refuses_another_body(service: Service, branch: str) -> None:
    request_id = str(uuid.uuid4())
    spec = service.spec(branch, GOOD)
    first = service.create(spec, request_id=request_id)
    assert service.create(spec, request_id=request_id).id == first.id
    with pytest.raises(grpc.RpcError) as refused:
        service.create(service.spec(branch, ("peru", "has_capital", "lima", "rome")), request_id=request_id)
    assert reason_of(refused.value)[:2] == (INVALID, "REQUEST_ID_REUSED")
    service.wait(first.id)
    assert service.create(spec, request_id=request_id).id == first.id


def test_page_tokens_walk_every_item_once_and_belong_to_their_listing(service: Service, branch: str) -> None:
    made = [service.create(service.spec(branch, GOOD, hold=True)).id, service.create(service.spec(branch, GOOD)).id]
    seen: list[str] = []
    token = ""
    while True:
        request = intervention_pb2.ListInterventionsRequest(branch_id=branch, page_size=1, page_token=token)
        page = service.intervention.ListInterventions(request, timeout=PATIENCE)
        seen += [intervention.id for intervention in page.interventions]
        token = page.next_page_token
        if not token:
            break
        with pytest.raises(grpc.RpcError) as refused:
            service.intervention.ListInterventions(
                intervention_pb2.ListInterventionsRequest(page_size=1, page_token=token), timeout=PATIENCE
            )
        assert reason_of(refused.value)[1] == "PAGE_TOKEN_MISMATCH"
    assert sorted(seen) == sorted(made)
    for intervention_id in made:
        service.cancel(intervention_id)
