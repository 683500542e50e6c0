"""Records of separated text as spreadsheets, databases and people write it: any separator, any line end, quoted cells.

A cell in quotes may hold separators, doubled quotes and line ends. A quote that is never closed spoils its own line and
not the rest of the file: a record that does not end within ``MAX_RECORD_LINES`` lines is rejected, and reading goes on
with the next line. A first line ``sep=;`` (Excel writes it) names the separator and is no record.
"""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import check_encoding
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

MAX_LINE_BYTES: Final = 1 << 20
"""Longest line that is read; longer ones are rejected and skipped."""
MAX_RECORD_LINES: Final = 100
"""Lines of one record with quoted line ends."""
SEPARATORS: Final = ("\t", ";", "\uff1b", "\u061b", "|", ",", "\uff0c", "\u060c")
"""Signs that separate columns, the surer ones first; commas and semicolons of Chinese and of Arabic keyboards too."""
COMMAS: Final = (",", "\uff0c", "\u060c")
"""The separators that prose and names are full of."""
OTHER_ENCODING: Final = "--option encoding=… names another, such as cp1252, cp1251, gb18030 or shift_jis"
"""The way out where a text is not in the encoding that it is read in."""
_PIECE: Final = 1 << 18
_LITERAL_QUOTES: Final = "\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a text is written: what separates its columns, and how many lines at its start are no record."""

    separator: str
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord:
    """The cells of a record without blanks around them, its first line, and what it holds under keys of its own."""

    line: int
    cells: list[str]
    late: Mapping[str, str] | None = None


Line: TypeAlias = tuple[int, str]


def records(
    file: InputFile, dialect: Dialect, *, encoding: str = "utf-8", way_out: str = OTHER_ENCODING
) -> Iterator[TextRecord | Rejection]:
    """Records in order, without empty ones; what cannot be read becomes a rejection.

    Args:
        file: a text.
        dialect: how it is written.
        encoding: of it.
        way_out: what to do where that is another one.

    Raises:
        InvalidInput: there is no such encoding.
    """
    source = lines(file, encoding=encoding, way_out=way_out)
    left = (line for line in source if isinstance(line, Rejection) or line[0] > dialect.skipped)
    return joined(left, dialect.separator, file.name)


def joined(source: Iterator[Line | Rejection], separator: str, name: str) -> Iterator[TextRecord | Rejection]:
    """The records of lines, those that go on in further lines joined; empty lines are left out."""
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
        whole = "\n".join(parts)
        if len(whole) > MAX_LINE_BYTES:
            break
        if not _is_open(whole, separator):
            cells = _parsed(whole, separator)
            if cells is None or _are_records(parts, separator, len(cells)):
                break
            return whole
    waiting.extendleft(reversed(taken))
    return None


def _are_records(parts: Sequence[str], separator: str, width: int) -> bool:
    """Whether lines that quotes join are records by themselves, and their quotes signs like any other (a 12" disc).

    A cell holds no tabs as a rule, so that a record's worth of them between quotes is a record. Other separators stand
    in cells too: each of three lines or more must have exactly those of a record, and none before a blank.
    """
    needed = max(width - 1, 1)
    counts = [part.count(separator) for part in parts]
    if separator in _LITERAL_QUOTES:
        return sum(counts) - (width - 1) >= needed
    return len(parts) > 2 and set(counts) == {needed} and not any(f"{separator} " in part for part in parts)


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


def is_other_encoding(found: object) -> bool:
    """Whether a line could not be read because it is in another encoding."""
    return isinstance(found, Rejection) and found.reason.startswith("byte ") and " of the line (" in found.reason


def lines(file: InputFile, *, encoding: str = "utf-8", way_out: str = OTHER_ENCODING) -> Iterator[Line | Rejection]:
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
            reason = f"byte {error.start + 1} of the line ({raw[error.start]:#04x}) is not {shown}; {way_out}"
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
