"""What an import rejects: every record with its place and reason, kept on disk, counted, the first ones at hand."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator

from knowledgesmith.graph_schema.errors import ImportRejected
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

MAX_REPORTED = 100
"""Rejections of a report; all of them can be read as a stream."""
MAX_REASONS = 100
"""Different reasons that are counted; the rest is one number."""
OTHER = "other reasons"
_IN_MESSAGE = 3
_REASON_LIMIT = 500
_BUFFER = 1_000
_VALUES = re.compile(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|<[^<>\s]*>|\([^()]*:\d+\)"
    r"|\b[A-Za-z][\w+.-]*:(?://|(?=[\w./#%-]*[\d_/#]))[^\s,;)]+|_:\w+|\d+"
)
"""What is a value in a reason: quoted texts, addresses, compact ids, places, blank nodes, numbers."""
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SCHEMA = "CREATE TABLE rejection (file TEXT NOT NULL, record INTEGER NOT NULL, reason TEXT NOT NULL)"


class Rejections:
    """A spool in the staging database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._database.execute(_SCHEMA)
        self._buffer: list[tuple[str, int, str]] = []
        self._reasons: Counter[str] = Counter()
        self.total = 0

    def add(self, place: Place, reason: str) -> None:
        """Note one record that cannot be used."""
        self.total += 1
        kind = _VALUES.sub("…", reason)[:200]
        self._reasons[kind if kind in self._reasons or len(self._reasons) < MAX_REASONS else OTHER] += 1
        self._buffer.append((_plain(place.file), place.record, _plain(reason[:_REASON_LIMIT])))
        if len(self._buffer) >= _BUFFER:
            self._flush()

    @property
    def reasons(self) -> dict[str, int]:
        """How many records each reason rejected, values left out of the reasons, the most frequent first."""
        return dict(sorted(self._reasons.items(), key=lambda item: (-item[1], item[0])))

    def __iter__(self) -> Iterator[Rejection]:
        """All rejections by file, record and reason."""
        return self._read(-1)

    def first(self) -> tuple[Rejection, ...]:
        """The first hundred by file, record and reason."""
        return tuple(self._read(MAX_REPORTED))

    def raise_if_any(self) -> None:
        """Refuse the import as a whole when there is a rejection.

        Raises:
            ImportRejected: the message names the first and the most frequent reasons, ``metadata`` the first hundred as
                ``row_0`` ….
        """
        if not self.total:
            return
        found = self.first()
        texts = [f"{rejection.place}: {rejection.reason}" for rejection in found]
        kinds = [f"{count:,} \u00d7 {reason}" for reason, count in list(self.reasons.items())[:_IN_MESSAGE]]
        more = f" (by kind: {'; '.join(kinds)})" if self.total > 1 else ""
        raise ImportRejected(
            f"{self.total} bad row{'s' if self.total > 1 else ''}, nothing was imported: {texts[0]}{more}",
            field=str(found[0].place),
            hint="Correct the files and import again.",
            metadata={
                "bad_rows": str(self.total),
                "file": found[0].place.file,
                "line": str(found[0].place.record),
                **{f"row_{number}": text for number, text in enumerate(texts)},
            },
        )

    def _read(self, limit: int) -> Iterator[Rejection]:
        self._flush()
        rows = self._database.execute(
            "SELECT file, record, reason FROM rejection ORDER BY file, record, reason LIMIT ?", (limit,)
        )
        for file, record, reason in rows:
            yield Rejection(place=Place(file=file, record=record), reason=reason)

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO rejection VALUES (?, ?, ?)", self._buffer)
        self._buffer.clear()


def _plain(text: str) -> str:
    """A text that can be stored and printed, whatever a record held."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
