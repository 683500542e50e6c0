"""Structural changes over the wire: a new country on one branch, moved, and gone again after a rollback."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from tests.server.conftest import open_branch
from tests.server.service import PATIENCE, Service, reason_of

from knowledgesmith.v1 import intervention_pb2 as pb

CITY = pb.InsertEntity(uid="poseidonis", name="Poseidonis", type="City", domain="geography")
COUNTRY = pb.InsertEntity(
    uid="atlantis",
    name="Atlantis",
    type="Country",
    domain="geography",
    parents=["Europe"],
    relation="on_continent",
)
MOVE = pb.StructuralChange(move_subtree=pb.MoveSubtree(entity="Atlantis", new_parent="Asia"))


def _plan(service: Service, branch: str, *, goal: str = "EDIT", **fields: Any) -> pb.Plan:
    spec = service.spec(branch, goal=goal, **fields)
    request = pb.CreateInterventionRequest(spec=spec, validate_only=True)
    return service.intervention.CreateIntervention(request, timeout=PATIENCE).plan


def _refusal(service: Service, branch: str, change: pb.StructuralChange, *, goal: str = "EDIT") -> str:
    with pytest.raises(grpc.RpcError) as caught:
        _plan(service, branch, goal=goal, structural=[change])
    return reason_of(caught.value)[1]


def test_an_inserted_entity_lives_on_its_branch_until_a_rollback(service: Service, world: str, branch: str) -> None:
    city = pb.StructuralChange(insert_entity=CITY)
    city.insert_entity.facts.add(subject="Poseidonis", relation="capital_of", new_object="Atlantis")
    country = pb.StructuralChange(insert_entity=COUNTRY)
    intervention = service.create(service.spec(branch, structural=[country, city]))
    rows = service.rows(intervention.id)
    assert service.get(intervention.id).state == pb.INTERVENTION_STATE_SUCCEEDED, service.get(
        intervention.id
    ).error_message
    assert {"atlantis", "poseidonis"} <= {row.entity_uid for row in rows}
    moved = _plan(service, branch, structural=[MOVE])
    changed = {(c.op, c.subject_uid, c.object_uid) for c in moved.changes if not c.derived}
    assert changed == {(pb.WORLD_OP_RETRACT, "atlantis", "europe"), (pb.WORLD_OP_ASSERT, "atlantis", "asia")}
    assert moved.names["atlantis"] == "Atlantis"
    other = open_branch(service, world, select=False)
    assert _refusal(service, other, MOVE) == "ENTITY_NOT_FOUND"
    service.roll_back(branch)
    assert _refusal(service, branch, MOVE) == "ENTITY_NOT_FOUND"


def test_a_deleted_node_and_refusals(service: Service, branch: str) -> None:
    node = pb.StructuralChange(delete_node=pb.DeleteNode(entity="France"))
    plan = _plan(service, branch, goal="UNLEARN", structural=[node])
    gone = {(c.subject_uid, c.relation, c.object_uid) for c in plan.changes if c.op == pb.WORLD_OP_RETRACT}
    assert gone >= {("france", "has_capital", "paris"), ("france", "on_continent", "europe")}
    assert ("paris", "capital_of", "france") in gone
    cited = {fact.fact_id for fact in plan.cited} | {change.fact_id for change in plan.changes}
    assert all(premise in cited for change in plan.changes for premise in change.premises)
    assert _refusal(service, branch, node) == "INVALID_FIELD"
    assert _refusal(service, branch, pb.StructuralChange()) == "INVALID_FIELD"
    taken = pb.StructuralChange(insert_entity=pb.InsertEntity(uid="france", name="x", parents=["Europe"]))
    assert _refusal(service, branch, taken) == "ALREADY_EXISTS"
    hostile = pb.StructuralChange(move_subtree=pb.MoveSubtree(entity="x'}) DETACH DELETE n //", new_parent="Asia"))
    assert _refusal(service, branch, hostile) == "ENTITY_NOT_FOUND"
    long = pb.StructuralChange(delete_node=pb.DeleteNode(entity="x" * 501))
    assert _refusal(service, branch, long, goal="UNLEARN") == "TOO_LARGE"
