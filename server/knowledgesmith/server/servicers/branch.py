"""BranchService: branches, their revisions, questions and exports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from google.longrunning import operations_pb2

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.server.front.callers import actor_of
from knowledgesmith.server.runners.models import DEFAULT_MODEL
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_id, check_model_id, check_request_id, check_text
from knowledgesmith.server.wire.enums import missing, word_from_wire
from knowledgesmith.server.wire.models import branch_to, revision_to
from knowledgesmith.v1 import branch_pb2 as pb
from knowledgesmith.v1 import branch_pb2_grpc

if TYPE_CHECKING:
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

MAX_PROMPTS: Final = 64
MAX_PROMPT_TEXT: Final = 2000
MAX_NEW_TOKENS: Final = 256


class BranchServicer(branch_pb2_grpc.BranchServiceServicer):
    """See ``branch.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def CreateBranch(self, request: pb.CreateBranchRequest, context: Context) -> pb.CreateBranchResponse:
        """Open a branch."""
        branch = await asyncio.to_thread(
            branches.create_branch,
            self._parts.store,
            branch_id=check_id(request.branch_id, "branch_id"),
            model_id=request.model_id or DEFAULT_MODEL,
            graph_id=request.graph_id,
            select=request.select,
        )
        return pb.CreateBranchResponse(branch=branch_to(branch))

    async def GetBranch(self, request: pb.GetBranchRequest, context: Context) -> pb.GetBranchResponse:
        """One branch."""
        branch = await asyncio.to_thread(branches.get_branch, self._parts.store, request.branch_id)
        return pb.GetBranchResponse(branch=branch_to(branch))

    async def ListBranches(self, request: pb.ListBranchesRequest, context: Context) -> pb.ListBranchesResponse:
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
        return pb.ListBranchesResponse(branches=[branch_to(b) for b in found[:size]], next_page_token=token)

    async def DeleteBranch(self, request: pb.DeleteBranchRequest, context: Context) -> operations_pb2.Operation:
        """A branch, with its interventions when forced."""
        return await self._parts.operations.begin(
            "DeleteBranch",
            request,
            resource_id=request.branch_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: branches.get_branch(self._parts.store, request.branch_id),
        )

    async def SelectBranch(self, request: pb.SelectBranchRequest, context: Context) -> operations_pb2.Operation:
        """Replay a branch's ledgers onto the entities of its graph."""
        return await self._parts.operations.begin(
            "SelectBranch",
            request,
            resource_id=request.branch_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: branches.get_branch(self._parts.store, request.branch_id),
        )

    async def RollbackBranch(self, request: pb.RollbackBranchRequest, context: Context) -> operations_pb2.Operation:
        """Move the head back to its parent."""
        return await self._parts.operations.begin(
            "RollbackBranch",
            request,
            resource_id=request.branch_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: branches.get_branch(self._parts.store, request.branch_id),
        )

    async def ListRevisions(self, request: pb.ListRevisionsRequest, context: Context) -> pb.ListRevisionsResponse:
        """Revisions of a branch, head first."""
        listing = ["ListRevisions", request.branch_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int)
        start = int(position[0]) if position else 0
        line = await asyncio.to_thread(branches.revisions, self._parts.store, request.branch_id)
        token = paging.encode(listing, [start + size]) if len(line) > start + size else ""
        page = [revision_to(r) for r in line[start : start + size]]
        return pb.ListRevisionsResponse(revisions=page, next_page_token=token)

    async def ExportRevision(self, request: pb.ExportRevisionRequest, context: Context) -> operations_pb2.Operation:
        """Write a revision below the export directory."""
        if not word_from_wire(pb.ExportFormat, request.format, "format"):
            raise missing(pb.ExportFormat, "format")
        check_model_id(request.name, "name")
        return await self._parts.operations.begin(
            "ExportRevision",
            request,
            resource_id=request.branch_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: branches.lineage(self._parts.store, request.branch_id, request.revision_id),
        )

    async def Ask(self, request: pb.AskRequest, context: Context) -> pb.AskResponse:
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
        return pb.AskResponse(texts=texts, revision_id=line[0].id)
