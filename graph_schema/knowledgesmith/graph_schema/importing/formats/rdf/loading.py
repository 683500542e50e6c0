"""Parses RDF files into a store, each statement with its place, and collects what could not be read.

A statement's place is its graph name: a blank node whose number holds the file and the statement's number, which the
store keeps without a table of texts. One marker for each subject stands in the default graph, so that the subjects can
be listed one after another. Nothing is fetched: neither imports nor JSON-LD contexts nor XML entities.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import SEEK_END
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final
from urllib.parse import quote as quote_url

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rdf.faults import fault, line_of_fault, placed
from knowledgesmith.graph_schema.importing.formats.rdf.open_texts import INSTEAD, OPEN_TEXT, OpenTexts
from knowledgesmith.graph_schema.importing.formats.rdf.vocabulary import OWL, RDF
from knowledgesmith.graph_schema.importing.formats.rdf.xml_guard import inspect_xml
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.importing.reading.parsing import rewind
from knowledgesmith.graph_schema.importing.reading.problems import quote
from knowledgesmith.graph_schema.importing.reading.records import Place, Rejection

MAX_LITERAL: Final = 10_000
"""Characters of a literal; a statement with a longer one is rejected."""
MAX_IN_MEMORY: Final = 8 << 20
"""Bytes of files whose store is held in memory; larger ones go to disk."""
BATCH: Final = 50_000
"""Statements that are written to the store at once."""
MAX_REJECTIONS: Final = 1_000
"""Rejections kept of one file; the rest is counted."""
MARKER: Final = NamedNode("urn:ksmith:subject")
"""Predicate and object of the markers."""
_RECENT: Final = 100_000
_SYNTAXES: Final = {
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "ttl": RdfFormat.TURTLE,
    "trig": RdfFormat.TRIG,
    "rdfxml": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
}
_ENDINGS: Final = {".nt": "nt", ".nq": "nq", ".ttl": "ttl", ".trig": "trig", ".jsonld": "jsonld", ".json": "jsonld"}
_UNREAD: Final = {".rj": "RDF/JSON", ".trix": "TriX", ".hext": "Hextuples", ".hdt": "HDT"}
"""Notations that would be taken for others by their first bytes."""
_LINES: Final = frozenset({"nt", "nq", "ttl", "trig"})
"""Syntaxes whose parser goes on behind a syntax error."""
_CLOSED: Final = re.compile(rb'(?:[^"<#]|<[^>"]*>?|"(?:[^"\\]|\\.)*")*(?:#.*)?', re.DOTALL)
"""A line whose texts in quotes end in it."""
_CHUNK: Final = 1 << 20
_ERRORS: Final = (SyntaxError, ValueError, OSError)
"""What parsers raise."""


def find_syntax(file: InputFile, wanted: str) -> str:
    """The syntax of a file: as wanted, by its ending, or by its first bytes.

    Raises:
        InvalidInput: none of these tells.
    """
    if wanted:
        return wanted
    for ending, syntax in _ENDINGS.items():
        if file.name.lower().endswith(ending):
            return syntax
    if notation := _UNREAD.get(PurePosixPath(file.name).suffix.lower()):
        raise InvalidInput(
            f"{notation} is not read", field="files", value=file.name, hint="Convert it to N-Triples or Turtle."
        )
    file.content.seek(0)
    start = file.content.read(4096).decode("utf-8-sig", "replace").lstrip()
    if start.startswith(("<?xml", "<rdf:", "<!DOCTYPE", "<!--", "<RDF")):
        return "rdfxml"
    if start.startswith(("{", "[")):
        return "jsonld"
    if start.startswith(("@prefix", "@base", "PREFIX", "BASE", "#", "<", "_:")):
        return "ttl"
    raise InvalidInput(
        "the syntax of the file cannot be told",
        field="files",
        value=file.name,
        hint=f"Name it with the option syntax: one of {', '.join(_SYNTAXES)}.",
    )


class _Utf8:
    """A stream without lines that are not UTF-8; each becomes a rejection and a text that no parser takes for data.

    Where a statement is a line (``by_line``), lines with an open quote, which would swallow the next, are left out too;
    elsewhere statements with one.
    """

    def __init__(self, content: BinaryIO, name: str, note: Any, *, instead: bytes, by_line: bool) -> None:
        self._by_line = by_line
        self._content = content
        self._name = name
        self._note = note
        self._instead = instead
        self._line = 0
        self._ready = b""
        self._rest = b""
        self._open = None if by_line else OpenTexts(self._note_line)

    def read(self, size: int = -1) -> bytes:
        while not self._ready:
            chunk = self._content.read(_CHUNK)
            whole, newline, rest = (self._rest + chunk).rpartition(b"\n")
            if not chunk:
                whole, newline, rest = self._rest, b"", b""
                if not whole:
                    self._close()
                    return b""
            self._rest = rest
            self._ready = self._checked(whole + newline)
        part, self._ready = (self._ready, b"") if size < 0 else (self._ready[:size], self._ready[size:])
        return part

    def _checked(self, block: bytes) -> bytes:
        try:
            block.decode()
        except UnicodeDecodeError:
            lines = block.splitlines(keepends=True)
            block = b"".join(map(self._line_checked, range(self._line + 1, self._line + 1 + len(lines)), lines))
        if self._by_line:
            lines = block.split(b"\n")
            block = b"\n".join(map(self._closed, range(self._line + 1, self._line + 1 + len(lines)), lines))
        elif self._open is not None:
            *lines, rest = block.split(b"\n")
            lines += [rest] if rest else []
            checked = map(self._open.checked, range(self._line + 1, self._line + 1 + len(lines)), lines)
            block = b"\n".join([*checked, *([] if rest else [b""])])
        self._line += block.count(b"\n")
        return block

    def _close(self) -> None:
        if self._open is not None:
            self._open.close(self._line)
            self._open = None

    def _note_line(self, number: int, words: str) -> None:
        self._note(Rejection(place=Place(file=self._name, record=number), reason=placed(words, number)))

    def _closed(self, number: int, line: bytes) -> bytes:
        if not (line.count(b'"') % 2 or b"\\" in line) or _CLOSED.fullmatch(line):
            return line
        self._note_line(number, OPEN_TEXT)
        return self._instead

    def _line_checked(self, number: int, line: bytes) -> bytes:
        try:
            line.decode()
        except UnicodeDecodeError as error:
            place = Place(file=self._name, record=number)
            self._note(Rejection(place=place, reason=f"the line is not UTF-8 (byte {error.start + 1})"))
            return self._instead + b"\n"
        return line


@dataclass(slots=True)
class LoadedTriples:
    """The store and what was noticed while it was filled."""

    store: Store
    files: list[str] = field(default_factory=list[str])
    predicates: set[str] = field(default_factory=set[str])
    prefixes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    count: int = 0

    def place(self, graph: Any) -> Place:
        """Where a statement of the store stood."""
        number = int(graph.value, 16)
        return Place(file=self.files[(number >> 64) - 1], record=number & (2**64 - 1))


def load(
    files: Sequence[InputFile], folder: str, *, syntax: str, graphs: Sequence[str], base: str = ""
) -> LoadedTriples:
    """Read the files into a new store, in ``folder`` unless they are small.

    Args:
        files: in any syntaxes.
        folder: an empty directory.
        syntax: of all files, or empty to find out.
        graphs: take only these named graphs; empty = all.
        base: of relative IRIs in files that declare none; empty = ``file:///`` and the file's name.

    Raises:
        InvalidInput: the syntax of a file cannot be told, or ``base`` is no IRI.
    """
    small = sum(file.content.seek(0, SEEK_END) for file in files) <= MAX_IN_MEMORY
    loaded = LoadedTriples(store=Store() if small else Store(folder))
    plan = [(file, find_syntax(file, syntax)) for file in files]
    loaded.files = [file.name for file in files]
    wanted = frozenset(graphs)

    def quads() -> Iterator[Quad]:
        for index, (file, found) in enumerate(plan, start=1):
            reader = _FileReader(loaded, file, found, index, wanted, base or base_of(file))
            yield from reader.quads()
            loaded.rejections += reader.closing()

    waiting = quads()
    while batch := list(islice(waiting, BATCH)):
        # The store would otherwise gather a million statements before it writes
        loaded.store.bulk_extend(batch)
    return loaded


def base_of(file: InputFile) -> str:
    """What relative IRIs of a file stand below when it does not say it: the file, without the folders of a machine."""
    return f"file:///{quote_url(file.name.replace(chr(92), '/').lstrip('/'))}"


def _unfolded(quad: Quad) -> Iterator[Quad]:
    """A statement about a statement of RDF 1.2 in the words of RDF 1.1, where they can say it; any other as it is."""
    spoken = quad.object
    if not isinstance(spoken, Triple) or quad.predicate.value != f"{RDF}reifies" or isinstance(spoken.object, Triple):
        yield quad
        return
    parts = (("subject", spoken.subject), ("predicate", spoken.predicate), ("object", spoken.object))
    for name, part in parts:
        yield Quad(quad.subject, NamedNode(f"{RDF}{name}"), part, quad.graph_name)


class _FileReader:
    def __init__(
        self, loaded: LoadedTriples, file: InputFile, syntax: str, index: int, graphs: frozenset[str], base: str
    ) -> None:
        self._base = base
        self._loaded = loaded
        self._file = file
        self._syntax = syntax
        self._index = index
        self._graphs = graphs
        self._kept: list[Rejection] = []
        self._total = 0
        self._by_line = syntax in {"nt", "nq"}
        self._last_fault = 0
        self._told: set[int] = set()

    def note(self, rejection: Rejection) -> None:
        self._total += 1
        if self._total <= MAX_REJECTIONS:
            self._kept.append(rejection)

    def _note_line(self, rejection: Rejection) -> None:
        """What was found before the parser read the line: its words about what stands there now are not passed on."""
        self._told.add(rejection.place.record)
        self.note(rejection)

    def closing(self) -> list[Rejection]:
        more = self._total - len(self._kept)
        if more > 0:
            self._kept.append(Rejection(place=Place(file=self._file.name), reason=f"{more} more rejections"))
        return self._kept

    def quads(self) -> Iterator[Quad]:
        source: Any = self._file.content
        if self._syntax == "rdfxml" and (problem := inspect_xml(self._file)) is not None:
            reason = placed(problem.reason, problem.line)
            self.note(Rejection(place=Place(file=self._file.name, record=problem.line), reason=reason))
            if problem.refused:
                return
        rewind(self._file.content)
        if self._syntax in _LINES:
            instead = b"" if self._by_line else INSTEAD
            source = _Utf8(self._file.content, self._file.name, self._note_line, instead=instead, by_line=self._by_line)
        parser = self._parser(source)
        marked: set[Any] = set()
        for number, quad in self._parsed(parser):
            for plain in _unfolded(quad):
                if (kept := self._checked(plain, number)) is None:
                    continue
                yield kept
                if kept.subject not in marked:
                    # A second marker does no harm: the store keeps one
                    if len(marked) == _RECENT:
                        marked.clear()
                    marked.add(kept.subject)
                    yield Quad(kept.subject, MARKER, MARKER)
        for prefix, space in parser.prefixes.items():
            self._loaded.prefixes[prefix].add(space)

    def _parser(self, source: Any) -> Any:
        try:
            return parse(source, format=_SYNTAXES[self._syntax], base_iri=self._base, rename_blank_nodes=True)
        except ValueError as error:
            raise InvalidInput(
                f"this is no base of addresses: {fault(error, self._syntax).partition(';')[0]}",
                field="options.base",
                value=self._base,
                hint="Give a whole address, such as http://example.org/.",
            ) from error

    def _parsed(self, parser: Iterator[Quad]) -> Iterator[tuple[int, Quad]]:
        """Statements with their numbers; goes on behind an error where the syntax allows that."""
        number = 0
        while self._total < MAX_REJECTIONS:
            try:
                quad = next(parser)
            except StopIteration:
                return
            except _ERRORS as error:
                self._note_error(error, number + 1)
                if self._syntax not in _LINES:
                    return
                continue
            number += 1
            yield number, quad

    def _note_error(self, error: Exception, number: int) -> None:
        if self._syntax == "rdfxml" and self._kept and self._kept[-1].place.record:
            return  # the look-through has named the line already
        line, column = getattr(error, "lineno", None) or 0, getattr(error, "offset", None) or 0
        if not line and self._syntax not in _LINES:
            line = line_of_fault(self._file.content, self._parser, _ERRORS)
        if line and (line in self._told or (self._by_line and line == self._last_fault)):
            return  # one bad line is one rejection, whatever its parts are taken for
        self._last_fault = line
        reason = placed(fault(error, self._syntax), line, column)
        self.note(Rejection(place=Place(file=self._file.name, record=line or number), reason=reason))

    def _checked(self, quad: Quad, number: int) -> Quad | None:
        if self._graphs and getattr(quad.graph_name, "value", "") not in self._graphs:
            return None
        subject, obj, predicate = quad.subject, quad.object, quad.predicate.value
        place = Place(file=self._file.name, record=number)
        if isinstance(subject, Triple) or isinstance(obj, Triple):
            self.note(Rejection(place=place, reason=f"a statement about a statement ({quote(predicate)})"))
            return None
        if quad.predicate == MARKER:
            self.note(Rejection(place=place, reason=f"the predicate {quote(predicate)} is reserved"))
            return None
        if isinstance(obj, Literal) and len(obj.value) > MAX_LITERAL:
            text = f"the {quote(predicate)} of {quote(subject.value)} has {len(obj.value)} characters"
            self.note(Rejection(place=place, reason=f"{text}, at most {MAX_LITERAL} are allowed"))
            return None
        self._loaded.predicates.add(predicate)
        if predicate == f"{OWL}onProperty" and isinstance(obj, NamedNode):
            self._loaded.predicates.add(obj.value)
        self._loaded.count += 1
        return Quad(subject, quad.predicate, obj, BlankNode(f"{(self._index << 64) | number:x}"))
