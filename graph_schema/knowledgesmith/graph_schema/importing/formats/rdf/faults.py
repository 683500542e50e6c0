"""Why RDF cannot be read, for people who wrote it or were given it: the line, what is wrong there, and the way out.

Parsers speak of code points, events and tokens. What they say is told by its kind in plain words; where none fits, the
notation is named and what stands in the line is to be looked at. Nothing of a parser's own words is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Final

from knowledgesmith.graph_schema.importing.reading.parsing import rewind
from knowledgesmith.graph_schema.importing.reading.problems import quote

NOTATIONS: Final = {
    "nt": "N-Triples",
    "nq": "N-Quads",
    "ttl": "Turtle",
    "trig": "TriG",
    "rdfxml": "RDF/XML",
    "jsonld": "JSON-LD",
}
_LINES: Final = frozenset({"nt", "nq"})
_TERSE: Final = _LINES | {"ttl", "trig"}
_XML: Final = frozenset({"rdfxml"})
_JSON: Final = frozenset({"jsonld"})
_ANY: Final = _TERSE | _XML | _JSON
_WORDS: Final = (
    (r"loaddocumentcallback", "a remote @context is not fetched; put the context into the file", _JSON),
    (
        r"line jumps? .*middle",
        "the statement goes on in another line; write each in a line of its own, with a dot at its end",
        _LINES,
    ),
    (
        r"line jumps?",
        "a text in quotes goes on in the next line; write a line break in it as \\n, and close the text in its line",
        _TERSE,
    ),
    (
        r"beginning of a prefix name",
        "a sign stands here that begins no address, name or text; write addresses in < > and texts in double quotes",
        _TERSE,
    ),
    (
        r"single triple or quad",
        "something stands behind the statement in its line; write each in a line of its own, and remarks behind #",
        _LINES,
    ),
    (r"datatype", "what stands behind ^^ names no kind of values; write its address there, in < >", _TERSE),
    (
        r"(?P<what>subject|predicate|object)\b",
        "what stands here can be no {what}; write an address in < >, _:name or, as an object, a text in double quotes",
        _LINES,
    ),
    (
        r"unexpected end of file|no element found|unclosed|premature",
        "what begins here is not closed before the file ends; write the quote, bracket or tag that closes it",
        _ANY,
    ),
    (r"utf-?8", "the file holds bytes that are not UTF-8; save it as UTF-8", _ANY),
    (
        r"(?:the prefix |unknown prefix )(?P<it>\S*?):|unbound prefix",
        "the prefix{it} is not declared; declare it at the start of the file",
        _ANY,
    ),
    (
        r"(?:prefix|base|version) keyword|prefix declaration|base declaration",
        "a declaration is not whole; write it as @prefix ex: <http://…> . or @base <http://…> .",
        _ANY,
    ),
    (
        r"(?P<it>@\w+)(?: \w+)? (?:value|must|is|cannot)|invalid (?P<that>@\w+)",
        "the value of {it} is of the wrong kind; write what JSON-LD 1.1 allows there",
        _JSON,
    ),
    (
        r"curly|squared|array|comma|colon|json|object key|unexpected (?:char|byte)",
        "the JSON is broken here; write each comma, colon, quote and bracket once, and close what is open",
        _JSON,
    ),
    (
        r"(?:^(?P<it>.{1,80}?) is not a valid )?(?:the |rdf )?(?P<what>subject|predicate|object)\b(?! key)",
        "{it} can be no {what}; write an address in < >, a name with a known prefix or, as an object, a text in quotes",
        _ANY,
    ),
    (
        r"no scheme|scheme must|relative iri|no base",
        "an address is not whole; write it with its beginning, such as http://",
        _ANY,
    ),
    (
        r"\biri\b|in host|port character|percent|\burl\b",
        "an address holds a sign that none may hold; write a blank as %20, and no other signs than addresses have",
        _ANY,
    ),
    (r"\bdot\b", "a statement does not end with a dot; write one before the next begins", _ANY),
    (r"unexpected end", "the statement ends in the middle; write the rest of it and a dot", _ANY),
    (r"language|@language", "a language is written wrong; write it as en or de-AT (behind a text: @en)", _ANY),
    (
        r"escape|surrogate|unicode character|hexadecimal",
        "a backslash stands before a sign that it cannot escape; write two for a backslash itself",
        _ANY,
    ),
    (r"exponent|integer|a number|decimal", "a number is not whole; write it as 1.5, or in quotes", _ANY),
    (
        r"mismatched tag|end tag|closing tag",
        "a tag is closed here that is not the last one opened; close each in the order of their opening",
        _XML,
    ),
    (r"undefined entity|entity", "a name behind & is not declared; write the sign itself, or &amp; for an &", _XML),
    (
        r"invalid token|well-formed|attribute value|duplicate attribute",
        "the XML is broken here; write & as &amp; and < as &lt;, and each attribute once with its value in quotes",
        _XML,
    ),
    (r"junk after", "something stands behind the end of the document; leave it out", _XML),
    (
        r"rdf:(?:id|nodeid|bagid) value|rdf:id$",
        "an rdf:ID, rdf:nodeID or rdf:bagID holds signs that none may hold; write letters and digits, a letter first",
        _XML,
    ),
    (
        r"not both|same time",
        "attributes exclude each other here; keep one of rdf:ID, rdf:about, rdf:nodeID, rdf:resource",
        _XML,
    ),
    (r"text event|unexpected text|textual", "a text stands where an element belongs; put it inside a property", _XML),
    (
        r"element tag|not a valid attribute|rdf:\w+ attribute|not allowed",
        "this element or attribute cannot stand here; what describes a thing holds properties, and they hold things",
        _XML,
    ),
    (
        r"bracket|should end with|parenthes|collection|list",
        "a bracket or list is not closed, or closed too early; write the bracket that lacks",
        _ANY,
    ),
)
_SAYS: Final = tuple((re.compile(pattern, re.IGNORECASE), words, notations) for pattern, words, notations in _WORDS)
_FRAME: Final = re.compile(r"^Parser error (?:at|between)\b.*?: | \(line \d+\)$", re.DOTALL)


def fault(error: BaseException, notation: str) -> str:
    """What is wrong and, behind a semicolon, the way out; without the place."""
    said = _FRAME.sub("", " ".join(str(error).split("\n", 1)[0].split()))
    said = _FRAME.sub("", said)
    for pattern, words, notations in _SAYS:
        if notation in notations and (found := pattern.search(said)):
            parts = {key: value for key, value in found.groupdict().items() if value}
            return words.format(it=_named(parts, words), what=parts.get("what", "part of a statement"))
    return f"this is no {NOTATIONS[notation]}; look for a sign too many or one that lacks"


def _named(parts: dict[str, str], words: str) -> str:
    """What a parser names, quoted; a general word where it names nothing."""
    it = parts.get("it") or parts.get("that") or ""
    if words.startswith("{it}"):
        return quote(it.strip("'\"")) if it else "what stands here"
    if words.startswith("the prefix"):
        return f" {quote(it + ':')}" if it else ""
    return quote(it) if it else "a key"


def placed(words: str, line: int, column: int = 0) -> str:
    """The words behind their line, and their column where it is known."""
    where = f"line {line}, column {column}" if line and column else f"line {line}" if line else ""
    return f"{where}: {words}" if where else words


class _Lines:
    """A stream that hands out one line at a time and counts them."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.line = 0
        self._whole = True

    def read(self, size: int = -1) -> bytes:
        """The next line, or as much of it as fits."""
        piece = self._content.readline(size)
        self.line += self._whole and bool(piece)
        self._whole = piece.endswith(b"\n") or not piece
        return piece


def line_of_fault(
    content: BinaryIO, parsed: Callable[[Any], Iterable[Any]], errors: tuple[type[Exception], ...]
) -> int:
    """The line in which reading ends, by reading once more line by line; 0 where it does not end early.

    Parsers of XML and JSON do not name the line of what is well written and means nothing.
    """
    rewind(content)
    lines = _Lines(content)
    try:
        for _ in parsed(lines):
            pass
    except errors:
        return max(lines.line, 1)
    return 0
