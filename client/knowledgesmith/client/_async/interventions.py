"""Calls of the intervention service."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final, Literal, Unpack, overload

from knowledgesmith.client._errors import InterventionFailed, ServerFault
from knowledgesmith.client._types.enums import Goal, InterventionState, View
from knowledgesmith.client._types.events import StateChanged, WatchEvent
from knowledgesmith.client._types.facts import FactChange
from knowledgesmith.client._types.graphs import Deletion
from knowledgesmith.client._types.interventions import Intervention, InterventionSpec, SpecOptions
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._types.plans import Plan, Preview
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.v1 import intervention_pb2 as pb

from .base import AsyncNamespace, key
from .operation import AsyncOperation
from .watch import AsyncWatch

MOST_CHANGES: Final = 10_000


class AsyncInterventions(AsyncNamespace):
    """Requests to change a model, and their life."""

    async def plan(self, *, spec: InterventionSpec, expected_revision_id: str = "") -> Preview:
        """Check a request and plan it against the branch's present world; nothing is stored or changed.

        Raises:
            InvalidInput: a field of ``spec`` cannot be meant.
            NotFound: a branch, entity, relation or fact does not exist.
        """
        return await self._create(spec, "", expected_revision_id, validate_only=True)

    async def create(self, *, spec: InterventionSpec, request_id: str = "", expected_revision_id: str = "") -> Preview:
        """Plan and queue an intervention, and return it with its plan.

        Args:
            spec: what is asked.
            request_id: idempotence key; one is drawn when none is given.
            expected_revision_id: refuse unless this is the branch head; empty = no check.

        Raises:
            InvalidInput: a field of ``spec`` cannot be meant.
            NotFound: a branch, entity, relation or fact does not exist.
            BranchBusy: another intervention holds the branch.
        """
        return await self._create(spec, request_id, expected_revision_id)

    async def edit(
        self,
        *,
        branch_id: str,
        changes: Sequence[FactChange] = (),
        request_id: str = "",
        expected_revision_id: str = "",
        **options: Unpack[SpecOptions],
    ) -> Intervention:
        """Insert or modify facts in the branch's model.

        Args:
            branch_id: branch to change.
            changes: facts to insert or modify.
            request_id: idempotence key; one is drawn when none is given.
            expected_revision_id: refuse unless this is the branch head; empty = no check.
            **options: further members of ``InterventionSpec``.

        Raises:
            KnowledgeSmithClientError: as ``create``.
        """
        spec = InterventionSpec.edit(branch_id=branch_id, changes=changes, **options)
        return (await self._create(spec, request_id, expected_revision_id)).intervention

    async def unlearn(
        self,
        *,
        branch_id: str,
        changes: Sequence[FactChange] = (),
        request_id: str = "",
        expected_revision_id: str = "",
        **options: Unpack[SpecOptions],
    ) -> Intervention:
        """Erase facts from the branch's model.

        Args:
            branch_id: branch to change.
            changes: facts to erase.
            request_id: idempotence key; one is drawn when none is given.
            expected_revision_id: refuse unless this is the branch head; empty = no check.
            **options: further members of ``InterventionSpec``.

        Raises:
            KnowledgeSmithClientError: as ``create``.
        """
        spec = InterventionSpec.unlearn(branch_id=branch_id, changes=changes, **options)
        return (await self._create(spec, request_id, expected_revision_id)).intervention

    async def get(self, *, intervention_id: str) -> Intervention:
        """One intervention, with every change that was asked for.

        Raises:
            InterventionNotFound: no intervention has this id.
        """
        request = message(pb.GetInterventionRequest, intervention_id=intervention_id, page_size=MOST_CHANGES)
        found: pb.Intervention | None = None
        async for page in self._pages(request, pb.GetInterventionResponse):
            if found is None:
                found = page.intervention
            else:
                found.spec.changes.extend(page.intervention.spec.changes)
        return read(Intervention, found or pb.Intervention())

    async def list(
        self,
        *,
        branch_id: str = "",
        states: Sequence[InterventionState] = (),
        goal: Goal = Goal.UNSPECIFIED,
        view: View = View.UNSPECIFIED,
        limit: int | None = None,
    ) -> builtins.list[Intervention]:
        """Interventions, newest first.

        Args:
            branch_id: only of this branch; empty = all.
            states: only these; empty = all.
            goal: only this one.
            view: ``BASIC`` leaves the changes, gates and configuration of the specifications out.
            limit: at most so many; ``None`` = all.
        """
        request = message(pb.ListInterventionsRequest, branch_id=branch_id, states=states, goal=goal, view=view)
        return await self._list(request, pb.ListInterventionsResponse, "interventions", Intervention, limit)

    @overload
    async def delete(
        self,
        *,
        intervention_id: str,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Deletion: ...
    @overload
    async def delete(
        self, *, intervention_id: str, request_id: str = ..., wait: Literal[False]
    ) -> AsyncOperation[Deletion]: ...
    async def delete(
        self,
        *,
        intervention_id: str,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Deletion | AsyncOperation[Deletion]:
        """Delete an intervention with its ledger, plan and artefact.

        Raises:
            StillReferenced: its branch is built on it; the hint names what must be rolled back first.
            IllegalState: it has not ended.
        """
        request = message(pb.DeleteInterventionRequest, intervention_id=intervention_id, request_id=key(request_id))
        return await self._begin(request, Deletion, wait=wait, progress=progress)

    async def get_plan(self, *, intervention_id: str) -> Plan:
        """The stored plan of an intervention, with all of its facts.

        Raises:
            InterventionNotFound: no intervention has this id.
        """
        found: pb.Plan | None = None
        async for page in self._pages(message(pb.GetPlanRequest, intervention_id=intervention_id), pb.GetPlanResponse):
            if found is None:
                found = page.plan
            else:
                found.changes.extend(page.plan.changes)
                found.cited.extend(page.plan.cited)
                found.names.update(page.plan.names)
        return read(Plan, found or pb.Plan())

    async def cancel(self, *, intervention_id: str) -> Intervention:
        """Stop at the next safe point; too late (IllegalState) once it is committing."""
        request = message(pb.CancelInterventionRequest, intervention_id=intervention_id)
        return read(Intervention, (await self._transport.unary(request, pb.CancelInterventionResponse)).intervention)

    async def commit(self, *, intervention_id: str) -> Intervention:
        """Commit an intervention that awaits a decision."""
        request = message(pb.CommitInterventionRequest, intervention_id=intervention_id)
        return read(Intervention, (await self._transport.unary(request, pb.CommitInterventionResponse)).intervention)

    async def discard(self, *, intervention_id: str) -> Intervention:
        """Discard an intervention that awaits a decision."""
        request = message(pb.DiscardInterventionRequest, intervention_id=intervention_id)
        return read(Intervention, (await self._transport.unary(request, pb.DiscardInterventionResponse)).intervention)

    async def watch(
        self, *, intervention_id: str, after_sequence: int = 0, max_batch: int = 0
    ) -> AsyncGenerator[WatchEvent]:
        """Yield states, progress and belief changes until the intervention has ended.

        The watch reconnects by itself after the last row that it has seen; no row comes twice and none is missing.

        Args:
            intervention_id: what to watch.
            after_sequence: rows with a larger sequence number are sent; 0 = all.
            max_batch: at most so many rows an event; 0 = 256.

        Raises:
            SequenceGap: the server skipped rows.
            Unavailable: the server stayed away through all attempts.
        """

        def open_stream(after: int) -> AsyncGenerator[pb.WatchInterventionResponse]:
            request = message(
                pb.WatchInterventionRequest,
                intervention_id=intervention_id,
                after_sequence=after,
                max_batch=max_batch,
            )
            return self._transport.stream(request, pb.WatchInterventionResponse)

        watched = AsyncWatch(open_stream=open_stream, after_sequence=after_sequence)
        async with aclosing(watched.events()) as events:
            async for event in events:
                yield event

    async def wait(self, *, intervention_id: str, check: bool = True) -> Intervention:
        """Wait until an intervention has ended or awaits a decision, and return it.

        Raises:
            InterventionFailed: it FAILED or was CANCELLED, unless ``check`` is false.
        """
        async with aclosing(self.watch(intervention_id=intervention_id)) as events:
            async for event in events:
                if isinstance(event, StateChanged) and event.intervention.state.settled:
                    return _checked(event.intervention) if check else event.intervention
        raise ServerFault("The watch ended without a final state.", field="intervention_id", value=intervention_id)

    async def _create(
        self, spec: InterventionSpec, request_id: str, expected_revision_id: str, *, validate_only: bool = False
    ) -> Preview:
        request = message(
            pb.CreateInterventionRequest,
            spec=spec,
            request_id=key(request_id),
            validate_only=validate_only,
            expected_revision_id=expected_revision_id,
            full_plan=True,
        )
        return read(Preview, await self._transport.unary(request, pb.CreateInterventionResponse))


def _checked(intervention: Intervention) -> Intervention:
    if intervention.state in (InterventionState.FAILED, InterventionState.CANCELLED):
        raise InterventionFailed(
            intervention.error_message or f"The intervention was {intervention.state.lower()}.",
            reason=intervention.error_reason or intervention.state.value,
            field="intervention",
            value=intervention.id,
        )
    return intervention
