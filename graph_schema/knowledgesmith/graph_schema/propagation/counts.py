"""Verdict counts and the rates that they make: every rate is of one role, with its chance level.

``installed`` and ``erased`` are of the request's targets, whatever the model knew before; ``propagated``, ``forgotten``
and ``residual`` of what follows, where the model gave the old answer before; ``collateral`` of what stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

ROLES: Final = ("target", "follows", "", "stays")
"""In the order of all answers; '' stands for the verdicts' first scheme, which did not tell the first two apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A rate as counts; ``chance`` is the rate of a uniform guesser, None without trials."""

    name: str
    successes: int
    trials: int
    chance: float | None

    @property
    def value(self) -> float | None:
        """The rate itself; None without trials."""
        return self.successes / self.trials if self.trials else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Verdict counts of some ledger rows.

    Of the eligible probes of what follows, ``old`` had an old answer, ``kept`` of these give it still, and ``ended``
    have no new one: what can become of them is that the old one is forgotten. The ``guess_`` members are what choosing
    an option at random would give among the same probes.
    """

    propagated: int = 0
    forgotten: int = 0
    missed: int = 0
    drifted: int = 0
    preserved: int = 0
    collateral: int = 0
    ineligible: int = 0
    installed: int = 0
    not_installed: int = 0
    erased: int = 0
    not_erased: int = 0
    old: int = 0
    kept: int = 0
    ended: int = 0
    guess_installed: float = 0.0
    guess_erased: float = 0.0
    guess_propagated: float = 0.0
    guess_forgotten: float = 0.0
    guess_kept: float = 0.0
    guess_lost: float = 0.0

    @property
    def eligible_change(self) -> int:
        """Eligible probes of what follows."""
        return self.propagated + self.forgotten + self.missed + self.drifted

    @property
    def eligible_new(self) -> int:
        """Those of them that have a new answer, which can have propagated."""
        return self.eligible_change - self.ended

    @property
    def eligible_stay(self) -> int:
        """Eligible probes of what stays."""
        return self.preserved + self.collateral

    @property
    def shares(self) -> tuple[Share, ...]:
        """All rates: those of targets, of what follows, of what stays."""
        edits, erasures = self.installed + self.not_installed, self.erased + self.not_erased
        return (
            _share("installed", self.installed, edits, self.guess_installed),
            _share("erased", self.erased, erasures, self.guess_erased),
            _share("propagated", self.propagated, self.eligible_new, self.guess_propagated),
            _share("forgotten", self.forgotten, self.ended, self.guess_forgotten),
            _share("residual", self.kept, self.old, self.guess_kept),
            _share("collateral", self.collateral, self.eligible_stay, self.guess_lost),
        )


def values_of(counts: Counts) -> dict[str, float | None]:
    """Every rate by its name; None without trials."""
    return {share.name: share.value for share in counts.shares}


def _share(name: str, successes: int, trials: int, guessed: float) -> Share:
    return Share(name=name, successes=successes, trials=trials, chance=guessed / trials if trials else None)


_NAMES: Final = tuple(member.name for member in fields(Counts))
COUNTED: Final = tuple(name for name in _NAMES if not name.startswith("guess_"))
"""Members that the ledger's queries count."""
GUESSED: Final = tuple(name for name in _NAMES if name.startswith("guess_"))
"""Members that the queries of chance levels sum."""


def total(parts: Iterable[Counts]) -> Counts:
    """The counts of all parts together."""
    chosen = list(parts)
    return Counts(**{name: sum(getattr(part, name) for part in chosen) for name in _NAMES})
