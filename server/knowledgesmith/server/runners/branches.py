"""What moves, replays and exports branches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import Aborted, FailedPrecondition, KnowledgeSmithError, WorkerUnavailable
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.server.operations.tasks import InLoop, InThread, Runner, Task
from knowledgesmith.server.runners.to_the_end import to_the_end
from knowledgesmith.server.wire.enums import word_from_wire
from knowledgesmith.server.wire.models import branch_to, revision_to
from knowledgesmith.v1 import branch_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.server.front.dependencies import Parts


_FREE: Final = "free"


class BranchRunners:
    """Runners of ``branch.proto``, but for the deletion."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> Mapping[str, Runner]:
        """By method."""
        return {
            "SelectBranch": InThread(request=pb.SelectBranchRequest, run=self._select),
            "RollbackBranch": InLoop(request=pb.RollbackBranchRequest, run=self._rollback),
            "ExportRevision": InLoop(request=pb.ExportRevisionRequest, run=self._export),
        }

    def _select(self, task: Task) -> pb.SelectBranchResponse:
        request: pb.SelectBranchRequest = task.request
        task.report("replay")
        branches.select_branch(self._parts.store, request.branch_id)
        branch = branches.get_branch(self._parts.store, request.branch_id)
        return pb.SelectBranchResponse(branch=branch_to(branch))

    async def _rollback(self, task: Task) -> pb.RollbackBranchResponse:
        """Prove the parent's weights by digest where the worker can at once, then move the head in one transaction."""
        request: pb.RollbackBranchRequest = task.request
        task.report("roll back")
        if earlier := await self._rolled_back(request.branch_id, task.request_id):
            return earlier
        try:
            return await self._roll_back(request, task.request_id)
        except (Aborted, FailedPrecondition):
            # an attempt that was cut off may have moved the head
            if earlier := await self._rolled_back(request.branch_id, task.request_id):
                return earlier
            raise

    async def _rolled_back(self, branch_id: str, request_id: str) -> pb.RollbackBranchResponse | None:
        """The answer where an earlier attempt has moved the head."""
        store = self._parts.store
        earlier = await asyncio.to_thread(branches.rolled_back, store, branch_id, request_id)
        if earlier is None:
            return None
        branch = await asyncio.to_thread(branches.get_branch, store, branch_id)
        return pb.RollbackBranchResponse(
            branch=branch_to(branch), head=revision_to(earlier), weights_sha256=earlier.weights_sha256
        )

    async def _roll_back(self, request: pb.RollbackBranchRequest, request_id: str) -> pb.RollbackBranchResponse:
        store = self._parts.store
        head, parent = await asyncio.to_thread(
            branches.check_rollback, store, request.branch_id, request.expected_revision_id
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
        intervention = await to_the_end(
            asyncio.to_thread(branches.rollback, store, request.branch_id, head.id, request_id=request_id)
        )
        self._parts.hub.publish(intervention)
        branch = await to_the_end(asyncio.to_thread(branches.get_branch, store, request.branch_id))
        return pb.RollbackBranchResponse(branch=branch_to(branch), head=revision_to(parent), weights_sha256=digest)

    async def _measured(self, branch_id: str, revision_id: str) -> str:
        """Digest of a revision's weights as they are in memory; empty where that would mean to wait.

        A head is a fact of the graph: it may move while the worker starts, or has another branch's model.
        The digest is compared when the revision is used.
        """
        worker = self._parts.worker
        if not worker.ready:
            return ""
        try:
            return str(await worker.call("weights_digest", branch_id=branch_id, revision_id=revision_id))
        except WorkerUnavailable:
            return ""

    async def _export(self, task: Task) -> pb.ExportRevisionResponse:
        """Write a revision below the export directory."""
        request: pb.ExportRevisionRequest = task.request
        task.report("export")
        store = self._parts.store
        line = await asyncio.to_thread(branches.lineage, store, request.branch_id, request.revision_id)
        if task.attempt > 1 and (size := await asyncio.to_thread(self._exported, task, request.name)) is not None:
            return pb.ExportRevisionResponse(directory=str(self._parts.settings.export_dir / request.name), bytes=size)
        await asyncio.to_thread(self._note_free, task, request.name)
        done = await self._parts.worker.call(
            "export",
            branch_id=request.branch_id,
            revision_id=line[0].id,
            format=word_from_wire(pb.ExportFormat, request.format, "format"),
            name=request.name,
        )
        return pb.ExportRevisionResponse(directory=done["directory"], bytes=done["bytes"])

    def _note_free(self, task: Task, name: str) -> None:
        """Note that nothing of this name was there before this operation, where that is so."""
        if not (self._parts.settings.export_dir / name).exists():
            (task.folder.make_uploads() / _FREE).touch()

    def _exported(self, task: Task, name: str) -> int | None:
        """Bytes of what an attempt has exported that was cut off before it could say so; None where none has."""
        folder = self._parts.settings.export_dir / name
        if not (task.folder.uploads / _FREE).exists() or not folder.is_dir():
            return None
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
