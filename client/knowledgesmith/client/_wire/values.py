"""Values of the wire as plain Python values, and back: JSON values, times, and values of Cypher."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.v1 import cypher_pb2

_WHOLE: Final = 2**53
"""Whole numbers below it are exact in a double, which is what a number of JSON travels as."""
_INTEGER: Final = 2**63
_SCALARS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "bool_value"),  # before the whole numbers, of which a truth value is one to Python
    (int, "integer_value"),
    (float, "float_value"),
    (str, "string_value"),
    (bytes, "bytes_value"),
)


def read_time(stamp: Timestamp) -> datetime | None:
    """The UTC time of ``stamp``; ``None`` when it was never set (the epoch itself is no time of this service)."""
    if not stamp.seconds and not stamp.nanos:
        return None
    return stamp.ToDatetime(tzinfo=UTC)


def read_struct(message: Struct) -> dict[str, Any]:
    """The values by name; whole numbers as ``int``."""
    return {name: read_value(value) for name, value in message.fields.items()}


def read_value(message: Value) -> Any:
    """The value of JSON; whole numbers as ``int``, nothing as ``None``."""
    match message.WhichOneof("kind"):
        case "number_value":
            number = message.number_value
            return int(number) if number.is_integer() and abs(number) < _WHOLE else number
        case "string_value":
            return message.string_value
        case "bool_value":
            return message.bool_value
        case "struct_value":
            return read_struct(message.struct_value)
        case "list_value":
            return [read_value(item) for item in message.list_value.values]
        case _:
            return None


def write_struct(values: Mapping[str, Any]) -> Struct:
    """Values by name.

    Raises:
        InvalidInput: something has no form in JSON, or a whole number is too large to travel exactly.
    """
    return Struct(fields={_name(name): write_value(value) for name, value in values.items()})


def write_value(value: Any) -> Value:
    """A value of JSON.

    Raises:
        InvalidInput: it has no form in JSON, or is a whole number too large to travel exactly.
    """
    if value is None:
        return Value(null_value=NULL_VALUE)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int | float):
        if not math.isfinite(value) or (isinstance(value, int) and abs(value) >= _WHOLE):
            raise InvalidInput("The number cannot travel.", value=str(value), hint="It must be finite and below 2^53.")
        return Value(number_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=write_struct(value))
    if isinstance(value, list | tuple):
        made = Value()
        made.list_value.values.extend(write_value(item) for item in value)
        return made
    raise InvalidInput("The value has no form in JSON.", value=repr(value)[:60])


def read_cypher(message: cypher_pb2.CypherValue) -> Any:
    """A value of Cypher.

    Lists are lists, maps dictionaries, temporal values ISO 8601 texts. A node is a dictionary of ``id``, ``labels`` and
    ``properties``; a relationship one of ``id``, ``type``, ``start_id``, ``end_id`` and ``properties``; a path one of
    ``nodes`` and ``relationships``; a point one of ``srid`` and ``coordinates``.
    """
    kind = message.WhichOneof("kind")
    value: Any = getattr(message, kind) if kind else None
    match kind:
        case "list_value":
            return [read_cypher(item) for item in value.values]
        case "map_value":
            return _entries(value.entries)
        case "node_value":
            return _node(value)
        case "relationship_value":
            return _relationship(value)
        case "path_value":
            return {
                "nodes": [_node(node) for node in value.nodes],
                "relationships": [_relationship(one) for one in value.relationships],
            }
        case "point_value":
            return {"srid": value.srid, "coordinates": list(value.coordinates)}
        case "null_value":
            return None
        case _:
            return value


def read_row(message: cypher_pb2.CypherRow) -> tuple[Any, ...]:
    """The values of a row in the order of the columns."""
    return tuple(read_cypher(value) for value in message.values)


def write_cypher(value: Any) -> cypher_pb2.CypherValue:
    """A parameter of Cypher.

    Raises:
        InvalidInput: it is not None, a truth value, a number, a text, bytes, a list or a mapping of such, or a whole
            number of more than 64 bits.
    """
    made = cypher_pb2.CypherValue()
    if value is None:
        made.null_value = NULL_VALUE
    elif isinstance(value, int) and not -_INTEGER <= value < _INTEGER:
        raise InvalidInput("A whole number of Cypher has 64 bits.", value=str(value)[:60])
    elif isinstance(value, Mapping):
        made.map_value.SetInParent()
        for name, item in value.items():
            made.map_value.entries[_name(name)].CopyFrom(write_cypher(item))
    elif isinstance(value, list | tuple):
        made.list_value.SetInParent()
        made.list_value.values.extend(write_cypher(item) for item in value)
    elif name := next((name for kind, name in _SCALARS if isinstance(value, kind)), ""):
        setattr(made, name, value)
    else:
        raise InvalidInput(
            "A parameter has no form in Cypher.", value=repr(value)[:60], hint="Times travel as text: datetime($name)."
        )
    return made


def _name(name: object) -> str:
    # a number made a text would be another key on the other side, and 1 and "1" would be one
    if not isinstance(name, str):
        raise InvalidInput("A key of a map is a text.", value=repr(name)[:60])
    return name


def _entries(entries: Mapping[str, cypher_pb2.CypherValue]) -> dict[str, Any]:
    return {name: read_cypher(value) for name, value in entries.items()}


def _node(message: cypher_pb2.CypherNode) -> dict[str, Any]:
    return {"id": message.id, "labels": list(message.labels), "properties": _entries(message.properties)}


def _relationship(message: cypher_pb2.CypherRelationship) -> dict[str, Any]:
    return {
        "id": message.id,
        "type": message.type,
        "start_id": message.start_id,
        "end_id": message.end_id,
        "properties": _entries(message.properties),
    }
