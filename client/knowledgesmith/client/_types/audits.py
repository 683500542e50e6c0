"""Audits of probe sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from knowledgesmith.v1 import probe_pb2

_ROOM: Final = 0.05
"""So much above chance may the upper end of an interval be."""


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
    """How well the right option can be told without the question, with a 95 % interval."""

    kind: str
    tested: int
    right: int
    accuracy: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How often one guesser that knows nothing finds the right option, with a 95 % interval.

    Attributes:
        kind: of probes, or ``ALL``.
        guesser: what it guesses by: ``shared_words``, ``longest``, ``position``, ``learned`` and more.
        tested: questions; the phrasings of one count once.
        right: of these, found; where options look alike, each counts in part.
        fair: the upper end is at most five points above chance; of fewer than 2,000 questions, chance explains it.
    """

    kind: str
    guesser: str
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

    @classmethod
    def from_proto(cls, message: probe_pb2.Guess) -> Self:
        """Read the wire's message."""
        return cls(
            kind=message.kind,
            guesser=message.guesser,
            tested=message.tested,
            right=message.right,
            accuracy=message.accuracy,
            low=message.low,
            high=message.high,
            chance=message.chance,
            fair=message.fair,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Questions of one kind that were left out so that the set gives nothing away."""

    askable: int
    left_out: int

    @property
    def share(self) -> float:
        """Part of the askable questions that was left out."""
        return self.left_out / self.askable if self.askable else 0.0


def read_guesses(messages: Iterable[probe_pb2.Guess]) -> tuple[Guess, ...]:
    """Read the wire's messages."""
    return tuple(map(Guess.from_proto, messages))


def read_left_out(messages: Mapping[str, probe_pb2.LeftOut]) -> dict[str, LeftOut]:
    """Read the wire's messages, by kind."""
    return {
        kind: LeftOut(askable=message.askable, left_out=message.left_out) for kind, message in sorted(messages.items())
    }


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
    left_out: Mapping[str, LeftOut] = field(default_factory=dict[str, LeftOut])

    @classmethod
    def from_proto(cls, message: probe_pb2.AuditProbeSetResponse) -> Self:
        """Read the wire's message."""
        return cls(
            probe_set_id=message.probe_set_id,
            probes=message.probes,
            verified=message.verified,
            passed=message.passed,
            findings=tuple(
                AuditFinding(check=found.check, count=found.count, examples=tuple(found.examples))
                for found in message.findings
            ),
            letters=tuple(
                LetterBalance(
                    options=found.options,
                    counts=tuple(found.counts),
                    chi_square=found.chi_square,
                    p_value=found.p_value,
                )
                for found in message.letters
            ),
            baselines=tuple(
                OptionsBaseline(
                    kind=found.kind,
                    tested=found.tested,
                    right=found.right,
                    accuracy=found.accuracy,
                    low=found.low,
                    high=found.high,
                    chance=found.chance,
                )
                for found in message.baselines
            ),
            sheet=message.sheet,
            guesses=read_guesses(message.guesses),
            unfair=tuple(message.unfair),
            left_out=read_left_out(message.left_out),
        )
