"""Statements asked both ways: "S. True or false?" and the same of the denial of S (pure).

A model has a liking for one of the two words whatever is asked. The score of "true" is therefore what it gives to
"true" after the statement and to "false" after the denial, and the other way round: their difference is the difference
of the two log-odds, from which that liking drops out. A model that says the same to everything gives exactly equal
scores, and that is no choice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from knowledgesmith.editors.scoring.beliefs import Belief, believe
from knowledgesmith.graph_schema.errors import InvalidInput

_BOTH: Final = 2


def both_ways(stated: Sequence[float], denied: Sequence[float]) -> list[float]:
    """Scores of a statement's two options, in nats.

    Args:
        stated: scores of both options after the statement.
        denied: of the same options, in the same order, after its denial.

    Raises:
        InvalidInput: these are not two options each.
    """
    if len(stated) != _BOTH or len(denied) != _BOTH:
        raise InvalidInput("a statement has two options", field="scores", value=(len(stated), len(denied)))
    return [stated[option] + denied[1 - option] for option in range(_BOTH)]


def believe_statement(
    stated: Sequence[float], denied: Sequence[float], *, before: Collection[int], after: Collection[int]
) -> Belief:
    """Belief of a statement that was asked both ways; an exact tie is no choice.

    Raises:
        InvalidInput: these are not two options each, a score is not finite, or an answer is no option.
    """
    return believe(both_ways(stated, denied), before=before, after=after)
