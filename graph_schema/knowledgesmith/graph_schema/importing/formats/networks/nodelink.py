"""Node-link JSON of networkx (``nodes`` and ``edges`` or ``links``), streamed; memory holds one node or edge.

A record's number counts the nodes and edges of a file together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import ijson
from ijson.common import ObjectBuilder

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.networks.attributes import Network, NetworkOptions, text_of
from knowledgesmith.graph_schema.importing.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.records import Place, Record, Rejection

_LISTS = {"nodes.item": "node", "edges.item": "edge", "links.item": "edge"}
_STRUCTURE = frozenset({"id", "source", "target", "key"})


class NodeLinkImporter:
    """Reads what ``networkx.node_link_data`` writes."""

    name: ClassVar[str] = "nodelink"
    summary: ClassVar[str] = "Property graphs as node-link JSON (networkx)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = NetworkOptions

    def read(self, files: Sequence[InputFile], options: NetworkOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        network = Network(options)
        for file in files:
            yield from _read(file, network)
        yield from network.relations()


def _read(file: InputFile, network: Network) -> Iterator[Record]:
    directed = _is_directed(file)
    for place, kind, value, reason in _items(file):
        if reason:
            yield Rejection(place=place, reason=reason)
        elif not isinstance(value, dict):
            yield Rejection(place=place, reason=f"the {kind} is not an object")
        elif kind == "node":
            if value.get("id") is None:
                yield Rejection(place=place, reason="the node has no id")
                continue
            attributes = {name: item for name, item in value.items() if name != "id"}
            yield from network.node(place, text_of(value["id"]), attributes)
        else:
            ends = tuple("" if value.get(end) is None else text_of(value[end]) for end in ("source", "target"))
            attributes = {name: item for name, item in value.items() if name not in _STRUCTURE}
            key = value.get("key")
            word = key if isinstance(key, str) else ""
            yield from network.edge(place, (ends[0], ends[1]), attributes, directed=directed, key=word)


def _is_directed(file: InputFile) -> bool:
    """The flag ``directed``, wherever it stands; networkx takes a graph without it as undirected.

    Raises:
        InvalidInput: there is neither a list of nodes nor one of edges.
    """
    file.content.seek(0)
    known = False
    directed: bool | None = None
    try:
        for prefix, event, value in ijson.parse(file.content, use_float=True):
            if prefix == "directed" and event == "boolean":
                directed = bool(value)
            known = known or (event == "start_array" and f"{prefix}.item" in _LISTS)
            if known and directed is not None:
                break
    except (ijson.JSONError, ValueError):
        pass  # told with its place when the records are read
    if not known:
        raise InvalidInput(
            "the file is no node-link JSON",
            field="files",
            value=file.name,
            hint="It is an object with the lists nodes and edges (or links).",
        )
    return bool(directed)


def _items(file: InputFile) -> Iterator[tuple[Place, str, Any, str]]:
    """Place, kind and value of nodes and edges; at a syntax error a last one with the reason."""
    file.content.seek(0)
    record = depth = 0
    builder: ObjectBuilder | None = None
    kind = ""
    try:
        for prefix, event, value in ijson.parse(file.content, use_float=True):
            if builder is None:
                if prefix not in _LISTS or event.startswith("end_"):
                    continue
                builder, kind, depth = ObjectBuilder(), _LISTS[prefix], 0
                record += 1
            builder.event(event, value)
            depth += event.startswith("start_") - event.startswith("end_")
            if depth == 0:
                yield Place(file=file.name, record=record), kind, builder.value, ""
                builder = None
    except (ijson.JSONError, ValueError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield Place(file=file.name, record=record + (builder is None)), "", None, f"not JSON from here on: {text}"[:300]
