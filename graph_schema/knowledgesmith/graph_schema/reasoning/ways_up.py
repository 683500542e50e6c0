"""Ways up a hierarchy: why one entity lies below another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from knowledgesmith.graph_schema.reasoning.after_world import ClosedWorld

_SHOWN: Final = 12
"""Entities of a way that are named; of a longer one its two ends."""


def way_up(world: ClosedWorld, *, hierarchical: Iterable[str], start: str, end: str) -> list[str]:
    """A shortest way from an entity over its parents to another, both ends included; empty where there is none.

    Args:
        world: whose asserted facts are followed.
        hierarchical: relations that lead from the child to its parent.
        start: the lower entity.
        end: the upper one.
    """
    names = sorted(hierarchical)
    child_of: dict[str, str] = {start: ""}
    todo = [start]
    for uid in todo:  # grows as it is read: breadth first
        if uid == end:
            break
        above = {held.triple[2] for name in names for held in world.objects(uid, name) if not held.derived}
        fresh = sorted(above - child_of.keys())
        child_of.update(dict.fromkeys(fresh, uid))
        todo += fresh
    way: list[str] = []
    current = end if end in child_of else ""
    while current:
        way.append(current)
        current = child_of[current]
    return way[::-1]


def in_words(names: Sequence[str]) -> str:
    """A way as a line of names."""
    half = _SHOWN // 2
    return " → ".join(names if len(names) <= _SHOWN else [*names[:half], "…", *names[-half:]])
