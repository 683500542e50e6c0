"""Changes of the graph's structure: modes of one request beside changes of facts."""

from __future__ import annotations

from dataclasses import dataclass

from knowledgesmith.v1 import intervention_pb2

from .facts import FactChange


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertEntity:
    """A new entity, in the branch's world only, under its parents and with its first facts (goal EDIT).

    Attributes:
        uid: no entity of the branch's world has it.
        parents: uids, names or aliases, by the hierarchical ``relation``.
        relation: may be empty where the catalogue has one hierarchical relation.
        facts: further facts; they may name the new entity.
    """

    uid: str
    name: str
    type: str = ""
    domain: str = ""
    aliases: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    relation: str = ""
    facts: tuple[FactChange, ...] = ()

    def to_proto(self) -> intervention_pb2.StructuralChange:
        """Write the wire's message."""
        return intervention_pb2.StructuralChange(
            insert_entity=intervention_pb2.InsertEntity(
                uid=self.uid,
                name=self.name,
                type=self.type,
                domain=self.domain,
                aliases=self.aliases,
                parents=self.parents,
                relation=self.relation,
                facts=[fact.to_proto() for fact in self.facts],
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSubtree:
    """An entity, and all that is below it, under another parent (goal EDIT).

    Attributes:
        old_parent: may be empty where the entity has one parent.
        relation: hierarchical; may be empty where it is clear.
    """

    entity: str
    new_parent: str
    old_parent: str = ""
    relation: str = ""

    def to_proto(self) -> intervention_pb2.StructuralChange:
        """Write the wire's message."""
        return intervention_pb2.StructuralChange(
            move_subtree=intervention_pb2.MoveSubtree(
                entity=self.entity, new_parent=self.new_parent, old_parent=self.old_parent, relation=self.relation
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNode:
    """All facts of an entity, with ``subtree`` also those of everything below it (goal UNLEARN)."""

    entity: str
    subtree: bool = False

    def to_proto(self) -> intervention_pb2.StructuralChange:
        """Write the wire's message."""
        return intervention_pb2.StructuralChange(
            delete_node=intervention_pb2.DeleteNode(entity=self.entity, subtree=self.subtree)
        )


StructuralChange = InsertEntity | MoveSubtree | DeleteNode


def structural_from_proto(message: intervention_pb2.StructuralChange) -> StructuralChange:
    """Read the wire's message."""
    if message.HasField("insert_entity"):
        new = message.insert_entity
        return InsertEntity(
            uid=new.uid,
            name=new.name,
            type=new.type,
            domain=new.domain,
            aliases=tuple(new.aliases),
            parents=tuple(new.parents),
            relation=new.relation,
            facts=tuple(FactChange.from_proto(fact) for fact in new.facts),
        )
    if message.HasField("move_subtree"):
        move = message.move_subtree
        return MoveSubtree(
            entity=move.entity, new_parent=move.new_parent, old_parent=move.old_parent, relation=move.relation
        )
    return DeleteNode(entity=message.delete_node.entity, subtree=message.delete_node.subtree)
