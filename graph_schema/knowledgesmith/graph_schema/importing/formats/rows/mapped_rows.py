"""Rows of CSV, TSV, JSON and Parquet files, one at a time, as objects with their place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, cast

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows.rows import trimmed
from knowledgesmith.graph_schema.importing.formats.rows.separator import dialect_of
from knowledgesmith.graph_schema.importing.formats.rows.text import records
from knowledgesmith.graph_schema.importing.reading.columnar import is_columnar
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.mapping import FileMap, TableFormat
from knowledgesmith.graph_schema.importing.reading.parsing import (
    Item,
    json_items,
    shape_of,
)
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

_ENDINGS: Final = {
    ".csv": TableFormat.CSV,
    ".tsv": TableFormat.TSV,
    ".tab": TableFormat.TSV,
    ".parquet": TableFormat.PARQUET,
    ".pq": TableFormat.PARQUET,
}


def format_of(file: InputFile, asked: TableFormat) -> TableFormat:
    """How a file is written: as asked, else by its first bytes and its ending."""
    if asked is not TableFormat.AUTO:
        return asked
    if is_columnar(file):
        return TableFormat.PARQUET
    if shape_of(file) is not None:
        return TableFormat.JSON
    ending = "." + file.name.casefold().rpartition(".")[2]
    return _ENDINGS.get(ending, TableFormat.CSV)


def table_rows(file: InputFile, how: FileMap) -> Iterator[Item | Rejection]:
    """Rows of a file; what cannot be read becomes a rejection.

    Raises:
        InvalidInput: the file as a whole is not of its format.
    """
    kind = format_of(file, how.format)
    if kind is TableFormat.PARQUET:
        return json_items(file)
    if kind is TableFormat.JSON:
        return json_items(file, path=how.path)
    return _text_rows(file, how, "\t" if kind is TableFormat.TSV else ",")


def _text_rows(file: InputFile, how: FileMap, usual: str) -> Iterator[Item | Rejection]:
    """Rows under a header; a place is the number of a row's first line. Short rows lack their last columns."""
    header: list[str] | None = None
    named = set(_texts(how.model_dump()))
    dialect = dialect_of(
        file,
        usual=usual,
        firm=usual == "\t",
        headings=lambda cells: sum(cell in named for cell in cells),
        separator=how.delimiter,
        encoding=how.encoding,
    )
    for record in records(file, dialect, encoding=how.encoding):
        if isinstance(record, Rejection):
            yield record
            continue
        if not any(record.cells):
            continue
        place = Place(file=file.name, record=record.line)
        if header is None:
            header = _header(file, trimmed(record.cells, 0))
        elif len(cells := trimmed(record.cells, len(header))) > len(header):
            yield Rejection(place=place, reason=f"has {len(cells)} cells, the header has {len(header)}")
        else:
            yield Item(place=place, value=dict(zip(header, cells, strict=False)))


def _texts(value: object) -> Iterator[str]:
    """All texts of a mapping, the names of its columns among them."""
    if isinstance(value, str):
        yield from filter(None, (value,))
    elif isinstance(value, dict):
        for item in cast("dict[str, object]", value).values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from _texts(item)


def _header(file: InputFile, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise InvalidInput(
            f"a column stands twice in the header of {file.name}",
            field="files",
            value=doubled[0],
            hint="Give each column a name of its own.",
        )
    return header


def text_of(value: object) -> str:
    """A value as text, empty when it has none: numbers plain, dates in ISO 8601, no lists and no objects."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Not a number, infinite: no text. Whole numbers lose the point that tables give them.
        if value != value or value in {float("inf"), float("-inf")}:
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return ""


def walk(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Values at a path, each with the key or index under which it was found last.

    Keys are parted by dots; ``*`` is every value of an object or a list; lists met on the way are entered. A key that
    is itself written with dots is found where the rest of the path is that key.
    """
    yield from _walk(value, path.split(".") if path else [], "")


def _walk(value: object, parts: list[str], key: str) -> Iterator[tuple[str, object]]:
    if not parts:
        if isinstance(value, list):
            yield from ((key, item) for item in cast("list[object]", value))
        else:
            yield key, value
        return
    first, rest = parts[0], parts[1:]
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        whole = ".".join(parts)
        if rest and whole in table:
            yield from _walk(table[whole], [], whole)
        elif first == "*":
            for name, item in table.items():
                yield from _walk(item, rest, str(name))
        elif first in table:
            yield from _walk(table[first], rest, first)
    elif isinstance(value, list):
        for position, item in enumerate(cast("list[object]", value)):
            yield from _walk(item, rest if first == "*" else parts, str(position) if first == "*" else key)
