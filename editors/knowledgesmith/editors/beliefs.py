"""From option scores to beliefs and verdicts (design §5): pure functions, no tensors.

An option's score is its log-likelihood after the cloze stem; a belief is the softmax of the scores over a probe's
options; a verdict compares the best option before and after the update with what the graph says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from knowledgesmith.graph_schema.errors import InvalidInput


class ScorerKind(StrEnum):
    """How an option's token log-likelihoods become one score."""

    CLOZE_MEAN = "cloze-mean"
    CLOZE_SUM = "cloze-sum"


@dataclass(frozen=True, slots=True)
class OptionScore:
    """Log-likelihood of one option after its stem.

    Attributes:
        sum_logprob: sum of the option's token log-probabilities, in nats.
        n_tokens: number of its tokens, at least 1.
    """

    sum_logprob: float
    n_tokens: int

    def value(self, kind: ScorerKind) -> float:
        """The score under ``kind``: mean per token, or sum."""
        return self.sum_logprob / self.n_tokens if kind is ScorerKind.CLOZE_MEAN else self.sum_logprob


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What the model thinks of one probe.

    Attributes:
        p_old: probability of the answers before the update, normalised over the options.
        p_new: probability of the answers after it; 0 when that world has no answer.
        pred: index of the best option (the first of equals).
    """

    p_old: float
    p_new: float
    pred: int


class Verdict(StrEnum):
    """What became of one probe."""

    INELIGIBLE = "INELIGIBLE"
    PROPAGATED = "PROPAGATED"
    MISSED = "MISSED"
    DRIFTED = "DRIFTED"
    PRESERVED = "PRESERVED"
    COLLATERAL = "COLLATERAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """One probe measured before and after the update."""

    before: Belief
    after: Belief
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSummary:
    """One ledger row: the probes of one entity, asked fact, kind and polarity taken together.

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


def probabilities(scores: Sequence[float]) -> tuple[float, ...]:
    """Softmax of log-scores over the options of one probe.

    Raises:
        InvalidInput: there is no option, or a score is not finite.
    """
    if not scores or not all(map(math.isfinite, scores)):
        raise InvalidInput("options need finite scores", field="scores", value=tuple(scores))
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def believe(scores: Sequence[float], *, before: Collection[int], after: Collection[int]) -> Belief:
    """Belief of a probe from its option scores; ``before`` and ``after`` index the answers of the two worlds.

    Raises:
        InvalidInput: no options, a score is not finite, or an answer is no option.
    """
    shares = probabilities(scores)
    return Belief(
        p_old=_mass(shares, before), p_new=_mass(shares, after), pred=max(range(len(scores)), key=scores.__getitem__)
    )


def verdict(
    before_answers: Collection[int],
    after_answers: Collection[int],
    pred_before: int,
    pred_after: int,
    *,
    changed: bool,
) -> Verdict:
    """Verdict of one probe (design §5).

    Args:
        before_answers: option indices that were right before the update; empty = no such answer in that world.
        after_answers: option indices that are right after it.
        pred_before: best option before.
        pred_after: best option after.
        changed: whether the plan expects the answer to change.
    """
    if before_answers and pred_before not in before_answers:
        return Verdict.INELIGIBLE
    if not changed:
        return Verdict.PRESERVED if pred_after in before_answers else Verdict.COLLATERAL
    if after_answers and pred_after in after_answers:
        return Verdict.PROPAGATED
    if pred_after in before_answers:
        return Verdict.MISSED
    return Verdict.DRIFTED if after_answers else Verdict.PROPAGATED


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


def _mass(shares: Sequence[float], answers: Collection[int]) -> float:
    for answer in answers:
        if not 0 <= answer < len(shares):
            raise InvalidInput(
                "an answer is none of the options", field="answers", value=answer, hint=f"There are {len(shares)}."
            )
    return min(1.0, math.fsum(shares[answer] for answer in set(answers)))
