"""What the commands print: tables, lines, JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from knowledgesmith.client._json import CONTROL
from knowledgesmith.client._types.enums import Level
from knowledgesmith.client._types.graphs import LevelCount
from knowledgesmith.client._types.probes import KindCount
from knowledgesmith.client._types.propagation import Rate

_PIPED_WIDTH: Final = 200
_WORD: Final = 24
"""A longer word may be broken: digests and paths are."""


def plain_text(text: str) -> str:
    """Text without control characters, so that no name can move the cursor or recolour the terminal."""
    return CONTROL.sub("\ufffd", " ".join(text.split("\n")))


class _PlainConsole(Console):
    """A console on which no text moves the cursor or recolours anything, whoever wrote it."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """What is printed, without control characters; those that rich itself sends are kept."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=_lines(segment.text))


def _lines(text: str) -> str:
    return "\n".join(CONTROL.sub("\ufffd", line) for line in text.split("\n"))


def console(*, stderr: bool = False) -> Console:
    """A console that takes every text literally; wide when it does not write to a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return _PlainConsole(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> RenderableType:
    """A table; without rows it says so.

    A terminal that is too narrow for it gets closer columns, then none of the optional ones, then a block of lines for
    every row. What is piped on has one line a row.

    Args:
        columns: names; a column whose name ends in ``#`` holds numbers and is set to the right, one whose name begins
            with ``?`` is optional.
        rows: a value for each column.
        title: a line above.
    """
    made = tuple(_Column(name.lstrip("?").removesuffix("#"), name.endswith("#"), name[:1] == "?") for name in columns)
    return _Fitted(made, [tuple(plain_text(cell(value)) for value in row) for row in rows], title)


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    numeric: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Rows as the widest table that the terminal holds without breaking words, else as blocks."""

    columns: tuple[_Column, ...]
    rows: Sequence[tuple[str, ...]]
    title: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        every = tuple(range(len(self.columns)))
        if not self.rows:
            yield Text(f"{self.title}: none" if self.title else "none", style="dim")
        elif not console.is_terminal:
            yield self._table(every, 1)
        else:
            needed = tuple(place for place in every if not self.columns[place].optional)
            for places, padding in ((every, 1), (every, 0), (needed, 0)):
                if self._width(places, padding) <= options.max_width:
                    yield self._table(places, padding)
                    return
            yield from self._blocks()

    def _width(self, places: Sequence[int], padding: int) -> int:
        """Cells that a table needs before a number or a word of up to :data:`_WORD` letters is broken."""
        return sum(self._least(place) + 2 * padding + 1 for place in places) + 1

    def _least(self, place: int) -> int:
        column = self.columns[place]
        texts = [column.name, *(row[place] for row in self.rows)]
        if column.numeric:
            return max(map(cell_len, texts))
        return max(min(cell_len(word), _WORD) for text in texts for word in text.split() or [""])

    def _table(self, places: Sequence[int], padding: int) -> Table:
        made = Table(box=SIMPLE_HEAD, title=self.title or None, title_justify="left", title_style="bold")
        made.pad_edge = False
        made.padding = (0, padding)
        for place in places:
            name, numeric = self.columns[place].name, self.columns[place].numeric
            side: JustifyMethod = "right" if numeric else "left"
            made.add_column(name, justify=side, no_wrap=numeric, overflow="fold", min_width=self._least(place))
        for row in self.rows:
            made.add_row(*(row[place] for place in places))
        return made

    def _blocks(self) -> Iterator[RenderableType]:
        if self.title:
            yield Text(self.title, style="bold")
        for row in self.rows:
            block = Table.grid(padding=(0, 2))
            block.add_column(style="dim", no_wrap=True)
            block.add_column(overflow="fold")
            for column, text in zip(self.columns, row, strict=True):
                if text != cell(None):
                    block.add_row(column.name, text)
            yield block
            yield Text()


def cell(value: object) -> str:
    """One value for a table: missing ones are a dash, numbers and times are short."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item) for item in value)
    return str(value)


def spaced(member: StrEnum) -> str:
    """A member of an enumeration as words; nothing for one that says nothing."""
    return "" if member.name == "UNSPECIFIED" else member.lower().replace("_", " ")


def short(identifier: str) -> str:
    """The first 12 characters of a digest."""
    return identifier[:12]


def signed(value: float | None) -> str:
    """A change with its sign."""
    return "–" if value is None else f"{value:+.3f}"


def rate(value: Rate) -> str:
    """A rate in percent with its interval and number of trials."""
    if value.value is None:
        return "–"
    interval = "" if value.low is None or value.high is None else f" [{100 * value.low:.0f}–{100 * value.high:.0f}]"
    return f"{100 * value.value:.1f} %{interval} n={value.trials}"


def counts(values: Mapping[str, int]) -> str:
    """A mapping of counts on one line, by name."""
    return tally(sorted(values.items()))


def tally(pairs: Iterable[tuple[object, int]]) -> str:
    """Names with their counts on one line, in their order."""
    return ", ".join(f"{name} {number:,}" for name, number in pairs) or "–"


def kinds(found: Iterable[KindCount]) -> str:
    """Counts by kind of probe on one line."""
    return tally((item.kind, item.count) for item in found)


def levels(found: Iterable[LevelCount]) -> str:
    """Counts by level on one line, roots first."""
    return tally(("no level" if item.level is Level.UNSPECIFIED else item.level.lower(), item.count) for item in found)
