"""The stages of a bulk run: ask, draw, judge, write. What waits between them is bounded by questions, not by blocks.

One thread uses the transaction: it asks about anchors and judges drawn questions. The caller's draws options, a third
writes texts; so the database works on one piece while others are drawn and written. Chains are asked about so many
anchors at a time as give about a piece; nothing that is drawn depends on where the pieces end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.generation.assemble import Drawn

PIECE: Final = 4_000
"""Right answers of the questions that are drawn, judged and written together; a few kilobytes each in all stages."""
_WAITING: Final = 2
"""Pieces that may wait for their texts while the next is drawn."""
_FIRST: Final = 250
"""Anchors that tell how many questions an anchor has."""

Failed = dict[object, str]
"""Places of refused questions in their piece, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """What is done with a piece: ``ask`` and ``judge`` in one thread, ``draw`` in the caller's, ``write`` in a third.

    ``ask`` takes anchors and gives their questions sorted by key. ``write`` waits for the verdict itself.
    """

    ask: Callable[[Sequence[str]], list[Question]]
    draw: Callable[[list[Question]], Drawn]
    judge: Callable[[Drawn], Failed]
    write: Callable[[Drawn, Future[Failed]], Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some questions in order, and how many anchors are done with them."""

    questions: list[Question]
    done: int


def run_stages(stages: Stages, anchors: Sequence[str], *, block: int, even: bool) -> Iterator[tuple[Table, int]]:
    """Tables in order, each with the anchors done so far; whatever fails ends all stages.

    Args:
        stages: what to do.
        anchors: in sorted order.
        block: most anchors to ask about at a time.
        even: ask about ``block`` anchors each time, whatever they give.
    """
    with one_thread("probe-queries") as database, one_thread("probe-texts") as writer:
        waiting: deque[tuple[Future[Table], int]] = deque()
        for piece in _pieces(stages, anchors, database, block=block, even=even):
            drawn = stages.draw(piece.questions)
            judged = database.submit(stages.judge, drawn)
            waiting.append((writer.submit(stages.write, drawn, judged), piece.done))
            while len(waiting) > _WAITING:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def cut(questions: list[Question], *, size: int = PIECE) -> Iterator[list[Question]]:
    """At least one piece, each of at most ``size`` right answers; questions of one anchor and path stay together."""
    held = list(accumulate((len(question.before) for question in questions), initial=0))
    start = 0
    while True:
        end = max(bisect_right(held, held[start] + size) - 1, start + 1)
        while end < len(questions) and _of_one(questions[end - 1], questions[end]):
            end += 1
        yield questions[start:end]
        if end >= len(questions):
            return
        start = end


def _of_one(one: Question, other: Question) -> bool:
    return (one.anchor, one.path) == (other.anchor, other.path)


def ask_ahead(
    ask: Callable[[Sequence[str]], list[Question]],
    anchors: Sequence[str],
    database: ThreadPoolExecutor,
    *,
    block: int,
    even: bool,
) -> Iterator[tuple[list[Question], int]]:
    """What is asked about some anchors after others, with the anchors done; the next are asked about meanwhile."""
    part = anchors[: block if even else min(block, _FIRST)]
    done = 0
    coming = database.submit(ask, part)
    while part:
        found = coming.result()
        done += len(part)
        part = anchors[done : done + (block if even else _next_size(len(part), found, most=block))]
        if part:
            coming = database.submit(ask, part)
        yield found, done


def _pieces(
    stages: Stages, anchors: Sequence[str], database: ThreadPoolExecutor, *, block: int, even: bool
) -> Iterator[Piece]:
    before = 0
    for found, done in ask_ahead(stages.ask, anchors, database, block=block, even=even):
        *pieces, last = cut(found)
        for piece in pieces:
            yield Piece(questions=piece, done=before)
        yield Piece(questions=last, done=done)
        before = done


def _next_size(anchors: int, found: Sequence[Question], *, most: int) -> int:
    """Anchors that give about a piece, if they are like the last ones."""
    answers = sum(len(question.before) for question in found)
    return max(1, min(most, 2 * anchors, anchors * PIECE // max(answers, 1)))


def _first(waiting: deque[tuple[Future[Table], int]]) -> tuple[Table, int]:
    table, done = waiting.popleft()
    return table.result(), done


@contextmanager
def one_thread(name: str) -> Generator[ThreadPoolExecutor]:
    """One thread; what waits for it when the caller gives up is not done any more."""
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
