"""Levels of the entities of an archive, computed outside the database as an import does: its memory stays bounded."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from knowledgesmith.graph_schema.archive.read import Archive, Sized
from knowledgesmith.graph_schema.importing.staging.levels import LEVELS, settle_levels

_SCHEMA: Final = """
CREATE TABLE relation (id INTEGER PRIMARY KEY, name TEXT NOT NULL, to_parent INTEGER NOT NULL,
                       to_child INTEGER NOT NULL);
CREATE TABLE entity (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, level INTEGER NOT NULL DEFAULT 0,
                     depth INTEGER);
CREATE TABLE fact (subject INTEGER NOT NULL, relation INTEGER NOT NULL, object INTEGER NOT NULL);
CREATE TABLE link (parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID;
"""
_FACT: Final = """
INSERT INTO fact SELECT s.id, r.id, o.id FROM entity s, relation r, entity o
WHERE s.uid = ? AND r.name = ? AND o.uid = ?
"""
_LINK_BYTES: Final = 100


class ArchiveLevels:
    """Level and depth of every entity of a checked archive, and the links of its hierarchy. A context manager."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._folder = tempfile.TemporaryDirectory(prefix="ksmith-load-")
        self._database = sqlite3.connect(Path(self._folder.name) / "levels.sqlite", isolation_level=None)
        self._settled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def entities(self) -> Iterator[Sized]:
        """The rows of the archive's entities, by uid, with label and depth behind."""
        self._settle()
        levels = self._database.execute("SELECT level, depth FROM entity ORDER BY id")
        for (size, row), (level, depth) in zip(self._archive.sized("entities.jsonl"), levels, strict=True):
            yield size, [*row, LEVELS[level], depth]

    def links(self) -> Iterator[Sized]:
        """(uid of the parent, uid of the child) in the order of uids."""
        self._settle()
        rows = self._database.execute(
            "SELECT p.uid, c.uid FROM link l JOIN entity p ON p.id = l.parent JOIN entity c ON c.id = l.child "
            "ORDER BY l.parent, l.child"
        )
        for parent, child in rows:
            yield _LINK_BYTES, [parent, child]

    def _settle(self) -> None:
        if self._settled:
            return
        database = self._database
        for pragma in ("journal_mode = OFF", "synchronous = OFF"):
            database.execute(f"PRAGMA {pragma}")
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        database.executemany("INSERT INTO entity (uid) VALUES (?)", ((row.uid,) for row in self._archive.entities()))
        relations = self._hierarchical()
        database.executemany("INSERT INTO relation (name, to_parent, to_child) VALUES (?, ?, ?)", relations)
        names = {str(row[0]) for row in relations}
        if names:
            facts = (fact.key for fact in self._archive.facts() if fact.relation in names)
            database.executemany(_FACT, facts)
        settle_levels(database)
        self._settled = True

    def _hierarchical(self) -> list[tuple[Any, ...]]:
        """Relations that point to the parent, and those (their inverses) that point to the child."""
        catalogue = self._archive.catalogue()
        up = {name for name, relation in catalogue.items() if relation.traits.hierarchical}
        down = {name for name, relation in catalogue.items() if relation.traits.inverse_of in up}
        return [(name, name in up, name in down) for name in sorted(up | down)]
