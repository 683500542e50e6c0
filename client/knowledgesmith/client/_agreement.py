"""Agreement of people who filled in the same sheet of probes.

Two: Cohen's kappa (Cohen 1960). Three or more: Fleiss' kappa (Fleiss 1971), over the probes that everybody judged.

"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

QUESTIONS: Final = ("correct", "grammatical", "unambiguous")
_WORDS: Final = {"y": True, "yes": True, "1": True, "true": True, "n": False, "no": False, "0": False, "false": False}

Sheet = Mapping[str, Mapping[str, bool]]
"""Judgements by question and probe id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement on one question of the sheet.

    Attributes:
        question: the sheet's column.
        items: probes that everybody judged.
        observed: share of agreeing pairs of judgements.
        kappa: agreement beyond chance; ``None`` where everybody always gave one and the same answer.
    """

    question: str
    items: int
    observed: float
    kappa: float | None


def read_sheet(path: Path) -> Sheet:
    """Judgements of one person; empty cells are left out.

    Raises:
        ValueError: a column is missing, a cell is neither yes nor no, or the file is no UTF-8.
    """
    found: dict[str, dict[str, bool]] = {question: {} for question in QUESTIONS}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := {"id", *QUESTIONS} - set(reader.fieldnames or ()):
            raise ValueError(f"{path}: the column {min(missing)} is missing.")
        for row in reader:
            for question in QUESTIONS:
                cell = (row[question] or "").strip().casefold()
                if cell and cell not in _WORDS:
                    raise ValueError(f"{path}:{reader.line_num}: {question} must be y or n, not {cell[:20]!r}.")
                if cell:
                    found[question][row["id"]] = _WORDS[cell]
    return found


def agreement_of(sheets: Sequence[Sheet]) -> tuple[Agreement, ...]:
    """Agreement on every question.

    Raises:
        ValueError: fewer than two sheets, or no probe that everybody judged.
    """
    if len(sheets) < 2:
        raise ValueError("Give at least two filled-in sheets.")
    found: list[Agreement] = []
    for question in QUESTIONS:
        common = sorted(set.intersection(*(set(sheet[question]) for sheet in sheets)))
        if common:
            found.append(_agreement(question, [[sheet[question][item] for sheet in sheets] for item in common]))
    if not found:
        raise ValueError("No probe was judged in all sheets.")
    return tuple(found)


def _agreement(question: str, rows: Sequence[Sequence[bool]]) -> Agreement:
    raters = len(rows[0])
    pairs = raters * (raters - 1)
    observed = sum(sum(n * (n - 1) for n in Counter(row).values()) / pairs for row in rows) / len(rows)
    expected = _by_two(rows) if raters == 2 else _by_many(rows)
    kappa = None if expected >= 1.0 else (observed - expected) / (1.0 - expected)
    return Agreement(question=question, items=len(rows), observed=observed, kappa=kappa)


def _by_two(rows: Sequence[Sequence[bool]]) -> float:
    """Agreement by chance of two people with their own shares of yes (Cohen)."""
    one, other = (sum(row[rater] for row in rows) / len(rows) for rater in (0, 1))
    return one * other + (1.0 - one) * (1.0 - other)


def _by_many(rows: Sequence[Sequence[bool]]) -> float:
    """Agreement by chance with the share of yes of all (Fleiss)."""
    share = sum(map(sum, rows)) / (len(rows) * len(rows[0]))
    return share**2 + (1.0 - share) ** 2
