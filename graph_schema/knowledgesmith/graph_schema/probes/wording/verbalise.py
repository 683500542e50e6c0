"""Texts: stems from the relations' evaluation templates, chains by nesting noun phrases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from knowledgesmith.graph_schema.catalogue.derived_wordings import framed
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.language.filling import fill, inside, opened
from knowledgesmith.graph_schema.language.spans import holds
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD, Question
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split
from knowledgesmith.graph_schema.types.probes import ProbeKind

MAX_PHRASINGS: Final = 3
TRUE_TEXT: Final = "True"
FALSE_TEXT: Final = "False"
ASKED: Final = " True or false? Answer:"
DENIED: Final = "It is not true that "
"""Denies a statement of any relation."""
DENIED_FRAME: Final = "This is not true: "
"""The same before a plain frame."""
_ARTICLES: Final = frozenset({"the", "a", "an"})
_OPENED_BY_SLOT: Final = re.compile(r"(?:the |an? )?\{", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """A text to be continued by an option, and the template it came from; of a statement also its denial."""

    text: str
    template: str
    counter: str = ""


def stems(question: Question, *, lexicon: Lexicon, options: Sequence[str] = ()) -> list[Stem]:
    """All phrasings of a question, at most :data:`MAX_PHRASINGS`; empty where the relations lack templates.

    Args:
        question: what to ask.
        lexicon: names and templates.
        options: uids of the two things to compare (COMPARISON only); both orders are phrased.
    """
    relation = lexicon.relation(question.relation)
    name = lexicon.entity(question.anchor).name
    match question.kind:
        case ProbeKind.MULTI_HOP:
            return _chain(question, lexicon)
        case ProbeKind.COMPARISON:
            return _comparison(relation, name, [lexicon.entity(uid).name for uid in options])
        case ProbeKind.CONFLICT:
            return _judgement(relation, subject=name, obj=lexicon.entity(question.object).name)
        case _:
            return _plain(relation, name, reverse=question.reverse)


def statement(relation: Relation, *, subject: str, obj: str, number: int = 0) -> str:
    """A sentence that asserts a fact, from an evaluation template; empty where there is none."""
    found = relation.pick(direction=Direction.FORWARD, form=Form.STATEMENT, split=Split.EVAL)
    return fill(opened(found[number % len(found)].text), subject=subject, obj=obj) if found else ""


def leaks(text: str, names: Iterable[str]) -> bool:
    """Whether one of the (case-folded) names stands in the text as a word of its own."""
    return stands_in(text.casefold(), names)


def stands_in(folded: str, names: Iterable[str]) -> bool:
    """The same for a text that is case-folded already; where a script has no blanks, at any place in a word."""
    # most names are no substring at all, which is a hundred times cheaper to see than a pattern is to compile
    suspects = (name for name in names if name and name in folded)
    return any(_is_word_of(folded, name) for name in suspects)


def _is_word_of(folded: str, name: str) -> bool:
    if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded):
        return True
    return not name.isascii() and holds(folded, name)


def _plain(relation: Relation, name: str, *, reverse: bool) -> list[Stem]:
    direction = Direction.REVERSE if reverse else Direction.FORWARD
    found = relation.pick(direction=direction, form=Form.CLOZE, split=Split.EVAL)
    return [
        Stem(
            text=fill(opened(template.text), subject=name, obj=name),
            template=f"{relation.name}/{direction}/cloze/{number}",
        )
        for number, template in enumerate(found[:MAX_PHRASINGS])
    ]


def _chain(question: Question, lexicon: Lexicon) -> list[Stem]:
    text = Phrase.of_name(lexicon.entity(question.anchor).name)
    used: list[str] = []
    for step in question.path:
        relation = lexicon.relation(step.removeprefix(BACKWARD))
        direction = Direction.REVERSE if step.startswith(BACKWARD) else Direction.FORWARD
        form = Form.PHRASE if len(used) < len(question.path) - 1 else Form.CLOZE
        found = relation.pick(direction=direction, form=form, split=Split.EVAL)
        tried = ((number, text.inside(template.text, first=not used)) for number, template in enumerate(found))
        number, whole = next(((number, phrase) for number, phrase in tried if phrase), (0, None))
        if whole is None:
            return []
        text = whole
        used.append(f"{relation.name}/{direction}/{form}/{number}")
    return [Stem(text=text.opening, template="+".join(used))]


def _is_with_article(text: str) -> bool:
    return text.partition(" ")[0].casefold() in _ARTICLES


@dataclass(frozen=True, slots=True)
class Phrase:
    """What stands for an entity in a chain: inside a sentence, and where it opens one."""

    text: str
    opening: str

    @classmethod
    def of_name(cls, name: str) -> Phrase:
        """A name is the same everywhere."""
        return cls(name, name)

    def inside(self, template: str, *, first: bool) -> Phrase | None:
        """The template with this in its slot, as :func:`nested` has it; ``None`` where it does not nest."""
        text = nested(template, self.text, first=first)
        if not text:
            return None
        opens = bool(_OPENED_BY_SLOT.match(template)) and (template[0] == "{" or _is_with_article(self.text))
        return Phrase(text, nested(opened(template), self.opening if opens else self.text, first=first))


def nested(template: str, phrase: str, *, first: bool) -> str:
    """The template with a phrase in its slot; empty where that would read "the company a company …"."""
    if not first:
        last = _word_before_slot(template)
        words = phrase.casefold().split(maxsplit=2)
        if last in _ARTICLES and words[0] in _ARTICLES:
            if last != "the" or words[0] != "the":  # two "the" meet: the other may be a name's own, so this one goes
                return ""
        elif last in words[1:2]:
            return ""
    return fill(template, subject=phrase, obj=phrase)


@cache
def _word_before_slot(template: str) -> str:
    before = re.split(r"\{[so]\}", template)[0].split()
    return before[-1].casefold() if before else ""


def _comparison(relation: Relation, name: str, options: Sequence[str]) -> list[Stem]:
    found = relation.pick(direction=Direction.FORWARD, form=Form.QUESTION, split=Split.EVAL)
    if not found or len(options) != 2:
        return []
    question = fill(opened(found[0].text), subject=name).rstrip()
    return [
        Stem(text=choice(question, one, other), template=f"{relation.name}/forward/question/0/{order}")
        for order, (one, other) in enumerate((tuple(options), tuple(reversed(options))))
    ]


def _judgement(relation: Relation, *, subject: str, obj: str) -> list[Stem]:
    found = relation.pick(direction=Direction.FORWARD, form=Form.STATEMENT, split=Split.EVAL)
    return [judged(found[0].text, f"{relation.name}/forward/statement/0", subject=subject, obj=obj)] if found else []


def judged(template: str, name: str, *, subject: str, obj: str) -> Stem:
    """A statement and its denial, each with the same question: a model that agrees with everything agrees with both."""
    if bare := framed(template):  # it is no clause that "that" could stand before
        denied = f"{DENIED_FRAME}{fill(bare, subject=subject, obj=obj)}"
        said = fill(template, subject=subject, obj=obj)
        return Stem(text=f"{said}{ASKED}", template=name, counter=f"{denied}{ASKED}")
    said, inner = (fill(text, subject=subject, obj=obj) for text in (opened(template), inside(template)))
    return Stem(text=f"{said}{ASKED}", template=name, counter=f"{DENIED}{inner}{ASKED}")


def choice(question: str, one: str, other: str) -> str:
    """A question with the two things to choose from; a question in Chinese or Japanese is not mixed with English."""
    if question.endswith("？"):
        return f"{question}{one}／{other}："
    return f"{question} {fill('{s} or {o}? Answer:', subject=one, obj=other)}"
