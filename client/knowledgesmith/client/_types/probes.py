"""Probes, sets of probes, and their audits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .enums import Guesser, Polarity, ProbeContext, ProbeKind, Role, Split

_ROOM: Final = 0.05
"""So much above chance may the upper end of an interval be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """How many probes are of one kind."""

    kind: ProbeKind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How often one guesser that knows nothing finds the right option, with a 95 % interval.

    Attributes:
        kind: of probes; ``UNSPECIFIED``: all kinds together.
        guesser: what it guesses by.
        tested: questions; the phrasings of one count once.
        right: of these, found; where options look alike, each counts in part.
        fair: the upper end is at most five points above chance; of fewer than 2,000 questions, chance explains it.
    """

    kind: ProbeKind
    guesser: Guesser
    tested: int
    right: float
    accuracy: float
    low: float
    high: float
    chance: float
    fair: bool

    @property
    def within(self) -> bool:
        """Whether the interval ends at most five points above chance."""
        return self.high <= self.chance + _ROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Questions of one kind that were left out so that the set gives nothing away."""

    kind: ProbeKind
    askable: int
    left_out: int

    @property
    def share(self) -> float:
        """Part of the askable questions that was left out."""
        return self.left_out / self.askable if self.askable else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSet:
    """A seeded, digested collection of probes: counts by kind, questions without a probe by reason.

    ``imported``: taken in from a file, so that its probes were not verified here; ``probe_sets.audit`` judges them.
    ``fair``: whether knowing nothing gets nobody further than chance, ``None`` where nobody has judged it; ``unfair``
    says why not, ``left_out`` what that cost by kind, ``guesses`` how well guessers do (not in lists of sets).
    """

    id: str
    graph_id: str
    graph_digest: str
    seed: int
    digest: str
    counts: tuple[KindCount, ...]
    verified: int
    dropped: Mapping[str, int]
    split: Split = Split.EVAL
    imported: bool = False
    fair: bool | None = None
    unfair: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question with its options.

    Attributes:
        anchor_uid: of the entity named in the stem.
        chain_length: facts in the probe.
        answers: indices into ``options``; ``answers_after`` are the same after a planned update.
        hops: graph distance from the nearest target; ``None`` when unreachable or not planned.
        context: why a CONTEXTUAL probe was chosen.
        role: what a planned probe asks about.
        counter_stem: the denial of a CONFLICT probe's statement, asked in the same words.
    """

    id: str
    kind: ProbeKind
    anchor_uid: str
    chain_length: int
    stem: str
    options: tuple[str, ...]
    answers: tuple[int, ...]
    fact_ids: tuple[str, ...]
    answers_after: tuple[int, ...]
    polarity: Polarity
    hops: int | None
    context: ProbeContext
    role: Role = Role.UNSPECIFIED
    counter_stem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """How many probes a check is about, with the ids of some."""

    check: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterBalance:
    """How often the right option stands at each place, for probes with this many options."""

    options: int
    counts: tuple[int, ...]
    chi_square: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionsBaseline:
    """How well the right option can be told without the question, with a 95 % interval.

    ``kind`` is ``UNSPECIFIED`` for all kinds together.
    """

    kind: ProbeKind
    tested: int
    right: int
    accuracy: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSetAudit:
    """What an audit found.

    Attributes:
        verified: false where the graph is another one by now, so that nothing was judged again.
        passed: no finding, even letters, no guesser above chance.
        sheet: CSV text of a sheet for people.
        guesses: how well guessers do that know nothing, for all questions and by kind.
        unfair: why the set is not fair, a line each.
        left_out: by kind, what was left out when the set was made.
    """

    probe_set_id: str
    probes: int
    verified: bool
    passed: bool
    findings: tuple[AuditFinding, ...]
    letters: tuple[LetterBalance, ...]
    baselines: tuple[OptionsBaseline, ...]
    sheet: str
    guesses: tuple[Guess, ...] = ()
    unfair: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
