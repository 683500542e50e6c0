"""From measures to a verdict: each check gives findings in plain words, the worst one leads (pure)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from knowledgesmith.editors.health.choices import Choice, Lost, constant_places, constant_texts, lost_of, modal
from knowledgesmith.editors.health.exact import sign_test
from knowledgesmith.editors.health.likelihood import Ratio, paired_ratio
from knowledgesmith.editors.health.limits import LIMITS, Limits
from knowledgesmith.editors.health.reading import StateReading
from knowledgesmith.editors.health.realised import Realised
from knowledgesmith.editors.health.speech import Ids, begins_alike, commonest, repetition
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict
from knowledgesmith.graph_schema.types.shares import wilson_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known of a change before it is committed.

    Attributes:
        before: reading of the revision that it started from.
        after: reading of the revision that it makes.
        stems_before: greedy continuations of the stems of probes that should stay, before.
        stems_after: the same after; pairs with ``stems_before``.
        choices: the planned probes.
        realised: the facts of a method that measures how its wanted change came out.
        base: reading of the model without any artefact, where the revision before is another one.
    """

    before: StateReading
    after: StateReading
    stems_before: tuple[Ids, ...] = ()
    stems_after: tuple[Ids, ...] = ()
    choices: tuple[Choice, ...] = ()
    realised: tuple[Realised, ...] = ()
    base: StateReading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check that found something: ``excess`` is how far beyond its limit the measure is (1 = at it)."""

    verdict: HealthVerdict
    excess: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Greedy texts after the same untouched prompts, and what a test of a text says of each: before and after."""

    before: tuple[bool, ...]
    after: tuple[bool, ...]

    @property
    def n(self) -> int:
        """Number of prompts."""
        return len(self.after)

    @property
    def gain(self) -> float:
        """Gain of the share, of what it could gain: a model stuck in half of them has only the rest to lose."""
        sound = self.n - sum(self.before)
        return (sum(self.after) - sum(self.before)) / sound if sound else 0.0

    @property
    def p(self) -> float:
        """Exact one-sided p-value of the gain."""
        pairs = list(zip(self.before, self.after, strict=True))
        return sign_test(pairs.count((False, True)), pairs.count((True, False)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Pairs of texts of the two states, passages' beginnings and probe stems together."""

    pairs: tuple[tuple[Ids, Ids], ...] = field(default=())

    def test(self, says: Callable[[Ids], bool]) -> Spoken:
        return Spoken(before=tuple(says(b) for b, _ in self.pairs), after=tuple(says(a) for _, a in self.pairs))


_ORDER: Final = {HealthVerdict.WRECKED: 0, HealthVerdict.SUSPECT: 1, HealthVerdict.HEALTHY: 2}


def judge(evidence: Evidence, limits: Limits = LIMITS) -> Health:
    """Health of the revision that a change makes, against the one that it started from.

    A model is never judged by itself: a random one is as healthy as it was.
    """
    said = _said(evidence)
    ratio = paired_ratio(evidence.before.losses, evidence.after.losses)
    findings = [
        *_nonfinite(evidence),
        *_text(ratio, limits, "text that it never saw became"),
        *_speech(evidence, said, limits),
        *_choices(evidence.choices, limits),
        *_realised(evidence.realised, limits),
        *_since_base(evidence, limits),
    ]
    findings.sort(key=lambda one: (_ORDER[one.verdict], -one.excess))
    return _health(evidence, said, ratio, findings)


def _health(evidence: Evidence, said: _Said, ratio: Ratio, findings: Sequence[Finding]) -> Health:
    finite = math.isfinite(ratio.value)
    stuck, empty = said.test(_stuck), said.test(_empty)
    alike = [begins_alike(before, after) for before, after in said.pairs]
    top = modal(evidence.choices)
    sure = [choice for choice in evidence.choices if choice.sure]
    real = [one for one in evidence.realised if one.finite]
    return Health(
        verdict=findings[0].verdict if findings else HealthVerdict.HEALTHY,
        reasons=tuple(one.text for one in findings),
        perplexity_ratio=ratio.value if finite else None,
        perplexity_low=ratio.low if finite else None,
        perplexity_high=ratio.high if finite else None,
        realised_min=min((one.along for one in real), default=None),
        across_max=max((one.across for one in real), default=None),
        repetition=_share(stuck.after),
        repetition_before=_share(stuck.before),
        emptiness=_share(empty.after),
        agreement=_share(alike),
        constant_share=top[0] if top else None,
        constant_before=top[1] if top else None,
        collateral_sure=_share([choice.lost for choice in sure]),
        nonfinite=evidence.after.nonfinite,
    )


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _said(evidence: Evidence) -> _Said:
    return _paired(
        (*evidence.before.texts, *evidence.stems_before),
        (*evidence.after.texts, *evidence.stems_after),
    )


def _paired(before: Sequence[Ids], after: Sequence[Ids]) -> _Said:
    """Pairs of texts; none where one of the states was not asked."""
    return _Said(pairs=tuple(zip(before, after, strict=True)) if len(before) == len(after) else ())


def _graded(value: float, limits: tuple[float, float], text: str) -> Iterator[Finding]:
    """A finding where ``value`` is above the limit of a suspicion, or above that of a wreck."""
    suspect, wrecked = limits
    if value > wrecked:
        yield Finding(verdict=HealthVerdict.WRECKED, excess=value / wrecked, text=text)
    elif value > suspect:
        yield Finding(verdict=HealthVerdict.SUSPECT, excess=value / suspect, text=text)


def _nonfinite(evidence: Evidence) -> Iterator[Finding]:
    number = evidence.after.nonfinite
    if number:
        text = f"{number:,} weights or scores are no finite numbers (NaN or infinite)"
        if evidence.before.nonfinite:
            text += f"; before this change there were {evidence.before.nonfinite:,}"
        yield Finding(verdict=HealthVerdict.WRECKED, excess=math.inf, text=text)


def _text(ratio: Ratio, limits: Limits, what: str) -> Iterator[Finding]:
    if not math.isfinite(ratio.value):
        return  # the values that are no numbers are a finding of their own
    yield from _graded(
        ratio.low,
        limits.text,
        f"{what} {ratio.value:.1f}x less likely a token ({ratio.low:.1f}-{ratio.high:.1f}, {ratio.texts} texts)",
    )


def _stuck(ids: Ids) -> bool:
    return repetition(ids).stuck


def _empty(ids: Ids) -> bool:
    return not ids


def _speech(evidence: Evidence, said: _Said, limits: Limits) -> Iterator[Finding]:
    if not said.pairs:
        return
    stems = _Said(pairs=said.pairs[len(evidence.before.texts) :])
    yield from (*_broke(said, limits), *_alike("greedy text", "probes that should stay", stems, limits))
    kept = sum(begins_alike(before, after) for before, after in said.pairs)
    if wilson_interval(kept, len(said.pairs))[1] < limits.agreement:
        text = f"greedy text begins as before after only {kept} of {len(said.pairs)} untouched prompts"
        yield Finding(verdict=HealthVerdict.SUSPECT, excess=1.0, text=text)


def _broke(said: _Said, limits: Limits, what: str = "greedy text") -> Iterator[Finding]:
    """Text after untouched prompts that repeats itself, is empty, or begins alike whatever is asked."""
    yield from _spoken(f"{what} repeats itself", "untouched prompts", said.test(_stuck), limits)
    yield from _spoken(f"{what} is empty", "untouched prompts", said.test(_empty), limits)
    yield from _alike(what, "untouched prompts", said, limits)


def _alike(what: str, where: str, said: _Said, limits: Limits) -> Iterator[Finding]:
    """A model that says one thing whatever it is asked; it may do so only where it was changed."""
    shared = commonest([after for _, after in said.pairs])
    if shared:
        spoken = said.test(lambda ids: begins_alike(shared, ids))
        yield from _spoken(f"{what} begins in one and the same way", where, spoken, limits)


def _spoken(what: str, where: str, spoken: Spoken, limits: Limits) -> Iterator[Finding]:
    text = f"{what} after {sum(spoken.after)} of {spoken.n} {where} (before: {sum(spoken.before)})"
    yield from _gained(spoken.gain, spoken.p, limits.gain, limits.gain_p, text)


def _gained(
    gain: float, p: float, limits: tuple[float, float], chances: tuple[float, float], text: str
) -> Iterator[Finding]:
    """A finding where a share gained more than its limit, and more than chance explains."""
    grades = (HealthVerdict.WRECKED, HealthVerdict.SUSPECT)
    for verdict, limit, chance in zip(grades, reversed(limits), reversed(chances), strict=True):
        if gain >= limit and p <= chance:
            yield Finding(verdict=verdict, excess=gain / limit, text=text)
            return


def _choices(choices: Sequence[Choice], limits: Limits) -> Iterator[Finding]:
    stays = [choice for choice in choices if choice.stays]
    for found in (*constant_texts(stays), *constant_places(choices)):
        text = (
            f"{found.what} is the choice of {found.chosen} of {found.offered} probes that offer it"
            f" (before: {found.chosen_before})"
        )
        yield from _gained(found.share - found.share_before, found.p, limits.constant, limits.constant_p, text)
    yield from _lost(lost_of([choice for choice in stays if choice.sure]), limits)


def _lost(lost: Lost, limits: Limits) -> Iterator[Finding]:
    """Sure answers that are wrong now, judged by the facts asked: an interval alone calls one of one a wreck."""
    if not lost.asked:
        return
    low = wilson_interval(lost.facts, lost.facts_asked)[0]
    text = f"{lost.answers} of {lost.asked} answers that should stay, and that it was sure of, are wrong now"
    if lost.asked != lost.facts_asked:
        text += f" ({lost.facts} of {lost.facts_asked} facts)"
    grades = (HealthVerdict.WRECKED, HealthVerdict.SUSPECT)
    for grade, limit, least, asked in zip(
        grades, reversed(limits.lost), reversed(limits.lost_facts), reversed(limits.sure_facts), strict=True
    ):
        if low > limit and lost.facts >= least and lost.facts_asked >= asked:
            yield Finding(verdict=grade, excess=low / limit, text=text)
            return


def _realised(realised: Sequence[Realised], limits: Limits) -> Iterator[Finding]:
    if not realised:
        return
    if not all(one.finite for one in realised):
        text = "the realised change of a fact is no finite number"
        yield Finding(verdict=HealthVerdict.WRECKED, excess=math.inf, text=text)
        return
    worst = max(one.across for one in realised)
    middle = median(one.across for one in realised)
    text = (
        f"hidden states moved {middle:.1f}x as far in other directions as they should have moved in the wanted one"
        f" (median of {len(realised)} facts; worst {worst:.1f}x)"
    )
    yield from _far([one.across for one in realised], middle, limits.across, limits.facts, text)
    furthest = max((one.along for one in realised), key=abs)
    text = f"hidden states moved {furthest:.1f}x as far as wanted (worst of {len(realised)} facts)"
    yield from _far([abs(one.along) for one in realised], abs(furthest), limits.beyond, limits.facts, text)
    weak = [one for one in realised if one.along < limits.along]
    if weak:
        least = min(one.along for one in weak)
        text = f"{len(weak)} of {len(realised)} facts realised less than {limits.along:.0%} of the wanted change"
        yield Finding(verdict=HealthVerdict.SUSPECT, excess=1.0, text=f"{text} (least {least:.0%})")


def _far(
    values: Sequence[float], figure: float, limits: tuple[float, float], facts: float, text: str
) -> Iterator[Finding]:
    """A wreck where enough facts are above its limit; a suspicion where one is, or ``figure`` is above its own."""
    suspect, wrecked = limits
    beyond = sum(value > wrecked for value in values)
    if beyond >= facts * len(values):
        yield Finding(verdict=HealthVerdict.WRECKED, excess=max(values) / wrecked, text=text)
    elif beyond or figure > suspect:
        yield Finding(verdict=HealthVerdict.SUSPECT, excess=max(figure / suspect, max(values) / wrecked), text=text)


def _since_base(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """All changes of the branch together: small steps add up, and what a wreck left is no health of the next change."""
    if evidence.base is None:
        return
    what = "over all changes of this branch,"
    ratio = paired_ratio(evidence.base.losses, evidence.after.losses)
    yield from _text(ratio, limits, f"{what} text that it never saw became")
    yield from _broke(_paired(evidence.base.texts, evidence.after.texts), limits, f"{what} greedy text")
