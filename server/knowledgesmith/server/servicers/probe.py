"""ProbeService: generate, list, read, sample, audit, exchange and delete probe sets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from google.longrunning import operations_pb2

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.maintenance import deletion
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.exchange import PIECE, export
from knowledgesmith.graph_schema.probes.sets.sampling import MAX_SAMPLE
from knowledgesmith.graph_schema.types.probes import ProbeKind
from knowledgesmith.server.front.callers import actor_of
from knowledgesmith.server.runners.deletions import file_folders
from knowledgesmith.server.runners.probe_sets import balance_from, format_from
from knowledgesmith.server.servicers.known import known_graph
from knowledgesmith.server.uploads.uploaded_file import begin_with_file
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_request_id, check_text
from knowledgesmith.server.wire.enums import from_wire
from knowledgesmith.server.wire.graphs import deletion_to
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES, fitting
from knowledgesmith.server.wire.probes import bulk_request_from, probe_to, set_to
from knowledgesmith.v1 import common_pb2, probe_pb2_grpc
from knowledgesmith.v1 import probe_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from knowledgesmith.graph_schema.probes.sets.exchange import Files
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

MAX_IMPORT_BYTES: Final = 1 << 32


class ProbeServicer(probe_pb2_grpc.ProbeServiceServicer):
    """See ``probe.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GenerateProbeSet(self, request: pb.GenerateProbeSetRequest, context: Context) -> operations_pb2.Operation:
        """Generate, verify, and store by digest."""
        bulk_request_from(request)
        return await self._parts.operations.begin(
            "GenerateProbeSet",
            request,
            resource_id=request.graph_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: known_graph(self._parts.store, request.graph_id, "graph_id"),
        )

    async def GetProbeSet(self, request: pb.GetProbeSetRequest, context: Context) -> pb.GetProbeSetResponse:
        """One probe set."""
        info = await asyncio.to_thread(probe_set.get_info, self._parts.store, request.probe_set_id)
        return pb.GetProbeSetResponse(probe_set=set_to(info))

    async def ListProbeSets(self, request: pb.ListProbeSetsRequest, context: Context) -> pb.ListProbeSetsResponse:
        """Probe sets of a graph, newest first."""
        listing = ["ListProbeSets", request.graph_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int, str)
        before = (int(position[0]), str(position[1])) if position else None
        found = await asyncio.to_thread(
            probe_set.list_infos, self._parts.store, graph_id=request.graph_id, before=before, limit=size + 1
        )
        token = ""
        if len(found) > size:
            last, created_ms = found[size - 1]
            token = paging.encode(listing, [created_ms, last.id])
        return pb.ListProbeSetsResponse(
            probe_sets=[set_to(info, whole=False) for info, _ in found[:size]], next_page_token=token
        )

    async def DeleteProbeSet(self, request: pb.DeleteProbeSetRequest, context: Context) -> pb.DeleteProbeSetResponse:
        """A probe set with its file."""
        report = await self._parts.long.run(
            deletion.delete_probe_set, self._parts.store, request.probe_set_id, folders=file_folders(self._parts)
        )
        return pb.DeleteProbeSetResponse(deletion=deletion_to(report))

    async def ListProbes(self, request: pb.ListProbesRequest, context: Context) -> pb.ListProbesResponse:
        """Probes of a set."""
        kind = from_wire(common_pb2.ProbeKind, request.kind, ProbeKind, "kind")
        listing = ["ListProbes", request.probe_set_id, str(request.kind)]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int)
        skip = int(position[0]) if position else 0
        info = await asyncio.to_thread(probe_set.get_info, self._parts.store, request.probe_set_id)
        found = await asyncio.to_thread(
            probe_set.read_page,
            self._parts.settings.probe_set_dir,
            info.digest,
            kind=kind,
            skip=skip,
            limit=size + 1,
        )
        shown = fitting(map(probe_to, found[:size]), limit=PAGE_BYTES)
        token = paging.encode(listing, [skip + len(shown)]) if len(found) > len(shown) else ""
        return pb.ListProbesResponse(probes=shown, next_page_token=token)

    async def SampleProbeSet(self, request: pb.SampleProbeSetRequest, context: Context) -> operations_pb2.Operation:
        """A balanced sample as a set of its own."""
        balance_from(request)
        if not 1 <= request.size <= MAX_SAMPLE:
            hint = f"Use 1 to {MAX_SAMPLE:,}."
            raise InvalidInput("out of range", field="size", value=request.size, hint=hint)
        return await self._parts.operations.begin(
            "SampleProbeSet",
            request,
            resource_id=request.probe_set_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: probe_set.get_info(self._parts.store, request.probe_set_id),
        )

    async def AuditProbeSet(self, request: pb.AuditProbeSetRequest, context: Context) -> operations_pb2.Operation:
        """Check a set."""
        return await self._parts.operations.begin(
            "AuditProbeSet",
            request,
            resource_id=request.probe_set_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: probe_set.get_info(self._parts.store, request.probe_set_id),
        )

    async def ExportProbeSet(
        self, request: pb.ExportProbeSetRequest, context: Context
    ) -> AsyncIterator[pb.ExportProbeSetResponse]:
        """The files of a set, in pieces."""
        form = format_from(request.format)
        info = await asyncio.to_thread(probe_set.get_info, self._parts.store, request.probe_set_id)
        pieces = _pieces(export(info, directory=self._parts.settings.probe_set_dir, form=form))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def ImportProbeSet(
        self, request_iterator: AsyncIterator[pb.ImportProbeSetRequest], context: Context
    ) -> operations_pb2.Operation:
        """Receive a file, then check it against its digest, and record it."""

        def parts(request: pb.ImportProbeSetRequest) -> tuple[pb.ImportProbeSetHeader | None, bytes]:
            if not request.HasField("header"):
                return None, request.content
            check_text(request.header.name, "header.name")
            format_from(request.header.format)
            check_request_id(request.header.request_id)
            return request.header, b""

        return await begin_with_file(
            self._parts.operations,
            "ImportProbeSet",
            request_iterator,
            parts,
            actor=actor_of(context),
            resource_id=lambda _header: "",
            limit=MAX_IMPORT_BYTES,
        )


def _pieces(files: Files) -> Iterator[pb.ExportProbeSetResponse]:
    """Every file in pieces of at most a piece's size; an empty file is one empty piece."""
    for name, content in files:
        yield pb.ExportProbeSetResponse(file=name)
        for block in content:
            for start in range(0, len(block), PIECE):
                yield pb.ExportProbeSetResponse(file=name, content=block[start : start + PIECE])
