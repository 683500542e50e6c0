"""Reads a message into the dataclass of the same members."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from google.protobuf.message import Message

T = TypeVar("T")


def fill(kind: type[T], message: Message, /, **given: Any) -> T:
    """A ``kind`` whose members have the values of the message's fields of the same name.

    Repeated fields become tuples, optional ones that are not set ``None``; ``given`` members are taken as they are.
    """
    values: dict[str, Any] = dict(given)
    for member in fields(kind):  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        if member.name in given:
            continue
        field = message.DESCRIPTOR.fields_by_name[member.name]
        value = getattr(message, member.name)
        if field.is_repeated:
            values[member.name] = tuple(value)
        elif field.has_presence and not message.HasField(member.name):
            values[member.name] = None
        else:
            values[member.name] = value
    return kind(**values)
