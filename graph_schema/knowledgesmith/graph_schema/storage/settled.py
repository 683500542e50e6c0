"""Reads of what another transaction may be writing at this moment, repeated until they add up.

A reading query takes no locks, and Neo4j writes the records of a commit one after another. Whoever reads in between may
find a node without a property that it always has, or a branch between two heads: gone for less than a millisecond, and
never written so. No lock is taken here either, since a writer may hold the node for as long as it replays beliefs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_PAUSES_S = (0.002, 0.005, 0.02, 0.05, 0.1)
"""Between the readings; longer each time, since the writer may wait for a processor."""


def settled(read: Callable[[], T], adds_up: Callable[[T], bool]) -> T:
    """What ``read`` returns, read again while it does not add up; in the end whatever it returned last.

    A caller that finds nothing has therefore waited for 0.2 s, and may say that there is nothing.
    """
    for pause in _PAUSES_S:
        found = read()
        if adds_up(found):
            return found
        time.sleep(pause)
    return read()
