"""Watching an intervention through broken connections: every ledger row once, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import grpc

from knowledgesmith.v1 import intervention_pb2 as pb

from ._errors import SequenceGap, ServerFault, SlowWatcher, Unavailable
from ._retry import Backoff
from ._rpc_errors import from_rpc_error
from ._types.events import BeliefBatch, Heartbeat, StateChanged, WatchEvent, read_event
from ._types.interventions import Intervention

OpenStream = Callable[[int], Generator[pb.WatchInterventionResponse]]


@dataclass(slots=True, kw_only=True)
class Watch:
    """One watch; iterate over ``events()``.

    Attributes:
        open_stream: opens a stream of the rows after a sequence number.
        after_sequence: last row that the caller has; moves with the stream.
        backoff: pauses between connections; starts anew whenever something arrives.
    """

    open_stream: OpenStream
    after_sequence: int = 0
    backoff: Backoff = field(default_factory=lambda: Backoff(first_s=0.2, longest_s=10.0, attempts=12))
    _latest: Intervention | None = None

    def events(self) -> Iterator[WatchEvent]:
        """Yield events until the intervention has ended and every row was seen.

        Raises:
            SequenceGap: rows are missing between two batches.
            ServerFault: the server keeps ending the stream of an intervention that goes on.
            KnowledgeSmithClientError: the server refused, or stayed unavailable through all pauses.
        """
        pauses = self.backoff.pauses()
        while True:
            failure: Exception = ServerFault("The server keeps ending the watch before the intervention has ended.")
            try:
                for event in self._one_connection():
                    if not isinstance(event, StateChanged):
                        pauses = self.backoff.pauses()
                    yield event
                    if self._complete(event):
                        return
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                if not isinstance(failure, (Unavailable, SlowWatcher)):
                    raise failure from None
            else:
                if self._ended:
                    return
            pause = next(pauses, None)
            if pause is None:
                raise failure
            time.sleep(pause)

    def _one_connection(self) -> Iterator[WatchEvent]:
        with closing(self.open_stream(self.after_sequence)) as stream:
            for message in stream:
                event = self._accept(message)
                if event is not None:
                    yield event

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
        rows = tuple(change for change in batch.changes if change.seq > self.after_sequence)
        if not rows:
            return None
        for expected, row in enumerate(rows, start=self.after_sequence + 1):
            if row.seq != expected:
                raise SequenceGap(
                    f"The watch expected ledger row {expected} and got row {row.seq}.",
                    field="seq",
                    value=str(row.seq),
                    hint=f"Watch again after sequence {self.after_sequence}.",
                )
        self.after_sequence = rows[-1].seq
        return replace(batch, first_sequence=rows[0].seq, last_sequence=rows[-1].seq, changes=rows)
