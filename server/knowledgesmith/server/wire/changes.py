"""What a request asks for on the wire as domain values: changes of facts and of structure, and gates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.interventions.records import Gate
from knowledgesmith.graph_schema.types.interventions import (
    DeleteNode,
    InsertEntity,
    MoveSubtree,
    NamedChange,
    StructuralChange,
)
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.enums import missing, word_from_wire
from knowledgesmith.v1 import intervention_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

MAX_CHANGES = 10_000
MAX_GATES = 100


def changes_from(items: Sequence[intervention_pb2.FactChange], *, empty: bool = False) -> list[NamedChange]:
    """The changes of a request, texts checked; there may be none (``empty``) where something structural changes.

    Raises:
        InvalidInput: none, an empty subject or relation, or a NUL.
        TooLarge: more than 10,000, or a text over 500 characters.
    """
    if not items and not empty:
        raise InvalidInput("at least one change is required", field="changes", hint="Name a subject and a relation.")
    if len(items) > MAX_CHANGES:
        raise TooLarge(f"more than {MAX_CHANGES} changes", field="changes", value=len(items), hint="Split the batch.")
    return [change_from(item, f"changes[{index}]") for index, item in enumerate(items)]


def change_from(item: intervention_pb2.FactChange, where: str) -> NamedChange:
    """One change of a fact, texts checked; ``where`` names it in messages."""
    texts = {
        name: check_text(getattr(item, name), f"{where}.{name}")
        for name in ("subject", "relation", "old_object", "new_object")
    }
    for name in ("subject", "relation"):
        if not texts[name].strip():
            raise InvalidInput(
                "must not be empty", field=f"{where}.{name}", hint="Name an entity and a relation of the graph."
            )
    return NamedChange(**texts)


def gates_from(items: Sequence[intervention_pb2.Gate]) -> tuple[Gate, ...]:
    """The gates of a request.

    Raises:
        InvalidInput: no metric or an unknown one, no bound, one that is no number, or bounds that nothing keeps.
        TooLarge: more than 100.
    """
    if len(items) > MAX_GATES:
        raise TooLarge(f"more than {MAX_GATES} gates", field="gates", value=len(items), hint="One a metric is enough.")
    return tuple(_gate_from(item, f"gates[{index}]") for index, item in enumerate(items))


def _gate_from(item: intervention_pb2.Gate, where: str) -> Gate:
    metric = word_from_wire(intervention_pb2.GateMetric, item.metric, f"{where}.metric")
    if not metric:
        raise missing(intervention_pb2.GateMetric, f"{where}.metric")
    high = item.max if item.HasField("max") else None
    low = item.min if item.HasField("min") else None
    if high is None and low is None:
        raise InvalidInput("a gate needs a bound", field=where, value=metric, hint="Set max or min.")
    for name, bound in (("max", high), ("min", low)):
        if bound is not None and not math.isfinite(bound):
            raise InvalidInput(
                "not a finite number", field=f"{where}.{name}", value=bound, hint="Leave it out instead."
            )
    if high is not None and low is not None and low > high:
        raise InvalidInput(
            "min is above max, so nothing passes", field=f"{where}.min", value=low, hint=f"Use at most {high:g}."
        )
    return Gate(metric=metric, max=high, min=low)


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
