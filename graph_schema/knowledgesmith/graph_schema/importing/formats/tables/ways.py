"""Relations of a table: which ones hold both ways by their rows, and what the user says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Protocol

from knowledgesmith.graph_schema.catalogue.known_traits import known_traits, said
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Record, RelationRecord
from knowledgesmith.graph_schema.types.facts import Relation, Traits


class Spoken(Protocol):
    """What a user says about relations."""

    @property
    def hierarchical(self) -> tuple[str, ...]:
        """Those from child to parent."""
        ...

    @property
    def transitive(self) -> tuple[str, ...]:
        """Transitive ones."""
        ...

    @property
    def symmetric(self) -> tuple[str, ...]:
        """Symmetric ones."""
        ...

    @property
    def functional(self) -> tuple[str, ...]:
        """Those with one object for each subject."""
        ...

    @property
    def no_traits(self) -> tuple[str, ...]:
        """Those that get no trait from their name."""
        ...


class Ways:
    """Relations whose rows say that they hold both ways: all of them, or some beside others that do not.

    Attributes:
        symmetric: no row of them is directed.
        mixed: some rows are directed, others are not.
        kept: said to be hierarchical by the user, so that the direction of the columns counts.
    """

    def __init__(
        self, tables: Sequence[Callable[[], Iterator[tuple[str, bool]]]], *, hierarchical: Sequence[str]
    ) -> None:
        one_way: set[str] = set()
        both: Counter[str] = Counter()
        for rows in tables:
            for relation, holds_both in rows():
                if holds_both:
                    both[relation] += 1
                else:
                    one_way.add(relation)
        self._counts = both
        # A hierarchy cannot be symmetric, and the user's word counts
        self.kept = both.keys() & set(hierarchical)
        self.mixed = (both.keys() & one_way) - self.kept
        self.symmetric = both.keys() - one_way - self.kept

    def findings(self, used: Mapping[str, Place]) -> Iterator[Finding]:
        """How rows without a direction were read."""
        for name in sorted(self._counts.keys() & used.keys()):
            rows = f"{name!r}: {counted(self._counts[name], 'undirected row')}"
            how = "no row is directed, so the relation is symmetric"
            if name in self.mixed:
                how = "others are directed, so these are facts in both directions"
            elif name in self.kept:
                how = "the relation is said to be hierarchical, so they are read from column to column"
            yield Finding(place=used[name], kind=FindingKind.NOTE, text=f"{rows}; {how}", count=self._counts[name])


def declared(options: Spoken, used: Mapping[str, Place], undirected_ones: Set[str]) -> Iterator[Record]:
    """What the options say about relations, which ones are symmetric by their rows, and what else their names say."""
    spoken = {*options.hierarchical, *options.transitive, *options.symmetric, *options.functional}
    if unknown := sorted({*spoken, *options.no_traits} - used.keys()):
        raise InvalidInput(
            "no row has this relation",
            field="options",
            value=unknown[0],
            hint=f"Name relations as the table does: {', '.join(sorted(used)[:10])}.",
        )
    silent = used.keys() - spoken - undirected_ones - set(options.no_traits)
    for name in sorted(silent):
        traits = known_traits(name)
        if what := said(traits):
            yield RelationRecord(place=used[name], relation=Relation(name=name, rel_type="", traits=traits))
            text = f"{name!r} is taken as {what}, as its name says; --option no_traits={name} takes it as it stands"
            yield Finding(place=used[name], kind=FindingKind.NOTE, text=text)
    for name in sorted(spoken | (undirected_ones & used.keys())):
        traits = Traits(
            functional=name in options.functional,
            symmetric=name in options.symmetric or name in undirected_ones,
            transitive=name in options.transitive,
            hierarchical=name in options.hierarchical,
        )
        yield RelationRecord(place=used[name], relation=Relation(name=name, rel_type="", traits=traits))


def counted(number: int, what: str) -> str:
    """``1,200 facts``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
