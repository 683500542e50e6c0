from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.measures.verdicts import ProbeOutcome, Said, Verdict, summarise, verdict
from knowledgesmith.editors.scoring.beliefs import NO_CHOICE, Belief
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Role

EDIT, UNLEARN = Goal.EDIT, Goal.UNLEARN
SILENT = Said(option=None)

# (answers before, answers after, choice before, choice after), written by hand from the design's sentence; options:
# 0 = old, 1 = new, 2 and 3 = others
FOLLOWS = [
    # another answer follows
    (({0}, {1}, 0, 1), Verdict.PROPAGATED),
    (({0}, {1}, 0, 0), Verdict.MISSED),
    (({0}, {1}, 0, 2), Verdict.DRIFTED),
    (({0}, {1}, 1, 1), Verdict.INELIGIBLE),
    (({0}, {1}, 2, 0), Verdict.INELIGIBLE),
    (({0}, {1}, 2, 1), Verdict.INELIGIBLE),
    # an answer where there was none
    ((set(), {1}, 3, 1), Verdict.PROPAGATED),
    ((set(), {1}, 1, 1), Verdict.INELIGIBLE),
    ((set(), {1}, 1, 3), Verdict.INELIGIBLE),
    ((set(), {1}, 3, 3), Verdict.MISSED),
    ((set(), {1}, 3, 2), Verdict.DRIFTED),
    # no answer any more: the old one's disappearance is no propagation
    (({0}, set(), 0, 0), Verdict.MISSED),
    (({0}, set(), 0, 3), Verdict.FORGOTTEN),
    (({0}, set(), 3, 3), Verdict.INELIGIBLE),
    # many-valued: one of several answers goes or comes, another stays right
    (({0, 2}, {2}, 0, 2), Verdict.PROPAGATED),
    (({0, 2}, {2}, 0, 0), Verdict.MISSED),
    (({0, 2}, {2}, 2, 2), Verdict.INELIGIBLE),
    (({0}, {0, 1}, 0, 0), Verdict.MISSED),
    (({0}, {0, 1}, 0, 1), Verdict.PROPAGATED),
    (({0}, {0, 1}, 1, 1), Verdict.INELIGIBLE),
    # ties
    (({0}, {1}, NO_CHOICE, 1), Verdict.INELIGIBLE),
    ((set(), {1}, NO_CHOICE, 1), Verdict.INELIGIBLE),
    (({0}, {1}, 0, NO_CHOICE), Verdict.INELIGIBLE),
]
STAYS = [
    (({0}, {0}, 0, 0), Verdict.PRESERVED),
    (({0}, {0}, 0, 1), Verdict.COLLATERAL),
    (({0}, {0}, 1, 0), Verdict.INELIGIBLE),
    (({0}, {0}, 1, 1), Verdict.INELIGIBLE),
    (({0, 2}, {0, 2}, 0, 2), Verdict.PRESERVED),
    # nothing that could be lost
    ((set(), set(), 1, 1), Verdict.INELIGIBLE),
    ((set(), set(), 1, 2), Verdict.INELIGIBLE),
    (({0}, {0}, NO_CHOICE, 1), Verdict.INELIGIBLE),
    (({0}, {0}, 0, NO_CHOICE), Verdict.INELIGIBLE),
]
TARGETS = [
    # what was known before does not matter
    ((EDIT, {0}, {1}, 0, 1, None), Verdict.INSTALLED),
    ((EDIT, {0}, {1}, 3, 1, None), Verdict.INSTALLED),
    ((EDIT, {0}, {1}, 1, 1, None), Verdict.INSTALLED),
    ((EDIT, set(), {1}, 3, 1, None), Verdict.INSTALLED),
    ((EDIT, {0}, {1}, 0, 0, None), Verdict.NOT_INSTALLED),
    ((EDIT, {0}, {1}, 3, 3, None), Verdict.NOT_INSTALLED),
    # the text must say it too, and alone is not enough
    ((EDIT, {0}, {1}, 0, 1, Said(option=1)), Verdict.INSTALLED),
    ((EDIT, {0}, {1}, 0, 1, Said(option=0)), Verdict.NOT_INSTALLED),
    ((EDIT, {0}, {1}, 0, 1, SILENT), Verdict.NOT_INSTALLED),
    ((EDIT, {0}, {1}, 0, 2, Said(option=1)), Verdict.NOT_INSTALLED),
    ((EDIT, {0}, {1}, 0, NO_CHOICE, Said(option=1)), Verdict.INELIGIBLE),
    # an erasure
    ((UNLEARN, {0}, set(), 0, 0, None), Verdict.NOT_ERASED),
    ((UNLEARN, {0}, set(), 0, 2, None), Verdict.ERASED),
    ((UNLEARN, {0}, set(), 3, 3, None), Verdict.ERASED),
    ((UNLEARN, {0}, set(), 0, 2, Said(option=0)), Verdict.NOT_ERASED),
    ((UNLEARN, {0}, set(), 0, 2, SILENT), Verdict.ERASED),
    ((UNLEARN, {0}, {1}, 0, 1, None), Verdict.ERASED),
    ((UNLEARN, {0, 2}, {2}, 0, 2, None), Verdict.ERASED),
    ((UNLEARN, {0, 2}, {2}, 2, 0, None), Verdict.NOT_ERASED),
    ((UNLEARN, {0}, {1}, 0, NO_CHOICE, None), Verdict.INELIGIBLE),
]


@pytest.mark.parametrize(("case", "expected"), FOLLOWS)
@pytest.mark.parametrize("goal", Goal)
def test_what_follows(goal: Goal, case: tuple[set[int], set[int], int, int], expected: Verdict) -> None:
    assert verdict(*case, role=Role.FOLLOWS, goal=goal) is expected


@pytest.mark.parametrize(("case", "expected"), STAYS)
@pytest.mark.parametrize("goal", Goal)
def test_what_stays(goal: Goal, case: tuple[set[int], set[int], int, int], expected: Verdict) -> None:
    assert verdict(*case, role=Role.STAYS, goal=goal) is expected


@pytest.mark.parametrize(("case", "expected"), TARGETS)
def test_targets(case: tuple[Goal, set[int], set[int], int, int, Said | None], expected: Verdict) -> None:
    goal, before, after, pred_before, pred_after, said = case
    found = verdict(before, after, pred_before, pred_after, role=Role.TARGET, goal=goal, said=said)
    assert found is expected


ANSWERS = st.sets(st.integers(0, 3), max_size=3)
CHOICE = st.integers(NO_CHOICE, 3)
MOVEMENT = {Verdict.PROPAGATED, Verdict.FORGOTTEN, Verdict.DRIFTED, Verdict.COLLATERAL}
OF = {
    Role.TARGET: {Verdict.INSTALLED, Verdict.NOT_INSTALLED, Verdict.ERASED, Verdict.NOT_ERASED},
    Role.FOLLOWS: {Verdict.PROPAGATED, Verdict.FORGOTTEN, Verdict.MISSED, Verdict.DRIFTED},
    Role.STAYS: {Verdict.PRESERVED, Verdict.COLLATERAL},
}


@given(ANSWERS, ANSWERS, CHOICE, st.sampled_from(Role), st.sampled_from(Goal))
def test_a_choice_that_did_not_move_is_no_change(
    before: set[int], after: set[int], choice: int, role: Role, goal: Goal
) -> None:
    """Whatever the answers are: nothing changed, so nothing propagated, was forgotten, drifted or broke."""
    assert verdict(before, after, choice, choice, role=role, goal=goal) not in MOVEMENT


@given(ANSWERS, ANSWERS, CHOICE, CHOICE, st.sampled_from(Role), st.sampled_from(Goal))
def test_every_verdict_follows_its_definition(
    before: set[int], after: set[int], first: int, last: int, role: Role, goal: Goal
) -> None:
    found = verdict(before, after, first, last, role=role, goal=goal)
    assert found in OF[role] | {Verdict.INELIGIBLE}
    assert last != NO_CHOICE or found is Verdict.INELIGIBLE
    old = before - after
    if found is Verdict.PROPAGATED:
        assert last in after
        assert last != first
        assert first in old or not old
    if found is Verdict.FORGOTTEN:
        assert not after
        assert first in before
        assert last not in before
    if found is Verdict.COLLATERAL:
        assert first in before
        assert last not in before
    if found is Verdict.INSTALLED:
        assert last in after
    if role is Role.TARGET and last != NO_CHOICE:
        assert found is not Verdict.INELIGIBLE


@given(ANSWERS, ANSWERS, CHOICE, CHOICE, st.sampled_from(Goal), st.none() | st.integers(0, 3))
def test_a_text_never_makes_a_target_better(
    before: set[int], after: set[int], first: int, last: int, goal: Goal, option: int | None
) -> None:
    good = {Verdict.INSTALLED, Verdict.ERASED}
    with_text = verdict(before, after, first, last, role=Role.TARGET, goal=goal, said=Said(option=option))
    assert with_text not in good or verdict(before, after, first, last, role=Role.TARGET, goal=goal) is with_text


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
