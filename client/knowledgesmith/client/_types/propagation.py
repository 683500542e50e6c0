"""Answers of the ledger, each with the Cypher query that gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .enums import EdgeStatus, Level, Role
from .events import BeliefChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate with its 95 % interval; all ``None`` without trials.

    ``chance`` is the rate of a uniform guesser, ``placebo`` that of a run on the same branch that changed nothing.
    """

    successes: int
    trials: int
    value: float | None
    low: float | None
    high: float | None
    chance: float | None
    placebo: float | None = None


NO_RATE: Final = Rate(successes=0, trials=0, value=None, low=None, high=None, chance=None)
"""Of something that was not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedQuery:
    """A Cypher query and its parameters, to be run in any Neo4j tool."""

    cypher: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropagationGroup:
    """Rates of one group's rows of one role.

    ``installed`` and ``erased`` are of targets, whatever the model knew before; ``propagated`` (over the eligible
    probes with a new answer), ``forgotten`` (over those without) and ``residual`` (over those with an old one) of what
    follows; ``collateral`` of what stays. ``ineligible`` counts probes whose old answer the model did not give before.
    """

    key: str
    rows: int
    entities: int
    mean_before: float | None
    mean_after: float | None
    mean_delta: float | None
    propagated: Rate
    residual: Rate
    collateral: Rate
    ineligible: int
    role: Role = Role.UNSPECIFIED
    installed: Rate = NO_RATE
    erased: Rate = NO_RATE
    forgotten: Rate = NO_RATE

    @property
    def rates(self) -> Mapping[str, Rate]:
        """The rates that have trials, by name: those of targets, of what follows, of what stays."""
        names = ("installed", "erased", "propagated", "forgotten", "residual", "collateral")
        found: dict[str, Rate] = {name: getattr(self, name) for name in names}
        return {name: rate for name, rate in found.items() if rate.trials}


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """Groups in order (those of targets, of what follows, of what stays), and the query that produced them.

    ``placebo_intervention_id`` is the run that the rates' ``placebo`` comes from, empty where none was measured on the
    branch; ``withheld`` says why headline rates are left out; ``verdict_scheme`` 1 did not tell targets from what
    follows.
    """

    groups: tuple[PropagationGroup, ...]
    query: PastedQuery
    placebo_intervention_id: str = ""
    withheld: str = ""
    verdict_scheme: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Ledger rows that fit a filter, at most as many as asked for, and the query that found them."""

    changes: tuple[BeliefChange, ...]
    query: PastedQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphNode:
    """An entity with its mean belief before and after; ``target`` marks an endpoint of a target."""

    uid: str
    name: str
    level: Level
    type: str
    domain: str
    hops: int | None
    before: float | None
    after: float | None
    target: bool

    @property
    def delta(self) -> float | None:
        """``after - before``, ``None`` when one of them is missing."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphEdge:
    """A fact between two entities, and what the intervention did to it."""

    source_uid: str
    relation: str
    target_uid: str
    status: EdgeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """The changed entities of an intervention and the facts between them."""

    nodes: tuple[SubgraphNode, ...]
    edges: tuple[SubgraphEdge, ...]
    query: PastedQuery
