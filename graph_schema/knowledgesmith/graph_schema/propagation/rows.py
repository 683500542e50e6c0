"""Ledger rows and their sums: by group, by filter, and as a subgraph."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.interventions.ledger import LedgerRow, parse_row
from knowledgesmith.graph_schema.propagation.counts import GUESSED, Counts
from knowledgesmith.graph_schema.propagation.query_text import Pasteable, pasteable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.graph_schema.storage.store import GraphStore, Row


class Grouping(StrEnum):
    """How to group ledger rows; the value ends the query's name ``propagation/by_<value>``."""

    HOP = "hop"
    LEVEL = "level"
    KIND = "kind"
    RELATION = "relation"
    DOMAIN = "domain"
    ALL = "all"
    ROLE = "role"


class ChangeFilter(StrEnum):
    """Which ledger rows; the value ends the query's name ``propagation/<value>``."""

    CHANGES = "changes"
    TOP = "top"
    COLLATERAL = "collateral"
    RESIDUAL = "residual"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Counts):
    """Sums of one group's rows of one role; ``role`` is empty for the verdicts' first scheme."""

    key: str
    role: str
    rows: int
    entities: int
    mean_before: float | None
    mean_after: float | None
    mean_delta: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An entity of the propagation subgraph."""

    uid: str
    name: str
    level: str
    type: str
    domain: str
    hops: int | None
    before: float | None
    after: float | None
    target: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An asserted fact between two entities of the propagation subgraph."""

    source: str
    rel_type: str
    target: str
    fact_id: str


def groups(store: GraphStore, intervention_id: str, grouping: Grouping) -> tuple[list[Group], Pasteable]:
    """Verdict counts, chance levels and mean beliefs by group and role: targets first, then what follows and stays."""
    name = f"propagation/by_{grouping.value}"
    guessed = chances(store, [intervention_id], by=grouping.value)
    found: list[Group] = []
    for row in store.read(name, id=intervention_id):
        values: Row = {**row, **guessed.get((intervention_id, row["key"] or "", row["role"]), {})}
        found.append(Group(**values))
    return found, pasteable(name, id=intervention_id)


def chances(
    store: GraphStore, ids: Sequence[str], *, by: str, entity: str = "", relation: str = "", kind: str = ""
) -> dict[tuple[str, str, str], dict[str, float]]:
    """What choosing at random would give, by intervention, key of the grouping ``by``, and role."""
    params = {"ids": list(ids), "by": by, "entity": entity, "relation": relation, "kind": kind}
    return {
        (row["intervention"], row["key"] or "", row["role"]): {name: row[name] for name in GUESSED}
        for row in store.read("propagation/chances", **params)
    }


def changes(
    store: GraphStore, intervention_id: str, which: ChangeFilter, *, skip: int, limit: int
) -> tuple[list[LedgerRow], Pasteable]:
    """Ledger rows that fit a question, in the query's order."""
    name = f"propagation/{which.value}"
    params = {"id": intervention_id, "skip": skip, "limit": limit}
    return [parse_row(row) for row in store.read(name, **params)], pasteable(name, **params)


def subgraph(
    store: GraphStore, intervention_id: str, graph_id: str, *, limit: int
) -> tuple[list[Node], list[Edge], Pasteable]:
    """The most changed entities and the facts between them."""
    nodes = [Node(**row) for row in store.read("propagation/subgraph_nodes", id=intervention_id, limit=limit)]
    uids = [node.uid for node in nodes]
    edges = [Edge(**row) for row in store.read("propagation/subgraph_edges", graph_id=graph_id, uids=uids)]
    return nodes, edges, pasteable("propagation/subgraph_nodes", id=intervention_id, limit=limit)
