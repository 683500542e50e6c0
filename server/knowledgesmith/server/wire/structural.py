"""Structural changes on the wire as domain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.types.interventions import DeleteNode, InsertEntity, MoveSubtree, StructuralChange
from knowledgesmith.server.wire.conversions import MAX_CHANGES, change_from, check_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from knowledgesmith.v1 import intervention_pb2


def structural_from(items: Sequence[intervention_pb2.StructuralChange]) -> list[StructuralChange]:
    """The structural changes of a request, texts checked.

    Raises:
        InvalidInput: a change is not set, an entity is not named, or a NUL.
        TooLarge: more than 10,000, or a text over 500 characters.
    """
    if len(items) > MAX_CHANGES:
        raise TooLarge(
            f"more than {MAX_CHANGES} changes", field="structural", value=len(items), hint="Split the batch."
        )
    return [_structural_from(item, f"structural[{index}]") for index, item in enumerate(items)]


def _structural_from(item: intervention_pb2.StructuralChange, where: str) -> StructuralChange:
    def text(message: Message, name: str, *, needed: bool = False) -> str:
        value = check_text(getattr(message, name), f"{where}.{name}")
        if needed and not value.strip():
            raise InvalidInput("must not be empty", field=f"{where}.{name}", hint="Name an entity.")
        return value

    def texts(message: Message, name: str) -> tuple[str, ...]:
        return tuple(check_text(t, f"{where}.{name}[{n}]") for n, t in enumerate(getattr(message, name)))

    kind = item.WhichOneof("change")
    if kind == "insert_entity":
        new = item.insert_entity
        facts = [change_from(fact, f"{where}.facts[{n}]") for n, fact in enumerate(new.facts)]
        return InsertEntity(
            uid=text(new, "uid", needed=True),
            name=text(new, "name", needed=True),
            type=text(new, "type"),
            domain=text(new, "domain"),
            aliases=texts(new, "aliases"),
            parents=texts(new, "parents"),
            relation=text(new, "relation"),
            facts=tuple(facts),
        )
    if kind == "move_subtree":
        move = item.move_subtree
        return MoveSubtree(
            entity=text(move, "entity", needed=True),
            new_parent=text(move, "new_parent", needed=True),
            old_parent=text(move, "old_parent"),
            relation=text(move, "relation"),
        )
    if kind == "delete_node":
        node = item.delete_node
        return DeleteNode(entity=text(node, "entity", needed=True), subtree=node.subtree)
    raise InvalidInput("no change is set", field=where, hint="Set one of insert_entity, move_subtree and delete_node.")
