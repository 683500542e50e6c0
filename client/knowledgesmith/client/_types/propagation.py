"""Answers of the ledger, each with the Cypher query that gave it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from knowledgesmith.v1 import common_pb2, propagation_pb2

from .enums import Role, read_role
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

    @classmethod
    def from_proto(cls, message: common_pb2.Rate) -> Self:
        """Read the wire's message."""
        return cls(
            successes=message.successes,
            trials=message.trials,
            value=message.value if message.HasField("value") else None,
            low=message.low if message.HasField("low") else None,
            high=message.high if message.HasField("high") else None,
            chance=message.chance if message.HasField("chance") else None,
            placebo=message.placebo if message.HasField("placebo") else None,
        )


NO_RATE: Final = Rate(successes=0, trials=0, value=None, low=None, high=None, chance=None)
"""Of something that was not tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A Cypher query and its parameters, to be run in any Neo4j tool."""

    cypher: str
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, cypher: str, parameters_json: str) -> Self:
        """Read the wire's two strings."""
        return cls(cypher=cypher, parameters=json.loads(parameters_json or "{}"))


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

    @classmethod
    def from_proto(cls, message: propagation_pb2.PropagationGroup) -> Self:
        """Read the wire's message."""
        return cls(
            key=message.key,
            rows=message.rows,
            entities=message.entities,
            mean_before=message.mean_before if message.HasField("mean_before") else None,
            mean_after=message.mean_after if message.HasField("mean_after") else None,
            mean_delta=message.mean_delta if message.HasField("mean_delta") else None,
            propagated=Rate.from_proto(message.propagated),
            residual=Rate.from_proto(message.residual),
            collateral=Rate.from_proto(message.collateral),
            ineligible=message.ineligible,
            role=read_role(message.role),
            installed=Rate.from_proto(message.installed),
            erased=Rate.from_proto(message.erased),
            forgotten=Rate.from_proto(message.forgotten),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """Groups in order (those of targets, of what follows, of what stays), and the query that produced them.

    ``placebo_id`` is the run that the rates' ``placebo`` comes from, empty where none was measured on the branch;
    ``withheld`` says why headline rates are left out; ``verdict_scheme`` 1 did not tell targets from what follows.
    """

    groups: tuple[PropagationGroup, ...]
    query: Query
    placebo_id: str = ""
    withheld: str = ""
    verdict_scheme: int = 2

    @classmethod
    def from_proto(cls, message: propagation_pb2.GetPropagationResponse) -> Self:
        """Read the wire's message."""
        return cls(
            groups=tuple(PropagationGroup.from_proto(group) for group in message.groups),
            query=Query.of(message.cypher, message.parameters_json),
            placebo_id=message.placebo_id,
            withheld=message.withheld,
            verdict_scheme=message.verdict_scheme or 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Ledger rows that fit a filter, at most as many as asked for, and the query that found them."""

    changes: tuple[BeliefChange, ...]
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphNode:
    """An entity with its mean belief before and after; ``target`` marks an endpoint of a target."""

    uid: str
    name: str
    level: str
    type: str
    domain: str
    hops: int | None
    before: float | None
    after: float | None
    target: bool

    @classmethod
    def from_proto(cls, message: propagation_pb2.SubgraphNode) -> Self:
        """Read the wire's message."""
        return cls(
            uid=message.uid,
            name=message.name,
            level=message.level,
            type=message.type,
            domain=message.domain,
            hops=message.hops if message.HasField("hops") else None,
            before=message.before if message.HasField("before") else None,
            after=message.after if message.HasField("after") else None,
            target=message.target,
        )

    @property
    def delta(self) -> float | None:
        """``after - before``, ``None`` when one of them is missing."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphEdge:
    """A fact from ``source`` to ``target`` (uids); ``status`` is asserted, retracted or added."""

    source: str
    relation: str
    target: str
    status: str

    @classmethod
    def from_proto(cls, message: propagation_pb2.SubgraphEdge) -> Self:
        """Read the wire's message."""
        return cls(source=message.source, relation=message.relation, target=message.target, status=message.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """The changed entities of an intervention and the facts between them."""

    nodes: tuple[SubgraphNode, ...]
    edges: tuple[SubgraphEdge, ...]
    query: Query

    @classmethod
    def from_proto(cls, message: propagation_pb2.GetSubgraphResponse) -> Self:
        """Read the wire's message."""
        return cls(
            nodes=tuple(SubgraphNode.from_proto(node) for node in message.nodes),
            edges=tuple(SubgraphEdge.from_proto(edge) for edge in message.edges),
            query=Query.of(message.cypher, message.parameters_json),
        )
