"""ProbeService: generate, list and read probe sets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.probes import probe_set
from knowledgesmith.graph_schema.probes.generate import generate
from knowledgesmith.graph_schema.probes.types import ProbeKind
from knowledgesmith.proto.v1 import probe_pb2, probe_pb2_grpc
from knowledgesmith.server import paging
from knowledgesmith.server.conversions import kind_from, probe_to

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.probes.probe_set import ProbeSetInfo
    from knowledgesmith.server.interceptors import Context
    from knowledgesmith.server.parts import Parts


class ProbeServicer(probe_pb2_grpc.ProbeServiceServicer):
    """See ``probe.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GenerateProbeSet(
        self, request: probe_pb2.GenerateProbeSetRequest, context: Context
    ) -> probe_pb2.GenerateProbeSetResponse:
        """Generate, verify, and store by digest."""
        if request.limit_per_kind < 0:
            raise InvalidInput(
                "must not be negative", field="limit_per_kind", value=request.limit_per_kind, hint="Use 0 for all."
            )
        asked = {kind for number in request.kinds if (kind := kind_from(number)) is not None}
        kinds = tuple(kind for kind in ProbeKind if not asked or kind in asked)
        return probe_pb2.GenerateProbeSetResponse(
            probe_set=_set_to(await asyncio.to_thread(self._generate, request, kinds))
        )

    def _generate(self, request: probe_pb2.GenerateProbeSetRequest, kinds: tuple[ProbeKind, ...]) -> ProbeSetInfo:
        store = self._parts.store
        data = generate(
            store,
            graph_id=request.graph_id,
            kinds=kinds,
            seed=request.seed,
            limit_per_kind=request.limit_per_kind or None,
        )
        return probe_set.save(
            store, data, directory=self._parts.settings.probe_set_dir, materialise=request.materialise
        )

    async def GetProbeSet(
        self, request: probe_pb2.GetProbeSetRequest, context: Context
    ) -> probe_pb2.GetProbeSetResponse:
        """One probe set."""
        info = await asyncio.to_thread(probe_set.get_info, self._parts.store, request.id)
        return probe_pb2.GetProbeSetResponse(probe_set=_set_to(info))

    async def ListProbeSets(
        self, request: probe_pb2.ListProbeSetsRequest, context: Context
    ) -> probe_pb2.ListProbeSetsResponse:
        """Probe sets of a graph, newest first."""
        listing = ["ListProbeSets", request.graph_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int)
        skip = int(position[0]) if position else 0
        found = await asyncio.to_thread(
            probe_set.list_infos, self._parts.store, graph_id=request.graph_id, skip=skip, limit=size + 1
        )
        token = paging.encode(listing, [skip + size]) if len(found) > size else ""
        return probe_pb2.ListProbeSetsResponse(probe_sets=[_set_to(i) for i in found[:size]], next_page_token=token)

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
        token = paging.encode(listing, [skip + size]) if len(found) > size else ""
        return probe_pb2.ListProbesResponse(probes=[probe_to(p) for p in found[:size]], next_page_token=token)


def _set_to(info: ProbeSetInfo) -> probe_pb2.ProbeSet:
    return probe_pb2.ProbeSet(
        id=info.id,
        graph_id=info.graph_id,
        graph_digest=info.graph_digest,
        seed=info.seed,
        digest=info.digest,
        counts=info.counts,
        verified=info.verified,
        dropped=info.dropped,
    )
