"""Wordings that somebody corrected: noted on the graph beside what its files say, and kept over later imports.

A correction stands for one use of one relation, such as the text that asks for the object. It takes the place of all
phrasings of that use, given or derived; taking it back brings these back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from knowledgesmith.graph_schema.catalogue.templates import problem_with_template
from knowledgesmith.graph_schema.errors import IllegalState
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split, Template

_PARTS: Final = "\x1f"
"""Between the parts of a stored correction; no text of a graph may hold it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Correction:
    """One corrected wording; an empty text takes it back."""

    relation: str
    direction: Direction
    split: Split
    form: Form
    text: str

    @property
    def template(self) -> Template:
        """What is asked or trained from now on."""
        return Template(
            direction=self.direction, split=self.split, form=self.form, text=self.text, origin=Origin.CORRECTED
        )

    def dump(self) -> str:
        """As it is stored on the graph; it begins with the relation's name and a separator."""
        return _PARTS.join((self.relation, self.direction, self.split, self.form, self.text))


def parse_corrections(texts: Iterable[str] | None) -> tuple[Correction, ...]:
    """What a graph stores, sorted.

    Raises:
        IllegalState: a text is none that :meth:`Correction.dump` gives.
    """
    return tuple(sorted(_parse(text) for text in texts or ()))


def _parse(text: str) -> Correction:
    try:
        relation, direction, split, form, wording = text.split(_PARTS)
        parsed = Correction(
            relation=relation, direction=Direction(direction), split=Split(split), form=Form(form), text=wording
        )
        problem = problem_with_template(parsed.template)
    except (ValueError, AttributeError) as error:
        raise _damaged(text) from error
    if problem or not relation:
        raise _damaged(text)
    return parsed


def _damaged(text: str) -> IllegalState:
    return IllegalState(
        "a corrected wording of the graph is damaged",
        field="corrected_wordings",
        value=str(text)[:100],
        hint="Delete the graph and import its files again.",
    )


def corrected(relation: Relation, texts: Iterable[str] | None) -> Relation:
    """The relation with its stored corrections in front."""
    found = tuple(correction.template for correction in parse_corrections(texts))
    return replace(relation, templates=(*found, *relation.templates)) if found else relation
