"""Answers to further questions about what an intervention did, each with the Cypher query that gave it."""

from __future__ import annotations

from dataclasses import dataclass

from .enums import Agreement, Goal, Grouping, Level, Polarity, ProbeKind, Role, Verdict
from .propagation import PastedQuery, PropagationGroup, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEvidence:
    """One planned probe with its outcome.

    Attributes:
        sequence: of the ledger row that counts it.
        text: what the model read.
        answers_before: options that the graph holds for right before; ``answers_after`` follow the update.
        preferred_before: the model's best option before, empty for a tie; ``preferred_after`` follows the update.
        p_old_before: probability of the old answers, normalised over the options, like the other ``p_`` members.
        counter_text: the denial that a CONFLICT probe also asked.
        text_before: what the model says by itself before the update, as it came; only of direct probes of targets.
        text_disagrees: the text afterwards does not say the option that was chosen.
        scorers_disagree: another way to score the options chooses another one afterwards.
    """

    sequence: int
    entity_uid: str
    entity_name: str
    level: Level
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Probes of the asked verdicts and roles: targets first, then the largest change of belief."""

    evidence: tuple[ProbeEvidence, ...]
    query: PastedQuery


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFact:
    """A target: which of its ``contexts`` support what."""

    subject_uid: str
    subject_name: str
    relation: str
    functional: bool
    old_object_uid: str
    old_object_name: str
    new_object_uid: str
    new_object_name: str
    contexts: int
    support: Support
    statements: Support
    conflict_same_context: bool
    conflict_any_context: bool
    agreement: Agreement
    evidence: tuple[FactContext, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFacts:
    """Targets in the order of the request."""

    facts: tuple[ChangedFact, ...]
    query: PastedQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelStep:
    """One fact of a path; ``forward`` when it points along the path, ``delta`` of the entity that it reaches."""

    relation: str
    forward: bool
    entity_uid: str
    entity_name: str
    delta: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelPath:
    """From an endpoint of a changed fact through entities that all moved."""

    target_uid: str
    target_name: str
    steps: tuple[TravelStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelStop:
    """A measured entity that did not move, next to ``neighbours`` that did."""

    entity_uid: str
    entity_name: str
    level: Level
    hops: int | None
    moved: float
    neighbours: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """How a change travelled and where it stopped."""

    paths: tuple[TravelPath, ...]
    stops: tuple[TravelStop, ...]
    paths_query: PastedQuery
    stops_query: PastedQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """Beliefs about one entity, kind, polarity and asked fact in two ledgers; missing where one has no such row."""

    entity_uid: str
    entity_name: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerOverlap:
    """How two ledgers overlap: rows in both or one alone, second change minus first change over those in both."""

    both: int
    only_first: int
    only_second: int
    mean_difference: float | None
    mean_abs_difference: float | None
    same_direction: int
    query: PastedQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two ledgers: rows side by side, the largest difference first, and how they overlap as a whole."""

    rows: tuple[ComparedRow, ...]
    query: PastedQuery
    overlap: LedgerOverlap


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """The rows of one role of a committed intervention that fit; the group's key is the intervention.

    ``withheld``: its revision was found unhealthy, so that headline rates are left out. ``placebo_intervention_id`` is
    the run that the rates' ``placebo`` comes from, empty where none was measured on the branch.
    """

    position: int
    intervention_id: str
    goal: Goal
    method: str
    group: PropagationGroup
    verdict_scheme: int = 2
    withheld: bool = False
    placebo_intervention_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """Committed interventions of a branch in order."""

    points: tuple[TimePoint, ...]
    query: PastedQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: its rate over eligible trials with interval and chance, and how many were ``asked``.

    ``group_by`` is ALL, BAND (of hops), LEVEL or KIND. ``corrected`` is the chance-corrected plasticity of an erasure.
    """

    name: str
    group_by: Grouping
    group: str
    rate: Rate
    asked: int
    corrected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """All metrics of an intervention, and the queries that they were counted with.

    ``placebo_intervention_id`` is the run that their ``placebo`` comes from, empty where none was measured on the
    branch; ``withheld`` says why headline metrics are left out.
    """

    metrics: tuple[Metric, ...]
    queries: tuple[PastedQuery, ...]
    placebo_intervention_id: str = ""
    withheld: str = ""
    verdict_scheme: int = 2


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
    query: PastedQuery
