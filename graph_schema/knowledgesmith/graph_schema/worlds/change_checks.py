"""Refuses changes that cannot be meant, before the database is asked."""

from __future__ import annotations

from collections.abc import Sequence

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.worlds.contradictions import without_conflicts


def check_changes(lexicon: Lexicon, *, goal: Goal, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes sorted and without doubles.

    Raises:
        InvalidInput: no changes, a side is missing for this goal, or subject and object are the same entity.
        EntityNotFound: a uid is unknown.
        RelationNotFound: a relation is unknown.
        ConflictingChanges: two changes contradict each other.
    """
    if not changes:
        raise InvalidInput("There are no changes.", field="changes", hint="Name at least one.")
    for position, change in enumerate(changes):
        _check_sides(change, goal=goal, where=f"changes[{position}]")
        lexicon.relation(change.relation)
        for uid in (change.subject, change.old_object, change.new_object):
            if uid:
                lexicon.entity(uid)
    return without_conflicts(changes, lexicon.relations)


def _check_sides(change: Change, *, goal: Goal, where: str) -> None:
    needs_new = goal is Goal.EDIT
    if needs_new != bool(change.new_object) or not (change.new_object or change.old_object):
        raise InvalidInput(
            f"{goal} {'needs a new object' if needs_new else 'takes an old object and no new one'}.",
            field=f"{where}.new_object",
            value=change.new_object,
            hint="EDIT inserts or modifies, UNLEARN erases.",
        )
    if change.subject in {change.old_object, change.new_object} or change.old_object == change.new_object:
        raise InvalidInput(
            "Subject, old and new object must differ.", field=where, value=change, hint="Choose another object."
        )
