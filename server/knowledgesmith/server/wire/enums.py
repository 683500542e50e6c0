"""Enums of the wire to what the domain calls the same, and back: by name, so that no table can be out of date.

``POLARITY_CHANGE`` of the wire is ``Polarity.CHANGE`` of the domain, and the word ``change``; the zero of a wire enum
says that nothing is set.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.internal.enum_type_wrapper import (
        _EnumTypeWrapper as WireEnum,  # pyright: ignore[reportPrivateUsage]  # the one public name has no type parameter
    )

N = TypeVar("N", bound=int)
K = TypeVar("K", bound=StrEnum)

_UNSET = "UNSPECIFIED"


def to_wire(enum: WireEnum[N], member: str | None) -> N:
    """Number of a domain member or word; zero for ``None`` and the empty word.

    Raises:
        ValueError: the wire has no such name, which is a fault of ours.
    """
    name = member.name if isinstance(member, Enum) else (member or _UNSET).upper().replace("-", "_")
    return enum.Value(_prefix(enum) + name)


def from_wire(enum: WireEnum[N], number: int, kind: type[K], field: str) -> K | None:
    """The domain member of a number in a request; ``None`` where it is not set.

    Raises:
        InvalidInput: the wire or the domain has no such member.
    """
    name = _name(enum, number)
    if name == _UNSET:
        return None
    if name is None or name not in kind.__members__:
        raise _unknown(field, number if name is None else name, kind.__members__)
    return kind[name]


def all_from_wire(enum: WireEnum[N], numbers: Iterable[int], kind: type[K], field: str) -> list[K]:
    """The domain members of a list in a request, without those that are not set.

    Raises:
        InvalidInput: the wire or the domain has no such member.
    """
    found = (from_wire(enum, number, kind, f"{field}[{place}]") for place, number in enumerate(numbers))
    return [member for member in found if member is not None]


def word_from_wire(enum: WireEnum[N], number: int, field: str) -> str:
    """A number in a request as a word of the domain, as ``perplexity_ratio``; empty where it is not set.

    Raises:
        InvalidInput: the wire has no such member.
    """
    name = _name(enum, number)
    if name is None:
        raise _unknown(field, number, names(enum))
    return "" if name == _UNSET else name.lower()


def missing(enum: WireEnum[N], field: str) -> InvalidInput:
    """What to raise where a request must set an enum and does not."""
    return InvalidInput("must be set", field=field, hint=f"Use one of {', '.join(names(enum))}.")


def names(enum: WireEnum[N]) -> list[str]:
    """Names of what can be set, without their prefix."""
    return [key.removeprefix(_prefix(enum)) for key in enum.keys() if not key.endswith(f"_{_UNSET}")]  # noqa: SIM118


def _unknown(field: str, value: object, known: Iterable[str]) -> InvalidInput:
    return InvalidInput(
        "is not one of the known names", field=field, value=value, hint=f"Use one of {', '.join(known)}."
    )


def _name(enum: WireEnum[N], number: int) -> str | None:
    found = enum.DESCRIPTOR.values_by_number.get(number)
    return found.name.removeprefix(_prefix(enum)) if found else None


@cache
def _prefix(enum: WireEnum[N]) -> str:
    return enum.DESCRIPTOR.values_by_number[0].name.removesuffix(_UNSET)
