"""Whether the first row of a table names its columns, and which column is the relation where no word says it.

A row is only taken for a header where known words, letter case or numbers below it say so. What the first row says of
itself is weighed against what it could be as a fact: a relation in several words (``Born In``), a word that stands
further down as well, a capital that a telephone put there.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.importing.formats.rows.column_words import BETWEEN, NOUNS, OTHER, Role, heading
from knowledgesmith.graph_schema.importing.reading.literals import is_literal

DOUBTFUL: Final = 8
"""Rows from which on a column of relations is expected to repeat one."""
_YEAR: Final = 4
_MANY: Final = 20
"""Rows from which on a column is plainly the relation where it has few values."""


class Evidence(StrEnum):
    """Why a first row counts as the names of the columns."""

    NAMED = "it names the columns"
    NOUNS = "its words stand over columns"
    NUMBERS = "numbers stand below a word"
    IDS = "ids stand below a word"
    CASE = "it is in small letters, the others are not"
    CAPITAL = "its words stand over columns, relations in small letters below"
    HEADINGS = "its words stand over columns, the second holds no relations; --option layout=facts if it does"
    TRUTHS = "yes and no stand below a word, and are no relations"
    BETWEEN = "a word for relations stands among words over columns"


class Rows:
    """The first rows of a table.

    Attributes:
        first: the first row.
        body: the others.
        titles: the first row as headings are compared.
        width: columns that hold anything.
    """

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        width = max(map(len, rows), default=0)
        filled = [n for n in range(width) if any(row[n] for row in rows if n < len(row))]
        self.width = filled[-1] + 1 if filled else 0
        padded = [[*row, *[""] * self.width][: self.width] for row in rows]
        self.first = padded[0] if padded else []
        self.body = padded[1:]
        self.titles = [heading(cell) for cell in self.first]

    def column(self, position: int) -> list[str]:
        """The texts below the first row."""
        return [row[position] for row in self.body if position < self.width]

    def recurs(self, position: int) -> bool:
        """Whether a text of the first row stands below it in its own column."""
        return bool(self.titles[position]) and self.titles[position] in map(heading, self.column(position))

    def relation_like(self) -> bool:
        """Whether the second column is written as relations are, and the first as names are (scripts with case)."""
        middle, first = self.column(1), self.column(0)
        small = [value for value in middle if value[:1].islower() or "_" in value]
        cased = [value for value in first if value[:1].isupper()]
        if not middle or len(small) < 0.8 * len(middle) or any(map(_is_address, middle)):
            return False
        return len(cased) >= 0.5 * len(first) or sum(" " in value or "_" in value for value in middle) > len(middle) / 2

    def evidence(self) -> Evidence | None:
        """Why the first row names the columns; None where it may be data like the others."""
        if not self.body or any(is_literal(cell) for cell in self.first):
            return None
        titles = [title for title in self.titles if title]
        if len(set(titles)) < len(titles) or any(self.recurs(n) for n in range(self.width)):
            return None
        if self._has_nouns(titles):
            return Evidence.NOUNS
        for n in range(self.width):
            values = [value for value in self.column(n) if value]
            numbers = sum(map(is_literal, values))
            if not self.first[n] or len(values) < 2 or numbers < 0.8 * len(values):
                continue
            if n < 2 or not self._may_be_fact(is_sure=numbers == len(values) >= DOUBTFUL):
                return Evidence.NUMBERS
        if any(map(self._is_over_ids, range(self.width))):
            return Evidence.IDS
        return Evidence.CASE if self._is_small() and not self._is_first_fact() else None

    def holds_ids(self, position: int) -> bool:
        """Whether a column is one of ids: called so, or of codes with digits that are no measures, years or dates."""
        values = self.column(position)
        if not values or not all(values) or len(set(values)) < len(values):
            return False
        if self.titles[position] in OTHER[Role.ID]:
            return True
        years = all(value.isdecimal() and len(value) == _YEAR for value in values)
        return self.titles[position] not in NOUNS and not years and all(map(is_id, values))

    def _is_over_ids(self, position: int) -> bool:
        """Whether a word stands over ids: one that means them, or any over several that no other column names."""
        if not self.holds_ids(position) or any(map(str.isdigit, self.first[position])):
            return False
        ids = self.column(position)
        if self.titles[position] in OTHER[Role.ID]:
            return all(map(is_id, ids))
        others = {cell for row in (self.first, *self.body) for n, cell in enumerate(row) if n != position}
        facts = self.width == 3 and self.relation_like()
        return position == 0 and len(ids) > 2 and others.isdisjoint(ids) and not facts

    def relation_evidence(self) -> Evidence | None:
        """Why the first row names three columns of which one is told to be the relation by what stands below."""
        if self.width != 3 or not self.body or any(map(self._stands_below, self.titles)):
            return None
        ends = (self.titles[0], self.titles[2])
        return Evidence.CAPITAL if self._is_capital() and any(title in NOUNS for title in ends) else None

    def between(self) -> int | None:
        """The column whose first cell is a word for relations, the others being words that stand over columns."""
        if self.width != 3 or not self.body or any(map(self._stands_below, self.titles)):
            return None
        found = [n for n, title in enumerate(self.titles) if title in BETWEEN]
        others = [title for title in self.titles if title not in BETWEEN]
        if len(found) != 1 or not all(title in NOUNS for title in others):
            return None
        values = [value for value in self.column(found[0]) if value]
        # A link may be an address, and a property a measure
        strange = any(is_literal(value) or _is_address(value) for value in values)
        alone = len(values) >= DOUBTFUL and len(set(values)) == len(values)
        return found[0] if values and not strange and not alone else None

    def relation_column(self) -> int | None:
        """The column of three that is the relation where it is not the second one."""
        rows = len(self.body) + 1
        sets = [set(self.column(n)) | {self.first[n]} for n in range(3)]
        if rows >= _MANY:
            found = [n for n in (0, 2) if len(sets[n]) <= rows / 5 and len(sets[1]) >= rows / 2]
        else:
            found = [n for n in (0, 2) if len(sets[n]) <= len(sets[1])]
        for n in found:
            other = 2 - n
            if sets[other] & sets[1] and not sets[n] & (sets[other] | sets[1]):
                return n
        if not self.middle_is_measured():
            return None
        # Numbers are no relation: of the two columns that are left it is the one that repeats
        words = [n for n in (0, 2) if not _are_numbers(sets[n])]
        repeating = [n for n in words if len(sets[n]) < rows and len(sets[n]) < len(sets[2 - n])]
        return repeating[0] if len(repeating) == 1 else None

    def middle_is_measured(self) -> bool:
        """Whether the second column holds numbers and dates, and another one does not."""
        given = [[value for value in (self.first[n], *self.column(n)) if value] for n in range(3)]
        return _are_numbers(given[1]) and not (_are_numbers(given[0]) and _are_numbers(given[2]))

    def _stands_below(self, title: str) -> bool:
        """Whether a text of the first row stands anywhere below it."""
        return bool(title) and any(title == heading(cell) for row in self.body for cell in row)

    def _is_capital(self) -> bool:
        """Whether the first row begins with a capital where every relation below it begins with a small letter.

        A relation in several words is rather the first of a list that a telephone wrote.
        """
        middle, title = self.column(1), self.first[1]
        bare = " " not in title.strip() and "_" not in title
        return len(middle) > 2 and bare and title[:1].isupper() and all(value[:1].islower() for value in middle)

    def _is_small(self) -> bool:
        """Whether the first row is in small letters, and nearly everything below it begins with a capital."""
        cells = [cell for cell in self.first if cell[:1].isalpha()]
        below = [value for n in range(self.width) for value in self.column(n) if value[:1].isalpha()]
        small = [cell for cell in cells if cell[:1].islower()]
        capitals = [value for value in below if value[:1].isupper()]
        return len(small) == len(cells) > 1 and len(below) > 1 and len(capitals) >= 0.8 * len(below)

    def _is_first_fact(self) -> bool:
        """Whether few rows of three are rather facts although the first one alone is in small letters."""
        if self.width != 3 or len(self.body) + 1 >= DOUBTFUL:
            return False
        middle = self.column(1)
        phrase = " " in self.first[1] or "_" in self.first[1]
        return len(self.body) == 1 or phrase or any(heading(value) in NOUNS for value in middle)

    def _may_be_fact(self, *, is_sure: bool) -> bool:
        """Whether a first row of three may be a fact although objects below it are numbers (height, year of birth).

        ``is_sure`` says that the objects below are numbers throughout, in rows enough to tell.
        """
        middle = [value for value in self.column(1) if value]
        if self.width != 3 or self.titles[0] in NOUNS or sum(map(is_literal, middle)) > len(middle) / 2:
            return False
        if " " in self.first[1] or "_" in self.first[1]:
            return True
        if self.relation_like():
            capital = len(middle) > 2 and self.first[1][:1].isupper() and all(value[:1].islower() for value in middle)
            return not (capital or all(cell[:1].islower() for cell in self.first))
        subjects = self.column(0)
        linked = bool({*subjects, self.first[0]} & {*self.column(2), self.first[2]})
        facts = len(set(middle)) <= 0.7 * len(middle) and (linked or len(set(subjects)) < len(subjects))
        return facts and not is_sure

    def _has_nouns(self, titles: list[str]) -> bool:
        """Whether the first row has words that stand over columns, and the rows below do not look the same."""
        nouns = sum(title in NOUNS for title in titles)
        if not (nouns >= 2 or (nouns and len(titles) == 2)):
            return False
        if self.width <= 3:
            # Words such as author and book are things as well, beside a verb or over others in small letters
            below = [value for n in range(self.width) for value in self.column(n)]
            small = sum(value[:1].islower() for value in below)
            alike = self.first[0][:1].islower() and small > len(below) / 3
            return not alike and (self.width == 2 or self.titles[1] in NOUNS or any(map(_is_address, self.column(1))))
        return True


def is_id(text: str) -> bool:
    """Whether a text is a number or a code with digits, and neither a measure nor a date."""
    coded = text.isascii() and " " not in text and any(map(str.isdigit, text))
    return coded and (text.isdecimal() or not is_literal(text))


def _is_address(text: str) -> bool:
    """Whether a text is the address of a page or of a person."""
    return "://" in text or text.startswith("www.") or ("@" in text and " " not in text)


def _are_numbers(values: Sequence[str] | set[str]) -> bool:
    given = [value for value in values if value]
    return bool(given) and sum(map(is_literal, given)) >= 0.8 * len(given)
