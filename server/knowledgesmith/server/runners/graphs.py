"""Imports of graphs, their differences and their checks."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.archive.diff import StoredSide, diff
from knowledgesmith.graph_schema.errors import GraphNotFound, ImportRunning
from knowledgesmith.graph_schema.graphs import reading
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.importing import ImportReport, InputFile, import_graph
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.graph_schema.importing.writing.lock import LEASE_MS
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.server.operations.tasks import InThread, Runner, Task
from knowledgesmith.server.uploads.imports import report_to
from knowledgesmith.server.uploads.pieces import uploaded_files
from knowledgesmith.server.uploads.rejections import RejectionWriter
from knowledgesmith.server.wire.enums import to_wire
from knowledgesmith.server.wire.graphs import check_to, diff_to
from knowledgesmith.server.wire.structs import struct_from
from knowledgesmith.v1 import common_pb2
from knowledgesmith.v1 import graph_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from knowledgesmith.graph_schema.graphs.reading import GraphInfo
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.front.dependencies import Parts

BUNDLED: Final = "atlas"
"""Name of the bundled graph that is imported where none is named."""
_LOCK_PATIENCE_S: Final = LEASE_MS / 1000 + 10
_LOCK_PAUSE_S: Final = 1.0
_VERSION: Final = "version"


class GraphRunners:
    """Runners of ``graph.proto``, but for deletions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> Mapping[str, Runner]:
        """By method."""
        return {
            "ImportGraph": InThread(request=pb.ImportHeader, run=self._import),
            "ImportBundledGraph": InThread(request=pb.ImportBundledGraphRequest, run=self._import_bundled),
            "DiffGraphs": InThread(request=pb.DiffGraphsRequest, run=self._diff),
            "CheckGraph": InThread(request=pb.CheckGraphRequest, run=self._check),
        }

    def _import(self, task: Task) -> pb.ImportGraphResponse:
        header: pb.ImportHeader = task.request
        with uploaded_files(task.folder) as files:
            report = self._imported(task, header, files)
        graph = None if header.validate_only else graph_of(self._parts.store, header.graph_id)
        return pb.ImportGraphResponse(graph=graph, report=report_to(report))

    def _import_bundled(self, task: Task) -> pb.ImportBundledGraphResponse:
        request: pb.ImportBundledGraphRequest = task.request
        name = request.name or BUNDLED
        header = pb.ImportHeader(graph_id=request.graph_id or name, source=f"bundled: {name}", strict=True)
        report = self._imported(task, header, bundled_files(name))
        return pb.ImportBundledGraphResponse(
            graph=graph_of(self._parts.store, header.graph_id), report=report_to(report)
        )

    def _imported(self, task: Task, header: pb.ImportHeader, files: Sequence[InputFile]) -> ImportReport:
        before = self._version_before(task, header.graph_id)
        for left in filter(Path.is_dir, task.folder.uploads.iterdir()):  # by an attempt that was killed
            shutil.rmtree(left, ignore_errors=True)
        task.report("read")

        def work() -> ImportReport:
            with closing(RejectionWriter(task.folder)) as rejections:
                return import_graph(
                    self._parts.store,
                    graph_id=header.graph_id,
                    files=files,
                    source=header.source,
                    validate_only=header.validate_only,
                    format=header.format,
                    options=struct_from(header.options, "options"),
                    strict=header.strict,
                    progress=task.report,
                    on_rejection=rejections.add,
                    folder=task.folder.make_uploads(),
                )

        report = work() if task.attempt == 1 else _past_own_lock(work)
        return report if task.attempt == 1 else _over_all_attempts(self._parts.store, report, before)

    def _version_before(self, task: Task, graph_id: str) -> int:
        """Number of the graph's last version before the first attempt; noted beside the uploads."""
        note = task.folder.make_uploads() / _VERSION
        if not note.exists():
            try:
                versions = list_versions(self._parts.store, graph_id)
            except GraphNotFound:
                versions = []
            note.write_text(str(versions[0].number if versions else 0), encoding="utf-8")
        return int(note.read_text(encoding="utf-8") or 0)

    def _diff(self, task: Task) -> pb.DiffGraphsResponse:
        request: pb.DiffGraphsRequest = task.request
        task.report("compare")
        store = self._parts.store
        found = diff(StoredSide(store, request.left_graph_id), StoredSide(store, request.right_graph_id))
        return pb.DiffGraphsResponse(diff=diff_to(found))

    def _check(self, task: Task) -> pb.CheckGraphResponse:
        request: pb.CheckGraphRequest = task.request
        task.report("check")
        directory = self._parts.settings.probe_set_dir
        return check_to(check_graph(self._parts.store, request.graph_id, probe_set_dir=directory))


def _past_own_lock(work: Callable[[], ImportReport]) -> ImportReport:
    """Do it again for as long as the lock of an attempt that was cut off may live.

    The lock of a process that ended is taken over at once; that of an attempt which lost the database, in this very
    process, only when its lease is over.
    """
    until = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            return work()
        except ImportRunning:
            if time.monotonic() > until:
                raise
            cancellation.current().pause(_LOCK_PAUSE_S)


def _over_all_attempts(store: GraphStore, report: ImportReport, before: int) -> ImportReport:
    """What all attempts at an import did together, as the graph's version tells it: the last one found most done."""
    if report.version <= before:
        return report  # nothing changed, whoever looked
    version = next(found for found in list_versions(store, report.graph_id) if found.number == report.version)
    return replace(
        report,
        entities_created=version.entities_created,
        entities_matched=version.entities_matched,
        entities_retired=version.entities_retired,
        facts_created=version.facts_created,
        facts_matched=version.facts_matched,
        facts_removed=version.facts_removed,
    )


def graph_of(store: GraphStore, graph_id: str) -> pb.Graph:
    """One graph with its counts.

    Raises:
        GraphNotFound: there is none of this id.
    """
    return graph_to(reading.get_graph(store, graph_id))


def graph_to(info: GraphInfo) -> pb.Graph:
    """The wire's message."""
    return pb.Graph(
        id=info.graph_id,
        digest=info.digest,
        source=info.source,
        head_branch_id=info.head_branch,
        entities_by_level=[
            pb.LevelCount(level=to_wire(common_pb2.Level, level), count=count)
            for level, count in sorted(info.entities_by_level.items())
        ],
        facts=info.facts,
        relations=info.relations,
        entities_by_domain=info.entities_by_domain,
        incomplete=info.incomplete,
    )
