"""The XML parts of a workbook (Excel, OpenDocument): a zip from a stranger, read within bounds whatever it says.

Entities and references to the outside are refused. What is held at a time is one row or one text, and a row is counted
while it is read.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import IO, Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows.text import TextRecord
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import in_words, quote
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

MAX_PART: Final = 1 << 28
"""Bytes of one part of a workbook (256 MiB)."""
MAX_BOOK: Final = 1 << 30
"""Bytes of all the parts that are read."""
MAX_COLUMNS: Final = 1_000
_MAX_HELD: Final = 1 << 24
"""Bytes of a part without the end of a row, a text or the like (16 MiB)."""
_MAX_ELEMENTS: Final = 100_000
"""Elements inside one that is held."""
_MAX_DEPTH: Final = 64
_PIECE: Final = 1 << 18
_ZIP: Final = b"PK\x03\x04"
_ROWS: Final = frozenset({"row", "table-row"})
_CELLS: Final = frozenset({"c", "table-cell", "covered-table-cell"})
BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
    # An archive with a password raises RuntimeError, one that is packed in an unknown way its NotImplementedError
    *(RuntimeError, ParseError, DefusedXmlException, ValueError, OverflowError),
)
"""What reading a workbook may raise."""


def fault(error: BaseException) -> str:
    """Why a workbook cannot be read, in words."""
    if isinstance(error, DefusedXmlException):
        return "it defines entities or names other files, which is refused"
    if isinstance(error, NotImplementedError):
        return "it is packed in a way that cannot be read here"
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is protected by a password"
    if isinstance(error, zipfile.BadZipFile | zlib.error | lzma.LZMAError | EOFError):
        return "its zip archive is broken"
    return in_words(error)


def way_out(error: BaseException) -> str:
    """What to do about it."""
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "Save it without a password, or save the sheet as CSV."
    return "Save it anew in a spreadsheet program, or save the sheet as CSV."


def look_inside(file: InputFile, look: Callable[[zipfile.ZipFile], bool], *, broken: bool = False) -> bool:
    """What a look into a zip tells, ``broken`` where it cannot be opened; False for other files, which are rewound."""
    file.content.seek(0)
    start = file.content.read(len(_ZIP))
    file.content.seek(0)
    if start != _ZIP:
        return False
    try:
        with zipfile.ZipFile(file.content) as archive:
            found = look(archive)
    except BROKEN:
        found = broken
    file.content.seek(0)
    return found


class Parts:
    """The parts of a workbook.

    Raises:
        one of ``BROKEN``: the file is no zip.
    """

    def __init__(self, content: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(content)
        self._names = frozenset(self._archive.namelist())
        self._opened: dict[str, int] = {}

    def __contains__(self, part: str) -> bool:
        return part in self._names

    def elements(self, part: str, *names: str, opening: str = "") -> Iterator[Element]:
        """Elements of these local names when they end, the outermost ones; nothing else is kept.

        Those named ``opening`` come when they begin, with their attributes alone.

        Raises:
            one of ``BROKEN``: the part is missing, broken or beyond the bounds.
        """
        with self._open(part) as stream:
            source = _Bounded(stream)
            way: list[Element] = []
            held, wanted, cells = 0, 0, 0
            for event, element in iterparse(source, ("start", "end"), forbid_dtd=True):
                kind = local(element)
                if event == "start":
                    way.append(element)
                    if opening and kind == opening and not wanted:
                        yield element
                    wanted += kind in names
                    held += wanted > 0
                    cells = 0 if kind in _ROWS else cells + (kind in _CELLS)
                    _check(depth=len(way), held=held, cells=cells)
                    continue
                way.pop()
                if kind in names:
                    wanted -= 1
                    if not wanted:
                        yield element
                if not wanted:
                    held = source.held = 0
                    if way:
                        way[-1].remove(element)

    def hold(self, part: str, word: bytes) -> bool:
        """Whether a word stands anywhere in a part, without reading its elements."""
        with self._open(part) as stream:
            rest = b""
            while piece := stream.read(_PIECE):
                if word in rest + piece:
                    return True
                rest = piece[-len(word) :]
        return False

    def _open(self, part: str) -> IO[bytes]:
        if part not in self._names:
            raise ValueError(f"its part {part} is missing")
        size = self._archive.getinfo(part).file_size
        self._opened[part] = size
        if size > MAX_PART:
            raise ValueError(f"its part {part} holds more than {MAX_PART >> 20} MiB")
        if sum(self._opened.values()) > MAX_BOOK:
            raise ValueError(f"its parts hold more than {MAX_BOOK >> 20} MiB")
        return self._archive.open(part)


def _check(*, depth: int, held: int, cells: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"its parts stand more than {_MAX_DEPTH} deep inside each other")
    if cells > MAX_COLUMNS:
        raise ValueError(f"a row has more than {MAX_COLUMNS:,} columns")
    if held > _MAX_ELEMENTS:
        raise ValueError(f"a row or a text has more than {_MAX_ELEMENTS:,} parts")


class _Bounded:
    """A stream that ends in an error where too much of it is held."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.held = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        piece = self._stream.read(size)
        self.held += len(piece)
        if self.held > _MAX_HELD:
            raise ValueError(f"a row or a text holds more than {_MAX_HELD >> 20} MiB")
        return piece


def local(element: Any) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def whole(text: str | None, otherwise: int = 0) -> int:
    """A number of a row, a style or a text; ``otherwise`` where none stands there."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def number_of(raw: str) -> float:
    """The number in a cell.

    Raises:
        BadCell: it holds none.
    """
    try:
        return float(raw)
    except ValueError:
        raise BadCell(f"a cell of a number holds {quote(raw)}") from None


def plain(value: float) -> str:
    """A number as a person writes it, whole ones without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


class BadCell(ValueError):
    """A cell whose value cannot be read; the other rows can."""


class Downwards:
    """Cells that are merged over several rows: their text counts for each of these rows.

    ``filled`` are the cells that got a text so.
    """

    def __init__(self) -> None:
        self.filled = 0
        self._open: dict[int, tuple[int, str]] = {}

    def begin(self, column: int, last: int, cells: list[str]) -> None:
        """A cell of a row is merged with those below it, down to the row of that number."""
        if column < len(cells) and cells[column]:
            self._open[column] = last, cells[column]

    def fill(self, number: int, cells: list[str]) -> list[str]:
        """The cells of a row with the texts of those above that they are merged with; an empty row stays empty."""
        for column, (last, text) in list(self._open.items()):
            if number > last:
                del self._open[column]
            elif any(cells) and not (column < len(cells) and cells[column]):
                cells += [""] * (column + 1 - len(cells))
                cells[column] = text
                self.filled += 1
        return cells


class Book(ABC):
    """One sheet of a workbook.

    Args:
        file: a workbook.
        sheet: its name; empty = the first that is not empty.

    ``others`` are the other sheets that are not empty, where none was named; ``repeated`` are, after ``records``, the
    rows that state again what the row above them says, ``merged`` the cells that are merged over several rows.

    Raises:
        InvalidInput: it cannot be read, or it has no such sheet.
    """

    def __init__(self, file: InputFile, sheet: str = "") -> None:
        self._file = file
        self.repeated = 0
        self.merged = Downwards()
        try:
            self._parts = Parts(file.content)
            sheets = self._sheets()
            filled = [name for name in sheets if not sheet and self._has_rows(sheets[name])]
            self.sheet = sheet or next(iter(filled or sheets), "")
            self.others = tuple(filled[1:])
            self._part = sheets.get(self.sheet, "")
        except BROKEN as error:
            raise InvalidInput(
                f"the workbook cannot be read: {fault(error)}", field="files", value=file.name, hint=way_out(error)
            ) from error
        if not self._part:
            raise InvalidInput(
                "the workbook has no such sheet",
                field="options.sheet",
                value=sheet,
                hint=f"It has {', '.join(map(repr, list(sheets)[:10])) or 'none'}.",
            )

    @abstractmethod
    def _sheets(self) -> dict[str, str]:
        """Names of sheets, in their order, with where each is; what rows need is read by the way."""

    @abstractmethod
    def _rows(self, part: str) -> Iterator[tuple[int, list[str], str]]:
        """Number and cells of each row of a sheet, and what is wrong with it."""

    def _has_rows(self, part: str) -> bool:
        return any(problem or any(cells) for _, cells, problem in self._rows(part))

    def records(self) -> Iterator[TextRecord | Rejection]:
        """Its rows with their number in the sheet, empty ones left out; what cannot be read ends in a rejection."""
        number = self.repeated = 0
        try:
            for number, cells, problem in self._rows(self._part):
                if problem:
                    yield Rejection(place=Place(file=self._file.name, record=number), reason=problem)
                elif any(cells):
                    yield TextRecord(line=number, cells=cells)
        except BROKEN as error:
            reason = f"the sheet cannot be read from here on: {fault(error)}; saved as CSV it may be read whole"
            yield Rejection(place=Place(file=self._file.name, record=number + 1), reason=reason)
