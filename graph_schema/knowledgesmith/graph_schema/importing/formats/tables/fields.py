"""Reads single values of a row; what cannot be read is noted, and a harmless value returned in its place."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar, cast

from knowledgesmith.graph_schema.importing.reading.literals import not_finite
from knowledgesmith.graph_schema.importing.reading.problems import quote

E = TypeVar("E", bound=StrEnum)
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no", ""})


class Fields:
    """The values of one row and their problems; how long a text may be is checked where records are staged."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.problems: list[str] = []

    def text(self, key: str) -> str:
        """A text, or a number as one; missing is empty."""
        value = self.values.get(key)
        if value is None:
            return ""
        if isinstance(value, float) and not_finite(value):
            self.problems.append(f"{key} is no finite number: {value:g}")
            return ""
        if (text := _text(value)) is None:
            self.problems.append(f"{key} is not a text: {quote(value)}")
        return text or ""

    def flag(self, key: str) -> bool:
        """``true``/``false``, ``1``/``0``, ``yes``/``no``; missing or empty is false."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        word = str(value).casefold() if isinstance(value, str | int) else "?"
        if word not in _TRUE | _FALSE:
            self.problems.append(f"{key} is neither true nor false: {quote(value)}")
        return word in _TRUE

    def texts(self, key: str) -> tuple[str, ...]:
        """Texts parted by ``|``, or a list; empty ones are left out and doubles collapse."""
        value = self.values.get(key)
        items: list[object] = []
        if isinstance(value, str):
            items = [part.strip() for part in value.split("|")]
        elif isinstance(value, list):
            items = cast("list[object]", value)
        elif value is not None:
            self.problems.append(f"{key} is not a list: {quote(value)}")
        kept: dict[str, None] = {}
        for item in items:
            if (text := _text(item)) is None:
                self.problems.append(f"{key} holds something that is not a text: {quote(item)}")
            elif text.strip():
                kept[text.strip()] = None
        return tuple(kept)

    def choice(self, key: str, kind: type[E]) -> E | None:
        """One of an enumeration's values."""
        value = self.values.get(key)
        if value is None or value == "":
            self.problems.append(f"{key} is empty; use one of {', '.join(kind)}")
            return None
        if not isinstance(value, str) or value not in set(kind):
            self.problems.append(f"{key} is {quote(value)}; use one of {', '.join(kind)}")
            return None
        return kind(value)


def _text(value: object) -> str | None:
    """A text or a number as one, whole numbers without a point; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not_finite(value):
        return None
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)
