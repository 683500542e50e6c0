"""What became nothing in many places of a file, as one finding for each sort of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from knowledgesmith.graph_schema.importing.reading.records import Finding, FindingKind, Place

_MAX_SORTS: Final = 2_000
_OTHERS: Final = "other sorts"


class Tally:
    """Counts by file, kind and sort; memory is bounded however many sorts there are."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, FindingKind, str], int] = {}
        self._first: dict[tuple[str, FindingKind, str], int] = {}

    def add(self, place: Place, kind: FindingKind, sort: str, count: int = 1) -> None:
        """Count one more of a sort, which is told in words."""
        key = (place.file, kind, sort)
        if key not in self._counts and len(self._counts) >= _MAX_SORTS:
            key = (place.file, kind, _OTHERS)
        self._counts[key] = self._counts.get(key, 0) + count
        self._first[key] = min(place.record, self._first.get(key, place.record))

    def findings(self) -> Iterator[Finding]:
        """One finding for each sort and file, at the first place; the most frequent first."""
        for (file, kind, sort), count in sorted(self._counts.items(), key=lambda item: (-item[1], item[0])):
            place = Place(file=file, record=self._first[file, kind, sort])
            text = sort if count == 1 else f"{count} times: {sort}"
            yield Finding(place=place, kind=kind, text=text, count=count)
