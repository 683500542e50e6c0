"""Calls of the lifecycle service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

from knowledgesmith.client._errors import InvalidInput, ServerFault
from knowledgesmith.client._types.lifecycle import (
    ArchiveSummary,
    CheckReport,
    Deletion,
    GraphDiff,
    GraphVersion,
    LoadedArchive,
)
from knowledgesmith.v1 import lifecycle_pb2 as pb
from knowledgesmith.v1.lifecycle_pb2_grpc import LifecycleServiceStub

from .base import Calls

_CHUNK_BYTES: Final = 256 * 1024


class LifecycleCalls(Calls):
    """Versions, differences, checks, archives and deletions."""

    @cached_property
    def _lifecycle_stub(self) -> LifecycleServiceStub:
        return LifecycleServiceStub(self._transport.channel)

    def graph_versions(self, *, graph_id: str) -> tuple[GraphVersion, ...]:
        """Versions of a graph, newest first: what each import changed.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = pb.ListGraphVersionsRequest(graph_id=graph_id)
        answer = self._transport.unary(self._lifecycle_stub.ListGraphVersions, request)
        return tuple(GraphVersion.from_proto(version) for version in answer.versions)

    def diff_graphs(self, *, left: str, right: str) -> GraphDiff:
        """What differs between two graphs: relations, living entities and facts, with counts and examples.

        Raises:
            GraphNotFound: no graph has one of these ids.
        """
        request = pb.DiffGraphsRequest(left_graph_id=left, right_graph_id=right)
        return GraphDiff.from_proto(self._transport.unary(self._lifecycle_stub.DiffGraphs, request, slow=True).diff)

    def diff_archive(self, *, graph_id: str, archive: Path | str) -> GraphDiff:
        """What differs between a graph (left) and an archive (right).

        Raises:
            ArchiveRejected: the archive is damaged.
            InvalidInput: it cannot be read.
        """
        path = _readable(archive)

        def parts() -> Iterator[pb.DiffArchiveRequest]:
            yield pb.DiffArchiveRequest(header=pb.DiffArchiveHeader(graph_id=graph_id, name=path.name))
            for chunk in _chunks(path):
                yield pb.DiffArchiveRequest(chunk=chunk)

        return GraphDiff.from_proto(self._transport.upload(self._lifecycle_stub.DiffArchive, parts()).diff)

    def check_graph(self, *, graph_id: str) -> CheckReport:
        """Check everything that must hold of a stored graph.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = pb.CheckGraphRequest(graph_id=graph_id)
        return CheckReport.from_proto(self._transport.unary(self._lifecycle_stub.CheckGraph, request, slow=True))

    def delete_graph(self, *, graph_id: str, force: bool = False) -> Deletion:
        """Delete a graph; with ``force`` its branches, interventions and probe sets too.

        A deletion that was cut off is finished by asking again.

        Raises:
            StillReferenced: something stands on it, and ``force`` was not given.
            IllegalState: an intervention has not ended on it.
        """
        request = pb.DeleteGraphRequest(graph_id=graph_id, force=force)
        answer = self._transport.unary(self._lifecycle_stub.DeleteGraph, request, idempotent=False, slow=True)
        return Deletion.from_proto(answer.deletion)

    def delete_branch(self, *, branch_id: str, force: bool = False) -> Deletion:
        """Delete a branch; with ``force`` its interventions too. Model and base revision stay.

        Raises:
            StillReferenced: it has interventions, and ``force`` was not given.
            IllegalState: an intervention has not ended on it.
        """
        request = pb.DeleteBranchRequest(branch_id=branch_id, force=force)
        answer = self._transport.unary(self._lifecycle_stub.DeleteBranch, request, idempotent=False, slow=True)
        return Deletion.from_proto(answer.deletion)

    def delete_intervention(self, *, intervention_id: str) -> Deletion:
        """Delete an intervention with its ledger, plan and artefact.

        Raises:
            StillReferenced: its branch is built on it; the hint names what must be rolled back first.
            IllegalState: it has not ended.
        """
        request = pb.DeleteInterventionRequest(id=intervention_id)
        answer = self._transport.unary(self._lifecycle_stub.DeleteIntervention, request, idempotent=False, slow=True)
        return Deletion.from_proto(answer.deletion)

    def delete_probe_set(self, *, probe_set_id: str) -> Deletion:
        """Delete a probe set with its file.

        Raises:
            ProbeSetNotFound: no probe set has this id.
        """
        request = pb.DeleteProbeSetRequest(id=probe_set_id)
        answer = self._transport.unary(self._lifecycle_stub.DeleteProbeSet, request, idempotent=False, slow=True)
        return Deletion.from_proto(answer.deletion)

    def export_graph(self, *, graph_id: str, target: Path | str, with_artefacts: bool = False) -> ArchiveSummary:
        """Write a graph with everything that stands on it to a file; ``target`` appears when it is complete.

        Args:
            graph_id: the graph.
            target: the file; one that is there is replaced.
            with_artefacts: put the weights of its revisions into it too.

        Raises:
            GraphNotFound: no graph has this id.
            IllegalState: an intervention has not ended on it.
            OSError: the file cannot be written.
        """
        path = Path(target)
        request = pb.ExportGraphRequest(graph_id=graph_id, with_artefacts=with_artefacts)
        scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        summary: ArchiveSummary | None = None
        try:
            with scratch.open("wb") as out:
                for part in self._transport.download(self._lifecycle_stub.ExportGraph, request):
                    if part.WhichOneof("part") == "summary":
                        summary = ArchiveSummary.from_proto(part.summary)
                    else:
                        out.write(part.chunk)
            if summary is None or scratch.stat().st_size != summary.size:
                raise ServerFault("The archive was cut off.", field="graph_id", value=graph_id)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
        return summary

    def load_archive(self, *, archive: Path | str, graph_id: str = "", graph_only: bool = False) -> LoadedArchive:
        """Load an archive into the server's database: as a whole or not at all, and twice changes nothing.

        Args:
            archive: a file that ``export_graph`` wrote.
            graph_id: another id for the graph; only with ``graph_only``.
            graph_only: leave probe sets and interventions out.

        Raises:
            ArchiveRejected: the archive is damaged, hostile or of a newer release.
            AlreadyExists: the graph, or something else of the same id, is there already.
        """
        path = _readable(archive)
        header = pb.LoadArchiveHeader(graph_id=graph_id, graph_only=graph_only, name=path.name)

        def parts() -> Iterator[pb.LoadArchiveRequest]:
            yield pb.LoadArchiveRequest(header=header)
            for chunk in _chunks(path):
                yield pb.LoadArchiveRequest(chunk=chunk)

        return LoadedArchive.from_proto(self._transport.upload(self._lifecycle_stub.LoadArchive, parts()))


def _readable(archive: Path | str) -> Path:
    path = Path(archive)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise InvalidInput("The archive cannot be read.", field="archive", value=str(error)) from error


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
