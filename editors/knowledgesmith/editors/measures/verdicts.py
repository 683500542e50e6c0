"""What became of a probe (design §5): pure functions of answers, choices and greedy texts.

A *target* asks what the request itself changes: it is judged by what the model says afterwards, whatever it knew
before. What *follows* and what *stays* is judged by how the choice moved, so only where the model was right before.
Nothing changed is never a change: a model that chooses as it did has neither propagated nor drifted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from knowledgesmith.editors.scoring.beliefs import NO_CHOICE, Belief
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Role


class Verdict(StrEnum):
    """What became of one probe; INSTALLED to NOT_ERASED are of targets, PROPAGATED to DRIFTED of what follows."""

    INELIGIBLE = "INELIGIBLE"
    INSTALLED = "INSTALLED"
    NOT_INSTALLED = "NOT_INSTALLED"
    ERASED = "ERASED"
    NOT_ERASED = "NOT_ERASED"
    PROPAGATED = "PROPAGATED"
    FORGOTTEN = "FORGOTTEN"
    MISSED = "MISSED"
    DRIFTED = "DRIFTED"
    PRESERVED = "PRESERVED"
    COLLATERAL = "COLLATERAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the model's own greedy text says afterwards: the option that it begins with, None for none of them."""

    option: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """One probe measured before and after the update."""

    before: Belief
    after: Belief
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSummary:
    """One ledger row: the probes of one entity, asked fact, kind, polarity and role taken together.

    Attributes:
        before: mean ``p_old`` before the update.
        after: mean ``p_old`` after it.
        new_before: mean ``p_new`` before the update.
        new_after: mean ``p_new`` after it.
        counts: number of probes of each verdict, every verdict present.
    """

    before: float
    after: float
    new_before: float
    new_after: float
    counts: Mapping[Verdict, int]

    @property
    def delta(self) -> float:
        """Change of the belief in what was asserted before the update."""
        return self.after - self.before

    @property
    def n(self) -> int:
        """Number of probes."""
        return sum(self.counts.values())


def verdict(
    before: Collection[int],
    after: Collection[int],
    pred_before: int,
    pred_after: int,
    *,
    role: Role,
    goal: Goal,
    said: Said | None = None,
) -> Verdict:
    """Verdict of one probe (design §5).

    Args:
        before: option indices that were right before the update; empty = no such answer in that world.
        after: option indices that are right after it.
        pred_before: best option before, :data:`NO_CHOICE` for a tie.
        pred_after: best option after, :data:`NO_CHOICE` for a tie.
        role: what the probe asks about.
        goal: of the intervention.
        said: the greedy text after the update, where one was taken; of targets alone.

    A tie afterwards is neither right nor wrong, whatever was asked: INELIGIBLE.
    """
    if pred_after == NO_CHOICE:
        return Verdict.INELIGIBLE
    if role is Role.TARGET:
        return _of_target(before, after, pred_after, goal=goal, said=said)
    if role is Role.STAYS:
        return _of_staying(before, pred_before, pred_after)
    return _of_following(before, after, pred_before, pred_after)


def _of_target(
    before: Collection[int], after: Collection[int], pred_after: int, *, goal: Goal, said: Said | None
) -> Verdict:
    """By choice, and by the text where there is one; a world that has nothing new to say can only lose the old."""
    if goal is Goal.EDIT and after:
        new = pred_after in after and (said is None or said.option in after)
        return Verdict.INSTALLED if new else Verdict.NOT_INSTALLED
    old = set(before) - set(after)
    still = pred_after in old or (said is not None and said.option in old)
    return Verdict.NOT_ERASED if still else Verdict.ERASED


def _of_staying(before: Collection[int], pred_before: int, pred_after: int) -> Verdict:
    """What was not right before, or could not be, has nothing to lose."""
    if pred_before not in before:
        return Verdict.INELIGIBLE
    return Verdict.PRESERVED if pred_after in before else Verdict.COLLATERAL


def _of_following(before: Collection[int], after: Collection[int], pred_before: int, pred_after: int) -> Verdict:
    """Eligible is who gave the old answer before; of an insertion, who did not choose the new one already."""
    old, new = set(before) - set(after), set(after) - set(before)
    known = pred_before in old if old else bool(new) and pred_before not in new
    if not known or pred_before == NO_CHOICE:
        return Verdict.INELIGIBLE
    if pred_after == pred_before or pred_after in old:
        return Verdict.MISSED
    if not after:
        return Verdict.FORGOTTEN
    return Verdict.PROPAGATED if pred_after in after else Verdict.DRIFTED


def summarise(outcomes: Sequence[ProbeOutcome]) -> RowSummary:
    """One ledger row from its probes.

    Raises:
        InvalidInput: there is no probe.
    """
    if not outcomes:
        raise InvalidInput("a ledger row needs probes", field="outcomes")
    found = Counter(outcome.verdict for outcome in outcomes)
    return RowSummary(
        before=mean([outcome.before.p_old for outcome in outcomes]),
        after=mean([outcome.after.p_old for outcome in outcomes]),
        new_before=mean([outcome.before.p_new for outcome in outcomes]),
        new_after=mean([outcome.after.p_new for outcome in outcomes]),
        counts=MappingProxyType({kind: found[kind] for kind in Verdict}),
    )


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, exactly rounded, so that the order of the values does not matter."""
    return math.fsum(values) / len(values)
