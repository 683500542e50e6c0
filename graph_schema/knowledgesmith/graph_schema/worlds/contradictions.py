"""Finds changes of one request that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from knowledgesmith.graph_schema.errors import ConflictingChanges
from knowledgesmith.graph_schema.types.facts import Relation
from knowledgesmith.graph_schema.types.interventions import Change

Key = tuple[str, str, str]


def without_conflicts(changes: Sequence[Change], catalogue: Mapping[str, Relation]) -> tuple[Change, ...]:
    """The changes sorted and without doubles, also where one fact is erased from both of its ends.

    Raises:
        ConflictingChanges: one fact would become two; a functional relation would have two objects (or, inverse
            functional, two subjects); or one change asserts what another retracts.
    """
    kept: dict[tuple[Key, str, str], Change] = {}
    for change in sorted(changes):
        erased = min(_ways(change, catalogue, old=True))
        subject = change.subject if change.new_object else ""
        kept.setdefault((erased, subject, change.new_object), change)
    _check(list(kept.values()), catalogue)
    return tuple(kept.values())


def _check(changes: Sequence[Change], catalogue: Mapping[str, Relation]) -> None:
    claims: dict[tuple[str, ...], Change] = {}
    retracted = {key: change for change in changes if change.old_object for key in _ways(change, catalogue, old=True)}
    for change in changes:
        for claim, problem in _claims(change, catalogue):
            other = claims.setdefault(claim, change)
            if other is not change:
                raise _conflict(other, change, problem)
        for key in _ways(change, catalogue, old=False) if change.new_object else ():
            if key in retracted:
                raise _conflict(change, retracted[key], "one asserts what the other retracts")


def _claims(change: Change, catalogue: Mapping[str, Relation]) -> Iterator[tuple[tuple[str, ...], str]]:
    """What only one change of a request may do, and how to say that two do it."""
    if change.old_object:
        key = min(_ways(change, catalogue, old=True))
        yield ("fact", *key), "both change the same fact"
    if not change.new_object:
        return
    for relation, subject, obj in _ways(change, catalogue, old=False):
        traits = catalogue[relation].traits
        if traits.functional:
            yield ("object", relation, subject), f"{relation} has one object a subject"
        if traits.inverse_functional:
            yield ("subject", relation, obj), f"{relation} has one subject an object"


def _ways(change: Change, catalogue: Mapping[str, Relation], *, old: bool) -> list[Key]:
    """A fact of the change as (relation, subject, object), in every direction in which it can be written."""
    obj = change.old_object if old else change.new_object
    traits = catalogue[change.relation].traits
    ways = [(change.relation, change.subject, obj)]
    if traits.symmetric:
        ways.append((change.relation, obj, change.subject))
    elif traits.inverse_of is not None:
        ways.append((traits.inverse_of, obj, change.subject))
    return ways


def _conflict(first: Change, second: Change, problem: str) -> ConflictingChanges:
    return ConflictingChanges(
        f"two changes contradict each other, {problem}: {_say(first)} and {_say(second)}",
        field="changes",
        value=second.new_object or second.old_object,
        hint="Keep one of the two.",
        metadata={"first": _say(first), "second": _say(second)},
    )


def _say(change: Change) -> str:
    old, new = change.old_object or "(nothing)", change.new_object or "(nothing)"
    return f"{change.subject} {change.relation} {old} -> {new}"
