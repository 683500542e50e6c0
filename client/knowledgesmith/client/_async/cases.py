"""Calls of the case service."""

from __future__ import annotations

import builtins

from knowledgesmith.client._types.cases import Case
from knowledgesmith.client._types.enums import Goal
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.v1 import case_pb2 as pb

from .base import AsyncNamespace


class AsyncCases(AsyncNamespace):
    """Ready interventions that came with an imported benchmark."""

    async def list(
        self, *, graph_id: str, goal: Goal = Goal.UNSPECIFIED, family: str = "", limit: int | None = None
    ) -> builtins.list[Case]:
        """Cases of a graph, by id, without their probes.

        Args:
            graph_id: the graph.
            goal: only this one.
            family: only cases with a probe of this family.
            limit: at most so many; ``None`` = all.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = message(pb.ListCasesRequest, graph_id=graph_id, goal=goal, family=family)
        return await self._list(request, pb.ListCasesResponse, "cases", Case, limit)

    async def get(self, *, graph_id: str, case_id: str) -> Case:
        """One case with its probes.

        Raises:
            GraphNotFound: no graph has this id.
            CaseNotFound: the graph has no case of this id.
        """
        request = message(pb.GetCaseRequest, graph_id=graph_id, case_id=case_id)
        return read(Case, (await self._transport.unary(request, pb.GetCaseResponse)).case)
