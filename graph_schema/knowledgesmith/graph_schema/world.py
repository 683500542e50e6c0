"""The world of a branch: the base graph with the branch's overlay applied in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.graphs import load_catalogue
from knowledgesmith.graph_schema.plan_types import WorldChange, WorldOp
from knowledgesmith.graph_schema.resolve import resolve_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.facts import Relation
    from knowledgesmith.graph_schema.interventions import Change, Goal, NamedChange
    from knowledgesmith.graph_schema.store import GraphStore


def _reversals(catalogue: Mapping[str, Relation], relation: Relation) -> dict[str, str]:
    """Relations (name to type) whose facts, read backwards, are facts of ``relation``."""
    names = {name for name, other in catalogue.items() if other.traits.inverse_of == relation.name}
    names |= {relation.traits.inverse_of} if relation.traits.inverse_of else set()
    names |= {relation.name} if relation.traits.symmetric else set()
    return {name: catalogue[name].rel_type for name in names}


def objects_in_world(
    store: GraphStore,
    graph_id: str,
    catalogue: Mapping[str, Relation],
    subject: str,
    relation: str,
    overlay: Sequence[WorldChange],
) -> set[str]:
    """Objects that the branch's world asserts for a subject and a relation, either way round.

    Facts that only follow by chains or transitivity are not included: they cannot be changed by themselves.
    """
    entry = catalogue[relation]
    reversed_ = _reversals(catalogue, entry)
    rows = store.read(
        "graph/objects_of",
        graph_id=graph_id,
        subject=subject,
        rel_type=entry.rel_type,
        reversed_types=sorted(reversed_.values()),
    )
    objects = {str(row["uid"]) for row in rows}
    for change in overlay:
        if (change.subject, change.relation) == (subject, relation):
            other = change.object
        elif change.object == subject and change.relation in reversed_:
            other = change.subject
        else:
            continue
        if change.op is WorldOp.ASSERT:
            objects.add(other)
        else:
            objects.discard(other)
    return objects


def resolve_in_world(
    store: GraphStore,
    graph_id: str,
    changes: Sequence[NamedChange],
    *,
    goal: Goal,
    overlay: Sequence[WorldChange],
) -> tuple[Change, ...]:
    """Resolve names against the graph, and the objects that hold now against the branch's world.

    Raises:
        EntityNotFound, AmbiguousName, RelationNotFound, FactNotFound, ConflictingChanges, InvalidInput:
            see :func:`knowledgesmith.graph_schema.resolve.resolve_changes`.
    """
    catalogue = load_catalogue(store, graph_id)

    def objects_of(subject: str, relation: str) -> set[str]:
        return objects_in_world(store, graph_id, catalogue, subject, relation, overlay)

    return resolve_changes(store, graph_id, changes, goal=goal, objects_of=objects_of)
