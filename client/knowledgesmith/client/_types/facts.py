"""Changes of facts, and changes of the graph's structure beside them in one request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """One change by uids, names or aliases.

    Attributes:
        old_object: may be empty where the branch's world has exactly one.
        new_object: empty for an unlearning.
    """

    subject: str
    relation: str
    old_object: str = ""
    new_object: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNode:
    """All facts of an entity, with ``subtree`` also those of everything below it (goal UNLEARN)."""

    entity: str
    subtree: bool = False


StructuralChange = InsertEntity | MoveSubtree | DeleteNode
