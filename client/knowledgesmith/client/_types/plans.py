"""What a plan says before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .enums import Polarity, ProbeKind, Role, Rule, WarningKind, WorldOp, Worlds
from .interventions import Intervention
from .probes import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldChange:
    """One fact entering or leaving the branch's world, with the rule and its premises."""

    op: WorldOp
    fact_id: str
    subject_uid: str
    relation: str
    object_uid: str
    rule: Rule
    premises: tuple[str, ...]
    derived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedFact:
    """A fact that a proof rests on and that the plan does not change."""

    fact_id: str
    subject_uid: str
    relation: str
    object_uid: str
    rule: Rule
    premises: tuple[str, ...]
    worlds: Worlds


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarning:
    """What will be hard to measure, or can hardly be meant.

    ``probes`` counts the questions about ``fact_id``, 0 = the fact itself.
    """

    kind: WarningKind
    fact_id: str
    message: str
    hint: str
    probes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCount:
    """How many planned probes are of one kind and polarity."""

    kind: ProbeKind
    polarity: Polarity
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HopCount:
    """How many planned probes are so many hops from the nearest target; ``None``: unreachable."""

    hops: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleCount:
    """How many planned probes are of one role."""

    role: Role
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes of the world and the probes that will see them; ``probes`` holds the first ones (at most 1,000).

    ``cited`` are the unchanged facts below the proofs of the changes, ``names`` the entities' names by uid. There are
    ``total_changes`` and ``total_cited`` facts; only a plan of more than 48 MiB that is not stored yet holds fewer.
    """

    digest: str
    changes: tuple[WorldChange, ...]
    probe_counts: tuple[ProbeCount, ...]
    hop_counts: tuple[HopCount, ...]
    probes: tuple[Probe, ...]
    rows: int
    total_probes: int
    cited: tuple[CitedFact, ...] = ()
    cut: CutSet | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    role_counts: tuple[RoleCount, ...] = ()
    warnings: tuple[PlanWarning, ...] = ()
    total_changes: int = 0
    total_cited: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An intervention (without an id when it was only validated) and its plan against the branch's present world."""

    intervention: Intervention
    plan: Plan
