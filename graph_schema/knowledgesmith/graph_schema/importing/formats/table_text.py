"""Records of separated text as spreadsheets, databases and people write it: any separator, any line end, quoted cells.

A cell in quotes may hold separators, doubled quotes and line ends. A quote that is never closed spoils its own line and
not the rest of the file: a record that does not end within ``MAX_RECORD_LINES`` lines is rejected, and reading goes on
with the next line. A first line ``sep=;`` (Excel writes it) names the separator and is no record.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from knowledgesmith.graph_schema.importing.importer import InputFile
from knowledgesmith.graph_schema.importing.problems import quote
from knowledgesmith.graph_schema.importing.reading import check_encoding
from knowledgesmith.graph_schema.importing.records import Place, Rejection

MAX_LINE_BYTES: Final = 1 << 20
"""Longest line that is read; longer ones are rejected and skipped."""
MAX_RECORD_LINES: Final = 100
"""Lines of one record with quoted line ends."""
SEPARATORS: Final = ("\t", ";", "|", ",", "\uff0c", "\uff1b", "\u060c", "\u061b")
"""Signs that separate columns; the comma and the semicolon of Chinese and of Arabic keyboards are among them."""
SAMPLE: Final = 200
"""Records that are looked at to find the separator."""
_PIECE: Final = 1 << 18
_NAMED: Final = re.compile(r"\"?sep=(.)\"?,*;*\s*", re.IGNORECASE)
_LITERAL_QUOTES: Final = "\t"
_TITLE_LINES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a text is written: what separates its columns, and how many lines at its start are no record."""

    separator: str
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord:
    """The cells of a record without blanks around them, and its first line."""

    line: int
    cells: list[str]


Line: TypeAlias = tuple[int, str]


def dialect_of(file: InputFile, *, usual: str = ",", separator: str = "", encoding: str = "utf-8") -> Dialect:
    """How a file is written, told from its first records.

    Args:
        file: read from its start.
        usual: the separator where nothing tells it.
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
    return Dialect(separator=_likeliest(start, usual), skipped=skipped)


def _likeliest(start: Sequence[Line], usual: str) -> str:
    """The separator by which most records have the same number of cells, and of equal ones the one with more cells."""
    best, chosen = (0.0, 1), usual
    for separator in sorted(SEPARATORS, key=lambda sign: sign != usual):
        if not any(separator in text for _, text in start):
            continue
        widths = Counter(
            len(found.cells) for found in _joined(iter(start), separator, "") if isinstance(found, TextRecord)
        )
        if not widths:
            continue
        width, number = max(widths.items(), key=lambda item: (item[1], item[0]))
        rank = (round(number / sum(widths.values()), 1), width)
        if width > 1 and rank > best:
            best, chosen = rank, separator
    return chosen


def records(file: InputFile, dialect: Dialect, *, encoding: str = "utf-8") -> Iterator[TextRecord | Rejection]:
    """Records in order, without empty ones; what cannot be read becomes a rejection.

    Raises:
        InvalidInput: there is no such encoding.
    """
    source = lines(file, encoding=encoding)
    left = (line for line in source if isinstance(line, Rejection) or line[0] > dialect.skipped)
    return _joined(left, dialect.separator, file.name)


def _joined(source: Iterator[Line | Rejection], separator: str, name: str) -> Iterator[TextRecord | Rejection]:
    waiting: deque[Line | Rejection] = deque()
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        if not text.strip():
            continue
        if '"' not in text:
            yield TextRecord(line=number, cells=[cell.strip() for cell in text.split(separator)])
            continue
        whole = _whole(text, source, waiting, separator)
        cells = _cells(text if whole is None else whole, separator)
        if cells is None:
            yield _broken(name, number, text)
        else:
            yield TextRecord(line=number, cells=cells)


def _whole(
    text: str, source: Iterator[Line | Rejection], waiting: deque[Line | Rejection], separator: str
) -> str | None:
    """A record with the lines that its quoted cells go on in; None where no line closes them (all are kept waiting)."""
    if not _is_open(text, separator):
        return text
    taken: list[Line | Rejection] = []
    parts = [text]
    while len(parts) < MAX_RECORD_LINES:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            break
        taken.append(line)
        if isinstance(line, Rejection):
            break
        parts.append(line[1])
        joined = "\n".join(parts)
        if len(joined) > MAX_LINE_BYTES:
            break
        if not _is_open(joined, separator):
            if _parsed(joined, separator) is None:
                break
            return joined
    waiting.extendleft(reversed(taken))
    return None


def _is_open(text: str, separator: str) -> bool:
    """Whether a text ends inside a quoted cell."""
    position, size = 0, len(text)
    while position < size:
        if text[position] == '"':
            position = _closed(text, position + 1)
            if position < 0:
                return True
        position = text.find(separator, position)
        if position < 0:
            return False
        position += len(separator)
    return False


def _closed(text: str, position: int) -> int:
    """Behind the quote that ends a quoted cell; -1 where none does."""
    while (position := text.find('"', position)) >= 0:
        if text[position + 1 : position + 2] != '"':
            return position + 1
        position += 2
    return -1


def _cells(text: str, separator: str) -> list[str] | None:
    """The cells of a record, None where its quotes are wrong; between tabs such a quote is a sign like any other."""
    cells = _parsed(text, separator) if len(separator) == 1 else None
    if cells is None and (len(separator) > 1 or separator in _LITERAL_QUOTES):
        return [cell.strip() for cell in text.split(separator)]
    return cells


def _parsed(text: str, separator: str) -> list[str] | None:
    try:
        parts = [f"{part}\n" for part in text.split("\n")]
        (cells,) = csv.reader(parts, delimiter=separator, strict=True)
    except (csv.Error, ValueError):
        return None
    return [" ".join(cell.split()) if "\n" in cell else cell.strip() for cell in cells]


def _broken(name: str, number: int, text: str) -> Rejection:
    reason = f"not a CSV row, its quotes do not fit: {quote(text)}"
    return Rejection(place=Place(file=name, record=number), reason=reason)


def lines(file: InputFile, *, encoding: str = "utf-8") -> Iterator[Line | Rejection]:
    """Lines with their number from 1, whatever ends them (LF, CR LF or CR), empty ones too.

    Raises:
        InvalidInput: there is no such encoding.
    """
    check_encoding(encoding)
    shown = "UTF-8" if encoding.casefold() in {"utf-8", "utf8"} else encoding
    for number, raw in enumerate(_raw_lines(file), start=1):
        if raw is None:
            reason = f"the line is longer than {MAX_LINE_BYTES} bytes"
            yield Rejection(place=Place(file=file.name, record=number), reason=reason)
            continue
        try:
            yield number, raw.decode(encoding)
        except UnicodeDecodeError as error:
            reason = f"byte {error.start + 1} of the line ({raw[error.start]:#04x}) is not {shown}"
            yield Rejection(place=Place(file=file.name, record=number), reason=reason)


def _raw_lines(file: InputFile) -> Iterator[bytes | None]:
    """Lines as bytes without their ends; None for one that is too long. A lone CR ends a line, as old Macs wrote it."""
    content = file.content
    content.seek(0)
    rest, too_long, first = b"", False, True
    while piece := content.read(_PIECE):
        if first:
            piece, first = piece.removeprefix(codecs.BOM_UTF8), False
        piece = rest + piece
        if piece.endswith(b"\r"):  # a line feed may follow
            piece += content.read(1)
        parts = piece.splitlines(keepends=True)
        rest = b"" if piece.endswith((b"\n", b"\r")) else parts.pop()
        for part in parts:
            line = part.rstrip(b"\r\n")
            yield None if too_long or len(line) > MAX_LINE_BYTES else line
            too_long = False
        if len(rest) > MAX_LINE_BYTES:
            rest, too_long = b"", True
    if rest or too_long:
        yield None if too_long else rest


def first_lines_without_table(found: Iterator[TextRecord | Rejection]) -> Iterator[TextRecord | Rejection]:
    """The records without what stands above a table: comments (#, //) and a title in one cell over more columns."""
    above: list[TextRecord | Rejection] = []
    for record in found:
        if isinstance(record, Rejection):
            above.append(record)
            continue
        filled = sum(map(bool, record.cells))
        if record.cells[0].startswith(("#", "//")) and (filled == 1 or len(record.cells[0]) > 1):
            if filled > 1 and " " not in record.cells[0]:  # "#subject" heads a column
                record.cells[0] = record.cells[0].lstrip("#/ ")
                above.append(record)
                break
            continue
        above.append(record)
        if filled > 1 or len(above) > _TITLE_LINES:
            break
    yield from _untitled(above)
    yield from found


def _untitled(above: list[TextRecord | Rejection]) -> list[TextRecord | Rejection]:
    rows = [record for record in above if isinstance(record, TextRecord)]
    if len(rows) > 1 and sum(map(bool, rows[-1].cells)) > 1:
        return [record for record in above if isinstance(record, Rejection) or record is rows[-1]]
    return above
