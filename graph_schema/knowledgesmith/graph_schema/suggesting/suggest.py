"""Traits that the data suggest, with support, confidence, interval and exceptions. Nothing is applied here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from knowledgesmith.graph_schema.catalogue.accepted_traits import TraitKind
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.graphs.reading import load_catalogue
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.suggesting.counts import Counts, Ends, count
from knowledgesmith.graph_schema.types.facts import Relation
from knowledgesmith.graph_schema.types.shares import wilson_interval

EXAMPLES: Final = 10
_MANY: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One trait of ``relation``.

    Attributes:
        kind: which trait.
        relation: the relation that would get it.
        others: the inverse; the two parts of a composition; the type of domain or range.
        support: cases that agree.
        cases: all cases: entities, facts, or ways of two facts.
        low: lower end of the 95 % Wilson interval of ``support / cases``.
        high: its upper end.
        exceptions: up to 10 cases that do not agree.
        declared: the catalogue says so already.
    """

    kind: TraitKind
    relation: str
    others: tuple[str, ...] = ()
    support: int
    cases: int
    low: float
    high: float
    exceptions: tuple[str, ...] = ()
    declared: bool = False

    @property
    def confidence(self) -> float:
        """``support / cases``."""
        return self.support / self.cases


def suggest(
    store: GraphStore, graph_id: str, *, min_support: int = 10, min_confidence: float = 0.9, limit: int = 200
) -> list[Suggestion]:
    """Traits that hold in at least ``min_confidence`` of at least ``min_support`` cases; the surest come first.

    A composition that only repeats a transitive relation, or that a relation and its inverse make with each other, is
    left out. Ways from entities that more than
    ``counts.MAX_DEGREE`` facts leave count as open.

    Raises:
        GraphNotFound: there is no graph of this id.
        InvalidInput: a bound is out of its range.
    """
    _check_bounds(min_support, min_confidence, limit)
    catalogue = load_catalogue(store, graph_id)
    counts = count(store, graph_id)
    names = {relation.rel_type: name for name, relation in catalogue.items()}
    drafts = [
        draft
        for make in (_functional, _mirrored, _chained, _typed)
        for draft in make(counts, names, catalogue)
        if draft.support >= min_support and draft.confidence >= min_confidence
    ]
    drafts.sort(key=lambda s: (s.declared, -s.low, s.kind, s.relation, s.others))
    return [replace(draft, exceptions=_exceptions(store, graph_id, draft, catalogue)) for draft in drafts[:limit]]


def _check_bounds(min_support: int, min_confidence: float, limit: int) -> None:
    if min_support < 1:
        raise InvalidInput("must be at least 1", field="min_support", value=min_support, hint="Use 10.")
    if not 0.0 < min_confidence <= 1.0:
        raise InvalidInput(
            "must be over 0 and at most 1", field="min_confidence", value=min_confidence, hint="Use 0.9."
        )
    if not 1 <= limit <= _MANY:
        raise InvalidInput(f"must be 1 to {_MANY}", field="limit", value=limit, hint="Use 200.")


def _suggestion(
    kind: TraitKind, relation: str, support: int, cases: int, *, others: tuple[str, ...] = (), declared: bool
) -> Iterator[Suggestion]:
    if cases:
        low, high = wilson_interval(support, cases)
        yield Suggestion(
            kind=kind,
            relation=relation,
            others=others,
            support=support,
            cases=cases,
            low=low,
            high=high,
            declared=declared,
        )


def _functional(counts: Counts, names: Mapping[str, str], catalogue: Mapping[str, Relation]) -> Iterator[Suggestion]:
    for kind, name in names.items():
        traits = catalogue[name].traits
        ahead, back = counts.outgoing.get(kind, Ends()), counts.incoming.get(kind, Ends())
        yield from _suggestion(
            TraitKind.FUNCTIONAL, name, ahead.entities - ahead.several, ahead.entities, declared=traits.functional
        )
        yield from _suggestion(
            TraitKind.INVERSE_FUNCTIONAL,
            name,
            back.entities - back.several,
            back.entities,
            declared=traits.inverse_functional,
        )


def _mirrored(counts: Counts, names: Mapping[str, str], catalogue: Mapping[str, Relation]) -> Iterator[Suggestion]:
    """Symmetric relations, and pairs of inverses: the share of the facts of both that are answered."""

    def facts(kind: str) -> int:
        ends = counts.outgoing.get(kind, Ends())
        return ends.facts - ends.loops

    for (there, back), answered in sorted(counts.mirrors.items()):
        if there not in names or back not in names:
            continue
        one, other = names[there], names[back]
        if there == back:
            yield from _suggestion(
                TraitKind.SYMMETRIC, one, answered, facts(there), declared=catalogue[one].traits.symmetric
            )
        elif one < other:
            yield from _suggestion(
                TraitKind.INVERSE,
                one,
                answered + counts.mirrors[back, there],
                facts(there) + facts(back),
                others=(other,),
                declared=catalogue[one].traits.inverse_of == other,
            )


def _chained(counts: Counts, names: Mapping[str, str], catalogue: Mapping[str, Relation]) -> Iterator[Suggestion]:
    for (first, second, closing), closed in sorted(counts.closed.items()):
        if not {first, second, closing} <= set(names):
            continue
        one, two, whole = names[first], names[second], names[closing]
        ways = counts.ways[first, second]
        traits = catalogue[whole].traits
        if one == two == whole:
            yield from _suggestion(TraitKind.TRANSITIVE, whole, closed, ways, declared=traits.transitive)
        elif whole not in (one, two):
            yield from _suggestion(
                TraitKind.COMPOSITION,
                whole,
                closed,
                ways,
                others=(one, two),
                declared=(one, two) in traits.chains,
            )


def _typed(counts: Counts, names: Mapping[str, str], catalogue: Mapping[str, Relation]) -> Iterator[Suggestion]:
    """The most frequent type at each end, where there is one."""
    ends: dict[tuple[TraitKind, str], Counter[str]] = {}
    for (kind, subject, obj), facts in counts.types.items():
        if kind in names:
            ends.setdefault((TraitKind.DOMAIN, names[kind]), Counter())[subject] += facts
            ends.setdefault((TraitKind.RANGE, names[kind]), Counter())[obj] += facts
    for (side, name), types in sorted(ends.items()):
        best = min(types, key=lambda label: (-types[label], label))
        present = catalogue[name].domain_type if side is TraitKind.DOMAIN else catalogue[name].range_type
        if best:
            yield from _suggestion(side, name, types[best], types.total(), others=(best,), declared=present == best)


def _exceptions(
    store: GraphStore, graph_id: str, draft: Suggestion, catalogue: Mapping[str, Relation]
) -> tuple[str, ...]:
    if draft.support == draft.cases:
        return ()
    kind = catalogue[draft.relation].rel_type
    look: Mapping[TraitKind, Callable[[], list[str]]] = {
        TraitKind.FUNCTIONAL: lambda: _several(store, graph_id, [kind], []),
        TraitKind.INVERSE_FUNCTIONAL: lambda: _several(store, graph_id, [], [kind]),
        TraitKind.SYMMETRIC: lambda: _unanswered(store, graph_id, draft.relation, draft.relation, catalogue),
        TraitKind.INVERSE: lambda: (
            _unanswered(store, graph_id, draft.relation, draft.others[0], catalogue)
            + _unanswered(store, graph_id, draft.others[0], draft.relation, catalogue)
        )[:EXAMPLES],
        TraitKind.TRANSITIVE: lambda: _open(store, graph_id, draft.relation, draft.relation, draft.relation, catalogue),
        TraitKind.COMPOSITION: lambda: _open(
            store, graph_id, draft.others[0], draft.others[1], draft.relation, catalogue
        ),
        TraitKind.DOMAIN: lambda: _other_types(store, graph_id, kind, draft.others[0], side="subject"),
        TraitKind.RANGE: lambda: _other_types(store, graph_id, kind, draft.others[0], side="object"),
    }
    return tuple(look[draft.kind]())


def _several(store: GraphStore, graph_id: str, outgoing: list[str], incoming: list[str]) -> list[str]:
    rows = store.read("suggesting/several", graph_id=graph_id, outgoing=outgoing, incoming=incoming, limit=EXAMPLES)
    return [f"{row['uid']}: {', '.join(row['ends'])}" for row in rows]


def _unanswered(
    store: GraphStore, graph_id: str, there: str, back: str, catalogue: Mapping[str, Relation]
) -> list[str]:
    types = {"there": catalogue[there].rel_type, "back": catalogue[back].rel_type}
    rows = store.read("suggesting/unanswered", graph_id=graph_id, limit=EXAMPLES, **types)
    return [f"({row['subject']})-[{there}]->({row['object']})" for row in rows]


def _open(
    store: GraphStore, graph_id: str, first: str, second: str, closing: str, catalogue: Mapping[str, Relation]
) -> list[str]:
    rows = store.read(
        "suggesting/open_ways",
        graph_id=graph_id,
        first=catalogue[first].rel_type,
        second=catalogue[second].rel_type,
        closing=catalogue[closing].rel_type,
        limit=EXAMPLES,
    )
    return [f"({r['subject']})-[{first}]->({r['middle']})-[{second}]->({r['object']})" for r in rows]


def _other_types(store: GraphStore, graph_id: str, kind: str, wanted: str, *, side: str) -> list[str]:
    rows = store.read(
        "suggesting/other_types",
        graph_id=graph_id,
        kind=kind,
        wanted=wanted,
        of_object=side == "object",
        limit=EXAMPLES,
    )
    return [f"{row['uid']} is {row['type'] or 'without type'}" for row in rows]
