"""Names of the graphs that tests make: each graph has its own, and a test run makes the same ones every time.

The ids of facts and probes are hashes that hold the graph's, and what is drawn for a plan or a probe set is drawn by
them. With a name from ``uuid4`` every run would draw anew, and a test that holds for nearly all draws would fail for
nobody who looked. A database that outlives the run (``KSMITH_TEST_NEO4J_URI``) needs names that were never used.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections import Counter
from typing import Final

_MADE: Final[Counter[str]] = Counter()
_RUN: Final = uuid.uuid4().hex if "KSMITH_TEST_NEO4J_URI" in os.environ else ""


def fresh_graph(maker: str) -> str:
    """A graph id that nothing else has.

    ``maker`` is the node id of the test or of its module; ``__name__`` serves where one module of tests makes it.
    """
    _MADE[maker] += 1
    return f"t_{hashlib.sha256(f'{_RUN}/{maker}/{_MADE[maker]}'.encode()).hexdigest()[:32]}"
