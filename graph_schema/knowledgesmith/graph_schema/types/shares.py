"""How sure a share is that was counted."""

from __future__ import annotations

import math
from typing import Final

_Z95: Final = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


def wilson_interval(hits: float, cases: int) -> tuple[float, float]:
    """95 % score interval of ``hits / cases`` (Wilson 1927, equation 6); the share itself is never outside.

    Args:
        hits: 0 to ``cases``; a part of one where ties are shared.
        cases: at least 1.
    """
    share, z2 = hits / cases, _Z95 * _Z95
    middle = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = _Z95 / (1 + z2 / cases) * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases))
    low = 0.0 if hits == 0 else min(middle - half, share)
    return low, 1.0 if hits == cases else max(middle + half, share)
