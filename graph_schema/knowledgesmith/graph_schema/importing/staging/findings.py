"""What the settled records of any format have in common to tell: doubles, merges, cycles, names that are alike.

Everything is read from the staging database in sorted order, so a report does not depend on the order of records.
Counts are whole; only examples are cut.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Final, cast

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from knowledgesmith.graph_schema.catalogue.wording_clashes import spelt_alike
from knowledgesmith.graph_schema.importing.reading.findings import MAX_EXAMPLES, FindingKind, Findings
from knowledgesmith.graph_schema.importing.reading.literals import LITERAL
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.language.name_keys import difference_of, name_key
from knowledgesmith.graph_schema.types.cases import Place

PlaceOf = Callable[[int, int], Place]
"""The place of a record from the number of its file and its own."""
_MEMBERS: Final = 8
"""Members of a cycle, names of a merge and uids of a name that are shown."""
_LINKS: Final = 1_000
"""Links of a cycle whose facts are looked up."""
_ARROW: Final = " \u2192 "
_NOWHERE: Final = Place(file="(all files)")


@dataclass
class Merges:
    """Notes of the merging of entities: those whose records differ, and those that have no name but their uid."""

    place_of: PlaceOf
    findings: Findings
    unnamed: int = 0
    named: int = 0
    ends: int = 0
    described: int = 0
    _unnamed: list[tuple[Place, str]] = field(default_factory=list[tuple[Place, str]])
    _ends: list[str] = field(default_factory=list[str])

    def differing(self, uid: str, names: set[str], types: set[str], kept: str, file: int, record: int) -> None:
        """The records of an entity have several names or types."""
        if len(names) < 2 and len(types) < 2:
            return
        parts = [
            f"{what} {', '.join(map(quote, nsmallest(_MEMBERS, values)))}"
            for what, values in (("names", names), ("types", types))
            if len(values) > 1
        ]
        text = f"{quote(uid)} has the {' and the '.join(parts)}; it is {quote(kept)}"
        self.findings.add(self.place_of(file, record), FindingKind.MERGED, text)

    def entity(self, uid: str, name: str, kind: str, file: int, record: int, *, missing: bool) -> None:
        """Note an entity after its records were merged; ``missing`` when only facts name it."""
        if missing:
            self.ends += 1
            if len(self._ends) < MAX_EXAMPLES:
                self._ends.append(uid)
        elif kind != LITERAL:
            self.described += 1
        if name == uid and kind != LITERAL and not missing:
            self.unnamed += 1
            if len(self._unnamed) < MAX_EXAMPLES:
                self._unnamed.append((self.place_of(file, record), uid))
        elif name.casefold() != uid.casefold():
            self.named += 1

    def report(self, database: sqlite3.Connection) -> None:
        """Tell of ends without a description and of names that are ids, where the others have more than that."""
        if self.ends and self.described:
            examples = _places_of_ends(database, self._ends, self.place_of)
            for place, uid in examples:
                self.findings.add(place, FindingKind.UNDESCRIBED, f"nothing describes {quote(uid)}")
            self.findings.count(FindingKind.UNDESCRIBED, self.ends - len(examples))
        # Where hardly any name differs from its uid, the names are what the files identify things by
        if self.unnamed and self.named * 10 > self.unnamed + self.named:
            for place, uid in self._unnamed:
                self.findings.add(place, FindingKind.NAMED_BY_ID, f"{quote(uid)} has no name")
            self.findings.count(FindingKind.NAMED_BY_ID, self.unnamed - len(self._unnamed))


def _places_of_ends(database: sqlite3.Connection, uids: Sequence[str], place_of: PlaceOf) -> list[tuple[Place, str]]:
    """Where facts name these ends first."""
    marks = ", ".join("?" * len(uids))
    rows = database.execute(
        f"SELECT subject, object, file, record FROM raw_fact WHERE subject IN ({marks}) OR object IN ({marks})",  # noqa: S608
        (*uids, *uids),
    )
    wanted, first = set(uids), dict[str, tuple[int, int]]()
    for subject, obj, file, record in rows:
        for end in (subject, obj):
            if end in wanted:
                first[end] = min(first.get(end, (file, record)), (file, record))
    return [(place_of(*first[uid]), uid) for uid in uids if uid in first]


def tell_doubles(database: sqlite3.Connection, findings: Findings, place_of: PlaceOf, stored: int) -> None:
    """Facts that are stated more than once in the same way; called while ``bound`` and ``raw_fact`` are there."""
    bound = database.execute("SELECT COUNT(*) FROM bound WHERE subject IS NOT NULL AND object IS NOT NULL").fetchone()[
        0
    ]
    if bound == stored:
        return
    groups = database.execute(
        "SELECT b.subject, b.relation, b.object, COUNT(*) AS n FROM bound b "
        "WHERE b.subject IS NOT NULL AND b.object IS NOT NULL GROUP BY 1, 2, 3 HAVING n > 1 ORDER BY 1, 2, 3 LIMIT ?",
        (MAX_EXAMPLES,),
    ).fetchall()
    for subject, relation, obj, number in groups:
        names = database.execute(
            "SELECT s.uid, r.name, o.uid FROM entity s, relation r, entity o WHERE s.id = ? AND r.id = ? AND o.id = ?",
            (subject, relation, obj),
        ).fetchone()
        places = sorted(
            place_of(*row)
            for row in database.execute(
                "SELECT f.file, f.record FROM bound b JOIN raw_fact f ON f.rowid = b.raw "
                "WHERE b.subject = ? AND b.relation = ? AND b.object = ?",
                (subject, relation, obj),
            )
        )
        text = f"{quote(names[0])} {names[1]} {quote(names[2])} is stated {number} times"
        findings.add(places[1], FindingKind.DOUBLED, text, count=number - 1)
    findings.count(FindingKind.DOUBLED, bound - stored - sum(number - 1 for *_, number in groups))


def tell_both_labels(database: sqlite3.Connection, findings: Findings, place_of: PlaceOf) -> None:
    """Statements that are labelled false, and those of them that are also stated as true."""
    total = database.execute("SELECT COUNT(*) FROM raw_denied").fetchone()[0]
    if not total:
        return
    first = database.execute(
        "SELECT d.subject, d.relation, d.object, d.file, d.record FROM raw_denied d JOIN file f ON f.id = d.file "
        "ORDER BY f.name, d.record LIMIT ?",
        (MAX_EXAMPLES,),
    ).fetchall()
    for subject, relation, obj, file, record in first:
        text = f"{quote(subject)} {relation} {quote(obj)}"
        findings.add(place_of(file, record), FindingKind.LABELLED_FALSE, text)
    findings.count(FindingKind.LABELLED_FALSE, total - len(first))
    rows = database.execute(
        "SELECT DISTINCT d.subject, d.relation, d.object, d.file, d.record FROM raw_denied d "
        "JOIN relation r ON r.name = d.relation "
        "JOIN raw_fact f ON f.subject = d.subject AND f.relation = r.staged AND f.object = d.object "
        "ORDER BY d.file, d.record"
    )
    for subject, relation, obj, file, record in rows:
        text = f"{quote(subject)} {relation} {quote(obj)} is labelled true as well; it stays a fact"
        findings.add(place_of(file, record), FindingKind.BOTH_LABELS, text)


def tell_names(database: sqlite3.Connection, findings: Findings) -> None:
    """Names that several entities have, and names of entities that look alike and are not equal."""
    database.create_function("name_key", 1, name_key, deterministic=True)
    database.execute("CREATE TEMP TABLE keyed AS SELECT name_key(name) AS key, id FROM entity")
    database.execute("CREATE INDEX temp.keyed_key ON keyed (key)")
    rows = database.execute(
        "SELECT k.key, e.name, e.uid FROM keyed k JOIN entity e ON e.id = k.id WHERE k.key IN "
        "(SELECT key FROM keyed GROUP BY key HAVING COUNT(*) > 1) ORDER BY k.key, e.name, e.uid"
    )
    for group in _groups(rows):
        uids: defaultdict[str, list[str]] = defaultdict(list)
        for name, uid in group:
            uids[name].append(uid)
        for name, found in uids.items():
            if len(found) > 1:
                text = f"{quote(name)} is the name of {len(found)} entities: {_some(found)}"
                findings.add(_NOWHERE, FindingKind.SAME_NAME, text)
        if len(uids) > 1:
            first, *others = uids
            said = "; ".join(f"{ascii_shown(other)} differs in {difference_of(first, other)}" for other in others[:3])
            findings.add(_NOWHERE, FindingKind.TWIN_NAMES, f"{ascii_shown(first)} ({quote(uids[first][0])}): {said}")
    database.execute("DROP TABLE keyed")


def tell_spellings(relations: Iterable[str], findings: Findings) -> None:
    """Relations whose names differ in letter case, joints or invisible signs alone: mostly one in two spellings."""
    others = spelt_alike(relations)
    for first in sorted({min(name, *alike) for name, alike in others.items()}):
        names = ", ".join(map(ascii_shown, (first, *others[first])))
        text = f"the relations {names} differ in their spelling alone; they stay apart"
        findings.add(_NOWHERE, FindingKind.TWIN_NAMES, text)


def ascii_shown(name: str) -> str:
    """A name with its invisible signs written out."""
    shown = "".join(sign if sign.isprintable() else f"<U+{ord(sign):04X}>" for sign in name)
    return quote(shown)


def _groups(rows: Iterator[tuple[str, str, str]]) -> Iterator[list[tuple[str, str]]]:
    group: list[tuple[str, str]] = []
    last: str | None = None
    for key, name, uid in rows:
        if key != last and group:
            yield group
            group = []
        last = key
        group.append((name, uid))
    if group:
        yield group


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _MEMBERS} more" if len(items) > _MEMBERS else ""
    return ", ".join(map(quote, items[:_MEMBERS])) + more


def tell_cycles(database: sqlite3.Connection, findings: Findings, place_of: PlaceOf) -> None:
    """Cycles of the hierarchy, each by a way round and the first place of its facts: 16 bytes a link in memory."""
    links = np.fromiter(database.execute("SELECT parent, child FROM link"), dtype=np.dtype((np.int64, 2)))
    if not len(links):
        return
    ids, compact = np.unique(links, return_inverse=True)
    edges = compact.reshape(-1, 2)
    matrix = csr_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(len(ids), len(ids)))
    _, parts = cast("tuple[int, Any]", connected_components(matrix, directed=True, connection="strong"))
    within = edges[parts[edges[:, 0]] == parts[edges[:, 1]]]
    rings: defaultdict[int, dict[int, list[int]]] = defaultdict(dict)
    for parent, child in within.tolist():
        rings[int(parts[parent])].setdefault(int(ids[parent]), []).append(int(ids[child]))
    for below in sorted(rings.values(), key=min):
        _tell_cycle(database, findings, place_of, below)


def _tell_cycle(
    database: sqlite3.Connection, findings: Findings, place_of: PlaceOf, below: dict[int, list[int]]
) -> None:
    way = _way_round(min(below), below)
    pairs = list(zip(way, [*way[1:], way[0]], strict=True))
    facts = [
        database.execute(
            "SELECT f.file, f.record, r.name FROM fact f JOIN relation r ON r.id = f.relation "
            "WHERE (f.subject = ? AND f.object = ? AND r.to_child) OR (f.subject = ? AND f.object = ? AND r.to_parent) "
            "ORDER BY f.file, f.record LIMIT 1",
            (parent, child, child, parent),
        ).fetchone()
        for parent, child in pairs[:_LINKS]
    ]
    names = [
        database.execute("SELECT name FROM entity WHERE id = ?", (number,)).fetchone()[0] for number in way[:_MEMBERS]
    ]
    more = f"{_ARROW}\u2026 ({len(way)} members)" if len(way) > _MEMBERS else f"{_ARROW}{quote(names[0])}"
    known = [fact for fact in facts if fact is not None]
    by = f" by {', '.join(sorted({fact[2] for fact in known}))}" if known else ""
    around = f"; {len(below)} entities hang together so" if len(below) > len(way) else ""
    place = place_of(*min((fact[0], fact[1]) for fact in known)) if known else _NOWHERE
    text = f"{_ARROW.join(map(quote, names))}{more}{by}, parents first; every link is kept{around}"
    findings.add(place, FindingKind.CYCLE, text)


def _way_round(start: int, below: dict[int, list[int]]) -> list[int]:
    """A shortest way from a member back to itself."""
    before: dict[int, int] = {}
    frontier = [start]
    while frontier:
        reached: list[int] = []
        for parent in frontier:
            for child in sorted(below.get(parent, ())):
                if child == start:
                    way = [parent]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    return way[::-1]
                if child not in before:
                    before[child] = parent
                    reached.append(child)
        frontier = reached
    return [start]
