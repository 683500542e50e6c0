"""How often Python looks for cycles of garbage in the server's front process, which plans."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 50)


def collect_rarely() -> None:
    """Look for cycles seldom; call it once, when the process starts.

    A plan of a thousand edits makes some hundred thousand values that live until it is stored and hold no cycles.
    With Python's defaults (700 new ones, 10, 10) the collector walks over them again and again, about a quarter of
    the plan's time, and finds nothing; reference counts free them all the same.
    """
    gc.set_threshold(*_THRESHOLDS)
