from __future__ import annotations

import pytest
from scipy.stats import binomtest

from knowledgesmith.editors.health.choices import Choice, constant_places, constant_texts, modal
from knowledgesmith.editors.health.exact import sign_test


@pytest.mark.parametrize("more", range(8))
@pytest.mark.parametrize("less", range(8))
def test_the_sign_test_is_exact(more: int, less: int) -> None:
    wanted = binomtest(more, more + less, 0.5, alternative="greater").pvalue if more else 1.0
    assert sign_test(more, less) == pytest.approx(float(wanted))


def choice(before: int, after: int, options: tuple[str, ...] = ("a", "b", "c", "d"), **fields: object) -> Choice:
    values: dict[str, object] = {"stays": True, "right": frozenset({before}), "p_right": 0.9, **fields}
    return Choice(options=options, before=before, after=after, **values)  # type: ignore[arg-type]


def test_one_answer_for_everything_is_found_whatever_its_place() -> None:
    texts = ("rome", "paris", "oslo", "lima")
    turned = [tuple(texts[(shift + n) % 4] for n in range(4)) for shift in range(4)]
    choices = [choice(n // 4, options.index("oslo"), options) for n, options in enumerate(turned * 4)]
    found = constant_texts(choices)[0]
    assert (found.what, found.chosen, found.chosen_before, found.offered) == ("oslo", 16, 4, 16)
    assert found.p < 0.01
    place = constant_places(choices)[0]
    assert place.p > 0.5, "the place is as mixed as it was"


def test_letter_case_and_spaces_are_one_answer() -> None:
    found = constant_texts([choice(0, 1, ("a", " New  York")), choice(0, 1, ("b", "new york"))] * 5)[0]
    assert (found.what, found.chosen) == ("new york", 10)


def test_one_place_for_everything_is_found_whatever_stands_there() -> None:
    choices = [choice(1 + n % 3, 0, tuple(f"{letter}{n}" for letter in "abcd")) for n in range(16)]
    found = constant_places(choices)[0]
    assert (found.what, found.chosen, found.offered) == ("option 1", 16, 16)
    assert found.p < 1e-3
    assert constant_texts(choices) == (), "no answer is offered twice"


def test_a_constant_that_was_there_before_is_no_finding() -> None:
    found = constant_texts([choice(2, 2)] * 50)[0]
    assert found.p == 1.0


def test_every_answer_is_told_each_for_all_that_were_compared() -> None:
    choices = [choice(0, 1, ("a", "b"))] * 8 + [choice(0, 0, ("c", "d"))] * 4
    found = {one.what: one for one in constant_texts(choices)}
    assert found.keys() == {"a", "b", "c", "d"}
    assert found["b"].p == pytest.approx(4 * 0.5**8)
    assert constant_texts(choices)[0].what == "b"


def test_few_probes_raise_no_alarm() -> None:
    found = constant_texts([choice(0, 3), choice(1, 3), choice(2, 3)])[0]
    assert found.p > 0.1


def test_phrasings_of_one_fact_are_one_vote() -> None:
    """Thirty phrasings of three facts prove what three facts do; thirty facts prove more."""
    few = [choice(0, 3, ("a", "b", "c", "d"), fact=f"f{n % 3}") for n in range(30)]
    many = [choice(0, 3, ("a", "b", "c", "d"), fact=f"f{n}") for n in range(30)]
    places, scattered = constant_places(few)[0], constant_places(many)[0]
    assert (places.chosen, places.offered) == (scattered.chosen, scattered.offered) == (30, 30)
    assert places.p == pytest.approx(4 * 0.5**3)
    assert scattered.p < 1e-6
    assert constant_texts(few)[0].p > 0.1


def test_sure_is_three_times_the_odds_of_a_guess() -> None:
    assert choice(0, 0, p_right=0.5).sure
    assert not choice(0, 0, p_right=0.49).sure
    assert choice(0, 0, ("a", "b"), p_right=0.75).sure
    assert not choice(0, 0, ("a", "b"), p_right=0.7).sure
    assert choice(0, 0, p_right=1.0).sure
    assert not choice(1, 1, right=frozenset({0})).sure, "it was wrong before"
    assert not choice(0, 0, stays=False).sure
    assert not choice(0, 0, ("a",)).sure, "nothing to choose from"
    assert not choice(0, 0, right=frozenset()).sure


def test_the_modal_answer() -> None:
    assert modal([]) is None
    found = modal([choice(0, 1), choice(1, 1), choice(2, 2)])
    assert found is not None
    assert found[0] == pytest.approx(2 / 3)
    assert found[1] == pytest.approx(1 / 3)
