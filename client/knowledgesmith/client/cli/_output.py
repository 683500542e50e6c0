"""What the commands print: tables, lines, JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from knowledgesmith.client._types.propagation import Rate

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PIPED_WIDTH: Final = 200


def plain_text(text: str) -> str:
    """Text without control characters, so that no name can move the cursor or recolour the terminal."""
    return _CONTROL.sub("\ufffd", " ".join(text.split("\n")))


def console(*, stderr: bool = False) -> Console:
    """A console that takes every text literally; wide when it does not write to a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> Table:
    """A table; a column whose name ends in ``#`` holds numbers and is set to the right."""
    made = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for name in columns:
        numeric = name.endswith("#")
        made.add_column(name.rstrip("#"), justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in rows:
        made.add_row(*(plain_text(cell(value)) for value in row))
    return made


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


def counts(values: Any) -> str:
    """A mapping of counts on one line."""
    return ", ".join(f"{name} {number:,}" for name, number in sorted(dict(values).items())) or "–"
