"""Ledger rows and their sums: by group, by filter, and as a subgraph."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.ledger import LedgerRow, parse_row
from knowledgesmith.graph_schema.propagation.pasteable import Pasteable, pasteable

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.store import GraphStore


class Grouping(StrEnum):
    """How to group ledger rows; the value ends the query's name ``propagation/by_<value>``."""

    HOP = "hop"
    LEVEL = "level"
    KIND = "kind"
    RELATION = "relation"
    DOMAIN = "domain"
    ALL = "all"


class ChangeFilter(StrEnum):
    """Which ledger rows; the value ends the query's name ``propagation/<value>``."""

    CHANGES = "changes"
    TOP = "top"
    COLLATERAL = "collateral"
    RESIDUAL = "residual"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Sums of one group; rates are derived from the verdict counts (design: belief, verdict, metrics).

    ``no_old`` are those of the eligible probes whose answer should change that had no answer in the old world: the rows
    without a belief before.
    """

    key: str
    rows: int
    entities: int
    mean_before: float | None
    mean_after: float | None
    mean_delta: float | None
    propagated: int
    missed: int
    drifted: int
    preserved: int
    collateral: int
    ineligible: int
    no_old: int

    @property
    def eligible_change(self) -> int:
        """Eligible probes whose answer should change."""
        return self.propagated + self.missed + self.drifted

    @property
    def eligible_old(self) -> int:
        """Those of them that have an old answer, which can be retained."""
        return self.eligible_change - self.no_old

    @property
    def eligible_stay(self) -> int:
        """Eligible probes whose answer should stay."""
        return self.preserved + self.collateral


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
    """Verdict counts and mean beliefs by group."""
    name = f"propagation/by_{grouping.value}"
    found = [Group(**row) for row in store.read(name, id=intervention_id)]
    return found, pasteable(name, id=intervention_id)


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
