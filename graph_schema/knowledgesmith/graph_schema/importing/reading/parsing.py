"""Reads JSON (and rows of columns) in all the shapes that data sets come in, and lines of text, one record at a time.

Nothing here knows what a record means. What cannot be read is yielded as a ``Rejection`` with its place.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO, Final, cast

import ijson

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.columnar import BrokenColumns, columnar_rows, is_columnar
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import in_words, quote
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

MAX_LINE_BYTES: Final = 1 << 26
"""Longest line that is read (64 MiB); a longer one is rejected and passed over."""
MAX_DEPTH: Final = 100
"""Levels of objects and lists in a JSON file."""
_STARTS: Final = frozenset({"start_map", "start_array"})
_ENDS: Final = frozenset({"end_map", "end_array"})
_PEEK: Final = 1 << 16


class Shape(StrEnum):
    """How a JSON file holds its records."""

    LIST = "list"
    LINES = "lines"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record with its place. ``key`` is its key where the file is an object of records."""

    place: Place
    value: Any
    key: str = ""

    def as_object(self) -> dict[str, Any] | None:
        """The value when it is a JSON object."""
        return cast("dict[str, Any]", self.value) if isinstance(self.value, dict) else None


def lines_of(
    file: InputFile, *, encoding: str = "utf-8", limit: int = MAX_LINE_BYTES
) -> Iterator[tuple[int, str] | Rejection]:
    """Non-empty lines with their number from 1, without line ends; undecodable or endless ones as rejections.

    Args:
        file: read from its start.
        encoding: any that keeps ASCII line ends.
        limit: bytes of the longest line.

    Raises:
        InvalidInput: there is no such encoding, or it needs more than a byte for a line end.
    """
    check_encoding(encoding)
    content = file.content
    content.seek(0)
    number = 0
    while raw := content.readline(limit + 1):
        number += 1
        if len(raw) > limit and not raw.endswith(b"\n"):
            _skip_line(content)
            yield Rejection(place=Place(file=file.name, record=number), reason=f"the line is longer than {limit} bytes")
            continue
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode(encoding).rstrip("\r\n")
        except UnicodeDecodeError as error:
            reason = f"byte {error.start + 1} of the line ({raw[error.start]:#04x}) is not {encoding}"
            yield Rejection(place=Place(file=file.name, record=number), reason=reason)
            continue
        if text.strip():
            yield number, text


def check_encoding(encoding: str) -> None:
    """Refuse an encoding that Python does not know or that has no ASCII line ends.

    Raises:
        InvalidInput: it is one of these.
    """
    try:
        usable = "a\n".encode(encoding) == b"a\n"
    except (LookupError, UnicodeError, TypeError, ValueError):
        usable = False
    if not usable:
        raise InvalidInput(
            "this encoding cannot be read line by line",
            field="encoding",
            value=encoding,
            hint="Use for example utf-8, latin-1, cp1252 or mac-roman.",
        )


def _skip_line(content: BinaryIO) -> None:
    while (rest := content.readline(_PEEK)) and not rest.endswith(b"\n"):
        pass


def shape_of(file: InputFile) -> Shape | None:
    """How a file holds its JSON, told from its beginning; ``None`` where that is not JSON at all.

    A first line that is a whole object is a record of JSON lines, unless nothing follows it.
    """
    file.content.seek(0)
    head = file.content.read(_PEEK).removeprefix(codecs.BOM_UTF8).lstrip()
    file.content.seek(0)
    if head.startswith(b"["):
        return Shape.LIST
    if not head.startswith(b"{"):
        return None
    return Shape.LINES if _starts_with_whole_object(file) else Shape.OBJECT


def _starts_with_whole_object(file: InputFile) -> bool:
    first = next(iter(lines_of(file)), None)
    if not isinstance(first, tuple):
        return False
    try:
        whole = isinstance(json.loads(first[1]), dict)
    except (ValueError, RecursionError):
        return False
    if not whole:
        return False
    followed = False
    for position, line in enumerate(lines_of(file)):
        if position == 1:
            followed = isinstance(line, Rejection) or line[1].lstrip().startswith("{")
            break
    return followed


def json_items(file: InputFile, *, path: str = "") -> Iterator[Item | Rejection]:
    """Records of a JSON file: a list, one object a line, or an object that holds a list (or an object) at ``path``.

    Without a path an object is one record; rows of Parquet and Arrow are records too. Memory is bounded by one record
    (or a batch of rows).

    Args:
        file: the file; its ending does not matter, its content does.
        path: keys down to the records, parted by dots.

    Raises:
        InvalidInput: the file is not JSON, or it has nothing at ``path``.
    """
    if not path and is_columnar(file):
        yield from _rows(file)
        return
    shape = shape_of(file)
    if shape is None:
        raise not_json(file)
    if shape is Shape.LINES:
        yield from _json_lines(file)
    elif shape is Shape.LIST:
        yield from _streamed(file, "item")
    elif not path:
        yield from _streamed(file, "")
    else:
        yield from _below(file, path)


def _rows(file: InputFile) -> Iterator[Item | Rejection]:
    number = 0
    try:
        for row in columnar_rows(file):
            number += 1
            yield Item(place=Place(file=file.name, record=number), value=row)
    except BrokenColumns as error:
        yield broken(file, number + 1, error)


def not_json(file: InputFile) -> InvalidInput:
    """The error that says a file is not JSON."""
    return InvalidInput(
        "the file is not JSON",
        field="files",
        value=file.name,
        hint="JSON starts with [ or {. Choose another format, or name the files of data one by one.",
    )


def _json_lines(file: InputFile) -> Iterator[Item | Rejection]:
    for line in lines_of(file):
        if isinstance(line, Rejection):
            yield line
            continue
        place = Place(file=file.name, record=line[0])
        try:
            yield Item(place=place, value=json.loads(line[1]))
        except (ValueError, RecursionError) as error:
            yield Rejection(place=place, reason=f"not JSON ({in_words(error)}): {quote(line[1])}")


def _streamed(file: InputFile, prefix: str) -> Iterator[Item | Rejection]:
    number = 0
    try:
        for value in ijson.items(events_of(file), prefix):
            number += 1
            yield Item(place=Place(file=file.name, record=number), value=value)
    except (ijson.JSONError, ValueError, RecursionError) as error:
        yield broken(file, number + 1, error)


def _below(file: InputFile, path: str) -> Iterator[Item | Rejection]:
    kind = kind_at(file, path)
    if kind == "start_array":
        yield from _streamed(file, f"{path}.item")
        return
    if kind != "start_map":
        raise InvalidInput(
            f"{file.name} has no list and no object at this path",
            field="path",
            value=path,
            hint="Name the keys that lead to the records, parted by dots.",
        )
    number = 0
    try:
        for key, value in ijson.kvitems(events_of(file), path):
            number += 1
            yield Item(place=Place(file=file.name, record=number), value=value, key=str(key))
    except (ijson.JSONError, ValueError, RecursionError) as error:
        yield broken(file, number + 1, error)


def kind_at(file: InputFile, path: str) -> str:
    """What a JSON file has at a path: ``start_map``, ``start_array``, the name of a scalar's type, or nothing."""
    try:
        for prefix, event, _ in events_of(file):
            if prefix == path:
                return str(event)
    except (ijson.JSONError, ValueError, RecursionError):
        pass
    return ""


_BARE: Final = re.compile(rb"[\[:,\s]-?(?:NaN|Infinity)")
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*(")?|-?Infinity|NaN', re.DOTALL)


def parsed(content: BinaryIO, *, multiple_values: bool = False) -> Iterator[tuple[str, Any]]:
    """The parser's events of JSON from the first byte, behind a byte order mark.

    Numbers that are not finite do not end it: ``1e400`` and ``Infinity``, which other programs write, are infinite, and
    ``NaN`` is nothing.

    Raises (while it is read):
        ijson.JSONError: it is not JSON.
    """
    rewind(content)
    source = _Finite(content) if _has_bare(content) else content
    rewind(content)
    for event, value in ijson.basic_parse(source, multiple_values=multiple_values):
        yield event, float(value) if isinstance(value, Decimal) else value


def _has_bare(content: BinaryIO) -> bool:
    """Whether a stream from here on holds a name of a number that is none in JSON, perhaps inside a text."""
    last = b""
    while piece := content.read(_PEEK):
        if _BARE.search(last + piece):
            return True
        last = (last + piece)[-_LONGEST_NAME:]
    return False


_LONGEST_NAME: Final = 12


class _Finite:
    """A JSON stream in which ``NaN`` is null and ``Infinity`` a number that is too large; texts stay as they are."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._rest = b""

    def read(self, size: int) -> bytes:
        """The next bytes, about ``size``; none at the end."""
        if size == 0:
            return b""
        while True:
            piece = self._content.read(max(size, _LONGEST_NAME))
            data = self._rest + piece
            end = self._settled(data) if piece else len(data)
            self._rest = data[end:]
            if end or not piece:
                return _TOKENS.sub(self._instead, data[:end])

    @staticmethod
    def _settled(data: bytes) -> int:
        """How much of the data ends neither inside a text nor inside a name."""
        end = 0
        for found in _TOKENS.finditer(data):
            if found.group()[:1] == b'"' and found[1] is None:
                return found.start()
            end = found.end()
        return max(end, len(data) - _LONGEST_NAME) if end < len(data) else end

    @staticmethod
    def _instead(found: re.Match[bytes]) -> bytes:
        text = found.group()
        return (
            b"null" if text == b"NaN" else b"1e999" if text == b"Infinity" else b"-1e999" if text[:1] == b"-" else text
        )


def rewind(content: BinaryIO) -> None:
    """Go to a stream's first byte, behind a byte order mark."""
    content.seek(0)
    if content.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        content.seek(0)


def events_of(file: InputFile) -> Iterator[tuple[str, str, Any]]:
    """The parser's events of a JSON file from its first byte (behind a byte order mark): path, event, value.

    Raises (while it is read):
        ijson.JSONError: it is not JSON.
        ValueError: it is nested deeper than any data is; each level would lengthen every path below it.
    """
    events: Iterator[tuple[str, str, Any]] = ijson.parse(_bounded(parsed(file.content)))
    return events


def _bounded(events: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    depth = 0
    for event in events:
        if event[0] in _STARTS:
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif event[0] in _ENDS:
            depth -= 1
        yield event


def broken(file: InputFile, number: int, error: Exception) -> Rejection:
    """A rejection that says from which record on a file cannot be read."""
    return Rejection(
        place=Place(file=file.name, record=number),
        reason=f"the file cannot be read from this record on ({in_words(error)})",
    )


def column_items(file: InputFile, columns: Mapping[str, Any]) -> Iterator[Item]:
    """Records of a table written column by column: ``{"name": {"0": "iron", …}, …}``.

    The keys of the rows need not be contiguous; a row lacks the columns that do not have its key.
    """
    tables = {name: cast("dict[str, Any]", column) for name, column in columns.items() if isinstance(column, dict)}
    keys = dict.fromkeys(key for column in tables.values() for key in column)
    for number, key in enumerate(keys, start=1):
        row = {name: column[key] for name, column in tables.items() if key in column}
        yield Item(place=Place(file=file.name, record=number), value=row, key=key)


def objects(items: Iterable[Item | Rejection]) -> Iterator[tuple[Item, dict[str, Any]] | Rejection]:
    """Items that are JSON objects; everything else becomes a rejection."""
    for item in items:
        if isinstance(item, Rejection):
            yield item
        elif (value := item.as_object()) is None:
            yield Rejection(place=item.place, reason=f"not a JSON object: {quote(item.value)}")
        else:
            yield item, value
