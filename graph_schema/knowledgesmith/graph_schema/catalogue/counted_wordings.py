"""Derived wordings of relations that lead to several things: "one stage of X is Y" where "the stage" would promise one.

Which wording fits depends on the facts, not on the name: an import looks at them once they are settled. What is said of
one among several is true of one alone too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from knowledgesmith.graph_schema.catalogue import english
from knowledgesmith.graph_schema.catalogue.wording_patterns import (
    FORWARD_PREDICATE,
    HOLDER,
    NOUN,
    ONE_OF,
    OWNED,
    SEVERAL,
    SINGLE,
    Pattern,
    counted,
    values,
)
from knowledgesmith.graph_schema.language.filling import indefinite
from knowledgesmith.graph_schema.language.text_checks import folded
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Relation, Split, Template


class _Twin(NamedTuple):
    """How a text of one alone is said of one among several; a type is had, since "one type of X" is a kind of X."""

    use: tuple[Direction, Split, Form]
    single: re.Pattern[str]
    several: str
    of_types: str


def _twins(single: Iterable[Pattern], several: Iterable[Pattern], types: Iterable[Pattern] = ()) -> Iterator[_Twin]:
    others = list(several)
    of_types = list(types) or others
    for (direction, split, form, text), (*_, other), (*_, of_type) in zip(single, others, of_types, strict=True):
        if text != other:
            # "the one among the terms of X" is no noun behind "the"
            pattern = re.escape(text).replace(re.escape("{n}"), "(?P<n>(?!one among ).+)")
            yield _Twin((direction, split, form), re.compile(pattern), other, of_type)


def _roles(predicate: str) -> Iterator[Pattern]:
    for direction, split, form, text in FORWARD_PREDICATE:
        yield direction, split, form, text.replace("{n}", predicate)


_NOUN_TWINS: Final = (
    *_twins(counted(NOUN, SINGLE), ONE_OF, OWNED),
    *_twins(values(SINGLE), values(SEVERAL)),
)
_TYPES: Final = re.compile(r"(?:.* )?(?:type|kind|sort|class|category|form|variety|species)", re.IGNORECASE)
_ROLE_TWINS: Final = (
    *_twins(_roles("is the {n} of"), _roles("is {a} {n} of")),
    *_twins(counted(HOLDER, SINGLE), counted(HOLDER, SEVERAL)),
)


def of_several(templates: Iterable[Template], *, objects: bool, subjects: bool) -> tuple[Template, ...]:
    """Derived templates without "the" where it would say that there is one alone; all others as they are.

    "The stage of X is Y" becomes "One stage of X is Y", "X is the author of Y" becomes "X is an author of Y". Both are
    true of one alone as well.

    Args:
        templates: of one relation.
        objects: whether a subject may have several objects.
        subjects: whether an object may have several subjects.
    """
    twins = (*(_NOUN_TWINS if objects else ()), *(_ROLE_TWINS if subjects else ()))
    given = list(templates)
    taken = {folded(template.text) for template in given}
    return tuple(_twin(template, twins, taken) for template in given)


class Several(Protocol):
    """Counts the ends of one relation."""

    def __call__(self, *, backward: bool) -> bool:
        """Whether a subject has, or may have, several objects; backward: an object several subjects."""
        ...


def as_counted(relation: Relation, several: Several) -> Relation:
    """A relation with the derived templates that are true of its facts; it is counted only where a text depends on it.

    A trait that says that there is one is believed.
    """
    traits = relation.traits
    objects = depends_on_objects(relation.templates) and not traits.functional
    subjects = depends_on_subjects(relation.templates) and not traits.inverse_functional
    objects = objects and several(backward=False)
    subjects = subjects and several(backward=True)
    return replace(relation, templates=of_several(relation.templates, objects=objects, subjects=subjects))


def depends_on_objects(templates: Iterable[Template]) -> bool:
    """Whether some text would be another if a subject had several objects."""
    return _depends(templates, _NOUN_TWINS)


def depends_on_subjects(templates: Iterable[Template]) -> bool:
    """Whether some text would be another if an object had several subjects."""
    return _depends(templates, _ROLE_TWINS)


def _depends(templates: Iterable[Template], twins: Iterable[_Twin]) -> bool:
    given = list(templates)
    known = list(twins)
    return any(_twin(template, known, set()).text != template.text for template in given)


def _twin(template: Template, twins: Iterable[_Twin], taken: set[str]) -> Template:
    """The same template for several, where it is derived and has one that the relation does not use yet."""
    if template.origin not in {Origin.DERIVED, Origin.FRAME}:
        return template
    for twin in twins:
        found = twin.single.fullmatch(template.text)
        if found and twin.use == (template.direction, template.split, template.form):
            if found["n"].rpartition(" ")[2].lower() in english.MASS:  # neither one nor an "ownership"
                return template
            text = twin.of_types if _TYPES.fullmatch(found["n"]) else twin.several
            text = text.replace("{a}", indefinite(found["n"])).replace("{n}", found["n"])
            return template if folded(text) in taken else replace(template, text=text)
    return template
