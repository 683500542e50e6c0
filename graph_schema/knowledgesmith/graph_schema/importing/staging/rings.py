"""Rings of transitive relations that order no hierarchy: by the relation's own meaning all their members are one.

A part of a part of itself is hardly what a file means to say, but nothing tells which fact is wrong: every one is kept,
and the report names a way round. The rings of the hierarchy are told with its levels (``stage_findings.tell_cycles``).
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, cast

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from knowledgesmith.graph_schema.importing.reading.findings import FindingKind, Findings
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.staging.findings import PlaceOf
from knowledgesmith.graph_schema.types.facts import Relation

_MEMBERS: Final = 8
"""Members of a ring that are shown."""
_ARROW: Final = " \u2192 "


def tell_rings(
    database: sqlite3.Connection,
    relations: Mapping[str, Relation],
    ids: Mapping[str, int],
    findings: Findings,
    place_of: PlaceOf,
) -> None:
    """Note each ring and each fact of a thing with itself: 16 bytes a fact of one such relation in memory.

    ``relations`` is the completed catalogue, ``ids`` has the numbers of its relations in the table ``fact``.
    """
    told: set[str] = set()
    for name, relation in relations.items():
        traits, inverse = relation.traits, relation.traits.inverse_of
        if not traits.transitive or traits.symmetric or traits.hierarchical or name in told:
            continue
        if inverse is not None:
            if relations[inverse].traits.hierarchical:
                continue
            told.add(inverse)
        _tell(database, findings, place_of, name, (ids[name], ids[inverse] if inverse is not None else 0))


def _tell(
    database: sqlite3.Connection, findings: Findings, place_of: PlaceOf, name: str, numbers: tuple[int, int]
) -> None:
    rows = database.execute(
        "SELECT subject, object FROM fact WHERE relation = ? UNION SELECT object, subject FROM fact WHERE relation = ?",
        numbers,
    )
    links = np.fromiter(rows, dtype=np.dtype((np.int64, 2)))
    if not len(links):
        return
    for one in links[links[:, 0] == links[:, 1], 0].tolist():
        text = f"{_named(database, one)} {name} itself; the fact is kept, and nothing follows from it"
        findings.add(_place(database, place_of, numbers, one, one), FindingKind.CYCLE, text)
    nodes, compact = np.unique(links, return_inverse=True)
    edges = compact.reshape(-1, 2)
    matrix = csr_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(len(nodes), len(nodes)))
    _, parts = cast("tuple[int, Any]", connected_components(matrix, directed=True, connection="strong"))
    rings: dict[int, dict[int, list[int]]] = {}
    for subject, obj in edges[parts[edges[:, 0]] == parts[edges[:, 1]]].tolist():
        if subject != obj:
            rings.setdefault(int(parts[subject]), {}).setdefault(int(nodes[subject]), []).append(int(nodes[obj]))
    for onward in sorted(rings.values(), key=min):
        way = _way_round(onward)
        shown = [_named(database, one) for one in way[:_MEMBERS]]
        middle = [f"{len(way) - _MEMBERS} more"] if len(way) > _MEMBERS else []
        text = f"{_ARROW.join([*shown, *middle, shown[0]])} by {name}; {len(onward)} in all, every fact is kept"
        findings.add(_place(database, place_of, numbers, way[0], way[1]), FindingKind.CYCLE, text)


def _way_round(onward: Mapping[int, list[int]]) -> list[int]:
    """The shortest way from the smallest member back to it."""
    start = min(onward)
    before: dict[int, int] = {}
    todo = deque([start])
    while todo:
        here = todo.popleft()
        for following in sorted(onward.get(here, ())):
            if following == start:
                way = [here]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if following not in before:
                before[following] = here
                todo.append(following)
    return [start]


def _named(database: sqlite3.Connection, entity: int) -> str:
    uid, name = database.execute("SELECT uid, name FROM entity WHERE id = ?", (entity,)).fetchone()
    return quote(name) if name == uid else f"{quote(name)} ({quote(uid)})"


def _place(database: sqlite3.Connection, place_of: PlaceOf, numbers: tuple[int, int], subject: int, obj: int) -> Any:
    found = database.execute(
        "SELECT file, record FROM fact WHERE (relation = ? AND subject = ? AND object = ?) "
        "OR (relation = ? AND subject = ? AND object = ?) ORDER BY file, record LIMIT 1",
        (numbers[0], subject, obj, numbers[1], obj, subject),
    ).fetchone()
    return place_of(*found)
