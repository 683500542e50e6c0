"""Splits OBO text into frames of tagged lines, so that one bad line costs that line and not the file.

A frame is held in memory, never the document. Byte order marks, every sort of line end, indented lines, lines that a
backslash continues, heads in small letters and frames whose head is missing are dealt with here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from knowledgesmith.graph_schema.importing.formats.ontology.obo_clauses import Line, line_of
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Rejection

MAX_LINE: Final = 1 << 20
"""Bytes of a line; a longer one is rejected."""
MAX_FRAME: Final = 4 << 20
"""Bytes of a frame; its lines beyond that are rejected."""
_HEAD: Final = re.compile(r"\[\s*([A-Za-z]+)\s*(\]?)(.*)", re.DOTALL)
_KNOWN: Final = {"term": "Term", "typedef": "Typedef", "instance": "Instance"}
_OTHERS: Final = frozenset({"annotation", "formula", "synonymtypedef"})
"""Kinds of frames of other versions of the format; they hold no terms."""
_CONTINUED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\\Z")


@dataclass(slots=True, kw_only=True)
class Frame:
    """Lines of one frame. ``kind`` is empty for the header; ``line`` is where it starts.

    ``problems`` are the lines that could not be read, and what was noticed.
    """

    file: str
    kind: str
    line: int
    lines: list[Line] = field(default_factory=list[Line])
    problems: list[Rejection | Finding] = field(default_factory=list["Rejection | Finding"])
    size: int = 0
    _open: tuple[int, str] | None = None

    @property
    def place(self) -> Place:
        """Where the frame starts."""
        return Place(file=self.file, record=self.line)

    @property
    def usable(self) -> bool:
        """Whether it is the header or of a kind that holds terms or relations."""
        return not self.kind or self.kind in _KNOWN.values()

    def at(self, line: Line) -> Place:
        """Where a line of the frame stands."""
        return Place(file=self.file, record=line.number)

    def values(self, *tags: str) -> list[str]:
        """Values of the lines of these tags."""
        return [line.value for line in self.lines if line.tag in tags]

    def decoded(self, number: int, raw: bytes) -> str:
        """The text of a line, blanks aside; empty for comments, and for unreadable ones, which are noted."""
        if len(raw) > MAX_LINE:
            self._reject(number, f"the line is longer than {MAX_LINE} bytes")
            return ""
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            self._reject(number, f"the line is not UTF-8 (byte {error.start + 1})")
            return ""
        return "" if text.startswith("!") else text

    def add(self, number: int, text: str) -> None:
        """Take a line that is not empty."""
        self.size += len(text)
        if self.size > MAX_FRAME:
            self._reject(number, f"the frame is longer than {MAX_FRAME} bytes")
            return
        if self._open is not None:
            number, text = self._open[0], f"{self._open[1]} {text}"
            self._open = None
        if text.endswith("\\") and _CONTINUED.search(text):
            self._open = (number, text[:-1].rstrip())
            return
        self._take(number, text)

    def close(self) -> None:
        """Take what a last backslash left open, and note what makes the frame unusable."""
        if self._open is not None:
            self._take(*self._open)
            self._open = None
        if not self.usable:
            self._reject(self.line, f"unknown kind of frame {quote(self.kind)}")

    def _take(self, number: int, text: str) -> None:
        line = line_of(number, text)
        if line is None:
            self._reject(number, f"{quote(text)} has no tag")
        else:
            self.lines.append(line)

    def _reject(self, number: int, reason: str) -> None:
        self.problems.append(Rejection(place=Place(file=self.file, record=number), reason=reason))


def split(file: InputFile) -> Iterator[Frame]:
    """The header and the frames of a file, in its order."""
    file.content.seek(0)
    frame = Frame(file=file.name, kind="", line=1)
    for number, raw in enumerate(_raw_lines(file.content), start=1):
        text = frame.decoded(number, raw)
        if not text:
            continue
        following = _headed(frame, number, text) if text.startswith("[") else _headless(frame, number, text)
        if following is not None:
            frame.close()
            yield frame
            frame = following
        if not text.startswith("[") or following is None:
            frame.add(number, text)
    frame.close()
    yield frame


def _headed(frame: Frame, number: int, text: str) -> Frame | None:
    """The frame that a head begins; None where the line is no head."""
    found = _HEAD.fullmatch(text)
    if found is None:
        return None
    kind = _KNOWN.get(found[1].lower(), found[1])
    begun = Frame(file=frame.file, kind=kind, line=number)
    rest = found[3].strip()
    if not found[2] or (rest and rest[0] not in "!{"):
        note = f"{quote(text)} was read as the head [{kind}]"
        begun.problems.append(Finding(place=begun.place, kind=FindingKind.NOTE, text=note))
    return begun


def _headless(frame: Frame, number: int, text: str) -> Frame | None:
    """The frame that a second id begins where somebody lost its head; None where the line goes on with the frame."""
    if not text.startswith("id:") or not frame.kind:
        return None
    known = frame.values("id")
    if not known or known[0] == text[3:].strip():
        return None
    begun = Frame(file=frame.file, kind=frame.kind, line=number)
    note = f"a second id in one frame: {quote(text[3:].strip())} was read as a [{frame.kind}] of its own"
    begun.problems.append(Finding(place=begun.place, kind=FindingKind.NOTE, text=note))
    return begun


def _raw_lines(content: BinaryIO) -> Iterator[bytes]:
    r"""Lines that end with ``\n``, ``\r\n`` or ``\r``, without their ends; of endless ones only the beginning."""
    rest, passing = b"", False
    while raw := content.readline(MAX_LINE + 1):
        whole = rest + raw
        ended = whole.endswith(b"\n")
        pieces = (whole[:-1].removesuffix(b"\r") if ended else whole).split(b"\r")
        rest = b"" if ended else pieces.pop()
        for piece in pieces:
            if passing:
                passing = False
            else:
                yield piece
        if len(rest) > MAX_LINE:
            if not passing:
                yield rest
            rest, passing = b"", True
    if rest and not passing:
        yield rest
