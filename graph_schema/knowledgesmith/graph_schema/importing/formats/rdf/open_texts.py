"""Texts and addresses of Turtle and TriG that are not closed: found by line, so that they cost their statement alone.

A parser that meets an open quote takes everything up to the next quote for a text, and from there on texts for
statements: it loses the rest of the file. But only texts in three quotes go on in the next line, so what else is open
at the end of a line is a fault of that line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    rb"""(?P<long>\"{3}|'{3}) | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | <[^<>"{}|^`\s]*> | <<\(? | (?P<note>\#.*)"""
    rb"""| (?P<text>["']) | (?P<address><(?![^>]*>|[<=])) | \\. | [^"'<\#\\]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_LONG: Final = {quote: re.compile(rb"(?:[^\\]|\\.)*?" + quote, re.DOTALL) for quote in (b'"""', b"'''")}
OPEN_TEXT: Final = (
    "a text begins here that is not closed in its line; write the quote that closes it, a line break as \\n"
)
OPEN_ADDRESS: Final = "an address begins here that is not closed in its line; write the > that closes it"
OPEN_END: Final = "a text in three quotes begins here that is not closed; write the three quotes that close it"
INSTEAD: Final = b"] ."
"""What no parser takes for data: it ends the statement."""

Note = Callable[[int, str], None]
"""Takes a line and what is wrong there."""


@dataclass(slots=True)
class OpenTexts:
    """Takes lines in their order and gives what a parser shall read: of a statement with an open text, nothing."""

    note: Note
    _quote: bytes = b""
    _opened: int = 0
    _fault: tuple[int, str] | None = None

    def checked(self, number: int, line: bytes) -> bytes:
        """The line itself, or what stands in for it; there is always one line for one."""
        if not self._quote and self._fault is None and _is_plain(line):
            return line
        problem, end = self._read(number, line)
        if self._fault is not None:
            if end:
                self._tell(number)
            return b""
        if not problem:
            return line
        self._fault = (number, problem)
        if end:
            self._tell(number)
        return INSTEAD

    def close(self, number: int) -> None:
        """Tell what is open at the end of the file, which has so many lines."""
        if self._fault is not None:
            self._tell(number)
        if self._quote:
            lost = number - self._opened
            self.note(self._opened, f"{OPEN_END}; {lost:,} line{'' if lost == 1 else 's'} behind it are lost")

    def _tell(self, number: int) -> None:
        if self._fault is not None:
            first, problem = self._fault
            lost = "" if number == first else f"; its statement is lost up to line {number:,}"
            self.note(first, problem + lost)
        self._fault = None

    def _read(self, number: int, line: bytes) -> tuple[str, bool]:
        """What is open at the end of a line, in words, and whether a statement ends with it."""
        place, last = 0, b""
        while place < len(line):
            if self._quote:
                closed = _LONG[self._quote].match(line, place)
                if closed is None:
                    return "", False
                place, self._quote, last = closed.end(), b"", b'"'
                continue
            found = _TOKEN.match(line, place)
            if found is None:
                return "", False
            if found["text"] or found["address"]:
                return OPEN_TEXT if found["text"] else OPEN_ADDRESS, line.rstrip().endswith(b".")
            if found["long"]:
                self._quote, self._opened = found["long"], number
            elif not found["note"] and found[0].strip():
                last = found[0].rstrip()[-1:]
            place = found.end()
        return "", last == b"."


def _is_plain(line: bytes) -> bool:
    """Whether nothing in a line can be open, by its signs; a file whose lines end otherwise is not looked into."""
    if b"\r" in line.rstrip(b"\r"):
        return True
    quotes = b'"' in line or b"'" in line
    return not quotes and line.count(b"<") == line.count(b">")
