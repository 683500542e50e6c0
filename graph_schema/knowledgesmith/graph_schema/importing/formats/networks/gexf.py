"""GEXF, as Gephi and networkx write it, streamed as GraphML is; nodes inside nodes belong to the one graph.

What changes over time and how things are drawn is passed over. A record's number counts nodes and edges together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final
from xml.etree.ElementTree import Element

from knowledgesmith.graph_schema.importing.formats.networks.attributes import Network, NetworkOptions
from knowledgesmith.graph_schema.importing.formats.networks.graphml import Attributes, GraphmlReader, local
from knowledgesmith.graph_schema.importing.formats.tables.naming import Survey
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.records import Place, Record

_WAYS: Final = {"directed": True, "undirected": False, "mutual": False}
"""Types of edges; what is mutual holds both ways, as what has no direction does."""


class GexfImporter:
    """Reads GEXF 1.1 to 1.3."""

    name: ClassVar[str] = "gexf"
    summary: ClassVar[str] = "Property graphs in GEXF (Gephi)"
    endings: ClassVar[tuple[str, ...]] = (".gexf",)
    options: ClassVar[type[ImportOptions]] = NetworkOptions

    def read(self, files: Sequence[InputFile], options: NetworkOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        survey = Survey()
        for file in files:
            _GexfReader(file, survey).survey()
        network = Network(options, survey)
        for file in files:
            yield from _GexfReader(file, network).read()
        yield from network.relations()
        yield from network.findings()


class _GexfReader(GraphmlReader):
    root = "gexf"
    title = "GEXF"
    holders = frozenset({"gexf", "graph", "nodes", "edges"})

    def _runs_one_way(self, graph: Element) -> bool:
        # The format says that edges are undirected where nothing is said
        return _WAYS.get(graph.get("defaultedgetype", "").strip().lower(), False)

    def _ended(self, element: Element) -> Iterator[Record]:
        if local(element) == "attributes":
            self._declared(element)
        else:
            yield from super()._ended(element)

    def _declared(self, attributes: Element) -> None:
        kind = attributes.get("class", "node")
        for attribute in attributes:
            if local(attribute) != "attribute":
                continue
            identifier = f"{kind} {attribute.get('id', '')}"
            title = attribute.get("title") or attribute.get("id") or ""
            self._keys[identifier] = (title, attribute.get("type") or "string")
            default = next((child.text for child in attribute if local(child) == "default"), None)
            if default is not None:
                self._defaults[kind, identifier] = default

    def _edge(self, place: Place, element: Element, network: Network) -> Iterator[Record]:
        ends = element.get("source", ""), element.get("target", "")
        directed = _WAYS.get(element.get("type", "").strip().lower(), bool(self._directed and self._directed[-1]))
        yield from network.edge(place, ends, self._data(element, "edge"), directed=directed)

    def _data(self, element: Element, kind: str) -> Attributes:
        """Attributes by title; a label is ``label``, and the kind of an edge its relation, unless attributes say it."""
        found = Attributes({"label": text} if (text := element.get("label", "").strip()) else {})
        if kind == "edge" and (text := element.get("kind", "").strip()):
            found["relation"] = text
        defaults: dict[str, None] = {}
        for (owner, identifier), default in self._defaults.items():
            if owner == kind:
                defaults[self._keys[identifier][0]] = None
                found[self._keys[identifier][0]] = self._value(identifier, default)
        for values in element:
            for value in values if local(values) == "attvalues" else ():
                own = value.get("for") or value.get("id") or ""
                identifier = f"{kind} {own}"
                self._undeclared[own] += identifier not in self._keys
                name = self._keys.get(identifier, (own, ""))[0]
                defaults.pop(name, None)
                found[name] = self._value(identifier, value.get("value", ""))
        found.defaulted = tuple(defaults)
        return found
