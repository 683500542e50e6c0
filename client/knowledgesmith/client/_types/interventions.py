"""What is asked of a model, the life of that request, and the health of what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, TypedDict, Unpack

from knowledgesmith.client._wire.fill import ANSWER_ONLY

from .enums import GateMetric, Goal, HealthVerdict, InterventionState, Phase, Scorer, TargetDistribution
from .facts import FactChange, StructuralChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A condition on a metric; a failed one waits for a decision."""

    metric: GateMetric
    max: float | None = None
    min: float | None = None


class SpecOptions(TypedDict, total=False):
    """What a request may say beside its branch, its goal and its changes; see :class:`InterventionSpec`."""

    method: str
    method_config: Mapping[str, Any]
    target_distribution: TargetDistribution
    scorer: Scorer
    seed: int
    hold: bool
    gates: Sequence[Gate]
    max_probes: int
    install_derived: bool
    structural: Sequence[StructuralChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionSpec:
    """What is asked; :meth:`edit` and :meth:`unlearn` make one.

    Attributes:
        changes: at least one where nothing ``structural`` changes, at most 10,000.
        method: empty = alphaedit, the one that the measurements support for both goals.
        method_config: the method's configuration; empty = the method's defaults.
        max_probes: at most so many are planned; 0 = the server's default (2,000).
        hold: wait for a decision after measuring.
        install_derived: also install (or erase) what follows by the closure.
        structural: structural changes beside (or instead of) changes of facts.
        total_changes: in an answer, how many facts change: listings and watches hold the first ones as ``changes``,
            ``interventions.get`` all of them. Never sent.
    """

    branch_id: str
    goal: Goal
    changes: tuple[FactChange, ...] = ()
    method: str = ""
    method_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    target_distribution: TargetDistribution = TargetDistribution.UNSPECIFIED
    scorer: Scorer = Scorer.UNSPECIFIED
    seed: int = 0
    hold: bool = False
    gates: tuple[Gate, ...] = ()
    max_probes: int = 0
    install_derived: bool = False
    structural: tuple[StructuralChange, ...] = ()
    total_changes: int = field(default=0, compare=False, metadata=ANSWER_ONLY)

    @classmethod
    def edit(
        cls, *, branch_id: str, changes: Sequence[FactChange] = (), **options: Unpack[SpecOptions]
    ) -> InterventionSpec:
        """A request to insert or modify facts; ``options`` are the further members."""
        return cls.of(goal=Goal.EDIT, branch_id=branch_id, changes=changes, **options)

    @classmethod
    def unlearn(
        cls, *, branch_id: str, changes: Sequence[FactChange] = (), **options: Unpack[SpecOptions]
    ) -> InterventionSpec:
        """A request to erase facts; ``options`` are the further members."""
        return cls.of(goal=Goal.UNLEARN, branch_id=branch_id, changes=changes, **options)

    @classmethod
    def of(
        cls, *, goal: Goal, branch_id: str, changes: Sequence[FactChange] = (), **options: Unpack[SpecOptions]
    ) -> Self:
        """A request of a goal; any sequence will do where the members are tuples."""
        given: dict[str, Any] = {**options}
        given |= {name: tuple(given[name]) for name in ("gates", "structural") if name in given}
        return cls(goal=goal, branch_id=branch_id, changes=tuple(changes), **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the measures say of a revision, against the one that it started from; None: not measured.

    Attributes:
        ok: whether it may be committed without a decision.
        verdict: HEALTHY, SUSPECT or WRECKED.
        reasons: in plain words with figures, the worst first.
        perplexity_ratio: how many times less likely text became that nothing trains on; ``perplexity_low`` and
            ``perplexity_high`` are its 95 % interval.
        realised_min: least realised share of a fact's wanted change.
        across_max: largest change of a fact in other directions, in units of the wanted one.
        repetition: share of untouched prompts whose greedy text repeats itself (``repetition_before``: before).
        emptiness: share of untouched prompts with no greedy text.
        agreement: share of untouched prompts whose greedy text begins as before.
        constant_share: largest share of one answer text among the planned probes (``constant_before``: before).
        collateral_sure: share of sure answers that should stay and are wrong now.
        nonfinite: weights and scores that are no finite numbers.
    """

    ok: bool
    verdict: HealthVerdict
    reasons: tuple[str, ...]
    perplexity_ratio: float | None
    perplexity_low: float | None
    perplexity_high: float | None
    realised_min: float | None
    across_max: float | None
    repetition: float | None
    repetition_before: float | None
    emptiness: float | None
    agreement: float | None
    constant_share: float | None
    constant_before: float | None
    collateral_sure: float | None
    nonfinite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """An intervention, which is also the intervention.

    Attributes:
        phase: what the worker does for it.
        revision_id: what it produced; empty until then.
        planned_rows: ledger rows of the plan; ``written_rows`` of them are committed.
        error_reason: why it failed, a member of the wire's ``ErrorReason`` without the prefix; empty where it did not.
        verdict_scheme: of its verdicts; 1 did not tell targets from what follows.
        failed_gates: why it waits for a decision: first why its revision is a wreck, then gates that failed.
        health: of its revision; None until it is measured.
        notes: what to know before its rates are read: new names that the model does not know how to write.
    """

    id: str
    spec: InterventionSpec
    graph_id: str
    state: InterventionState
    phase: Phase
    attempt: int
    actor: str
    request_id: str
    base_revision_id: str
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
