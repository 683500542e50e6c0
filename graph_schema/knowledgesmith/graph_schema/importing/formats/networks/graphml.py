"""GraphML, streamed element by element; memory holds one node or edge and the keys.

A record's number counts the nodes and edges of a file together. Nodes of nested graphs belong to the one graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.networks.attributes import Network, NetworkOptions
from knowledgesmith.graph_schema.importing.formats.tables.naming import Survey
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.problems import in_words, quote
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Record, Rejection

MAX_DEPTH: Final = 100
"""Elements inside each other."""


class GraphmlImporter:
    """Reads GraphML as networkx does, with the labels that yEd writes."""

    name: ClassVar[str] = "graphml"
    summary: ClassVar[str] = "Property graphs in GraphML"
    endings: ClassVar[tuple[str, ...]] = (".graphml",)
    options: ClassVar[type[ImportOptions]] = NetworkOptions

    def read(self, files: Sequence[InputFile], options: NetworkOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        survey = Survey()
        for file in files:
            GraphmlReader(file, survey).survey()
        network = Network(options, survey)
        for file in files:
            yield from GraphmlReader(file, network).read()
        yield from network.relations()
        yield from network.findings()


class Attributes(dict[str, Any]):
    """Attributes by name, and which of them are defaults of their keys."""

    defaulted: tuple[str, ...] = ()


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


class GraphmlReader:
    """Reads the elements of one file; what its records are called is what formats like it change."""

    root: ClassVar[str] = "graphml"
    """The root element."""
    title: ClassVar[str] = "GraphML"
    """The format's name for messages."""
    holders: ClassVar[frozenset[str]] = frozenset({"graph", "graphml"})
    """Elements whose parts are let go when they end."""

    def __init__(self, file: InputFile, target: Network | Survey) -> None:
        self._file = file
        self._target = target
        self._keys: dict[str, tuple[str, str]] = {}
        self._defaults: dict[tuple[str, str], str] = {}
        self._directed: list[bool] = []
        self._record = 0
        self._undeclared: Counter[str] = Counter()

    def survey(self) -> None:
        """Look at the first nodes; what is wrong with the file is told when it is read."""
        if isinstance(self._target, Survey):
            for _ in self._events():
                pass

    def read(self) -> Iterator[Record]:
        """Records of the file."""
        yield from self._events()
        for key, count in sorted((+self._undeclared).items()):
            text = f"the key {quote(key)} is not declared; its id is its name"
            yield Finding(place=Place(file=self._file.name), kind=FindingKind.UNDECLARED, text=text, count=count)

    def _events(self) -> Iterator[Record]:
        self._file.content.seek(0)
        stack: list[Element] = []
        seen = refused = False
        try:
            for event, element in iterparse(self._file.content, ("start", "end"), forbid_dtd=False):
                if event == "start":
                    stack.append(element)
                    seen = self._started(element, seen=seen)
                    if len(stack) > MAX_DEPTH:
                        yield self._reject(f"more than {MAX_DEPTH} elements stand inside each other")
                        return
                    continue
                stack.pop()
                yield from self._ended(element)
                if stack and local(stack[-1]) in self.holders:
                    stack[-1].remove(element)
                if isinstance(self._target, Survey) and self._target.full:
                    return
        except ParseError as error:
            refused = True
            place = Place(file=self._file.name, record=error.position[0])
            what = f"{in_words(error)}, and nothing behind it is read; correct that line, or save the network anew"
            yield Rejection(place=place, reason=what)
        except DefusedXmlException:
            refused = True
            yield self._reject("it declares entities or refers to something outside the file")
        if not seen and not refused:
            raise self._not_graphml()

    def _started(self, element: Element, *, seen: bool) -> bool:
        if not (seen or local(element) == self.root):
            raise self._not_graphml()
        if local(element) == "graph":
            self._directed.append(self._runs_one_way(element))
        return True

    def _runs_one_way(self, graph: Element) -> bool:
        """Whether the edges of a graph are directed that do not say it themselves."""
        return graph.get("edgedefault", "directed") != "undirected"

    def _not_graphml(self) -> InvalidInput:
        hint = f"A {self.title} file has the root element {self.root}."
        return InvalidInput(f"the file is no {self.title}", field="files", value=self._file.name, hint=hint)

    def _reject(self, reason: str) -> Rejection:
        return Rejection(place=Place(file=self._file.name, record=self._record + 1), reason=reason)

    def _ended(self, element: Element) -> Iterator[Record]:
        kind = local(element)
        if kind == "key":
            self._key(element)
        elif kind == "graph":
            self._directed.pop()
        elif kind in {"node", "edge", "hyperedge"}:
            self._record += 1
            place = Place(file=self._file.name, record=self._record)
            if kind == "hyperedge":
                yield Rejection(place=place, reason="a hyperedge joins any number of nodes and is no fact")
            elif kind == "node":
                yield from self._node(place, element)
            elif isinstance(self._target, Network):
                yield from self._edge(place, element, self._target)

    def _node(self, place: Place, element: Element) -> Iterator[Record]:
        identifier, data = element.get("id", ""), self._data(element, "node")
        if isinstance(self._target, Survey):
            self._target.add(identifier, data)
        else:
            yield from self._target.node(place, identifier, data)

    def _edge(self, place: Place, element: Element, network: Network) -> Iterator[Record]:
        directed = element.get("directed", "").strip().lower()
        yield from network.edge(
            place,
            (element.get("source", ""), element.get("target", "")),
            self._data(element, "edge"),
            directed=directed == "true" if directed else bool(self._directed and self._directed[-1]),
        )

    def _key(self, element: Element) -> None:
        identifier, name = element.get("id", ""), element.get("attr.name")
        domain = element.get("for", "all")
        yfiles = element.get("yfiles.type", "")
        self._keys[identifier] = (name or yfiles or identifier, element.get("attr.type", "string"))
        default = next((child.text for child in element if local(child) == "default"), None)
        if default is not None:
            for kind in ("node", "edge") if domain == "all" else (domain,):
                self._defaults[kind, identifier] = default

    def _data(self, element: Element, kind: str) -> Attributes:
        """Attributes by name; values stay texts, with truth values in lower case. yEd's label is ``label``.

        Exports of graph databases repeat labels as attributes of the element itself; its data count before them.
        """
        found = Attributes({name: text for name in ("label", "labels") if (text := element.get(name))})
        defaults: dict[str, None] = {}
        for (domain, identifier), default in self._defaults.items():
            if domain == kind:
                defaults[self._keys[identifier][0]] = None
                found[self._keys[identifier][0]] = self._value(identifier, default)
        for data in element:
            if local(data) != "data":
                continue
            identifier = data.get("key", "")
            if len(data):
                labels = (part.text for part in data.iter() if local(part) in {"NodeLabel", "EdgeLabel"})
                if label := next((text for text in labels if text and text.strip()), None):
                    found["label"] = label
            else:
                name = self._keys.get(identifier, (identifier, ""))[0]
                self._undeclared[identifier] += identifier not in self._keys
                defaults.pop(name, None)
                found[name] = self._value(identifier, data.text or "")
        found.defaulted = tuple(defaults)
        return found

    def _value(self, identifier: str, text: str) -> str:
        kind = self._keys.get(identifier, ("", "string"))[1]
        return text if kind == "string" else text.strip().lower() if kind == "boolean" else text.strip()
