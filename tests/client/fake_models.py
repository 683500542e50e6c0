"""Models, branches and interventions of the tests' server."""

# ruff: noqa: N802 - names of the generated base classes
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.longrunning import operations_pb2
from tests.client import wire
from tests.client.fake_core import Part
from tests.client.wire import DIGEST, Failure, State, Watch

from knowledgesmith.v1 import (
    branch_pb2,
    branch_pb2_grpc,
    common_pb2,
    intervention_pb2,
    intervention_pb2_grpc,
    model_pb2,
    model_pb2_grpc,
)


class Models(Part, model_pb2_grpc.ModelServiceServicer):
    model = model_pb2.Model(
        id="m", path="p", weights_sha256=DIGEST, architecture="Llama", parameters=1000, dtype=model_pb2.D_TYPE_FLOAT32
    )

    def RegisterModel(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = model_pb2.RegisterModelResponse(model=self.model)
        return self.begin_unary("RegisterModel", request, context, response, about=request.model_id)

    def ListModels(self, request: Any, context: Any) -> model_pb2.ListModelsResponse:
        self.fake.take("ListModels", request, context)
        return model_pb2.ListModelsResponse(models=[self.model])

    def ListMethods(self, request: Any, context: Any) -> model_pb2.ListMethodsResponse:
        self.fake.take("ListMethods", request, context)
        accepted = model_pb2.AcceptedGoal(
            goal=common_pb2.GOAL_EDIT, target_distribution=common_pb2.TARGET_DISTRIBUTION_NEW_OBJECT
        )
        method = model_pb2.Method(name="alphaedit", family=model_pb2.METHOD_FAMILY_WEIGHTS, accepts=[accepted])
        method.config_schema.update({"type": "object"})
        return model_pb2.ListMethodsResponse(methods=[method])


class Branches(Part, branch_pb2_grpc.BranchServiceServicer):
    revisions = (
        branch_pb2.Revision(id="r2", parent_revision_id="r1", weights_sha256=DIGEST, intervention_id="i2"),
        branch_pb2.Revision(id="r1", parent_revision_id="r0", weights_sha256=DIGEST, intervention_id="i1"),
        branch_pb2.Revision(id="r0", weights_sha256=DIGEST),
    )

    def CreateBranch(self, request: Any, context: Any) -> branch_pb2.CreateBranchResponse:
        self.fake.take("CreateBranch", request, context)
        return branch_pb2.CreateBranchResponse(branch=wire.branch(request.branch_id))

    def GetBranch(self, request: Any, context: Any) -> branch_pb2.GetBranchResponse:
        self.fake.take("GetBranch", request, context)
        return branch_pb2.GetBranchResponse(branch=wire.branch(request.branch_id))

    def ListBranches(self, request: Any, context: Any) -> branch_pb2.ListBranchesResponse:
        self.fake.take("ListBranches", request, context)
        return branch_pb2.ListBranchesResponse(branches=[wire.branch(name) for name in self.fake.branches])

    def DeleteBranch(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = branch_pb2.DeleteBranchResponse(deletion=wire.deletion(request.branch_id))
        return self.begin_unary("DeleteBranch", request, context, response, about=request.branch_id)

    def SelectBranch(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = branch_pb2.SelectBranchResponse(branch=wire.branch(request.branch_id))
        return self.begin_unary("SelectBranch", request, context, response, about=request.branch_id)

    def RollbackBranch(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = branch_pb2.RollbackBranchResponse(
            branch=wire.branch(request.branch_id), head=self.revisions[1], weights_sha256=DIGEST
        )
        return self.begin_unary("RollbackBranch", request, context, response, about=request.branch_id)

    def ListRevisions(self, request: Any, context: Any) -> branch_pb2.ListRevisionsResponse:
        self.fake.take("ListRevisions", request, context)
        return branch_pb2.ListRevisionsResponse(revisions=self.revisions)

    def ExportRevision(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = branch_pb2.ExportRevisionResponse(directory=f"/exports/{request.name}", bytes=2_000_000)
        return self.begin_unary("ExportRevision", request, context, response, about=request.branch_id)

    def Ask(self, request: Any, context: Any) -> branch_pb2.AskResponse:
        self.fake.take("Ask", request, context)
        answer = self.fake.answer or _capital
        texts = [answer(prompt, request.revision_id) for prompt in request.prompts]
        return branch_pb2.AskResponse(texts=texts, revision_id=request.revision_id or "r2")


def _capital(_prompt: str, revision: str) -> str:
    return " Tokyo." if revision in ("base", "r1") else " Paris."


class Interventions(Part, intervention_pb2_grpc.InterventionServiceServicer):
    def CreateIntervention(self, request: Any, context: Any) -> intervention_pb2.CreateInterventionResponse:
        self.fake.take("CreateIntervention", request, context)
        made = wire.intervention(State.INTERVENTION_STATE_QUEUED, request_id=request.request_id)
        made.spec.CopyFrom(request.spec)
        if request.validate_only:
            made.id = ""
        planned = wire.plan()
        planned.warnings.extend(self.fake.warnings)
        return intervention_pb2.CreateInterventionResponse(intervention=made, plan=planned)

    def GetIntervention(self, request: Any, context: Any) -> intervention_pb2.GetInterventionResponse:
        self.fake.take("GetIntervention", request, context)
        return intervention_pb2.GetInterventionResponse(intervention=wire.intervention())

    def ListInterventions(self, request: Any, context: Any) -> intervention_pb2.ListInterventionsResponse:
        self.fake.take("ListInterventions", request, context)
        first = int(request.page_token or 0)
        size = min(2, request.page_size)
        rest = range(first, min(first + size, self.fake.interventions))
        token = str(first + size) if first + size < self.fake.interventions else ""
        found = [wire.intervention(id=f"i{number}") for number in rest]
        return intervention_pb2.ListInterventionsResponse(interventions=found, next_page_token=token)

    def DeleteIntervention(self, request: Any, context: Any) -> operations_pb2.Operation:
        response = intervention_pb2.DeleteInterventionResponse(deletion=wire.deletion(request.intervention_id))
        return self.begin_unary("DeleteIntervention", request, context, response, about=request.intervention_id)

    def GetPlan(self, request: Any, context: Any) -> intervention_pb2.GetPlanResponse:
        self.fake.take("GetPlan", request, context)
        return intervention_pb2.GetPlanResponse(plan=wire.plan())

    def CancelIntervention(self, request: Any, context: Any) -> intervention_pb2.CancelInterventionResponse:
        self.fake.take("CancelIntervention", request, context)
        made = wire.intervention(State.INTERVENTION_STATE_CANCELLED)
        return intervention_pb2.CancelInterventionResponse(intervention=made)

    def WatchIntervention(self, request: Any, context: Any) -> Iterator[Watch]:
        self.fake.take("WatchIntervention", request, context)
        script = self.fake.watches.pop(0) if self.fake.watches else wire.whole_watch()
        for step in script:
            if isinstance(step, Failure):
                step.abort(context)
            yield step

    def CommitIntervention(self, request: Any, context: Any) -> intervention_pb2.CommitInterventionResponse:
        self.fake.take("CommitIntervention", request, context)
        return intervention_pb2.CommitInterventionResponse(intervention=wire.intervention())

    def DiscardIntervention(self, request: Any, context: Any) -> intervention_pb2.DiscardInterventionResponse:
        self.fake.take("DiscardIntervention", request, context)
        made = wire.intervention(State.INTERVENTION_STATE_DISCARDED)
        return intervention_pb2.DiscardInterventionResponse(intervention=made)
