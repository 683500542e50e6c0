"""What stands above a table: titles in one cell, comments (#, //), a header behind a comment's sign.

A row that could be data stays: "#1 Crush" is a song and "#MeToo" a movement. A comment is a row with another number of
cells than the table has, or one that stands directly above a header. All that is left out is a finding of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final, TypeAlias

from knowledgesmith.graph_schema.importing.formats.rows.separator import known_headings
from knowledgesmith.graph_schema.importing.formats.rows.text import SEPARATORS, TextRecord
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Rejection

Found: TypeAlias = TextRecord | Rejection | Finding

_AHEAD: Final = 50
"""Rows that are looked at to tell how many columns the table has."""
_TITLE_LINES: Final = 5
_MARKS: Final = ("#", "//")


def without_top(found: Iterator[TextRecord | Rejection], name: str) -> Iterator[Found]:
    """The records of a table; what stood above it becomes a finding each, or a rejection where it may be a row."""
    ahead = list(islice(found, _AHEAD))
    rows = [record for record in ahead if isinstance(record, TextRecord)]
    width = _width(rows)
    first = next((n for n, row in enumerate(rows) if not _is_comment(row, rows[n + 1 :], width)), len(rows))
    table = next((n for n in range(first, len(rows)) if _is_row(rows[n], rows[n + 1 :], width)), None)
    titles = [] if table is None else [row for row in rows[:table] if not _is_marked(row.cells) and any(row.cells)]
    if table is None or len(titles) > _TITLE_LINES:
        table, titles = first, []
    above = {id(row) for row in rows[:table]}
    for record in chain(ahead, found):
        if isinstance(record, Rejection) or id(record) not in above:
            yield record
        elif any(record.cells):
            yield _left_out(record, Place(file=name, record=record.line), width)


def _width(rows: Sequence[TextRecord]) -> int:
    """Cells that most rows have, of rows with several; marked ones count where there are no others."""
    widths = Counter(size for row in rows if not _is_marked(row.cells) and (size := _size(row.cells)) > 1)
    widths = widths or Counter(size for row in rows if (size := _size(row.cells)) > 1)
    return max(widths, key=lambda size: (widths[size], size), default=1)


def _size(cells: Sequence[str]) -> int:
    return max((n for n, cell in enumerate(cells, start=1) if cell), default=0)


def _is_marked(cells: Sequence[str]) -> bool:
    first = cells[0] if cells else ""
    return first.startswith(_MARKS) and (len(first) > 1 or _size(cells) == 1)


def _is_comment(row: TextRecord, below: Sequence[TextRecord], width: int) -> bool:
    return _is_marked(row.cells) and not _is_row(row, below, width)


def _is_row(row: TextRecord, below: Sequence[TextRecord], width: int) -> bool:
    """Whether a row belongs to the table; a header behind a sign loses the sign here."""
    if not _is_marked(row.cells):
        return sum(map(bool, row.cells)) > 1
    bare = [row.cells[0].lstrip("#/ "), *row.cells[1:]]
    if known_headings(bare):
        row.cells[0] = bare[0]
        return True
    under = next((other.cells for other in below if not _is_marked(other.cells)), ())
    return _size(row.cells) == width > 1 and not known_headings(under)


def _left_out(row: TextRecord, place: Place, width: int) -> Finding | Rejection:
    text = " ".join(filter(None, row.cells))
    if not _is_marked(row.cells) and any(_splits(text, sign, width) for sign in SEPARATORS):
        reason = f"one cell above a table of {width} columns; its signs separate as many: {quote(text)}"
        return Rejection(place=place, reason=reason)
    what = "a comment" if _is_marked(row.cells) else "a title"
    return Finding(place=place, kind=FindingKind.IGNORED, text=f"{what} above the table is no row: {quote(text)}")


def _splits(text: str, sign: str, width: int) -> bool:
    """Whether a sign other than the table's makes a row of a cell; a blank behind each is prose."""
    return width > 1 and len(text.split(sign)) == width and f"{sign} " not in text
