"""One import a graph at a time: an owner with a lease, renewed by every batch and fenced by it.

The owner names the machine and the process, so that the lock of a process of this machine that was killed is taken over
at once; any other lock is taken over when its lease is over.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, parse_accepted
from knowledgesmith.graph_schema.embedded.processes import ProcessIdentity, identify
from knowledgesmith.graph_schema.errors import FenceRejected, ImportRunning
from knowledgesmith.graph_schema.importing.staging.staging import Progress
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction

LEASE_MS: Final = 120_000
"""How long a lock outlives its last batch, in milliseconds; no single batch takes as long (the transaction limit)."""
_SEPARATOR: Final = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLock:
    """A lock that is held; ``digest`` is the graph's before the import, empty for a new graph.

    ``resumed`` tells that an earlier import was cut off; ``accepted`` are the traits accepted for the graph.
    """

    graph_id: str
    owner: str
    digest: str
    resumed: bool
    accepted: tuple[Acceptance, ...] = ()

    def renew(self, tx: Transaction, counts: list[int]) -> None:
        """Prolong the lock inside a batch's transaction, and add what the batch does to the import's counters.

        Raises:
            FenceRejected: another import took the lock over; nothing of this transaction must be committed.
        """
        renewed = tx.rows("importing/renew", graph_id=self.graph_id, owner=self.owner, lease_ms=LEASE_MS, counts=counts)
        if not renewed:
            raise _lost(self.graph_id)

    def keeping(self, store: GraphStore, progress: Progress) -> Progress:
        """A progress that also prolongs the lock while nothing is written for long (a large graph is compared)."""
        last = time.monotonic()

        def report(stage: str, done: int) -> None:
            nonlocal last
            progress(stage, done)
            if time.monotonic() - last > LEASE_MS / 4_000:
                store.write_transaction(lambda tx: self.renew(tx, [0] * 6))
                last = time.monotonic()

        return report

    def finish(
        self, store: GraphStore, *, digest: str, source: str, format_name: str, totals: list[int], changed: bool
    ) -> int:
        """Make the graph usable and write its version; returns the version's number.

        Raises:
            FenceRejected: another import took the lock over.
        """
        rows = store.write(
            "importing/finish",
            graph_id=self.graph_id,
            owner=self.owner,
            digest=digest,
            source=source,
            format=format_name,
            totals=totals,
            changed=changed or self.resumed,
        )
        if not rows:
            raise _lost(self.graph_id)
        return int(rows[0]["number"])

    def release(self, store: GraphStore, *, untouched: bool) -> None:
        """Give the lock back; ``untouched`` when nothing was written under it, or the import is complete."""
        store.write(
            "importing/release", graph_id=self.graph_id, owner=self.owner, untouched=untouched and not self.resumed
        )


def take_lock(store: GraphStore, graph_id: str, *, with_traits: bool = True) -> ImportLock:
    """Lock a graph for an import; the graph counts as being imported from now on.

    Args:
        store: the database.
        graph_id: the graph.
        with_traits: read the accepted traits, so that damaged ones keep the lock from being taken; a deletion does not
            need them.

    Raises:
        IllegalState: the accepted traits are damaged; nothing was locked.
        ImportRunning: another import of the graph runs.
        GraphUnavailable: the database does not answer.
    """
    owner = _new_owner()
    dead = ""

    def begin(tx: Transaction) -> tuple[Row, tuple[Acceptance, ...]]:
        row = tx.rows("importing/begin", graph_id=graph_id, owner=owner, dead=dead, lease_ms=LEASE_MS)[0]
        return row, parse_accepted(row["accepted"]) if with_traits else ()  # an error here undoes the lock

    for _ in range(2):
        row, accepted = store.write_transaction(begin)
        if row["free"]:
            return ImportLock(
                graph_id=graph_id,
                owner=owner,
                digest=row["digest"] or "",
                resumed=row["resumed"],
                accepted=accepted,
            )
        if row["blocked"]:
            raise _blocked(graph_id, row["blocked"])
        if not _is_dead(row["holder"]):
            break
        dead = row["holder"]
    raise ImportRunning(
        "another import of this graph runs",
        field="graph_id",
        value=graph_id,
        hint=f"Wait for it; the lock of one that was killed elsewhere ends by itself after {LEASE_MS // 1000} s.",
        metadata={"graph_id": graph_id},
    )


def _blocked(graph_id: str, by: str) -> ImportRunning:
    """The error for a graph that a deletion or the loading of an archive holds, running or cut off."""
    words = {
        "deletion": ("the graph is being deleted", "Complete the deletion: `ksmith graph delete` again; then import."),
        "archive": ("an archive is being loaded under this id", "Complete it: `ksmith graph load` again."),
    }
    message, hint = words[by]
    return ImportRunning(message, field="graph_id", value=graph_id, hint=hint, metadata={"graph_id": graph_id})


def _new_owner() -> str:
    process = identify(os.getpid())
    ticks = process.started_ticks if process else 0
    return _SEPARATOR.join((socket.gethostname(), str(os.getpid()), str(ticks), uuid.uuid4().hex))


def _is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that does not run any more."""
    parts = holder.split(_SEPARATOR)
    if len(parts) != 4 or parts[0] != socket.gethostname():
        return False
    pid, ticks = parts[1], parts[2]
    if not (pid.isdigit() and ticks.isdigit()) or ticks == "0":
        return False
    return not ProcessIdentity(int(pid), int(ticks)).is_alive()


def _lost(graph_id: str) -> FenceRejected:
    return FenceRejected(
        "another import took this graph over",
        field="graph_id",
        value=graph_id,
        hint="Run the import again when the other one has ended.",
        metadata={"graph_id": graph_id},
    )
