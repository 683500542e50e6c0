"""ModelService: models, branches, revisions, questions and exports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from knowledgesmith.editors.dtypes import check_dtype
from knowledgesmith.graph_schema.errors import (
    Aborted,
    FailedPrecondition,
    InvalidInput,
    KnowledgeSmithError,
    ModelNotFound,
    TooLarge,
    WorkerUnavailable,
)
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.interventions.branches import ModelInfo
from knowledgesmith.v1 import model_pb2, model_pb2_grpc
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import (
    branch_to,
    check_id,
    check_model_id,
    check_request_id,
    check_text,
    method_to,
    model_to,
    revision_to,
)

if TYPE_CHECKING:
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

DEFAULT_MODEL = "smollm2-135m-instruct"
MAX_PROMPTS = 64
MAX_PROMPT_TEXT = 2000
MAX_NEW_TOKENS = 256
_FORMATS = {
    model_pb2.EXPORT_FORMAT_HF_CHECKPOINT: "hf_checkpoint",
    model_pb2.EXPORT_FORMAT_PEFT_ADAPTER: "peft_adapter",
}


class ModelServicer(model_pb2_grpc.ModelServiceServicer):
    """See ``model.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def RegisterModel(
        self, request: model_pb2.RegisterModelRequest, context: Context
    ) -> model_pb2.RegisterModelResponse:
        """Load the model once to prove that it is one, and record its digest."""
        path = check_text(request.path, "path", limit=1000)
        model_id = check_model_id(request.id or (DEFAULT_MODEL if not path else ""), "id")
        dtype = await self._dtype(model_id, request.dtype)
        found = await self._parts.worker.call("describe_model", path=path, dtype=dtype)
        model = ModelInfo(id=model_id, **found)
        return model_pb2.RegisterModelResponse(
            model=model_to(await asyncio.to_thread(branches.register_model, self._parts.store, model))
        )

    async def _dtype(self, model_id: str, asked: str) -> str:
        """What was asked for, else what the id is registered with, else the server's setting."""
        if asked:
            return check_dtype(check_text(asked, "dtype"), "dtype")
        try:
            known = await asyncio.to_thread(branches.get_model, self._parts.store, model_id)
        except ModelNotFound:
            return self._parts.settings.dtype
        return known.dtype

    async def ListModels(self, request: model_pb2.ListModelsRequest, context: Context) -> model_pb2.ListModelsResponse:
        """All registered models."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListModels"], request.page_token, str)
        after = str(position[0]) if position else ""
        found = await asyncio.to_thread(branches.list_models, self._parts.store, after=after, limit=size + 1)
        token = paging.encode(["ListModels"], [found[size - 1].id]) if len(found) > size else ""
        return model_pb2.ListModelsResponse(models=[model_to(m) for m in found[:size]], next_page_token=token)

    async def ListMethods(
        self, request: model_pb2.ListMethodsRequest, context: Context
    ) -> model_pb2.ListMethodsResponse:
        """The methods that the worker described when it reported for duty."""
        methods: list[dict[str, Any]] = await self._parts.worker.call("describe_methods")
        return model_pb2.ListMethodsResponse(methods=[method_to(m) for m in methods])

    async def CreateBranch(
        self, request: model_pb2.CreateBranchRequest, context: Context
    ) -> model_pb2.CreateBranchResponse:
        """Open a branch."""
        branch = await asyncio.to_thread(
            branches.create_branch,
            self._parts.store,
            branch_id=check_id(request.id, "id"),
            model_id=request.model_id or DEFAULT_MODEL,
            graph_id=request.graph_id,
            select=request.select,
        )
        return model_pb2.CreateBranchResponse(branch=branch_to(branch))

    async def GetBranch(self, request: model_pb2.GetBranchRequest, context: Context) -> model_pb2.GetBranchResponse:
        """One branch."""
        branch = await asyncio.to_thread(branches.get_branch, self._parts.store, request.id)
        return model_pb2.GetBranchResponse(branch=branch_to(branch))

    async def ListBranches(
        self, request: model_pb2.ListBranchesRequest, context: Context
    ) -> model_pb2.ListBranchesResponse:
        """Branches, by id."""
        listing = ["ListBranches", request.graph_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, str)
        found = await asyncio.to_thread(
            branches.list_branches,
            self._parts.store,
            graph_id=request.graph_id,
            after=str(position[0]) if position else "",
            limit=size + 1,
        )
        token = paging.encode(listing, [found[size - 1].id]) if len(found) > size else ""
        return model_pb2.ListBranchesResponse(branches=[branch_to(b) for b in found[:size]], next_page_token=token)

    async def SelectBranch(
        self, request: model_pb2.SelectBranchRequest, context: Context
    ) -> model_pb2.SelectBranchResponse:
        """Replay a branch's ledgers onto the entities of its graph."""
        await asyncio.to_thread(branches.select_branch, self._parts.store, request.id)
        branch = await asyncio.to_thread(branches.get_branch, self._parts.store, request.id)
        return model_pb2.SelectBranchResponse(branch=branch_to(branch))

    async def ListRevisions(
        self, request: model_pb2.ListRevisionsRequest, context: Context
    ) -> model_pb2.ListRevisionsResponse:
        """Revisions of a branch, head first."""
        listing = ["ListRevisions", request.branch_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int)
        start = int(position[0]) if position else 0
        line = await asyncio.to_thread(branches.revisions, self._parts.store, request.branch_id)
        token = paging.encode(listing, [start + size]) if len(line) > start + size else ""
        page = [revision_to(r) for r in line[start : start + size]]
        return model_pb2.ListRevisionsResponse(revisions=page, next_page_token=token)

    async def RollbackBranch(
        self, request: model_pb2.RollbackBranchRequest, context: Context
    ) -> model_pb2.RollbackBranchResponse:
        """Prove the parent's weights by digest where the worker can at once, then move the head in one transaction."""
        request_id = check_request_id(request.request_id)
        if earlier := await self._rolled_back(request.branch_id, request_id):
            return earlier
        try:
            return await self._roll_back(request, request_id)
        except (Aborted, FailedPrecondition):
            # the same request, sent at the same time, may have been served meanwhile: both get one answer
            if earlier := await self._rolled_back(request.branch_id, request_id):
                return earlier
            raise

    async def _rolled_back(self, branch_id: str, request_id: str) -> model_pb2.RollbackBranchResponse | None:
        """The answer to a request that was served already."""
        store = self._parts.store
        earlier = await asyncio.to_thread(branches.rolled_back, store, branch_id, request_id)
        if earlier is None:
            return None
        branch = await asyncio.to_thread(branches.get_branch, store, branch_id)
        return model_pb2.RollbackBranchResponse(
            branch=branch_to(branch), head=revision_to(earlier), weights_sha256=earlier.weights_sha256
        )

    async def _roll_back(
        self, request: model_pb2.RollbackBranchRequest, request_id: str
    ) -> model_pb2.RollbackBranchResponse:
        store = self._parts.store
        head, parent = await asyncio.to_thread(
            branches.check_rollback, store, request.branch_id, request.expected_revision
        )
        digest = await self._measured(request.branch_id, parent.id)
        if digest and digest != parent.weights_sha256:
            self._parts.metrics.inc("ksmith_rollback_verify_failures")
            raise KnowledgeSmithError(
                "the parent's weights do not have the recorded digest; the head stays where it is",
                field="weights_sha256",
                value=digest,
                hint=f"Expected {parent.weights_sha256}; check the model's files and the artefact directory.",
            )
        intervention = await asyncio.to_thread(
            branches.rollback, store, request.branch_id, head.id, request_id=request_id
        )
        self._parts.hub.publish(intervention)
        branch = await asyncio.to_thread(branches.get_branch, store, request.branch_id)
        return model_pb2.RollbackBranchResponse(
            branch=branch_to(branch), head=revision_to(parent), weights_sha256=digest
        )

    async def _measured(self, branch_id: str, revision_id: str) -> str:
        """Digest of a revision's weights as they are in memory; empty where that would mean to wait.

        A head is a fact of the graph: it may move while the worker starts, or has the model of another branch's job.
        The digest is compared when the revision is used.
        """
        worker = self._parts.worker
        if not worker.ready:
            return ""
        try:
            return str(await worker.call("weights_digest", branch_id=branch_id, revision_id=revision_id))
        except WorkerUnavailable:
            return ""

    async def Ask(self, request: model_pb2.AskRequest, context: Context) -> model_pb2.AskResponse:
        """Generate from any revision."""
        if not request.prompts:
            raise InvalidInput("at least one prompt is required", field="prompts")
        if len(request.prompts) > MAX_PROMPTS:
            raise TooLarge(f"more than {MAX_PROMPTS} prompts", field="prompts", value=len(request.prompts))
        prompts = [check_text(p, f"prompts[{i}]", limit=MAX_PROMPT_TEXT) for i, p in enumerate(request.prompts)]
        if not all(p.strip() for p in prompts):
            raise InvalidInput("a prompt must not be empty", field="prompts")
        tokens = request.max_new_tokens
        if not 0 <= tokens <= MAX_NEW_TOKENS:
            raise InvalidInput("out of range", field="max_new_tokens", value=tokens, hint=f"Use 0 to {MAX_NEW_TOKENS}.")
        line = await asyncio.to_thread(branches.lineage, self._parts.store, request.branch_id, request.revision_id)
        texts = await self._parts.worker.call(
            "ask", branch_id=request.branch_id, revision_id=line[0].id, prompts=prompts, max_new_tokens=tokens or 16
        )
        return model_pb2.AskResponse(texts=texts, revision_id=line[0].id)

    async def ExportRevision(
        self, request: model_pb2.ExportRevisionRequest, context: Context
    ) -> model_pb2.ExportRevisionResponse:
        """Write a revision below the export directory."""
        if request.format not in _FORMATS:
            raise InvalidInput("a format is required", field="format", hint="HF_CHECKPOINT or PEFT_ADAPTER.")
        name = check_model_id(request.name, "name")
        line = await asyncio.to_thread(branches.lineage, self._parts.store, request.branch_id, request.revision_id)
        done = await self._parts.worker.call(
            "export", branch_id=request.branch_id, revision_id=line[0].id, format=_FORMATS[request.format], name=name
        )
        return model_pb2.ExportRevisionResponse(directory=done["directory"], bytes=done["bytes"])
