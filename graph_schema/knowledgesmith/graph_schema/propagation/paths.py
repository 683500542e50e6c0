"""How a change travelled over the facts of the graph, and where it stopped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.propagation.query_text import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.storage.store import GraphStore, Row

DEFAULT_THRESHOLD: Final = 0.1
MAX_MOVERS: Final = 500
"""Entities that paths are followed through, largest change first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One asserted fact of a path; ``forward`` when it points along the path. ``delta`` is the reached entity's."""

    relation: str
    forward: bool
    entity: str
    name: str
    delta: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """From ``target`` (an endpoint of a changed fact) through entities that all moved."""

    target: str
    target_name: str
    steps: tuple[Step, ...]

    @property
    def delta(self) -> float | None:
        """Change of the entity at the end."""
        return self.steps[-1].delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An entity that was measured, did not move, and has ``neighbours`` that did (``names`` are five of them)."""

    entity: str
    name: str
    level: str
    hops: int | None
    moved: float
    neighbours: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """Paths and stops with the queries that found them."""

    paths: tuple[Path, ...]
    stops: tuple[Stop, ...]
    paths_query: Pasteable
    stops_query: Pasteable


def check_threshold(threshold: float) -> float:
    """A change of probability that counts as moved.

    Raises:
        InvalidInput: not in (0, 1].
    """
    if not math.isfinite(threshold) or not 0 < threshold <= 1:
        raise InvalidInput(
            "a threshold is a change of probability", field="threshold", value=threshold, hint="Above 0, at most 1."
        )
    return threshold


def travel(store: GraphStore, intervention_id: str, *, threshold: float = DEFAULT_THRESHOLD, limit: int = 50) -> Travel:
    """Paths of at most six facts and the entities just beyond them, at most ``limit`` of each.

    Args:
        store: the database.
        intervention_id: the run.
        threshold: an entity moved when a belief about it changed by at least this much, in (0, 1].
        limit: most paths and most stops.

    Raises:
        InvalidInput: the threshold is no share.
    """
    check_threshold(threshold)
    followed = {"id": intervention_id, "threshold": threshold, "movers": MAX_MOVERS, "limit": limit}
    stopped = {"id": intervention_id, "threshold": threshold, "limit": limit}
    return Travel(
        paths=tuple(_path(row) for row in store.read("propagation/paths", **followed)),
        stops=tuple(_stop(row) for row in store.read("propagation/stops", **stopped)),
        paths_query=pasteable("propagation/paths", **followed),
        stops_query=pasteable("propagation/stops", **stopped),
    )


def _path(row: Row) -> Path:
    places = list(zip(row["uids"], row["names"], row["deltas"], strict=True))
    facts = zip(row["relations"], row["forward"], strict=True)
    steps = [
        Step(relation=relation, forward=forward, entity=uid, name=name, delta=delta)
        for (relation, forward), (_, (uid, name, delta)) in zip(facts, pairwise(places), strict=True)
    ]
    return Path(target=row["target"], target_name=row["names"][0], steps=tuple(steps))


def _stop(row: Row) -> Stop:
    values: Row = {**row, "names": tuple(row["names"])}
    return Stop(**values)
