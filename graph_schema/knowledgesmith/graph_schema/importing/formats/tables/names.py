"""Which column of a table of things names them, where ids stand in another one: by its heading, else by its texts.

It is told as the attributes of networks are (``networks.naming``). A table of few rows has not enough of them to tell a
name from any other text that differs: there it is the one column whose texts all differ.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import OTHER, Role, heading
from knowledgesmith.graph_schema.importing.formats.tables.header import Rows, is_id
from knowledgesmith.graph_schema.importing.formats.tables.naming import Survey
from knowledgesmith.graph_schema.importing.reading.literals import is_literal

NO_NAMES: Final = "-"
"""Said instead of a column: the ids are the names."""
_FEW: Final = 2
"""Rows from which on texts that all differ may be names."""
_LONGEST: Final = 80


def name_column(rows: Rows, ids: int, free: Collection[int], *, lose: bool) -> int | None:
    """The column with the names of things, told by its heading or by its texts.

    Args:
        rows: of a table with a header.
        ids: the column of ids.
        free: columns that may be it.
        lose: whether a column that is taken for names is no relation any more, so that it must be surer.
    """
    survey = Survey()
    columns = {n: rows.column(n) for n in free}
    for row, identifier in enumerate(rows.column(ids)):
        survey.add(identifier, {rows.first[n]: values[row] for n, values in columns.items()})
    titled = titled_names(rows, free)
    found = survey.names([rows.first[n] for n in titled])
    if found:
        return next(n for n in free if rows.first[n] == found[0])
    if titled:
        return titled[0]
    if not survey.coded:
        return None
    likely = [n for n in sorted(free) if _tells_apart(columns[n])]
    return likely[0] if len(likely) == 1 or (likely and not lose) else None


def titled_names(rows: Rows, free: Collection[int]) -> list[int]:
    """The columns with headings that mean names, the surest first."""
    return [n for word in OTHER[Role.NAME] for n in free if rows.titles[n] == word]


def _tells_apart(values: Sequence[str]) -> bool:
    """Whether all texts of a column differ, are words and short."""
    words = [value for value in values if any(map(str.isalpha, value)) and not is_literal(value) and not is_id(value)]
    whole = len(words) == len(values) >= _FEW and max(map(len, words)) <= _LONGEST
    return whole and len(set(words)) == len(words) and not any("://" in word or "@" in word for word in words)


def asked_column(rows: Rows, asked: str) -> int | None:
    """The column of that heading."""
    return next((n for n, title in enumerate(rows.titles) if title and title == heading(asked)), None)
