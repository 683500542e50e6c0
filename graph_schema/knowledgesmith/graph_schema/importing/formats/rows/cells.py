"""Rows of cells, wherever they stand: separated text, a workbook's sheet, JSON objects, Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol, cast

from knowledgesmith.graph_schema.importing.formats.rows.mapped_rows import text_of
from knowledgesmith.graph_schema.importing.formats.rows.opendocument import OpenDocument, is_opendocument
from knowledgesmith.graph_schema.importing.formats.rows.separator import dialect_of
from knowledgesmith.graph_schema.importing.formats.rows.text import Dialect, TextRecord, records
from knowledgesmith.graph_schema.importing.formats.rows.top import Found, without_top
from knowledgesmith.graph_schema.importing.formats.rows.workbook import Workbook, is_workbook
from knowledgesmith.graph_schema.importing.formats.rows.workbook_parts import Book
from knowledgesmith.graph_schema.importing.reading.columnar import is_columnar
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import json_items, objects, shape_of
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Rejection

LISTED: Final = "\x1f"
"""Between the values of one cell that was a list; no text of a graph may hold a control character."""
NESTED: Final = "\x1e"
"""Before the description of an object where a text should be."""
_KEYS: Final = 500
"""Objects whose keys are looked at; later keys are told row by row."""
_NAMES: Final = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars (|)"}

__all__ = ("LISTED", "NESTED", "Source", "TextRecord", "source_of")


class Source(Protocol):
    """Rows of one file, read again at each call of ``records``."""

    @property
    def name(self) -> str:
        """The file's name."""
        ...

    @property
    def how(self) -> str:
        """How it is written, for the report."""
        ...

    @property
    def named(self) -> bool:
        """Whether the first row is known to name the columns."""
        ...

    def records(self) -> Iterator[Found]:
        """Rows in order, what stands above a table as findings."""
        ...


def source_of(file: InputFile, *, separator: str = "", encoding: str = "utf-8", sheet: str = "") -> Source:
    """The rows of a file, by its first bytes.

    Raises:
        InvalidInput: there is no such encoding or sheet, or a workbook cannot be read.
    """
    if is_workbook(file):
        return _Book(file.name, Workbook(file, sheet))
    if is_opendocument(file):
        return _Book(file.name, OpenDocument(file, sheet))
    if is_columnar(file) or shape_of(file) is not None:
        return _Objects(file)
    separator = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
    usual = "\t" if file.name.casefold().endswith((".tsv", ".tab")) else ","
    dialect = dialect_of(file, usual=usual, firm=usual == "\t", separator=separator, encoding=encoding)
    return _Text(file, dialect, encoding)


@dataclass(frozen=True)
class _Text:
    file: InputFile
    dialect: Dialect
    encoding: str
    named = False

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def how(self) -> str:
        sign = self.dialect.separator
        return f"columns separated by {_NAMES.get(sign, repr(sign))}"

    def records(self) -> Iterator[Found]:
        return without_top(records(self.file, self.dialect, encoding=self.encoding), self.name)


class _Book:
    named = False

    def __init__(self, name: str, book: Book) -> None:
        self.name = name
        self._book = book
        self.how = f"sheet {self._book.sheet!r} of a workbook"

    def records(self) -> Iterator[Found]:
        yield from without_top(self._book.records(), self.name)
        if self._book.repeated:
            text = "rows of the sheet that repeat the one above them; they count once"
            yield Finding(place=Place(file=self.name), kind=FindingKind.DOUBLED, text=text, count=self._book.repeated)
        if filled := self._book.merged.filled:
            text = "cells that are merged with one above took its text; split them in the sheet where that is wrong"
            yield Finding(place=Place(file=self.name), kind=FindingKind.NOTE, text=text, count=filled)
        for other in self._book.others:
            text = f"the sheet {quote(other)} of the workbook; --option sheet={quote(other)} reads it instead"
            yield Finding(place=Place(file=self.name), kind=FindingKind.IGNORED, text=text)


class _Objects:
    """JSON objects (a list, or one a line) and columnar rows; keys are the columns, in the order of their coming."""

    named = True
    how = "one object a row"

    def __init__(self, file: InputFile) -> None:
        self.name = file.name
        self._file = file
        found: dict[str, None] = {}
        for item in islice(objects(json_items(file)), _KEYS):
            if not isinstance(item, Rejection):
                found.update(dict.fromkeys(map(str, item[1])))
        self._keys = list(found)

    def records(self) -> Iterator[Found]:
        known = set(self._keys)
        yield TextRecord(line=0, cells=self._keys)
        for found in objects(json_items(self._file)):
            if isinstance(found, Rejection):
                yield found
                continue
            item, row = found
            cells = [_cell(row.get(key)) for key in self._keys]
            late = {str(key): _cell(row[key]) for key in row if key not in known}
            yield TextRecord(line=item.place.record, cells=cells, late=late or None)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return LISTED.join(filter(None, map(_scalar, cast("list[object]", value))))
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, dict):
        keys = list(map(str, cast("dict[object, object]", value)))
        return f"{NESTED}an object with the keys {', '.join(map(quote, keys[:5]))}" if keys else ""
    if isinstance(value, list):
        return f"{NESTED}a list in a list"
    # A number without a size is shown as it is, so that it is rejected and not passed over
    return text_of(value) or (repr(value) if isinstance(value, float) else "")
