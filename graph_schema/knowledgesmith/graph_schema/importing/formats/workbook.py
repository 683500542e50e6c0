"""Rows of an Excel workbook (.xlsx, .xlsm): one sheet, values only, streamed; formulas count by their saved value.

The file is a zip of XML from a stranger: entities and references to the outside are refused, sizes are bounded.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO, Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.table_text import TextRecord
from knowledgesmith.graph_schema.importing.importer import InputFile
from knowledgesmith.graph_schema.importing.records import Place, Rejection

MAX_PART: Final = 1 << 28
"""Bytes of one part of a workbook (256 MiB)."""
MAX_TEXTS: Final = 1 << 25
"""Characters of all its shared texts, which are held in memory."""
MAX_COLUMNS: Final = 1_000
_MAIN: Final = "xl/workbook.xml"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_LINK: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_PLACE: Final = re.compile(r"([A-Z]{1,3})(\d+)")
_DATES: Final = frozenset({14, 15, 16, 17, 18, 19, 20, 21, 22, 45, 46, 47})
_DATE_FORMAT: Final = re.compile(r"[ymdhs]", re.IGNORECASE)
_QUOTED: Final = re.compile(r"\"[^\"]*\"|\[[^\]]*\]|\\.")
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's dates have no zone
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_BROKEN: Final = (zipfile.BadZipFile, KeyError, ParseError, DefusedXmlException, zlib.error, EOFError, ValueError)


def is_workbook(file: InputFile) -> bool:
    """Whether a file is an Excel workbook in XML."""
    file.content.seek(0)
    start = file.content.read(4)
    file.content.seek(0)
    if start != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(file.content) as archive:
            found = _MAIN in archive.namelist()
    except (zipfile.BadZipFile, ValueError):
        found = False
    file.content.seek(0)
    return found


class Workbook:
    """One sheet of a workbook.

    Args:
        file: see ``is_workbook``.
        sheet: its name; empty = the first that is not empty.

    Raises:
        InvalidInput: it cannot be read, or it has no such sheet.
    """

    def __init__(self, file: InputFile, sheet: str = "") -> None:
        self._file = file
        try:
            self._archive = zipfile.ZipFile(file.content)
            sheets = self._sheets()
            self._texts = self._shared()
            self._dates = self._date_styles()
            self.sheet = sheet or next(
                (name for name in sheets if self._has_rows(sheets[name])), next(iter(sheets), "")
            )
            self._part = sheets.get(self.sheet, "")
        except _BROKEN as error:
            raise self._unreadable(error) from error
        if not self._part:
            raise InvalidInput(
                "the workbook has no such sheet",
                field="options.sheet",
                value=sheet,
                hint=f"It has {', '.join(map(repr, list(sheets)[:10])) or 'none'}.",
            )

    def records(self) -> Iterator[TextRecord | Rejection]:
        """Its rows with their number in the sheet, empty ones left out; what cannot be read ends in a rejection."""
        number = 0
        try:
            for number, cells in self._rows(self._part):
                if any(cells):
                    yield TextRecord(line=number, cells=cells)
        except _BROKEN as error:
            reason = f"the sheet cannot be read from here on ({str(error)[:80]})"
            yield Rejection(place=Place(file=self._file.name, record=number + 1), reason=reason)

    def _unreadable(self, error: Exception) -> InvalidInput:
        return InvalidInput(
            f"the workbook cannot be read ({str(error)[:80] or type(error).__name__})",
            field="files",
            value=self._file.name,
            hint="Save it anew, or save the sheet as CSV.",
        )

    def _open(self, part: str) -> IO[bytes]:
        if self._archive.getinfo(part).file_size > MAX_PART:
            raise ValueError(f"{part} holds more than {MAX_PART} bytes")
        return self._archive.open(part)

    def _elements(self, part: str, *names: str) -> Iterator[Element]:
        """Elements of these local names when they end; they are emptied afterwards."""
        with self._open(part) as stream:
            for _, element in iterparse(stream, ("end",), forbid_dtd=True):
                if _local(element) in names:
                    yield element
                    element.clear()

    def _sheets(self) -> dict[str, str]:
        """Names of sheets, in their order, with their part; ``_zero`` is set by the way."""
        links: dict[str, str] = {}
        for element in self._elements("xl/_rels/workbook.xml.rels", "Relationship"):
            target = element.get("Target", "")
            links[element.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        self._zero, found = _EPOCH, dict[str, str]()
        for element in self._elements(_MAIN, "sheet", "workbookPr"):
            if _local(element) == "workbookPr":
                self._zero = _EPOCH_1904 if element.get("date1904") in {"1", "true"} else _EPOCH
                continue
            part = links.get(element.get(_LINK) or element.get(_STRICT_LINK) or "", "")
            if part in self._archive.namelist() and "worksheets" in part:
                found[element.get("name", part)] = part
        return found

    def _shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return []
        texts: list[str] = []
        size = 0
        for element in self._elements("xl/sharedStrings.xml", "si"):
            texts.append(_text(element))
            size += len(texts[-1])
            if size > MAX_TEXTS:
                raise ValueError(f"its texts have more than {MAX_TEXTS} characters")
        return texts

    def _date_styles(self) -> frozenset[int]:
        """Numbers of the cell styles that show a number as a date."""
        if "xl/styles.xml" not in self._archive.namelist():
            return frozenset()
        formats = set(_DATES)
        dates: list[int] = []
        with self._open("xl/styles.xml") as stream:
            for _, element in iterparse(stream, ("end",), forbid_dtd=True):
                kind = _local(element)
                if kind == "numFmt" and _DATE_FORMAT.search(_QUOTED.sub("", element.get("formatCode", ""))):
                    formats.add(int(element.get("numFmtId", "0")))
                elif kind == "cellXfs":
                    styles = [child for child in element if _local(child) == "xf"]
                    dates += [n for n, style in enumerate(styles) if int(style.get("numFmtId", "0")) in formats]
        return frozenset(dates)

    def _has_rows(self, part: str) -> bool:
        return any(any(cells) for _, cells in self._rows(part))

    def _rows(self, part: str) -> Iterator[tuple[int, list[str]]]:
        number = 0
        for element in self._elements(part, "row"):
            number = int(element.get("r", number + 1))
            cells: list[str] = []
            for cell in element:
                if _local(cell) != "c":
                    continue
                found = _PLACE.fullmatch(cell.get("r", ""))
                column = _column(found[1]) if found else len(cells)
                if column >= MAX_COLUMNS:
                    raise ValueError(f"a row has more than {MAX_COLUMNS} columns")
                cells += [""] * (column + 1 - len(cells))
                cells[column] = self._value(cell)
            yield number, cells

    def _value(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return " ".join(_text(cell).split())
        raw = next((child.text or "" for child in cell if _local(child) == "v"), "").strip()
        if not raw or kind == "e":
            return ""
        if kind == "s":
            return " ".join(self._texts[int(raw)].split()) if int(raw) < len(self._texts) else ""
        if kind == "b":
            return "true" if raw == "1" else "false"
        if kind in {"str", "d"}:
            return " ".join(raw.split())
        return self._number(raw, int(cell.get("s", "0")))

    def _number(self, raw: str, style: int) -> str:
        value = float(raw)
        if style in self._dates and 0 < value < 2_958_466:
            moment = self._zero + timedelta(days=value)
            return moment.date().isoformat() if value.is_integer() else moment.replace(microsecond=0).isoformat(" ")
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element) -> str:
    """The text of an item without its reading aids (phonetic runs)."""
    parts: list[str] = []
    for child in element:
        if _local(child) == "t":
            parts.append(child.text or "")
        elif _local(child) in {"r", "is"}:
            parts.append(_text(child))
    return "".join(parts)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
