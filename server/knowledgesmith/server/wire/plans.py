"""A plan on the wire: counts and the first facts and probes, or one page of its facts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind, Role
from knowledgesmith.server.wire.enums import to_wire
from knowledgesmith.server.wire.message_sizes import LIST_BYTES, MEBIBYTE, fitting
from knowledgesmith.server.wire.probes import probe_to
from knowledgesmith.v1 import common_pb2, intervention_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.types.plans import Cited, Plan, PlanWarning, WorldChange
    from knowledgesmith.graph_schema.types.probes import PlannedProbe

MAX_PROBES: Final = 1000
_MAX_CUT: Final = 1000
_PROBE_BYTES: Final = MEBIBYTE
_ENTRY: Final = 16
"""Bytes of an entry of a map beside its texts, at most."""

Fact = intervention_pb2.WorldChange | intervention_pb2.CitedFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a plan; ``next`` is the position of the next one's first fact, ``None`` on the last page."""

    plan: intervention_pb2.Plan
    next: int | None


def plan_to(plan: Plan, *, limit: int = LIST_BYTES) -> intervention_pb2.Plan:
    """Counts, the first probes, and the facts that take at most ``limit`` bytes."""
    return page_of(plan, limit=limit).plan


def page_of(plan: Plan, *, start: int = 0, most: int = 0, limit: int = LIST_BYTES) -> Page:
    """A page of a plan's changes and then of its cited facts, with the names of their entities.

    Args:
        plan: the plan.
        start: position of the first fact; only the page at 0 has probes, counts, cut and warnings.
        most: facts, 0 = as many as fit.
        limit: bytes of the facts and names; one fact is always given.
    """
    message = _summary(plan) if start == 0 else intervention_pb2.Plan(digest=plan.digest)
    message.total_changes = len(plan.overlay) + len(plan.derived)
    message.total_cited = len(plan.cited)
    total = message.total_changes + message.total_cited
    end = min(total, start + most) if most else total
    names = dict(plan.names)
    position, left = start, limit
    while position < end:
        fact = _fact_at(plan, position)
        new = {
            uid: names[uid] for uid in (fact.subject_uid, fact.object_uid) if uid in names and uid not in message.names
        }
        left -= _size(fact, new)
        if left < 0 and position > start:
            break
        message.names.update(new)
        if isinstance(fact, intervention_pb2.WorldChange):
            message.changes.append(fact)
        else:
            message.cited.append(fact)
        position += 1
    return Page(plan=message, next=position if position < total else None)


def _fact_at(plan: Plan, position: int) -> Fact:
    for facts, derived in ((plan.overlay, False), (plan.derived, True)):
        if position < len(facts):
            return world_change_to(facts[position], derived=derived)
        position -= len(facts)
    return _cited_to(plan.cited[position])


def _size(fact: Fact, names: Mapping[str, str]) -> int:
    texts = sum(len(uid.encode()) + len(name.encode()) + _ENTRY for uid, name in names.items())
    return fact.ByteSize() + _ENTRY + texts


def _summary(plan: Plan) -> intervention_pb2.Plan:
    """Everything but the changes, the cited facts and the names."""
    return intervention_pb2.Plan(
        digest=plan.digest,
        probe_counts=_probe_counts(plan.probes),
        hop_counts=_hop_counts(plan.probes),
        probes=fitting((probe_to(p.probe, p) for p in plan.probes[:MAX_PROBES]), limit=_PROBE_BYTES),
        rows=len(plan.slots),
        total_probes=len(plan.probes),
        cut=intervention_pb2.CutSet(
            fact_ids=plan.cut.facts[:_MAX_CUT],
            total_facts=len(plan.cut.facts),
            weight=plan.cut.weight,
            lower_bound=plan.cut.lower_bound,
            optimal=plan.cut.optimal,
            gap=plan.cut.gap,
        ),
        role_counts=_role_counts(plan.probes),
        warnings=fitting(map(_warning_to, plan.warnings), limit=MEBIBYTE // 2),
    )


def _probe_counts(probes: Sequence[PlannedProbe]) -> list[intervention_pb2.ProbeCount]:
    counts = Counter((one.probe.kind, one.polarity) for one in probes)
    return [
        intervention_pb2.ProbeCount(
            kind=to_wire(common_pb2.ProbeKind, kind),
            polarity=to_wire(common_pb2.Polarity, polarity),
            count=counts[kind, polarity],
        )
        for kind in ProbeKind
        for polarity in Polarity
        if counts[kind, polarity]
    ]


def _hop_counts(probes: Sequence[PlannedProbe]) -> list[intervention_pb2.HopCount]:
    """Nearest first, what cannot be reached last."""
    counts = Counter(one.hops for one in probes)
    unreachable = counts.pop(None, 0)
    found = [intervention_pb2.HopCount(hops=hops, count=count) for hops, count in sorted(counts.items())]
    return [*found, intervention_pb2.HopCount(count=unreachable)] if unreachable else found


def _role_counts(probes: Sequence[PlannedProbe]) -> list[intervention_pb2.RoleCount]:
    counts = Counter(one.role for one in probes)
    return [
        intervention_pb2.RoleCount(role=to_wire(common_pb2.Role, role), count=counts[role])
        for role in Role
        if counts[role]
    ]


def _warning_to(one: PlanWarning) -> intervention_pb2.PlanWarning:
    return intervention_pb2.PlanWarning(
        kind=to_wire(intervention_pb2.WarningKind, one.kind),
        fact_id=one.fact_id,
        message=one.message,
        hint=one.hint,
        probes=one.probes,
    )


def _cited_to(one: Cited) -> intervention_pb2.CitedFact:
    return intervention_pb2.CitedFact(
        fact_id=one.fact_id,
        subject_uid=one.subject,
        relation=one.relation,
        object_uid=one.object,
        rule=to_wire(intervention_pb2.Rule, one.proof.rule),
        premises=one.proof.premises,
        worlds=to_wire(intervention_pb2.Worlds, one.worlds),
    )


def world_change_to(change: WorldChange, *, derived: bool) -> intervention_pb2.WorldChange:
    """One fact entering or leaving the world, on the wire."""
    return intervention_pb2.WorldChange(
        op=to_wire(intervention_pb2.WorldOp, change.op),
        fact_id=change.fact_id,
        subject_uid=change.subject,
        relation=change.relation,
        object_uid=change.object,
        rule=to_wire(intervention_pb2.Rule, change.proof.rule),
        premises=change.proof.premises,
        derived=derived,
    )
