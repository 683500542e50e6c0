"""Where a measure becomes a finding: one frozen table, with the origin of every number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the verdict. All were set on the default model's corpus of ``benchmarks/health_calibration.py``.

    A pair of limits is (suspect, wrecked). Lower ends of intervals and exact tests are compared, not point values, so
    few observations raise no alarm.

    Attributes:
        text: lower end of the perplexity ratio's interval.
        gain: of the untouched prompts whose text was not stuck, empty or all alike, the (net) share that now is.
        gain_p: largest p-value of the exact sign test of that gain.
        agreement: largest share of untouched prompts that begin as before, for a suspicion.
        constant: gain of the share of choices that fall on one answer (or place) that is offered.
        constant_p: largest exact p-value of that gain.
        lost: lower end of the share of facts whose sure answers are lost.
        lost_facts: least number of lost facts.
        sure_facts: least number of facts that the model was sure of.
        across: change of a fact in other directions, in units of the wanted change; the median of the facts for a
            suspicion.
        beyond: change of a fact along the wanted one, or against it, in the same units.
        facts: least share of facts above the upper limit of ``across`` or ``beyond`` for a wreck; one is a suspicion.
        along: least realised share of a fact's wanted change, for a suspicion.
    """

    text: tuple[float, float] = (1.3, 2.0)
    gain: tuple[float, float] = (0.25, 0.5)
    gain_p: tuple[float, float] = (0.05, 0.01)
    agreement: float = 0.25
    constant: tuple[float, float] = (0.3, 0.5)
    constant_p: tuple[float, float] = (0.01, 0.001)
    lost: tuple[float, float] = (0.08, 0.15)
    lost_facts: tuple[int, int] = (3, 5)
    sure_facts: tuple[int, int] = (3, 8)
    across: tuple[float, float] = (0.5, 1.0)
    beyond: tuple[float, float] = (2.0, 4.0)
    facts: float = 0.2
    along: float = 0.5


LIMITS: Final = Limits()
"""The limits in use."""
