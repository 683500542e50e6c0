"""Traits that somebody accepted: declared beside what a graph's files say, kept when the files are imported again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.catalogue.relations import inspect_catalogue
from knowledgesmith.graph_schema.errors import IllegalState, InvalidInput, RelationNotFound
from knowledgesmith.graph_schema.language.text_checks import MAX_WORD, problem_with
from knowledgesmith.graph_schema.types.facts import Relation, Traits


class TraitKind(StrEnum):
    """What a suggestion says about a relation."""

    FUNCTIONAL = "functional"
    INVERSE_FUNCTIONAL = "inverse_functional"
    SYMMETRIC = "symmetric"
    INVERSE = "inverse"
    TRANSITIVE = "transitive"
    COMPOSITION = "composition"
    DOMAIN = "domain"
    RANGE = "range"


_NAMES_BESIDE: Final[Mapping[TraitKind, int]] = {
    TraitKind.INVERSE: 1,
    TraitKind.COMPOSITION: 2,
    TraitKind.DOMAIN: 1,
    TraitKind.RANGE: 1,
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Acceptance:
    """One trait to be declared, as a suggestion names it."""

    kind: TraitKind
    relation: str
    others: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How a report writes it."""
        return " ".join((self.relation, self.kind.value, *self.others))

    def dump(self) -> str:
        """As it is stored on the graph."""
        return json.dumps([self.kind.value, self.relation, *self.others], ensure_ascii=False)


def parse_accepted(texts: Iterable[str] | None) -> tuple[Acceptance, ...]:
    """What a graph stores, sorted.

    Raises:
        IllegalState: a text is none that :meth:`Acceptance.dump` gives.
    """
    return tuple(sorted(_parse(text) for text in texts or ()))


def _parse(text: str) -> Acceptance:
    try:
        kind, relation, *others = json.loads(text)
        problems = [problem for name in (relation, *others) if (problem := problem_with(name, limit=MAX_WORD))]
        parsed = Acceptance(kind=TraitKind(kind), relation=relation, others=tuple(others))
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(text) from error
    if problems:
        raise _damaged(text)
    return parsed


def _damaged(text: str) -> IllegalState:
    return IllegalState(
        "an accepted trait of the graph is damaged",
        field="accepted_traits",
        value=str(text)[:100],
        hint="Delete the graph and import its files again.",
    )


def noted_with(earlier: Iterable[Acceptance], items: Sequence[Acceptance]) -> list[Acceptance]:
    """What is noted when these are accepted too, sorted; of a kind that a relation has one of, the last one counts."""
    last = {(item.kind, item.relation): item for item in items if item.kind in _NAMES_BESIDE}
    kept = [item for item in (*earlier, *items) if last.get((item.kind, item.relation), item) == item]
    return sorted(set(kept))


def declare(catalogue: Mapping[str, Relation], items: Iterable[Acceptance]) -> dict[str, Relation]:
    """The relations with these traits; not checked as a whole.

    Raises:
        RelationNotFound: a trait is for, or names, a relation that the catalogue lacks.
        InvalidInput: a trait lacks what it needs.
    """
    given = dict(catalogue)
    for item in items:
        given[item.relation] = _with(given, item)
    return given


def declare_again(
    catalogue: Mapping[str, Relation], items: Sequence[Acceptance], left_out: Callable[[Acceptance, str], None]
) -> dict[str, Relation]:
    """A checked catalogue with every accepted trait that still fits; ``left_out`` is told of the others and why."""
    present = [item for item in items if item.relation in catalogue and set(_relations_of(item)) <= set(catalogue)]
    for item in sorted(set(items) - set(present)):
        left_out(item, "its relation is not there any more")
    together, problems = inspect_catalogue(declare(catalogue, present).values())
    if not problems:
        return together
    kept = dict(catalogue)
    for item in sorted(present):  # some do not fit: one by one, in an order that depends on nothing else
        candidate, problems = inspect_catalogue(declare(kept, [item]).values())
        if problems:
            left_out(item, f"{problems[0].relation} {problems[0].problem}")
        else:
            kept = candidate
    return kept


def _with(catalogue: Mapping[str, Relation], item: Acceptance) -> Relation:
    relation = catalogue.get(item.relation)
    unknown = [name for name in _relations_of(item) if name not in catalogue]
    if relation is None or unknown:
        missing = item.relation if relation is None else unknown[0]
        raise RelationNotFound(
            "the catalogue has no such relation", field="accepted", value=missing, hint="See `ksmith relations GRAPH`."
        )
    wanted = _NAMES_BESIDE.get(item.kind, 0)
    if len(item.others) != wanted:
        raise InvalidInput(
            f"{item.kind} needs {wanted} names beside the relation",
            field="accepted",
            value=" ".join(item.others),
            hint="Write it as the suggestion does.",
        )
    if item.kind is TraitKind.DOMAIN:
        return replace(relation, domain_type=item.others[0])
    if item.kind is TraitKind.RANGE:
        return replace(relation, range_type=item.others[0])
    return replace(relation, traits=_traits(relation.traits, item))


def _relations_of(item: Acceptance) -> tuple[str, ...]:
    return item.others if item.kind in {TraitKind.INVERSE, TraitKind.COMPOSITION} else ()


def _traits(traits: Traits, item: Acceptance) -> Traits:
    if item.kind is TraitKind.INVERSE:
        return replace(traits, inverse_of=item.others[0])
    if item.kind is TraitKind.COMPOSITION:
        return replace(traits, composed_of=item.others)
    return replace(
        traits,
        functional=traits.functional or item.kind is TraitKind.FUNCTIONAL,
        inverse_functional=traits.inverse_functional or item.kind is TraitKind.INVERSE_FUNCTIONAL,
        symmetric=traits.symmetric or item.kind is TraitKind.SYMMETRIC,
        transitive=traits.transitive or item.kind is TraitKind.TRANSITIVE,
    )
