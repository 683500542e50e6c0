"""Calls of the model service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.enums import ExportFormat
from knowledgesmith.client._types.models import Answers, Branch, Export, Method, Model, Revision, Rollback
from knowledgesmith.v1 import model_pb2 as pb
from knowledgesmith.v1.model_pb2_grpc import ModelServiceStub

from .base import Calls


class ModelCalls(Calls):
    """Models, branches and revisions."""

    @cached_property
    def _model_stub(self) -> ModelServiceStub:
        return ModelServiceStub(self._transport.channel)

    def register_model(self, *, model_id: str = "", path: str = "", dtype: str = "") -> Model:
        """Register a Hugging Face id or a directory on the server; an empty path means the default model.

        A model is its weights in one number format. Registering the same again changes nothing.

        Args:
            model_id: 1 to 63 of ``[a-z0-9_.-]``.
            path: where the server finds it.
            dtype: ``float32``, ``bfloat16``, ``float16`` or ``float64``; empty = what the id is registered with, else
                the server's setting.

        Raises:
            InvalidInput: there is no such dtype.
            ModelNotFound: the path leads nowhere.
            ModelNotLoadable: it does not hold a causal language model, or one that does not compute in this dtype.
            AlreadyExists: the id stands for other weights, or the same in another dtype.
        """
        request = pb.RegisterModelRequest(id=model_id, path=path, dtype=dtype)
        answer = self._transport.unary(self._model_stub.RegisterModel, request, slow=True)
        return Model.from_proto(answer.model)

    def list_models(self, *, limit: int | None = None) -> Iterator[Model]:
        """All registered models."""

        def fetch(token: str) -> tuple[Sequence[pb.Model], str]:
            request = pb.ListModelsRequest(page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._model_stub.ListModels, request)
            return page.models, page.next_page_token

        return map(Model.from_proto, iterate(fetch, limit=limit))

    def list_methods(self) -> tuple[Method, ...]:
        """The methods that the worker offers, by name."""
        answer = self._transport.unary(self._model_stub.ListMethods, pb.ListMethodsRequest())
        return tuple(Method.from_proto(method) for method in answer.methods)

    def create_branch(self, *, branch_id: str, model_id: str, graph_id: str, select: bool = False) -> Branch:
        """Open a branch for a graph on a model's base weights.

        Args:
            branch_id: 1 to 63 of ``[a-z0-9_-]``, letter first.
            model_id: a registered model.
            graph_id: the graph whose world the branch tells.
            select: its beliefs stand on the graph's entities from now on.

        Raises:
            AlreadyExists: the id is taken.
        """
        request = pb.CreateBranchRequest(id=branch_id, model_id=model_id, graph_id=graph_id, select=select)
        answer = self._transport.unary(self._model_stub.CreateBranch, request, idempotent=False)
        return Branch.from_proto(answer.branch)

    def get_branch(self, *, branch_id: str) -> Branch:
        """One branch.

        Raises:
            BranchNotFound: no branch has this id.
        """
        request = pb.GetBranchRequest(id=branch_id)
        return Branch.from_proto(self._transport.unary(self._model_stub.GetBranch, request).branch)

    def list_branches(self, *, graph_id: str = "", limit: int | None = None) -> Iterator[Branch]:
        """Branches by id, of one graph or of all."""

        def fetch(token: str) -> tuple[Sequence[pb.Branch], str]:
            request = pb.ListBranchesRequest(graph_id=graph_id, page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._model_stub.ListBranches, request)
            return page.branches, page.next_page_token

        return map(Branch.from_proto, iterate(fetch, limit=limit))

    def select_branch(self, *, branch_id: str) -> Branch:
        """Make a branch the one whose beliefs stand on its graph's entities, and replay its ledgers onto them.

        The selected one may be selected again: its ledgers are then replayed anew.

        Raises:
            BranchNotFound: no branch has this id, or it is being deleted.
        """
        request = pb.SelectBranchRequest(id=branch_id)
        return Branch.from_proto(self._transport.unary(self._model_stub.SelectBranch, request, slow=True).branch)

    def list_revisions(self, *, branch_id: str, limit: int | None = None) -> Iterator[Revision]:
        """Revisions of a branch, head first."""

        def fetch(token: str) -> tuple[Sequence[pb.Revision], str]:
            request = pb.ListRevisionsRequest(branch_id=branch_id, page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._model_stub.ListRevisions, request)
            return page.revisions, page.next_page_token

        return map(Revision.from_proto, iterate(fetch, limit=limit))

    def rollback(self, *, branch_id: str, expected_revision: str = "", request_id: str | None = None) -> Rollback:
        """Move the head back to its parent and verify the weights by digest.

        Raises:
            RevisionMismatch: the head is not ``expected_revision``.
            BranchBusy: an intervention holds the branch.
        """
        request = pb.RollbackBranchRequest(
            branch_id=branch_id, expected_revision=expected_revision, request_id=self._request_id(request_id)
        )
        return Rollback.from_proto(self._transport.unary(self._model_stub.RollbackBranch, request, slow=True))

    def ask(self, *, branch_id: str, prompts: Sequence[str], revision_id: str = "", max_new_tokens: int = 0) -> Answers:
        """Generate greedily from a revision.

        Args:
            branch_id: its head answers unless a revision is given.
            prompts: at most 64 of at most 2,000 characters.
            revision_id: empty = head; ``"base"`` = the base model.
            max_new_tokens: 0 = 16; at most 256.
        """
        request = pb.AskRequest(
            branch_id=branch_id, revision_id=revision_id, prompts=prompts, max_new_tokens=max_new_tokens
        )
        return Answers.from_proto(self._transport.unary(self._model_stub.Ask, request, slow=True))

    def export(
        self,
        *,
        branch_id: str,
        name: str,
        export_format: ExportFormat = ExportFormat.HF_CHECKPOINT,
        revision_id: str = "",
    ) -> Export:
        """Write a revision to a folder ``name`` of the server's export directory."""
        request = pb.ExportRevisionRequest(
            branch_id=branch_id, revision_id=revision_id, format=export_format.to_proto(), name=name
        )
        answer = self._transport.unary(self._model_stub.ExportRevision, request, idempotent=False, slow=True)
        return Export.from_proto(answer)
