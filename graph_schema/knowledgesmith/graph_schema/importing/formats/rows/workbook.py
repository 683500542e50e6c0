"""Rows of an Excel workbook (.xlsx, .xlsm): one sheet, values only, streamed; formulas count by their saved value.

The file is a zip of XML from a stranger: entities and references to the outside are refused, sizes are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from knowledgesmith.graph_schema.importing.formats.rows.workbook_parts import (
    MAX_COLUMNS,
    BadCell,
    Book,
    Downwards,
    local,
    look_inside,
    number_of,
    plain,
    whole,
)
from knowledgesmith.graph_schema.importing.formats.rows.workbook_times import (
    EPOCH,
    EPOCH_1904,
    KNOWN,
    Shown,
    moment,
    shown_by,
)
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import quote

MAX_TEXTS: Final = 1 << 25
"""Characters of all its shared texts, which are held in memory."""
_LEAST: Final = 8
"""So many characters counts a text at least."""
_MAIN: Final = "xl/workbook.xml"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_LINK: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_MAX_MERGED: Final = 100_000
"""Cells of a sheet that are merged over several rows."""
_MERGED: Final = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,9}):\$?[A-Z]{1,3}\$?(\d{1,9})")
_PLACE: Final = re.compile(r"([A-Z]{1,3})(\d+)")


def is_workbook(file: InputFile) -> bool:
    """Whether a file is an Excel workbook in XML."""
    return look_inside(file, lambda archive: _MAIN in archive.namelist())


class Workbook(Book):
    """One sheet of an Excel workbook (see ``Book``)."""

    def _sheets(self) -> dict[str, str]:
        """Names of sheets, in their order, with their part; texts, styles and the first day are read by the way."""
        self._zero = EPOCH
        links: dict[str, str] = {}
        for element in self._parts.elements("xl/_rels/workbook.xml.rels", "Relationship"):
            target = element.get("Target", "")
            links[element.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found = dict[str, str]()
        for element in self._parts.elements(_MAIN, "sheet", "workbookPr"):
            if local(element) == "workbookPr":
                self._zero = EPOCH_1904 if element.get("date1904") in {"1", "true"} else EPOCH
                continue
            part = links.get(element.get(_LINK) or element.get(_STRICT_LINK) or "", "")
            if part in self._parts and "worksheets" in part:
                found[element.get("name", part)] = part
        self._texts = self._shared()
        self._shown = self._styles()
        return found

    def _shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._parts:
            return []
        texts: list[str] = []
        size = 0
        for element in self._parts.elements("xl/sharedStrings.xml", "si"):
            texts.append(_text(element))
            size += max(len(texts[-1]), _LEAST)
            if size > MAX_TEXTS:
                raise ValueError(f"its texts have more than {MAX_TEXTS:,} characters")
        return texts

    def _styles(self) -> dict[int, Shown]:
        """What cell styles show of a number, by number of the style; those of plain numbers are left out."""
        if "xl/styles.xml" not in self._parts:
            return {}
        formats: dict[int, Shown | None] = dict(KNOWN)
        found: dict[int, Shown] = {}
        for element in self._parts.elements("xl/styles.xml", "numFmt", "cellXfs"):
            if local(element) == "numFmt":
                formats[whole(element.get("numFmtId"))] = shown_by(element.get("formatCode", ""))
                continue
            styles = [child for child in element if local(child) == "xf"]
            kinds = [formats.get(whole(style.get("numFmtId"))) for style in styles]
            found |= {number: kind for number, kind in enumerate(kinds) if kind is not None}
        return found

    def _has_rows(self, part: str) -> bool:
        return any(problem or any(cells) for _, cells, problem in self._as_written(part))

    def _rows(self, part: str) -> Iterator[tuple[int, list[str], str]]:
        """Number and cells of each row, and what is wrong with it."""
        self.merged = Downwards()
        spans = self._spans(part)
        for number, cells, problem in self._as_written(part):
            whole_row = self.merged.fill(number, cells)
            for column, last in spans.get(number, ()):
                self.merged.begin(column, last, whole_row)
            yield number, whole_row, problem

    def _spans(self, part: str) -> dict[int, list[tuple[int, int]]]:
        """Of cells that are merged over several rows: their column and last row, by their first row.

        A sheet names them behind its rows, so that it is read twice where it has any.
        """
        found: dict[int, list[tuple[int, int]]] = {}
        if not self._parts.hold(part, b"mergeCell"):
            return found
        number = 0
        for element in self._parts.elements(part, "mergeCell"):
            area = _MERGED.fullmatch(element.get("ref", ""))
            if area is None or int(area[2]) >= int(area[3]):
                continue
            number += 1
            if number > _MAX_MERGED:
                raise ValueError(f"more than {_MAX_MERGED:,} of its cells are merged over several rows")
            found.setdefault(int(area[2]), []).append((_column(area[1]), int(area[3])))
        return found

    def _as_written(self, part: str) -> Iterator[tuple[int, list[str], str]]:
        number = 0
        for element in self._parts.elements(part, "row"):
            number = whole(element.get("r"), number + 1)
            try:
                yield number, self._cells(element), ""
            except BadCell as error:
                yield number, [], str(error)

    def _cells(self, row: Element) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if local(cell) != "c":
                continue
            found = _PLACE.fullmatch(cell.get("r", ""))
            column = _column(found[1]) if found else len(cells)
            if column >= MAX_COLUMNS:
                raise ValueError(f"a row has more than {MAX_COLUMNS:,} columns")
            cells += [""] * (column + 1 - len(cells))
            cells[column] = self._value(cell)
        return cells

    def _value(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return " ".join(_text(cell).split())
        raw = next((child.text or "" for child in cell if local(child) == "v"), "").strip()
        if not raw or kind == "e":
            return ""
        if kind == "s":
            number = whole(raw, -1)
            if not 0 <= number < len(self._texts):
                raise BadCell(f"a cell names text {quote(raw)} of the workbook, which has {len(self._texts):,}")
            return " ".join(self._texts[number].split())
        if kind == "b":
            return "true" if raw == "1" else "false"
        if kind in {"str", "d"}:
            return " ".join(raw.split())
        return self._number(raw, whole(cell.get("s")))

    def _number(self, raw: str, style: int) -> str:
        value = number_of(raw)
        shown = self._shown.get(style)
        if shown is not None and (text := moment(value, shown, self._zero)) is not None:
            return text
        return plain(value)


def _text(element: Element) -> str:
    """The text of an item without its reading aids (phonetic runs)."""
    parts: list[str] = []
    for child in element:
        if local(child) == "t":
            parts.append(child.text or "")
        elif local(child) in {"r", "is"}:
            parts.append(_text(child))
    return "".join(parts)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
