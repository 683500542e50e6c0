"""Cases of benchmarks as values: what a reader yields and what the graph keeps beside it, with their place.

They stand outside the importers, since storing and reading cases needs nothing of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where a record stands: the file as named by the user, and its line or record number from 1 (0 = whole file)."""

    file: str
    record: int = 0

    def __str__(self) -> str:
        """``file:record``."""
        return f"{self.file}:{self.record}" if self.record else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One change of a ready intervention; uids as in the records of the same import. Empty objects as in ``Change``."""

    subject: str
    relation: str
    old_object: str = ""
    new_object: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseProbe:
    """A probe that a benchmark brings with it; it is kept apart from generated ones and never verified by the graph.

    ``stem`` is what the model reads. ``answers`` are accepted texts (aliases included) after the change, and
    ``answers_before`` those before it where the source names them; ``options`` is empty for free answers.
    ``family`` is the source's own word (rephrase, locality, portability …), ``kind`` the nearest of our six.
    """

    kind: ProbeKind
    polarity: Polarity
    family: str
    stem: str
    answers: Sequence[str]
    answers_before: Sequence[str] = ()
    options: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """A ready intervention of an editing or unlearning benchmark with its own probes.

    ``id`` is unique within the import. Several ``rounds`` make a sequence of requests (edit away and back).
    """

    place: Place
    id: str
    goal: Goal
    rounds: Sequence[Sequence[CaseChange]]
    probes: Sequence[CaseProbe] = ()

    @property
    def characters(self) -> int:
        """Characters of its probes' texts."""
        return sum(
            len(text)
            for probe in self.probes
            for text in (probe.stem, *probe.answers, *probe.answers_before, *probe.options)
        )
