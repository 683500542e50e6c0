"""Deletions of graphs, branches and interventions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import NotFound
from knowledgesmith.graph_schema.maintenance import deletion
from knowledgesmith.graph_schema.maintenance.deletion import DeleteReport, Folders
from knowledgesmith.graph_schema.operations.tally import Tally
from knowledgesmith.server.operations.tasks import InThread, Runner, Task
from knowledgesmith.server.wire.graphs import deletion_to
from knowledgesmith.v1 import branch_pb2, common_pb2, graph_pb2, intervention_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from knowledgesmith.server.front.dependencies import Parts


class DeletionRunners:
    """Runners of every deletion that may take long."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> Mapping[str, Runner]:
        """By method."""
        return {
            "DeleteGraph": InThread(request=graph_pb2.DeleteGraphRequest, run=self._graph),
            "DeleteBranch": InThread(request=branch_pb2.DeleteBranchRequest, run=self._branch),
            "DeleteIntervention": InThread(request=intervention_pb2.DeleteInterventionRequest, run=self._intervention),
        }

    def _graph(self, task: Task) -> graph_pb2.DeleteGraphResponse:
        request: graph_pb2.DeleteGraphRequest = task.request
        delete = partial(deletion.delete_graph, self._parts.store, request.graph_id, with_branches=request.force)
        return graph_pb2.DeleteGraphResponse(deletion=self._deleted(task, request.graph_id, delete))

    def _branch(self, task: Task) -> branch_pb2.DeleteBranchResponse:
        request: branch_pb2.DeleteBranchRequest = task.request
        delete = partial(deletion.delete_branch, self._parts.store, request.branch_id, with_interventions=request.force)
        return branch_pb2.DeleteBranchResponse(deletion=self._deleted(task, request.branch_id, delete))

    def _intervention(self, task: Task) -> intervention_pb2.DeleteInterventionResponse:
        request: intervention_pb2.DeleteInterventionRequest = task.request
        delete = partial(deletion.delete_intervention, self._parts.store, request.intervention_id)
        return intervention_pb2.DeleteInterventionResponse(
            deletion=self._deleted(task, request.intervention_id, delete)
        )

    def _deleted(self, task: Task, name: str, delete: Callable[..., DeleteReport]) -> common_pb2.Deletion:
        """What all attempts deleted; one that finds nothing any more comes after one that had deleted everything."""
        task.report("delete")
        tally, folders = Tally(task.id), file_folders(self._parts)
        try:
            report = delete(folders=folders, tally=tally)
        except NotFound:
            if not tally.read(self._parts.store).counts:
                raise
            report = deletion.deleted_before(self._parts.store, name, tally=tally, folders=folders)
        return deletion_to(report)


def file_folders(parts: Parts) -> Folders:
    """Where files lie that are named by digest."""
    return Folders(probe_sets=parts.settings.probe_set_dir, artefacts=parts.settings.artefact_dir)
