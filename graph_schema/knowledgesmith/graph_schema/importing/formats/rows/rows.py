"""Rows of CSV, TSV, JSONL and Parquet files, one at a time, in strict UTF-8 and bounded memory.

How text is written (separators, quotes, line ends) is told by ``table_text``; a line break in a cell becomes a blank.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

from knowledgesmith.graph_schema.importing.formats.rows.separator import dialect_of
from knowledgesmith.graph_schema.importing.formats.rows.text import Dialect, Line, lines, records
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import in_words, quote
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

_SAVE: Final = "save the file as UTF-8"
_PARQUET_ROWS: Final = 2_000


class TableFormat(StrEnum):
    """How a table is written: RFC 4180 or tab-separated with a header row, one JSON object a line, or Parquet."""

    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    PARQUET = "parquet"


ENDINGS: Final = {
    ".csv": TableFormat.CSV,
    ".tsv": TableFormat.TSV,
    ".tab": TableFormat.TSV,
    ".jsonl": TableFormat.JSONL,
    ".ndjson": TableFormat.JSONL,
    ".parquet": TableFormat.PARQUET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns a table may have, and those it must have."""

    allowed: frozenset[str]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row and its place; values of CSV and TSV are texts, of the others whatever they hold."""

    place: Place
    values: dict[str, Any]


Item: TypeAlias = Row | Rejection


def format_of(name: str) -> TableFormat:
    """The format that a file's ending tells; CSV where it tells none."""
    return ENDINGS.get(PurePosixPath(name).suffix.lower(), TableFormat.CSV)


def read_rows(file: InputFile, columns: Columns) -> Iterator[Item]:
    """Rows of a file in order; whatever cannot be read becomes a rejection."""
    kind = format_of(file.name)
    if kind is TableFormat.PARQUET:
        return _parquet_rows(file, columns)
    if kind is TableFormat.JSONL:
        return _json_rows(file, columns)
    return _separated_rows(file, columns, "," if kind is TableFormat.CSV else "\t")


def _decoded_lines(file: InputFile) -> Iterator[Line | Rejection]:
    return (line for line in lines(file, way_out=_SAVE) if isinstance(line, Rejection) or line[1].strip())


def _separated_rows(file: InputFile, columns: Columns, usual: str) -> Iterator[Item]:
    header: list[str] | None = None
    name = file.name
    for record in records(file, _dialect(file, columns, usual), way_out=_SAVE):
        if isinstance(record, Rejection):
            yield record
            continue
        number, cells = record.line, record.cells
        if header is None:
            header = trimmed(cells, 0)
            faults = _header_faults(header, columns)
            yield from (_rejection(name, number, fault) for fault in faults)
            if faults:
                return
        elif len(cells := trimmed(cells, len(header))) != len(header):
            yield _rejection(name, number, f"has {len(cells)} fields, the header has {len(header)}")
        else:
            yield Row(place=Place(file=name, record=number), values=dict(zip(header, cells, strict=True)))
    if header is None:
        yield _rejection(name, 0, "is empty; a table starts with a header row")


def _dialect(file: InputFile, columns: Columns, usual: str) -> Dialect:
    """The sign that makes a header of the first row, else the usual one of the ending where it separates the rows."""

    def headings(cells: Sequence[str]) -> int:
        known = trimmed(list(cells), 0)
        return 0 if _header_faults(known, columns) else len(known)

    return dialect_of(file, usual=usual, firm=True, headings=headings)


def trimmed(cells: list[str], width: int) -> list[str]:
    """The cells of a row without empty ones at its end that lie beyond ``width``."""
    end = len(cells)
    while end > width and not cells[end - 1]:
        end -= 1
    return cells[:end]


def header_fits(file: InputFile, columns: Columns) -> bool:
    """Whether a text's first row has the columns of this table; other formats say it row by row."""
    kind = format_of(file.name)
    if kind in {TableFormat.PARQUET, TableFormat.JSONL}:
        return True
    found = records(file, _dialect(file, columns, "," if kind is TableFormat.CSV else "\t"))
    first = next((record for record in found if not isinstance(record, Rejection)), None)
    return first is not None and not _header_faults(trimmed(first.cells, 0), columns)


def _header_faults(cells: Sequence[str], columns: Columns) -> list[str]:
    faults = [f"unknown column {quote(cell)}" for cell in cells if cell not in columns.allowed]
    faults += [f"missing column {column!r}" for column in columns.required if column not in cells]
    if len(set(cells)) != len(cells):
        faults.append("a column stands twice in the header")
    return [f"{fault}; known columns: {', '.join(sorted(columns.allowed))}" for fault in faults]


def _json_rows(file: InputFile, columns: Columns) -> Iterator[Item]:
    for line in _decoded_lines(file):
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        try:
            value = json.loads(text, object_pairs_hook=_without_doubles)
        except (ValueError, RecursionError) as error:
            reason = f"not a JSON object on one line ({_line_fault(error)}): {quote(text)}"
            yield _rejection(file.name, number, reason)
            continue
        if isinstance(value, dict):
            yield _checked(file.name, number, {str(key): item for key, item in value.items()}, columns)
        else:
            yield _rejection(file.name, number, f"not a JSON object: {quote(text)}")


def _parquet_rows(file: InputFile, columns: Columns) -> Iterator[Item]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        table = pq.ParquetFile(file.content)
        if faults := _header_faults(table.schema_arrow.names, columns):
            yield from (_rejection(file.name, 0, fault) for fault in faults)
            return
        for batch in table.iter_batches(batch_size=_PARQUET_ROWS):
            for values in batch.to_pylist():
                number += 1
                yield _checked(file.name, number, values, columns)
    except (pa.ArrowException, OSError, ValueError):
        yield _rejection(file.name, number, f"the Parquet file is broken or cut off after {number:,} rows")


def _checked(name: str, number: int, values: dict[str, Any], columns: Columns) -> Item:
    unknown = [key for key in values if key not in columns.allowed]
    if unknown:
        known = ", ".join(sorted(columns.allowed))
        return _rejection(name, number, f"unknown key {quote(unknown[0])}; known: {known}")
    for column in columns.required:
        if column not in values:
            return _rejection(name, number, f"missing key {column!r}")
    stripped = {key: item.strip() if isinstance(item, str) else item for key, item in values.items()}
    return Row(place=Place(file=name, record=number), values=stripped)


def _rejection(name: str, number: int, reason: str) -> Rejection:
    return Rejection(place=Place(file=name, record=number), reason=reason)


def _line_fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is broken at character {error.pos + 1}"
    return in_words(error)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values
