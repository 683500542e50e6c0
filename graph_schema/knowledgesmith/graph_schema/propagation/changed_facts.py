"""The facts that an intervention changed: which questions support the old object, which the new one, and conflicts.

Conflict in the same context: the model holds the old and the new statement for true at once. Across contexts: some
question is answered with the old object and another one with the new (Luo et al. 2026; ConflictEdit for the pairs).
Of several changed facts of one subject and relation, each has the questions that its own objects answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.propagation.query_text import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore, Row


class Agreement(StrEnum):
    """The world that all questions of a fact are answered by; MIXED where they differ, UNASKED without questions."""

    NEW = "new"
    OLD = "old"
    MIXED = "mixed"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One question about a changed fact: its best answers, and which of the objects they support afterwards."""

    kind: str
    stem: str
    preferred_before: str
    preferred_after: str
    supports_old: bool
    supports_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFact:
    """A target with counts of questions: ``old_after`` of ``contexts`` support the old object afterwards, and so on.

    The ``yes_`` counts are those of true-or-false questions alone; ``agree_`` counts questions that are answered as
    the old or the new world answers them. ``evidence`` holds at most 20 questions.
    """

    position: int
    subject: str
    subject_name: str
    relation: str
    functional: bool
    old_object: str
    old_name: str
    new_object: str
    new_name: str
    contexts: int
    old_before: int
    new_before: int
    old_after: int
    new_after: int
    yes_old_before: int
    yes_new_before: int
    yes_old_after: int
    yes_new_after: int
    agree_old: int
    agree_new: int
    evidence: tuple[Context, ...]

    @property
    def conflict_same_context(self) -> bool:
        """Both statements are held for true."""
        return self.yes_old_after > 0 and self.yes_new_after > 0

    @property
    def conflict_any_context(self) -> bool:
        """Some question supports the old object and some question the new one."""
        return self.old_after > 0 and self.new_after > 0

    @property
    def agreement(self) -> Agreement:
        """Consistency of the fact over its questions."""
        if not self.contexts:
            return Agreement.UNASKED
        if self.agree_new == self.contexts:
            return Agreement.NEW
        return Agreement.OLD if self.agree_old == self.contexts else Agreement.MIXED


def changed_facts(
    store: GraphStore, intervention_id: str, *, conflicts_only: bool = False, skip: int = 0, limit: int = 50
) -> tuple[list[ChangedFact], Pasteable]:
    """The targets of an intervention in order with their support; only those in conflict when asked for."""
    params = {"id": intervention_id, "conflicts_only": conflicts_only, "skip": skip, "limit": limit}
    found = [_fact(row) for row in store.read("propagation/facts", **params)]
    return found, pasteable("propagation/facts", **params)


def _fact(row: Row) -> ChangedFact:
    contexts = [
        Context(
            kind=kind,
            stem=stem,
            preferred_before=before,
            preferred_after=after,
            supports_old=bool(old),
            supports_new=bool(new),
        )
        for kind, stem, before, after, old, new in row["evidence"]
    ]
    values: Row = {**row, "evidence": tuple(contexts)}
    return ChangedFact(**values)
