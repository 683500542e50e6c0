"""Creating an intervention: check everything that can be checked, plan, and queue."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from knowledgesmith.editors.scoring.beliefs import DEFAULT_SCORER, ScorerKind
from knowledgesmith.graph_schema.errors import InvalidInput, KnowledgeSmithError, RevisionMismatch
from knowledgesmith.graph_schema.interventions import branches, steps
from knowledgesmith.graph_schema.interventions.records import Intervention, InterventionSpec
from knowledgesmith.graph_schema.planning.plan_store import Unclaimed, load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.types.interventions import State
from knowledgesmith.graph_schema.worlds.branch_world import resolve_in_world
from knowledgesmith.graph_schema.worlds.world_cache import WorldMoved
from knowledgesmith.server.wire.changes import changes_from, gates_from, structural_from
from knowledgesmith.server.wire.conversions import check_request_id, check_text, goal_from, target_from
from knowledgesmith.server.wire.enums import from_wire
from knowledgesmith.server.wire.interventions import intervention_to
from knowledgesmith.server.wire.message_sizes import FULL_BYTES, LIST_BYTES
from knowledgesmith.server.wire.plans import plan_to
from knowledgesmith.server.wire.structs import struct_from
from knowledgesmith.v1 import intervention_pb2

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.plans import Plan
    from knowledgesmith.server.front.dependencies import Parts

_LOG = logging.getLogger(__name__)
Request = intervention_pb2.CreateInterventionRequest
Response = intervention_pb2.CreateInterventionResponse

DEFAULT_METHOD = "alphaedit"
DEFAULT_PROBES = 2000
MAX_PROBES = 100_000


async def create(parts: Parts, request: Request, *, actor: str) -> Response:
    """Check, plan and queue; with ``validate_only`` nothing is written.

    Raises:
        KnowledgeSmithError: whatever is wrong with the request, before anything is written.
    """
    needs_key = bool(request.request_id) or not request.validate_only
    request_id = check_request_id(request.request_id) if needs_key else ""
    limit = FULL_BYTES if request.full_plan else LIST_BYTES
    body = _body_hash(request)
    earlier = await asyncio.to_thread(steps.find_request, parts.store, request_id, body) if request_id else None
    if earlier is not None:
        return await _repeat(parts, earlier, limit=limit)
    spec = await _spec(parts, request.spec)
    spec, plan = await _planned(parts, spec, request)
    if request.validate_only:
        return Response(
            intervention=intervention_to(_draft(spec, plan, actor, request_id)), plan=plan_to(plan, limit=limit)
        )
    intervention_id, new = await asyncio.to_thread(
        steps.create,
        parts.store,
        spec,
        actor=actor,
        request_id=request_id,
        request_hash=body,
        graph_digest=plan.graph_digest,
    )
    if new:
        parts.metrics.inc("ksmith_interventions_submitted", goal=spec.goal.value, method=spec.method)
        try:
            await asyncio.to_thread(_keep_plan, parts.store, intervention_id, spec, plan)
        finally:
            parts.worker.notify("wake")
    intervention = await asyncio.to_thread(steps.get, parts.store, intervention_id)
    return Response(intervention=intervention_to(intervention), plan=plan_to(plan, limit=limit))


def _keep_plan(store: GraphStore, intervention_id: str, spec: InterventionSpec, plan: Plan) -> None:
    """Store the plan with the request, so that its turn need not plan again.

    Where that cannot be (an import began, the worker was faster), the worker plans, and says what is wrong if anything
    is. A plan that inserts entities waits for its turn: until then they are in nobody's world.
    """
    if spec.entities:
        return
    try:
        store_plan(store, Unclaimed(intervention_id), plan)
    except (WorldMoved, KnowledgeSmithError) as reason:
        _LOG.info("%s is planned at its turn: %s", intervention_id, reason)


def _body_hash(request: Request) -> str:
    body = Request()
    body.CopyFrom(request)
    body.ClearField("request_id")
    body.ClearField("full_plan")  # how much is answered changes nothing
    return hashlib.sha256(body.SerializeToString(deterministic=True)).hexdigest()


async def _repeat(parts: Parts, intervention_id: str, *, limit: int) -> Response:
    """Answer a repeated request with the present state of what it made."""
    intervention = await asyncio.to_thread(steps.get, parts.store, intervention_id)
    plan = await asyncio.to_thread(load_plan, parts.store, intervention_id) if intervention.plan_digest else None
    return Response(intervention=intervention_to(intervention), plan=plan_to(plan, limit=limit) if plan else None)


async def _spec(parts: Parts, wire: intervention_pb2.InterventionSpec) -> InterventionSpec:
    """The request as an intervention specification whose changes are still unresolved."""
    goal = goal_from(wire.goal)
    target = target_from(wire.target_distribution, goal)
    scorer = from_wire(intervention_pb2.Scorer, wire.scorer, ScorerKind, "scorer") or DEFAULT_SCORER
    if not 0 <= wire.max_probes <= MAX_PROBES:
        raise InvalidInput("out of range", field="max_probes", value=wire.max_probes, hint=f"Use 0 to {MAX_PROBES}.")
    method = check_text(wire.method, "method", limit=100) or DEFAULT_METHOD
    config = struct_from(wire.method_config, "method_config")
    await parts.worker.call(
        "check_method", name=method, goal=goal.value, target_distribution=target.value, config=config
    )
    return InterventionSpec(
        branch_id=wire.branch_id,
        goal=goal,
        changes=(),
        method=method,
        method_config=config,
        target_distribution=target,
        scorer=scorer.value,
        seed=wire.seed,
        hold=wire.hold,
        gates=gates_from(wire.gates),
        max_probes=wire.max_probes or DEFAULT_PROBES,
        install_derived=wire.install_derived,
    )


async def _planned(parts: Parts, spec: InterventionSpec, request: Request) -> tuple[InterventionSpec, Plan]:
    """Resolve the changes in the branch's world and plan them there."""
    structural = structural_from(request.spec.structural)
    named = changes_from(request.spec.changes, empty=bool(structural))
    branch = await asyncio.to_thread(branches.get_branch, parts.store, spec.branch_id)
    if request.expected_revision_id and request.expected_revision_id != branch.head_revision:
        raise RevisionMismatch(
            "the branch head is another revision",
            field="expected_revision_id",
            value=request.expected_revision_id,
            hint=f"The head is {branch.head_revision}; read the branch again and decide anew.",
        )
    overlay = await asyncio.to_thread(branches.overlay, parts.store, branch.id)
    inserted = await asyncio.to_thread(branches.inserted, parts.store, branch.id)

    def plan_it() -> tuple[InterventionSpec, Plan]:
        world = parts.worlds.world(parts.store, graph_id=branch.graph_id, overlay=overlay).with_entities(inserted)
        resolved = resolve_in_world(parts.store, world, named, goal=spec.goal, structural=structural)
        plan_request = PlanRequest(
            graph_id=branch.graph_id,
            branch_id=branch.id,
            goal=spec.goal,
            changes=resolved.changes,
            overlay=overlay,
            entities=(*inserted, *resolved.entities),
            seed=spec.seed,
            max_probes=spec.max_probes,
        )
        made = make_plan(parts.store, plan_request, worlds=parts.worlds)
        full = replace(
            spec,
            changes=resolved.changes,
            entities=resolved.entities,
            expected_revision=request.expected_revision_id,
        )
        return full, made

    return await parts.planning.run(plan_it)


def _draft(spec: InterventionSpec, plan: Plan, actor: str, request_id: str) -> Intervention:
    """What would be queued."""
    return Intervention(
        id="",
        spec=spec,
        graph_id=plan.graph_id,
        state=State.QUEUED,
        phase="",
        attempt=0,
        fence=0,
        actor=actor,
        request_id=request_id,
        base_revision="",
        graph_digest=plan.graph_digest,
        planned_rows=len(plan.slots),
        planned_probes=len(plan.probes),
    )
