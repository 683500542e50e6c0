"""What may be true beside the answers of a question, so that nothing of it is offered as a wrong one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from knowledgesmith.graph_schema.doubts.walks import DoubtWalks
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, FALSE, Question
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

DOUBTFUL: Final = "doubtful"
"""A question of which very much may be true, or a false statement that may be true."""
MOST: Final = 2_000
"""A question of which more may be true than that is not asked: what could be offered as wrong is a matter of luck.

One whose answer changes is: it tells the old answer from the new one, whatever stands beside them.
"""
BETWEEN: Final = 100
"""A chain is not asked where so many may be meant inside it: by a reader's choice, it asks about any of them."""


def doubted(walks: DoubtWalks | None, questions: Sequence[Question]) -> list[Question]:
    """The questions with what is doubtful about them; those that cannot be asked so are left out.

    Statements that are false in both worlds are left out where they may be true. What a change makes of a statement is
    the user's word: doubts have no part in it, but for relations in two spellings. A question of one step whose answer
    changes is kept, with nothing doubtful about it where there is too much; a chain is not, since its inner step may
    mean anything.

    Args:
        walks: over the facts of all worlds of the questions; ``None`` where nothing is doubtful.
        questions: answers and statements as they are certain.
    """
    if walks is None:
        return list(questions)
    doubtful = walks.doubts.doubtful
    touched = [q for q in questions if any(step.removeprefix(BACKWARD) in doubtful for step in q.path)]
    if not touched:
        return list(questions)
    found = dict(zip(map(id, touched), _reached(walks, touched), strict=True))
    kept = (
        _judged(walks, question, found[id(question)]) if id(question) in found else question for question in questions
    )
    return [question for question in kept if question is not None]


def _judged(walks: DoubtWalks, question: Question, ends: Iterable[int] | None) -> Question | None:
    """A question with what it must not offer as wrong; none where it cannot be asked."""
    uids = walks.uids
    if question.kind is ProbeKind.CONFLICT and question.polarity is Polarity.CHANGE:
        return None if walks.says_alike(question.anchor, question.relation, question.object) else question
    changes = question.polarity is Polarity.CHANGE and len(question.path) == 1
    if ends is None:
        return question if changes else None
    may_be = {uids[n] for n in ends} - {*question.before, *question.after}
    if len(may_be) > MOST:
        return question if changes else None
    if question.object in may_be and FALSE in question.before:
        return None
    return replace(question, doubtful=tuple(sorted(may_be))) if may_be else question


def _reached(walks: DoubtWalks, questions: Sequence[Question]) -> list[set[int] | None]:
    """Where each question's path may lead, step by step; none where it spreads too far.

    What several questions need is looked for once.
    """
    number = walks.number
    most = MOST + _most_answers(questions)
    here: list[set[int] | None] = [{number[q.anchor]} if q.anchor in number else set() for q in questions]
    for depth in range(max(len(question.path) for question in questions)):
        wanted: dict[tuple[str, bool], set[int]] = {}
        for question, nodes in zip(questions, here, strict=True):
            if depth < len(question.path) and nodes:
                wanted.setdefault(_step(question, depth), set()).update(nodes)
        ends = {
            (step, inside): walks.ends(
                step.removeprefix(BACKWARD),
                nodes,
                turned=step.startswith(BACKWARD),
                near=inside,
                most=BETWEEN if inside else most,
            )
            for (step, inside), nodes in sorted(wanted.items())
        }
        for row, question in enumerate(questions):
            if depth < len(question.path) and (nodes := here[row]):
                known = ends[_step(question, depth)]
                found = [known[node] for node in nodes if node in known]
                parts = [part.tolist() for part in found if part is not None]
                here[row] = set().union(*parts) if len(parts) == len(found) else None
                if depth + 1 < len(question.path) and len(here[row] or ()) > BETWEEN:
                    here[row] = None
    return here


def _step(question: Question, depth: int) -> tuple[str, bool]:
    """A step of a path, and whether another one follows it."""
    return question.path[depth], depth + 1 < len(question.path)


def _most_answers(questions: Sequence[Question]) -> int:
    """How many right answers a question has at most; statements have one each."""
    stated = Counter((q.anchor, q.path) for q in questions if q.kind is ProbeKind.CONFLICT)
    answered = (len({*question.before, *question.after}) for question in questions)
    return max((*stated.values(), *answered))
