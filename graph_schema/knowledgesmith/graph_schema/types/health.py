"""Health of a revision on its intervention: plain properties ``health_*`` that any query can read (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, Self


class HealthVerdict(StrEnum):
    """What the measures say of a revision, against the revision it started from."""

    HEALTHY = "HEALTHY"
    SUSPECT = "SUSPECT"
    WRECKED = "WRECKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Health of a revision. Absent figures (None) could not be measured.

    Attributes:
        verdict: HEALTHY and SUSPECT may be committed automatically, WRECKED waits for a decision.
        reasons: in plain words with figures, the worst first; empty for HEALTHY.
        perplexity_ratio: how many times less likely text became that nothing trains on; 1 = as before. Capped.
        perplexity_low: lower end of its 95 % interval over the texts.
        perplexity_high: upper end.
        realised_min: least realised share of a fact's wanted change, along it.
        across_max: largest change of a fact in other directions, in units of the wanted one.
        repetition: share of untouched prompts whose greedy text repeats itself.
        repetition_before: the same before the change.
        emptiness: share of untouched prompts with no greedy text.
        agreement: share of untouched prompts whose greedy text begins as it did before.
        constant_share: largest share of one answer text among the planned probes.
        constant_before: share of the same text before the change.
        collateral_sure: share of answers that should stay, were right and sure before, and are wrong now.
        nonfinite: weights and scores that are not finite numbers.
    """

    verdict: HealthVerdict
    reasons: tuple[str, ...] = ()
    perplexity_ratio: float | None = None
    perplexity_low: float | None = None
    perplexity_high: float | None = None
    realised_min: float | None = None
    across_max: float | None = None
    repetition: float | None = None
    repetition_before: float | None = None
    emptiness: float | None = None
    agreement: float | None = None
    constant_share: float | None = None
    constant_before: float | None = None
    collateral_sure: float | None = None
    nonfinite: int = 0

    @property
    def ok(self) -> bool:
        """Whether it may be committed without a decision, and its rates shown."""
        return self.verdict is not HealthVerdict.WRECKED

    @property
    def reason(self) -> str:
        """The worst reason; empty for HEALTHY."""
        return self.reasons[0] if self.reasons else ""

    def properties(self) -> dict[str, object]:
        """Properties of the intervention's node: ``health_ok``, ``health_verdict`` and one a figure."""
        figures: dict[str, object] = {PREFIX + name: getattr(self, name) for name in FIGURES}
        return {
            PREFIX + "ok": self.ok,
            PREFIX + "verdict": self.verdict.value,
            PREFIX + "reasons": list(self.reasons),
            **figures,
        }

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Self | None:
        """From a node's properties; None where it was never measured."""
        verdict = properties.get(PREFIX + "verdict")
        if not verdict:
            return None
        return cls(
            verdict=HealthVerdict(verdict),
            reasons=tuple(properties.get(PREFIX + "reasons") or ()),
            **{name: properties.get(PREFIX + name) for name in FIGURES if name != "nonfinite"},
            nonfinite=int(properties.get(PREFIX + "nonfinite") or 0),
        )


PREFIX: Final = "health_"
FIGURES: Final = tuple(field.name for field in fields(Health) if field.name not in {"verdict", "reasons"})
"""Names of the figures, in their order."""
