"""Which sign separates the columns of a text, told from its first records.

A first row that splits into words known from headings decides. Without one the sign by which most rows have the same
number of cells is taken; where several do equally well, names such as "Bach, Johann" must not win over the sign that
stands between them: a comma with a blank behind it is prose (so is another sign, beside one without blanks), a column
that repeats its values is a relation, and a tab, a semicolon or a bar in every row is no accident. Where a file's
ending or format says its usual sign, that sign is only given up if it does not separate the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from knowledgesmith.graph_schema.importing.formats.rows.column_words import INDEX, NOUNS, OTHER, STRONG, WEAK, heading
from knowledgesmith.graph_schema.importing.formats.rows.text import (
    COMMAS,
    SEPARATORS,
    Dialect,
    Line,
    TextRecord,
    joined,
    lines,
)
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.records import Rejection

SAMPLE: Final = 200
"""Records that are looked at to find the separator."""
Headings: TypeAlias = Callable[[Sequence[str]], int]
"""How many cells of a row are headings of the table that is read; 0 = the row is no header."""
Rank: TypeAlias = tuple[float | bool | int, ...]

_NAMED: Final = re.compile(r"\"?sep=(.)\"?,*;*\s*", re.IGNORECASE)
_SIGNS: Final = re.escape("".join(SEPARATORS))
_TORN: Final = re.compile(f'[{_SIGNS}]"|"[{_SIGNS}]')
"""A quote at the edge of another sign's cell."""
_FACT: Final = 3
"""Columns of a table of facts."""
_FIRST_LINES: Final = 6
"""A header stands in these: below a title or two."""
_KNOWN: Final = (
    frozenset(word for words in (*STRONG.values(), *WEAK.values(), *OTHER.values()) for word in words) | NOUNS | INDEX
) - {""}


def known_headings(cells: Sequence[str]) -> int:
    """Number of cells that hold a word known from headings; 0 where they are fewer than two or than half of them."""
    words = [word for word in map(heading, cells) if word]
    known = {word for word in words if word in _KNOWN}
    return len(known) if len(known) >= 2 and 2 * len(known) >= len(words) == len(set(words)) else 0


def dialect_of(
    file: InputFile,
    *,
    usual: str = ",",
    firm: bool = False,
    headings: Headings = known_headings,
    separator: str = "",
    encoding: str = "utf-8",
) -> Dialect:
    """How a file is written, told from its first records.

    Args:
        file: read from its start.
        usual: the separator where nothing tells it.
        firm: the usual one is taken wherever it separates nearly all rows.
        headings: tells a header of the table.
        separator: the one that was asked for; empty = look.
        encoding: any that keeps ASCII line ends.

    Raises:
        InvalidInput: there is no such encoding.
    """
    first = next((line for line in lines(file, encoding=encoding) if not isinstance(line, Rejection)), None)
    skipped = 0
    if first is not None and (named := _NAMED.fullmatch(first[1])):
        skipped, separator = first[0], separator or named[1]
    elif first is not None and first[1].strip().casefold() == "sep=":  # the separator is a tab that was trimmed away
        skipped, separator = first[0], separator or "\t"
    if separator:
        return Dialect(separator=separator, skipped=skipped)
    start = [line for line in islice(lines(file, encoding=encoding), SAMPLE) if not isinstance(line, Rejection)]
    return Dialect(separator=_likeliest(start, usual, headings, firm=firm), skipped=skipped)


def _likeliest(start: Sequence[Line], usual: str, headings: Headings, *, firm: bool) -> str:
    tables: dict[str, _Split] = {}
    for sign in dict.fromkeys((usual, *SEPARATORS)):
        if any(sign in text for _, text in start):
            found = list(joined(iter(start), sign, ""))
            rows = [record.cells for record in found if isinstance(record, TextRecord)]
            if any(len(row) > 1 for row in rows):
                text = "\n".join(text for _, text in start)
                tables[sign] = _Split(sign=sign, rows=rows, broken=len(found) - len(rows), text=text)
    if not tables:
        return usual
    if headed := _headed(tables, headings):
        return headed
    if firm and usual in tables and tables[usual].is_nearly_everywhere():
        return usual
    kept = {sign: split for sign, split in tables.items() if not split.is_padding()} or tables
    return max(kept, key=lambda sign: kept[sign].rank())


def _headed(tables: Mapping[str, _Split], headings: Headings) -> str:
    """The sign by which a row at the start is a header; empty where none is."""
    for number in range(_FIRST_LINES):
        counted = {sign: headings(split.rows[number]) for sign, split in tables.items() if number < len(split.rows)}
        if counted and max(counted.values()) > 1:
            return max(counted, key=lambda sign: counted[sign])
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    """A text's rows by one sign, and how many are none by it."""

    sign: str
    rows: Sequence[Sequence[str]]
    broken: int
    text: str

    def is_nearly_everywhere(self) -> bool:
        single = sum(len(row) == 1 for row in self.rows)
        return single <= max(1, len(self.rows) // 10)

    def is_padding(self) -> bool:
        """Whether a tab only stands behind the sign that separates (``a,<tab>b``)."""
        if self.sign != "\t":
            return False
        behind = len(re.findall(f"[{re.escape(''.join(SEPARATORS[1:]))}][ ]*\t", self.text))
        return behind >= 0.9 * self.text.count("\t")

    def rank(self) -> Rank:
        """What speaks for the sign, the weightiest first."""
        widths = Counter(map(len, self.rows))
        width, number = max(((w, n) for w, n in widths.items() if w > 1), key=lambda item: (item[1], item[0]))
        is_tab = self.sign == "\t"
        # Rows may lack their last cells, and nobody types a tab into a cell
        share = sum(n for w, n in widths.items() if w > 1) if is_tab else number
        is_comma = self.sign in COMMAS
        spaced = self._is_spaced()
        return (
            round(share / (len(self.rows) + self.broken), 1),
            self._is_tidy(),
            is_tab,
            len(self.rows[0]) == width,
            not (is_comma and spaced),
            self._repeats(width),
            not (is_comma or spaced),
            not self._is_decimal(),
            width >= _FACT,
            not spaced,
            width,
            -SEPARATORS.index(self.sign) if self.sign in SEPARATORS else 0,
        )

    def _is_tidy(self) -> bool:
        """Whether the sign leaves quoted cells whole: half a pair of quotes shows that it stands within one."""
        torn = sum(any(cell.count('"') % 2 and _TORN.search(cell) for cell in row) for row in self.rows)
        return torn <= len(self.rows) / 2

    def _is_spaced(self) -> bool:
        """Whether the sign mostly has a blank behind it and none before, as prose has it."""
        sign = re.escape(self.sign)
        return len(re.findall(rf"(?<! ){sign} ", self.text)) > self.text.count(self.sign) / 2

    def _is_decimal(self) -> bool:
        """Whether a comma mostly stands between digits, as in 1,81."""
        return (
            self.sign in COMMAS and len(re.findall(rf"\d{self.sign}(?=\d)", self.text)) > self.text.count(self.sign) / 2
        )

    def _repeats(self, width: int) -> bool:
        """Whether an inner column has fewer values than rows, as relations have."""
        rows = [row for row in self.rows if len(row) == width]
        return any(len({row[n] for row in rows}) <= 0.7 * len(rows) for n in range(1, width - 1))
