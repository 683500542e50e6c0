"""What a query of Cypher answers with, beyond what JSON has (pure values).

A value is ``None``, a ``bool``, ``int``, ``float``, ``str`` or ``bytes``, a list or a ``dict`` of values, or one of the
classes here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Temporal:
    """A date, a time or a duration as ISO 8601 text."""

    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A point with two or three coordinates; ``srid`` names the system that they are of."""

    srid: int
    coordinates: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node; its id is good for one answer only."""

    id: str
    labels: tuple[str, ...]
    properties: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A relationship between two nodes, named by their ids."""

    id: str
    type: str
    start_id: str
    end_id: str
    properties: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Nodes and the relationships between them, in turn."""

    nodes: tuple[Node, ...]
    relationships: tuple[Relationship, ...]


_NUMBER = 9
"""What a value without a length takes, its mark included."""


def size_of(value: object) -> int:
    """About as many bytes as a value takes on its way to a reader."""
    if isinstance(value, str):
        return _NUMBER + len(value.encode(errors="replace"))
    if isinstance(value, bytes):
        return _NUMBER + len(value)
    if isinstance(value, Mapping):
        items: Mapping[object, object] = value
        return _NUMBER + sum(size_of(key) + size_of(item) for key, item in items.items())
    if isinstance(value, list | tuple):
        parts: Sequence[object] = value
        return _NUMBER + sum(map(size_of, parts))
    if isinstance(value, Node):
        return size_of([value.id, value.labels, value.properties])
    if isinstance(value, Relationship):
        return size_of([value.id, value.type, value.start_id, value.end_id, value.properties])
    if isinstance(value, Path):
        return size_of([value.nodes, value.relationships])
    if isinstance(value, Temporal):
        return size_of(value.text)
    if isinstance(value, Point):
        return size_of(value.coordinates)
    return _NUMBER
