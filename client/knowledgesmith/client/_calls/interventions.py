"""Calls of the intervention service."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from knowledgesmith.client._errors import InterventionFailed, ServerFault
from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.enums import Goal, InterventionState, TargetDistribution
from knowledgesmith.client._types.events import StateChanged, WatchEvent
from knowledgesmith.client._types.facts import FactChange
from knowledgesmith.client._types.interventions import Gate, Intervention, InterventionSpec
from knowledgesmith.client._types.plans import Plan, Preview
from knowledgesmith.client._watch import Watch
from knowledgesmith.v1 import intervention_pb2 as pb
from knowledgesmith.v1.intervention_pb2_grpc import InterventionServiceStub

from .base import Calls

MOST_CHANGES: Final = 10_000


class InterventionCalls(Calls):
    """Requests to change a model, and their life."""

    @cached_property
    def _intervention_stub(self) -> InterventionServiceStub:
        return InterventionServiceStub(self._transport.channel)

    def plan(self, *, spec: InterventionSpec, expected_revision: str = "") -> Preview:
        """Check a request and plan it against the branch's present world; nothing is stored or changed."""
        return Preview.from_proto(self._create(spec, None, expected_revision, validate_only=True))

    def create_intervention(
        self, *, spec: InterventionSpec, request_id: str | None = None, expected_revision: str = ""
    ) -> Intervention:
        """Plan and queue an intervention.

        Args:
            spec: what is asked.
            request_id: idempotence key; one is drawn when none is given.
            expected_revision: refuse unless this is the branch head; empty = no check.

        Raises:
            InvalidInput: a field of ``spec`` cannot be meant.
            NotFound: a branch, entity, relation or fact does not exist.
            BranchBusy: another intervention holds the branch.
        """
        return self.create_with_plan(spec=spec, request_id=request_id, expected_revision=expected_revision).intervention

    def create_with_plan(
        self, *, spec: InterventionSpec, request_id: str | None = None, expected_revision: str = ""
    ) -> Preview:
        """The same, with the plan against the branch's present world and its warnings."""
        return Preview.from_proto(self._create(spec, request_id, expected_revision))

    def edit(
        self,
        *,
        branch_id: str,
        changes: Sequence[FactChange],
        method: str = "alphaedit",
        method_config: Mapping[str, Any] | None = None,
        target: TargetDistribution = TargetDistribution.UNSPECIFIED,
        gates: Sequence[Gate] = (),
        hold: bool = False,
        seed: int = 0,
        install_derived: bool = False,
        request_id: str | None = None,
    ) -> Intervention:
        """Insert or modify facts in the branch's model; see ``create_intervention`` for every option."""
        spec = InterventionSpec(
            branch_id=branch_id,
            goal=Goal.EDIT,
            changes=tuple(changes),
            method=method,
            method_config=method_config or {},
            target_distribution=target,
            gates=tuple(gates),
            hold=hold,
            seed=seed,
            install_derived=install_derived,
        )
        return self.create_intervention(spec=spec, request_id=request_id)

    def unlearn(
        self,
        *,
        branch_id: str,
        changes: Sequence[FactChange],
        method: str = "alphaedit",
        method_config: Mapping[str, Any] | None = None,
        target: TargetDistribution = TargetDistribution.UNSPECIFIED,
        gates: Sequence[Gate] = (),
        hold: bool = False,
        seed: int = 0,
        install_derived: bool = False,
        request_id: str | None = None,
    ) -> Intervention:
        """Erase facts from the branch's model; see ``create_intervention`` for every option."""
        spec = InterventionSpec(
            branch_id=branch_id,
            goal=Goal.UNLEARN,
            changes=tuple(changes),
            method=method,
            method_config=method_config or {},
            target_distribution=target,
            gates=tuple(gates),
            hold=hold,
            seed=seed,
            install_derived=install_derived,
        )
        return self.create_intervention(spec=spec, request_id=request_id)

    def get_intervention(self, *, intervention_id: str) -> Intervention:
        """One intervention, with every change that was asked for.

        Raises:
            InterventionNotFound: no intervention has this id.
        """

        def fetch(token: str) -> tuple[Sequence[pb.Intervention], str]:
            request = pb.GetInterventionRequest(id=intervention_id, page_size=MOST_CHANGES, page_token=token)
            answer = self._transport.unary(self._intervention_stub.GetIntervention, request)
            return (answer.intervention,), answer.next_page_token

        found, *more = iterate(fetch)
        for page in more:
            found.spec.changes.extend(page.spec.changes)
        return Intervention.from_proto(found)

    def list_interventions(self, *, branch_id: str = "", limit: int | None = None) -> Iterator[Intervention]:
        """Interventions, newest first, of one branch or of all."""

        def fetch(token: str) -> tuple[Sequence[pb.Intervention], str]:
            request = pb.ListInterventionsRequest(branch_id=branch_id, page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._intervention_stub.ListInterventions, request)
            return page.interventions, page.next_page_token

        return map(Intervention.from_proto, iterate(fetch, limit=limit))

    def get_plan(self, *, intervention_id: str) -> Plan:
        """The stored plan of an intervention, with all of its facts."""

        def fetch(token: str) -> tuple[Sequence[pb.Plan], str]:
            request = pb.GetPlanRequest(id=intervention_id, page_token=token)
            answer = self._transport.unary(self._intervention_stub.GetPlan, request, slow=True)
            return (answer.plan,), answer.next_page_token

        found, *more = iterate(fetch)
        for page in more:
            found.changes.extend(page.changes)
            found.cited.extend(page.cited)
            found.names.update(page.names)
        return Plan.from_proto(found)

    def cancel(self, *, intervention_id: str) -> Intervention:
        """Stop at the next safe point; too late (IllegalState) once it is committing."""
        request = pb.CancelInterventionRequest(id=intervention_id)
        answer = self._transport.unary(self._intervention_stub.CancelIntervention, request, idempotent=False)
        return Intervention.from_proto(answer.intervention)

    def commit(self, *, intervention_id: str) -> Intervention:
        """Commit an intervention that awaits a decision."""
        request = pb.CommitInterventionRequest(id=intervention_id)
        stub = self._intervention_stub.CommitIntervention
        return Intervention.from_proto(self._transport.unary(stub, request, idempotent=False, slow=True).intervention)

    def discard(self, *, intervention_id: str) -> Intervention:
        """Discard an intervention that awaits a decision."""
        request = pb.DiscardInterventionRequest(id=intervention_id)
        stub = self._intervention_stub.DiscardIntervention
        return Intervention.from_proto(self._transport.unary(stub, request, idempotent=False, slow=True).intervention)

    def watch(self, *, intervention_id: str, after_sequence: int = 0) -> Iterator[WatchEvent]:
        """Yield states, progress and belief changes until the intervention has ended.

        The watch reconnects by itself after the last row that it has seen; no row comes twice and none is missing.

        Args:
            intervention_id: what to watch.
            after_sequence: rows with a larger sequence number are sent; 0 = all.

        Raises:
            SequenceGap: the server skipped rows.
            Unavailable: the server stayed away through all attempts.
        """

        def open_stream(after: int) -> Generator[pb.WatchInterventionResponse]:
            request = pb.WatchInterventionRequest(id=intervention_id, after_sequence=after)
            call = self._intervention_stub.WatchIntervention(request, metadata=self._transport.metadata)
            try:
                yield from call
            finally:
                call.cancel()

        return Watch(open_stream=open_stream, after_sequence=after_sequence).events()

    def wait(self, *, intervention_id: str, check: bool = True) -> Intervention:
        """Block until an intervention has ended or awaits a decision, and return it.

        Raises:
            InterventionFailed: it FAILED or was CANCELLED, unless ``check`` is false.
        """
        for event in self.watch(intervention_id=intervention_id):
            if isinstance(event, StateChanged) and event.intervention.state.settled:
                return _checked(event.intervention) if check else event.intervention
        raise ServerFault("The watch ended without a final state.", field="intervention_id", value=intervention_id)

    def _create(
        self, spec: InterventionSpec, request_id: str | None, expected_revision: str, *, validate_only: bool = False
    ) -> pb.CreateInterventionResponse:
        request = pb.CreateInterventionRequest(
            spec=spec.to_proto(),
            request_id=self._request_id(request_id),
            validate_only=validate_only,
            expected_revision=expected_revision,
            full_plan=True,
        )
        return self._transport.unary(self._intervention_stub.CreateIntervention, request, slow=True)


def _checked(intervention: Intervention) -> Intervention:
    if intervention.state in (InterventionState.FAILED, InterventionState.CANCELLED):
        raise InterventionFailed(
            intervention.error_message or f"The intervention was {intervention.state.lower()}.",
            reason=intervention.error_reason or intervention.state.value,
            field="intervention",
            value=intervention.id,
        )
    return intervention
