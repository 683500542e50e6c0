"""Messages as dataclasses and back: one mechanism for all of them, by the names of their fields.

A dataclass has the names of its message's fields, and its hints say what becomes of them: an enumeration by the name of
its member (``str``: the bare name, empty where it is not set), a nested dataclass, a tuple of a repeated field, a
mapping, ``X | None`` of what may be absent. A union of dataclasses stands for a message that is one ``oneof``. Members
with ``field(metadata=absent(…))`` say whether a field of the wire is absent, those with ``ANSWER_ONLY`` are never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from knowledgesmith.client._errors import InvalidInput, ServerFault

from .values import (
    read_cypher,
    read_row,
    read_struct,
    read_time,
    read_value,
    write_cypher,
    write_struct,
    write_value,
)

T = TypeVar("T")
M = TypeVar("M", bound=Message)
Convert = Callable[[Any], Any]

ANSWER_ONLY: Final[Mapping[str, Any]] = {"answer_only": True}
"""Metadata of a member that is read and never sent."""
_READERS: Final[Mapping[str, Convert]] = {
    "google.protobuf.Timestamp": read_time,
    "google.protobuf.Struct": read_struct,
    "google.protobuf.Value": read_value,
    "knowledgesmith.v1.CypherValue": read_cypher,
    "knowledgesmith.v1.CypherRow": read_row,
}
_WRITERS: Final[Mapping[str, Convert]] = {
    "google.protobuf.Struct": write_struct,
    "google.protobuf.Value": write_value,
    "knowledgesmith.v1.CypherValue": write_cypher,
}


def absent(name: str) -> Mapping[str, Any]:
    """Metadata of a member that says whether the field ``name`` of the wire is absent."""
    return {"absent": name}


def read(kind: type[T], message: Message) -> T:
    """The dataclass of a message."""
    known: Any = kind
    return cast("T", _reader(known, message.DESCRIPTOR)(message))


def write(kind: type[M], value: object) -> M:
    """The message of a dataclass.

    Raises:
        InvalidInput: a member cannot be sent.
    """
    return message(kind, **_members(value))


def message(kind: type[M], /, **values: Any) -> M:
    """A message with these fields: enumerations, dataclasses, tuples and mappings become what the wire has for them.

    ``None`` and empty configurations are left out.

    Raises:
        InvalidInput: a value cannot be sent.
    """
    made: Any = kind()
    known: Mapping[str, FieldDescriptor] = made.DESCRIPTOR.fields_by_name
    for name, value in values.items():
        field = known[name]
        try:
            _set(made, field, value)
        except InvalidInput as refused:
            refused.field = refused.field or name
            raise
        except (TypeError, ValueError) as refused:
            raise InvalidInput("A value cannot be sent.", field=name, value=f"{value!r:.60}") from refused
    return cast("M", made)


@cache
def _reader(kind: Any, descriptor: Descriptor) -> Convert:
    hints = get_type_hints(kind)
    convert = tuple(
        (member.name, _absence(member.metadata["absent"]))
        if "absent" in member.metadata
        else (member.name, _member(descriptor.fields_by_name[member.name], hints[member.name]))
        for member in fields(kind)
    )
    return lambda message: kind(**{name: value(message) for name, value in convert})


def _absence(name: str) -> Convert:
    return lambda message: not message.HasField(name)


def _member(field: FieldDescriptor, hint: Any) -> Convert:
    """Reads one field of a message."""
    name = field.name
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        values = _element(field.message_type.fields_by_name["value"], get_args(hint)[1])
        return lambda message: {key: values(value) for key, value in getattr(message, name).items()}
    if field.is_repeated:
        element = _element(field, get_args(hint)[0])
        return lambda message: tuple(map(element, getattr(message, name)))
    present = [part for part in get_args(hint) if part is not NoneType]
    if not _is_union(hint) or NoneType not in get_args(hint):
        whole = _element(field, hint)
        return lambda message: whole(getattr(message, name))
    one = _element(field, present[0] if len(present) == 1 else Union[tuple(present)])  # noqa: UP007 - made at run time
    return lambda message: one(getattr(message, name)) if message.HasField(name) else None


def _element(field: FieldDescriptor, hint: Any) -> Convert:
    """Reads one value of a field."""
    if field.enum_type is not None:
        return _enum(field.enum_type, hint)
    if field.message_type is None:
        return _same
    if field.message_type.full_name in _READERS:
        return _READERS[field.message_type.full_name]
    if _is_union(hint):
        return _one_of(field.message_type, get_args(hint))
    return _reader(hint, field.message_type)


def _same(value: Any) -> Any:
    return value


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)


def _enum(descriptor: EnumDescriptor, hint: Any) -> Convert:
    if hint is str:
        return lambda number: "" if number == 0 else _name(descriptor, number)
    members = {number: hint(_name(descriptor, number)) for number in descriptor.values_by_number}
    unknown = hint("UNSPECIFIED")
    return lambda number: members.get(number, unknown)


def _one_of(descriptor: Descriptor, kinds: tuple[Any, ...]) -> Convert:
    """Reads a message that is one ``oneof``: the dataclass with the name of the message that is set."""
    (choice,) = descriptor.oneofs
    named = {kind.__name__: kind for kind in kinds}
    readers = {
        field.name: _reader(named[field.message_type.name], field.message_type)
        for field in choice.fields
        if field.message_type is not None
    }

    def chosen(message: Any) -> Any:
        name = message.WhichOneof(choice.name)
        if name not in readers:
            raise ServerFault(
                f"The server sends a {descriptor.name} that this client does not know.",
                hint="Client and server are of different releases.",
            )
        return readers[name](getattr(message, name))

    return chosen


def _prefix(descriptor: EnumDescriptor) -> str:
    return descriptor.values_by_number[0].name.removesuffix("UNSPECIFIED")


def _name(descriptor: EnumDescriptor, number: int) -> str:
    value = descriptor.values_by_number.get(number)
    return "UNSPECIFIED" if value is None else value.name.removeprefix(_prefix(descriptor))


def _members(value: Any) -> dict[str, Any]:
    """What of a dataclass is sent."""
    return {
        member.name: getattr(value, member.name)
        for member in fields(value)
        if not {"answer_only", "absent"} & set(member.metadata)
    }


def _set(made: Any, field: FieldDescriptor, value: Any) -> None:
    target = getattr(made, field.name)
    if value is None:
        return
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        for key, item in value.items():
            if inner.message_type is None:
                target[key] = _sent(inner, item)
            else:
                target[key].CopyFrom(_sent(inner, item))
    elif field.is_repeated:
        target.extend([_sent(field, item) for item in value])
    elif field.message_type is None:
        setattr(made, field.name, _sent(field, value))
    elif not (isinstance(value, Mapping) and not value):
        target.CopyFrom(_sent(field, value))


def _sent(field: FieldDescriptor, value: Any) -> Any:
    """One value as the wire has it."""
    if field.enum_type is not None:
        found = field.enum_type.values_by_name.get(_prefix(field.enum_type) + (str(value) or "UNSPECIFIED"))
        if found is None:
            names = ", ".join(_name(field.enum_type, number) for number in field.enum_type.values_by_number if number)
            raise InvalidInput("There is no such choice.", value=str(value)[:60], hint=f"One of {names}.")
        return found.number
    if field.message_type is None or isinstance(value, Message):
        return value
    if field.message_type.full_name in _WRITERS:
        return _WRITERS[field.message_type.full_name](value)
    kind: Any = GetMessageClass(field.message_type)
    chosen = [
        member.name
        for choice in field.message_type.oneofs
        for member in choice.fields
        if member.message_type is not None and member.message_type.name == type(value).__name__
    ]
    return message(kind, **{chosen[0]: value}) if chosen else write(kind, value)
