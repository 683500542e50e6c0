"""Writes a difference into Neo4j in many bounded transactions, each under the import's lock.

Every batch can be the last one: what is written stays, the graph stays marked as being imported, and the same import
run again finds what is there and writes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Final, TypeVar

from knowledgesmith.graph_schema.catalogue.relations import to_properties
from knowledgesmith.graph_schema.importing.staging.staging import Progress, Staging
from knowledgesmith.graph_schema.importing.writing.delta import Counts, Difference
from knowledgesmith.graph_schema.importing.writing.lock import ImportLock
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction

BATCH: Final = 10_000
"""Rows a transaction; the fastest size measured."""
RELATION_BATCH: Final = 500
"""Relations a transaction; each brings its templates."""
_CREATED, _RETIRED, _CHANGED, _FACTS, _REMOVED, _RESOURCED = range(6)
T = TypeVar("T")
R = TypeVar("R")


class Loader:
    """Writes one difference.

    Args:
        store: the database, migrated.
        staging: settled.
        lock: held.
        progress: called after every batch.
    """

    def __init__(self, store: GraphStore, staging: Staging, lock: ImportLock, *, progress: Progress) -> None:
        self._store = store
        self._staging = staging
        self._lock = lock
        self._progress = progress
        self.rows = 0
        """Rows written so far."""
        self.touched = False
        """Whether a batch may have been written."""

    def write(self, difference: Difference, counts: Counts) -> bool:
        """Write everything; returns whether the catalogue changed.

        Raises:
            FenceRejected: another import took the lock over.
            GraphUnavailable: the database does not answer.
        """
        self._delete(difference, counts)
        catalogue = self.write_catalogue()
        self._create_entities(difference)
        self._each("importing/entities_update", difference.changed_entities(), _CHANGED, counts.entities_changed)
        self._each("importing/entities_retire", difference.retired_entities(), _RETIRED, counts.entities_retired)
        self._each("importing/facts_create", difference.new_facts(), _FACTS, counts.facts_created)
        self._each("importing/facts_source", difference.resourced_facts(), _RESOURCED, counts.facts_resourced)
        self._each("importing/links_create", difference.new_links(), None, 1)
        return catalogue

    def _delete(self, difference: Difference, counts: Counts) -> None:
        if difference.is_new:
            return
        self._each("importing/links_delete", difference.removed_links(), None, 1)
        self._each("importing/facts_delete", difference.removed_facts(), _REMOVED, counts.facts_removed)

    def count_written(self, *, entities: int, facts: int) -> None:
        """Add to the import's counters what another way wrote."""
        counts = [0] * 6
        counts[_CREATED], counts[_FACTS] = entities, facts
        self._store.write_transaction(lambda tx: self._lock.renew(tx, counts))

    def guard(self, tx: Transaction) -> None:
        """Keep the lock in a transaction that writes beside the difference; the graph counts as touched from then on.

        Raises:
            FenceRejected: another import took the lock over.
        """
        self._lock.renew(tx, [0] * 6)
        self.touched = True

    def write_catalogue(self) -> bool:
        """Make the stored catalogue the staged one; returns whether it changed."""
        graph_id = self._lock.graph_id
        rows = self._store.read("graphs/relations", graph_id=graph_id)
        # corrected wordings are the graph's and stay whatever the files say
        stored = {row["name"]: {key: row[key] for key in row if key != "corrections"} for row in rows}
        wanted = {name: to_properties(relation) for name, relation in self._staging.relations.items()}
        removed = sorted(set(stored) - set(wanted))
        rows = [row for name, row in wanted.items() if row != stored.get(name)]
        self._each("importing/relations_remove", removed, None, len(removed), size=RELATION_BATCH)
        self._each("importing/relations_write", rows, None, len(rows), size=RELATION_BATCH)
        return bool(removed or rows)

    def _create_entities(self, difference: Difference) -> None:
        def write(batch: list[tuple[int, list[Any]]]) -> list[tuple[str, int]]:
            rows = [row for _, row in batch]
            (answer,) = self._transaction("importing/entities_create", rows, _CREATED)
            return list(zip(answer["elements"], (number for number, _ in batch), strict=True))

        for elements in ahead(batches(difference.new_entities(), BATCH), write):
            difference.written(elements)
            self._wrote("importing/entities_create", len(elements))

    def _each(self, query: str, rows: Iterable[Any], counter: int | None, expected: int, *, size: int = 0) -> None:
        if not expected:
            return

        def write(batch: list[Any]) -> int:
            self._transaction(query, batch, counter)
            return len(batch)

        for written in ahead(batches(rows, size or BATCH), write):
            self._wrote(query, written)

    def _transaction(self, query: str, rows: list[Any], counter: int | None) -> list[Row]:
        counts = [0] * 6
        if counter is not None:
            counts[counter] = len(rows)

        def work(tx: Transaction) -> list[Row]:
            self._lock.renew(tx, counts)
            self.touched = True
            return tx.rows(query, graph_id=self._lock.graph_id, rows=rows)

        return self._store.write_transaction(work)

    def _wrote(self, query: str, rows: int) -> None:
        self.rows += rows
        self._progress(f"write {query.rpartition('/')[2].partition('_')[0]}", self.rows)


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` rows."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def ahead(batches: Iterator[T], write: Callable[[T], R]) -> Iterator[R]:
    """Write batches one after the other in a thread, while the next one is put together here.

    The answers come in order; the first failure ends it, and no batch after it is written.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import") as pool:
        running: Future[R] | None = None
        for batch in batches:
            done = running.result() if running is not None else None
            submitted = pool.submit(write, batch)
            if running is not None:
                yield done  # type: ignore[misc]  # the result of a future that was there
            running = submitted
        if running is not None:
            yield running.result()
