"""Values of Cypher on the wire: parameters that come, rows and pasted queries that go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import NULL_VALUE

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.types import cypher
from knowledgesmith.v1 import cypher_pb2 as pb

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.propagation import Pasteable

_PLAIN = {"bool_value", "integer_value", "float_value", "string_value", "bytes_value"}


def parameters_from(given: Mapping[str, pb.CypherValue], field: str = "parameters") -> dict[str, Any]:
    """Parameters of a query.

    Raises:
        InvalidInput: a value can only be an answer, or none is set.
    """
    return {name: _value_from(value, f"{field}.{name}") for name, value in given.items()}


def row_to(columns: Sequence[str], row: Mapping[str, object]) -> pb.CypherRow:
    """One row of an answer."""
    return pb.CypherRow(values=[value_to(row[column]) for column in columns])


def query_to(query: Pasteable) -> pb.PastedQuery:
    """A query with its parameters."""
    return pb.PastedQuery(cypher=query.cypher, parameters=_entries_to(query.parameters))


def value_to(value: object) -> pb.CypherValue:
    """One value of an answer.

    Raises:
        TypeError: Cypher has none such.
    """
    if value is None:
        return pb.CypherValue(null_value=NULL_VALUE)
    if isinstance(value, bool):  # before integers, which these are too
        return pb.CypherValue(bool_value=value)
    if isinstance(value, int):
        return pb.CypherValue(integer_value=value)
    if isinstance(value, float):
        return pb.CypherValue(float_value=value)
    if isinstance(value, str):
        return pb.CypherValue(string_value=value)
    if isinstance(value, bytes):
        return pb.CypherValue(bytes_value=value)
    if isinstance(value, Mapping):
        entries: Mapping[str, object] = value
        return pb.CypherValue(map_value=pb.CypherMap(entries=_entries_to(entries)))
    if isinstance(value, Sequence):
        items: Sequence[object] = value
        return pb.CypherValue(list_value=pb.CypherList(values=map(value_to, items)))
    return _answer_to(value)


def _answer_to(value: object) -> pb.CypherValue:
    """A value that only an answer holds."""
    if isinstance(value, cypher.Temporal):
        return pb.CypherValue(temporal_value=value.text)
    if isinstance(value, cypher.Node):
        return pb.CypherValue(node_value=_node_to(value))
    if isinstance(value, cypher.Relationship):
        return pb.CypherValue(relationship_value=_relationship_to(value))
    if isinstance(value, cypher.Path):
        path = pb.CypherPath(nodes=map(_node_to, value.nodes), relationships=map(_relationship_to, value.relationships))
        return pb.CypherValue(path_value=path)
    if isinstance(value, cypher.Point):
        return pb.CypherValue(point_value=pb.CypherPoint(srid=value.srid, coordinates=value.coordinates))
    raise TypeError(type(value).__name__)


def _entries_to(entries: Mapping[str, object]) -> dict[str, pb.CypherValue]:
    return {name: value_to(value) for name, value in entries.items()}


def _node_to(node: cypher.Node) -> pb.CypherNode:
    return pb.CypherNode(id=node.id, labels=node.labels, properties=_entries_to(node.properties))


def _relationship_to(link: cypher.Relationship) -> pb.CypherRelationship:
    return pb.CypherRelationship(
        id=link.id,
        type=link.type,
        start_id=link.start_id,
        end_id=link.end_id,
        properties=_entries_to(link.properties),
    )


def _value_from(value: pb.CypherValue, field: str) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "null_value":
        return None
    if kind == "list_value":
        return [_value_from(item, f"{field}[{place}]") for place, item in enumerate(value.list_value.values)]
    if kind == "map_value":
        return {name: _value_from(item, f"{field}.{name}") for name, item in value.map_value.entries.items()}
    if kind in _PLAIN:
        return getattr(value, kind)
    hint = "Send null, a boolean, a number, a text, bytes, a list or a map; the query can make the others of these."
    raise InvalidInput("this cannot be a parameter", field=field, value=kind or "not set", hint=hint)
