"""JSON trees of any depth: nodes with a list of children, or names that hold further names; streamed.

``{"name": "animal", "children": [{"name": "dog"}]}`` and ``{"animal": {"dog": {}, "cat": null}}`` are both trees.
Every node is an entity, and a fact leads from it to the node it hangs on. Without an id the uid of a node is its way
from the root, since two nodes of one name need not be the same; ``uid=name`` makes them one. Nodes with children in
lists are held in memory until the topmost one ends: a name may stand behind the children.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final

import ijson

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.ontology.names import clean, fit
from knowledgesmith.graph_schema.importing.formats.rows.mapped_rows import text_of
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions, InputFile
from knowledgesmith.graph_schema.importing.reading.literals import LITERAL, is_literal, not_finite
from knowledgesmith.graph_schema.importing.reading.parsing import parsed
from knowledgesmith.graph_schema.importing.reading.problems import in_words, quote
from knowledgesmith.graph_schema.importing.reading.records import (
    EntityRecord,
    FactRecord,
    Finding,
    FindingKind,
    Place,
    Record,
    Rejection,
    RelationRecord,
)
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, MAX_WORD, problem_with
from knowledgesmith.graph_schema.types.facts import Relation, Traits

MAX_DEPTH: Final = 4_000
"""Objects and lists inside each other."""
CHILDREN: Final = (
    "children",
    "child",
    "childnodes",
    "_children",
    "subcategories",
    "subclasses",
    "subtypes",
    "subtopics",
    "narrower",
    "members",
    "parts",
    "items",
    "nodes",
    "kinder",
    "enfants",
    "hijos",
    "\u5b50\u8282\u70b9",
    "\u5b50\u9879",
    "\u0627\u0644\u0623\u0628\u0646\u0627\u0621",
)
"""Keys under which the nodes of a tree keep those below them."""
NAMES: Final = ("name", "label", "title", "text", "prefLabel", "term", "\u540d\u79f0", "\u0627\u0644\u0627\u0633\u0645")
_KEYS_NAMED: Final = 20
"""Keys beside a tree that the report names."""
_IDS: Final = ("id", "uid", "key", "code", "@id")


class Uid(StrEnum):
    """What tells nodes without an id apart."""

    PATH = "path"
    NAME = "name"


class TreeOptions(ImportOptions):
    """Which keys of a node mean what; of several the first that a node has counts."""

    children: tuple[str, ...] = CHILDREN
    """Keys that hold the nodes below a node (case aside)."""
    names: tuple[str, ...] = NAMES
    """Keys that hold a node's name."""
    ids: tuple[str, ...] = _IDS
    """Keys that hold a node's id."""
    types: tuple[str, ...] = ("type", "class", "kind", "rank", "level")
    """Keys that hold a node's type."""
    relation: str = "child_of"
    """Relation from a node to the one it hangs on."""
    uid: Uid = Uid.PATH
    """What tells nodes without an id apart: their way from the root (``path``), or their name alone (``name``)."""
    values: tuple[str, ...] = ()
    """Further keys of nodes that become facts; ``*`` = all."""
    transitive: bool = False
    """Whether what holds for a node holds for all below it: the relation is transitive."""


class TreeImporter:
    """See the module."""

    name: ClassVar[str] = "tree"
    summary: ClassVar[str] = "JSON trees of any depth: nodes with children, or names that hold names"
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = TreeOptions

    def read(self, files: Sequence[InputFile], options: TreeOptions) -> Iterator[Record]:
        """Records of the files (see ``Importer``)."""
        used: dict[str, Place] = {}
        for file in files:
            yield from _TreeReader(file, options, used).read()
        for name, place in sorted(used.items()):
            main = name == options.relation
            traits = Traits(hierarchical=main, transitive=main and options.transitive)
            yield RelationRecord(place=place, relation=Relation(name=name, rel_type="", traits=traits))


@dataclass
class _Frame:
    """An object or a list that is open.

    ``node`` is an object that is a node; ``name`` is the key that a plain tree gives it. A ``wrapped`` node stands
    below another key of the topmost object: it is the tree where that object has no children itself. It is ``weak``
    where it has none either, though a key for them (``keyed``). An ``outer`` object is the topmost one or a tree below
    its keys: without a name it only holds its children.
    """

    is_list: bool
    node: bool = False
    wrapped: bool = False
    keyed: bool = False
    outer: bool = False
    weak: bool = False
    name: str = ""
    key: str = ""
    values: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    below: list[_Frame] = field(default_factory=list["_Frame"])
    place: int = 0


class _TreeReader:
    def __init__(self, file: InputFile, options: TreeOptions, used: dict[str, Place]) -> None:
        self._file = file
        self._options = options
        self._used = used
        self._keys = {key.casefold() for key in options.children}
        self._number = 0
        self._nodes = 0
        self._roots = 0
        self._unused: Counter[str] = Counter()
        self._beside: Counter[str] = Counter()
        self._aside = 0

    def read(self) -> Iterator[Record]:
        plain = is_plain_tree(self._file)
        reader = self._plain if plain else self._nested
        try:
            yield from reader(parsed(self._file.content))
        except (ijson.JSONError, ValueError) as error:
            place = Place(file=self._file.name, record=self._number + 1)
            yield Rejection(place=place, reason=f"the tree cannot be read from this node on ({in_words(error)})")
        if not self._nodes:
            raise InvalidInput(
                "the file is no tree",
                field="files",
                value=self._file.name,
                hint="A node is an object with a name, perhaps children; --option names=… and children=… say the keys.",
            )
        yield from self._findings(plain=plain)

    def _findings(self, *, plain: bool) -> Iterator[Finding]:
        place = Place(file=self._file.name)
        how = "names that hold names" if plain else "nodes with children"
        text = f"a tree ({how}); {self._nodes:,} nodes, {self._roots:,} at the top"
        yield Finding(place=place, kind=FindingKind.READ_AS, text=text)
        edges = self._nodes - self._roots
        if edges and self._options.relation == "child_of":
            text = "a node is 'child_of' the one it hangs on; --option relation=… names it"
            yield Finding(place=place, kind=FindingKind.DEFAULTED, text=text, count=edges)
        for key, count in sorted(self._unused.items()):
            text = f"values of {quote(key)}; --option values={key} makes facts of them"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=count)
        for key, count in sorted(self._beside.items()):
            text = f"values of {quote(key)}, which stand beside the tree and describe no node"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=count)
        if self._aside:
            text = "objects with children of their own beside the children of the topmost object"
            yield Finding(place=place, kind=FindingKind.IGNORED, text=text, count=self._aside)

    # --- nodes are objects with a name ---

    def _nested(self, events: Iterator[tuple[str, Any]]) -> Iterator[Record]:
        """A node is written when it ends, its children with it: the name may stand behind them."""
        stack: list[_Frame] = []
        for event, value in events:
            if event in {"start_map", "start_array"}:
                stack.append(self._opened(stack, is_list=event == "start_array"))
                if len(stack) > MAX_DEPTH:
                    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
            elif event == "map_key":
                stack[-1].key = str(value)
                stack[-1].keyed |= str(value).casefold() in self._keys
            elif event in {"end_map", "end_array"}:
                ended = stack.pop()
                if ended.node and not self._adopted(stack, ended):
                    for top in self._trees(ended) if not stack else [ended]:
                        yield from self._written(top, "", "")
            elif stack:
                self._scalar(stack, value)

    def _opened(self, stack: list[_Frame], *, is_list: bool) -> _Frame:
        self._number += not is_list
        above = stack[-1] if stack else None
        if is_list:
            return _Frame(is_list=True, node=False, key=above.key if above and not above.is_list else "")
        below = above is not None and self._is_below(stack)
        wrapped = above is not None and not below and self._is_wrapped(stack)
        return _Frame(is_list=False, node=above is None or below or wrapped, wrapped=wrapped, place=self._number)

    def _is_wrapped(self, stack: list[_Frame]) -> bool:
        """Whether an object that opens now stands below a key of the topmost object that holds no children."""
        owner = next((frame for frame in reversed(stack) if not frame.is_list), None)
        return owner is not None and (owner is stack[0] or owner.wrapped)

    def _is_below(self, stack: list[_Frame]) -> bool:
        """Whether an object that opens now is a node: in a list at the top, or below a key of children."""
        owner = next((frame for frame in reversed(stack) if not frame.is_list), None)
        return owner is None or owner.key.casefold() in self._keys

    def _adopted(self, stack: list[_Frame], ended: _Frame) -> bool:
        parent = next((frame for frame in reversed(stack) if frame.node), None)
        if parent is not None:
            parent.below += self._trees(ended) if ended.wrapped else [ended]
        return parent is not None

    def _trees(self, frame: _Frame) -> list[_Frame]:
        """The trees that the topmost object, or one below its keys, is or holds; a description beside them is none."""
        own = [child for child in frame.below if not child.wrapped]
        held = [child for child in frame.below if child.wrapped]
        inner = [child for child in held if not child.weak] or held
        frame.below = own
        # "nodes": 120 beside a tree is a number of nodes
        if any(child.below or child.values or not is_literal(child.name) for child in own):
            self._aside += len(held)
            trees = [frame]
        elif inner:
            self._aside += len(held) - len(inner)
            trees = inner
        else:
            trees, frame.weak = [frame] if frame.keyed or not frame.wrapped else [], True
        if not any(tree is frame for tree in trees):
            self._pass_over(frame)
        for tree in trees:
            tree.wrapped, tree.outer = frame.wrapped, True
        return trees

    def _pass_over(self, frame: _Frame) -> None:
        self._beside.update([key for key in frame.values if key in self._beside or len(self._beside) < _KEYS_NAMED])

    def _scalar(self, stack: list[_Frame], value: Any) -> None:
        owner = next((frame for frame in reversed(stack) if not frame.is_list), None)
        if owner is None or value is None:
            return
        nearest = next((frame for frame in reversed(stack) if frame.node), None)
        if owner is nearest and owner.key.casefold() in self._keys:
            # A leaf that is a bare text
            self._number += 1
            owner.below.append(_Frame(is_list=False, node=True, name=text_of(value), place=self._number))
        elif owner is nearest:
            owner.values.setdefault(owner.key, []).append(value)

    # --- keys are names ---

    def _plain(self, events: Iterator[tuple[str, Any]]) -> Iterator[Record]:
        stack: list[_Frame] = []
        for event, value in events:
            if event in {"start_map", "start_array"}:
                name = stack[-1].key if stack and not stack[-1].is_list else ""
                stack.append(_Frame(is_list=event == "start_array", name=name))
                if len(stack) > MAX_DEPTH:
                    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
            elif event == "map_key":
                stack[-1].key = str(value)
                yield from self._leaf(stack, str(value))
            elif event in {"end_map", "end_array"}:
                stack.pop()
            elif stack and value is not None:
                yield from self._leaf(stack, text_of(value), under=not stack[-1].is_list)

    def _leaf(self, stack: list[_Frame], name: str, *, under: bool = False) -> Iterator[Record]:
        self._number += 1
        way = [frame.name for frame in stack if frame.name] + ([stack[-1].key] if under else [])
        frame = _Frame(is_list=False, node=True, name=name, place=self._number)
        yield from self._entity(frame, self._path(way[:-1], way[-1]) if way else "", way)

    def _path(self, way: list[str], name: str) -> str:
        return clean(name) if self._options.uid is Uid.NAME else _joined([*way, name])

    # --- both ---

    def _written(self, top: _Frame, parent: str, way: str) -> Iterator[Record]:
        """A node and all below it, from the top down."""
        named = self._name(top) or self._first(top, self._options.ids)
        if not named and top.below and (top.outer or not top.values):
            self._pass_over(top)
            for frame in top.below:
                yield from self._written(frame, "", "")
            return
        waiting: list[tuple[_Frame, str, list[str]]] = [(top, parent, [way] if way else [])]
        while waiting:
            frame, above, names = waiting.pop()
            uid = ""
            for record in self._entity(frame, above, names):
                if isinstance(record, EntityRecord) and record.type != LITERAL and not uid:
                    uid = record.uid
                yield record
            below = [*names, self._name(frame)]
            waiting += [(child, uid, below) for child in reversed(frame.below)]

    def _entity(self, frame: _Frame, parent: str, names: list[str]) -> Iterator[Record]:
        place = Place(file=self._file.name, record=frame.place)
        name, identifier = self._name(frame), self._first(frame, self._options.ids)
        if not (name or identifier):
            yield Rejection(place=place, reason="the node has no name and no id")
            return
        if problem := problem_with(name, limit=MAX_NAME, empty=bool(identifier)):
            yield Rejection(place=place, reason=f"the name of a node {problem}: {quote(name)}")
            return
        if not_finite(name):
            yield Rejection(place=place, reason=f"the name of a node is no finite number: {quote(name)}")
            return
        uid = fit(identifier or (name if self._options.uid is Uid.NAME else _joined([*names, name])))
        kind = self._first(frame, self._options.types)
        self._nodes += 1
        self._roots += not parent
        shown = "" if problem_with(kind, limit=MAX_WORD, empty=True) else kind
        yield EntityRecord(place=place, uid=uid, name=name or uid, type=shown, merge=True)
        if parent:
            yield from self._fact(place, uid, self._options.relation, parent)
        yield from self._values(place, uid, frame)

    def _fact(self, place: Place, subject: str, relation: str, obj: str) -> Iterator[Record]:
        self._used.setdefault(relation, place)
        yield FactRecord(place=place, subject=subject, relation=relation, object=obj, create_missing=True)

    def _values(self, place: Place, uid: str, frame: _Frame) -> Iterator[Record]:
        taken = {*self._options.names, *self._options.ids, *self._options.types}
        for key, values in frame.values.items():
            if key in taken and key not in self._options.values:
                continue
            if "*" not in self._options.values and key not in self._options.values:
                self._unused[key] += 1
                continue
            for value in values:
                text = text_of(value)
                if not_finite(value) or problem_with(text, limit=MAX_NAME) or problem_with(key, limit=MAX_WORD):
                    yield Rejection(place=place, reason=f"the value of {quote(key)} cannot be used: {quote(value)}")
                    continue
                kind = LITERAL if is_literal(text) else ""
                yield EntityRecord(place=place, uid=text, name=text, type=kind, merge=True)
                yield from self._fact(place, uid, clean(key).replace("|", "/").lstrip("~"), text)

    def _name(self, frame: _Frame) -> str:
        return clean(frame.name) or self._first(frame, self._options.names)

    def _first(self, frame: _Frame, keys: Sequence[str]) -> str:
        for key in keys:
            for value in frame.values.get(key, ()):
                if text := clean(text_of(value)):
                    return text
        return ""


def _joined(way: Sequence[str]) -> str:
    return fit("/".join(clean(part).replace("/", "\u2215") for part in way if part))


def is_plain_tree(file: InputFile) -> bool:
    """Whether names hold names: objects of objects and lists whose only values are texts in lists, or nothing."""
    lists: list[bool] = []
    try:
        for number, (event, value) in enumerate(parsed(file.content)):
            if not _fits_plain(event, value, lists, first=number == 0):
                return False
            if number > _LOOK or len(lists) > MAX_DEPTH:
                break
    except (ijson.JSONError, ValueError):
        return False
    return True


def _fits_plain(event: str, value: Any, lists: list[bool], *, first: bool) -> bool:
    """Whether an event may stand in a plain tree; ``lists`` says of what is open whether it is a list."""
    in_list = bool(lists) and lists[-1]
    if event in {"start_map", "start_array"}:
        fits = event == "start_map" if first else not (in_list and event == "start_map")
        lists.append(event == "start_array")
        return fits
    if event in {"end_map", "end_array"}:
        lists.pop()
        return True
    if event == "map_key":
        return str(value).casefold() not in CHILDREN
    return event == "null" or (in_list and event == "string")


_LOOK: Final = 100_000
