"""Reads single values of a row; each function notes a problem and returns a harmless value when it cannot."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar, cast

from knowledgesmith.graph_schema.importing.problems import Problems, quote
from knowledgesmith.graph_schema.importing.rows import Row
from knowledgesmith.graph_schema.text_checks import problem_with

E = TypeVar("E", bound=StrEnum)
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no", ""})


class Fields:
    """The values of one row. ``ok`` turns false with the first problem."""

    def __init__(self, row: Row, problems: Problems) -> None:
        self.row = row
        self.ok = True
        self._problems = problems

    def fail(self, text: str) -> None:
        """Note a problem of this row."""
        self.ok = False
        self._problems.add(self.row.file, self.row.line, text)

    def text(self, key: str, *, limit: int, empty: bool = False) -> str:
        """A text of at most ``limit`` characters without control characters."""
        value = self.row.values.get(key)
        if value is None:
            value = ""
        if not isinstance(value, str):
            self.fail(f"{key} is not a text: {quote(value)}")
            return ""
        if problem := problem_with(value, limit=limit, empty=empty):
            self.fail(f"{key} {problem}" + (f": {quote(value)}" if value else ""))
            return ""
        return value

    def flag(self, key: str) -> bool:
        """``true``/``false``, ``1``/``0``, ``yes``/``no``; missing or empty is false."""
        value = self.row.values.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        word = str(value).casefold() if isinstance(value, str | int) else "?"
        if word not in _TRUE | _FALSE:
            self.fail(f"{key} is neither true nor false: {quote(value)}")
        return word in _TRUE

    def texts(self, key: str, *, limit: int) -> tuple[str, ...]:
        """Texts parted by ``|``, or a JSON list; empty ones are left out and doubles collapse."""
        value = self.row.values.get(key)
        items: list[object] = []
        if isinstance(value, str):
            items = [part.strip() for part in value.split("|")]
        elif isinstance(value, list):
            items = cast("list[object]", value)
        elif value is not None:
            self.fail(f"{key} is not a list: {quote(value)}")
        kept: dict[str, None] = {}
        for item in items:
            if not isinstance(item, str):
                self.fail(f"{key} holds something that is not a text: {quote(item)}")
            elif problem := problem_with(item, limit=limit, empty=True):
                self.fail(f"{key} holds a text that {problem}: {quote(item)}")
            elif item.strip():
                kept[item.strip()] = None
        return tuple(kept)

    def choice(self, key: str, kind: type[E], *, default: E | None = None) -> E | None:
        """One of an enumeration's values; ``default`` when empty."""
        value = self.row.values.get(key)
        if value in {None, ""} if isinstance(value, str | None) else False:
            if default is None:
                self.fail(f"{key} is empty; use one of {', '.join(kind)}")
            return default
        if not isinstance(value, str) or value not in set(kind):
            self.fail(f"{key} is {quote(value)}; use one of {', '.join(kind)}")
            return default
        return kind(value)
