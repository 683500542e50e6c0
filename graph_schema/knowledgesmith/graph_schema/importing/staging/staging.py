"""Records on their way into the graph: collected in an SQLite file, so that memory is bounded by a batch.

``Staging`` takes records in any order and, once they are all there, ``settle`` makes a graph of them: entities merged,
the catalogue completed, references resolved, traits checked, types inferred, levels computed. What remains can be read
in sorted order, so neither the graph nor its digest depends on the order of records.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance
from knowledgesmith.graph_schema.importing.reading.findings import Finding, Findings
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import (
    CaseRecord,
    DeniedRecord,
    EntityRecord,
    FactRecord,
    Place,
    Record,
    Rejection,
    RelationRecord,
    TemplateRecord,
)
from knowledgesmith.graph_schema.importing.reading.rejections import Rejections
from knowledgesmith.graph_schema.importing.staging.cases import case_from_text, case_text, case_trouble
from knowledgesmith.graph_schema.importing.staging.counts import count_wordings
from knowledgesmith.graph_schema.importing.staging.entities import merge_entities
from knowledgesmith.graph_schema.importing.staging.facts import settle_facts
from knowledgesmith.graph_schema.importing.staging.findings import (
    Merges,
    tell_both_labels,
    tell_cycles,
    tell_names,
    tell_spellings,
)
from knowledgesmith.graph_schema.importing.staging.levels import settle_levels
from knowledgesmith.graph_schema.importing.staging.relations import StagedCatalogue
from knowledgesmith.graph_schema.importing.staging.rings import tell_rings
from knowledgesmith.graph_schema.language.text_checks import (
    MAX_NAME,
    MAX_UID,
    MAX_WORD,
    is_blank,
    problem_with,
    problem_with_name,
)
from knowledgesmith.graph_schema.types.digests import StreamedDigest
from knowledgesmith.graph_schema.types.facts import Relation

BATCH: Final = 10_000
"""Records that are held before they are written to the file."""
BY_NAME: Final = 1
CREATE_MISSING: Final = 2
MERGE: Final = 1
_CACHE_KIB: Final = 64 * 1024
_SCHEMA: Final = """
CREATE TABLE raw_entity (uid TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, domain TEXT NOT NULL,
                         aliases TEXT NOT NULL, kind INTEGER NOT NULL, file INTEGER NOT NULL, record INTEGER NOT NULL);
CREATE TABLE raw_fact (subject TEXT NOT NULL, relation INTEGER NOT NULL, object TEXT NOT NULL, source TEXT NOT NULL,
                       flags INTEGER NOT NULL, subject_name TEXT NOT NULL, object_name TEXT NOT NULL,
                       file INTEGER NOT NULL, record INTEGER NOT NULL);
CREATE TABLE raw_denied (subject TEXT NOT NULL, relation TEXT NOT NULL, object TEXT NOT NULL, file INTEGER NOT NULL,
                         record INTEGER NOT NULL);
CREATE TABLE raw_case (id TEXT NOT NULL, content TEXT NOT NULL, file INTEGER NOT NULL, record INTEGER NOT NULL);
CREATE TABLE file (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE relation (id INTEGER PRIMARY KEY, name TEXT NOT NULL, rel_type TEXT NOT NULL, staged INTEGER,
                       domain_type TEXT NOT NULL, range_type TEXT NOT NULL, twin INTEGER, first INTEGER NOT NULL,
                       canonical INTEGER NOT NULL, symmetric INTEGER NOT NULL, functional INTEGER NOT NULL,
                       inverse_functional INTEGER NOT NULL, to_parent INTEGER NOT NULL, to_child INTEGER NOT NULL);
CREATE TABLE entity (id INTEGER PRIMARY KEY, uid TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
                     domain TEXT NOT NULL, aliases TEXT NOT NULL, key BLOB NOT NULL, level INTEGER NOT NULL DEFAULT 0,
                     depth INTEGER, element TEXT);
CREATE TABLE fact (subject INTEGER NOT NULL, relation INTEGER NOT NULL, object INTEGER NOT NULL, source TEXT NOT NULL,
                   file INTEGER NOT NULL, record INTEGER NOT NULL,
                   PRIMARY KEY (subject, relation, object)) WITHOUT ROWID;
CREATE TABLE link (parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID;
"""
Progress = Callable[[str, int], None]
"""Called with the stage's name and how many records or rows it has done."""


class Staging:
    """The records of one import. A context manager: the file is gone at the end of the block.

    Args:
        source: source of facts that name none.
        folder: where the temporary folder is made; the system's place by default.
        accepted: traits that were accepted for the stored graph.
    """

    def __init__(self, *, source: str = "", folder: Path | None = None, accepted: Sequence[Acceptance] = ()) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ksmith-import-", dir=folder)
        # Reading and writing may happen in different threads, one after the other, never at once.
        self.database = sqlite3.connect(
            Path(self._folder.name) / "staging.sqlite", isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self.database.executescript(_SCHEMA)
        self.database.execute("BEGIN")
        self.rejections = Rejections(self.database)
        self.findings = Findings()
        self.catalogue = StagedCatalogue(accepted)
        self.records = 0
        self.digest = ""
        self._source = source
        self._files: dict[str, int] = {}
        self._entities: list[tuple[Any, ...]] = []
        self._facts: list[tuple[Any, ...]] = []
        self._cases: list[tuple[Any, ...]] = []
        self._denied: list[tuple[Any, ...]] = []
        self._fact_flags = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self.database.close()
        self._folder.cleanup()

    def take(self, records: Iterable[Record], *, progress: Progress | None = None) -> None:
        """Collect records; those whose texts cannot be stored are rejected.

        Raises:
            TooLarge: more relations than a catalogue may have.
        """
        report = progress or _silent
        takers: dict[type[Record], Callable[[Any], None]] = {
            FactRecord: self._take_fact,
            EntityRecord: self._take_entity,
            RelationRecord: self._take_relation,
            TemplateRecord: self._take_template,
            CaseRecord: self._take_case,
            DeniedRecord: self._take_denied,
            Rejection: self._take_rejection,
        }
        for record in records:
            if isinstance(record, Finding):
                self.findings.take(record)
                continue
            taker: Callable[[Any], None] = takers[type(record)]
            taker(record)
            self.records += 1
            if self.records % BATCH == 0:
                self._flush()
                report("read", self.records)
        self._flush()
        report("read", self.records)

    def settle(self, *, progress: Progress | None = None) -> None:
        """Turn what was collected into a graph; nothing can be added afterwards."""
        report = progress or _silent
        report("entities", 0)
        merges = Merges(place_of=self.place_of, findings=self.findings)
        merge_entities(self.database, self.reject_at, merges, missing=bool(self._fact_flags & CREATE_MISSING))
        self.catalogue.complete(self.rejections.add)
        tell_spellings(self.catalogue.relations, self.findings)
        self.database.executemany(
            f"INSERT INTO relation VALUES ({', '.join('?' * 14)})",  # noqa: S608 - a number of marks
            self.catalogue.rows(),
        )
        report("facts", 0)
        tell_both_labels(self.database, self.findings, self.place_of)
        settle_facts(self.database, self.reject_at, self.catalogue, self.findings, self.place_of)
        report("levels", 0)
        settle_levels(self.database)
        self.catalogue.relations = count_wordings(self.database, self.catalogue.relations, self.catalogue.ids)
        tell_cycles(self.database, self.findings, self.place_of)
        tell_rings(self.database, self.catalogue.relations, self.catalogue.ids, self.findings, self.place_of)
        tell_names(self.database, self.findings)
        self.digest = self._compute_digest()
        report("settled", self.facts)

    @property
    def relations(self) -> Mapping[str, Relation]:
        """The complete catalogue by name, sorted; after ``settle``."""
        return self.catalogue.relations

    @property
    def entities(self) -> int:
        """Number of entities; after ``settle``."""
        return int(self.database.execute("SELECT COUNT(*) FROM entity").fetchone()[0])

    @property
    def facts(self) -> int:
        """Number of facts; after ``settle``."""
        return int(self.database.execute("SELECT COUNT(*) FROM fact").fetchone()[0])

    def cases(self) -> Iterator[CaseRecord]:
        """The cases by id; of several with one id the alphabetically first content (the others are rejected)."""
        rows = self.database.execute(
            "SELECT c.id, c.content, f.name, c.record FROM raw_case c JOIN file f ON f.id = c.file "
            "ORDER BY c.id, c.content, f.name, c.record"
        )
        kept = ""
        for number, (identifier, content, file, record) in enumerate(rows):
            place = Place(file=file, record=record)
            if number and identifier == kept:
                continue
            kept = identifier
            yield case_from_text(content, place)

    def reject_at(self, file: int, record: int, reason: str) -> None:
        """Note a rejection at a place given by the number of its file."""
        self.rejections.add(self.place_of(file, record), reason)

    def place_of(self, file: int, record: int) -> Place:
        """The place of a record from the number of its file and its own."""
        name = self.database.execute("SELECT name FROM file WHERE id = ?", (file,)).fetchone()
        return Place(file=name[0] if name else "(relations)", record=record)

    def _take_entity(self, record: EntityRecord) -> None:
        problem = (
            _trouble("uid", record.uid, MAX_UID, check=problem_with_name)
            or _trouble("name", record.name, MAX_NAME, empty=record.merge, check=problem_with_name)
            or _trouble("type", record.type, MAX_WORD, empty=True)
            or _trouble("domain", record.domain, MAX_WORD, empty=True)
        )
        for alias in record.aliases:
            problem = problem or _trouble("an alias", alias, MAX_NAME, empty=True)
        if problem:
            self.rejections.add(record.place, problem)
            return
        shown = [alias for alias in record.aliases if not is_blank(alias)]
        aliases = json.dumps(shown, ensure_ascii=False) if shown else "[]"
        kind = MERGE if record.merge else 0
        self._entities.append(
            (record.uid, record.name, record.type, record.domain, aliases, kind, *self._place(record.place))
        )

    def _take_fact(self, record: FactRecord) -> None:
        source = record.source or self._source
        problem = (
            _trouble("subject", record.subject, MAX_UID, check=problem_with_name)
            or _trouble("relation", record.relation, MAX_WORD, check=problem_with_name)
            or _trouble("object", record.object, MAX_UID, check=problem_with_name)
            or _trouble("source", source, MAX_NAME, empty=True)
        )
        flags = (BY_NAME if record.by_name else 0) | (CREATE_MISSING if record.create_missing else 0)
        if record.create_missing and not problem:
            named = {"the subject's name": record.subject_name, "the object's name": record.object_name}
            found = (
                _trouble(what, text, MAX_NAME, empty=True, check=problem_with_name) for what, text in named.items()
            )
            problem = next(filter(None, found), "")
        if problem:
            self.rejections.add(record.place, problem)
            return
        self._fact_flags |= flags
        relation = self.catalogue.number(record.relation, record.place)
        self._facts.append(
            (
                record.subject,
                relation,
                record.object,
                source,
                flags,
                record.subject_name if flags & CREATE_MISSING else "",
                record.object_name if flags & CREATE_MISSING else "",
                *self._place(record.place),
            )
        )

    def _take_relation(self, record: RelationRecord) -> None:
        self.catalogue.declare(record, self.rejections.add)

    def _take_template(self, record: TemplateRecord) -> None:
        if problem := self.catalogue.phrase(record):
            self.rejections.add(record.place, problem)

    def _take_case(self, record: CaseRecord) -> None:
        if problem := case_trouble(record):
            self.rejections.add(record.place, problem)
            return
        self._cases.append((record.id, case_text(record), *self._place(record.place)))

    def _take_denied(self, record: DeniedRecord) -> None:
        texts = (record.subject, record.relation, record.object)
        if problem := next((found for text in texts if (found := problem_with(text, limit=MAX_UID))), ""):
            self.rejections.add(record.place, f"a part of a statement that is labelled false {problem}")
            return
        self._denied.append((*texts, *self._place(record.place)))

    def _take_rejection(self, record: Rejection) -> None:
        self.rejections.add(record.place, record.reason)

    def _place(self, place: Place) -> tuple[int, int]:
        number = self._files.get(place.file)
        if number is None:
            number = self._files[place.file] = len(self._files) + 1
            self.database.execute("INSERT INTO file VALUES (?, ?)", (number, place.file))
        return number, place.record

    def _flush(self) -> None:
        for table, width, rows in (
            ("raw_entity", 8, self._entities),
            ("raw_fact", 9, self._facts),
            ("raw_case", 4, self._cases),
            ("raw_denied", 5, self._denied),
        ):
            if rows:
                marks = ", ".join("?" * width)
                self.database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - constants
                rows.clear()

    def _compute_digest(self) -> str:
        """The same as ``graph_digest`` over all facts, in one sorted pass."""
        digest = StreamedDigest()
        names: dict[int, str] = dict(self.database.execute("SELECT id, name FROM relation"))
        rows = self.database.execute(
            "SELECT s.key, f.relation, o.key FROM fact f CROSS JOIN entity s ON s.id = f.subject "
            "CROSS JOIN entity o ON o.id = f.object ORDER BY f.subject, f.relation, f.object"
        )
        digest.update_keys(rows, names)
        return digest.hexdigest()


class _Check(Protocol):
    def __call__(self, text: str, *, limit: int, empty: bool = False) -> str: ...


def _trouble(what: str, text: str, limit: int, *, empty: bool = False, check: _Check = problem_with) -> str:
    problem = check(text, limit=limit, empty=empty)
    return f"{what} {problem}: {quote(text)}" if problem and text else f"{what} {problem}" if problem else ""


def _silent(_stage: str, _done: int) -> None:
    """Default progress."""
