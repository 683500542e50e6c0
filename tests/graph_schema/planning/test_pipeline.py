"""The stages of a bulk run: pieces in order, bounded, and nothing waits that need not."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.generation.stages import PIECE, Stages, ask_ahead, cut, one_thread, run_stages
from knowledgesmith.graph_schema.types.probes import ProbeKind


def _questions(anchor: str, count: int, *, answers: int = 1, obj: bool = False) -> list[Question]:
    right = tuple(f"b{n}" for n in range(answers))
    return [
        Question(
            kind=ProbeKind.CONFLICT if obj else ProbeKind.DIRECT,
            anchor=anchor,
            path=("r",) if obj else (f"r{n}",),
            before=right,
            after=right,
            object=f"o{n}" if obj else "",
        )
        for n in range(count)
    ]


@given(sizes=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9), st.booleans()), max_size=20))
def test_pieces_hold_all_questions_in_order_and_split_no_subject_of_statements(
    sizes: list[tuple[int, int, bool]],
) -> None:
    questions = [
        question
        for number, (count, answers, obj) in enumerate(sizes)
        for question in _questions(f"a{number:02}", count, answers=answers, obj=obj)
    ]
    pieces = list(cut(questions, size=20))
    assert [question for piece in pieces for question in piece] == questions
    assert len(pieces) == 1 or all(pieces)
    for piece, following in pairwise(pieces):
        assert (piece[-1].anchor, piece[-1].path) != (following[0].anchor, following[0].path)
        groups = {(question.anchor, question.path) for question in piece}
        assert len(groups) == 1 or sum(len(question.before) for question in piece) <= 20 or piece[-1].object


def test_rich_anchors_are_asked_about_fewer_at_a_time() -> None:
    anchors = [f"a{n:04}" for n in range(900)]
    asked: list[int] = []

    def ask(part: Any) -> list[Question]:
        asked.append(len(part))
        return [question for anchor in part for question in _questions(anchor, 40)]

    with one_thread("test") as database:
        found = list(ask_ahead(ask, anchors, database, block=800, even=False))
    assert [done for _, done in found][-1] == 900
    assert sum(len(questions) for questions, _ in found) == 36_000
    assert asked[0] == 250
    assert all(size * 40 <= PIECE for size in asked[1:])


def test_no_more_than_a_few_pieces_wait_for_their_texts() -> None:
    """A slow reader stops the stages; an error of one ends them all."""
    anchors = [f"a{n:03}" for n in range(400)]
    lock = threading.Lock()
    counts = {"drawn": 0, "taken": 0, "most": 0}

    def draw(questions: list[Question]) -> Any:
        with lock:
            counts["drawn"] += 1
            counts["most"] = max(counts["most"], counts["drawn"] - counts["taken"])
        return questions

    def write(drawn: Any, judged: Future[dict[object, str]]) -> Any:
        assert judged.result() == {}
        return len(drawn)

    stages = Stages(
        ask=lambda part: [q for a in part for q in _questions(a, 100)], draw=draw, judge=lambda _: {}, write=write
    )
    total = 0
    for size, _done in run_stages(stages, anchors, block=400, even=True):
        total += size
        with lock:
            counts["taken"] += 1
    assert total == 40_000
    assert counts["most"] <= 3

    def fail(_: Any) -> dict[object, str]:
        raise RuntimeError("the database is gone")

    broken = Stages(ask=stages.ask, draw=draw, judge=fail, write=write)
    with pytest.raises(RuntimeError, match="is gone"):
        list(run_stages(broken, anchors, block=50, even=True))
