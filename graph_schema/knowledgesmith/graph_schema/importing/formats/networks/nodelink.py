"""Node-link JSON of networkx (``nodes`` and ``edges`` or ``links``), streamed; memory holds one node or edge.

A record's number counts the nodes and edges of a file together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.networks.attributes import Network, NetworkOptions, text_of
from knowledgesmith.graph_schema.importing.formats.rows.json_parts import ITEM, Paths, json_parts
from knowledgesmith.graph_schema.importing.formats.tables.naming import Survey
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.literals import not_finite
from knowledgesmith.graph_schema.importing.reading.parsing import kind_at
from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place, Record, Rejection

_LISTS: Final[Paths] = {("nodes", ITEM): "node", ("edges", ITEM): "edge", ("links", ITEM): "edge"}
_HEAD: Final[Paths] = {("directed",): "directed", **_LISTS}
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_LOOK: Final = 5_000
_STRUCTURE = frozenset({"id", "source", "target", "key", "directed"})


class NodeLinkImporter:
    """Reads what ``networkx.node_link_data`` writes."""

    name: ClassVar[str] = "nodelink"
    summary: ClassVar[str] = "Property graphs as node-link JSON (networkx)"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = NetworkOptions

    def read(self, files: Sequence[InputFile], options: NetworkOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        survey, ids = Survey(), _Ids()
        for file in files:
            ids.look_at(file)
            for number, (kind, value, _) in enumerate(json_parts(file.content, _LISTS)):
                if kind == "node" and isinstance(value, dict):
                    survey.add(text_of(value.get("id")), {name: v for name, v in value.items() if name != "id"})
                if survey.full or number > _LOOK:
                    break
        network = Network(options, survey)
        for file in files:
            yield from _read(file, network, ids)
        yield from ids.findings()
        yield from network.relations()
        yield from network.findings()


class _Ids:
    """Ids as uids: equal numbers are one node however they are written, and a text is never a number.

    A text that reads like a number which the files use as an id keeps its quotes as its uid: ``"3"`` beside ``3``.
    Memory holds the ids that could clash: texts that are numbers, and whole numbers with a point.
    """

    def __init__(self) -> None:
        self._texts: dict[str, Place] = {}
        self._points: dict[str, Place] = {}
        self._numbers: set[str] = set()
        self._plain: set[str] = set()

    def look_at(self, file: InputFile) -> None:
        """Find the ids of a file that could clash, then those that they clash with."""
        for place, value in _all_ids(file):
            if isinstance(value, str) and _NUMBER.fullmatch(value):
                self._texts.setdefault(value, place)
            elif isinstance(value, float) and value.is_integer():
                self._points.setdefault(text_of(value), place)
        if self._texts or self._points:
            for _, value in _all_ids(file):
                if isinstance(value, str) or value is None:
                    continue
                text = text_of(value)
                if text in self._texts:
                    self._numbers.add(text)
                if text in self._points and isinstance(value, int):
                    self._plain.add(text)

    def uid(self, value: Any) -> str:
        """The uid of an id."""
        text = text_of(value)
        return f'"{text}"' if isinstance(value, str) and text in self._numbers else text

    def findings(self) -> Iterator[Finding]:
        """What clashed."""
        for text in sorted(self._numbers):
            said = f'the text "{text}" and the number {text} are different ids; the text keeps its quotes'
            yield Finding(place=self._texts[text], kind=FindingKind.ID_CLASH, text=said)
        for text in sorted(self._plain):
            said = f"{text} and {text}.0 are one number, so they are one node"
            yield Finding(place=self._points[text], kind=FindingKind.ID_CLASH, text=said)


def _all_ids(file: InputFile) -> Iterator[tuple[Place, Any]]:
    for record, (kind, value, _) in enumerate(json_parts(file.content, _LISTS), start=1):
        if isinstance(value, dict):
            place = Place(file=file.name, record=record)
            yield from ((place, value.get(key)) for key in (("id",) if kind == "node" else ("source", "target")))


def _read(file: InputFile, network: Network, ids: _Ids) -> Iterator[Record]:
    told = _is_directed(file)
    directed, untold = told is not False, 0
    nodes = named = edges = 0
    whole = True
    by_position: bool | None = None
    for record, (kind, value, reason) in enumerate(json_parts(file.content, _LISTS), start=1):
        place = Place(file=file.name, record=record)
        if reason:
            whole = False
            yield Rejection(place=place, reason=reason)
        elif not isinstance(value, dict):
            yield Rejection(place=place, reason=f"the {kind} is not an object")
        elif kind == "node":
            nodes += 1
            identifier = value.get("id")
            named += "id" in value
            if identifier is None and not named:
                by_position = _by_position(file) if by_position is None else by_position
                identifier = nodes - 1 if by_position else value.get("name", value.get("label"))
            if identifier is None:
                yield Rejection(place=place, reason="the node has no id")
                continue
            attributes = {name: item for name, item in value.items() if name != "id"}
            if not_finite(identifier):
                yield Rejection(place=place, reason="the id of the node is no finite number")
                continue
            yield from network.node(place, ids.uid(identifier), attributes)
        else:
            edges += 1
            own = value.get("directed")
            untold += told is None and not isinstance(own, bool)
            yield from _edge(place, network, ids, value, directed=own if isinstance(own, bool) else directed)
    if untold and network.asks_files:
        text = "the file does not say whether its edges are directed; they lead from source to target, and --option "
        text += "directed=no reads them as undirected"
        yield Finding(place=Place(file=file.name), kind=FindingKind.DEFAULTED, text=text, count=untold)
    if whole and not edges and not any(kind_at(file, name) for name in ("edges", "links")):
        yield Rejection(place=Place(file=file.name), reason="there is no list of edges or links")


def _edge(place: Place, network: Network, ids: _Ids, value: dict[str, Any], *, directed: bool) -> Iterator[Record]:
    if any(not_finite(value.get(end)) for end in ("source", "target")):
        yield Rejection(place=place, reason="an end of the edge is no finite number")
        return
    ends = tuple("" if value.get(end) is None else ids.uid(value[end]) for end in ("source", "target"))
    attributes = {name: item for name, item in value.items() if name not in _STRUCTURE}
    key = value.get("key")
    word = key if isinstance(key, str) else ""
    yield from network.edge(place, (ends[0], ends[1]), attributes, directed=directed, key=word)


def _by_position(file: InputFile) -> bool:
    """Whether edges name nodes that have no id by their position, as D3 takes them; else they name them by name."""
    content, here = file.content, file.content.tell()
    # The stream is being read, so the look ahead must leave it where it was
    edge = next((value for kind, value, _ in json_parts(content, _LISTS) if kind == "edge"), None)
    content.seek(here)
    return isinstance(edge, dict) and isinstance(edge.get("source"), int)


def _is_directed(file: InputFile) -> bool | None:
    """The flag ``directed``, wherever it stands; None where it lacks (networkx writes it, others leave it out).

    Raises:
        InvalidInput: there is neither a list of nodes nor one of edges.
    """
    known = False
    directed: bool | None = None
    broken = ""
    for kind, value, reason in json_parts(file.content, _HEAD):
        broken = broken or reason
        if kind == "directed":
            directed = value is True
        known = known or kind in {"node", "edge"}
        if known and directed is not None:
            break
    if not known:
        raise InvalidInput(
            f"the file is no node-link JSON{broken and f' ({broken})'}",
            field="files",
            value=file.name,
            hint="It is an object with the lists nodes and edges (or links); NaN and Infinity are no JSON.",
        )
    return directed
