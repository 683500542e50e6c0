"""Colours of belief changes: orange for less, violet for more, which colour-blind readers tell apart too.

The end points are those of the diverging scheme "PuOr" (Brewer, ColorBrewer 2).
"""

from __future__ import annotations

from typing import Final

LESS: Final = (0xE6, 0x61, 0x01)
MORE: Final = (0x5E, 0x3C, 0x99)
NEUTRAL: Final = (0xF4, 0xF4, 0xF2)
UNKNOWN: Final = "#ffffff"
INK: Final = "#22242a"
FAINT: Final = "#b9bdc7"


def colour(delta: float | None) -> str:
    """CSS colour of a change in [-1, 1]; the root makes small changes visible. ``None`` is white."""
    if delta is None:
        return UNKNOWN
    strength = min(1.0, abs(delta)) ** 0.5
    end = MORE if delta > 0 else LESS
    mixed = (round(base + (top - base) * strength) for base, top in zip(NEUTRAL, end, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def text_on(delta: float | None) -> str:
    """Ink that can be read on ``colour(delta)``: white on strong violet only."""
    return "#ffffff" if delta is not None and delta > 0.3 else INK
