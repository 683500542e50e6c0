"""CaseService: list and read the ready interventions of benchmarks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.interventions import cases
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.enums import from_wire, to_wire
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES, fitting
from knowledgesmith.v1 import case_pb2, case_pb2_grpc, common_pb2

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe
    from knowledgesmith.graph_schema.interventions.cases import StoredCase
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_MAX_FAMILY = 200


class CaseServicer(case_pb2_grpc.CaseServiceServicer):
    """See ``case.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ListCases(self, request: case_pb2.ListCasesRequest, context: Context) -> case_pb2.ListCasesResponse:
        """Cases of a graph, by id."""
        goal = from_wire(common_pb2.Goal, request.goal, Goal, "goal")
        family = check_text(request.family, "family", limit=_MAX_FAMILY) if request.family else ""
        listing = ["ListCases", request.graph_id, str(request.goal), family]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, str)
        found = await asyncio.to_thread(
            cases.list_cases,
            self._parts.store,
            graph_id=request.graph_id,
            after=str(position[0]) if position else "",
            limit=size + 1,
            goal=goal,
            family=family,
        )
        shown = fitting(map(_case_to, found[:size]), limit=PAGE_BYTES)
        token = paging.encode(listing, [shown[-1].id]) if len(found) > len(shown) else ""
        return case_pb2.ListCasesResponse(cases=shown, next_page_token=token)

    async def GetCase(self, request: case_pb2.GetCaseRequest, context: Context) -> case_pb2.GetCaseResponse:
        """One case with its probes."""
        if not request.case_id:
            raise InvalidInput("must not be empty", field="case_id", hint="Name a case; list them with ListCases.")
        found = await asyncio.to_thread(
            cases.get_case, self._parts.store, graph_id=request.graph_id, case_id=request.case_id
        )
        return case_pb2.GetCaseResponse(case=_case_to(found))


def _case_to(case: StoredCase) -> case_pb2.Case:
    return case_pb2.Case(
        graph_id=case.graph_id,
        id=case.id,
        goal=to_wire(common_pb2.Goal, case.goal),
        rounds=[
            case_pb2.CaseRound(changes=[_change_to(case, change) for change in changes]) for changes in case.rounds
        ],
        families=case.families,
        missing_uids=case.missing,
        file=case.place.file,
        record=case.place.record,
        digest=case.digest,
        probes=[_probe_to(probe) for probe in case.probes],
    )


def _change_to(case: StoredCase, change: CaseChange) -> case_pb2.CaseChange:
    return case_pb2.CaseChange(
        subject_uid=change.subject,
        relation=change.relation,
        old_object_uid=change.old_object,
        new_object_uid=change.new_object,
        subject_name=case.names.get(change.subject, ""),
        old_object_name=case.names.get(change.old_object, ""),
        new_object_name=case.names.get(change.new_object, ""),
    )


def _probe_to(probe: CaseProbe) -> case_pb2.CaseProbe:
    return case_pb2.CaseProbe(
        kind=to_wire(common_pb2.ProbeKind, probe.kind),
        polarity=to_wire(common_pb2.Polarity, probe.polarity),
        family=probe.family,
        stem=probe.stem,
        options=probe.options,
        answers=probe.answers,
        answers_before=probe.answers_before,
    )
