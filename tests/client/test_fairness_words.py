"""What the command line promises of a probe set: five points only where the intervals bear it out."""

from __future__ import annotations

import pytest

from knowledgesmith.client import Guess, Guesser, ProbeKind
from knowledgesmith.client.cli.graphs.probe_sets import fairness

PROMISE = "five points"


def _guess(kind: ProbeKind, tested: int, *, high: float) -> Guess:
    return Guess(
        kind=kind,
        guesser=Guesser.LONGEST,
        tested=tested,
        right=0.25 * tested,
        accuracy=0.25,
        low=0.2,
        high=high,
        chance=0.25,
        fair=True,
    )


def test_an_interval_within_five_points_is_promised() -> None:
    said = fairness(
        (), [_guess(ProbeKind.UNSPECIFIED, 9_000, high=0.26), _guess(ProbeKind.DIRECT, 9_000, high=0.3)], judged=True
    )
    assert said == "fair: no guesser without knowledge does better than chance and five points"


@pytest.mark.parametrize("tested", [29, 200, 1_500])
def test_too_few_questions_promise_nothing(tested: int) -> None:
    said = fairness(
        (), [_guess(ProbeKind.UNSPECIFIED, tested, high=0.31), _guess(ProbeKind.DIRECT, tested, high=0.31)], judged=True
    )
    assert said == f"nothing held against it; {tested:,} questions are too few to promise five points"


def test_a_kind_of_few_questions_is_named() -> None:
    guesses = [
        _guess(ProbeKind.UNSPECIFIED, 9_000, high=0.26),
        _guess(ProbeKind.DIRECT, 8_900, high=0.26),
        _guess(ProbeKind.MULTI_HOP, 100, high=0.34),
    ]
    said = fairness((), guesses, judged=True)
    assert "multi_hop 100" in said
    assert "direct" not in said
    assert said.startswith("nothing held against it; too few questions")


def test_what_is_not_known_is_not_promised() -> None:
    assert PROMISE not in fairness((), (), judged=True)
    assert fairness((), (), judged=False).startswith("not judged yet")
    assert fairness(("DIRECT: guessed",), [_guess(ProbeKind.UNSPECIFIED, 10, high=0.9)], judged=True).startswith(
        "NOT FAIR"
    )
