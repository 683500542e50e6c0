from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.beliefs import (
    Belief,
    OptionScore,
    ProbeOutcome,
    ScorerKind,
    Verdict,
    believe,
    probabilities,
    summarise,
    verdict,
)
from knowledgesmith.graph_schema.errors import InvalidInput

# (answers before, answers after, prediction before, prediction after, changed) -> verdict, written by hand from the
# design's sentence; options: 0 = old, 1 = new, 2 and 3 = others
TRUTH = [
    # modify: 0 -> 1
    (({0}, {1}, 0, 1, True), Verdict.PROPAGATED),
    (({0}, {1}, 0, 0, True), Verdict.MISSED),
    (({0}, {1}, 0, 2, True), Verdict.DRIFTED),
    (({0}, {1}, 1, 1, True), Verdict.INELIGIBLE),
    (({0}, {1}, 2, 0, True), Verdict.INELIGIBLE),
    # insert: nothing -> 1; no answer before, so always eligible
    ((set(), {1}, 3, 1, True), Verdict.PROPAGATED),
    ((set(), {1}, 1, 1, True), Verdict.PROPAGATED),
    ((set(), {1}, 3, 3, True), Verdict.DRIFTED),
    # erase: 0 -> nothing
    (({0}, set(), 0, 0, True), Verdict.MISSED),
    (({0}, set(), 0, 3, True), Verdict.PROPAGATED),
    (({0}, set(), 3, 3, True), Verdict.INELIGIBLE),
    # stay
    (({0}, {0}, 0, 0, False), Verdict.PRESERVED),
    (({0}, {0}, 0, 1, False), Verdict.COLLATERAL),
    (({0}, {0}, 1, 0, False), Verdict.INELIGIBLE),
    (({0}, {0}, 1, 1, False), Verdict.INELIGIBLE),
    # many-valued: one of several answers goes, another stays right
    (({0, 2}, {2}, 0, 2, True), Verdict.PROPAGATED),
    (({0, 2}, {2}, 0, 0, True), Verdict.MISSED),
    (({0, 2}, {2, 1}, 2, 1, True), Verdict.PROPAGATED),
    (({0, 2}, {0, 2}, 0, 2, False), Verdict.PRESERVED),
]


@pytest.mark.parametrize(("case", "expected"), TRUTH)
def test_truth_table(case: tuple[set[int], set[int], int, int, bool], expected: Verdict) -> None:
    before, after, pred_before, pred_after, changed = case
    assert verdict(before, after, pred_before, pred_after, changed=changed) is expected


ANSWERS = st.sets(st.integers(0, 3), max_size=3)
OPTION = st.integers(0, 3)


@given(ANSWERS, ANSWERS, OPTION, OPTION, st.booleans())
def test_every_verdict_follows_its_definition(
    before: set[int], after: set[int], pred_before: int, pred_after: int, changed: bool
) -> None:
    found = verdict(before, after, pred_before, pred_after, changed=changed)
    eligible = not before or pred_before in before
    assert (found is Verdict.INELIGIBLE) == (not eligible)
    if not eligible:
        return
    reached = bool(after) and pred_after in after
    gone = not after and pred_after not in before
    assert (found in {Verdict.PRESERVED, Verdict.COLLATERAL}) == (not changed)
    assert (found is Verdict.PROPAGATED) == (changed and (reached or gone))
    assert (found is Verdict.MISSED) == (changed and not reached and not gone and pred_after in before)
    assert (found is Verdict.PRESERVED) == (not changed and pred_after in before)


SCORES = st.lists(st.floats(-200, 0), min_size=1, max_size=6)


@given(SCORES, st.floats(-50, 50))
def test_probabilities_add_up_and_ignore_a_common_shift(scores: list[float], shift: float) -> None:
    shares = probabilities(scores)
    assert math.isclose(math.fsum(shares), 1.0, abs_tol=1e-12)
    moved = probabilities([score + shift for score in scores])
    assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(shares, moved, strict=True))


@given(SCORES, st.data())
def test_beliefs_are_masses_of_answers(scores: list[float], data: st.DataObject) -> None:
    indices = st.sets(st.integers(0, len(scores) - 1))
    before, after = data.draw(indices), data.draw(indices)
    belief = believe(scores, before=before, after=after)
    assert math.isclose(belief.p_old, sum(probabilities(scores)[i] for i in before), abs_tol=1e-12)
    assert 0.0 <= belief.p_new <= 1.0
    assert scores[belief.pred] == max(scores)


def test_a_hand_made_belief() -> None:
    belief = believe([math.log(0.2), math.log(0.6), math.log(0.2)], before={1}, after=set())
    assert math.isclose(belief.p_old, 0.6)
    assert belief.p_new == 0.0
    assert belief.pred == 1


def test_equals_prefer_the_first() -> None:
    assert believe([-1.0, -1.0], before={0}, after={1}).pred == 0


def test_mean_and_sum_scores() -> None:
    score = OptionScore(-6.0, 3)
    assert score.value(ScorerKind.CLOZE_MEAN) == -2.0
    assert score.value(ScorerKind.CLOZE_SUM) == -6.0


@pytest.mark.parametrize("scores", [[], [math.nan], [0.0, -math.inf]])
def test_scores_that_are_not_numbers_are_refused(scores: list[float]) -> None:
    with pytest.raises(InvalidInput):
        probabilities(scores)


def test_an_answer_beyond_the_options_is_refused() -> None:
    with pytest.raises(InvalidInput, match="There are 2"):
        believe([0.0, 0.0], before={2}, after=set())


def outcome(p_old: tuple[float, float], p_new: tuple[float, float], kind: Verdict) -> ProbeOutcome:
    return ProbeOutcome(
        before=Belief(p_old=p_old[0], p_new=p_new[0], pred=0),
        after=Belief(p_old=p_old[1], p_new=p_new[1], pred=0),
        verdict=kind,
    )


def test_a_row_is_the_mean_of_its_probes() -> None:
    row = summarise(
        [outcome((0.8, 0.2), (0.1, 0.7), Verdict.PROPAGATED), outcome((0.6, 0.6), (0.1, 0.1), Verdict.MISSED)]
    )
    assert math.isclose(row.before, 0.7)
    assert math.isclose(row.after, 0.4)
    assert math.isclose(row.delta, -0.3)
    assert math.isclose(row.new_before, 0.1)
    assert math.isclose(row.new_after, 0.4)
    assert row.n == 2
    assert {kind for kind, count in row.counts.items() if count} == {Verdict.PROPAGATED, Verdict.MISSED}
    assert set(row.counts) == set(Verdict)


def test_a_row_without_probes_is_refused() -> None:
    with pytest.raises(InvalidInput):
        summarise([])


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_counts_are_complete(kinds: list[Verdict]) -> None:
    row = summarise([outcome((0.5, 0.5), (0.0, 0.0), kind) for kind in kinds])
    assert {kind: count for kind, count in row.counts.items() if count} == dict(Counter(kinds))
