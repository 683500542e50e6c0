"""Counts over all facts of a graph, aggregated by Cypher page by page: what suggestions are worked out from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from knowledgesmith.graph_schema.storage.store import GraphStore, Row

_PAGE: Final = 10_000
MAX_DEGREE: Final = 2_000
"""An entity that more facts leave is no start of a measured way of two facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How one relation meets the entities on one side."""

    entities: int = 0
    several: int = 0
    """Entities with more than one other end."""
    facts: int = 0
    loops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Everything counted; keys are relationship types.

    ``mirrors[(r, s)]``: facts of r that a fact of s answers the other way round. ``ways[(r, s)]``: ways a -r-> b -s-> c
    with a, b, c different. ``closed[(r, s, t)]``: those of them with a -t-> c. ``types[(r, subject type, object
    type)]``: facts.
    """

    outgoing: dict[str, Ends]
    incoming: dict[str, Ends]
    mirrors: Counter[tuple[str, str]]
    ways: Counter[tuple[str, str]]
    closed: Counter[tuple[str, str, str]]
    types: Counter[tuple[str, str, str]]


def count(store: GraphStore, graph_id: str) -> Counts:
    """Count a graph's facts; time grows with facts and their ways of two, memory with the number of relations."""
    outgoing, incoming = _ends(store, graph_id)
    mirrors: Counter[tuple[str, str]] = Counter()
    ways: Counter[tuple[str, str]] = Counter()
    closed: Counter[tuple[str, str, str]] = Counter()
    types: Counter[tuple[str, str, str]] = Counter()
    for row in _pages(store, "suggesting/mirrors", graph_id):
        mirrors.update({(there, back): n for there, back, n in row["pairs"]})
    for row in _pages(store, "suggesting/paths", graph_id):
        ways.update({(one, two): n for one, two, n in row["pairs"]})
    for row in _pages(store, "suggesting/triangles", graph_id, max_degree=MAX_DEGREE):
        closed.update({(one, two, closing): n for one, two, closing, n in row["triples"]})
    for row in _pages(store, "suggesting/types", graph_id):
        types.update({(kind, subject or "", obj or ""): n for kind, subject, obj, n in row["triples"]})
    for pair, n in mirrors.items():
        ways[pair] -= n  # those lead back to their start
    return Counts(outgoing=outgoing, incoming=incoming, mirrors=mirrors, ways=ways, closed=closed, types=types)


def _ends(store: GraphStore, graph_id: str) -> tuple[dict[str, Ends], dict[str, Ends]]:
    sides: tuple[dict[str, Ends], dict[str, Ends]] = ({}, {})
    for row in _pages(store, "suggesting/degrees", graph_id):
        for side, rows in zip(sides, (row["outgoing"], row["incoming"]), strict=True):
            for kind, entities, several, facts, loops in rows:
                known = side.get(kind, Ends())
                side[kind] = Ends(
                    entities=known.entities + entities,
                    several=known.several + several,
                    facts=known.facts + facts,
                    loops=known.loops + loops,
                )
    return sides


def _pages(store: GraphStore, query: str, graph_id: str, **params: Any) -> Iterator[Row]:
    after = ""
    while True:
        row = store.read(query, graph_id=graph_id, after=after, limit=_PAGE, **params)[0]
        yield row
        if row["seen"] < _PAGE:
            return
        after = row["last"]
