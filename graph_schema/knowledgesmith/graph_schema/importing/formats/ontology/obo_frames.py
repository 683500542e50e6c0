"""Splits OBO text into frames, so that one bad line costs that line and not the file; ``fastobo`` parses each frame.

A frame is held in memory, never the document. ``[Instance]`` frames are given to the parser as ``[Term]`` frames with
``instance_of`` as a relationship, because it cannot show the clauses of an instance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from knowledgesmith.graph_schema.importing.formats.ontology.names import compact
from knowledgesmith.graph_schema.importing.importer import InputFile
from knowledgesmith.graph_schema.importing.problems import quote
from knowledgesmith.graph_schema.importing.records import Place, Rejection

fastobo: Final[Any] = import_module("fastobo")
"""The parser; a compiled module without type information."""
MAX_LINE: Final = 1 << 20
"""Bytes of a line; a longer one is rejected."""
MAX_FRAME: Final = 4 << 20
"""Bytes of a frame; its lines beyond that are rejected."""
_MAX_BAD_LINES: Final = 50
_HEAD: Final = re.compile(r"\[([A-Za-z]+)\]\s*(?:!.*)?")
_KNOWN: Final = frozenset({"Term", "Typedef", "Instance"})


@dataclass(slots=True, kw_only=True)
class Frame:
    """Lines of one frame with their numbers. ``kind`` is empty for the header; ``line`` is where it starts.

    ``clauses`` holds, once parsed, the line of each clause of the parsed frame.
    """

    file: str
    kind: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    bad: list[Rejection] = field(default_factory=list[Rejection])
    clauses: list[int] = field(default_factory=list[int])
    size: int = 0

    @property
    def place(self) -> Place:
        """Where the frame starts."""
        return Place(file=self.file, record=self.line)

    def add(self, number: int, raw: bytes) -> None:
        """Take a line; comments and empty lines are dropped, unreadable ones noted."""
        place = Place(file=self.file, record=number)
        if len(raw) > MAX_LINE:
            self.bad.append(Rejection(place=place, reason=f"the line is longer than {MAX_LINE} bytes"))
            return
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            self.bad.append(Rejection(place=place, reason=f"the line is not UTF-8 (byte {error.start + 1})"))
            return
        self.size += len(raw)
        if self.size > MAX_FRAME:
            self.bad.append(Rejection(place=place, reason=f"the frame is longer than {MAX_FRAME} bytes"))
        elif text and not text.startswith("!"):
            self.lines.append((number, text))


def split(file: InputFile) -> Iterator[Frame]:
    """The header and the frames of a file, in its order."""
    file.content.seek(0)
    frame = Frame(file=file.name, kind="", line=1)
    number = 0
    while raw := file.content.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            while rest := file.content.readline(MAX_LINE):
                if rest.endswith(b"\n"):
                    break
        elif raw.startswith(b"[") and (head := _HEAD.fullmatch(raw.decode("utf-8", "replace").strip())):
            yield frame
            frame = Frame(file=file.name, kind=head[1], line=number)
            continue
        frame.add(number, raw)
    yield frame


def parse(frame: Frame) -> tuple[Any, list[Rejection]]:
    """The parsed frame, or None, and what was wrong with it; a line that does not parse is left out.

    A header gives a ``fastobo.header.HeaderFrame``, an instance a ``fastobo.term.TermFrame``.
    """
    problems = list(frame.bad)
    if frame.kind and frame.kind not in _KNOWN:
        return None, [*problems, Rejection(place=frame.place, reason=f"unknown kind of frame {quote(frame.kind)}")]
    if frame.kind and not any(text.startswith("id:") for _, text in frame.lines):
        return None, [*problems, Rejection(place=frame.place, reason=f"the {frame.kind} has no id")]
    lines = [(number, _as_term_line(text) if frame.kind == "Instance" else text) for number, text in frame.lines]
    head = "" if not frame.kind else "[Term]\n" if frame.kind == "Instance" else f"[{frame.kind}]\n"
    for _ in range(_MAX_BAD_LINES):
        try:
            document = fastobo.loads(head + "".join(f"{text}\n" for _, text in lines), threads=1)
        except SyntaxError as error:
            index = (error.lineno or 0) - (2 if head else 1)
            if not 0 <= index < len(lines) or lines[index][1].startswith("id:"):
                return None, [*problems, Rejection(place=frame.place, reason=f"the frame does not parse: {error.msg}")]
            number, text = lines.pop(index)
            place = Place(file=frame.file, record=number)
            problems.append(Rejection(place=place, reason=f"{quote(text)} does not parse: {error.msg}"))
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            return None, [*problems, Rejection(place=frame.place, reason="the frame does not parse")]
        else:
            frame.clauses = [number for number, text in lines if not (frame.kind and text.startswith("id:"))]
            return (document[0] if frame.kind else document.header), problems
    return None, [*problems, Rejection(place=frame.place, reason=f"more than {_MAX_BAD_LINES} lines do not parse")]


def _as_term_line(text: str) -> str:
    return f"relationship: instance_of {text[12:].strip()}" if text.startswith("instance_of:") else text


def text_of(identifier: Any) -> str:
    """The text of a parsed identifier, unescaped; an OBO address in its short form."""
    if isinstance(identifier, fastobo.id.PrefixedIdent):
        return f"{identifier.prefix}:{identifier.local}"
    if isinstance(identifier, fastobo.id.UnprefixedIdent):
        return str(identifier.unescaped)
    return compact(str(identifier))
