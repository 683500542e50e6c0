"""Further questions of the propagation service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types._fill import fill
from knowledgesmith.client._types.enums import ProbeKind, Role, Verdict
from knowledgesmith.client._types.propagation import Query
from knowledgesmith.client._types.questions import (
    ChangedFact,
    ChangedFacts,
    Collapse,
    ComparedRow,
    Comparison,
    Evidence,
    Metrics,
    OverTime,
    ProbeEvidence,
    Travel,
    read_query,
)
from knowledgesmith.v1 import propagation_pb2 as pb
from knowledgesmith.v1.propagation_pb2_grpc import PropagationServiceStub

from .base import Calls

Item = TypeVar("Item")


class QuestionCalls(Calls):
    """Evidence, conflicts, paths, comparisons and metrics; each answer carries the Cypher query that gave it."""

    @cached_property
    def _questions(self) -> PropagationServiceStub:
        return PropagationServiceStub(self._transport.channel)

    def evidence(
        self,
        *,
        intervention_id: str,
        verdicts: Sequence[Verdict] = (Verdict.COLLATERAL,),
        roles: Sequence[Role] = (),
        limit: int | None = None,
    ) -> Evidence:
        """The probes behind verdicts and of roles (none = all): what was asked, preferred and said before and after."""
        wanted = [verdict.to_proto() for verdict in verdicts]
        about = [role.to_proto() for role in roles]

        def fetch(token: str) -> tuple[Sequence[pb.ProbeEvidence], str, pb.PastedQuery]:
            request = pb.ListEvidenceRequest(
                intervention_id=intervention_id,
                verdicts=wanted,
                roles=about,
                page_size=page_size(limit),
                page_token=token,
            )
            page = self._transport.unary(self._questions.ListEvidence, request)
            return page.evidence, page.next_page_token, page.query

        found, query = _all(fetch, limit)
        return Evidence(evidence=tuple(map(ProbeEvidence.from_proto, found)), query=query)

    def changed_facts(
        self, *, intervention_id: str, conflicts_only: bool = False, limit: int | None = None
    ) -> ChangedFacts:
        """The changed facts with the questions that support the old and the new object."""

        def fetch(token: str) -> tuple[Sequence[pb.ChangedFact], str, pb.PastedQuery]:
            request = pb.ListChangedFactsRequest(
                intervention_id=intervention_id,
                conflicts_only=conflicts_only,
                page_size=page_size(limit),
                page_token=token,
            )
            page = self._transport.unary(self._questions.ListChangedFacts, request)
            return page.facts, page.next_page_token, page.query

        found, query = _all(fetch, limit)
        return ChangedFacts(facts=tuple(map(ChangedFact.from_proto, found)), query=query)

    def travel(self, *, intervention_id: str, threshold: float = 0.1, limit: int = 0) -> Travel:
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
        request = pb.GetTravelRequest(intervention_id=intervention_id, threshold=threshold, limit=limit)
        return Travel.from_proto(self._transport.unary(self._questions.GetTravel, request))

    def compare(self, *, first_id: str, second_id: str, limit: int | None = None) -> Comparison:
        """Two ledgers side by side, the largest difference first, and how they overlap."""
        whole = pb.LedgerOverlap()

        def fetch(token: str) -> tuple[Sequence[pb.ComparedRow], str, pb.PastedQuery]:
            request = pb.CompareInterventionsRequest(
                first_id=first_id, second_id=second_id, page_size=page_size(limit), page_token=token
            )
            page = self._transport.unary(self._questions.CompareInterventions, request)
            if page.HasField("overlap"):
                whole.CopyFrom(page.overlap)
            return page.rows, page.next_page_token, page.query

        found, query = _all(fetch, limit)
        return fill(Comparison, whole, rows=tuple(map(ComparedRow.from_proto, found)), query=query)

    def over_time(
        self,
        *,
        branch_id: str,
        entity: str = "",
        relation: str = "",
        kind: ProbeKind = ProbeKind.UNSPECIFIED,
    ) -> OverTime:
        """Beliefs over the committed interventions of a branch; of one entity (uid), relation or kind when named."""
        request = pb.GetOverTimeRequest(branch_id=branch_id, entity=entity, relation=relation, kind=kind.to_proto())
        return OverTime.from_proto(self._transport.unary(self._questions.GetOverTime, request))

    def metrics(self, *, intervention_id: str) -> Metrics:
        """Rates of targets, of what follows and of what stays, conflict, consistency and plasticity with intervals."""
        request = pb.GetMetricsRequest(intervention_id=intervention_id)
        return Metrics.from_proto(self._transport.unary(self._questions.GetMetrics, request))

    def collapse(self, *, intervention_ids: Sequence[str]) -> Collapse:
        """Accuracy by scale over interventions of growing size, and the scale from which direct answers fail."""
        request = pb.GetCollapseRequest(intervention_ids=intervention_ids)
        return Collapse.from_proto(self._transport.unary(self._questions.GetCollapse, request))


def _all(
    fetch: Callable[[str], tuple[Sequence[Item], str, pb.PastedQuery]], limit: int | None
) -> tuple[list[Item], Query]:
    """The items of all pages, and the query of the first one."""
    first: list[Query] = []

    def page(token: str) -> tuple[Sequence[Item], str]:
        items, following, query = fetch(token)
        if not first:
            first.append(read_query(query))
        return items, following

    found = list(iterate(page, limit=limit))
    return found, first[0] if first else Query.of("", "")
