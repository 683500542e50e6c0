"""Models, branches, revisions and methods on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from knowledgesmith.server.wire.conversions import timestamp
from knowledgesmith.server.wire.enums import to_wire
from knowledgesmith.server.wire.structs import struct_to
from knowledgesmith.v1 import branch_pb2, common_pb2, model_pb2

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.interventions.branches import BranchInfo, ModelInfo, RevisionInfo


def model_to(model: ModelInfo) -> model_pb2.Model:
    """A model."""
    return model_pb2.Model(
        id=model.id,
        path=model.path,
        weights_sha256=model.weights_sha256,
        architecture=model.architecture,
        parameters=model.parameters,
        dtype=to_wire(model_pb2.DType, model.dtype),
    )


def branch_to(branch: BranchInfo) -> branch_pb2.Branch:
    """A branch."""
    return branch_pb2.Branch(
        id=branch.id,
        model_id=branch.model_id,
        graph_id=branch.graph_id,
        head_revision_id=branch.head_revision,
        intervention_ids=branch.interventions,
        busy_intervention_id=branch.busy_with,
    )


def revision_to(revision: RevisionInfo) -> branch_pb2.Revision:
    """A revision."""
    return branch_pb2.Revision(
        id=revision.id,
        parent_revision_id=revision.parent,
        artefact_sha256=revision.artefact_sha256,
        weights_sha256=revision.weights_sha256,
        intervention_id=revision.intervention_id,
        create_time=timestamp(revision.created_ms),
    )


def method_to(method: dict[str, Any]) -> model_pb2.Method:
    """A method, from the worker's description."""
    texts = {name: method[name] for name in ("name", "task_loss", "preservation", "regulariser", "operator", "source")}
    return model_pb2.Method(
        family=to_wire(model_pb2.MethodFamily, method["family"]),
        accepts=[
            model_pb2.AcceptedGoal(
                goal=to_wire(common_pb2.Goal, goal),
                target_distribution=to_wire(common_pb2.TargetDistribution, target),
            )
            for goal, target in method["accepts"]
        ],
        config_schema=struct_to(method["config_schema"]),
        **texts,
    )
