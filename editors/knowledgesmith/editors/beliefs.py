"""From option scores to beliefs (design §5): pure functions, no tensors.

An option's score is its log-likelihood after the cloze stem; a belief is the softmax of the scores over a probe's
options. What a belief means for a probe says ``verdicts``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

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


def _mass(shares: Sequence[float], answers: Collection[int]) -> float:
    for answer in answers:
        if not 0 <= answer < len(shares):
            raise InvalidInput(
                "an answer is none of the options", field="answers", value=answer, hint=f"There are {len(shares)}."
            )
    return min(1.0, math.fsum(shares[answer] for answer in set(answers)))
