"""When to try again, and after how long."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential backoff with full jitter.

    Attributes:
        first_s: longest first pause, in seconds; doubles each time.
        longest_s: cap of a pause, in seconds.
        attempts: pauses before giving up.
    """

    first_s: float = 0.1
    longest_s: float = 5.0
    attempts: int = 4

    def pauses(self) -> Iterator[float]:
        """The pauses in seconds, one for each further attempt."""
        for attempt in range(self.attempts):
            ceiling = min(self.longest_s, self.first_s * 2.0**attempt)
            yield random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, no secret


PATIENT: Final = Backoff(first_s=0.2, longest_s=10.0, attempts=12)
"""For who waits and may as well wait for a server that starts again; begins anew whenever something arrives."""
