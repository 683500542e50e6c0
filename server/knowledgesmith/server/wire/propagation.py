"""Answers of the propagation questions on the wire."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.propagation import HEADLINES
from knowledgesmith.graph_schema.propagation.counts import values_of
from knowledgesmith.server.wire.conversions import rate_to
from knowledgesmith.server.wire.cypher import query_to
from knowledgesmith.server.wire.enums import to_wire
from knowledgesmith.v1 import common_pb2, propagation_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from knowledgesmith.editors.measures.collapse import Fall
    from knowledgesmith.graph_schema.propagation import (
        ChangedFact,
        Counts,
        Edge,
        Evidence,
        Group,
        Metric,
        Node,
        Overlap,
        Pasteable,
        Path,
        Point,
        Scale,
        SideBySide,
        Stop,
    )

_NOTHING: Final[Mapping[str, float | None]] = MappingProxyType({})


def node_to(node: Node) -> propagation_pb2.SubgraphNode:
    """An entity of a subgraph."""
    return propagation_pb2.SubgraphNode(
        uid=node.uid,
        name=node.name,
        level=to_wire(common_pb2.Level, node.level),
        type=node.type or "",
        domain=node.domain or "",
        hops=node.hops,
        before=node.before,
        after=node.after,
        target=bool(node.target),
    )


def edge_to(edge: Edge, relation: str, status: str) -> propagation_pb2.SubgraphEdge:
    """A fact of a subgraph."""
    return propagation_pb2.SubgraphEdge(
        source_uid=edge.source,
        relation=relation,
        target_uid=edge.target,
        status=to_wire(propagation_pb2.EdgeStatus, status),
    )


def evidence_to(one: Evidence) -> propagation_pb2.ProbeEvidence:
    """A probe with its outcome."""
    return propagation_pb2.ProbeEvidence(
        sequence=one.seq,
        entity_uid=one.entity,
        entity_name=one.name,
        level=to_wire(common_pb2.Level, one.level),
        kind=to_wire(common_pb2.ProbeKind, one.kind),
        polarity=to_wire(common_pb2.Polarity, one.polarity),
        role=to_wire(common_pb2.Role, one.role),
        relation=one.relation,
        hops=one.hops,
        verdict=to_wire(propagation_pb2.Verdict, one.verdict),
        text=one.text,
        options=one.options,
        answers_before=one.answers_before,
        answers_after=one.answers_after,
        preferred_before=one.preferred_before,
        preferred_after=one.preferred_after,
        p_old_before=one.p_old_before,
        p_old_after=one.p_old_after,
        p_new_before=one.p_new_before,
        p_new_after=one.p_new_after,
        probe_id=one.probe_id,
        counter_text=one.counter_text,
        text_before=one.text_before,
        text_after=one.text_after,
        text_disagrees=one.text_disagrees,
        scorers_disagree=one.scorers_disagree,
    )


def fact_to(fact: ChangedFact) -> propagation_pb2.ChangedFact:
    """A changed fact with its support."""
    return propagation_pb2.ChangedFact(
        subject_uid=fact.subject,
        subject_name=fact.subject_name,
        relation=fact.relation,
        functional=fact.functional,
        old_object_uid=fact.old_object,
        old_object_name=fact.old_name,
        new_object_uid=fact.new_object,
        new_object_name=fact.new_name,
        contexts=fact.contexts,
        support=propagation_pb2.Support(
            old_before=fact.old_before,
            new_before=fact.new_before,
            old_after=fact.old_after,
            new_after=fact.new_after,
        ),
        statements=propagation_pb2.Support(
            old_before=fact.yes_old_before,
            new_before=fact.yes_new_before,
            old_after=fact.yes_old_after,
            new_after=fact.yes_new_after,
        ),
        conflict_same_context=fact.conflict_same_context,
        conflict_any_context=fact.conflict_any_context,
        agreement=to_wire(propagation_pb2.Agreement, fact.agreement),
        evidence=[
            propagation_pb2.FactContext(
                kind=to_wire(common_pb2.ProbeKind, one.kind),
                stem=one.stem,
                preferred_before=one.preferred_before,
                preferred_after=one.preferred_after,
                supports_old=one.supports_old,
                supports_new=one.supports_new,
            )
            for one in fact.evidence
        ],
    )


def path_to(path: Path) -> propagation_pb2.TravelPath:
    """A path with its steps."""
    return propagation_pb2.TravelPath(
        target_uid=path.target,
        target_name=path.target_name,
        steps=[
            propagation_pb2.TravelStep(
                relation=step.relation,
                forward=step.forward,
                entity_uid=step.entity,
                entity_name=step.name,
                delta=step.delta,
            )
            for step in path.steps
        ],
    )


def stop_to(stop: Stop) -> propagation_pb2.TravelStop:
    """An entity where the change stopped."""
    return propagation_pb2.TravelStop(
        entity_uid=stop.entity,
        entity_name=stop.name,
        level=to_wire(common_pb2.Level, stop.level),
        hops=stop.hops,
        moved=stop.moved,
        neighbours=stop.neighbours,
        names=stop.names,
    )


def compared_to(row: SideBySide) -> propagation_pb2.ComparedRow:
    """One row of two ledgers."""
    return propagation_pb2.ComparedRow(
        entity_uid=row.entity,
        entity_name=row.name,
        kind=to_wire(common_pb2.ProbeKind, row.kind),
        polarity=to_wire(common_pb2.Polarity, row.polarity),
        role=to_wire(common_pb2.Role, row.role),
        fact_id=row.fact_id,
        relation=row.relation,
        first_before=row.first_before,
        first_after=row.first_after,
        first_delta=row.first_delta,
        second_before=row.second_before,
        second_after=row.second_after,
        second_delta=row.second_delta,
        difference=row.difference,
    )


def overlap_to(overlap: Overlap, query: Pasteable) -> propagation_pb2.LedgerOverlap:
    """Two ledgers as a whole."""
    return propagation_pb2.LedgerOverlap(
        both=overlap.both,
        only_first=overlap.only_first,
        only_second=overlap.only_second,
        mean_difference=overlap.mean_difference,
        mean_abs_difference=overlap.mean_abs_difference,
        same_direction=overlap.same_direction,
        query=query_to(query),
    )


def group_to(
    group: Group, *, noise: Mapping[str, float | None] = _NOTHING, withheld: bool = False
) -> propagation_pb2.PropagationGroup:
    """A group with its rates over eligible probes on the wire.

    Args:
        group: counts of one group and role.
        noise: the same rates of a placebo, by name.
        withheld: leave out the headline rates; a wreck's say nothing.
    """
    message = propagation_pb2.PropagationGroup(
        key=group.key,
        role=to_wire(common_pb2.Role, group.role),
        rows=group.rows,
        entities=group.entities,
        mean_before=group.mean_before,
        mean_after=group.mean_after,
        mean_delta=group.mean_delta,
        ineligible=group.ineligible,
    )
    _add_rates(message, group, noise, withheld=withheld)
    return message


def _add_rates(
    message: propagation_pb2.PropagationGroup, counts: Counts, noise: Mapping[str, float | None], *, withheld: bool
) -> None:
    """Rates by their names on the wire."""
    for share in counts.shares:
        if not (withheld and share.name in HEADLINES):
            rate = rate_to(share.successes, share.trials, chance=share.chance, placebo=noise.get(share.name))
            getattr(message, share.name).CopyFrom(rate)


def noise_of(groups: Iterable[Group]) -> dict[tuple[str, str], dict[str, float | None]]:
    """Rates of a placebo's groups by key, role and name."""
    return {(group.key, group.role): values_of(group) for group in groups}


def point_to(point: Point) -> propagation_pb2.TimePoint:
    """The rows of one role of an intervention of a branch."""
    group = propagation_pb2.PropagationGroup(
        key=point.intervention,
        role=to_wire(common_pb2.Role, point.role),
        rows=point.rows,
        mean_before=point.mean_before,
        mean_after=point.mean_after,
        mean_delta=point.mean_delta,
        ineligible=point.ineligible,
    )
    _add_rates(group, point, point.noise, withheld=point.wrecked)
    return propagation_pb2.TimePoint(
        position=point.position,
        intervention_id=point.intervention,
        goal=to_wire(common_pb2.Goal, point.goal),
        method=point.method,
        group=group,
        verdict_scheme=point.scheme,
        withheld=point.wrecked,
        placebo_intervention_id=point.placebo,
    )


def metric_to(metric: Metric) -> propagation_pb2.Metric:
    """A metric with its interval."""
    return propagation_pb2.Metric(
        name=metric.name,
        group_by=to_wire(propagation_pb2.Grouping, metric.group_by),
        group=metric.group,
        rate=rate_to(metric.successes, metric.trials, chance=metric.chance, placebo=metric.placebo),
        asked=metric.asked,
        corrected=metric.corrected,
    )


def scale_to(scale: Scale) -> propagation_pb2.ScaleAccuracy:
    """Accuracy at one scale; of a wreck the reason why it has none."""
    if scale.withheld:
        return propagation_pb2.ScaleAccuracy(intervention_id=scale.intervention, k=scale.k, withheld=scale.withheld)
    return propagation_pb2.ScaleAccuracy(
        intervention_id=scale.intervention,
        k=scale.k,
        direct=rate_to(scale.direct_right, scale.direct_n),
        reverse=rate_to(scale.reverse_right, scale.reverse_n),
    )


def fall_to(fall: Fall) -> propagation_pb2.ScaleFall:
    """A fall with its intervals."""
    direct, reverse = fall.direct, fall.reverse
    return propagation_pb2.ScaleFall(
        k=fall.k,
        direct=direct.value if direct else None,
        direct_low=direct.low if direct else None,
        direct_high=direct.high if direct else None,
        reverse=reverse.value if reverse else None,
        reverse_low=reverse.low if reverse else None,
        reverse_high=reverse.high if reverse else None,
        collapsed=fall.collapsed,
    )
