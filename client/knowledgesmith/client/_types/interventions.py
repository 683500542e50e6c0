"""What is asked of a model, and the life of that request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from knowledgesmith.v1 import common_pb2, intervention_pb2

from .enums import Goal, InterventionState, TargetDistribution, read_enum, read_state
from .facts import FactChange
from .health import Health
from .structural import StructuralChange, structural_from_proto
from .times import read_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A condition on a metric (installed, erased, propagated, residual, collateral, perplexity_ratio).

    A failed one waits for a decision.
    """

    metric: str
    max: float | None = None
    min: float | None = None

    @classmethod
    def from_proto(cls, message: intervention_pb2.Gate) -> Self:
        """Read the wire's message."""
        return cls(
            metric=message.metric,
            max=message.max if message.HasField("max") else None,
            min=message.min if message.HasField("min") else None,
        )

    def to_proto(self) -> intervention_pb2.Gate:
        """Write the wire's message."""
        return intervention_pb2.Gate(metric=self.metric, max=self.max, min=self.min)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionSpec:
    """What is asked.

    Attributes:
        method_config: the method's configuration; empty = the method's defaults.
        max_probes: at most so many are planned; 0 = the server's default (2,000).
        hold: wait for a decision after measuring.
        install_derived: also install (or erase) what follows by the closure.
        structural: structural changes beside (or instead of) changes of facts.
        total_changes: in an answer, how many facts change: listings and watches hold the first 100 as ``changes``,
            ``get_intervention`` all of them. 0 in a request.
    """

    branch_id: str
    goal: Goal
    changes: tuple[FactChange, ...]
    method: str
    method_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    target_distribution: TargetDistribution = TargetDistribution.UNSPECIFIED
    scorer: str = ""
    seed: int = 0
    hold: bool = False
    gates: tuple[Gate, ...] = ()
    max_probes: int = 0
    install_derived: bool = False
    structural: tuple[StructuralChange, ...] = ()
    total_changes: int = field(default=0, compare=False)

    @classmethod
    def from_proto(cls, message: intervention_pb2.InterventionSpec) -> Self:
        """Read the wire's message."""
        return cls(
            branch_id=message.branch_id,
            goal=read_enum(Goal, common_pb2.Goal.DESCRIPTOR, message.goal),
            changes=tuple(FactChange.from_proto(change) for change in message.changes),
            method=message.method,
            method_config=json.loads(message.method_config_json or "{}"),
            target_distribution=read_enum(
                TargetDistribution, common_pb2.TargetDistribution.DESCRIPTOR, message.target_distribution
            ),
            scorer=message.scorer,
            seed=message.seed,
            hold=message.hold,
            gates=tuple(Gate.from_proto(gate) for gate in message.gates),
            max_probes=message.max_probes,
            install_derived=message.install_derived,
            structural=tuple(structural_from_proto(change) for change in message.structural),
            total_changes=message.total_changes or len(message.changes),
        )

    def to_proto(self) -> intervention_pb2.InterventionSpec:
        """Write the wire's message."""
        return intervention_pb2.InterventionSpec(
            branch_id=self.branch_id,
            goal=self.goal.to_proto(),
            changes=[change.to_proto() for change in self.changes],
            method=self.method,
            method_config_json=json.dumps(dict(self.method_config)) if self.method_config else "",
            target_distribution=self.target_distribution.to_proto(),
            scorer=self.scorer,
            seed=self.seed,
            hold=self.hold,
            gates=[gate.to_proto() for gate in self.gates],
            max_probes=self.max_probes,
            install_derived=self.install_derived,
            structural=[change.to_proto() for change in self.structural],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """An intervention, which is also the job.

    Attributes:
        phase: plan, measure_before, apply, health, measure_after or commit.
        revision_id: what it produced; empty until then.
        planned_rows: ledger rows of the plan; ``written_rows`` of them are committed.
        verdict_scheme: of its verdicts; 1 did not tell targets from what follows.
        failed_gates: why it waits for a decision: first why its revision is a wreck, then gates that failed.
        health: of its revision; None until it is measured.
        notes: what to know before its rates are read: new names that the model does not know how to write.
    """

    id: str
    spec: InterventionSpec
    graph_id: str
    state: InterventionState
    phase: str
    attempt: int
    actor: str
    request_id: str
    base_revision: str
    revision_id: str
    planned_rows: int
    written_rows: int
    planned_probes: int
    error_reason: str
    error_message: str
    create_time: datetime | None
    finish_time: datetime | None
    failed_gates: tuple[str, ...]
    rollback_time: datetime | None
    graph_digest: str
    health: Health | None = None
    verdict_scheme: int = 2
    notes: tuple[str, ...] = ()

    @classmethod
    def from_proto(cls, message: intervention_pb2.Intervention) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            spec=InterventionSpec.from_proto(message.spec),
            graph_id=message.graph_id,
            state=read_state(message.state),
            phase=message.phase,
            attempt=message.attempt,
            actor=message.actor,
            request_id=message.request_id,
            base_revision=message.base_revision,
            revision_id=message.revision_id,
            planned_rows=message.planned_rows,
            written_rows=message.written_rows,
            planned_probes=message.planned_probes,
            error_reason=message.error_reason,
            error_message=message.error_message,
            create_time=read_time(message.create_time),
            finish_time=read_time(message.finish_time),
            failed_gates=tuple(message.failed_gates),
            rollback_time=read_time(message.rollback_time),
            graph_digest=message.graph_digest,
            verdict_scheme=message.verdict_scheme or 1,
            notes=tuple(message.notes),
            health=Health.from_proto(message.health) if message.HasField("health") else None,
        )
