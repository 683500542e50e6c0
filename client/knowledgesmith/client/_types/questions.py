"""Answers to further questions about what an intervention did, each with the Cypher query that gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from knowledgesmith.v1 import common_pb2, propagation_pb2

from ._fill import fill
from .enums import (
    Goal,
    Polarity,
    ProbeKind,
    Role,
    Verdict,
    read_enum,
    read_kind,
    read_polarity,
    read_role,
    read_verdict,
)
from .propagation import PropagationGroup, Query, Rate


def read_query(message: propagation_pb2.PastedQuery) -> Query:
    """The query of an answer."""
    return Query.of(message.cypher, message.parameters_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEvidence:
    """One planned probe with its outcome.

    Attributes:
        seq: the ledger row that counts it.
        text: what the model read.
        answers_before: options that the graph holds for right before; ``answers_after`` follow the update.
        preferred_before: the model's best option before, empty for a tie; ``preferred_after`` follows the update.
        p_old_before: probability of the old answers, normalised over the options, like the other ``p_`` members.
        counter_text: the denial that a CONFLICT probe also asked.
        text_before: what the model says by itself before the update, as it came; only of direct probes of targets.
        text_disagrees: the text afterwards does not say the option that was chosen.
        scorers_disagree: another way to score the options chooses another one afterwards.
    """

    seq: int
    entity: str
    name: str
    level: str
    kind: ProbeKind
    polarity: Polarity
    relation: str
    hops: int | None
    verdict: Verdict
    text: str
    options: tuple[str, ...]
    answers_before: tuple[str, ...]
    answers_after: tuple[str, ...]
    preferred_before: str
    preferred_after: str
    p_old_before: float
    p_old_after: float
    p_new_before: float
    p_new_after: float
    probe_id: str
    role: Role = Role.UNSPECIFIED
    counter_text: str = ""
    text_before: str | None = None
    text_after: str | None = None
    text_disagrees: bool = False
    scorers_disagree: bool = False

    @classmethod
    def from_proto(cls, message: propagation_pb2.ProbeEvidence) -> Self:
        """Read the wire's message."""
        return fill(
            cls,
            message,
            kind=read_kind(message.kind),
            polarity=read_polarity(message.polarity),
            role=read_role(message.role),
            verdict=read_verdict(message.verdict),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Probes of the asked verdicts and roles: targets first, then the largest change of belief."""

    evidence: tuple[ProbeEvidence, ...]
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """How many questions support the old and the new object, before and after."""

    old_before: int
    new_before: int
    old_after: int
    new_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactContext:
    """One question about a changed fact, with the model's best answers."""

    kind: ProbeKind
    stem: str
    preferred_before: str
    preferred_after: str
    supports_old: bool
    supports_new: bool

    @classmethod
    def from_proto(cls, message: propagation_pb2.FactContext) -> Self:
        """Read the wire's message."""
        return fill(cls, message, kind=read_kind(message.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFact:
    """A target: which of its ``contexts`` support what; ``agreement`` is new, old, mixed or unasked."""

    subject: str
    subject_name: str
    relation: str
    functional: bool
    old_object: str
    old_name: str
    new_object: str
    new_name: str
    contexts: int
    support: Support
    statements: Support
    conflict_same_context: bool
    conflict_any_context: bool
    agreement: str
    evidence: tuple[FactContext, ...]

    @classmethod
    def from_proto(cls, message: propagation_pb2.ChangedFact) -> Self:
        """Read the wire's message."""
        return fill(
            cls,
            message,
            support=fill(Support, message.support),
            statements=fill(Support, message.statements),
            evidence=tuple(FactContext.from_proto(one) for one in message.evidence),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFacts:
    """Targets in the order of the request."""

    facts: tuple[ChangedFact, ...]
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelStep:
    """One fact of a path; ``forward`` when it points along the path, ``delta`` of the entity that it reaches."""

    relation: str
    forward: bool
    entity: str
    name: str
    delta: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelPath:
    """From an endpoint of a changed fact through entities that all moved."""

    target: str
    target_name: str
    steps: tuple[TravelStep, ...]

    @classmethod
    def from_proto(cls, message: propagation_pb2.TravelPath) -> Self:
        """Read the wire's message."""
        return fill(cls, message, steps=tuple(fill(TravelStep, step) for step in message.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelStop:
    """A measured entity that did not move, next to ``neighbours`` that did."""

    entity: str
    name: str
    level: str
    hops: int | None
    moved: float
    neighbours: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """How a change travelled and where it stopped."""

    paths: tuple[TravelPath, ...]
    stops: tuple[TravelStop, ...]
    query: Query
    stops_query: Query

    @classmethod
    def from_proto(cls, message: propagation_pb2.GetTravelResponse) -> Self:
        """Read the wire's message."""
        return cls(
            paths=tuple(TravelPath.from_proto(path) for path in message.paths),
            stops=tuple(fill(TravelStop, stop) for stop in message.stops),
            query=read_query(message.paths_query),
            stops_query=read_query(message.stops_query),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """Beliefs about one entity, kind, polarity and asked fact in two ledgers; missing where one has no such row."""

    entity: str
    name: str
    kind: ProbeKind
    polarity: Polarity
    fact_id: str
    relation: str
    first_before: float | None
    first_after: float | None
    first_delta: float | None
    second_before: float | None
    second_after: float | None
    second_delta: float | None
    difference: float | None
    role: Role = Role.UNSPECIFIED

    @classmethod
    def from_proto(cls, message: propagation_pb2.ComparedRow) -> Self:
        """Read the wire's message."""
        return fill(
            cls,
            message,
            kind=read_kind(message.kind),
            polarity=read_polarity(message.polarity),
            role=read_role(message.role),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two ledgers: rows side by side, the largest difference first, and how they overlap as a whole."""

    rows: tuple[ComparedRow, ...]
    both: int
    only_first: int
    only_second: int
    mean_difference: float | None
    mean_abs_difference: float | None
    same_direction: int
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """The rows of one role of a committed intervention that fit; the group's key is the intervention.

    ``withheld``: its revision was found unhealthy, so that headline rates are left out. ``placebo_id`` is the run that
    the rates' ``placebo`` comes from, empty where none was measured on the branch.
    """

    position: int
    intervention_id: str
    goal: Goal
    method: str
    group: PropagationGroup
    verdict_scheme: int = 2
    withheld: bool = False
    placebo_id: str = ""

    @classmethod
    def from_proto(cls, message: propagation_pb2.TimePoint) -> Self:
        """Read the wire's message."""
        goal = read_enum(Goal, common_pb2.Goal.DESCRIPTOR, message.goal)
        group, scheme = PropagationGroup.from_proto(message.group), message.verdict_scheme or 1
        return fill(cls, message, goal=goal, group=group, verdict_scheme=scheme)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """Committed interventions of a branch in order."""

    points: tuple[TimePoint, ...]
    query: Query

    @classmethod
    def from_proto(cls, message: propagation_pb2.GetOverTimeResponse) -> Self:
        """Read the wire's message."""
        return cls(points=tuple(map(TimePoint.from_proto, message.points)), query=read_query(message.query))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: its rate over eligible trials with interval and chance, and how many were ``asked``.

    ``group_by`` is all, band (of hops), level or kind. ``corrected`` is the chance-corrected plasticity of an erasure.
    """

    name: str
    group_by: str
    group: str
    rate: Rate
    asked: int
    corrected: float | None

    @classmethod
    def from_proto(cls, message: propagation_pb2.Metric) -> Self:
        """Read the wire's message."""
        return fill(cls, message, rate=Rate.from_proto(message.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """All metrics of an intervention, and the queries that they were counted with.

    ``placebo_id`` is the run that their ``placebo`` comes from, empty where none was measured on the branch;
    ``withheld`` says why headline metrics are left out.
    """

    metrics: tuple[Metric, ...]
    queries: tuple[Query, ...]
    placebo_id: str = ""
    withheld: str = ""
    verdict_scheme: int = 2

    @classmethod
    def from_proto(cls, message: propagation_pb2.GetMetricsResponse) -> Self:
        """Read the wire's message."""
        return cls(
            metrics=tuple(map(Metric.from_proto, message.metrics)),
            queries=tuple(map(read_query, message.queries)),
            placebo_id=message.placebo_id,
            withheld=message.withheld,
            verdict_scheme=message.verdict_scheme or 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleAccuracy:
    """Direct and reverse accuracy of an intervention that changed ``k`` facts.

    ``withheld`` says why there is none: its revision was found unhealthy, and no fall counts it.
    """

    intervention_id: str
    k: int
    direct: Rate
    reverse: Rate
    withheld: str = ""

    @classmethod
    def from_proto(cls, message: propagation_pb2.ScaleAccuracy) -> Self:
        """Read the wire's message."""
        return fill(cls, message, direct=Rate.from_proto(message.direct), reverse=Rate.from_proto(message.reverse))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleFall:
    """How far scale ``k`` lies below the best smaller one, with 95 % intervals."""

    k: int
    direct: float | None
    direct_low: float | None
    direct_high: float | None
    reverse: float | None
    reverse_low: float | None
    reverse_high: float | None
    collapsed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """Accuracy by scale; ``collapse_k`` is the smallest scale that collapsed, ``None`` = not reached."""

    points: tuple[ScaleAccuracy, ...]
    falls: tuple[ScaleFall, ...]
    collapse_k: int | None
    query: Query

    @classmethod
    def from_proto(cls, message: propagation_pb2.GetCollapseResponse) -> Self:
        """Read the wire's message."""
        return cls(
            points=tuple(map(ScaleAccuracy.from_proto, message.points)),
            falls=tuple(fill(ScaleFall, fall) for fall in message.falls),
            collapse_k=message.collapse_k if message.HasField("collapse_k") else None,
            query=read_query(message.query),
        )
