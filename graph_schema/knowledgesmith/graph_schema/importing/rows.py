"""Reads CSV and JSONL line by line, in strict UTF-8 and bounded memory, into rows with their place.

A record is one line: no value of a graph may hold a line break, so a quote that is never closed spoils one row, not the
rest of the file.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from knowledgesmith.graph_schema.importing.problems import Problems, quote

MAX_LINE_BYTES = 1 << 16
"""Longest line that is read; longer ones are reported and skipped."""


class FileRole(StrEnum):
    """What a file holds."""

    ENTITIES = "entities"
    RELATIONS = "relations"
    FACTS = "facts"
    TEMPLATES = "templates"


class FileFormat(StrEnum):
    """How a file is written: RFC 4180 with a header row, or one JSON object a line."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a graph. ``name`` is only used in messages, never as a path; ``lines`` is read once."""

    role: FileRole
    name: str
    format: FileFormat
    lines: BinaryIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns a file may have, and those it must have."""

    allowed: frozenset[str]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record and its place; CSV values are texts, JSONL values whatever JSON has."""

    file: str
    line: int
    values: dict[str, Any]


def read_rows(file: SourceFile, columns: Columns, problems: Problems) -> Iterator[Row]:
    """Rows of a file in order; whatever cannot be read becomes a problem."""
    lines = _decoded_lines(file, problems)
    reader = _csv_rows if file.format is FileFormat.CSV else _json_rows
    return reader(file.name, lines, columns, problems)


def _decoded_lines(file: SourceFile, problems: Problems) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.lines.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            problems.add(file.name, number, f"the line is longer than {MAX_LINE_BYTES} bytes")
            while raw and not raw.endswith(b"\n"):
                raw = file.lines.readline(MAX_LINE_BYTES)
            continue
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            problems.add(file.name, number, f"byte {error.start + 1} of the line is not UTF-8")
            continue
        text = text.rstrip("\r\n")
        if text.strip():
            yield number, text


def _csv_rows(name: str, lines: Iterator[tuple[int, str]], columns: Columns, problems: Problems) -> Iterator[Row]:
    header: list[str] | None = None
    for number, text in lines:
        try:
            (cells,) = csv.reader([text], strict=True)
        except (csv.Error, ValueError) as error:
            problems.add(name, number, f"not a CSV row on one line ({error}): {quote(text)}")
            if header is None:
                return
            continue
        cells = [cell.strip() for cell in cells]
        if header is None:
            if not _header_is_good(name, number, cells, columns, problems):
                return
            header = cells
        elif len(cells) != len(header):
            problems.add(name, number, f"has {len(cells)} fields, the header has {len(header)}")
        else:
            yield Row(file=name, line=number, values=dict(zip(header, cells, strict=True)))
    if header is None:
        problems.add(name, 0, "is empty; a CSV file starts with a header row")


def _header_is_good(name: str, number: int, cells: Sequence[str], columns: Columns, problems: Problems) -> bool:
    faults = [f"unknown column {quote(cell)}" for cell in cells if cell not in columns.allowed]
    faults += [f"missing column {column!r}" for column in columns.required if column not in cells]
    if len(set(cells)) != len(cells):
        faults.append("a column stands twice in the header")
    for fault in faults:
        problems.add(name, number, f"{fault}; known columns: {', '.join(sorted(columns.allowed))}")
    return not faults


def _json_rows(name: str, lines: Iterator[tuple[int, str]], columns: Columns, problems: Problems) -> Iterator[Row]:
    for number, text in lines:
        try:
            value = json.loads(text, object_pairs_hook=_without_doubles)
        except (ValueError, RecursionError) as error:
            problems.add(name, number, f"not a JSON object on one line ({type(error).__name__}): {quote(text)}")
            continue
        if not isinstance(value, dict):
            problems.add(name, number, f"not a JSON object: {quote(text)}")
            continue
        values = {str(key): item.strip() if isinstance(item, str) else item for key, item in value.items()}
        unknown = [key for key in values if key not in columns.allowed]
        missing = [column for column in columns.required if column not in values]
        if unknown:
            problems.add(name, number, f"unknown key {quote(unknown[0])}; known: {', '.join(sorted(columns.allowed))}")
        elif missing:
            problems.add(name, number, f"missing key {missing[0]!r}")
        else:
            yield Row(file=name, line=number, values=values)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values
