"""Calls of the propagation service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._picture import draw
from knowledgesmith.client._types.enums import ChangeFilter, Grouping, ProbeKind, Role, Verdict
from knowledgesmith.client._types.events import BeliefChange
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.client._types.propagation import Changes, PastedQuery, Propagation, Subgraph
from knowledgesmith.client._types.questions import (
    ChangedFact,
    ChangedFacts,
    Collapse,
    ComparedRow,
    Comparison,
    Evidence,
    LedgerOverlap,
    Metrics,
    OverTime,
    ProbeEvidence,
    TimePoint,
    Travel,
)
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.client.interop import to_pandas
from knowledgesmith.v1 import intervention_pb2
from knowledgesmith.v1 import propagation_pb2 as pb

from .base import AsyncNamespace

if TYPE_CHECKING:
    import pandas as pd


class AsyncLedgerQuestions(AsyncNamespace):
    """Questions to the ledger; each answer carries the Cypher query that gave it."""

    async def rates(self, *, intervention_id: str, group_by: Grouping = Grouping.HOP) -> Propagation:
        """Rates with intervals and mean changes, by role and by hops, level, kind, relation, domain or nothing."""
        request = message(pb.GetPropagationRequest, intervention_id=intervention_id, group_by=group_by)
        return read(Propagation, await self._transport.unary(request, pb.GetPropagationResponse))

    async def changes(
        self,
        *,
        intervention_id: str,
        filter: ChangeFilter = ChangeFilter.UNSPECIFIED,  # noqa: A002 - the word of the wire
        limit: int | None = None,
    ) -> Changes:
        """Ledger rows: all by sequence, the top movers, collateral, residual, or conflicts."""
        request = message(pb.ListBeliefChangesRequest, intervention_id=intervention_id, filter=filter)
        rows, first = await self._rows(request, pb.ListBeliefChangesResponse, "changes", BeliefChange, limit)
        return Changes(changes=rows, query=read(PastedQuery, first.query))

    async def subgraph(self, *, intervention_id: str, max_entities: int = 0) -> Subgraph:
        """The entities that changed most (0 = 60, at most 1,000) and the facts between them."""
        request = message(pb.GetSubgraphRequest, intervention_id=intervention_id, max_entities=max_entities)
        return read(Subgraph, await self._transport.unary(request, pb.GetSubgraphResponse))

    async def evidence(
        self,
        *,
        intervention_id: str,
        verdicts: Sequence[Verdict] = (),
        roles: Sequence[Role] = (),
        limit: int | None = None,
    ) -> Evidence:
        """The probes behind verdicts and of roles (none = all): what was asked, preferred and said before and after."""
        request = message(pb.ListEvidenceRequest, intervention_id=intervention_id, verdicts=verdicts, roles=roles)
        rows, first = await self._rows(request, pb.ListEvidenceResponse, "evidence", ProbeEvidence, limit)
        return Evidence(evidence=rows, query=read(PastedQuery, first.query))

    async def changed_facts(
        self, *, intervention_id: str, conflicts_only: bool = False, limit: int | None = None
    ) -> ChangedFacts:
        """The changed facts with the questions that support the old and the new object."""
        request = message(pb.ListChangedFactsRequest, intervention_id=intervention_id, conflicts_only=conflicts_only)
        rows, first = await self._rows(request, pb.ListChangedFactsResponse, "facts", ChangedFact, limit)
        return ChangedFacts(facts=rows, query=read(PastedQuery, first.query))

    async def travel(self, *, intervention_id: str, threshold: float = 0.1, limit: int = 0) -> Travel:
        """Paths of facts along which beliefs moved by at least ``threshold``, and where that stopped (limit 0 = 50).

        Raises:
            InvalidInput: the threshold is not in (0, 1].
        """
        if not 0 < threshold <= 1:
            raise InvalidInput(
                "A threshold is a change of probability.",
                field="threshold",
                value=str(threshold),
                hint="Above 0, at most 1.",
            )
        request = message(pb.GetTravelRequest, intervention_id=intervention_id, threshold=threshold, limit=limit)
        return read(Travel, await self._transport.unary(request, pb.GetTravelResponse))

    async def compare(
        self, *, first_intervention_id: str, second_intervention_id: str, limit: int | None = None
    ) -> Comparison:
        """Two ledgers side by side, the largest difference first, and how they overlap."""
        request = message(
            pb.CompareInterventionsRequest,
            first_intervention_id=first_intervention_id,
            second_intervention_id=second_intervention_id,
        )
        rows, first = await self._rows(request, pb.CompareInterventionsResponse, "rows", ComparedRow, limit)
        return Comparison(rows=rows, query=read(PastedQuery, first.query), overlap=read(LedgerOverlap, first.overlap))

    async def over_time(
        self,
        *,
        branch_id: str,
        entity_uid: str = "",
        relation: str = "",
        kind: ProbeKind = ProbeKind.UNSPECIFIED,
        limit: int | None = None,
    ) -> OverTime:
        """Beliefs over the committed interventions of a branch; of one entity, relation or kind when named."""
        request = message(
            pb.GetOverTimeRequest, branch_id=branch_id, entity_uid=entity_uid, relation=relation, kind=kind
        )
        points, first = await self._rows(request, pb.GetOverTimeResponse, "points", TimePoint, limit)
        return OverTime(points=points, query=read(PastedQuery, first.query))

    async def metrics(self, *, intervention_id: str) -> Metrics:
        """Rates of targets, of what follows and of what stays, conflict, consistency and plasticity with intervals."""
        request = message(pb.GetMetricsRequest, intervention_id=intervention_id)
        return read(Metrics, await self._transport.unary(request, pb.GetMetricsResponse))

    async def collapse(self, *, intervention_ids: Sequence[str]) -> Collapse:
        """Accuracy by scale over interventions of growing size, and the scale from which direct answers fail."""
        request = message(pb.GetCollapseRequest, intervention_ids=intervention_ids)
        return read(Collapse, await self._transport.unary(request, pb.GetCollapseResponse))

    async def ledger_pandas(self, *, intervention_id: str) -> pd.DataFrame:
        """One row a ledger row, indexed by ``sequence``."""
        return to_pandas(await self.changes(intervention_id=intervention_id))

    async def metrics_pandas(self, *, intervention_id: str) -> pd.DataFrame:
        """One row a metric and group, with counts, interval and chance."""
        return to_pandas(await self.metrics(intervention_id=intervention_id))

    async def picture(self, *, intervention_id: str, max_entities: int = 0) -> str:
        """The subgraph as one self-contained HTML page; at most about 60 entities can be read well."""
        subgraph = await self.subgraph(intervention_id=intervention_id, max_entities=max_entities)
        asked = message(intervention_pb2.GetInterventionRequest, intervention_id=intervention_id, page_size=1)
        answer = await self._transport.unary(asked, intervention_pb2.GetInterventionResponse)
        return draw(subgraph=subgraph, intervention=read(Intervention, answer.intervention))
