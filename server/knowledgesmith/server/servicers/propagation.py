"""PropagationService: typed answers of the named propagation queries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema import jobs, propagation
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.graphs import load_catalogue
from knowledgesmith.graph_schema.propagation import ChangeFilter, Grouping
from knowledgesmith.proto.v1 import propagation_pb2, propagation_pb2_grpc
from knowledgesmith.server import paging
from knowledgesmith.server.conversions import edge_to, group_to, node_to, row_to
from knowledgesmith.server.world_status import edge_statuses

if TYPE_CHECKING:
    from knowledgesmith.server.interceptors import Context
    from knowledgesmith.server.parts import Parts

DEFAULT_NODES = 60
_GROUPINGS = {
    propagation_pb2.GROUPING_UNSPECIFIED: Grouping.HOP,
    propagation_pb2.GROUPING_HOP: Grouping.HOP,
    propagation_pb2.GROUPING_LEVEL: Grouping.LEVEL,
    propagation_pb2.GROUPING_KIND: Grouping.KIND,
    propagation_pb2.GROUPING_RELATION: Grouping.RELATION,
    propagation_pb2.GROUPING_DOMAIN: Grouping.DOMAIN,
    propagation_pb2.GROUPING_ALL: Grouping.ALL,
}
_FILTERS = {
    propagation_pb2.CHANGE_FILTER_UNSPECIFIED: ChangeFilter.CHANGES,
    propagation_pb2.CHANGE_FILTER_TOP: ChangeFilter.TOP,
    propagation_pb2.CHANGE_FILTER_COLLATERAL: ChangeFilter.COLLATERAL,
    propagation_pb2.CHANGE_FILTER_RESIDUAL: ChangeFilter.RESIDUAL,
    propagation_pb2.CHANGE_FILTER_CONFLICT: ChangeFilter.CONFLICT,
}


class PropagationServicer(propagation_pb2_grpc.PropagationServiceServicer):
    """See ``propagation.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def GetPropagation(
        self, request: propagation_pb2.GetPropagationRequest, context: Context
    ) -> propagation_pb2.GetPropagationResponse:
        """Rates and mean changes by group."""
        if request.group_by not in _GROUPINGS:
            raise InvalidInput("unknown grouping", field="group_by", value=request.group_by)
        store = self._parts.store
        await asyncio.to_thread(jobs.get, store, request.intervention_id)
        groups, query = await asyncio.to_thread(
            propagation.groups, store, request.intervention_id, _GROUPINGS[request.group_by]
        )
        return propagation_pb2.GetPropagationResponse(
            groups=[group_to(g) for g in groups], cypher=query.cypher, parameters_json=query.parameters_json
        )

    async def ListBeliefChanges(
        self, request: propagation_pb2.ListBeliefChangesRequest, context: Context
    ) -> propagation_pb2.ListBeliefChangesResponse:
        """Ledger rows that fit a question."""
        if request.filter not in _FILTERS:
            raise InvalidInput("unknown filter", field="filter", value=request.filter)
        listing = ["ListBeliefChanges", request.intervention_id, str(request.filter)]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int)
        skip = int(position[0]) if position else 0
        store = self._parts.store
        await asyncio.to_thread(jobs.get, store, request.intervention_id)
        rows, query = await asyncio.to_thread(
            propagation.changes, store, request.intervention_id, _FILTERS[request.filter], skip=skip, limit=size + 1
        )
        return propagation_pb2.ListBeliefChangesResponse(
            changes=[row_to(row) for row in rows[:size]],
            next_page_token=paging.encode(listing, [skip + size]) if len(rows) > size else "",
            cypher=query.cypher,
            parameters_json=query.parameters_json,
        )

    async def GetSubgraph(
        self, request: propagation_pb2.GetSubgraphRequest, context: Context
    ) -> propagation_pb2.GetSubgraphResponse:
        """The most changed entities, the facts between them, and what the intervention did to those facts."""
        limit = paging.page_size(request.max_entities) if request.max_entities else DEFAULT_NODES
        store = self._parts.store
        job = await asyncio.to_thread(jobs.get, store, request.intervention_id)
        nodes, edges, query = await asyncio.to_thread(propagation.subgraph, store, job.id, job.graph_id, limit=limit)
        catalogue = await asyncio.to_thread(load_catalogue, store, job.graph_id)
        names = {relation.rel_type: relation.name for relation in catalogue.values()}
        statuses, added = await asyncio.to_thread(edge_statuses, store, job, {n.uid for n in nodes})
        found = [edge_to(e, names.get(e.rel_type, e.rel_type), statuses.get(e.fact_id, "asserted")) for e in edges]
        return propagation_pb2.GetSubgraphResponse(
            nodes=[node_to(n) for n in nodes],
            edges=[*found, *(edge_to(e, e.rel_type, "added") for e in added)],
            cypher=query.cypher,
            parameters_json=query.parameters_json,
        )
