"""What a user asks for: goals, target distributions, states and changes (pure values)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Goal(StrEnum):
    """Insert or modify a fact (EDIT), or erase one (UNLEARN)."""

    EDIT = "EDIT"
    UNLEARN = "UNLEARN"


class TargetDistribution(StrEnum):
    """What a method pulls the answer towards (paper: ``q_target``)."""

    NEW_OBJECT = "NEW_OBJECT"
    NEUTRAL_GRAPH = "NEUTRAL_GRAPH"
    NEUTRAL_MASK = "NEUTRAL_MASK"
    UNIFORM = "UNIFORM"
    REFUSAL = "REFUSAL"
    VAGUE = "VAGUE"


class State(StrEnum):
    """Life of an intervention (design: contracts)."""

    QUEUED = "QUEUED"
    PREPARING = "PREPARING"
    RUNNING = "RUNNING"
    AWAITING_DECISION = "AWAITING_DECISION"
    COMMITTING = "COMMITTING"
    SUCCEEDED = "SUCCEEDED"
    DISCARDED = "DISCARDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """Whether nothing follows this state."""
        return self in TERMINAL_STATES


TERMINAL_STATES = frozenset({State.SUCCEEDED, State.DISCARDED, State.FAILED, State.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """One resolved change: the fact (subject, relation, old_object) becomes (subject, relation, new_object).

    All members are uids or relation names. ``old_object`` is empty for an insertion, ``new_object`` for an erasure.
    """

    subject: str
    relation: str
    old_object: str = ""
    new_object: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedChange:
    """A change as the user wrote it: uids, names or aliases, still to be resolved against a graph."""

    subject: str
    relation: str
    old_object: str = ""
    new_object: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertEntity:
    """A new entity in the branch's world, under its parents and with its first facts; all texts still unresolved.

    ``relation`` is the hierarchical relation to the parents; empty where the catalogue has only one.
    """

    uid: str
    name: str
    type: str = ""
    domain: str = ""
    aliases: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    relation: str = ""
    facts: tuple[NamedChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSubtree:
    """An entity, and with it all that is below it, comes under another parent.

    ``old_parent`` may be empty where the entity has one parent, ``relation`` where that is clear.
    """

    entity: str
    new_parent: str
    old_parent: str = ""
    relation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNode:
    """All facts of an entity are erased, with ``subtree`` also those of everything below it."""

    entity: str
    subtree: bool = False


StructuralChange = InsertEntity | MoveSubtree | DeleteNode
"""A change of the graph's structure; it stands for changes of facts."""
