"""Rows of CSV, TSV, JSONL and Parquet files, one at a time, in strict UTF-8 and bounded memory.

A record of a text file is one line: no value of a graph may hold a line break, so a quote that is never closed spoils
one row, not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

from knowledgesmith.graph_schema.importing.importer import InputFile
from knowledgesmith.graph_schema.importing.problems import quote
from knowledgesmith.graph_schema.importing.records import Place, Rejection

MAX_LINE_BYTES: Final = 1 << 16
"""Longest line that is read; longer ones are rejected and skipped."""
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


def _decoded_lines(file: InputFile) -> Iterator[tuple[int, str] | Rejection]:
    number = 0
    content, name = file.content, file.name
    while raw := content.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            yield _rejection(name, number, f"the line is longer than {MAX_LINE_BYTES} bytes")
            while raw and not raw.endswith(b"\n"):
                raw = content.readline(MAX_LINE_BYTES)
            continue
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            yield _rejection(name, number, f"byte {error.start + 1} of the line is not UTF-8")
            continue
        text = text.rstrip("\r\n")
        if text.strip():
            yield number, text


def _separated_rows(file: InputFile, columns: Columns, separator: str) -> Iterator[Item]:
    header: list[str] | None = None
    name, chosen = file.name, ""
    for line in _decoded_lines(file):
        if isinstance(line, Rejection):
            yield line
            continue
        number, text = line
        chosen = chosen or separator_of(text, separator)
        try:
            cells = _cells(text, chosen)
        except (csv.Error, ValueError) as error:
            yield _rejection(name, number, f"not a CSV row on one line ({error}): {quote(text)}")
            if header is None:
                return
            continue
        if header is None:
            faults = _header_faults(cells, columns)
            yield from (_rejection(name, number, fault) for fault in faults)
            if faults:
                return
            header = cells
        elif len(cells) != len(header):
            yield _rejection(name, number, f"has {len(cells)} fields, the header has {len(header)}")
        else:
            yield Row(place=Place(file=name, record=number), values=dict(zip(header, cells, strict=True)))
    if header is None:
        yield _rejection(name, 0, "is empty; a table starts with a header row")


def separator_of(header: str, usual: str) -> str:
    """What parts the columns of a header: the usual sign, else the first of ``;``, tab and ``|`` that stands in it."""
    return next((sign for sign in (usual, ";", "\t", "|", ",") if sign in header), usual)


def _cells(text: str, separator: str) -> list[str]:
    if separator == "\t" or ('"' not in text and "\r" not in text):
        return [cell.strip() for cell in text.split(separator)]
    (cells,) = csv.reader([text], strict=True)
    return [cell.strip() for cell in cells]


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
            reason = f"not a JSON object on one line ({type(error).__name__}): {quote(text)}"
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
    except (pa.ArrowException, OSError, ValueError) as error:
        text = str(error).partition("\n")[0]
        yield _rejection(file.name, number, f"cannot be read as Parquet after {number} rows: {quote(text)}")


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


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values
