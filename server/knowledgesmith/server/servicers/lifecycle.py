"""LifecycleService: versions, differences, checks, archives and deletions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.archive import load, write
from knowledgesmith.graph_schema.archive.diff import ArchivedSide, DiffReport, StoredSide, diff
from knowledgesmith.graph_schema.archive.read import Archive
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.maintenance import deletion
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.v1 import lifecycle_pb2 as pb
from knowledgesmith.v1 import lifecycle_pb2_grpc
from knowledgesmith.server.uploads.uploaded_file import UploadedFile
from knowledgesmith.server.wire.conversions import check_id, check_text
from knowledgesmith.server.wire.lifecycle import (
    check_to,
    deletion_to,
    diff_to,
    summary_of_load,
    summary_to,
    version_to,
)

if TYPE_CHECKING:
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_CHUNK = 256 * 1024


class LifecycleServicer(lifecycle_pb2_grpc.LifecycleServiceServicer):
    """See ``lifecycle.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @property
    def _folders(self) -> deletion.Folders:
        settings = self._parts.settings
        return deletion.Folders(probe_sets=settings.probe_set_dir, artefacts=settings.artefact_dir)

    async def ListGraphVersions(
        self, request: pb.ListGraphVersionsRequest, context: Context
    ) -> pb.ListGraphVersionsResponse:
        """All versions, newest first."""
        found = await asyncio.to_thread(list_versions, self._parts.store, request.graph_id)
        return pb.ListGraphVersionsResponse(versions=[version_to(version) for version in found])

    async def DiffGraphs(self, request: pb.DiffGraphsRequest, context: Context) -> pb.DiffGraphsResponse:
        """Two graphs of the database."""
        store = self._parts.store
        left, right = StoredSide(store, request.left_graph_id), StoredSide(store, request.right_graph_id)
        return pb.DiffGraphsResponse(diff=diff_to(await self._parts.long.run(diff, left, right)))

    async def DiffArchive(
        self, request_iterator: AsyncIterator[pb.DiffArchiveRequest], context: Context
    ) -> pb.DiffArchiveResponse:
        """A graph and an uploaded archive."""
        header: pb.DiffArchiveHeader | None = None
        with UploadedFile(self._parts.settings.export_dir) as upload:
            async for request in request_iterator:
                if request.WhichOneof("part") == "header":
                    header = request.header
                else:
                    await _add(upload, request.chunk, started=header is not None)
            path = upload.complete()
            if header is None:
                raise _headless()
            name = check_text(header.name or "archive", "header.name")
            report = await self._parts.long.run_to_end(self._diff_archive, header.graph_id, name, path)
        return pb.DiffArchiveResponse(diff=diff_to(report))

    def _diff_archive(self, graph_id: str, name: str, path: Path) -> DiffReport:
        with Archive.open(path) as archive:
            return diff(StoredSide(self._parts.store, graph_id), ArchivedSide(archive, name))

    async def CheckGraph(self, request: pb.CheckGraphRequest, context: Context) -> pb.CheckGraphResponse:
        """Every rule."""
        report = await self._parts.long.run(
            check_graph, self._parts.store, request.graph_id, probe_set_dir=self._parts.settings.probe_set_dir
        )
        return check_to(report)

    async def DeleteGraph(self, request: pb.DeleteGraphRequest, context: Context) -> pb.DeleteGraphResponse:
        """A graph, with what stands on it when forced."""
        report = await self._parts.long.run(
            deletion.delete_graph,
            self._parts.store,
            request.graph_id,
            with_branches=request.force,
            folders=self._folders,
        )
        return pb.DeleteGraphResponse(deletion=deletion_to(report))

    async def DeleteBranch(self, request: pb.DeleteBranchRequest, context: Context) -> pb.DeleteBranchResponse:
        """A branch, with its interventions when forced."""
        report = await self._parts.long.run(
            deletion.delete_branch,
            self._parts.store,
            request.branch_id,
            with_runs=request.force,
            folders=self._folders,
        )
        return pb.DeleteBranchResponse(deletion=deletion_to(report))

    async def DeleteIntervention(
        self, request: pb.DeleteInterventionRequest, context: Context
    ) -> pb.DeleteInterventionResponse:
        """An intervention that nothing is built on."""
        report = await self._parts.long.run(deletion.delete_run, self._parts.store, request.id, folders=self._folders)
        return pb.DeleteInterventionResponse(deletion=deletion_to(report))

    async def DeleteProbeSet(self, request: pb.DeleteProbeSetRequest, context: Context) -> pb.DeleteProbeSetResponse:
        """A probe set with its file."""
        report = await self._parts.long.run(
            deletion.delete_probe_set, self._parts.store, request.id, folders=self._folders
        )
        return pb.DeleteProbeSetResponse(deletion=deletion_to(report))

    async def ExportGraph(
        self, request: pb.ExportGraphRequest, context: Context
    ) -> AsyncIterator[pb.ExportGraphResponse]:
        """Write the archive, then send it piece by piece."""
        with tempfile.TemporaryDirectory(dir=self._parts.settings.export_dir, prefix="archive-") as folder:
            path = Path(folder) / "graph.ksmith"
            info = await self._parts.long.run_to_end(
                write.export_graph,
                self._parts.store,
                request.graph_id,
                path,
                folders=self._folders,
                with_artefacts=request.with_artefacts,
            )
            with path.open("rb") as file:
                while block := await asyncio.to_thread(file.read, _CHUNK):
                    yield pb.ExportGraphResponse(chunk=block)
            yield pb.ExportGraphResponse(summary=summary_to(info))

    async def LoadArchive(
        self, request_iterator: AsyncIterator[pb.LoadArchiveRequest], context: Context
    ) -> pb.LoadArchiveResponse:
        """Receive the archive, check it, load it."""
        header: pb.LoadArchiveHeader | None = None
        with UploadedFile(self._parts.settings.export_dir) as upload:
            async for request in request_iterator:
                if request.WhichOneof("part") == "header":
                    header = request.header
                else:
                    await _add(upload, request.chunk, started=header is not None)
            path = upload.complete()
            if header is None:
                raise _headless()
            if header.graph_id:
                check_id(header.graph_id, "header.graph_id")
            report = await self._parts.long.run_to_end(
                load.load_archive,
                self._parts.store,
                path,
                folders=self._folders,
                graph_id=header.graph_id,
                graph_only=header.graph_only,
            )
            size = path.stat().st_size
        return pb.LoadArchiveResponse(
            summary=summary_of_load(report, size=size),
            graph_id=report.graph_id,
            files=report.files,
            already_there=report.already_there,
        )


async def _add(upload: UploadedFile, chunk: bytes, *, started: bool) -> None:
    if not started:
        raise _headless()
    await asyncio.to_thread(upload.add, chunk)


def _headless() -> InvalidInput:
    return InvalidInput("the first message must hold the header", field="part", hint="Send the header first.")
