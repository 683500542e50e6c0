"""Calls of the case service."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.cases import Case
from knowledgesmith.client._types.enums import Goal
from knowledgesmith.v1 import case_pb2 as pb
from knowledgesmith.v1.case_pb2_grpc import CaseServiceStub

from .base import Calls


class CaseCalls(Calls):
    """Ready interventions that came with an imported benchmark."""

    @cached_property
    def _case_stub(self) -> CaseServiceStub:
        return CaseServiceStub(self._transport.channel)

    def list_cases(
        self, *, graph_id: str, goal: Goal = Goal.UNSPECIFIED, family: str = "", limit: int | None = None
    ) -> Iterator[Case]:
        """Cases of a graph, by id, without their probes.

        Args:
            graph_id: the graph.
            goal: only this one.
            family: only cases with a probe of this family.
            limit: at most so many; ``None`` = all.

        Raises:
            GraphNotFound: no graph has this id.
        """

        def fetch(token: str) -> tuple[list[Case], str]:
            request = pb.ListCasesRequest(
                graph_id=graph_id,
                goal=goal.to_proto(),
                family=family,
                page_size=page_size(limit),
                page_token=token,
            )
            answer = self._transport.unary(self._case_stub.ListCases, request)
            return [Case.from_proto(case) for case in answer.cases], answer.next_page_token

        return iterate(fetch, limit=limit)

    def get_case(self, *, graph_id: str, case_id: str) -> Case:
        """One case with its probes.

        Raises:
            GraphNotFound: no graph has this id.
            CaseNotFound: the graph has no case of this id.
        """
        request = pb.GetCaseRequest(graph_id=graph_id, id=case_id)
        return Case.from_proto(self._transport.unary(self._case_stub.GetCase, request).case)
