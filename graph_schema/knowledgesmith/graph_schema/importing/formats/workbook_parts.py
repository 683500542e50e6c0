"""The XML parts of an Excel workbook: a zip from a stranger, read within bounds whatever it says of itself.

Entities and references to the outside are refused. What is held at a time is one row or one text, and a row is counted
while it is read.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from knowledgesmith.graph_schema.importing.problems import in_words

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

    def elements(self, part: str, *names: str) -> Iterator[Element]:
        """Elements of these local names when they end; nothing else is kept.

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
                    wanted += kind in names
                    held += wanted > 0
                    cells = 0 if kind == "row" else cells + (kind == "c")
                    _check(depth=len(way), held=held, cells=cells)
                    continue
                way.pop()
                if kind in names:
                    wanted -= 1
                    yield element
                if not wanted:
                    held = source.held = 0
                    if way:
                        way[-1].remove(element)

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
