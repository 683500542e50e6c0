"""What a plan says before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from knowledgesmith.v1 import intervention_pb2

from .interventions import Intervention
from .probes import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldChange:
    """One fact entering (``assert``) or leaving (``retract``) the branch's world, with the rule and its premises."""

    op: str
    fact_id: str
    subject: str
    relation: str
    object: str
    rule: str
    premises: tuple[str, ...]
    derived: bool

    @classmethod
    def from_proto(cls, message: intervention_pb2.WorldChange) -> Self:
        """Read the wire's message."""
        return cls(
            op=message.op,
            fact_id=message.fact_id,
            subject=message.subject,
            relation=message.relation,
            object=message.object,
            rule=message.rule,
            premises=tuple(message.premises),
            derived=message.derived,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedFact:
    """A fact that a proof rests on and that the plan does not change; ``worlds``: before, after or both."""

    fact_id: str
    subject: str
    relation: str
    object: str
    rule: str
    premises: tuple[str, ...]
    worlds: str

    @classmethod
    def from_proto(cls, message: intervention_pb2.CitedFact) -> Self:
        """Read the wire's message."""
        return cls(
            fact_id=message.fact_id,
            subject=message.subject,
            relation=message.relation,
            object=message.object,
            rule=message.rule,
            premises=tuple(message.premises),
            worlds=message.worlds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSet:
    """The asserted facts retracted so that what must go no longer follows; no cut costs less than ``lower_bound``.

    There are ``total_facts``, of which at most 1,000 are named.
    """

    fact_ids: tuple[str, ...] = ()
    weight: int = 0
    lower_bound: int = 0
    optimal: bool = True
    gap: float = 0.0
    total_facts: int = 0

    @classmethod
    def from_proto(cls, message: intervention_pb2.CutSet) -> Self:
        """Read the wire's message."""
        return cls(
            fact_ids=tuple(message.fact_ids),
            weight=message.weight,
            lower_bound=message.lower_bound,
            optimal=message.optimal,
            gap=message.gap,
            total_facts=message.total_facts or len(message.fact_ids),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarning:
    """What will be hard to measure, or can hardly be meant.

    ``kind`` is prefix, length, shared_words, type, ring, earlier or uid; ``probes`` counts the questions about
    ``fact_id``, 0 = the fact itself.
    """

    kind: str
    fact_id: str
    message: str
    hint: str
    probes: int

    @classmethod
    def from_proto(cls, message: intervention_pb2.PlanWarning) -> Self:
        """Read the wire's message."""
        return cls(
            kind=message.kind,
            fact_id=message.fact_id,
            message=message.message,
            hint=message.hint,
            probes=message.probes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes of the world and the probes that will see them; ``probes`` holds the first ones (at most 1,000).

    ``cited`` are the unchanged facts below the proofs of the changes, ``names`` the entities' names by uid.
    ``role_counts`` counts probes by role: target, follows, stays. There are ``total_changes`` and ``total_cited``
    facts; only a plan of more than 48 MiB that is not stored yet holds fewer.
    """

    digest: str
    changes: tuple[WorldChange, ...]
    probe_counts: Mapping[str, int]
    hop_counts: Mapping[str, int]
    probes: tuple[Probe, ...]
    rows: int
    total_probes: int
    cited: tuple[CitedFact, ...] = ()
    cut: CutSet = CutSet()
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    role_counts: Mapping[str, int] = field(default_factory=dict[str, int])
    warnings: tuple[PlanWarning, ...] = ()
    total_changes: int = 0
    total_cited: int = 0

    @classmethod
    def from_proto(cls, message: intervention_pb2.Plan) -> Self:
        """Read the wire's message."""
        return cls(
            digest=message.digest,
            changes=tuple(WorldChange.from_proto(change) for change in message.changes),
            probe_counts=dict(message.probe_counts),
            hop_counts=dict(message.hop_counts),
            probes=tuple(Probe.from_proto(probe) for probe in message.probes),
            rows=message.rows,
            total_probes=message.total_probes,
            cited=tuple(CitedFact.from_proto(fact) for fact in message.cited),
            cut=CutSet.from_proto(message.cut) if message.HasField("cut") else CutSet(),
            names=dict(message.names),
            role_counts=dict(message.role_counts),
            warnings=tuple(PlanWarning.from_proto(one) for one in message.warnings),
            total_changes=message.total_changes or len(message.changes),
            total_cited=message.total_cited or len(message.cited),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An intervention (without an id when it was only validated) and its plan against the branch's present world."""

    intervention: Intervention
    plan: Plan

    @classmethod
    def from_proto(cls, message: intervention_pb2.CreateInterventionResponse) -> Self:
        """Read the wire's message."""
        return cls(intervention=Intervention.from_proto(message.intervention), plan=Plan.from_proto(message.plan))
