"""What must be written to turn the stored graph into the staged one; both lie in the staging database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from knowledgesmith.graph_schema.importing.staging.levels import LEVELS
from knowledgesmith.graph_schema.importing.staging.staging import Progress, Staging
from knowledgesmith.graph_schema.storage.store import GraphStore, Row
from knowledgesmith.graph_schema.types.digests import prefixed
from knowledgesmith.graph_schema.types.facts import fact_id_from_keys

PAGE: Final = 2_000
"""Stored entities that are read at once, with the facts that start at them."""
MAX_EXAMPLES: Final = 20
"""Examples of each sort of difference in a report."""
_SCHEMA: Final = """
CREATE TABLE stored_entity (uid TEXT PRIMARY KEY, name TEXT, type TEXT, domain TEXT, aliases TEXT, retired INTEGER,
                            level TEXT, depth INTEGER, element TEXT) WITHOUT ROWID;
CREATE TABLE stored_fact (subject TEXT, rel_type TEXT, object TEXT, source TEXT, element TEXT, fact_id TEXT);
CREATE TABLE stored_link (parent TEXT, child TEXT, element TEXT);
CREATE TABLE kept_fact (subject INTEGER, relation INTEGER, object INTEGER, source TEXT, element TEXT,
                        PRIMARY KEY (subject, relation, object)) WITHOUT ROWID;
CREATE TABLE kept_link (parent INTEGER, child INTEGER, element TEXT, PRIMARY KEY (parent, child)) WITHOUT ROWID;
"""
_KEEP: Final = """
INSERT OR IGNORE INTO kept_fact
SELECT f.subject, f.relation, f.object, p.source, p.element
FROM stored_fact p JOIN entity s ON s.uid = p.subject JOIN entity o ON o.uid = p.object
JOIN relation r ON r.rel_type = p.rel_type
JOIN fact f ON f.subject = s.id AND f.relation = r.id AND f.object = o.id
WHERE p.fact_id = fact_id_of(s.key, r.name, o.key)
ORDER BY p.element;
INSERT OR IGNORE INTO kept_link
SELECT l.parent, l.child, p.element
FROM stored_link p JOIN entity a ON a.uid = p.parent JOIN entity b ON b.uid = p.child
JOIN link l ON l.parent = a.id AND l.child = b.id
ORDER BY p.element;
CREATE INDEX kept_fact_element ON kept_fact (element);
CREATE INDEX kept_link_element ON kept_link (element);
UPDATE entity SET element = (SELECT element FROM stored_entity p WHERE p.uid = entity.uid);
"""
_CHANGED: Final = """
FROM entity e JOIN stored_entity p ON p.uid = e.uid
WHERE p.retired OR p.name IS NOT e.name OR p.type IS NOT e.type OR p.domain IS NOT e.domain
   OR p.aliases IS NOT e.aliases OR p.depth IS NOT e.depth
   OR p.level IS NOT CASE e.level WHEN 0 THEN 'Leaf' WHEN 1 THEN 'Intermediate' ELSE 'Root' END
"""
_RETIRED: Final = "FROM stored_entity p WHERE NOT p.retired AND NOT EXISTS (SELECT 1 FROM entity e WHERE e.uid = p.uid)"
_REMOVED: Final = "FROM stored_fact p WHERE NOT EXISTS (SELECT 1 FROM kept_fact k WHERE k.element = p.element)"
_RESOURCED: Final = """
FROM kept_fact k JOIN fact f ON f.subject = k.subject AND f.relation = k.relation AND f.object = k.object
WHERE f.source IS NOT k.source
"""
_NEW_FACT: Final = """
FROM fact f CROSS JOIN entity s ON s.id = f.subject CROSS JOIN entity o ON o.id = f.object
LEFT JOIN kept_fact k ON k.subject = f.subject AND k.relation = f.relation AND k.object = f.object
WHERE k.subject IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows a difference has; ``levels_changed`` counts entities and links that only moved in the hierarchy."""

    entities_created: int
    entities_matched: int
    entities_changed: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    facts_resourced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The first entities (by uid) and facts (by subject, relation, object, as texts) of each sort of difference."""

    entities_created: tuple[str, ...] = ()
    entities_changed: tuple[str, ...] = ()
    entities_retired: tuple[str, ...] = ()
    facts_created: tuple[tuple[str, str, str], ...] = ()
    facts_removed: tuple[tuple[str, str, str], ...] = ()


class Difference:
    """The stored graph beside the staged one.

    Args:
        staging: settled.
        graph_id: the graph.
    """

    def __init__(self, staging: Staging, graph_id: str) -> None:
        self._staging = staging
        self._database: sqlite3.Connection = staging.database
        self._graph_id = graph_id
        self._database.executescript(_SCHEMA)
        # relations of other names may share a relationship type: a stored fact is this one only if its id says so
        self._database.create_function("fact_id_of", 3, _fact_ids(graph_id), deterministic=True)
        self._database.execute("BEGIN")
        self.is_new = True

    def read_stored(self, store: GraphStore, *, progress: Progress) -> None:
        """Read the stored graph page by page; nothing to do where there is none.

        Raises:
            GraphUnavailable: the database does not answer.
        """
        after, seen = "", 0
        while rows := store.read("importing/stored", graph_id=self._graph_id, after=after, limit=PAGE):
            self._take(rows)
            after, seen = rows[-1]["uid"], seen + len(rows)
            progress("compare", seen)
        self.is_new = not seen
        if seen:
            for statement in _KEEP.split(";"):
                self._database.execute(statement)

    def counts(self) -> Counts:
        """Numbers of the difference."""
        entities, facts = self._staging.entities, self._staging.facts
        kept = self._number("FROM kept_fact")
        known = 0 if self.is_new else self._number("FROM entity WHERE element IS NOT NULL")
        return Counts(
            entities_created=entities - known,
            entities_matched=known,
            entities_changed=self._number(_CHANGED),
            entities_retired=self._number(_RETIRED),
            facts_created=facts - kept,
            facts_matched=kept,
            facts_removed=self._number(_REMOVED),
            facts_resourced=self._number(_RESOURCED),
        )

    def examples(self) -> Examples:
        """The first ones of each sort."""
        return Examples(
            entities_created=self._uids("SELECT uid FROM entity WHERE element IS NULL ORDER BY id"),
            entities_changed=self._uids(f"SELECT e.uid {_CHANGED} ORDER BY e.id"),
            entities_retired=self._uids(f"SELECT p.uid {_RETIRED} ORDER BY p.uid"),
            facts_created=self._keys(
                "SELECT s.uid, (SELECT name FROM relation WHERE id = f.relation), o.uid "  # noqa: S608 - constants
                f"{_NEW_FACT} ORDER BY f.subject, f.relation, f.object"
            ),
            facts_removed=self._keys(
                "SELECT p.subject, coalesce((SELECT name FROM relation r WHERE r.rel_type = p.rel_type), p.rel_type), "  # noqa: S608 - constants
                f"p.object {_REMOVED} ORDER BY 1, 2, 3"
            ),
        )

    def new_entities(self) -> Iterator[tuple[int, list[Any]]]:
        """Number in the staging, and the row of ``entities_create``."""
        rows = self._database.execute(
            "SELECT id, uid, name, type, domain, aliases, level, depth FROM entity WHERE element IS NULL ORDER BY id"
        )
        for number, uid, name, kind, domain, aliases, level, depth in rows:
            yield number, [uid, name, kind, domain, _list(aliases), LEVELS[level], depth]

    def changed_entities(self) -> Iterator[list[Any]]:
        """Rows of ``entities_update``."""
        rows = self._database.execute(
            f"SELECT p.element, e.name, e.type, e.domain, e.aliases, e.level, e.depth {_CHANGED} ORDER BY e.id"
        )
        for element, name, kind, domain, aliases, level, depth in rows:
            yield [element, name, kind, domain, _list(aliases), LEVELS[level], depth]

    def retired_entities(self) -> Iterator[str]:
        """Element ids."""
        return self._elements(f"SELECT p.element {_RETIRED} ORDER BY p.uid")

    def removed_facts(self) -> Iterator[str]:
        """Element ids."""
        return self._elements(f"SELECT p.element {_REMOVED} ORDER BY p.subject")

    def new_facts(self) -> Iterator[list[Any]]:
        """Rows of ``facts_create``, by subject, relation and object; entities must be written before."""
        relations = {
            number: (prefixed(name), rel_type)
            for number, name, rel_type in self._database.execute("SELECT id, name, rel_type FROM relation")
        }
        graph = prefixed(self._graph_id)
        rows = self._database.execute(
            f"SELECT s.element, o.element, f.relation, s.key, o.key, f.source {_NEW_FACT} "
            "ORDER BY f.subject, f.relation, f.object"
        )
        for subject, obj, relation, subject_key, object_key, source in rows:
            name, rel_type = relations[relation]
            yield [subject, obj, rel_type, fact_id_from_keys(graph, subject_key, name, object_key), source]

    def resourced_facts(self) -> Iterator[list[Any]]:
        """Rows of ``facts_source``."""
        for element, source in self._database.execute(f"SELECT k.element, f.source {_RESOURCED}"):
            yield [element, source]

    def new_links(self) -> Iterator[list[Any]]:
        """Rows of ``links_create``; entities must be written before."""
        rows = self._database.execute(
            "SELECT a.element, b.element FROM link l CROSS JOIN entity a ON a.id = l.parent "
            "CROSS JOIN entity b ON b.id = l.child "
            "LEFT JOIN kept_link k ON k.parent = l.parent AND k.child = l.child WHERE k.parent IS NULL "
            "ORDER BY l.parent, l.child"
        )
        for parent, child in rows:
            yield [parent, child]

    def removed_links(self) -> Iterator[str]:
        """Element ids."""
        return self._elements(
            "SELECT p.element FROM stored_link p "
            "WHERE NOT EXISTS (SELECT 1 FROM kept_link k WHERE k.element = p.element) ORDER BY p.parent"
        )

    def written(self, elements: list[tuple[str, int]]) -> None:
        """Note the element ids of entities that were created."""
        self._database.executemany("UPDATE entity SET element = ? WHERE id = ?", elements)

    def _take(self, rows: list[Row]) -> None:
        self._database.executemany(
            "INSERT INTO stored_entity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    row["uid"],
                    row["name"],
                    row["type"],
                    row["domain"],
                    json.dumps(row["aliases"], ensure_ascii=False),
                    row["retired"],
                    "|".join(row["level"]),
                    row["depth"],
                    row["element"],
                )
                for row in rows
            ),
        )
        self._database.executemany(
            "INSERT INTO stored_fact VALUES (?, ?, ?, ?, ?, ?)",
            ((row["uid"], *fact) for row in rows for fact in row["facts"]),
        )
        self._database.executemany(
            "INSERT INTO stored_link VALUES (?, ?, ?)", ((row["uid"], *link) for row in rows for link in row["links"])
        )

    def _number(self, source: str) -> int:
        if self.is_new:
            return 0
        return int(self._database.execute(f"SELECT COUNT(*) {source}").fetchone()[0])

    def _elements(self, query: str) -> Iterator[str]:
        for (element,) in self._database.execute(query):
            yield element

    def _uids(self, query: str) -> tuple[str, ...]:
        return tuple(row[0] for row in self._database.execute(f"{query} LIMIT {MAX_EXAMPLES}"))

    def _keys(self, query: str) -> tuple[tuple[str, str, str], ...]:
        rows = self._database.execute(f"{query} LIMIT {MAX_EXAMPLES}")
        return tuple((subject, relation, obj) for subject, relation, obj in rows)


def _fact_ids(graph_id: str) -> Callable[[bytes, str, bytes], str]:
    """The id of a fact from the keys of its ends and the name of its relation."""
    graph, names = prefixed(graph_id), cache(prefixed)
    return lambda subject, relation, obj: fact_id_from_keys(graph, subject, names(relation), obj)


def _list(text: str) -> list[str]:
    return [] if text == "[]" else list(json.loads(text))
