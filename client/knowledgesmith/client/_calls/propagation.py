"""Calls of the propagation service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.enums import ChangeFilter, Grouping
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.propagation import Changes, Propagation, Query, Subgraph
from knowledgesmith.v1 import intervention_pb2
from knowledgesmith.v1 import propagation_pb2 as pb
from knowledgesmith.v1.propagation_pb2_grpc import PropagationServiceStub

from .base import Calls


class PropagationCalls(Calls):
    """Questions to the ledger; each answer carries the Cypher query that gave it."""

    @cached_property
    def _propagation_stub(self) -> PropagationServiceStub:
        return PropagationServiceStub(self._transport.channel)

    def propagation(self, *, intervention_id: str, group_by: Grouping = Grouping.HOP) -> Propagation:
        """Rates with intervals and mean changes, by role and by hops, level, kind, relation, domain or nothing."""
        request = pb.GetPropagationRequest(intervention_id=intervention_id, group_by=group_by.to_proto())
        return Propagation.from_proto(self._transport.unary(self._propagation_stub.GetPropagation, request))

    def list_changes(
        self,
        *,
        intervention_id: str,
        only: ChangeFilter = ChangeFilter.UNSPECIFIED,
        limit: int | None = None,
    ) -> Changes:
        """Ledger rows: all by sequence, the top movers, collateral, residual, or conflicts."""
        query = Query.of("", "")

        def fetch(token: str) -> tuple[Sequence[intervention_pb2.BeliefChange], str]:
            nonlocal query
            request = pb.ListBeliefChangesRequest(
                intervention_id=intervention_id, filter=only.to_proto(), page_size=page_size(limit), page_token=token
            )
            page = self._transport.unary(self._propagation_stub.ListBeliefChanges, request)
            query = query if token else Query.of(page.cypher, page.parameters_json)
            return page.changes, page.next_page_token

        rows = tuple(map(BeliefChange.from_proto, iterate(fetch, limit=limit)))
        return Changes(changes=rows, query=query)

    def subgraph(self, *, intervention_id: str, max_entities: int = 0) -> Subgraph:
        """The entities that changed most (0 = 60, at most 1,000) and the facts between them."""
        request = pb.GetSubgraphRequest(intervention_id=intervention_id, max_entities=max_entities)
        return Subgraph.from_proto(self._transport.unary(self._propagation_stub.GetSubgraph, request))
