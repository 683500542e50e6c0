"""How long each step of the demo will take here: its work in units that are measured on this machine just before.

Two yardsticks: a forward and a backward pass of a small stack of linear maps (measured by the server's doctor, in the
precision of the model), and a loop of plain Python. What a step costs in them was counted once on one machine; a faster
or slower one scales them. Steps that are over correct the estimates of those to come.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from knowledgesmith.client.examination import Examination

_LOOP: Final = 100_000
_LOOP_ROUNDS: Final = 5
_TYPICAL_PASS_S: Final = 0.015
"""Where the passes could not be measured."""

_PRIOR_S: Final = 10.0
_TRUST: Final = (0.2, 5.0)
"""A finished step corrects the following ones by no more than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Work of one step.

    Attributes:
        passes: of the measured stack; steps in which the model computes.
        per_fact: the same, for every fact that is changed.
        loops: of plain Python; steps of the database and of the programs.
    """

    passes: float = 0.0
    per_fact: float = 0.0
    loops: float = 0.0

    @property
    def computes(self) -> bool:
        """Whether the model does most of it; such steps and the others correct only their own kind."""
        return self.passes + self.per_fact > self.loops


COSTS: Final[Mapping[str, Cost]] = MappingProxyType(
    {
        "start": Cost(loops=4500),
        "import": Cost(loops=2000),
        "probes": Cost(loops=2300),
        "register": Cost(passes=150, loops=1700),
        "ask": Cost(passes=200),
        "plan": Cost(loops=850),
        "edit": Cost(passes=3600, per_fact=440),
        "compare": Cost(passes=130),
        "propagation": Cost(loops=350),
        "draw": Cost(loops=600),
        "unlearn": Cost(passes=3700, per_fact=620),
        "rollback": Cost(passes=150, loops=300),
    }
)
"""Steps by name."""


@dataclass(slots=True, kw_only=True)
class Pace:
    """The speed of this machine.

    Attributes:
        pass_s: seconds of one pass of the stack.
        loop_s: seconds of one loop.
        facts: how many facts each goal changes.
    """

    pass_s: float
    loop_s: float
    facts: int
    _passed: list[tuple[bool, float, float]] = field(default_factory=list[tuple[bool, float, float]])

    def seconds(self, step: str) -> float:
        """What a step will take, as far as is known now."""
        return self._plain(step) * self._correction(COSTS[step].computes)

    def remaining(self, steps: list[str]) -> float:
        """What several steps will take together."""
        return sum(map(self.seconds, steps))

    def learn(self, step: str, seconds: float) -> None:
        """Take note of what a step took."""
        self._passed.append((COSTS[step].computes, self._plain(step), seconds))

    def _plain(self, step: str) -> float:
        cost = COSTS[step]
        return (cost.passes + cost.per_fact * self.facts) * self.pass_s + cost.loops * self.loop_s

    def _correction(self, computes: bool) -> float:  # noqa: FBT001 - the kind of step
        """Measured over expected of the steps of a kind that are over; some seconds as expected stand beside them."""
        over = [(plain, seconds) for kind, plain, seconds in self._passed if kind is computes]
        expected = _PRIOR_S + sum(plain for plain, _ in over)
        measured = _PRIOR_S + sum(seconds for _, seconds in over)
        return min(_TRUST[1], max(_TRUST[0], measured / expected))


def pace(found: Examination, *, facts: int) -> Pace:
    """The pace of this machine, from what the doctor measured and a loop of a tenth of a second."""
    part = found.part("precision")
    measured = part.figures.get("float32_seconds") if part is not None else None
    pass_s = measured if isinstance(measured, float) and measured > 0 else _TYPICAL_PASS_S
    return Pace(pass_s=pass_s, loop_s=min(_loop() for _ in range(_LOOP_ROUNDS)), facts=facts)


def _loop() -> float:
    start = time.perf_counter()
    total = 0
    for number in range(_LOOP):
        total += number & 7
    return time.perf_counter() - start


def duration(seconds: float) -> str:
    """A rough duration for people: ``about 40 s``, ``about 2 min``."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 90:
        return f"about {seconds:.0f} s" if seconds < 10 else f"about {5 * round(seconds / 5)} s"
    return f"about {seconds / 60:.0f} min" if seconds >= 570 else f"about {seconds / 60:.1f} min"
