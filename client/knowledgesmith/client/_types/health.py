"""Health of a revision, measured before it is committed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from knowledgesmith.v1 import health_pb2

from .enums import HealthVerdict, read_enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the measures say of a revision, against the one that it started from.

    Attributes:
        ok: whether it may be committed without a decision.
        verdict: HEALTHY, SUSPECT or WRECKED.
        reasons: in plain words with figures, the worst first.
        perplexity_ratio: how many times less likely text became that nothing trains on; ``perplexity_low`` and
            ``perplexity_high`` are its 95 % interval.
        realised_min: least realised share of a fact's wanted change.
        across_max: largest change of a fact in other directions, in units of the wanted one.
        repetition: share of untouched prompts whose greedy text repeats itself (``repetition_before``: before).
        emptiness: share of untouched prompts with no greedy text.
        agreement: share of untouched prompts whose greedy text begins as before.
        constant_share: largest share of one answer text among the planned probes (``constant_before``: before).
        collateral_sure: share of sure answers that should stay and are wrong now.
        nonfinite: weights and scores that are no finite numbers.
    """

    ok: bool
    verdict: HealthVerdict
    reasons: tuple[str, ...]
    perplexity_ratio: float | None
    perplexity_low: float | None
    perplexity_high: float | None
    realised_min: float | None
    across_max: float | None
    repetition: float | None
    repetition_before: float | None
    emptiness: float | None
    agreement: float | None
    constant_share: float | None
    constant_before: float | None
    collateral_sure: float | None
    nonfinite: int

    @classmethod
    def from_proto(cls, message: health_pb2.Health) -> Self:
        """Read the wire's message; figures that it lacks are None."""
        present = {descriptor.name for descriptor, _ in message.ListFields()}
        always = {"ok", "verdict", "reasons", "nonfinite"}
        figures: dict[str, Any] = {
            member.name: getattr(message, member.name) if member.name in present else None
            for member in fields(cls)
            if member.name not in always
        }
        return cls(
            ok=message.ok,
            verdict=read_enum(HealthVerdict, health_pb2.HealthVerdict.DESCRIPTOR, message.verdict),
            reasons=tuple(message.reasons),
            nonfinite=message.nonfinite,
            **figures,
        )
