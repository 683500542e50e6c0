"""What a followed intervention leaves on the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from knowledgesmith.client import BeliefChange, Level, Phase, Polarity, ProbeKind
from knowledgesmith.client._types import events
from knowledgesmith.client.cli.shared.follow import Follower, change_line


def test_a_phase_that_is_over_is_full_though_its_last_report_was_not_sent() -> None:
    out = io.StringIO()
    follower = Follower(out=Console(file=out, width=100), shown=0)
    with follower.running():
        for phase, done, total in ((Phase.MEASURE_BEFORE, 150, 200), (Phase.MEASURE_AFTER, 85, 118)):
            follower.show(events.Progress(phase=phase, done=done, total=total))
    assert "200/200" in out.getvalue()
    assert "85/118" in out.getvalue(), "the phase that was cut off shows how far it came"


def test_a_step_of_a_method_has_a_bar_of_its_own() -> None:
    out = io.StringIO()
    follower = Follower(out=Console(file=out, width=100), shown=0)
    with follower.running():
        for step, done in (("value search", 3), ("solve", 1)):
            follower.show(events.Progress(phase=Phase.APPLY, step=step, done=done, total=4))
    assert "value search" in out.getvalue()
    assert "solve" in out.getvalue()
    assert "apply" not in out.getvalue()


def test_a_row_without_an_old_answer_shows_the_new_one() -> None:
    line = change_line(_change(before=None, after=None))
    assert "0.250 → 0.750 (+0.500)" in line
    assert line.endswith("the new answer")
    assert "0.900 → 0.100 (-0.800)" in change_line(_change(before=0.9, after=0.1))


def _change(*, before: float | None, after: float | None) -> BeliefChange:
    return BeliefChange(
        sequence=1,
        entity_uid="lyon",
        entity_name="Lyon",
        level=Level.LEAF,
        kind=ProbeKind.REVERSE,
        polarity=Polarity.CHANGE,
        fact_id="f",
        relation="has_capital",
        before=before,
        after=after,
        new_before=0.25,
        new_after=0.75,
        delta=None if before is None or after is None else after - before,
        hops=0,
        nearest_target_uid="france",
        n_propagated=0,
        n_missed=0,
        n_drifted=0,
        n_preserved=0,
        n_collateral=0,
        n_ineligible=1,
    )
