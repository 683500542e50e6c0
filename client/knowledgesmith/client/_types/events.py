"""What a watch yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from knowledgesmith.v1 import intervention_pb2

from .enums import Polarity, ProbeKind, Role, read_kind, read_polarity, read_role
from .interventions import Intervention


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefChange:
    """One ledger row.

    Attributes:
        before: mean probability of the old world's answer, in [0, 1]; ``None`` where that world has none.
        new_before: the same for the new world's answer; ``after`` and ``new_after`` follow the intervention.
        delta: ``after - before``.
        hops: distance from the nearest target; ``None`` when unreachable.
        role: what the row asks about; part of its key.
        n_propagated: verdict counts over the row's probes, like the other ``n_`` members.
    """

    seq: int
    entity: str
    name: str
    level: str
    kind: ProbeKind
    polarity: Polarity
    fact_id: str
    relation: str
    before: float | None
    after: float | None
    new_before: float | None
    new_after: float | None
    delta: float | None
    hops: int | None
    nearest_target: str
    n_propagated: int
    n_missed: int
    n_drifted: int
    n_preserved: int
    n_collateral: int
    n_ineligible: int
    role: Role = Role.UNSPECIFIED
    n_forgotten: int = 0
    n_installed: int = 0
    n_not_installed: int = 0
    n_erased: int = 0
    n_not_erased: int = 0

    @classmethod
    def from_proto(cls, message: intervention_pb2.BeliefChange) -> Self:
        """Read the wire's message."""
        return cls(
            seq=message.seq,
            entity=message.entity,
            name=message.name,
            level=message.level,
            kind=read_kind(message.kind),
            polarity=read_polarity(message.polarity),
            fact_id=message.fact_id,
            relation=message.relation,
            before=message.before if message.HasField("before") else None,
            after=message.after if message.HasField("after") else None,
            new_before=message.new_before if message.HasField("new_before") else None,
            new_after=message.new_after if message.HasField("new_after") else None,
            delta=message.delta if message.HasField("delta") else None,
            hops=message.hops if message.HasField("hops") else None,
            nearest_target=message.nearest_target,
            n_propagated=message.n_propagated,
            n_missed=message.n_missed,
            n_drifted=message.n_drifted,
            n_preserved=message.n_preserved,
            n_collateral=message.n_collateral,
            n_ineligible=message.n_ineligible,
            role=read_role(message.role),
            n_forgotten=message.n_forgotten,
            n_installed=message.n_installed,
            n_not_installed=message.n_not_installed,
            n_erased=message.n_erased,
            n_not_erased=message.n_not_erased,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The intervention as it is now: the first event of every connection, and whenever it changes."""

    intervention: Intervention


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Steps done within a phase; ``total`` 0 = unknown."""

    phase: str
    done: int
    total: int

    @classmethod
    def from_proto(cls, message: intervention_pb2.ProgressEvent) -> Self:
        """Read the wire's message."""
        return cls(phase=message.phase, done=message.done, total=message.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefBatch:
    """Ledger rows ``first_sequence`` to ``last_sequence``, consecutive and never repeated within one watch."""

    first_sequence: int
    last_sequence: int
    changes: tuple[BeliefChange, ...]

    @classmethod
    def from_proto(cls, message: intervention_pb2.BeliefBatch) -> Self:
        """Read the wire's message."""
        return cls(
            first_sequence=message.first_sequence,
            last_sequence=message.last_sequence,
            changes=tuple(BeliefChange.from_proto(change) for change in message.changes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing new; rows up to ``committed_sequence`` are committed."""

    committed_sequence: int

    @classmethod
    def from_proto(cls, message: intervention_pb2.Heartbeat) -> Self:
        """Read the wire's message."""
        return cls(committed_sequence=message.committed_sequence)


WatchEvent = StateChanged | Progress | BeliefBatch | Heartbeat


def read_event(message: intervention_pb2.WatchInterventionResponse) -> WatchEvent | None:
    """The event of one message; ``None`` for a kind that this release does not know."""
    match message.WhichOneof("event"):
        case "state":
            return StateChanged(intervention=Intervention.from_proto(message.state))
        case "progress":
            return Progress.from_proto(message.progress)
        case "batch":
            return BeliefBatch.from_proto(message.batch)
        case "heartbeat":
            return Heartbeat.from_proto(message.heartbeat)
        case _:
            return None
