"""What a request means in the world of a branch: the base graph with the branch's overlay applied in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.graphs.own_uids import with_own_uids
from knowledgesmith.graph_schema.worlds.resolving import resolve_changes, resolve_entity
from knowledgesmith.graph_schema.worlds.structural import expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.facts import Entity, Relation
    from knowledgesmith.graph_schema.types.interventions import Change, Goal, NamedChange, StructuralChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The facts that a request changes, and the entities that it inserts."""

    changes: tuple[Change, ...]
    entities: tuple[Entity, ...] = ()


def asserted_objects(world: WorldIndex, subject: str, relation: str) -> set[str]:
    """Objects that a world asserts for a subject and a relation, either way round.

    Facts that only follow by chains or transitivity are not included (``following_objects``).
    """
    catalogue = world.lexicon.relations
    ahead = {held.triple[2] for held in world.objects(subject, relation) if not held.derived}
    return ahead | {
        held.triple[0]
        for other in _reversals(catalogue, catalogue[relation])
        for held in world.subjects(other, subject)
        if not held.derived
    }


def following_objects(world: WorldIndex, subject: str, relation: str) -> set[str]:
    """Objects of a subject and a relation that a world derives and does not assert; they go with their supports."""
    derived = {held.triple[2] for held in world.objects(subject, relation) if held.derived}
    return derived - asserted_objects(world, subject, relation)


def _reversals(catalogue: Mapping[str, Relation], relation: Relation) -> set[str]:
    """Relations whose facts, read backwards, are facts of ``relation``."""
    names = {name for name, other in catalogue.items() if other.traits.inverse_of == relation.name}
    names |= {relation.traits.inverse_of} if relation.traits.inverse_of else set()
    names |= {relation.name} if relation.traits.symmetric else set()
    return names


def resolve_in_world(
    store: GraphStore,
    world: WorldIndex,
    changes: Sequence[NamedChange],
    *,
    goal: Goal,
    structural: Sequence[StructuralChange] = (),
) -> Resolved:
    """Resolve names and structural changes, and the objects that hold now, against a branch's world.

    Args:
        store: the database, for names that are not clear.
        world: the closed world of the branch, with the entities that it inserted.
        changes: changes of facts; a structural change stands for more of them.
        goal: what is asked for.
        structural: structural changes.

    Raises:
        EntityNotFound, AmbiguousName, RelationNotFound, FactNotFound, ConflictingChanges, InvalidInput:
            see :func:`knowledgesmith.graph_schema.worlds.resolving.resolve_changes`.
        AlreadyExists, TooLarge: see :func:`knowledgesmith.graph_schema.worlds.structural.expand`.
    """

    def find(text: str, field: str) -> str:
        return _clear(world, text) or resolve_entity(store, world.graph_id, text, field=field)

    items = with_own_uids(store, world.graph_id, structural, known=world.lexicon.index)
    expanded = expand(world, items, goal=goal, resolve=find)
    here = world.with_entities(expanded.entities)
    resolved = resolve_changes(
        store,
        world.graph_id,
        [*changes, *expanded.changes],
        goal=goal,
        objects_of=lambda subject, relation: asserted_objects(here, subject, relation),
        following=lambda subject, relation: following_objects(here, subject, relation),
        known=lambda text: _clear(here, text),
        catalogue=here.lexicon.relations,
    )
    return Resolved(changes=resolved, entities=expanded.entities)


def _clear(world: WorldIndex, text: str) -> str:
    """The uid that a text names by itself: a uid, or the name of one entity; empty where neither."""
    if text in world.lexicon:
        return text
    if text in world.asked:
        return world.asked[text]
    named = world.lexicon.by_name.get(text, ())
    return named[0] if len(named) == 1 else ""
