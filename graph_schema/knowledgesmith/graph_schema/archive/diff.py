"""What differs between two graphs, or a graph and an archive: both are read in order and merged, so memory is flat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from knowledgesmith.graph_schema.archive.read import Archive
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.graphs.paging import EntityRow
from knowledgesmith.graph_schema.graphs.reading import load_catalogue, require_graph
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Fact, Relation

EXAMPLES: Final = 10
"""Examples of each kind of difference."""
T = TypeVar("T")


class Side(Protocol):
    """One of the two: a graph in the database, or an archive."""

    @property
    def label(self) -> str:
        """How it is called."""
        ...

    @property
    def digest(self) -> str:
        """The digest of its facts."""
        ...

    def relations(self) -> Mapping[str, Relation]:
        """Its catalogue by name."""
        ...

    def entities(self) -> Iterator[EntityRow]:
        """Its entities by uid, retired ones left out."""
        ...

    def facts(self) -> Iterator[Fact]:
        """Its facts by (subject, relation, object)."""
        ...


@dataclass(frozen=True, slots=True)
class StoredSide:
    """A graph in the database.

    Raises:
        GraphNotFound: there is no graph of this id.
    """

    store: GraphStore
    label: str

    @property
    def digest(self) -> str:
        """As recorded at the import."""
        return self.store.read_transaction(lambda tx: require_graph(tx, self.label))

    def relations(self) -> Mapping[str, Relation]:
        """From the catalogue."""
        return load_catalogue(self.store, self.label)

    def entities(self) -> Iterator[EntityRow]:
        """Page by page."""
        return (row for row in paging.entities(self.store, self.label) if not row.retired)

    def facts(self) -> Iterator[Fact]:
        """Page by page."""
        names = {relation.rel_type: name for name, relation in self.relations().items()}
        return paging.facts(self.store.read, self.label, names)


@dataclass(frozen=True, slots=True)
class ArchivedSide:
    """An open archive; its members are checked while they are read."""

    archive: Archive
    label: str

    @property
    def digest(self) -> str:
        """As its manifest says."""
        return self.archive.manifest.graph_digest

    def relations(self) -> Mapping[str, Relation]:
        """From its member."""
        return self.archive.catalogue()

    def entities(self) -> Iterator[EntityRow]:
        """From its member."""
        return (row for row in self.archive.entities() if not row.retired)

    def facts(self) -> Iterator[Fact]:
        """From its member."""
        return self.archive.facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Things of one kind: only on the right (added), only on the left (removed), on both but not the same (changed)."""

    same: int
    added: int
    removed: int
    changed: int
    added_examples: tuple[str, ...]
    removed_examples: tuple[str, ...]
    changed_examples: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether both sides have the same."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReport:
    """From left to right; ``by_relation`` counts (added, removed) facts of the relations that differ."""

    left: str
    right: str
    left_digest: str
    right_digest: str
    relations: Difference
    entities: Difference
    facts: Difference
    by_relation: Mapping[str, tuple[int, int]]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return self.relations.equal and self.entities.equal and self.facts.equal


@dataclass(slots=True)
class _Tally:
    same: int = 0
    added: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    changed: list[str] = field(default_factory=list[str])
    counts: dict[str, int] = field(default_factory=lambda: {"added": 0, "removed": 0, "changed": 0})

    def note(self, what: str, example: str) -> None:
        self.counts[what] += 1
        kept: list[str] = getattr(self, what)
        if len(kept) < EXAMPLES:
            kept.append(example[:300])

    def result(self) -> Difference:
        return Difference(
            same=self.same,
            **self.counts,
            added_examples=tuple(self.added),
            removed_examples=tuple(self.removed),
            changed_examples=tuple(self.changed),
        )


def diff(left: Side, right: Side) -> DiffReport:
    """Compare two sides.

    Raises:
        GraphNotFound: a graph does not exist.
        ArchiveRejected: an archive is damaged.
    """
    digests = left.digest, right.digest
    by_relation: dict[str, list[int]] = {}

    def count(what: str, fact: Fact) -> None:
        if what != "changed":
            by_relation.setdefault(fact.relation, [0, 0])[what == "removed"] += 1

    relations = _merge(left.relations().values(), right.relations().values(), key=lambda r: r.name, show=_relation)
    entities = _merge(left.entities(), right.entities(), key=lambda e: e.uid, show=_entity)
    facts = _merge(left.facts(), right.facts(), key=lambda f: f.key, show=_fact, on_difference=count)
    return DiffReport(
        left=left.label,
        right=right.label,
        left_digest=digests[0],
        right_digest=digests[1],
        relations=relations,
        entities=entities,
        facts=facts,
        by_relation={name: (counts[0], counts[1]) for name, counts in sorted(by_relation.items())},
    )


def _merge(
    left: Iterable[T],
    right: Iterable[T],
    *,
    key: Callable[[T], Any],
    show: Callable[[T | None, T | None], str],
    on_difference: Callable[[str, T], None] | None = None,
) -> Difference:
    """Walk two sequences that are sorted by ``key`` side by side."""
    tally = _Tally()
    ours, theirs = iter(left), iter(right)
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        step = _compare(one, other, key)
        if step < 0:
            what, example, item = "removed", show(one, None), one
        elif step > 0:
            what, example, item = "added", show(None, other), other
        else:
            what, example, item = "changed", show(one, other), other
        if step == 0 and one == other:
            tally.same += 1
        else:
            tally.note(what, example)
            if on_difference is not None and item is not None:
                on_difference(what, item)
        one = next(ours, None) if step <= 0 else one
        other = next(theirs, None) if step >= 0 else other
    return tally.result()


def _compare(one: T | None, other: T | None, key: Callable[[T], Any]) -> int:
    """Which comes first: negative = the left one, positive = the right one, 0 = they have the same key."""
    if one is None or other is None:
        return 1 if one is None else -1
    ours, theirs = key(one), key(other)
    return int(ours > theirs) - int(ours < theirs)


def _relation(one: Relation | None, other: Relation | None) -> str:
    if one is None or other is None:
        return (one or other).name  # type: ignore[union-attr]  # one of them is there
    parts = [name for name in ("rel_type", "domain_type", "range_type", "traits") if _differs(one, other, name)]
    if one.templates != other.templates:
        parts.append("templates")
    return f"{one.name}: {', '.join(parts)}"


def _differs(one: Relation, other: Relation, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _entity(one: EntityRow | None, other: EntityRow | None) -> str:
    if one is not None and other is not None:
        parts = [
            f"{name} {getattr(one, name)!r} -> {getattr(other, name)!r}"
            for name in ("name", "type", "domain", "aliases")
            if getattr(one, name) != getattr(other, name)
        ]
        return f"{one.uid}: {'; '.join(parts)}"
    present = one or other
    return "" if present is None else f"{present.uid} ({present.name})"


def _fact(one: Fact | None, other: Fact | None) -> str:
    present = one or other
    if present is None:
        return ""
    text = f"({present.subject})-[{present.relation}]->({present.object})"
    if one is not None and other is not None:
        return f"{text}: source {one.source!r} -> {other.source!r}"
    return text
