"""Interventions on the wire: what was asked, how it stands, its health and its ledger's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.types.health import FIGURES, Health
from knowledgesmith.server.wire.conversions import timestamp
from knowledgesmith.server.wire.enums import to_wire
from knowledgesmith.server.wire.message_sizes import SHORT_BYTES, fitting
from knowledgesmith.server.wire.structs import struct_to
from knowledgesmith.v1 import common_pb2, error_pb2, health_pb2, intervention_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from knowledgesmith.graph_schema.interventions.ledger import LedgerRow
    from knowledgesmith.graph_schema.interventions.records import Intervention, InterventionSpec
    from knowledgesmith.graph_schema.types.interventions import Change

SHOWN_CHANGES = 100
"""Changes of a specification in an answer."""


def fact_changes_to(changes: Iterable[Change], *, limit: int) -> list[intervention_pb2.FactChange]:
    """The first resolved changes that take at most ``limit`` bytes, on the wire."""
    made = (
        intervention_pb2.FactChange(
            subject=c.subject, relation=c.relation, old_object=c.old_object, new_object=c.new_object
        )
        for c in changes
    )
    return fitting(made, limit=limit)


def intervention_to(intervention: Intervention, *, basic: bool = False) -> intervention_pb2.Intervention:
    """An intervention on the wire; a ``basic`` one without what its author wrote: changes, gates and configuration."""
    return intervention_pb2.Intervention(
        id=intervention.id,
        spec=_spec_to(intervention.spec, basic=basic),
        graph_id=intervention.graph_id,
        state=to_wire(intervention_pb2.InterventionState, intervention.state),
        phase=to_wire(intervention_pb2.Phase, intervention.phase),
        attempt=intervention.attempt,
        actor=intervention.actor,
        request_id=intervention.request_id,
        base_revision_id=intervention.base_revision,
        revision_id=intervention.revision_id,
        planned_rows=intervention.planned_rows,
        written_rows=intervention.written_rows,
        planned_probes=intervention.planned_probes,
        error_reason=to_wire(error_pb2.ErrorReason, intervention.error_reason),
        error_message=intervention.error_message,
        create_time=timestamp(intervention.created_ms),
        finish_time=timestamp(intervention.finished_ms),
        failed_gates=intervention.failed_gates,
        rollback_time=timestamp(intervention.rolled_back_ms),
        graph_digest=intervention.graph_digest,
        health=health_to(intervention.health),
        verdict_scheme=intervention.verdict_scheme,
        notes=intervention.notes,
    )


def _spec_to(spec: InterventionSpec, *, basic: bool) -> intervention_pb2.InterventionSpec:
    """What was asked, with resolved uids; of many changes the first ones."""
    message = intervention_pb2.InterventionSpec(
        branch_id=spec.branch_id,
        goal=to_wire(common_pb2.Goal, spec.goal),
        total_changes=len(spec.changes),
        method=spec.method,
        target_distribution=to_wire(common_pb2.TargetDistribution, spec.target_distribution),
        scorer=to_wire(intervention_pb2.Scorer, spec.scorer),
        seed=spec.seed,
        hold=spec.hold,
        max_probes=spec.max_probes,
        install_derived=spec.install_derived,
    )
    if basic:
        return message
    message.changes.extend(fact_changes_to(spec.changes[:SHOWN_CHANGES], limit=SHORT_BYTES))
    message.gates.extend(
        intervention_pb2.Gate(metric=to_wire(intervention_pb2.GateMetric, gate.metric), max=gate.max, min=gate.min)
        for gate in spec.gates
    )
    if spec.method_config:
        message.method_config.CopyFrom(struct_to(spec.method_config))
    return message


def row_to(row: LedgerRow) -> intervention_pb2.BeliefChange:
    """A ledger row on the wire."""
    m = row.measured
    return intervention_pb2.BeliefChange(
        sequence=row.seq,
        entity_uid=row.entity,
        entity_name=row.name,
        level=to_wire(common_pb2.Level, row.level),
        kind=to_wire(common_pb2.ProbeKind, row.kind),
        polarity=to_wire(common_pb2.Polarity, row.polarity),
        fact_id=row.fact_id,
        relation=row.relation,
        before=m.before,
        after=m.after,
        new_before=m.new_before,
        new_after=m.new_after,
        delta=m.delta,
        hops=row.hops,
        nearest_target_uid=row.nearest_target,
        n_propagated=m.n_propagated,
        n_missed=m.n_missed,
        n_drifted=m.n_drifted,
        n_preserved=m.n_preserved,
        n_collateral=m.n_collateral,
        n_ineligible=m.n_ineligible,
        role=to_wire(common_pb2.Role, row.role),
        n_forgotten=m.n_forgotten,
        n_installed=m.n_installed,
        n_not_installed=m.n_not_installed,
        n_erased=m.n_erased,
        n_not_erased=m.n_not_erased,
    )


def health_to(health: Health | None) -> health_pb2.Health | None:
    """The wire's message; None where nothing was measured. Figures that could not be measured stay absent."""
    if health is None:
        return None
    figures = {name: getattr(health, name) for name in FIGURES}
    return health_pb2.Health(
        ok=health.ok,
        verdict=to_wire(health_pb2.HealthVerdict, health.verdict),
        reasons=health.reasons,
        **{name: value for name, value in figures.items() if value is not None},
    )
