"""Reads a graph of any size page by page, in the order of uids: memory holds one page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from knowledgesmith.graph_schema.storage.store import GraphStore, Row
from knowledgesmith.graph_schema.types.facts import Fact, fact_id

PAGE: Final = 5_000
"""Entities a page; their facts come with them."""


class Reading(Protocol):
    """Runs a named reading query: ``GraphStore.read``, or ``Transaction.rows``."""

    def __call__(self, name: str, /, **params: object) -> list[Row]:
        """The rows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRow:
    """The description of an entity as it is stored; what it says is compared member by member."""

    uid: str
    name: str
    type: str
    domain: str
    aliases: tuple[str, ...]
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Whatever leaves an entity and is no link of the hierarchy; a sound one is an asserted fact of its graph."""

    subject: str
    rel_type: str
    object: str | None
    fact_id: str | None
    source: str
    graph_id: str | None
    object_graph: str | None
    leftover: bool

    @property
    def label(self) -> str:
        """How a finding writes it."""
        return f"({self.subject})-[{self.rel_type}]->({self.object})"


@dataclass(slots=True)
class FactsDigest:
    """The digest of a graph from its facts in order, without holding them: equals ``digests.graph_digest``."""

    _hash: Any = field(default_factory=hashlib.sha256)
    _last: tuple[str, str, str] | None = None

    def add(self, key: tuple[str, str, str]) -> None:
        """Take the next (subject, relation, object); a fact that stands twice counts once.

        Raises:
            ValueError: the keys do not come in order.
        """
        if self._last is not None and key <= self._last:
            if key == self._last:
                return
            raise ValueError("facts must come in the order of subject, relation, object")
        self._last = key
        for part in key:
            raw = part.encode()
            self._hash.update(len(raw).to_bytes(8, "big"))
            self._hash.update(raw)

    def hexdigest(self) -> str:
        """SHA-256 in hexadecimal of what was taken so far."""
        return str(self._hash.hexdigest())


def entities(store: GraphStore, graph_id: str) -> Iterator[EntityRow]:
    """All entities by uid, retired ones included."""
    after = ""
    while True:
        rows = store.read("graphs/page_entities", graph_id=graph_id, after=after, limit=PAGE)[0]["rows"]
        for uid, name, kind, domain, aliases, retired in rows:
            yield EntityRow(
                uid=uid, name=name, type=kind, domain=domain, aliases=tuple(aliases or ()), retired=bool(retired)
            )
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def leaving(read: Reading, graph_id: str) -> Iterator[list[Leaving]]:
    """All relationships that leave entities, a list a subject, by uid; ``read`` is a store's or a transaction's."""
    after = ""
    while True:
        rows = read("graphs/page_facts", graph_id=graph_id, after=after, limit=PAGE)[0]["rows"]
        for subject, facts in rows:
            yield [
                Leaving(
                    subject=subject,
                    rel_type=rel_type,
                    object=obj,
                    fact_id=fact,
                    source=source or "",
                    graph_id=own,
                    object_graph=other,
                    leftover=leftover,
                )
                for rel_type, obj, fact, source, own, other, leftover in facts
            ]
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def facts(read: Reading, graph_id: str, names: Mapping[str, str]) -> Iterator[Fact]:
    """The asserted facts by (subject, relation, object).

    Args:
        read: ``read`` of a store, or ``rows`` of a transaction.
        graph_id: the graph.
        names: relation names by relationship type; facts of other types are passed over.
    """
    for group in leaving(read, graph_id):
        found = {
            Fact(subject=row.subject, relation=names[row.rel_type], object=row.object, source=row.source)
            for row in group
            if row.rel_type in names and row.object is not None and row.fact_id is not None and row.graph_id == graph_id
        }
        yield from sorted(found)


def is_fact_id(row: Leaving, graph_id: str, relation: str) -> bool:
    """Whether the id of a fact is the hash of what it says."""
    return row.object is not None and row.fact_id == fact_id(graph_id, row.subject, relation, row.object)
