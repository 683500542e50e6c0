"""Templates of relations: their rules, and what is added where a relation brought too few."""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, folded, problem_with
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, Template

_SLOT = re.compile(r"\{([so])\}")


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
