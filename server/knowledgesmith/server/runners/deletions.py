"""Deletions of graphs, branches and interventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import NotFound
from knowledgesmith.graph_schema.maintenance import deletion
from knowledgesmith.graph_schema.maintenance.deletion import DeleteReport, Folders
from knowledgesmith.server.operations.tasks import InThread, Runner, Task
from knowledgesmith.server.wire.graphs import deletion_to
from knowledgesmith.v1 import branch_pb2, graph_pb2, intervention_pb2

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
        report = self._done(
            task,
            request.graph_id,
            lambda: deletion.delete_graph(
                self._parts.store, request.graph_id, with_branches=request.force, folders=file_folders(self._parts)
            ),
        )
        return graph_pb2.DeleteGraphResponse(deletion=deletion_to(report))

    def _branch(self, task: Task) -> branch_pb2.DeleteBranchResponse:
        request: branch_pb2.DeleteBranchRequest = task.request
        report = self._done(
            task,
            request.branch_id,
            lambda: deletion.delete_branch(
                self._parts.store, request.branch_id, with_runs=request.force, folders=file_folders(self._parts)
            ),
        )
        return branch_pb2.DeleteBranchResponse(deletion=deletion_to(report))

    def _intervention(self, task: Task) -> intervention_pb2.DeleteInterventionResponse:
        request: intervention_pb2.DeleteInterventionRequest = task.request
        report = self._done(
            task,
            request.intervention_id,
            lambda: deletion.delete_run(self._parts.store, request.intervention_id, folders=file_folders(self._parts)),
        )
        return intervention_pb2.DeleteInterventionResponse(deletion=deletion_to(report))

    def _done(self, task: Task, name: str, work: Callable[[], DeleteReport]) -> DeleteReport:
        """What was deleted; an attempt that finds nothing any more comes after one that had deleted everything."""
        task.report("delete")
        try:
            return work()
        except NotFound:
            if task.attempt == 1:
                raise
            return DeleteReport(id=name, removed={})


def file_folders(parts: Parts) -> Folders:
    """Where files lie that are named by digest."""
    return Folders(probe_sets=parts.settings.probe_set_dir, artefacts=parts.settings.artefact_dir)
