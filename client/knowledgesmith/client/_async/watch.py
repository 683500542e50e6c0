"""Watching an intervention through broken connections: every ledger row once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from knowledgesmith.client._errors import (
    KnowledgeSmithClientError,
    SequenceGap,
    ServerFault,
    SlowWatcher,
    Unavailable,
)
from knowledgesmith.client._retry import PATIENT, Backoff
from knowledgesmith.client._types.events import BeliefBatch, Heartbeat, StateChanged, WatchEvent, read_event
from knowledgesmith.client._types.interventions import Intervention
from knowledgesmith.v1 import intervention_pb2 as pb

OpenStream = Callable[[int], AsyncGenerator[pb.WatchInterventionResponse]]


@dataclass(slots=True, kw_only=True)
class AsyncWatch:
    """One watch; iterate over ``events()``.

    Attributes:
        open_stream: opens a stream of the rows after a sequence number.
        after_sequence: last row that the caller has; moves with the stream.
        backoff: pauses between connections; starts anew whenever something arrives.
    """

    open_stream: OpenStream
    after_sequence: int = 0
    backoff: Backoff = PATIENT
    _latest: Intervention | None = None

    async def events(self) -> AsyncGenerator[WatchEvent]:
        """Yield events until the intervention has ended and every row was seen.

        Raises:
            SequenceGap: rows are missing between two batches.
            ServerFault: the server keeps ending the stream of an intervention that goes on.
            KnowledgeSmithClientError: the server refused, or stayed unavailable through all pauses.
        """
        pauses = self.backoff.pauses()
        while True:
            failure: KnowledgeSmithClientError = ServerFault(
                "The server keeps ending the watch before the intervention has ended."
            )
            try:
                async with aclosing(self.open_stream(self.after_sequence)) as stream:
                    async for message in stream:
                        event = self._accept(message)
                        if event is None:
                            continue
                        if not isinstance(event, StateChanged):
                            pauses = self.backoff.pauses()
                        yield event
                        if self._complete(event):
                            return
            except (Unavailable, SlowWatcher) as broken:
                failure = broken
            else:
                if self._ended:
                    return
            pause = next(pauses, None)
            if pause is None:
                raise failure
            await asyncio.sleep(pause)

    @property
    def _ended(self) -> bool:
        return self._latest is not None and self._latest.state.terminal

    def _complete(self, event: WatchEvent) -> bool:
        """Whether a heartbeat after the end confirms that every row was seen (the stream may then stay open)."""
        return self._ended and isinstance(event, Heartbeat) and event.committed_sequence <= self.after_sequence

    def _accept(self, message: pb.WatchInterventionResponse) -> WatchEvent | None:
        event = read_event(message)
        if isinstance(event, StateChanged):
            self._latest = event.intervention
        return self._new_rows(event) if isinstance(event, BeliefBatch) else event

    def _new_rows(self, batch: BeliefBatch) -> BeliefBatch | None:
        """The rows not seen before; ``None`` if there are none."""
        rows = tuple(change for change in batch.changes if change.sequence > self.after_sequence)
        if not rows:
            return None
        for expected, row in enumerate(rows, start=self.after_sequence + 1):
            if row.sequence != expected:
                raise SequenceGap(
                    f"The watch expected ledger row {expected} and got row {row.sequence}.",
                    field="sequence",
                    value=str(row.sequence),
                    hint=f"Watch again after sequence {self.after_sequence}.",
                )
        self.after_sequence = rows[-1].sequence
        return replace(batch, first_sequence=rows[0].sequence, last_sequence=rows[-1].sequence, changes=rows)
