"""InterventionService: create, watch, decide; planning is in ``creation``, streaming in ``watching``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import IllegalState, InvalidInput
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.branches import revision_id
from knowledgesmith.graph_schema.interventions.records import Intervention
from knowledgesmith.graph_schema.interventions.steps import illegal
from knowledgesmith.graph_schema.planning.plan_store import load_plan
from knowledgesmith.graph_schema.types.interventions import Goal, State
from knowledgesmith.server.front.callers import actor_of
from knowledgesmith.server.interventions import creation, watching
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.changes import MAX_CHANGES
from knowledgesmith.server.wire.conversions import check_request_id
from knowledgesmith.server.wire.enums import all_from_wire, from_wire, word_from_wire
from knowledgesmith.server.wire.interventions import SHOWN_CHANGES, fact_changes_to, intervention_to
from knowledgesmith.server.wire.message_sizes import LIST_BYTES, size_in_list
from knowledgesmith.server.wire.plans import page_of
from knowledgesmith.v1 import common_pb2, intervention_pb2, intervention_pb2_grpc

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_READ_INTERVENTIONS = 50
_CANCELLABLE = (State.QUEUED, State.AWAITING_DECISION)


class InterventionServicer(intervention_pb2_grpc.InterventionServiceServicer):
    """See ``intervention.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def _intervention(self, intervention_id: str) -> Intervention:
        return await asyncio.to_thread(steps.get, self._parts.store, intervention_id)

    async def CreateIntervention(
        self, request: intervention_pb2.CreateInterventionRequest, context: Context
    ) -> intervention_pb2.CreateInterventionResponse:
        """Check, plan, and unless only validated, queue."""
        return await creation.create(self._parts, request, actor=actor_of(context))

    async def GetIntervention(
        self, request: intervention_pb2.GetInterventionRequest, context: Context
    ) -> intervention_pb2.GetInterventionResponse:
        """One intervention, with a page of the changes that were asked for."""
        listing = ["GetIntervention", request.intervention_id]
        size = paging.page_size(request.page_size, default=SHOWN_CHANGES, most=MAX_CHANGES)
        position = paging.decode(listing, request.page_token, int)
        start = int(position[0]) if position else 0
        intervention = await self._intervention(request.intervention_id)
        message = intervention_to(intervention)
        del message.spec.changes[:]
        message.spec.changes.extend(fact_changes_to(intervention.spec.changes[start : start + size], limit=LIST_BYTES))
        end = start + len(message.spec.changes)
        token = paging.encode(listing, [end]) if end < len(intervention.spec.changes) else ""
        return intervention_pb2.GetInterventionResponse(intervention=message, next_page_token=token)

    async def ListInterventions(
        self, request: intervention_pb2.ListInterventionsRequest, context: Context
    ) -> intervention_pb2.ListInterventionsResponse:
        """Interventions, newest first."""
        states = sorted(all_from_wire(intervention_pb2.InterventionState, request.states, State, "states"))
        goal = from_wire(common_pb2.Goal, request.goal, Goal, "goal")
        basic = word_from_wire(common_pb2.View, request.view, "view") != "full"
        listing = ["ListInterventions", request.branch_id, ",".join(states), goal or ""]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int, str)
        before = (int(position[0]), str(position[1])) if position else None

        def read(before: tuple[int, str] | None, limit: int) -> list[Intervention]:
            return steps.list_interventions(
                self._parts.store, branch_id=request.branch_id, states=states, goal=goal, before=before, limit=limit
            )

        page, last = await asyncio.to_thread(_page, read, before, size, basic=basic)
        token = paging.encode(listing, [last.created_ms, last.id]) if last else ""
        return intervention_pb2.ListInterventionsResponse(interventions=page, next_page_token=token)

    async def DeleteIntervention(
        self, request: intervention_pb2.DeleteInterventionRequest, context: Context
    ) -> operations_pb2.Operation:
        """Delete an intervention that nothing is built on."""
        return await self._parts.operations.begin(
            "DeleteIntervention",
            request,
            resource_id=request.intervention_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: steps.get(self._parts.store, request.intervention_id),
        )

    async def GetPlan(
        self, request: intervention_pb2.GetPlanRequest, context: Context
    ) -> intervention_pb2.GetPlanResponse:
        """The stored plan, or one page of its facts."""
        if request.page_size < 0:
            raise InvalidInput(
                "a page size cannot be negative",
                field="page_size",
                value=request.page_size,
                hint="Use 0 for all that fit.",
            )
        intervention = await self._intervention(request.intervention_id)
        if not intervention.plan_digest:
            raise IllegalState(
                "the intervention has no stored plan yet",
                field="intervention_id",
                value=intervention.id,
                hint="It is planned when the worker takes it up; validate_only plans at once.",
            )
        listing = ["GetPlan", intervention.id, intervention.plan_digest]  # another attempt may plan anew
        position = paging.decode(listing, request.page_token, int)
        plan = await asyncio.to_thread(load_plan, self._parts.store, intervention.id)
        page = page_of(plan, start=int(position[0]) if position else 0, most=request.page_size)
        token = "" if page.next is None else paging.encode(listing, [page.next])
        return intervention_pb2.GetPlanResponse(plan=page.plan, next_page_token=token)

    async def CancelIntervention(
        self, request: intervention_pb2.CancelInterventionRequest, context: Context
    ) -> intervention_pb2.CancelInterventionResponse:
        """End it at once where nothing runs, otherwise ask the worker."""
        intervention = await self._intervention(request.intervention_id)
        store = self._parts.store
        ended = await asyncio.to_thread(
            steps.finish,
            store,
            intervention.id,
            from_states=_CANCELLABLE,
            state=State.CANCELLED,
            reason="CANCELLED",
            message="cancelled on request",
        )
        if not ended:
            if not await asyncio.to_thread(steps.request_cancel, store, intervention.id):
                raise illegal(
                    await self._intervention(intervention.id), "cancel", (*_CANCELLABLE, State.PREPARING, State.RUNNING)
                )
            self._parts.worker.notify("cancel", intervention_id=intervention.id)
        return intervention_pb2.CancelInterventionResponse(intervention=await self._published(intervention.id))

    async def WatchIntervention(
        self, request: intervention_pb2.WatchInterventionRequest, context: Context
    ) -> AsyncIterator[intervention_pb2.WatchInterventionResponse]:
        """Stream what happens."""
        async for message in watching.watch(self._parts, request):
            yield message

    async def CommitIntervention(
        self, request: intervention_pb2.CommitInterventionRequest, context: Context
    ) -> intervention_pb2.CommitInterventionResponse:
        """Commit what awaits a decision: everything is measured and stored, so the worker is not needed."""
        intervention = await self._intervention(request.intervention_id)
        await asyncio.to_thread(steps.commit_decided, self._parts.store, intervention.id, revision_id)
        return intervention_pb2.CommitInterventionResponse(intervention=await self._published(intervention.id))

    async def DiscardIntervention(
        self, request: intervention_pb2.DiscardInterventionRequest, context: Context
    ) -> intervention_pb2.DiscardInterventionResponse:
        """Discard what awaits a decision; the heads return."""
        intervention = await self._intervention(request.intervention_id)
        done = await asyncio.to_thread(
            steps.finish,
            self._parts.store,
            intervention.id,
            from_states=[State.AWAITING_DECISION],
            state=State.DISCARDED,
        )
        if not done:
            raise illegal(await self._intervention(intervention.id), "discard", (State.AWAITING_DECISION,))
        return intervention_pb2.DiscardInterventionResponse(intervention=await self._published(intervention.id))

    async def _published(self, intervention_id: str) -> intervention_pb2.Intervention:
        """The intervention after a change from outside the worker: watchers and the worker are told."""
        intervention = await self._intervention(intervention_id)
        if intervention.state.terminal:
            labels = {
                "goal": intervention.spec.goal.value,
                "method": intervention.spec.method,
                "outcome": intervention.state.value,
            }
            self._parts.metrics.inc("ksmith_interventions_completed", **labels)
        self._parts.hub.publish(intervention_id)
        self._parts.worker.notify("wake")
        return intervention_to(intervention)


def _page(
    read: Callable[[tuple[int, str] | None, int], list[Intervention]],
    before: tuple[int, str] | None,
    size: int,
    *,
    basic: bool,
) -> tuple[list[intervention_pb2.Intervention], Intervention | None]:
    """At most ``size`` interventions, as many as fit into an answer, and the last one where more follow.

    They are read a few at a time: one may hold thousands of facts.
    """
    page: list[intervention_pb2.Intervention] = []
    last: Intervention | None = None
    left = LIST_BYTES
    while len(page) < size:
        count = min(size - len(page), _READ_INTERVENTIONS)
        found = read(before, count + 1)
        for intervention in found[:count]:
            message = intervention_to(intervention, basic=basic)
            left -= size_in_list(message)
            if left < 0 and page:
                return page, last
            page.append(message)
            last, before = intervention, (intervention.created_ms, intervention.id)
        if len(found) <= count:
            return page, None
    return page, last
