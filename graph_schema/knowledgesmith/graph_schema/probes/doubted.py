"""What may be true beside the answers of a question, so that nothing of it is offered as a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.doubt_walks import DoubtWalks
from knowledgesmith.graph_schema.probes.questions import BACKWARD, FALSE, Question
from knowledgesmith.graph_schema.probes.types import Polarity, ProbeKind

DOUBTFUL: Final = "doubtful"
"""A question of which very much may be true, or a false statement that may be true."""
MOST: Final = 2_000
"""A question of which more may be true than that is not asked: what could be offered as wrong is a matter of luck."""


def doubted(walks: DoubtWalks | None, questions: Sequence[Question]) -> list[Question]:
    """The questions with what is doubtful about them; those that cannot be asked so are left out.

    Statements that are false in both worlds are left out where they may be true. What a change makes of a statement is
    the user's word: doubts have no part in it, but for relations in two spellings.

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
    if ends is None:
        return None
    may_be = {uids[n] for n in ends} - {*question.before, *question.after}
    if len(may_be) > MOST or (question.object in may_be and FALSE in question.before):
        return None
    return replace(question, doubtful=tuple(sorted(may_be))) if may_be else question


def _reached(walks: DoubtWalks, questions: Sequence[Question]) -> list[set[int] | None]:
    """Where each question's path may lead, step by step; none where it spreads too far.

    What several questions need is looked for once.
    """
    number = walks.number
    here: list[set[int] | None] = [{number[q.anchor]} if q.anchor in number else set() for q in questions]
    for depth in range(max(len(question.path) for question in questions)):
        wanted: dict[str, set[int]] = {}
        for row, question in enumerate(questions):
            if depth < len(question.path) and (nodes := here[row]):
                if len(nodes) > MOST:
                    here[row] = None
                else:
                    wanted.setdefault(question.path[depth], set()).update(nodes)
        ends = {step: _ends(walks, step, nodes) for step, nodes in sorted(wanted.items())}
        for row, question in enumerate(questions):
            if depth < len(question.path) and (nodes := here[row]):
                known = ends[question.path[depth]]
                here[row] = {end for node in nodes if node in known for end in known[node].tolist()}
    return here


def _ends(walks: DoubtWalks, step: str, nodes: Iterable[int]) -> Mapping[int, NDArray[np.int32]]:
    return walks.ends(step.removeprefix(BACKWARD), nodes, turned=step.startswith(BACKWARD))
