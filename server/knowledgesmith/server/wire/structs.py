"""``google.protobuf.Struct`` to the values of JSON and back.

The wire knows numbers with a fraction only; where a number is whole it becomes an ``int`` again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge

MAX_STRUCT: Final = 100_000
"""Characters of a configuration as JSON text."""
_BYTES: Final = 8
"""Bytes of a message that stand for one character of its JSON, at most: what is larger need not be read."""
_WHOLE: Final = 2.0**53
"""Below it a float tells every whole number from its neighbours."""


def struct_from(message: Struct, field: str, *, limit: int = MAX_STRUCT) -> dict[str, Any]:
    """The values of a request's configuration.

    Raises:
        InvalidInput: a number is not finite, or a text holds a NUL.
        TooLarge: as JSON it has more than ``limit`` characters.
    """
    if message.ByteSize() > limit * _BYTES:
        raise _too_large(field, limit)
    found = {key: _value_from(value, f"{field}.{key}") for key, value in message.fields.items()}
    if len(json.dumps(found, ensure_ascii=False)) > limit:
        raise _too_large(field, limit)
    return found


def struct_to(values: Mapping[str, Any]) -> Struct:
    """A configuration on the wire."""
    return Struct(fields={key: value_to(value) for key, value in values.items()})


def value_to(value: Any) -> Value:
    """One value of JSON on the wire.

    Raises:
        TypeError: it is none.
    """
    if value is None:
        return Value(null_value=NULL_VALUE)
    if isinstance(value, bool):  # before numbers, which these are too
        return Value(bool_value=value)
    if isinstance(value, int | float):
        return Value(number_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=struct_to(value))
    if isinstance(value, Sequence):
        return Value(list_value=ListValue(values=[value_to(item) for item in value]))
    raise TypeError(type(value).__name__)


def _too_large(field: str, limit: int) -> TooLarge:
    return TooLarge(f"more than {limit:,} characters as JSON", field=field, hint="Shorten it.")


def _value_from(value: Value, field: str) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return _number(value.number_value, field)
    if kind == "struct_value":
        return {key: _value_from(item, f"{field}.{key}") for key, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_value_from(item, f"{field}[{place}]") for place, item in enumerate(value.list_value.values)]
    if kind == "string_value":
        if "\x00" in value.string_value:
            raise InvalidInput(
                "the text holds a NUL character", field=field, value=value.string_value, hint="Remove it."
            )
        return value.string_value
    return value.bool_value if kind == "bool_value" else None


def _number(number: float, field: str) -> int | float:
    if not math.isfinite(number):
        raise InvalidInput("is no finite number", field=field, value=number, hint="Give a finite number.")
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number
