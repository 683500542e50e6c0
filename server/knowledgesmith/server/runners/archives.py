"""Archives of graphs: written, loaded, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.archive import load, write
from knowledgesmith.graph_schema.archive.diff import ArchivedSide, StoredSide, diff
from knowledgesmith.graph_schema.archive.read import Archive
from knowledgesmith.server.operations.tasks import InThread, Runner, Task
from knowledgesmith.server.runners.deletions import file_folders
from knowledgesmith.server.uploads.uploaded_file import uploaded_path
from knowledgesmith.server.wire.graphs import diff_to, summary_of_load, summary_to
from knowledgesmith.v1 import archive_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.operations.folders import Folder

_ARCHIVE: Final = "graph.ksmith"


class ArchiveRunners:
    """Runners of ``archive.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> Mapping[str, Runner]:
        """By method."""
        return {
            "CreateArchive": InThread(request=pb.CreateArchiveRequest, run=self._create),
            "LoadArchive": InThread(request=pb.LoadArchiveHeader, run=self._load),
            "DiffArchive": InThread(request=pb.DiffArchiveHeader, run=self._diff),
        }

    def _create(self, task: Task) -> pb.CreateArchiveResponse:
        request: pb.CreateArchiveRequest = task.request
        task.report("write")
        task.folder.make()
        info = write.export_graph(
            self._parts.store,
            request.graph_id,
            archive_path(task.folder),
            folders=file_folders(self._parts),
            with_artefacts=request.with_artefacts,
        )
        return pb.CreateArchiveResponse(summary=summary_to(info))

    def _load(self, task: Task) -> pb.LoadArchiveResponse:
        header: pb.LoadArchiveHeader = task.request
        task.report("load")
        path = uploaded_path(task.folder)
        report = load.load_archive(
            self._parts.store,
            path,
            folders=file_folders(self._parts),
            graph_id=header.graph_id,
            graph_only=header.graph_only,
        )
        return pb.LoadArchiveResponse(
            summary=summary_of_load(report, size=path.stat().st_size),
            graph_id=report.graph_id,
            files=report.files,
            already_there=report.already_there,
        )

    def _diff(self, task: Task) -> pb.DiffArchiveResponse:
        header: pb.DiffArchiveHeader = task.request
        task.report("compare")
        with Archive.open(uploaded_path(task.folder)) as archive:
            found = diff(
                StoredSide(self._parts.store, header.graph_id), ArchivedSide(archive, header.name or "archive")
            )
        return pb.DiffArchiveResponse(diff=diff_to(found))


def archive_path(folder: Folder) -> Path:
    """Where the archive lies that an operation wrote."""
    return folder.path / _ARCHIVE
