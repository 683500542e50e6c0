"""What a watch yields."""

from __future__ import annotations

from dataclasses import dataclass

from knowledgesmith.client._wire.fill import read
from knowledgesmith.v1 import intervention_pb2

from .enums import Level, Phase, Polarity, ProbeKind, Role
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

    sequence: int
    entity_uid: str
    entity_name: str
    level: Level
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
    nearest_target_uid: str
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The intervention as it is now: the first event of every connection, and whenever it changes."""

    intervention: Intervention


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How much of a phase is done, of a ``step`` of it where the method names one; ``total`` 0 = unknown."""

    phase: Phase
    done: int
    total: int
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefBatch:
    """Ledger rows ``first_sequence`` to ``last_sequence``, consecutive and never repeated within one watch."""

    first_sequence: int
    last_sequence: int
    changes: tuple[BeliefChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Nothing new; rows up to ``committed_sequence`` are committed."""

    committed_sequence: int


WatchEvent = StateChanged | Progress | BeliefBatch | Heartbeat


def read_event(message: intervention_pb2.WatchInterventionResponse) -> WatchEvent | None:
    """The event of one message; ``None`` for a kind that this release does not know."""
    match message.WhichOneof("event"):
        case "state":
            return StateChanged(intervention=read(Intervention, message.state))
        case "progress":
            return read(Progress, message.progress)
        case "batch":
            return read(BeliefBatch, message.batch)
        case "heartbeat":
            return read(Heartbeat, message.heartbeat)
        case _:
            return None
