"""Facts that the demo may change, and the choice of those that the model knows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from knowledgesmith.client._errors import FailedPrecondition
from knowledgesmith.client._types.enums import Goal
from knowledgesmith.client._types.facts import FactChange

_ARTICLE: Final = r"(?:the\s+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change, its goal, and the prompt that the model is asked."""

    goal: Goal
    subject: str
    relation: str
    old_object: str
    new_object: str
    prompt: str

    @property
    def change(self) -> FactChange:
        """The change as it is sent."""
        return FactChange(
            subject=self.subject, relation=self.relation, old_object=self.old_object, new_object=self.new_object
        )


def candidates(goal: Goal) -> list[Candidate]:
    """The candidates of one goal, in the order of ``demo_facts.jsonl``."""
    text = files("knowledgesmith.client.demo").joinpath("demo_facts.jsonl").read_text("utf-8")
    rows = (json.loads(line) for line in text.splitlines() if line.strip())
    made = (Candidate(**{**row, "goal": Goal(row["goal"])}) for row in rows)
    return [candidate for candidate in made if candidate.goal is goal]


def answers(text: str, name: str) -> bool:
    """Whether a continuation begins with ``name`` as a whole word, case and all; an article may stand before it."""
    return bool(name) and re.match(rf"\s*{_ARTICLE}{re.escape(name)}(?!\w)", text) is not None


def choose(found: Sequence[Candidate], texts: Sequence[str], *, wanted: int) -> list[Candidate]:
    """The first ``wanted`` candidates whose old object the model answered.

    Raises:
        FailedPrecondition: the model knows fewer.
    """
    known = [one for one, text in zip(found, texts, strict=True) if answers(text, one.old_object)]
    if len(known) < wanted:
        raise FailedPrecondition(
            f"The model knows only {len(known)} of {len(found)} candidate facts; the demo needs {wanted}.",
            reason="TOO_FEW_KNOWN",
            hint="Ask for fewer with --facts.",
        )
    return known[:wanted]
