"""Each finding alone, made by hand: what it needs, what it says, and that little evidence raises no alarm."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from knowledgesmith.editors.health.choices import Choice
from knowledgesmith.editors.health.judging import Evidence, judge
from knowledgesmith.editors.health.likelihood import TextLoss
from knowledgesmith.editors.health.reading import StateReading
from knowledgesmith.editors.health.realised import Realised
from knowledgesmith.editors.health.speech import Ids
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict

LIVELY: tuple[Ids, ...] = tuple(tuple(range(n, n + 20)) for n in range(0, 20 * 16, 20))


def reading(
    loss: float = 3.0, texts: tuple[Ids, ...] = LIVELY, nonfinite: int = 0, spread: float = 0.1
) -> StateReading:
    losses = tuple(TextLoss((loss + spread * (n % 3 - 1)) * (10 + n), 10 + n) for n in range(40))
    return StateReading(losses=losses, texts=texts, nonfinite=nonfinite)


def evidence(**fields: object) -> Evidence:
    values: dict[str, object] = {"before": reading(), "after": reading(), **fields}
    return Evidence(**values)  # type: ignore[arg-type]


def test_nothing_changed_is_healthy() -> None:
    found = judge(evidence())
    assert found == Health(
        verdict=HealthVerdict.HEALTHY,
        perplexity_ratio=1.0,
        perplexity_low=1.0,
        perplexity_high=1.0,
        repetition=0.0,
        repetition_before=0.0,
        emptiness=0.0,
        agreement=1.0,
    )
    assert found.ok
    assert found.reason == ""


@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_text_that_became_much_less_likely(spread: float) -> None:
    found = judge(evidence(after=reading(3.0 + math.log(6), spread=spread)))
    assert found.verdict is HealthVerdict.WRECKED
    assert not found.ok
    assert found.reason.startswith("text that it never saw became ")
    assert found.perplexity_ratio == pytest.approx(6, rel=0.05)


def test_more_likely_text_is_no_finding() -> None:
    assert judge(evidence(after=reading(1.0))).verdict is HealthVerdict.HEALTHY


def test_one_odd_text_is_no_wreck() -> None:
    after = reading()
    odd = (replace(after.losses[0], total=after.losses[0].total + 400), *after.losses[1:])
    assert judge(evidence(after=replace(after, losses=odd))).ok


STUCK: Ids = (7,) * 20


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ((*LIVELY[:4], *[(n,) * 20 for n in range(12)]), "greedy text repeats itself after 12 of 16"),
        ((*LIVELY[:4], *[()] * 12), "greedy text is empty after 12 of 16"),
        ((*LIVELY[:4], *[(1, 2, 3, *range(n, n + 9)) for n in range(100, 112)]), "one and the same way after 12 of 16"),
    ],
)
def test_speech_that_broke(texts: tuple[Ids, ...], says: str) -> None:
    found = judge(evidence(after=reading(texts=texts)))
    assert found.verdict is HealthVerdict.WRECKED
    assert any(says in reason for reason in found.reasons)


def test_speech_that_was_so_before_is_no_finding() -> None:
    """A random or small model repeats itself by itself: only what the change did counts."""
    stuck = tuple((n,) * 20 for n in range(16))
    assert judge(evidence(before=reading(texts=stuck), after=reading(texts=stuck))).verdict is HealthVerdict.HEALTHY


def stuck_on(token: int) -> Ids:
    """One token again and again."""
    return (token,) * 20


def nothing_after(_: int) -> Ids:
    """No text."""
    return ()


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (14, 24, HealthVerdict.WRECKED),  # all that were left
        (14, 21, HealthVerdict.WRECKED),
        (14, 19, HealthVerdict.SUSPECT),
        (14, 17, HealthVerdict.HEALTHY),  # three of ten are chance
        (23, 24, HealthVerdict.HEALTHY),
        (24, 24, HealthVerdict.HEALTHY),
        (24, 0, HealthVerdict.HEALTHY),
        (0, 5, HealthVerdict.HEALTHY),
        (0, 12, HealthVerdict.WRECKED),
    ],
)
@pytest.mark.parametrize("broken", [stuck_on, nothing_after], ids=["stuck", "empty"])
def test_a_gain_is_of_what_was_left_to_lose(
    before: int, after: int, verdict: HealthVerdict, broken: Callable[[int], Ids]
) -> None:
    """A small model that repeats itself after half of its prompts can break only after the other half."""
    sound = tuple(tuple(range(n, n + 20)) for n in range(1000, 1000 + 20 * 24, 20))
    was, now = (reading(texts=(*map(broken, range(n)), *sound[n:])) for n in (before, after))
    said = [one for one in judge(evidence(before=was, after=now)).reasons if "repeats itself" in one or "empty" in one]
    assert len(said) == (verdict is not HealthVerdict.HEALTHY)
    assert judge(evidence(before=was, after=now, base=was)).ok is (verdict is not HealthVerdict.WRECKED)


def test_a_few_prompts_raise_no_alarm() -> None:
    two = LIVELY[:2]
    assert judge(evidence(before=reading(texts=two), after=reading(texts=(STUCK, (8,) * 20)))).ok


def test_prompts_of_the_plan_count_too() -> None:
    found = judge(evidence(stems_before=LIVELY, stems_after=tuple((n,) * 20 for n in range(16))))
    assert "16 of 32" in found.reason


@pytest.mark.parametrize("number", [1, 5000])
def test_values_that_are_no_numbers_come_first(number: int) -> None:
    broken = reading(9.0, texts=(), nonfinite=number)
    found = judge(evidence(after=broken))
    assert found.reason == f"{number:,} weights or scores are no finite numbers (NaN or infinite)"
    assert found.nonfinite == number
    assert not found.ok


def test_losses_that_are_no_numbers_leave_the_figure_absent() -> None:
    losses = tuple(TextLoss(math.nan, loss.tokens, loss.tokens) for loss in reading().losses)
    found = judge(evidence(after=StateReading(losses=losses, texts=(), nonfinite=3)))
    assert found.perplexity_ratio is None
    assert not found.ok


def fact(along: float, across: float) -> Realised:
    return Realised(fact_id="f", along=along, across=across)


@pytest.mark.parametrize(
    ("realised", "verdict"),
    [
        ([fact(0.95, 0.07)] * 3, HealthVerdict.HEALTHY),
        ([fact(0.95, 0.07)] * 9 + [fact(0.2, 1.4)], HealthVerdict.SUSPECT),
        ([fact(0.32, 3.8), fact(0.9, 2.0), fact(1.1, 0.9)], HealthVerdict.WRECKED),
        ([fact(1.03, 25.0)], HealthVerdict.WRECKED),
        ([fact(math.nan, 0.1)], HealthVerdict.WRECKED),
        ([fact(0.1, 0.0)], HealthVerdict.SUSPECT),
        ([fact(0.95, 0.07)] * 3 + [fact(0.95, 50.0)] * 2, HealthVerdict.WRECKED),
        ([fact(0.95, 0.07)] * 4 + [fact(0.95, 50.0)], HealthVerdict.WRECKED),  # a fifth
        ([fact(0.95, 0.07)] * 5 + [fact(0.95, 50.0)], HealthVerdict.SUSPECT),
        ([fact(0.95, 0.07)] * 200 + [fact(0.95, 1.1)], HealthVerdict.SUSPECT),
        ([fact(0.95, 0.6)] * 5, HealthVerdict.SUSPECT),
        ([fact(0.95, 0.07)] * 5 + [fact(0.95, 0.9)], HealthVerdict.HEALTHY),
        ([fact(9.0, 0.07)] * 5, HealthVerdict.WRECKED),
        ([fact(-9.0, 0.07)] * 5, HealthVerdict.WRECKED),
        ([fact(0.95, 0.07)] * 4 + [fact(9.0, 0.07)], HealthVerdict.WRECKED),
        ([fact(0.95, 0.07)] * 5 + [fact(9.0, 0.07)], HealthVerdict.SUSPECT),
        ([fact(0.95, 0.07)] * 9 + [fact(2.5, 0.07)], HealthVerdict.SUSPECT),
        ([fact(3.0, 0.07)] * 5, HealthVerdict.SUSPECT),
        ([fact(1.8, 0.07)] * 5, HealthVerdict.HEALTHY),
    ],
)
def test_realised_against_wanted_change(realised: list[Realised], verdict: HealthVerdict) -> None:
    assert judge(evidence(realised=tuple(realised))).verdict is verdict


def choices(n: int, lost: int, p: float = 0.9) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            options=tuple(f"{letter}{k}" for letter in "abcd"),
            before=k % 4,
            after=(k + (k < lost)) % 4,
            stays=True,
            right=frozenset({k % 4}),
            p_right=p,
        )
        for k in range(n)
    )


@pytest.mark.parametrize(
    ("n", "lost", "p", "verdict"),
    [
        (40, 32, 0.9, HealthVerdict.WRECKED),
        (40, 8, 0.9, HealthVerdict.SUSPECT),
        (40, 4, 0.9, HealthVerdict.HEALTHY),
        (40, 32, 0.3, HealthVerdict.HEALTHY),  # it never knew them
        (3, 2, 0.9, HealthVerdict.HEALTHY),  # too few to say
        (1, 1, 0.9, HealthVerdict.HEALTHY),
        (4, 2, 0.9, HealthVerdict.HEALTHY),
        (4, 4, 0.9, HealthVerdict.SUSPECT),
        (7, 7, 0.9, HealthVerdict.SUSPECT),
        (8, 4, 0.9, HealthVerdict.SUSPECT),
        (8, 8, 0.9, HealthVerdict.WRECKED),
        (38, 11, 0.9, HealthVerdict.WRECKED),  # a fine-tuning that lost two facts in three when asked in words
    ],
)
def test_sure_answers_that_are_lost(n: int, lost: int, p: float, verdict: HealthVerdict) -> None:
    assert judge(evidence(choices=choices(n, lost, p))).verdict is verdict


def phrased(n: int, lost: int, facts: int) -> tuple[Choice, ...]:
    """Sure answers of a few facts, asked in several ways: the first facts are lost in every one of them."""
    ordered = sorted(choices(n, lost), key=lambda one: not one.lost)
    return tuple(replace(one, fact=f"f{k * facts // n}") for k, one in enumerate(ordered))


@pytest.mark.parametrize(
    ("n", "lost", "facts", "verdict"),
    [
        (40, 20, 2, HealthVerdict.HEALTHY),  # one fact of two in twenty phrasings each
        (40, 40, 1, HealthVerdict.HEALTHY),
        (40, 40, 4, HealthVerdict.SUSPECT),
        (80, 32, 10, HealthVerdict.SUSPECT),  # four facts of ten
        (80, 48, 10, HealthVerdict.WRECKED),  # six of ten
    ],
)
def test_phrasings_of_one_fact_count_as_one(n: int, lost: int, facts: int, verdict: HealthVerdict) -> None:
    found = judge(evidence(choices=phrased(n, lost, facts)))
    assert found.verdict is verdict
    assert found.collateral_sure == lost / n
    if found.reasons:
        assert f"({lost * facts // n} of {facts} facts)" in found.reason


def test_one_phrasing_of_every_fact_counts_by_its_share() -> None:
    asked = [replace(one, fact=f"f{k // 3}") for k, one in enumerate(choices(60, 0))]
    spoilt = [replace(one, after=(one.after + 1) % 4) if k % 3 == 0 else one for k, one in enumerate(asked)]
    found = judge(evidence(choices=tuple(spoilt)))
    assert found.reason.endswith("are wrong now (6 of 20 facts)")


def test_one_option_for_everything() -> None:
    options = ("rome", "paris", "oslo", "lima")
    asked = tuple(Choice(options=options, before=k % 4, after=2, stays=True, p_right=0.3) for k in range(40))
    found = judge(evidence(choices=asked))
    assert found.verdict is HealthVerdict.WRECKED
    assert "oslo is the choice of 40 of 40 probes that offer it (before: 10)" in found.reasons
    assert (found.constant_share, found.constant_before) == (1.0, 0.25)


@pytest.mark.parametrize("name", ["zagreb", "an answer"])
def test_one_option_is_not_hidden_by_another_whose_gain_is_surer(name: str) -> None:
    """A harmless shift over many probes has the smaller p-value; what became the choice of all of its few is told."""
    few = [
        Choice(options=(f"x{k}", name, f"y{k}", "oslo"), before=0 if k % 2 else 2, after=1, stays=True)
        for k in range(24)
    ]
    many = [
        Choice(options=(f"x{k}", f"w{k}", f"y{k}", "oslo"), before=k % 3, after=3 if k < 40 else k % 3, stays=True)
        for k in range(200)
    ]
    found = judge(evidence(choices=(*few, *many)))
    assert found.verdict is HealthVerdict.WRECKED
    assert found.reason == f"{name} is the choice of 24 of 24 probes that offer it (before: 0)"
    assert judge(evidence(choices=tuple(many))).verdict is HealthVerdict.HEALTHY


def test_one_place_is_not_hidden_by_another_whose_gain_is_surer() -> None:
    """The fifth place is offered rarely."""
    few = [Choice(options=tuple(f"{c}{k}" for c in "abcde"), before=k % 4, after=4, stays=True) for k in range(24)]
    many = [
        Choice(options=tuple(f"{c}{k}" for c in "ABCD"), before=1 + k % 3, after=0 if k < 60 else 1 + k % 3, stays=True)
        for k in range(300)
    ]
    found = judge(evidence(choices=(*few, *many)))
    assert found.verdict is HealthVerdict.WRECKED
    assert found.reason == "option 5 is the choice of 24 of 24 probes that offer it (before: 0)"


def test_an_answer_that_should_change_everywhere_is_no_constant() -> None:
    options = ("rome", "paris", "oslo", "lima")
    asked = tuple(Choice(options=options, before=0, after=2, stays=False) for _ in range(40))
    found = judge(evidence(choices=asked))
    assert not any("oslo" in reason for reason in found.reasons)


def test_all_changes_of_a_branch_together_count() -> None:
    """Small steps that nobody would hold add up."""
    found = judge(evidence(before=reading(4.9), after=reading(5.0), base=reading(3.0)))
    assert not found.ok
    assert found.reason.startswith("over all changes of this branch")


BROKEN: dict[str, tuple[Ids, ...]] = {
    "repeats itself": tuple((n,) * 20 for n in range(16)),
    "is empty": ((),) * 16,
    "begins in one and the same way": tuple((1, 2, 3, *range(n, n + 9)) for n in range(100, 116)),
}


@pytest.mark.parametrize("says", BROKEN)
def test_speech_that_an_earlier_change_broke_is_no_health_of_the_next_one(says: str) -> None:
    broken = reading(texts=BROKEN[says])
    found = judge(evidence(before=broken, after=broken, base=reading()))
    assert found.verdict is HealthVerdict.WRECKED
    assert (
        found.reason
        == f"over all changes of this branch, greedy text {says} after 16 of 16 untouched prompts (before: 0)"
    )


@pytest.mark.parametrize("says", BROKEN)
def test_small_steps_of_broken_speech_add_up(says: str) -> None:
    """Two steps of five prompts in twelve: neither alone is a wreck."""
    first, second = (reading(texts=(*BROKEN[says][:n], *LIVELY[n:12])) for n in (5, 10))
    assert judge(evidence(before=reading(texts=LIVELY[:12]), after=first)).ok
    found = judge(evidence(before=first, after=second, base=reading(texts=LIVELY[:12])))
    assert not found.ok
    assert "after 10 of 12" in found.reason


@pytest.mark.parametrize("says", BROKEN)
def test_a_base_that_spoke_so_by_itself_is_no_finding(says: str) -> None:
    same = reading(texts=BROKEN[says])
    assert judge(evidence(before=same, after=same, base=same)).verdict is HealthVerdict.HEALTHY


def test_a_base_that_could_not_be_asked_is_no_error() -> None:
    assert judge(evidence(base=reading(texts=()))).verdict is HealthVerdict.HEALTHY


def test_the_worst_reason_leads_and_wrecks_come_before_suspicions() -> None:
    stuck = tuple((n,) * 20 for n in range(16))
    found = judge(evidence(after=reading(3.0 + math.log(50), texts=stuck), realised=(fact(0.1, 0.6),)))
    assert found.reasons[0].startswith("text that it never saw became 50.0x")
    assert "repeats itself" in found.reasons[1]
    assert "facts realised less" in found.reasons[-1]


def test_health_survives_its_properties() -> None:
    found = judge(evidence(after=reading(3.0 + math.log(6)), choices=choices(40, 32), realised=(fact(0.5, 0.1),)))
    assert Health.read(found.properties()) == found
    assert found.properties()["health_ok"] is False
    assert Health.read({}) is None
