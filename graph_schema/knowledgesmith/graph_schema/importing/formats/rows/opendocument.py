"""Rows of an OpenDocument spreadsheet (.ods, .ots): one sheet, saved values only, streamed.

The file is a zip of XML from a stranger, read within the bounds of ``workbook_parts``. A sheet writes equal cells and
equal rows once with how often they stand: cells are repeated up to the bound of columns, a row counts once.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from knowledgesmith.graph_schema.importing.formats.rows.workbook_parts import (
    BROKEN,
    MAX_COLUMNS,
    BadCell,
    Book,
    Downwards,
    local,
    look_inside,
    number_of,
    plain,
)
from knowledgesmith.graph_schema.importing.reading.importer import InputFile

_CONTENT: Final = "content.xml"
_MANIFEST: Final = "META-INF/manifest.xml"
_MIME: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_ENDINGS: Final = (".ods", ".ots")
_CELLS: Final = frozenset({"table-cell", "covered-table-cell"})
_ASIDE: Final = frozenset({"annotation", "note", "ruby-text", "table", "shapes", "frame"})
"""Parts of a cell that are no part of its text: remarks, reading aids, pictures, tables in it."""
_BLANKS: Final = frozenset({"s", "tab", "line-break"})
_MOST: Final = 1 << 31
_DATE: Final = re.compile(r"(-?\d{4,}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:[.,]\d+)?)?Z?")
_DURATION: Final = re.compile(r"P(?:(\d{1,9})D)?T?(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,](\d+))?S)?")
_CACHE: Final = "'file:"
"""How the names of tables begin that hold what was once seen in another file."""


def is_opendocument(file: InputFile) -> bool:
    """Whether a file is an OpenDocument spreadsheet."""
    named = file.name.casefold().endswith(_ENDINGS)

    def look(archive: zipfile.ZipFile) -> bool:
        names = archive.namelist()
        if "mimetype" not in names:
            return _CONTENT in names and named
        with archive.open("mimetype") as stream:
            return stream.read(len(_MIME)) == _MIME

    return look_inside(file, look, broken=named)


class OpenDocument(Book):
    """One sheet of an OpenDocument spreadsheet (see ``Book``)."""

    def _sheets(self) -> dict[str, str]:
        """Names of sheets, in their order; those that hold anything are looked up by the way."""
        locked = iter(self._parts.elements(_MANIFEST, "encryption-data")) if _MANIFEST in self._parts else iter(())
        if next(locked, None) is not None:
            raise RuntimeError("it needs a password")
        found: dict[str, str] = {}
        self._filled: set[str] = set()
        try:
            for name, _, cells, problem, _spans in self._all_rows():
                found[name] = name
                if problem or any(cells):
                    self._filled.add(name)
        except BROKEN:
            # What stands before the fault is read, and the fault told where it stands
            if not self._filled:
                raise
        return found

    def _has_rows(self, part: str) -> bool:
        return part in self._filled

    def _rows(self, part: str) -> Iterator[tuple[int, list[str], str]]:
        self.repeated, begun, number = 0, False, 1
        self.merged = Downwards()
        for name, times, cells, problem, spans in self._all_rows():
            if name != part:
                if begun:
                    return
                continue
            begun = True
            if times:
                whole = self.merged.fill(number, cells)
                for column, rows in spans:
                    self.merged.begin(column, number + rows - 1, whole)
                yield number, whole, problem
                self.repeated += times - 1 if any(cells) else 0
                number += times

    def _all_rows(self) -> Iterator[tuple[str, int, list[str], str, list[tuple[int, int]]]]:
        """Sheet, number of times and cells of each row, what is wrong with it, and its cells merged over several rows.

        No times where a sheet begins; of a merged cell its column and how many rows it spans.
        """
        name = ""
        for element in self._parts.elements(_CONTENT, "table-row", opening="table"):
            if local(element) == "table":
                name = _attribute(element, "name")
                name = "" if name.startswith(_CACHE) else name
                if name:
                    yield name, 0, [], "", []
            elif name:
                yield name, _times(element, "number-rows-repeated"), *_cells(element), _spans(element)


def _spans(row: Element) -> list[tuple[int, int]]:
    """The cells of a row that are merged with those below: their columns, and how many rows they span."""
    found: list[tuple[int, int]] = []
    column = 0
    for cell in row:
        if local(cell) in _CELLS:
            rows = _times(cell, "number-rows-spanned")
            if rows > 1 and column < MAX_COLUMNS:
                found.append((column, rows))
            column += _times(cell, "number-columns-repeated")
    return found


def _cells(row: Element) -> tuple[list[str], str]:
    """The texts of a row, and what is wrong with it."""
    cells: list[str] = []
    column = 0
    for cell in row:
        if local(cell) not in _CELLS:
            continue
        times = _times(cell, "number-columns-repeated")
        try:
            text = _value(cell)
        except BadCell as error:
            return [], str(error)
        if text:
            if column + times > MAX_COLUMNS:
                raise ValueError(f"a row has more than {MAX_COLUMNS:,} columns")
            cells += [""] * (column - len(cells)) + [text] * times
        column += times
    return cells, ""


def _value(cell: Element) -> str:
    """What a cell holds: its value where it is a number, a moment or a truth value, else its text."""
    # Newer programs say the kind twice, errors only the second time
    kind = {value for key, value in cell.attrib.items() if key.rpartition("}")[2] == "value-type"}
    if "error" in kind:
        return ""
    text = _text(cell)
    if "date" in kind and (found := _DATE.fullmatch(_attribute(cell, "date-value"))):
        return f"{found[1]} {found[2]}" if found[2] else found[1]
    if "time" in kind and (duration := _duration(_attribute(cell, "time-value"))):
        return duration
    if "boolean" in kind and (said := _attribute(cell, "boolean-value")):
        return "true" if said == "true" else "false"
    if kind & {"float", "percentage", "currency"} and (raw := _attribute(cell, "value")):
        return plain(number_of(raw))
    return text or " ".join(_attribute(cell, "string-value").split())


def _duration(text: str) -> str:
    """``09:00:00`` of ``PT09H00M00S``; empty where it is no duration."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return ""
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:4])
    whole = (
        seconds + ((days * 24 + hours) * 60 + minutes) * 60 + (found[5] or "0").startswith(("5", "6", "7", "8", "9"))
    )
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def _text(cell: Element) -> str:
    """The paragraphs of a cell, blanks and breaks as one blank each."""
    parts: list[str] = []
    _collect(cell, parts)
    return " ".join("".join(parts).split())


def _collect(element: Element, parts: list[str]) -> None:
    for child in element:
        kind = local(child)
        if kind in _BLANKS or kind == "p":
            parts.append(" ")
        if kind not in _ASIDE:
            parts.append(child.text or "")
            _collect(child, parts)
        parts.append(child.tail or "")


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _times(element: Element, name: str) -> int:
    """How often a cell or a row stands."""
    text = _attribute(element, name)
    return min(max(int(text), 1), _MOST) if text.isascii() and text.isdigit() and len(text) < 20 else 1
