"""Templates of relations: their rules, and defaults derived from a relation's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from knowledgesmith.graph_schema.facts import Direction, Form, Split, Template
from knowledgesmith.graph_schema.relation_wordings import WORDINGS, Wording
from knowledgesmith.graph_schema.text_checks import MAX_NAME, folded, problem_with

_SLOT = re.compile(r"\{([so])\}")
_PREPOSITIONS = frozenset(
    {"about", "as", "at", "by", "for", "from", "in", "into", "near", "of", "on", "to", "under", "with"}
)
_AUXILIARIES = frozenset({"is", "was", "are", "were", "can", "will", "may"})

# For a noun such as "currency"; {s} and {o} stay, {n} is replaced. Train and eval never share a text.
_NOUN: tuple[tuple[Direction, Split, Form, str], ...] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "The {n} of {s} is"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As for {s}, its {n} is"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "The {n} of {s} is {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "What is the {n} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "When asked for the {n} of {s}, the answer is"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that the {n} of {s} is"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that the {n} of {s} is {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "Which is the {n} of {s}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "the {n} of {s}"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "{o} is the {n} of"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "It is known that {o} is the {n} of"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "{o} is the {n} of what?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "the one whose {n} is {o}"),
)
# For a predicate such as "is located in" or "borders".
_PREDICATE: tuple[tuple[Direction, Split, Form, str], ...] = (
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "{s} {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.CLOZE, "As we know, {s} {n}"),
    (Direction.FORWARD, Split.TRAIN, Form.STATEMENT, "{s} {n} {o}."),
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Complete the sentence: {s} {n} what?"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "It is known that {s} {n}"),
    (Direction.FORWARD, Split.EVAL, Form.CLOZE, "According to the book, {s} {n}"),
    (Direction.FORWARD, Split.EVAL, Form.STATEMENT, "It is known that {s} {n} {o}."),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "{s} {n} what?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "what {s} {n}"),
    (Direction.REVERSE, Split.TRAIN, Form.CLOZE, "Something that {n} {o} is"),
    (Direction.REVERSE, Split.EVAL, Form.CLOZE, "The one that {n} {o} is"),
    (Direction.REVERSE, Split.EVAL, Form.QUESTION, "What {n} {o}?"),
    (Direction.REVERSE, Split.EVAL, Form.PHRASE, "what {n} {o}"),
)
# For a predicate that ends in a noun, {h}: "is present in" + "taxon", "treats" + "disease".
_KIND_OF_OBJECT: tuple[tuple[Direction, Split, Form, str], ...] = (
    (Direction.FORWARD, Split.TRAIN, Form.QUESTION, "Complete the sentence: {s} {h} which {n}?"),
    (Direction.FORWARD, Split.EVAL, Form.QUESTION, "{s} {h} which {n}?"),
    (Direction.FORWARD, Split.EVAL, Form.PHRASE, "the {n} that {s} {h}"),
)


def problem_with_template(template: Template) -> str:
    """What is wrong with a template, in a few words; empty when nothing is.

    A statement names both ends; every other form names the end that is known and leaves out the one asked for.
    """
    if problem := problem_with(template.text, limit=MAX_NAME):
        return f"the text {problem}"
    slots = set(_SLOT.findall(template.text))
    if re.search(r"[{}]", _SLOT.sub("", template.text)):
        return "only {s} and {o} may stand in braces"
    known = "s" if template.direction is Direction.FORWARD else "o"
    wanted = {"s", "o"} if template.form is Form.STATEMENT else {known}
    if slots != wanted:
        needs = " and ".join(f"{{{slot}}}" for slot in sorted(wanted, reverse=True))
        return f"a {template.direction} {template.form} names {needs} and nothing else"
    return ""


def shared_text(templates: Iterable[Template]) -> str:
    """A text that stands in both splits (case and spaces aside); empty when there is none."""
    seen: dict[str, Split] = {}
    for template in templates:
        key = folded(template.text)
        if seen.setdefault(key, template.split) is not template.split:
            return template.text
    return ""


def derive_templates(name: str) -> tuple[Template, ...]:
    """Phrasings for a relation that brought none, made from its name; plain, but different in train and eval.

    The relations of ontologies and thesauri (``is_a``, ``broader``, ``partOf``) have wordings of their own. Else nouns
    (``currency``, ``has_capital``) read "The currency of X is"; names that hold a preposition (``located_in``,
    ``presentInTaxon``; "of" only at the end, for a ``date_of_birth`` is a noun), start with an auxiliary
    (``is_used_by``) or look like a verb (``borders``, ``created``) read "X is located in".
    """
    words = re.sub(r"[\s_{}-]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip().lower() or "relation"
    if words in WORDINGS:
        return _worded(WORDINGS[words])
    first, *rest = words.split(" ")
    if first in _AUXILIARIES:
        return _predicate(first, rest)
    if first == "has" and rest:
        return _fitted(_NOUN, n=" ".join(rest))
    if _is_verb(first) or (not rest and _is_past(first)):
        return _predicate(first, rest)
    if words.rsplit(" ", 1)[-1] in _PREPOSITIONS or _PREPOSITIONS.intersection([first, *rest[:1]]) - {"of"}:
        return _predicate("is", [first, *rest])
    return _fitted(_NOUN, n=words)


def _predicate(verb: str, rest: Sequence[str]) -> tuple[Template, ...]:
    """Phrasings of a predicate; a noun at its end tells what kind of thing the object is ("present in taxon")."""
    last = max((at for at, word in enumerate(rest) if word in _PREPOSITIONS), default=-1)
    head, noun = " ".join([verb, *rest[: last + 1]]), " ".join(rest[last + 1 :])
    if not noun or (last < 0 and verb in _AUXILIARIES):
        return _fitted(_PREDICATE, n=" ".join([verb, *rest]))
    special = {(direction, split, form) for direction, split, form, _ in _KIND_OF_OBJECT}
    general = tuple(pattern for pattern in _PREDICATE if pattern[:3] not in special)
    return (*_fitted(general, n=f"{head} the {noun}"), *_fitted(_KIND_OF_OBJECT, n=noun, h=head))


def _fitted(patterns: Iterable[tuple[Direction, Split, Form, str]], *, n: str, h: str = "") -> tuple[Template, ...]:
    return tuple(
        Template(direction=direction, split=split, form=form, text=pattern.replace("{n}", n).replace("{h}", h))
        for direction, split, form, pattern in patterns
    )


def _worded(wording: Wording) -> tuple[Template, ...]:
    forward = _fitted(
        (p for p in _PREDICATE if p[0] is Direction.FORWARD and p[2] is not Form.PHRASE), n=wording.predicate
    )
    others = (
        (Direction.FORWARD, Split.EVAL, Form.PHRASE, wording.phrase),
        (Direction.REVERSE, Split.TRAIN, Form.CLOZE, f"{wording.reverse} is"),
        (Direction.REVERSE, Split.EVAL, Form.CLOZE, f"It is known that {wording.reverse} is"),
        (Direction.REVERSE, Split.EVAL, Form.QUESTION, f"What {wording.predicate} {{o}}?"),
        (Direction.REVERSE, Split.EVAL, Form.PHRASE, wording.reverse_phrase),
    )
    return (*forward, *(Template(direction=d, split=s, form=f, text=text) for d, s, f, text in others))


def _is_verb(word: str) -> bool:
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))


def _is_past(word: str) -> bool:
    return len(word) > 4 and word.endswith("ed") and not word.endswith("eed")


def complete_templates(name: str, templates: tuple[Template, ...]) -> tuple[Template, ...]:
    """Add derived phrasings: all where there are none, else only a missing forward cloze or statement of a split."""
    derived = derive_templates(name)
    if not templates:
        return derived
    present = {(t.direction, t.split, t.form) for t in templates}
    texts = {folded(t.text) for t in templates}
    added = tuple(
        t
        for t in derived
        if t.direction is Direction.FORWARD
        and t.form in {Form.CLOZE, Form.STATEMENT}
        and (t.direction, t.split, t.form) not in present
        and folded(t.text) not in texts
    )
    return (*templates, *added)
