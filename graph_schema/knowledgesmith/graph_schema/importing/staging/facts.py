"""Facts between known entities: references resolved, doubles joined, traits kept.

A fact of a symmetric relation, or of a relation with an inverse, can be written in two ways. Where both are there, one
is kept: the way of the hierarchical, else the functional, else the alphabetically first relation; for symmetric
relations the alphabetically first subject. Of facts that contradict a functional or inverse-functional relation, the
alphabetically first (by subject, then object, of the kept way) stays. So nothing depends on the order of records.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final

from knowledgesmith.graph_schema.importing.reading.findings import FindingKind, Findings
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.staging.findings import PlaceOf, tell_doubles
from knowledgesmith.graph_schema.importing.staging.relations import StagedCatalogue
from knowledgesmith.graph_schema.types.cases import Place

Reject = Callable[[int, int, str], None]
"""Called with the number of the file, the record, and the reason."""
DEFAULT_TYPE: Final = "Entity"
"""Type of an entity when neither its record nor its relations name one."""
_BY_NAME: Final = 1
_SHOWN: Final = 5
_BATCH: Final = 10_000
_BIND: Final = """
CREATE TEMP TABLE bound AS
SELECT s.id AS subject, r.id AS relation, o.id AS object, f.rowid AS raw
FROM raw_fact f JOIN relation r ON r.staged = f.relation
LEFT JOIN entity s ON s.uid = f.subject LEFT JOIN entity o ON o.uid = f.object
"""
# Of doubles with different sources the first in alphabetical order stays.
_STORE: Final = """
INSERT OR IGNORE INTO fact
SELECT b.subject, b.relation, b.object, f.source, f.file, f.record
FROM bound b CROSS JOIN raw_fact f ON f.rowid = b.raw
WHERE b.subject IS NOT NULL AND b.object IS NOT NULL
ORDER BY b.subject, b.relation, b.object, f.source, f.file, f.record
"""
# The subject and object of the canonical relation, whichever way the fact is written.
_CHECKED: Final = """
CREATE TEMP TABLE checked AS
SELECT r.canonical AS relation,
       CASE WHEN r.symmetric THEN MIN(f.subject, f.object) WHEN r.first THEN f.subject ELSE f.object END AS one,
       CASE WHEN r.symmetric THEN MAX(f.subject, f.object) WHEN r.first THEN f.object ELSE f.subject END AS other,
       f.subject, f.relation AS written, f.object, f.file, f.record
FROM fact f JOIN relation r ON r.id = f.relation
WHERE r.functional OR r.inverse_functional
"""
_INFER: Final = """
UPDATE entity SET type = t.type FROM (
  SELECT id, MIN(type) AS type FROM (
    SELECT f.subject AS id, r.domain_type AS type FROM fact f JOIN relation r ON r.id = f.relation
    WHERE r.domain_type <> ''
    UNION ALL
    SELECT f.object, r.range_type FROM fact f JOIN relation r ON r.id = f.relation WHERE r.range_type <> ''
  ) GROUP BY id
) t WHERE entity.id = t.id AND entity.type = ''
"""


def settle_facts(
    database: sqlite3.Connection, reject: Reject, catalogue: StagedCatalogue, findings: Findings, place_of: PlaceOf
) -> None:
    """Fill the table ``fact`` and the types of entities; doubles and contradictions are findings."""
    _reject_unusable_relations(database, reject, catalogue)
    database.execute(_BIND)
    _bind_names(database, reject)
    database.execute(_STORE)
    stored = database.execute("SELECT COUNT(*) FROM fact").fetchone()[0]
    tell_doubles(database, findings, place_of, stored)
    database.execute("DROP TABLE bound")
    database.execute("DROP TABLE raw_fact")
    _reject_own_parents(database, reject)
    if second := _drop_second_ways(database):
        text = "facts that are also stated the other way round, by a symmetric relation or an inverse"
        findings.add(Place(file="(all files)"), FindingKind.DOUBLED, text, count=second)

    def contradicted(file: int, record: int, reason: str) -> None:
        findings.add(place_of(file, record), FindingKind.CONTRADICTORY, reason)
        reject(file, record, reason)

    _Contradictions(database, contradicted).remove()
    if database.execute("SELECT 1 FROM relation WHERE domain_type <> '' OR range_type <> '' LIMIT 1").fetchone():
        database.execute(_INFER)
    database.execute("UPDATE entity SET type = ? WHERE type = ''", (DEFAULT_TYPE,))


def _reject_unusable_relations(database: sqlite3.Connection, reject: Reject, catalogue: StagedCatalogue) -> None:
    if not catalogue.rejected:
        return
    rows = database.execute("SELECT relation, file, record FROM raw_fact")
    for number, file, record in rows:
        if number in catalogue.rejected:
            reject(file, record, f"its relation {quote(catalogue.rejected[number])} was rejected")


def _bind_names(database: sqlite3.Connection, reject: Reject) -> None:
    """Ends that are nobody's uid: the name of one entity where the fact allows it, else the fact is rejected."""
    left = database.execute(
        "SELECT b.rowid, b.subject, b.object, f.subject, f.object, f.flags, f.file, f.record "
        "FROM bound b CROSS JOIN raw_fact f ON f.rowid = b.raw WHERE b.subject IS NULL OR b.object IS NULL"
    )
    names = _Names(database)
    bound: list[tuple[int, int, int]] = []
    for row, subject, obj, subject_text, object_text, flags, file, record in left:
        ends = (("subject", subject, subject_text), ("object", obj, object_text))
        found: list[int] = []
        for what, number, text in ends:
            if number is not None:
                found.append(number)
                continue
            match = names.find(text, what) if flags & _BY_NAME else f"{what} {quote(text)} is no entity's uid"
            if isinstance(match, str):
                reject(file, record, match)
                break
            found.append(match)
        if len(found) == len(ends):
            bound.append((found[0], found[1], row))
        if len(bound) >= _BATCH:
            _rebind(database, bound)
    _rebind(database, bound)


def _rebind(database: sqlite3.Connection, bound: list[tuple[int, int, int]]) -> None:
    # Rows that are bound leave the set that is being read; those read later are unchanged.
    database.executemany("UPDATE bound SET subject = ?, object = ? WHERE rowid = ?", bound)
    bound.clear()


class _Names:
    """Entities by name; the index is only made when a fact needs it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._indexed = False

    def find(self, text: str, what: str) -> int | str:
        """The only entity of this name, or what is wrong."""
        if not self._indexed:
            self._database.execute("CREATE INDEX entity_name ON entity (name)")
            self._indexed = True
        rows = self._database.execute(
            "SELECT id, uid FROM entity WHERE name = ? ORDER BY uid LIMIT ?", (text, _SHOWN)
        ).fetchall()
        if len(rows) == 1:
            return int(rows[0][0])
        if not rows:
            return f"{what} {quote(text)} is no entity's uid or name"
        some = ", ".join(quote(uid) for _, uid in rows)
        return f"{what} {quote(text)} is the name of several entities; use a uid: {some}"


def _reject_own_parents(database: sqlite3.Connection, reject: Reject) -> None:
    rows = database.execute(
        "SELECT e.uid, r.name, f.file, f.record FROM fact f JOIN relation r ON r.id = f.relation "
        "JOIN entity e ON e.id = f.subject WHERE f.subject = f.object AND (r.to_parent OR r.to_child)"
    )
    for uid, name, file, record in rows:
        reject(file, record, f"{quote(uid)} cannot be its own parent by {quote(name)}")
    database.execute(
        "DELETE FROM fact WHERE subject = object AND relation IN (SELECT id FROM relation WHERE to_parent OR to_child)"
    )


def _drop_second_ways(database: sqlite3.Connection) -> int:
    """Keep one of two ways of writing a fact; returns how many went."""
    dropped = 0
    if database.execute("SELECT 1 FROM relation WHERE symmetric LIMIT 1").fetchone():
        dropped += database.execute(
            "DELETE FROM fact WHERE subject > object AND relation IN (SELECT id FROM relation WHERE symmetric) "
            "AND EXISTS (SELECT 1 FROM fact g WHERE g.subject = fact.object AND g.relation = fact.relation "
            "AND g.object = fact.subject)"
        ).rowcount
    if database.execute("SELECT 1 FROM relation WHERE NOT first LIMIT 1").fetchone():
        dropped += database.execute(
            "DELETE FROM fact WHERE relation IN (SELECT id FROM relation WHERE NOT first) AND EXISTS ("
            "SELECT 1 FROM fact g WHERE g.subject = fact.object "
            "AND g.relation = (SELECT twin FROM relation r WHERE r.id = fact.relation) AND g.object = fact.subject)"
        ).rowcount
    return dropped


class _Contradictions:
    """Removes facts that give a functional relation a second object, or an inverse-functional one a second subject."""

    def __init__(self, database: sqlite3.Connection, reject: Reject) -> None:
        self._database = database
        self._reject = reject
        self._removed: list[tuple[int, int, int]] = []

    def remove(self) -> None:
        """One pass in the order of (relation, subject, object)."""
        database = self._database
        if not database.execute("SELECT 1 FROM relation WHERE functional OR inverse_functional LIMIT 1").fetchone():
            return
        database.execute(_CHECKED)
        database.execute(
            "CREATE TEMP TABLE claim (relation INTEGER, side INTEGER, entity INTEGER, other INTEGER, file INTEGER, "
            "record INTEGER, PRIMARY KEY (relation, side, entity)) WITHOUT ROWID"
        )
        for row in self._rows():
            self._take(*row)
            if len(self._removed) >= _BATCH:
                self._delete()
        self._delete()
        database.execute("DROP TABLE claim")
        database.execute("DROP TABLE checked")

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        return self._database.execute(
            "SELECT c.relation, c.one, c.other, r.symmetric, r.functional, r.inverse_functional, c.subject, c.written, "
            "c.object, c.file, c.record FROM checked c JOIN relation r ON r.id = c.relation "
            "ORDER BY c.relation, c.one, c.other"
        )

    def _take(
        self,
        relation: int,
        one: int,
        other: int,
        symmetric: int,
        functional: int,
        inverse: int,
        subject: int,
        written: int,
        obj: int,
        file: int,
        record: int,
    ) -> None:
        # A functional symmetric relation pairs entities: both ends claim a partner on the same side.
        claims = [(0, one, other)] if functional or symmetric else []
        if symmetric:
            claims.append((0, other, one))
        elif inverse:
            claims.append((1, other, one))
        for side, entity, partner in claims:
            found = self._database.execute(
                "SELECT other, file, record FROM claim WHERE relation = ? AND side = ? AND entity = ?",
                (relation, side, entity),
            ).fetchone()
            if found is not None and found[0] != partner:
                # As the rejected fact is written: its subject has another object, or its object another subject.
                self._name(written, subject, obj, entity, found, file, record)
                self._removed.append((subject, written, obj))
                return
        self._database.executemany(
            "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?, ?, ?)",
            [(relation, side, entity, partner, file, record) for side, entity, partner in claims],
        )

    def _name(
        self, written: int, subject: int, obj: int, claimed: int, found: tuple[int, int, int], file: int, record: int
    ) -> None:
        name = self._database.execute("SELECT name FROM relation WHERE id = ?", (written,)).fetchone()[0]
        kept, where = self._uid(found[0]), self._place(found[1], found[2])
        if claimed == subject:
            reason = (
                f"{quote(name)} has one object a subject, but {quote(self._uid(subject))} has {quote(kept)} ({where}) "
                f"and {quote(self._uid(obj))}"
            )
        else:
            reason = (
                f"{quote(name)} has one subject an object, but {quote(self._uid(obj))} has {quote(kept)} ({where}) "
                f"and {quote(self._uid(subject))}"
            )
        self._reject(file, record, reason)

    def _uid(self, number: int) -> str:
        return str(self._database.execute("SELECT uid FROM entity WHERE id = ?", (number,)).fetchone()[0])

    def _place(self, file: int, record: int) -> str:
        found = self._database.execute("SELECT name FROM file WHERE id = ?", (file,)).fetchone()
        return f"{found[0]}:{record}" if found else ""

    def _delete(self) -> None:
        self._database.executemany("DELETE FROM fact WHERE subject = ? AND relation = ? AND object = ?", self._removed)
        self._removed.clear()
