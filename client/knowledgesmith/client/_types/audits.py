"""Audits of probe sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from knowledgesmith.proto.v1 import probe_pb2


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
class ProbeSetAudit:
    """What an audit found.

    Attributes:
        verified: false where the graph is another one by now, so that nothing was judged again.
        passed: no finding, even letters, no baseline above chance.
        sheet: CSV text of a sheet for people.
    """

    probe_set_id: str
    probes: int
    verified: bool
    passed: bool
    findings: tuple[AuditFinding, ...]
    letters: tuple[LetterBalance, ...]
    baselines: tuple[OptionsBaseline, ...]
    sheet: str

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
        )
