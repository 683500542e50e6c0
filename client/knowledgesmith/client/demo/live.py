"""A second client that reads the entities' head properties while an intervention runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.client._errors import KnowledgeSmithClientError
from knowledgesmith.client._sync.client import KnowledgeSmith

QUERY: Final = (
    "MATCH (n:Entity {graph_id: $graph_id}) WHERE n.belief_intervention = $run "
    "RETURN count(n) AS entities, max(n.belief_seq) AS last_sequence"
)


@dataclass(kw_only=True)
class HeadWatcher:
    """Asks the database once every ``period_s`` seconds, over its own connection, and keeps what grew.

    Attributes:
        samples: pairs of (entities with a new belief, largest sequence number), each larger than the one before.
        on_growth: called with every new sample, from the watcher's thread.
    """

    target: str
    graph_id: str
    run: str
    on_growth: Callable[[int, int], None]
    period_s: float = 1.0
    samples: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> HeadWatcher:
        self._thread = threading.Thread(target=self._read, name="head-watcher", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _read(self) -> None:
        with KnowledgeSmith(self.target, timeout_s=10) as smith:
            while not self._stop.wait(self.period_s):
                try:
                    rows = smith.graphs.cypher(
                        query=QUERY, parameters={"graph_id": self.graph_id, "run": self.run}
                    ).rows
                except KnowledgeSmithClientError:
                    continue  # the watcher is a bystander; the intervention's own errors are shown by the story
                self._keep(int(rows[0][0]), int(rows[0][1] or 0))

    def _keep(self, entities: int, sequence: int) -> None:
        if sequence > (self.samples[-1][1] if self.samples else 0):
            self.samples.append((entities, sequence))
            self.on_growth(entities, sequence)
