"""How the value of a bad record, and why a file cannot be read further, are shown to the user."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import ParseError

from knowledgesmith.graph_schema.errors import shorten


def quote(value: object) -> str:
    """A value for a problem's text, short and with control characters escaped."""
    return shorten(value, 60) if isinstance(value, str) else shorten(repr(value), 60)


_JSON: Final = (
    ("premature eof", "the file ends in the middle"),
    ("incomplete json", "the file ends in the middle"),
    ("trailing garbage", "something stands behind the end"),
    ("separated by a colon", "a colon lacks behind a key"),
    ("after array element", "a comma or ] lacks in a list"),
    ("inside map", "a comma or } lacks in an object"),
    ("invalid object key", "a key is no text in double quotes"),
    ("invalid character inside string", "a line break or control character stands inside a text"),
    ("invalid bytes in utf8", "it holds bytes that are not UTF-8"),
    ("occurs before a character", "a backslash in a text stands before a sign that it cannot escape"),
)
"""What parsers of JSON say, in part, and what it means."""


def in_words(error: BaseException) -> str:
    """Why a file cannot be read, for people who do not know how it is read: never a class's name or a bare key."""
    said = " ".join(str(error).split("\n", 1)[0].split())
    if isinstance(error, UnicodeError):
        return "it holds bytes that are not UTF-8"
    if isinstance(error, RecursionError):
        return "its parts stand too deep inside each other"
    if isinstance(error, EOFError):
        return "the file ends in the middle"
    if isinstance(error, KeyError):
        return f"its part {quote(str(error.args[0]) if error.args else '')} is missing"
    if isinstance(error, ParseError):
        return f"its XML is broken in line {error.position[0]}"
    if isinstance(error, MemoryError):
        return "it holds too much"
    for part, words in _JSON:
        if part in said.casefold():
            return words
    return (
        shorten(said.removeprefix("lexical error: ").removeprefix("parse error: ").rstrip("."), 120) or "it is broken"
    )
