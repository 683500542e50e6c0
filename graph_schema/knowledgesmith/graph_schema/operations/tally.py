"""What an operation has done so far, counted in the transactions that do it: exact, whatever cuts it off."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken away, by kind; and by name the things that are to be looked at once all of it is gone."""

    counts: Counter[str] = field(default_factory=Counter[str])
    left: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, other: Taken) -> None:
        """Count this too."""
        self.counts.update(other.counts)
        self.left.update(other.left)


@dataclass(frozen=True, slots=True)
class Tally:
    """The tally of one operation."""

    operation_id: str

    def read(self, store: GraphStore) -> Taken:
        """What was noted so far."""
        return store.read_transaction(self._taken)

    def add(self, tx: Transaction, taken: Taken) -> None:
        """Note what this transaction takes away."""
        total = self._taken(tx)
        total.add(taken)
        text = json.dumps([total.counts, total.left])
        tx.rows("operations/tally_keep", id=self.operation_id, tally=text)

    def _taken(self, tx: Transaction) -> Taken:
        rows = tx.rows("operations/tally", id=self.operation_id)
        counts, left = json.loads(rows[0]["tally"]) if rows else ({}, {})
        return Taken(Counter(counts), left)
