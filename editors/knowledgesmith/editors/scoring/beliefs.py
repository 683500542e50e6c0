"""From option scores to beliefs (design §5): pure functions, no tensors.

An option's score comes from its log-likelihood after the cloze stem; a belief is the softmax of the scores over a
probe's options. What a belief means for a probe says ``verdicts``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from knowledgesmith.editors.text.matching import stays_complete
from knowledgesmith.graph_schema.errors import InvalidInput

NO_CHOICE: Final = -1
"""The best option where two are exactly equal: none."""
_LEAST = 1e-12
"""Least share of an option's mass that is its own: a score stays finite where a longer option takes everything."""


class ScorerKind(StrEnum):
    """How the log-likelihoods of a probe's options become scores.

    ``CLOZE_EXACT`` is the probability that the text after the stem says this option and no longer one: its tokens
    come, the word, number or symbol ends there (``matching``), and the text does not go on as another option that
    begins with this one. Events of different options exclude each other, whatever they share.
    ``CLOZE_SUM`` leaves out the last two conditions: an option is at least as likely as any that begins with it.
    ``CLOZE_MEAN`` divides the sum by the tokens: options that differ in one of n tokens differ by a factor e^(d/n)
    only, and of two options the one with the more predictable tail wins.
    """

    CLOZE_EXACT = "cloze-exact"
    CLOZE_MEAN = "cloze-mean"
    CLOZE_SUM = "cloze-sum"


DEFAULT_SCORER = ScorerKind.CLOZE_EXACT
"""What is used where nothing else is asked for; every intervention keeps the name of its own."""


@dataclass(frozen=True, slots=True)
class OptionScore:
    """Log-likelihoods of one option after its stem, in nats.

    Attributes:
        sum_logprob: sum of the option's token log-probabilities.
        n_tokens: number of its tokens, at least 1.
        text: the option.
        tokens: its token ids.
        heads: first character of each token's text (``endings``).
        logprobs: log-probability of each token.
        others: log-probability of everything else in each token's place, log(1 - p), without cancellation.
        ends: log-probability that the next token leaves the option complete.
        goes_on: log-probability that it makes a longer word, number or symbol of it.
    """

    sum_logprob: float
    n_tokens: int
    text: str = ""
    tokens: tuple[int, ...] = ()
    heads: tuple[str, ...] = ()
    logprobs: tuple[float, ...] = ()
    others: tuple[float, ...] = ()
    ends: float = 0.0
    goes_on: float = -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What the model thinks of one probe.

    Attributes:
        p_old: probability of the answers before the update, normalised over the options.
        p_new: probability of the answers after it; 0 when that world has no answer.
        pred: index of the best option, :data:`NO_CHOICE` where the best are exactly equal.
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
    return Belief(p_old=_mass(shares, before), p_new=_mass(shares, after), pred=best_option(scores))


def option_values(kind: ScorerKind, scores: Sequence[OptionScore]) -> list[float]:
    """Scores of one probe's options under ``kind``, in nats; their softmax are the beliefs."""
    if kind is ScorerKind.CLOZE_EXACT:
        return [_exact(score, scores) for score in scores]
    if kind is ScorerKind.CLOZE_MEAN:
        return [score.sum_logprob / score.n_tokens for score in scores]
    return [score.sum_logprob for score in scores]


def scorers_disagree(scores: Sequence[OptionScore]) -> bool:
    """Whether the best option of one probe depends on the scorer; a tie is another outcome than any choice."""
    if not scores:
        return False
    return len({best_option(option_values(kind, scores)) for kind in ScorerKind}) > 1


def best_option(values: Sequence[float]) -> int:
    """Index of the highest score; :data:`NO_CHOICE` where several options have it, whatever their order."""
    best = max(values)
    return values.index(best) if values.count(best) == 1 else NO_CHOICE


def _exact(score: OptionScore, scores: Iterable[OptionScore]) -> float:
    """Log-probability of the option as a complete answer, without the mass of longer options that begin with it."""
    return score.sum_logprob + math.log(max(_own_share(score, _continuations(score, scores)), _LEAST))


def _own_share(score: OptionScore, longer: Sequence[OptionScore]) -> float:
    """P(complete and none of ``longer`` | the option's tokens).

    Where a longer option takes nearly all of the mass, 1 - p(longer) is built from what the model gives to
    everything else at each of its tokens, and not as a difference of numbers near 1.
    """
    if not longer:
        return math.exp(score.ends)
    start = score.n_tokens
    taken = sorted((math.exp(math.fsum(one.logprobs[start:])), one.tokens, one) for one in longer)
    rest = math.fsum(mass for mass, _, _ in taken[:-1])
    open_share = math.exp(score.goes_on)
    if open_share > 0.5:
        return math.exp(score.ends) - rest - taken[-1][0]
    return _missed(taken[-1][2], start) - open_share - rest


def _missed(score: OptionScore, start: int) -> float:
    """1 - the probability of the tokens from ``start`` on: the sum over the places where the text leaves the option."""
    reached, missed = 0.0, []
    for here, elsewhere in zip(score.logprobs[start:], score.others[start:], strict=True):
        missed.append(math.exp(reached + elsewhere))
        reached += here
    return math.fsum(missed)


def _continuations(score: OptionScore, scores: Iterable[OptionScore]) -> list[OptionScore]:
    """The shortest options whose tokens begin with all of this one's, where this one is complete before they go on."""
    count = len(score.tokens)
    longer = {
        other.tokens: other
        for other in scores
        if 0 < count < len(other.tokens)
        and other.tokens[:count] == score.tokens
        and stays_complete(score.text, other.heads[count])
    }
    return [
        other
        for tokens, other in longer.items()
        if not any(len(less) < len(tokens) and tokens[: len(less)] == less for less in longer)
    ]


def _mass(shares: Sequence[float], answers: Collection[int]) -> float:
    for answer in answers:
        if not 0 <= answer < len(shares):
            raise InvalidInput(
                "an answer is none of the options", field="answers", value=answer, hint=f"There are {len(shares)}."
            )
    return min(1.0, math.fsum(shares[answer] for answer in set(answers)))
