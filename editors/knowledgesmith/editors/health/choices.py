"""Which options a model chooses: whether one answer, or one place, has become its choice for everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from knowledgesmith.editors.health.exact import sign_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One planned probe, asked before and after the change.

    Attributes:
        options: the texts to choose from.
        before: index of the choice before.
        after: index of the choice after.
        stays: whether its answer should stay.
        right: indices of the answers that should stay (for one that stays).
        p_right: probability of those answers before, normalised over the options.
        fact: the fact that is asked: phrasings of one fact share it; empty = a fact of its own.
    """

    options: tuple[str, ...]
    before: int
    after: int
    stays: bool
    right: frozenset[int] = frozenset()
    p_right: float = 0.0
    fact: str = ""

    @property
    def sure(self) -> bool:
        """Whether it should stay, was right, and at three times the odds of a guess or better.

        A choice near a tie flips with any small noise; a sure one does not.
        """
        if not self.stays or self.before not in self.right or len(self.options) <= len(self.right):
            return False
        guess = len(self.right) / (len(self.options) - len(self.right))
        return self.p_right >= 1.0 or self.p_right / (1.0 - self.p_right) >= 3.0 * guess

    @property
    def lost(self) -> bool:
        """Whether the answer is no longer right."""
        return self.after not in self.right


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Sure answers that are wrong now, and the same counted by fact.

    Attributes:
        answers: answers that are wrong now.
        asked: answers that it was sure of.
        facts: sum over facts of the share of their sure answers that are wrong now, rounded down.
        facts_asked: facts that it was sure of in at least one phrasing.
    """

    answers: int
    asked: int
    facts: int
    facts_asked: int


def lost_of(sure: Sequence[Choice]) -> Lost:
    """Count lost answers: ten phrasings of one fact are lost together, and prove no more than one does."""
    facts: dict[str | int, list[bool]] = {}
    for place, choice in enumerate(sure):
        facts.setdefault(choice.fact or place, []).append(choice.lost)
    shares = [Fraction(sum(lost), len(lost)) for lost in facts.values()]
    return Lost(
        answers=sum(choice.lost for choice in sure),
        asked=len(sure),
        facts=math.floor(sum(shares)),
        facts_asked=len(facts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """One answer that could be chosen several times: how often it is.

    Attributes:
        what: the answer text, or ``option 1``, ``option 2``, …
        chosen: how often it is chosen after the change.
        chosen_before: and before.
        offered: how often it could be chosen.
        p: exact p-value of the gain, one vote a fact, times the number of answers compared (Bonferroni).
    """

    what: str
    chosen: int
    chosen_before: int
    offered: int
    p: float

    @property
    def share(self) -> float:
        """Share of the choices after."""
        return self.chosen / self.offered

    @property
    def share_before(self) -> float:
        """Share of the choices before."""
        return self.chosen_before / self.offered


def constant_texts(choices: Sequence[Choice]) -> tuple[Constant, ...]:
    """Every answer text that is offered at least twice, the one whose gain is least by chance first.

    All are told, for the one that is least by chance may have gained little over many probes, and another one all of
    a few.
    """
    return _constants(
        choices,
        offered=lambda c: [_folded(option) for option in c.options],
        picked=lambda c, index: _folded(c.options[index]),
        name=str,
    )


def constant_places(choices: Sequence[Choice]) -> tuple[Constant, ...]:
    """The same of the options' places: a model that cannot tell options apart takes the first."""
    return _constants(
        choices,
        offered=lambda c: list(range(len(c.options))),
        picked=lambda _, index: index,
        name=lambda place: f"option {int(str(place)) + 1}",
    )


def _constants(
    choices: Sequence[Choice],
    *,
    offered: Callable[[Choice], Sequence[Hashable]],
    picked: Callable[[Choice, int], Hashable],
    name: Callable[[Hashable], str],
) -> tuple[Constant, ...]:
    counts: dict[Hashable, list[int]] = {}
    gains: dict[Hashable, dict[str | int, int]] = {}
    for place, choice in enumerate(choices):
        before, after = picked(choice, choice.before), picked(choice, choice.after)
        for option in dict.fromkeys(offered(choice)):
            count, by_fact = counts.setdefault(option, [0, 0, 0]), gains.setdefault(option, {})
            was, now = before == option, after == option
            for part, yes in enumerate((True, was, now)):
                count[part] += yes
            fact = choice.fact or place
            by_fact[fact] = by_fact.get(fact, 0) + now - was
    several = {option: count for option, count in counts.items() if count[0] > 1}
    found = [
        Constant(
            what=name(option),
            chosen=now,
            chosen_before=was,
            offered=n,
            p=min(1.0, _by_chance(gains[option].values()) * len(several)),
        )
        for option, (n, was, now) in several.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.p, -one.share)))


def _by_chance(gains: Collection[int]) -> float:
    """Exact p-value of an option's gain: one vote a fact, for ten phrasings of a fact prove no more than one does."""
    return sign_test(sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains))


def modal(choices: Sequence[Choice]) -> tuple[float, float] | None:
    """Largest share of one answer text among all choices after, and that text's share before; None without choices."""
    if not choices:
        return None
    after = [_folded(choice.options[choice.after]) for choice in choices]
    top = max(dict.fromkeys(after), key=after.count)
    before = sum(_folded(choice.options[choice.before]) == top for choice in choices)
    return after.count(top) / len(choices), before / len(choices)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
