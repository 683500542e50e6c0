"""Calls of the archive service."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import IO, Final, Literal, overload

from google.longrunning import operations_pb2

from knowledgesmith.client._errors import InvalidInput, ServerFault, Unavailable
from knowledgesmith.client._retry import PATIENT
from knowledgesmith.client._types.graphs import ArchiveSummary, GraphDiff, LoadedArchive
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._wire.files import archive_parts, complete_file, readable
from knowledgesmith.client._wire.fill import message
from knowledgesmith.v1 import archive_pb2 as pb

from .base import Namespace, key
from .operation import Operation

_CREATE: Final = "CreateArchive"


class Archives(Namespace):
    """Archives: a graph with all that stands on it in one file."""

    @overload
    def create(
        self,
        *,
        graph_id: str,
        with_artefacts: bool = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ArchiveSummary: ...
    @overload
    def create(
        self, *, graph_id: str, with_artefacts: bool = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[ArchiveSummary]: ...
    def create(
        self,
        *,
        graph_id: str,
        with_artefacts: bool = False,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ArchiveSummary | Operation[ArchiveSummary]:
        """Write a graph with everything that stands on it to an archive on the server; ``download`` fetches it.

        Args:
            graph_id: the graph.
            with_artefacts: put the weights of its revisions into it too.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far the server is, about once a second.

        Raises:
            GraphNotFound: no graph has this id.
            IllegalState: an intervention has not ended on it.
        """
        request = message(
            pb.CreateArchiveRequest, graph_id=graph_id, with_artefacts=with_artefacts, request_id=key(request_id)
        )
        return self._begin(request, ArchiveSummary, wait=wait, progress=progress)

    def download(self, *, operation: str, path: Path | str, progress: OnProgress | None = None) -> ArchiveSummary:
        """Fetch an archive of the server, waiting until it is written; ``path`` appears when it is complete.

        Args:
            operation: name of the operation of ``create``.
            path: the file; one that is there is replaced.
            progress: told how far the server is, about once a second.

        Raises:
            OperationNotFound: no operation has this name; an archive is kept as long as its operation is.
            InvalidInput: the operation writes no archive.
            OSError: the file cannot be written.
        """
        with complete_file(path) as out:
            request = operations_pb2.GetOperationRequest(name=operation)
            found = self._transport.unary(request, operations_pb2.Operation)
            handle = Operation(self._transport, found, ArchiveSummary)
            if handle.metadata.method != _CREATE:
                raise InvalidInput("This operation writes no archive.", field="operation", value=operation)
            return self._fetch(handle, out, progress)

    def export(
        self,
        *,
        graph_id: str,
        path: Path | str,
        with_artefacts: bool = False,
        request_id: str = "",
        progress: OnProgress | None = None,
    ) -> ArchiveSummary:
        """Write a graph with everything that stands on it to a file; ``path`` appears when it is complete.

        Args:
            graph_id: the graph.
            path: the file; one that is there is replaced.
            with_artefacts: put the weights of its revisions into it too.
            request_id: idempotence key; one is drawn when none is given.
            progress: told how far the server is, about once a second.

        Raises:
            GraphNotFound: no graph has this id.
            IllegalState: an intervention has not ended on it.
            OSError: the file cannot be written.
        """
        with complete_file(path) as out:
            begun = self.create(graph_id=graph_id, with_artefacts=with_artefacts, request_id=request_id, wait=False)
            return self._fetch(begun, out, progress)

    @overload
    def load(
        self,
        *,
        path: Path | str,
        graph_id: str = ...,
        graph_only: bool = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> LoadedArchive: ...
    @overload
    def load(
        self,
        *,
        path: Path | str,
        graph_id: str = ...,
        graph_only: bool = ...,
        request_id: str = ...,
        wait: Literal[False],
    ) -> Operation[LoadedArchive]: ...
    def load(
        self,
        *,
        path: Path | str,
        graph_id: str = "",
        graph_only: bool = False,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> LoadedArchive | Operation[LoadedArchive]:
        """Load an archive into the server's database: as a whole or not at all, and twice changes nothing.

        Args:
            path: a file that ``export`` wrote.
            graph_id: another id for the graph; only with ``graph_only``.
            graph_only: leave probe sets and interventions out.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            ArchiveRejected: the archive is damaged, hostile or of a newer release.
            AlreadyExists: the graph, or something else of the same id, is there already.
            InvalidInput: it cannot be read.
        """
        archive = readable(path, what="The archive")
        header = message(
            pb.LoadArchiveHeader,
            graph_id=graph_id,
            graph_only=graph_only,
            name=archive.name,
            request_id=key(request_id),
        )
        first = pb.LoadArchiveRequest(header=header)
        return self._begin_upload(
            pb.LoadArchiveRequest,
            lambda: archive_parts(first, archive, lambda chunk: pb.LoadArchiveRequest(chunk=chunk)),
            LoadedArchive,
            files=[archive],
            wait=wait,
            progress=progress,
        )

    @overload
    def diff(
        self,
        *,
        graph_id: str,
        path: Path | str,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> GraphDiff: ...
    @overload
    def diff(
        self, *, graph_id: str, path: Path | str, request_id: str = ..., wait: Literal[False]
    ) -> Operation[GraphDiff]: ...
    def diff(
        self,
        *,
        graph_id: str,
        path: Path | str,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> GraphDiff | Operation[GraphDiff]:
        """What differs between a graph (left) and an archive (right).

        Raises:
            ArchiveRejected: the archive is damaged.
            GraphNotFound: no graph has this id.
            InvalidInput: the archive cannot be read.
        """
        archive = readable(path, what="The archive")
        header = message(pb.DiffArchiveHeader, graph_id=graph_id, name=archive.name, request_id=key(request_id))
        first = pb.DiffArchiveRequest(header=header)
        return self._begin_upload(
            pb.DiffArchiveRequest,
            lambda: archive_parts(first, archive, lambda chunk: pb.DiffArchiveRequest(chunk=chunk)),
            GraphDiff,
            files=[archive],
            wait=wait,
            progress=progress,
        )

    def _fetch(
        self, operation: Operation[ArchiveSummary], out: IO[bytes], progress: OnProgress | None
    ) -> ArchiveSummary:
        """Write the archive of an operation when it is there, all of it."""
        summary = operation.result(progress=progress)
        self._download(operation.name, out)
        if out.tell() != summary.size:
            raise ServerFault("The archive was cut off.", field="graph_id", value=summary.graph_id)
        return summary

    def _download(self, operation: str, out: IO[bytes]) -> None:
        """Write the archive of an operation; a download that was cut off goes on where it ended."""
        pauses = PATIENT.pauses()
        while True:
            request = message(pb.DownloadArchiveRequest, operation=operation, offset=out.tell())
            try:
                with closing(self._transport.stream(request, pb.DownloadArchiveResponse)) as pieces:
                    for piece in pieces:
                        out.write(piece.chunk)
                        pauses = PATIENT.pauses()
                return
            except Unavailable:
                pause = next(pauses, None)
                if pause is None:
                    raise
            time.sleep(pause)
