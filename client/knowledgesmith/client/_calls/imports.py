"""Calls that bring graphs in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from knowledgesmith.client._errors import InvalidInput, ServerFault
from knowledgesmith.client._types.imports import GraphFile, Importer, ImportProgress, ImportRejection, ImportResult
from knowledgesmith.v1 import graph_pb2 as pb
from knowledgesmith.v1.graph_pb2_grpc import GraphServiceStub

from .base import Calls

_CHUNK_BYTES: Final = 256 * 1024


class ImportCalls(Calls):
    """Imports and their formats."""

    @cached_property
    def _import_stub(self) -> GraphServiceStub:
        return GraphServiceStub(self._transport.channel)

    def import_graph(
        self,
        *,
        graph_id: str,
        files: Sequence[GraphFile | Path | str],
        source: str = "",
        validate_only: bool = False,
        format: str = "",  # noqa: A002 - the word of the command line and the wire
        options: Mapping[str, Any] | None = None,
        strict: bool = False,
        on_progress: Callable[[ImportProgress], None] | None = None,
        on_rejections: Callable[[Sequence[ImportRejection]], None] | None = None,
    ) -> ImportResult:
        """Upload the files of one graph and import them; importing again changes only what differs.

        An import that was cut off is completed by the same call.

        Args:
            graph_id: 1 to 63 of ``[a-z0-9_-]``, letter first.
            files: of one format; a folder stands for every file below it, in sorted order; ``.gz`` is unpacked.
            source: where the graph comes from.
            validate_only: check and report, write nothing.
            format: name of the importer (``list_importers``); empty = told from the names.
            options: of the importer.
            strict: import nothing when one record is rejected.
            on_progress: called a few times a second.
            on_rejections: called with every rejected record, in batches by file and record.

        Raises:
            InvalidInput: a file cannot be read, or the format or an option is wrong.
            ImportRejected: nothing can be used, or (strict) a record is bad; the metadata names file and record.
            Aborted: another import of this graph runs.
        """
        checked = _graph_files(files)
        header = pb.ImportHeader(
            graph_id=graph_id,
            source=source,
            validate_only=validate_only,
            format=format,
            options_json=json.dumps(dict(options)) if options else "",
            strict=strict,
        )
        result: pb.ImportResult | None = None
        with closing(self._transport.exchange(self._import_stub.ImportGraph, _parts(header, checked))) as answers:
            for answer in answers:
                part = answer.WhichOneof("part")
                if part == "progress" and on_progress is not None:
                    on_progress(ImportProgress.from_proto(answer.progress))
                elif part == "rejections" and on_rejections is not None:
                    on_rejections(tuple(map(ImportRejection.from_proto, answer.rejections.rejections)))
                elif part == "result":
                    result = answer.result
        if result is None:
            raise ServerFault("The import ended without a result.", hint="Run it again: it goes on where it ended.")
        return ImportResult.from_proto(result)

    def import_bundled(self, *, name: str = "atlas", graph_id: str = "") -> ImportResult:
        """Import a graph that ships with the server, under ``graph_id`` or its own name."""
        request = pb.ImportBundledGraphRequest(name=name, graph_id=graph_id)
        return ImportResult.from_proto(self._transport.unary(self._import_stub.ImportBundledGraph, request, slow=True))

    def list_importers(self) -> tuple[Importer, ...]:
        """The formats that can be imported, by name."""
        answer = self._transport.unary(self._import_stub.ListImporters, pb.ListImportersRequest())
        return tuple(map(Importer.from_proto, answer.importers))


def _graph_files(files: Sequence[GraphFile | Path | str]) -> list[GraphFile]:
    found: list[GraphFile] = []
    for file in files:
        found += [file] if isinstance(file, GraphFile) else GraphFile.below(file)
    try:
        for file in found:
            with file.path.open("rb"):
                pass
    except OSError as error:
        raise InvalidInput("A graph file cannot be read.", field="files", value=str(error)) from error
    if not found:
        raise InvalidInput("There is no file to import.", field="files", hint="Name a file, or a folder that has some.")
    return found


def _parts(header: pb.ImportHeader, files: Sequence[GraphFile]) -> Iterator[pb.ImportGraphRequest]:
    """The header, then every file in pieces of at most 256 KiB."""
    yield pb.ImportGraphRequest(header=header)
    for file in files:
        with file.path.open("rb") as stream:
            first = True
            while (content := stream.read(_CHUNK_BYTES)) or first:
                first = False
                yield pb.ImportGraphRequest(chunk=pb.FileChunk(role=file.role, name=file.shown_name, content=content))
