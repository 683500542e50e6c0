"""PropagationService: typed answers of the named propagation queries."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from knowledgesmith.editors.measures.collapse import ScalePoint, collapse_point, falls
from knowledgesmith.graph_schema import propagation
from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.graphs.reading import load_catalogue
from knowledgesmith.graph_schema.interventions import branches, steps
from knowledgesmith.graph_schema.propagation import ChangeFilter, Grouping, VerdictName, edge_statuses
from knowledgesmith.graph_schema.types.probes import ProbeKind, Role
from knowledgesmith.server.front.page_cache import ReadAhead
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire import propagation as wire
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.cypher import query_to
from knowledgesmith.server.wire.enums import all_from_wire, from_wire
from knowledgesmith.server.wire.interventions import row_to
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES, fitting
from knowledgesmith.v1 import common_pb2, propagation_pb2, propagation_pb2_grpc

if TYPE_CHECKING:
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

DEFAULT_NODES = 60
MAX_SCALES = 100


class PropagationServicer(propagation_pb2_grpc.PropagationServiceServicer):
    """See ``propagation.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ahead = ReadAhead()

    async def _key(self, listing: list[str], *runs: str) -> tuple[object, ...]:
        """What the rows of a listing depend on: the runs must exist, and are taken as they stand."""
        found = [await asyncio.to_thread(steps.get, self._parts.store, run) for run in runs]
        return (
            *listing,
            *(
                (intervention.state, intervention.attempt, intervention.written_rows, intervention.created_ms)
                for intervention in found
            ),
        )

    async def GetPropagation(
        self, request: propagation_pb2.GetPropagationRequest, context: Context
    ) -> propagation_pb2.GetPropagationResponse:
        """Rates and mean changes by group."""
        by = from_wire(propagation_pb2.Grouping, request.group_by, Grouping, "group_by") or Grouping.HOP
        store, run = self._parts.store, request.intervention_id
        await asyncio.to_thread(steps.get, store, run)
        groups, query = await asyncio.to_thread(propagation.groups, store, run, by)
        floor = await asyncio.to_thread(propagation.floor, store, run)
        placebo = await asyncio.to_thread(propagation.groups, store, floor.placebo, by) if floor.placebo else ([], None)
        noise = wire.noise_of(placebo[0])
        return propagation_pb2.GetPropagationResponse(
            groups=[
                wire.group_to(g, noise=noise.get((g.key, g.role), {}), withheld=bool(floor.withheld)) for g in groups
            ],
            query=query_to(query),
            placebo_intervention_id=floor.placebo,
            withheld=floor.withheld,
            verdict_scheme=floor.scheme,
        )

    async def ListBeliefChanges(
        self, request: propagation_pb2.ListBeliefChangesRequest, context: Context
    ) -> propagation_pb2.ListBeliefChangesResponse:
        """Ledger rows that fit a question."""
        asked = from_wire(propagation_pb2.ChangeFilter, request.filter, ChangeFilter, "filter")
        listing = ["ListBeliefChanges", request.intervention_id, str(request.filter)]
        size = paging.page_size(request.page_size)
        skip, which = _skip(listing, request.page_token), asked or ChangeFilter.CHANGES
        store, run = self._parts.store, request.intervention_id
        key = await self._key(listing, run)
        rows, query, more = await self._ahead.page(
            key, skip, size, lambda at, limit: propagation.changes(store, run, which, skip=at, limit=limit)
        )
        shown = fitting(map(row_to, rows), limit=PAGE_BYTES)
        return propagation_pb2.ListBeliefChangesResponse(
            changes=shown,
            next_page_token=_next(listing, skip + len(shown), more=more or len(shown) < len(rows)),
            query=query_to(query),
        )

    async def GetSubgraph(
        self, request: propagation_pb2.GetSubgraphRequest, context: Context
    ) -> propagation_pb2.GetSubgraphResponse:
        """The most changed entities, the facts between them, and what the intervention did to those facts."""
        limit = paging.page_size(request.max_entities) if request.max_entities else DEFAULT_NODES
        store = self._parts.store
        intervention = await asyncio.to_thread(steps.get, store, request.intervention_id)
        nodes, edges, query = await asyncio.to_thread(
            propagation.subgraph, store, intervention.id, intervention.graph_id, limit=limit
        )
        catalogue = await asyncio.to_thread(load_catalogue, store, intervention.graph_id)
        names = {relation.rel_type: relation.name for relation in catalogue.values()}
        statuses, added = await asyncio.to_thread(edge_statuses, store, intervention, {n.uid for n in nodes})
        found = [wire.edge_to(e, names.get(e.rel_type, e.rel_type), statuses.get(e.fact_id, "asserted")) for e in edges]
        return propagation_pb2.GetSubgraphResponse(
            nodes=[wire.node_to(n) for n in nodes],
            edges=[*found, *(wire.edge_to(e, e.rel_type, "added") for e in added)],
            query=query_to(query),
        )

    async def ListEvidence(
        self, request: propagation_pb2.ListEvidenceRequest, context: Context
    ) -> propagation_pb2.ListEvidenceResponse:
        """The probes behind verdicts."""
        verdicts = all_from_wire(propagation_pb2.Verdict, request.verdicts, VerdictName, "verdicts")
        roles = all_from_wire(common_pb2.Role, request.roles, Role, "roles")
        asked = (*sorted(verdict.value for verdict in verdicts), *sorted(role.value for role in roles))
        listing = ["ListEvidence", request.intervention_id, *asked]
        size, skip = paging.page_size(request.page_size), _skip(listing, request.page_token)
        store, run = self._parts.store, request.intervention_id
        key = await self._key(listing, run)
        found, query, more = await self._ahead.page(
            key,
            skip,
            size,
            lambda at, limit: propagation.evidence(store, run, verdicts, roles=roles, skip=at, limit=limit),
        )
        shown = fitting(map(wire.evidence_to, found), limit=PAGE_BYTES)
        return propagation_pb2.ListEvidenceResponse(
            evidence=shown,
            next_page_token=_next(listing, skip + len(shown), more=more or len(shown) < len(found)),
            query=query_to(query),
        )

    async def ListChangedFacts(
        self, request: propagation_pb2.ListChangedFactsRequest, context: Context
    ) -> propagation_pb2.ListChangedFactsResponse:
        """The targets with the questions that support the old and the new object."""
        listing = ["ListChangedFacts", request.intervention_id, str(request.conflicts_only)]
        size, skip = paging.page_size(request.page_size), _skip(listing, request.page_token)
        store, run, conflicts = self._parts.store, request.intervention_id, request.conflicts_only
        key = await self._key(listing, run)
        found, query, more = await self._ahead.page(
            key,
            skip,
            size,
            lambda at, limit: propagation.changed_facts(store, run, conflicts_only=conflicts, skip=at, limit=limit),
        )
        shown = fitting(map(wire.fact_to, found), limit=PAGE_BYTES)
        return propagation_pb2.ListChangedFactsResponse(
            facts=shown,
            next_page_token=_next(listing, skip + len(shown), more=more or len(shown) < len(found)),
            query=query_to(query),
        )

    async def GetTravel(
        self, request: propagation_pb2.GetTravelRequest, context: Context
    ) -> propagation_pb2.GetTravelResponse:
        """Paths of the change, and where it stopped."""
        store = self._parts.store
        threshold = propagation.check_threshold(request.threshold or propagation.DEFAULT_THRESHOLD)
        await asyncio.to_thread(steps.get, store, request.intervention_id)
        found = await asyncio.to_thread(
            propagation.travel,
            store,
            request.intervention_id,
            threshold=threshold,
            limit=paging.page_size(request.limit),
        )
        return propagation_pb2.GetTravelResponse(
            paths=[wire.path_to(path) for path in found.paths],
            stops=[wire.stop_to(stop) for stop in found.stops],
            paths_query=query_to(found.paths_query),
            stops_query=query_to(found.stops_query),
        )

    async def CompareInterventions(
        self, request: propagation_pb2.CompareInterventionsRequest, context: Context
    ) -> propagation_pb2.CompareInterventionsResponse:
        """Two ledgers side by side."""
        first, second = request.first_intervention_id, request.second_intervention_id
        listing = ["CompareInterventions", first, second]
        size, skip = paging.page_size(request.page_size), _skip(listing, request.page_token)
        store = self._parts.store
        key = await self._key(listing, first, second)
        rows, query, more = await self._ahead.page(
            key, skip, size, lambda at, limit: propagation.compare(store, first, second, skip=at, limit=limit)
        )
        shown = fitting(map(wire.compared_to, rows), limit=PAGE_BYTES)
        answer = propagation_pb2.CompareInterventionsResponse(
            rows=shown,
            next_page_token=_next(listing, skip + len(shown), more=more or len(shown) < len(rows)),
            query=query_to(query),
        )
        if not skip:
            whole, counted = await asyncio.to_thread(propagation.overlap, store, first, second)
            answer.overlap.CopyFrom(wire.overlap_to(whole, counted))
        return answer

    async def GetOverTime(
        self, request: propagation_pb2.GetOverTimeRequest, context: Context
    ) -> propagation_pb2.GetOverTimeResponse:
        """Beliefs over the committed interventions of a branch."""
        kind = from_wire(common_pb2.ProbeKind, request.kind, ProbeKind, "kind")
        entity, relation = (check_text(getattr(request, field), field) for field in ("entity_uid", "relation"))
        listing = ["GetOverTime", request.branch_id, entity, relation, kind or ""]
        size, after = paging.page_size(request.page_size), _skip(listing, request.page_token)
        store = self._parts.store
        branch = await asyncio.to_thread(branches.get_branch, store, request.branch_id)
        points, query = await asyncio.to_thread(
            propagation.over_time,
            store,
            branch.id,
            entity=entity,
            relation=relation,
            kind=kind.value if kind else "",
            after=after,
            limit=size + 1,
        )
        places = sorted({point.position for point in points})
        more = len(places) > size
        return propagation_pb2.GetOverTimeResponse(
            points=[wire.point_to(point) for point in points if not more or point.position < places[-1]],
            query=query_to(query),
            next_page_token=_next(listing, places[size - 1] if more else 0, more=more),
        )

    async def GetMetrics(
        self, request: propagation_pb2.GetMetricsRequest, context: Context
    ) -> propagation_pb2.GetMetricsResponse:
        """The metrics of the paper with intervals."""
        store = self._parts.store
        await asyncio.to_thread(steps.get, store, request.intervention_id)
        found = await asyncio.to_thread(propagation.metrics, store, request.intervention_id)
        return propagation_pb2.GetMetricsResponse(
            metrics=[wire.metric_to(metric) for metric in found.metrics],
            queries=[query_to(query) for query in found.queries],
            placebo_intervention_id=found.placebo,
            withheld=found.withheld,
            verdict_scheme=found.scheme,
        )

    async def GetCollapse(
        self, request: propagation_pb2.GetCollapseRequest, context: Context
    ) -> propagation_pb2.GetCollapseResponse:
        """Accuracy by scale and the scale that collapsed."""
        ids = list(request.intervention_ids)
        if not ids:
            raise InvalidInput("which interventions?", field="intervention_ids", hint="Name at least two.")
        if len(ids) > MAX_SCALES:
            raise TooLarge("too many interventions", field="intervention_ids", value=len(ids), hint="At most 100.")
        points, query = await asyncio.to_thread(propagation.scales, self._parts.store, ids)
        counted = [
            ScalePoint(
                k=point.k,
                direct_right=point.direct_right,
                direct_n=point.direct_n,
                reverse_right=point.reverse_right,
                reverse_n=point.reverse_n,
            )
            for point in points
            if not point.withheld
        ]
        return propagation_pb2.GetCollapseResponse(
            points=[wire.scale_to(point) for point in points],
            falls=[wire.fall_to(fall) for fall in falls(counted)],
            collapse_k=collapse_point(counted),
            query=query_to(query),
        )


def _skip(listing: list[str], token: str) -> int:
    position = paging.decode(listing, token, int)
    return int(position[0]) if position else 0


def _next(listing: list[str], position: int, *, more: bool) -> str:
    return paging.encode(listing, [position]) if more else ""
