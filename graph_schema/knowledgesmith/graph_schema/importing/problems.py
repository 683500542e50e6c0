"""Collects what is wrong with the rows of an import, so that the user sees all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from knowledgesmith.graph_schema.errors import ImportRejected, shorten

MAX_REPORTED = 100
"""Problems that are kept; the rest is counted."""
_IN_MESSAGE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One bad row: file as named by the user, line from 1 (0 = the file as a whole), what is wrong."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        """``file:line: text``."""
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


@dataclass(slots=True)
class Problems:
    """A bounded list of problems."""

    found: list[Problem] = field(default_factory=list[Problem])
    total: int = 0

    def add(self, file: str, line: int, text: str) -> None:
        """Note one problem."""
        self.total += 1
        if len(self.found) < MAX_REPORTED:
            self.found.append(Problem(file=file, line=line, text=text))

    def raise_if_any(self) -> None:
        """Reject the import when there is a problem.

        Raises:
            ImportRejected: the message lists the first five, ``metadata`` the first hundred as ``row_0`` ….
        """
        if not self.total:
            return
        first = "; ".join(str(problem) for problem in self.found[:_IN_MESSAGE])
        more = f"; and {self.total - _IN_MESSAGE} more" if self.total > _IN_MESSAGE else ""
        raise ImportRejected(
            f"{self.total} bad row{'s' if self.total > 1 else ''}, nothing was imported: {first}{more}",
            field=f"{self.found[0].file}:{self.found[0].line}",
            hint="Correct the files and import again.",
            metadata={
                "bad_rows": str(self.total),
                "file": self.found[0].file,
                "line": str(self.found[0].line),
                **{f"row_{number}": str(problem) for number, problem in enumerate(self.found)},
            },
        )


def quote(value: object) -> str:
    """A value for a problem's text, short and with control characters escaped."""
    return shorten(value, 60) if isinstance(value, str) else shorten(repr(value), 60)
