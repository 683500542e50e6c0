"""Structural changes as changes of facts: insert an entity, move a subtree, delete a node.

The base graph stays as it is. An inserted entity is a node that is retired there and lives only in the worlds of the
branches whose interventions inserted it; everything else is asserted and retracted facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from knowledgesmith.graph_schema.errors import AlreadyExists, FactNotFound, InvalidInput, TooLarge
from knowledgesmith.graph_schema.graphs.own_uids import asked_uid, asked_uids, entity_of
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot
from knowledgesmith.graph_schema.language.text_checks import MAX_NAME, problem_with, problem_with_name
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.reasoning.ways_up import in_words, way_up
from knowledgesmith.graph_schema.reasoning.world_index import Held, WorldIndex
from knowledgesmith.graph_schema.types.facts import Entity, Level, Relation
from knowledgesmith.graph_schema.types.interventions import (
    DeleteNode,
    Goal,
    InsertEntity,
    MoveSubtree,
    NamedChange,
    StructuralChange,
)
from knowledgesmith.graph_schema.worlds.resolving import find_relation

MAX_CHANGES: Final = 10_000
Resolve = Callable[[str, str], str]
"""(text, field) to the uid that the text names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """The changes of facts that structural changes stand for, and the entities that they insert."""

    changes: tuple[NamedChange, ...] = ()
    entities: tuple[Entity, ...] = ()


def expand(world: WorldIndex, items: Sequence[StructuralChange], *, goal: Goal, resolve: Resolve) -> Expanded:
    """Structural changes as changes of facts in a branch's world.

    Args:
        world: the closed world of the branch.
        items: what is asked, in the user's order.
        goal: insertions and moves are edits, deletions unlearning.
        resolve: finds what a text names; entities inserted by the same request need not be known to it.

    Raises:
        InvalidInput: the goal does not fit, a parent is missing or one of several, a text is malformed, or an entity
            would come below itself.
        AlreadyExists: the branch's world, or the same request, has an entity of the uid already.
        RelationNotFound: the catalogue lacks a relation.
        FactNotFound: a node to delete has no facts.
        TooLarge: more than 10,000 changes.
    """
    inserted = _inserted(items)
    asked = asked_uids(entity_of(item) for item in inserted.values())

    def find(text: str, field: str) -> str:
        if text in inserted or text in asked:
            return asked.get(text, text)
        named = [uid for uid, item in inserted.items() if item.name == text]
        return named[0] if len(named) == 1 else resolve(text, field)

    expansion = _Expansion(world=world, goal=goal, find=find)
    changes = [change for n, item in enumerate(items) for change in expansion.of(item, f"structural[{n}]")]
    if len(changes) > MAX_CHANGES:
        raise TooLarge(
            f"more than {MAX_CHANGES} facts would change",
            field="structural",
            value=len(changes),
            hint="Take a smaller subtree, or split the request.",
        )
    return Expanded(
        changes=tuple(dict.fromkeys(changes)),
        entities=tuple(entity_of(item) for _, item in sorted(inserted.items())),
    )


def _inserted(items: Sequence[StructuralChange]) -> dict[str, InsertEntity]:
    """New entities by uid; each is inserted once."""
    found: dict[str, InsertEntity] = {}
    for n, item in enumerate(items):
        if isinstance(item, InsertEntity) and found.setdefault(asked_uid(entity_of(item)), item) is not item:
            raise AlreadyExists(
                "the request inserts two entities of this uid",
                field=f"structural[{n}].uid",
                value=asked_uid(entity_of(item)),
                hint="Name all parents and facts of an entity in one insertion.",
            )
    return {item.uid: item for item in found.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expansion:
    world: WorldIndex
    goal: Goal
    find: Resolve

    @property
    def catalogue(self) -> Mapping[str, Relation]:
        return self.world.lexicon.relations

    @property
    def hierarchical(self) -> list[str]:
        return [name for name, relation in self.catalogue.items() if relation.traits.hierarchical]

    def of(self, item: StructuralChange, field: str) -> Iterable[NamedChange]:
        wanted = Goal.UNLEARN if isinstance(item, DeleteNode) else Goal.EDIT
        if self.goal is not wanted:
            raise InvalidInput(
                "the goal does not fit this structural change",
                field="goal",
                value=self.goal.value,
                hint=f"Use the goal {wanted.value}: insertions and moves are edits, deletions are unlearning.",
            )
        if isinstance(item, InsertEntity):
            return self.insert(item, field)
        return self.move(item, field) if isinstance(item, MoveSubtree) else self.delete(item, field)

    def insert(self, item: InsertEntity, field: str) -> list[NamedChange]:
        _check_texts(item, field)
        asked = asked_uid(entity_of(item))
        if {item.uid, asked} & self.world.lexicon.index.keys() or asked in self.world.asked:
            raise AlreadyExists(
                "the branch's world has an entity of this uid",
                field=f"{field}.uid",
                value=asked,
                hint="Choose another uid, or change the facts of that entity.",
            )
        if not item.parents and not item.facts:
            raise InvalidInput(
                "a new entity needs a parent or a fact", field=f"{field}.parents", hint="Name at least one."
            )
        above = self.relation(item.relation, f"{field}.relation", needed=bool(item.parents))
        parents = [self.find(parent, f"{field}.parents[{n}]") for n, parent in enumerate(item.parents)]
        changes = [NamedChange(subject=item.uid, relation=above, new_object=parent) for parent in parents]
        for n, fact in enumerate(item.facts):
            where = f"{field}.facts[{n}]"
            ends = {
                name: self.find(text, f"{where}.{name}") if text else ""
                for name, text in (("subject", fact.subject), ("new_object", fact.new_object))
            }
            old = self.find(fact.old_object, f"{where}.old_object") if fact.old_object else ""
            changes.append(NamedChange(relation=fact.relation, old_object=old, **ends))
        return changes

    def move(self, item: MoveSubtree, field: str) -> list[NamedChange]:
        entity = self.find(item.entity, f"{field}.entity")
        parent = self.find(item.new_parent, f"{field}.new_parent")
        names = [self.relation(item.relation, f"{field}.relation", needed=True)] if item.relation else self.hierarchical
        above = [t for name in names for t in self.asserted(self.world.objects(entity, name))]
        if item.old_parent:
            old = self.find(item.old_parent, f"{field}.old_parent")
            above = [triple for triple in above if triple[2] == old]
            if not above:
                raise FactNotFound(
                    "the entity is not under this parent",
                    field=f"{field}.old_parent",
                    value=item.old_parent,
                    hint="Leave it out where the entity has one parent.",
                )
        if len(above) > 1:
            raise InvalidInput(
                f"the entity has {len(above)} parents",
                field=f"{field}.old_parent",
                value=item.entity,
                hint=f"Name one of {', '.join(f'{t[2]} ({t[1]})' for t in above[:10])}.",
            )
        relation = above[0][1] if above else self.relation(item.relation, f"{field}.relation", needed=True)
        way = way_up(self.world, hierarchical=self.hierarchical, start=parent, end=entity)
        if way:
            names = [self.world.lexicon.entity(uid).name for uid in way]
            below = f"{names[0]} lies below {names[-1]} already, {in_words(names)}" if way[1:] else "it is that parent"
            raise InvalidInput(
                f"a subtree cannot come below itself: {below}",
                field=f"{field}.new_parent",
                value=item.new_parent,
                hint="Choose a parent outside the subtree, or move what lies on this way first.",
                metadata={"path": " ".join(way)},
            )
        old = above[0][2] if above else ""
        return [NamedChange(subject=entity, relation=relation, old_object=old, new_object=parent)]

    def delete(self, item: DeleteNode, field: str) -> list[NamedChange]:
        entity = self.find(item.entity, f"{field}.entity")
        nodes = self.below([entity]) if item.subtree else {entity}
        facts = {
            triple
            for uid in nodes
            for triple in self.asserted([*self.world.out(uid), *self.world.into(uid)])
            if triple[0] != triple[2]
        }
        if not facts:
            raise FactNotFound(
                "the branch's world asserts nothing about this entity",
                field=f"{field}.entity",
                value=item.entity,
                hint="It may have been deleted on this branch already.",
            )
        return [NamedChange(subject=s, relation=r, old_object=o) for s, r, o in sorted(facts)]

    def relation(self, text: str, field: str, *, needed: bool) -> str:
        """The hierarchical relation of this name, or the only one."""
        if text:
            found = find_relation(self.catalogue, text, field=field)
            if not found.traits.hierarchical:
                raise InvalidInput(
                    "the relation is not hierarchical",
                    field=field,
                    value=text,
                    hint=f"Hierarchical: {', '.join(self.hierarchical[:10])}.",
                )
            return found.name
        if needed and len(self.hierarchical) != 1:
            raise InvalidInput(
                f"the catalogue has {len(self.hierarchical)} hierarchical relations",
                field=field,
                hint=f"Name one of {', '.join(self.hierarchical[:10])}." if self.hierarchical else "Declare one.",
            )
        return self.hierarchical[0] if needed else ""

    def below(self, roots: Iterable[str]) -> set[str]:
        """The entities with everything under them by asserted hierarchical facts."""
        found = set(roots)
        todo = sorted(found)
        while todo:
            uid = todo.pop()
            children = {t[0] for name in self.hierarchical for t in self.asserted(self.world.subjects(name, uid))}
            todo += sorted(children - found)
            found |= children
        return found

    @staticmethod
    def asserted(facts: Iterable[Held]) -> list[Triple]:
        """Triples of the asserted ones."""
        return [held.triple for held in facts if not held.derived]


def _check_texts(item: InsertEntity, field: str) -> None:
    texts = {"uid": item.uid, "name": item.name, "type": item.type, "domain": item.domain}
    texts |= {f"aliases[{n}]": alias for n, alias in enumerate(item.aliases)}
    for name, text in texts.items():
        check = problem_with if name in {"type", "domain"} else problem_with_name
        if problem := check(text, limit=MAX_NAME, empty=check is problem_with):
            raise InvalidInput(f"the text {problem}", field=f"{field}.{name}", value=text, hint="Give a short text.")


def revive(snapshot: GraphSnapshot, entities: Iterable[Entity]) -> GraphSnapshot:
    """The snapshot with inserted entities among the living ones."""
    new = {entity.uid: entity for entity in entities if entity.uid not in snapshot.entities}
    return replace(
        snapshot,
        entities=dict(sorted({**snapshot.entities, **new}.items())),
        levels={**snapshot.levels, **dict.fromkeys(new, Level.LEAF)},
    )
