"""What an import tells beside its counts: merged, named by id, cyclic, doubled, defaulted …, by kind with places.

Importers yield ``Finding`` records among the others; the stages add theirs with ``Findings.add``. Nothing of it changes
the graph. A kind is counted in full; a few examples of each are kept, the first by place and text, so that the report
does not depend on the order of records and needs no more memory for a large file.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.types.cases import Place

MAX_EXAMPLES: Final = 10
"""Examples of each kind in a report."""
_TEXT_LIMIT: Final = 300


class FindingKind(StrEnum):
    """The kinds, in the order of a report."""

    READ_AS = "read_as"
    FILE_LEFT_OUT = "file_left_out"
    LABELLED_FALSE = "labelled_false"
    BOTH_LABELS = "both_labels"
    CONTRADICTORY = "contradictory"
    CYCLE = "cycle"
    DOUBLED = "doubled"
    MERGED = "merged"
    ID_CLASH = "id_clash"
    NAMED_BY_ID = "named_by_id"
    NAME_CHANGED = "name_changed"
    SEVERAL_NAMES = "several_names"
    FALLBACK_LANGUAGE = "fallback_language"
    SAME_NAME = "same_name"
    TWIN_NAMES = "twin_names"
    UNDESCRIBED = "undescribed"
    UNDECLARED = "undeclared"
    DEFAULTED = "defaulted"
    IGNORED = "ignored"
    DOCUMENTATION = "documentation"
    NOTE = "note"


MEANINGS: Final[dict[FindingKind, str]] = {
    FindingKind.READ_AS: "how files were read",
    FindingKind.FILE_LEFT_OUT: "files that hold no part of a graph and were left out",
    FindingKind.LABELLED_FALSE: "statements that are labelled false and became no fact",
    FindingKind.BOTH_LABELS: "statements that are labelled both true and false",
    FindingKind.CONTRADICTORY: "statements that contradict others",
    FindingKind.CYCLE: "cycles of a hierarchy",
    FindingKind.DOUBLED: "facts that are stated more than once",
    FindingKind.MERGED: "entities that several records describe differently",
    FindingKind.ID_CLASH: "different ids that read alike",
    FindingKind.NAMED_BY_ID: "entities without a name, named by their id",
    FindingKind.NAME_CHANGED: "names that were cut or changed",
    FindingKind.SEVERAL_NAMES: "entities with several names, of which one was chosen",
    FindingKind.FALLBACK_LANGUAGE: "names in another language than was asked for",
    FindingKind.SAME_NAME: "names that several entities have",
    FindingKind.TWIN_NAMES: "names that look alike and differ in signs",
    FindingKind.UNDESCRIBED: "ends of facts that no record describes",
    FindingKind.UNDECLARED: "keys that are used and not declared",
    FindingKind.DEFAULTED: "values that were missing and taken from a default",
    FindingKind.IGNORED: "parts of the files that became nothing",
    FindingKind.DOCUMENTATION: "remarks, provenance and parts of the notation, which are no entities and no facts",
    FindingKind.NOTE: "other notes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that the reader of a report should know. It rejects nothing.

    Attributes:
        place: the file, and the line or record where it is seen (0 = the file as a whole).
        kind: what sort of thing.
        text: in plain words with the values; shown as an example.
        count: how many records, entities or facts it stands for.
    """

    place: Place
    kind: FindingKind
    text: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCount:
    """A kind of a report: how often it was found, and the first ones by place."""

    kind: FindingKind
    count: int
    examples: tuple[Finding, ...]

    @property
    def meaning(self) -> str:
        """The kind in words."""
        return MEANINGS[self.kind]

    def describe(self) -> str:
        """One line with the first example."""
        first = f", e.g. {self.examples[0].place}: {self.examples[0].text}" if self.examples else ""
        return f"{self.meaning}: {self.count:,}{first}"


class Findings:
    """Collects findings: a number and a few examples a kind, whatever the size of the import."""

    def __init__(self) -> None:
        self._counts: Counter[FindingKind] = Counter()
        self._examples: dict[FindingKind, list[tuple[Place, str, int]]] = {}

    def add(self, place: Place, kind: FindingKind, text: str, *, count: int = 1) -> None:
        """Note one thing; ``count`` as in ``Finding``."""
        if count < 1:
            return
        self._counts[kind] += count
        kept = self._examples.setdefault(kind, [])
        item = (place, text[:_TEXT_LIMIT], count)
        if len(kept) < MAX_EXAMPLES or item < kept[-1]:
            insort(kept, item)
            del kept[MAX_EXAMPLES:]

    def take(self, finding: Finding) -> None:
        """Note a finding of an importer."""
        self.add(finding.place, finding.kind, finding.text, count=finding.count)

    def count(self, kind: FindingKind, number: int) -> None:
        """Raise the number of a kind without an example."""
        self._counts[kind] += number

    def __getitem__(self, kind: FindingKind) -> int:
        """How often a kind was found."""
        return self._counts[kind]

    def report(self) -> tuple[FindingCount, ...]:
        """The kinds that were found, in their fixed order."""
        return tuple(
            FindingCount(
                kind=kind,
                count=self._counts[kind],
                examples=tuple(
                    Finding(place=place, kind=kind, text=text, count=count)
                    for place, text, count in self._examples.get(kind, ())
                ),
            )
            for kind in FindingKind
            if self._counts[kind]
        )
