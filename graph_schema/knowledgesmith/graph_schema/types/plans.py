"""The plan of an intervention: pure values (design: the main job, step 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, ProbeKind, Role

SCHEME: Final = 2
"""Of the verdicts: 1 did not tell a request's targets from what follows, and called both propagated."""


class WorldOp(StrEnum):
    """How a fact enters or leaves a world."""

    ASSERT = "assert"
    RETRACT = "retract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Why a fact holds or is displaced: the rule and the fact ids it was applied to (empty = asked by the user)."""

    rule: str
    premises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldChange:
    """One fact that is asserted or retracted in a branch's world, with its proof."""

    op: WorldOp
    fact_id: str
    subject: str
    relation: str
    object: str
    proof: Proof = Proof(rule="request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A fact that a proof of the plan rests on and that the plan itself does not change.

    ``worlds`` are where this proof holds: ``before``, ``after`` or ``both``. The rule of an asserted fact is
    ``asserted``.
    """

    fact_id: str
    subject: str
    relation: str
    object: str
    proof: Proof
    worlds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The asserted facts that were retracted so that what must go no longer follows; empty where nothing did.

    ``weight`` is what the retractions cost (1 + what else rests on a fact, each); no cut costs less than
    ``lower_bound``.
    """

    facts: tuple[str, ...] = ()
    weight: int = 0
    lower_bound: int = 0

    @property
    def optimal(self) -> bool:
        """Whether no cut costs less."""
        return self.weight == self.lower_bound

    @property
    def gap(self) -> float:
        """Share of the weight that may be too much, from 0 (optimal) to 1."""
        return (self.weight - self.lower_bound) / self.weight if self.weight else 0.0


class WarningKind(StrEnum):
    """What a plan warns of."""

    PREFIX = "prefix"
    LENGTH = "length"
    SHARED_WORDS = "shared_words"
    TYPE = "type"
    RING = "ring"
    EARLIER = "earlier"
    UID = "uid"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarning:
    """Something that the author of a change should know before the model is changed.

    ``fact_id`` is the fact it is about, ``probes`` how many of its questions; 0 where it is about the fact itself.
    """

    kind: WarningKind
    fact_id: str
    message: str
    hint: str
    probes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSlot:
    """A ledger row to come: one (entity, asked fact, kind, polarity, role); ``seq`` starts at 1 and has no gaps."""

    seq: int
    entity: str
    fact_id: str
    relation: str
    kind: ProbeKind
    polarity: Polarity
    role: Role | None
    hops: int | None
    nearest_target: str
    probe_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that an intervention will do and measure, fixed before the model is touched.

    ``overlay`` are the user's changes (what a commit adds to the branch's world: asserted and retracted facts,
    functional conflicts included); ``derived`` are facts that the closure gains or loses with their proofs, for
    explanation and for installing them in the model. ``cited`` are the unchanged facts that the proofs rest on, down
    to asserted ones; ``cut`` says how good the choice of the retracted supports is.
    ``inserted`` are entities that the base graph does not have, ``names`` pairs of uid and name. ``verdict_scheme`` is
    that of the verdicts (:data:`SCHEME`); plans of an earlier one are only read. ``warnings`` say what will be hard to
    measure, or can hardly be meant. ``stamp`` is that of the graph which it was made on, names and templates included;
    it is no part of the digest, and plans of an earlier release have none. ``world`` likewise is the digest of what the
    branch's commits had changed (``PlanRequest.world``).
    """

    graph_id: str
    graph_digest: str
    branch_id: str
    goal: Goal
    seed: int
    targets: tuple[Change, ...]
    overlay: tuple[WorldChange, ...]
    derived: tuple[WorldChange, ...]
    probes: tuple[PlannedProbe, ...]
    slots: tuple[LedgerSlot, ...]
    digest: str
    cited: tuple[Cited, ...] = ()
    cut: Cut = Cut()
    inserted: tuple[Entity, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    verdict_scheme: int = SCHEME
    warnings: tuple[PlanWarning, ...] = ()
    stamp: str = field(default="", compare=False)
    world: str = field(default="", compare=False)
