"""Probe values: kinds, polarity, probes and planned probes (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from knowledgesmith.graph_schema.language.joining import joined


class ProbeKind(StrEnum):
    """The six kinds of the paper; arity and chance level belong to the kind."""

    DIRECT = "DIRECT"
    REVERSE = "REVERSE"
    MULTI_HOP = "MULTI_HOP"
    COMPARISON = "COMPARISON"
    CONTEXTUAL = "CONTEXTUAL"
    CONFLICT = "CONFLICT"

    @property
    def arity(self) -> int:
        """Number of options of a probe of this kind (fewer only where the graph offers fewer)."""
        return 2 if self in {ProbeKind.COMPARISON, ProbeKind.CONFLICT} else 4

    @property
    def chance(self) -> float:
        """Share of right answers of a uniform guesser."""
        return 1.0 / self.arity


class Polarity(StrEnum):
    """Whether the plan expects the answer to change (Q+) or to stay (Q-)."""

    CHANGE = "change"
    STAY = "stay"


class Role(StrEnum):
    """What a planned probe asks about: a fact of the request itself, one that follows from it, or one that stays."""

    TARGET = "target"
    FOLLOWS = "follows"
    STAYS = "stays"


TARGET_KINDS: Final = frozenset({ProbeKind.DIRECT, ProbeKind.COMPARISON, ProbeKind.CONFLICT})
"""Kinds that ask a fact itself, from its subject; a reverse question or a chain only shows what follows."""


class Context(StrEnum):
    """How a CONTEXTUAL probe relates to the targets; NONE for every other kind."""

    NONE = "none"
    SAME_SUBJECT = "same_subject"
    SAME_RELATION = "same_relation"
    OTHER_DOMAIN = "other_domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question with options.

    ``option_uids`` runs parallel to ``options`` (texts to score as continuations of ``stem``); for CONFLICT they
    are ``"true"`` and ``"false"``. ``answers`` are indices into the options that the graph asserts (several may be
    right for a many-valued relation, but only one is drawn into the options together with false ones).
    ``counter_stem`` of a CONFLICT probe denies the statement and asks the same; sets of earlier releases have none.
    ``path`` names the asked chain, one element a step: ``capital_of`` forward, ``~capital_of`` backward.
    """

    id: str
    kind: ProbeKind
    anchor: str
    path: tuple[str, ...]
    chain_length: int
    stem: str
    options: tuple[str, ...]
    option_uids: tuple[str, ...]
    answers: tuple[int, ...]
    template: str
    fact_ids: tuple[str, ...]
    context: Context = Context.NONE
    prefix: str = ""
    counter_stem: str = ""

    @property
    def text(self) -> str:
        """Prefix (an irrelevant sentence, or nothing) and stem: what the model reads."""
        return joined(self.prefix, self.stem) if self.prefix else self.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedProbe:
    """A probe with its answers in the world before and after the update, and its place in the ledger.

    ``role`` is None in plans of the verdicts' first scheme, which did not tell targets from what follows.
    """

    probe: Probe
    before: tuple[int, ...]
    after: tuple[int, ...]
    polarity: Polarity
    role: Role | None
    hops: int | None
    nearest_target: str
    asked_fact_id: str
    relation: str
    row_seq: int


def role_of(kind: ProbeKind, polarity: Polarity, *, asks_target: bool) -> Role:
    """The role of a planned probe.

    Args:
        kind: its kind.
        polarity: whether the answer changes.
        asks_target: the asked fact is the old or the new fact of one of the request's changes.
    """
    if polarity is Polarity.STAY:
        return Role.STAYS
    return Role.TARGET if asks_target and kind in TARGET_KINDS else Role.FOLLOWS
