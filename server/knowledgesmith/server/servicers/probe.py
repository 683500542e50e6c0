"""ProbeService: generate, list, read, sample, audit and exchange probe sets."""

from __future__ import annotations

import asyncio
import tempfile
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.audit import audit_set
from knowledgesmith.graph_schema.probes.sets.exchange import PIECE, SetFormat, export, import_set
from knowledgesmith.graph_schema.probes.sets.sampling import Balance, sample_set
from knowledgesmith.v1 import probe_pb2, probe_pb2_grpc
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_text, kind_from, probe_to
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES, fitting
from knowledgesmith.server.wire.probes import audit_to, bulk_request_from, one_of, set_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
    from knowledgesmith.graph_schema.probes.sets.exchange import Files
    from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

MAX_IMPORT_BYTES: Final = 1 << 32


class ProbeServicer(probe_pb2_grpc.ProbeServiceServicer):
    """See ``probe.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GenerateProbeSet(
        self, request: probe_pb2.GenerateProbeSetRequest, context: Context
    ) -> probe_pb2.GenerateProbeSetResponse:
        """Generate, verify, and store by digest."""
        info = await self._parts.long.run(self._generate, bulk_request_from(request), materialise=request.materialise)
        return probe_pb2.GenerateProbeSetResponse(probe_set=set_to(info))

    def _generate(self, request: BulkRequest, *, materialise: bool) -> ProbeSetInfo:
        directory = self._parts.settings.probe_set_dir
        return probe_set.generate_set(self._parts.store, request, directory=directory, materialise=materialise)

    async def GetProbeSet(
        self, request: probe_pb2.GetProbeSetRequest, context: Context
    ) -> probe_pb2.GetProbeSetResponse:
        """One probe set."""
        info = await asyncio.to_thread(probe_set.get_info, self._parts.store, request.id)
        return probe_pb2.GetProbeSetResponse(probe_set=set_to(info))

    async def ListProbeSets(
        self, request: probe_pb2.ListProbeSetsRequest, context: Context
    ) -> probe_pb2.ListProbeSetsResponse:
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
        return probe_pb2.ListProbeSetsResponse(
            probe_sets=[set_to(info, whole=False) for info, _ in found[:size]], next_page_token=token
        )

    async def ListProbes(self, request: probe_pb2.ListProbesRequest, context: Context) -> probe_pb2.ListProbesResponse:
        """Probes of a set."""
        kind = kind_from(request.kind)
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
        return probe_pb2.ListProbesResponse(probes=shown, next_page_token=token)

    async def SampleProbeSet(
        self, request: probe_pb2.SampleProbeSetRequest, context: Context
    ) -> probe_pb2.SampleProbeSetResponse:
        """A balanced sample as a set of its own."""
        info = await self._parts.long.run(
            sample_set,
            self._parts.store,
            probe_set_id=request.probe_set_id,
            size=request.size,
            balance=[one_of(Balance, name, "balance") for name in request.balance],
            seed=request.seed,
            directory=self._parts.settings.probe_set_dir,
        )
        return probe_pb2.SampleProbeSetResponse(probe_set=set_to(info))

    async def AuditProbeSet(
        self, request: probe_pb2.AuditProbeSetRequest, context: Context
    ) -> probe_pb2.AuditProbeSetResponse:
        """Check a set."""
        found = await self._parts.long.run(
            audit_set,
            self._parts.store,
            probe_set_id=request.probe_set_id,
            directory=self._parts.settings.probe_set_dir,
            seed=request.seed,
        )
        return audit_to(found)

    async def ExportProbeSet(
        self, request: probe_pb2.ExportProbeSetRequest, context: Context
    ) -> AsyncIterator[probe_pb2.ExportProbeSetResponse]:
        """The files of a set, in pieces."""
        form = one_of(SetFormat, request.format, "format")
        info = await asyncio.to_thread(probe_set.get_info, self._parts.store, request.probe_set_id)
        pieces = _pieces(export(info, directory=self._parts.settings.probe_set_dir, form=form))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def ImportProbeSet(
        self, request_iterator: AsyncIterator[probe_pb2.ImportProbeSetRequest], context: Context
    ) -> probe_pb2.ImportProbeSetResponse:
        """Receive a file, check it against its digest, and record it."""
        header: probe_pb2.ImportProbeSetHeader | None = None
        size = 0
        with tempfile.TemporaryFile() as content:
            async for request in request_iterator:
                if request.HasField("header"):
                    header = request.header
                    continue
                if header is None:
                    raise InvalidInput(
                        "the first message must hold the header", field="part", hint="Send the header first."
                    )
                size += len(request.content)
                if size > MAX_IMPORT_BYTES:
                    raise TooLarge("the file is too large", field="content", value=size, hint="At most 4 GiB.")
                await asyncio.to_thread(content.write, request.content)
            if header is None:
                raise InvalidInput("nothing was sent", field="part", hint="Send a header and the file.")
            content.seek(0)
            info = await self._parts.long.run_to_end(
                import_set,
                self._parts.store,
                name=check_text(header.name or "the file", "header.name"),
                content=content,
                form=one_of(SetFormat, header.format, "format"),
                directory=self._parts.settings.probe_set_dir,
            )
        return probe_pb2.ImportProbeSetResponse(probe_set=set_to(info))


def _pieces(files: Files) -> Iterator[probe_pb2.ExportProbeSetResponse]:
    """Every file in pieces of at most a piece's size; an empty file is one empty piece."""
    for name, content in files:
        yield probe_pb2.ExportProbeSetResponse(file=name)
        for block in content:
            for start in range(0, len(block), PIECE):
                yield probe_pb2.ExportProbeSetResponse(file=name, content=block[start : start + PIECE])
