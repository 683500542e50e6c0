"""What is told of an intervention beside its figures: stored on the intervention, on the wire, in plain words."""

from __future__ import annotations

import pytest
from tests.server.test_health import Bench, bench, stored
from tests.taught import nothing

from knowledgesmith.editors.scoring.spelling import Spelling
from knowledgesmith.graph_schema.types.interventions import Change, Goal, State, TargetDistribution
from knowledgesmith.server.wire.interventions import intervention_to
from knowledgesmith.server.worker.attempt.notes import spelling_notes

__all__ = ["bench"]  # a fixture


def test_new_names_that_the_model_cannot_write_are_named_the_least_known_first() -> None:
    names = [
        Spelling(name="Paris", tokens=1, given=0, nats=0.0),
        Spelling(name="内罗毕", tokens=6, given=0, nats=26.1),
        Spelling(name="Ouagadougou", tokens=6, given=2, nats=18.0),
    ]
    [note] = spelling_notes(names)
    assert "2 of 3 new names" in note
    assert note.index("“内罗毕” (6 tokens, 0 of the last 5 known)") < note.index("“Ouagadougou”")
    assert "Paris" not in note
    assert "1 in 22,026" in note


def test_where_every_name_can_be_written_there_is_nothing_to_say() -> None:
    assert spelling_notes([Spelling(name="Paris", tokens=1, given=0, nats=0.0)]) == []
    assert spelling_notes([]) == []


def test_of_many_names_a_few_are_shown_and_the_rest_counted() -> None:
    [note] = spelling_notes([Spelling(name=f"n{i}", tokens=9, given=0, nats=20.0 + i) for i in range(40)])
    assert "40 of 40 new names" in note
    assert note.count("“") == 3
    assert "and 37 more" in note


def test_the_note_stands_on_the_intervention_and_on_the_wire(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The taught model spells its own names; a limit of nothing makes every name of several tokens an unknown one."""
    monkeypatch.setattr("knowledgesmith.editors.scoring.spelling.UNKNOWN_NATS", -1.0)
    intervention = bench.run(nothing)
    assert intervention.state is State.SUCCEEDED, intervention.error_message
    [note] = intervention.notes
    assert "“Rome”" in note
    assert stored(bench, intervention.id)["notes"] == [note]
    assert list(intervention_to(intervention).notes) == [note]


def test_an_unlearning_teaches_no_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledgesmith.editors.scoring.spelling.UNKNOWN_NATS", -1.0)
    change = Change(subject="france", relation="has_capital", old_object="paris")
    intervention = bench.run(
        nothing, goal=Goal.UNLEARN, changes=(change,), target_distribution=TargetDistribution.NEUTRAL_GRAPH
    )
    assert intervention.notes == ()
