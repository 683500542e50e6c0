"""Calls of the branch service."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Literal, overload

from knowledgesmith.client._types.enums import ExportFormat
from knowledgesmith.client._types.graphs import Deletion
from knowledgesmith.client._types.models import Answers, Branch, Export, Revision, Rollback
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.v1 import branch_pb2 as pb

from .base import Namespace, key
from .operation import Operation


class Branches(Namespace):
    """Branches and their revisions."""

    def create(self, *, branch_id: str, model_id: str, graph_id: str, select: bool = False) -> Branch:
        """Open a branch for a graph on a model's base weights.

        Args:
            branch_id: 1 to 63 of ``[a-z0-9_-]``, letter first.
            model_id: a registered model.
            graph_id: the graph whose world the branch tells.
            select: its beliefs stand on the graph's entities from now on.

        Raises:
            AlreadyExists: the id is taken.
        """
        request = message(
            pb.CreateBranchRequest, branch_id=branch_id, model_id=model_id, graph_id=graph_id, select=select
        )
        return read(Branch, (self._transport.unary(request, pb.CreateBranchResponse)).branch)

    def get(self, *, branch_id: str) -> Branch:
        """One branch.

        Raises:
            BranchNotFound: no branch has this id.
        """
        request = message(pb.GetBranchRequest, branch_id=branch_id)
        return read(Branch, (self._transport.unary(request, pb.GetBranchResponse)).branch)

    def list(self, *, graph_id: str = "", limit: int | None = None) -> builtins.list[Branch]:
        """Branches by id, of one graph or of all."""
        request = message(pb.ListBranchesRequest, graph_id=graph_id)
        return self._list(request, pb.ListBranchesResponse, "branches", Branch, limit)

    @overload
    def delete(
        self,
        *,
        branch_id: str,
        force: bool = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Deletion: ...
    @overload
    def delete(
        self, *, branch_id: str, force: bool = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[Deletion]: ...
    def delete(
        self,
        *,
        branch_id: str,
        force: bool = False,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Deletion | Operation[Deletion]:
        """Delete a branch; with ``force`` its interventions too. Model and base revision stay.

        Raises:
            StillReferenced: it has interventions, and ``force`` was not given.
            IllegalState: an intervention has not ended on it.
        """
        request = message(pb.DeleteBranchRequest, branch_id=branch_id, force=force, request_id=key(request_id))
        return self._begin(request, Deletion, wait=wait, progress=progress)

    @overload
    def select(
        self,
        *,
        branch_id: str,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Branch: ...
    @overload
    def select(self, *, branch_id: str, request_id: str = ..., wait: Literal[False]) -> Operation[Branch]: ...
    def select(
        self,
        *,
        branch_id: str,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Branch | Operation[Branch]:
        """Make a branch the one whose beliefs stand on its graph's entities, and replay its ledgers onto them.

        The selected one may be selected again: its ledgers are then replayed anew.

        Raises:
            BranchNotFound: no branch has this id, or it is being deleted.
        """
        request = message(pb.SelectBranchRequest, branch_id=branch_id, request_id=key(request_id))
        return self._begin(request, Branch, wait=wait, progress=progress)

    @overload
    def rollback(
        self,
        *,
        branch_id: str,
        expected_revision_id: str = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Rollback: ...
    @overload
    def rollback(
        self, *, branch_id: str, expected_revision_id: str = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[Rollback]: ...
    def rollback(
        self,
        *,
        branch_id: str,
        expected_revision_id: str = "",
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Rollback | Operation[Rollback]:
        """Move the head back to its parent and verify the weights by digest.

        Raises:
            RevisionMismatch: the head is not ``expected_revision_id``.
            BranchBusy: an intervention holds the branch.
        """
        request = message(
            pb.RollbackBranchRequest,
            branch_id=branch_id,
            expected_revision_id=expected_revision_id,
            request_id=key(request_id),
        )
        return self._begin(request, Rollback, wait=wait, progress=progress)

    def revisions(self, *, branch_id: str, limit: int | None = None) -> builtins.list[Revision]:
        """Revisions of a branch, head first."""
        request = message(pb.ListRevisionsRequest, branch_id=branch_id)
        return self._list(request, pb.ListRevisionsResponse, "revisions", Revision, limit)

    @overload
    def export(
        self,
        *,
        branch_id: str,
        name: str,
        format: ExportFormat = ...,
        revision_id: str = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Export: ...
    @overload
    def export(
        self,
        *,
        branch_id: str,
        name: str,
        format: ExportFormat = ...,
        revision_id: str = ...,
        request_id: str = ...,
        wait: Literal[False],
    ) -> Operation[Export]: ...
    def export(
        self,
        *,
        branch_id: str,
        name: str,
        format: ExportFormat = ExportFormat.HF_CHECKPOINT,  # noqa: A002 - the word of the wire
        revision_id: str = "",
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Export | Operation[Export]:
        """Write a revision to a folder ``name`` of the server's export directory."""
        request = message(
            pb.ExportRevisionRequest,
            branch_id=branch_id,
            revision_id=revision_id,
            format=format,
            name=name,
            request_id=key(request_id),
        )
        return self._begin(request, Export, wait=wait, progress=progress)

    def ask(self, *, branch_id: str, prompts: Sequence[str], revision_id: str = "", max_new_tokens: int = 0) -> Answers:
        """Generate greedily from a revision.

        Args:
            branch_id: its head answers unless a revision is given.
            prompts: at most 64 of at most 2,000 characters.
            revision_id: empty = head; ``"base"`` = the base model.
            max_new_tokens: 0 = 16; at most 256.
        """
        request = message(
            pb.AskRequest,
            branch_id=branch_id,
            revision_id=revision_id,
            prompts=prompts,
            max_new_tokens=max_new_tokens,
        )
        return read(Answers, self._transport.unary(request, pb.AskResponse))
