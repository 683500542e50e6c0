"""InterventionService: create, watch, decide; planning is in ``creation``, streaming in ``watching``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema import jobs
from knowledgesmith.graph_schema.branches import revision_id
from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.interventions import State
from knowledgesmith.graph_schema.job_types import Job
from knowledgesmith.graph_schema.jobs import illegal
from knowledgesmith.graph_schema.plan_store import load_plan
from knowledgesmith.proto.v1 import intervention_pb2, intervention_pb2_grpc
from knowledgesmith.server import creation, paging, watching
from knowledgesmith.server.conversions import job_to, plan_to

if TYPE_CHECKING:
    from knowledgesmith.server.interceptors import Context
    from knowledgesmith.server.parts import Parts

_CANCELLABLE = (State.QUEUED, State.AWAITING_DECISION)


class InterventionServicer(intervention_pb2_grpc.InterventionServiceServicer):
    """See ``intervention.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def _job(self, intervention_id: str) -> Job:
        return await asyncio.to_thread(jobs.get, self._parts.store, intervention_id)

    async def CreateIntervention(
        self, request: intervention_pb2.CreateInterventionRequest, context: Context
    ) -> intervention_pb2.CreateInterventionResponse:
        """Check, plan, and unless only validated, queue."""
        return await creation.create(self._parts, request, actor=creation.actor_of(context))

    async def GetIntervention(
        self, request: intervention_pb2.GetInterventionRequest, context: Context
    ) -> intervention_pb2.GetInterventionResponse:
        """One intervention."""
        return intervention_pb2.GetInterventionResponse(intervention=job_to(await self._job(request.id)))

    async def ListInterventions(
        self, request: intervention_pb2.ListInterventionsRequest, context: Context
    ) -> intervention_pb2.ListInterventionsResponse:
        """Interventions, newest first."""
        listing = ["ListInterventions", request.branch_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int, str)
        before = (int(position[0]), str(position[1])) if position else None
        found = await asyncio.to_thread(
            jobs.list_jobs, self._parts.store, branch_id=request.branch_id, before=before, limit=size + 1
        )
        token = ""
        if len(found) > size:
            token = paging.encode(listing, [found[size - 1].created_ms, found[size - 1].id])
        return intervention_pb2.ListInterventionsResponse(
            interventions=[job_to(job) for job in found[:size]], next_page_token=token
        )

    async def GetPlan(
        self, request: intervention_pb2.GetPlanRequest, context: Context
    ) -> intervention_pb2.GetPlanResponse:
        """The stored plan."""
        job = await self._job(request.id)
        if not job.plan_digest:
            raise IllegalState(
                "the intervention has no stored plan yet",
                field="id",
                value=job.id,
                hint="It is planned when the worker takes it up; validate_only plans at once.",
            )
        plan = await asyncio.to_thread(load_plan, self._parts.store, job.id)
        return intervention_pb2.GetPlanResponse(plan=plan_to(plan))

    async def CancelIntervention(
        self, request: intervention_pb2.CancelInterventionRequest, context: Context
    ) -> intervention_pb2.CancelInterventionResponse:
        """End it at once where nothing runs, otherwise ask the worker."""
        job = await self._job(request.id)
        store = self._parts.store
        ended = await asyncio.to_thread(
            jobs.finish,
            store,
            job.id,
            job.graph_id,
            from_states=_CANCELLABLE,
            state=State.CANCELLED,
            reason="CANCELLED",
            message="cancelled on request",
        )
        if not ended:
            if not await asyncio.to_thread(jobs.request_cancel, store, job.id):
                raise illegal(await self._job(job.id), "cancel", (*_CANCELLABLE, State.PREPARING, State.RUNNING))
            self._parts.worker.notify("cancel", intervention_id=job.id)
        return intervention_pb2.CancelInterventionResponse(intervention=await self._published(job.id))

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
        job = await self._job(request.id)
        await asyncio.to_thread(jobs.commit_decided, self._parts.store, job.id, revision_id)
        return intervention_pb2.CommitInterventionResponse(intervention=await self._published(job.id))

    async def DiscardIntervention(
        self, request: intervention_pb2.DiscardInterventionRequest, context: Context
    ) -> intervention_pb2.DiscardInterventionResponse:
        """Discard what awaits a decision; the heads return."""
        job = await self._job(request.id)
        done = await asyncio.to_thread(
            jobs.finish,
            self._parts.store,
            job.id,
            job.graph_id,
            from_states=[State.AWAITING_DECISION],
            state=State.DISCARDED,
        )
        if not done:
            raise illegal(await self._job(job.id), "discard", (State.AWAITING_DECISION,))
        return intervention_pb2.DiscardInterventionResponse(intervention=await self._published(job.id))

    async def _published(self, intervention_id: str) -> intervention_pb2.Intervention:
        """The intervention after a change from outside the worker: watchers and the worker are told."""
        job = await self._job(intervention_id)
        if job.state.terminal:
            labels = {"goal": job.spec.goal.value, "method": job.spec.method, "outcome": job.state.value}
            self._parts.metrics.inc("ksmith_jobs_completed", **labels)
        self._parts.hub.publish(intervention_id)
        self._parts.worker.notify("wake")
        return job_to(job)
