"""One entity a uid out of all records that speak of it, in sorted order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final

from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.staging.findings import Merges
from knowledgesmith.graph_schema.types.digests import prefixed

Reject = Callable[[int, int, str], None]
"""Called with the number of the file, the record, and the reason."""
DECLARED: Final = 0
MERGED: Final = 1
MISSING: Final = 2
"""An end of a fact that no record describes."""
_BATCH: Final = 5_000
# Ends that may be created: those that are nobody's uid, nor (where facts name by name) anybody's name.
_MISSING: Final = """
INSERT INTO raw_entity
SELECT DISTINCT {end}, {end}_name, '', '', '[]', 2, 0, 0 FROM raw_fact f
WHERE flags & 2 AND NOT EXISTS (SELECT 1 FROM known k WHERE k.uid = f.{end})
  AND NOT (flags & 1 AND EXISTS (SELECT 1 FROM known_name k WHERE k.name = f.{end}))
"""
_Row = tuple[str, str, str, str, str, int, int, int]


def merge_entities(database: sqlite3.Connection, reject: Reject, merges: Merges, *, missing: bool) -> None:
    """Fill the table ``entity``; its ids follow the order of uids.

    Several records of a uid are merged where they allow it: aliases united, of names, types and domains the
    alphabetically first that is not empty. Of records that do not, the alphabetically first stays.
    """
    if missing:
        _add_missing(database)
    names = dict(database.execute("SELECT id, name FROM file"))
    rows = database.execute(
        "SELECT uid, name, type, domain, aliases, kind, file, record FROM raw_entity "
        "ORDER BY uid, kind, name, type, domain, aliases, file, record"
    )
    batch: list[tuple[Any, ...]] = []
    for number, (uid, group) in enumerate(groupby(rows, key=itemgetter(0)), start=1):
        batch.append((number, *_merged(uid, _usable(uid, group, names, reject), merges)))
        if len(batch) >= _BATCH:
            _insert(database, batch)
    _insert(database, batch)
    database.execute("CREATE UNIQUE INDEX entity_uid ON entity (uid)")
    database.execute("DROP TABLE raw_entity")
    merges.report(database)


def _add_missing(database: sqlite3.Connection) -> None:
    database.execute("CREATE TEMP TABLE known AS SELECT DISTINCT uid FROM raw_entity")
    database.execute("CREATE INDEX temp.known_uid ON known (uid)")
    database.execute("CREATE TEMP TABLE known_name AS SELECT DISTINCT name FROM raw_entity")
    database.execute("CREATE INDEX temp.known_name_text ON known_name (name)")
    for end in ("subject", "object"):
        database.execute(_MISSING.format(end=end))
    database.execute("DROP TABLE known")
    database.execute("DROP TABLE known_name")


def _insert(database: sqlite3.Connection, batch: list[tuple[Any, ...]]) -> None:
    database.executemany(
        "INSERT INTO entity (id, uid, name, type, domain, aliases, key) VALUES (?, ?, ?, ?, ?, ?, ?)", batch
    )
    batch.clear()


def _usable(uid: str, group: Iterator[_Row], files: dict[int, str], reject: Reject) -> Iterator[_Row]:
    """The records that make the entity: at most one that does not merge."""
    kept: _Row | None = None
    for row in group:
        if row[5] == DECLARED:
            if kept is not None:
                first = f"{files[kept[6]]}:{kept[7]}"
                reject(row[6], row[7], f"uid {quote(uid)} stands twice, {quote(kept[1])} of {first} is kept")
                continue
            kept = row
        elif row[5] == MISSING and kept is not None and kept[5] != MISSING:
            continue
        kept = kept or row
        yield row


def _merged(uid: str, rows: Iterator[_Row], merges: Merges) -> tuple[str, str, str, str, str, bytes]:
    """One entity out of its records, which are read one by one: a hub may have as many as the graph has facts."""
    key = prefixed(uid)
    first, second = next(rows), next(rows, None)
    if second is None:
        _, name, kind, domain, aliases, *_ = first
        name = name or uid
        merges.entity(uid, name, kind, *first[6:], missing=first[5] == MISSING)
        return uid, name, kind, domain, aliases if aliases == "[]" else _aliases(json.loads(aliases), name), key
    name = kind = domain = ""
    united: set[str] = set()
    names, types = set[str](), set[str]()
    for row in chain((first, second), rows):
        names.add(row[1])
        types.add(row[2])
        name, kind, domain = (_first(*pair) for pair in zip((name, kind, domain), row[1:4], strict=True))
        if row[4] != "[]":
            united.update(json.loads(row[4]))
    name = name or uid
    merges.differing(uid, names - {""}, types - {""}, name, *first[6:])
    merges.entity(uid, name, kind, *first[6:], missing=first[5] == MISSING)
    return uid, name, kind, domain, _aliases(sorted(united), name), key


def _first(one: str, other: str) -> str:
    """The alphabetically first that is not empty."""
    return min(one, other) if one and other else one or other


def _aliases(aliases: list[str], name: str) -> str:
    kept = dict.fromkeys(alias for alias in aliases if alias and alias != name)
    return json.dumps(list(kept), ensure_ascii=False)
