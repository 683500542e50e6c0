"""Node-link JSON of networkx (``nodes`` and ``edges`` or ``links``), streamed; memory holds one node or edge.

A record's number counts the nodes and edges of a file together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.json_parts import ITEM, Paths, json_parts
from knowledgesmith.graph_schema.importing.formats.networks.attributes import Network, NetworkOptions, text_of
from knowledgesmith.graph_schema.importing.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.records import Place, Record, Rejection

_LISTS: Final[Paths] = {("nodes", ITEM): "node", ("edges", ITEM): "edge", ("links", ITEM): "edge"}
_HEAD: Final[Paths] = {("directed",): "directed", **_LISTS}
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
    for record, (kind, value, reason) in enumerate(json_parts(file.content, _LISTS), start=1):
        place = Place(file=file.name, record=record)
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
    known = False
    directed: bool | None = None
    for kind, value, _ in json_parts(file.content, _HEAD):
        if kind == "directed":
            directed = value is True
        known = known or kind in {"node", "edge"}
        if known and directed is not None:
            break
    if not known:
        raise InvalidInput(
            "the file is no node-link JSON",
            field="files",
            value=file.name,
            hint="It is an object with the lists nodes and edges (or links).",
        )
    return bool(directed)
