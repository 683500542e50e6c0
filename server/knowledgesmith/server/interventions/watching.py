"""Watch streams: reads of the ledger. Nothing is queued; what a slow client has not read stays in the graph."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput, ServerDraining, TooLarge
from knowledgesmith.graph_schema.interventions import ledger, steps
from knowledgesmith.server.wire.enums import to_wire
from knowledgesmith.server.wire.interventions import intervention_to, row_to
from knowledgesmith.server.wire.message_sizes import LIST_BYTES, fitting
from knowledgesmith.v1 import intervention_pb2

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.interventions.ledger import LedgerRow
    from knowledgesmith.graph_schema.interventions.records import Intervention, Pulse
    from knowledgesmith.server.events import Subscription
    from knowledgesmith.server.front.dependencies import Parts

Response = intervention_pb2.WatchInterventionResponse

DEFAULT_BATCH = 256
MAX_BATCH = 1024
MAX_STREAMS = 512
POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0


async def watch(parts: Parts, request: intervention_pb2.WatchInterventionRequest) -> AsyncIterator[Response]:
    """State on connect and at every change, progress, and all ledger rows after a sequence number, in order.

    Ends when the intervention has ended and all its rows are sent.

    Raises:
        InvalidInput: a negative sequence number or batch size.
        InterventionNotFound: no such intervention.
        ServerDraining: the server shuts down; resume from the last sequence number.
    """
    for field in ("after_sequence", "max_batch"):
        if getattr(request, field) < 0:
            raise InvalidInput(
                "must not be negative", field=field, value=getattr(request, field), hint="Use 0 for the default."
            )
    size = min(request.max_batch or DEFAULT_BATCH, MAX_BATCH)
    intervention = await asyncio.to_thread(steps.get, parts.store, request.intervention_id)
    subscription = parts.hub.subscribe(intervention.id)
    if parts.hub.streams >= MAX_STREAMS:
        subscription.close()
        raise TooLarge(
            f"more than {MAX_STREAMS} watch streams", field="intervention_id", hint="Close some, or poll the ledger."
        )
    parts.hub.streams += 1
    parts.metrics.set("ksmith_watch_streams", parts.hub.streams)
    try:
        async for message in _follow(parts, intervention, request.after_sequence, size, subscription):
            yield message
    finally:
        subscription.close()
        parts.hub.streams -= 1
        parts.metrics.set("ksmith_watch_streams", parts.hub.streams)


async def _follow(
    parts: Parts, intervention: Intervention, sent: int, size: int, news: Subscription
) -> AsyncIterator[Response]:
    yield Response(state=intervention_to(intervention, basic=True))
    shown, progress, quiet_since = _key(intervention), news.progress, time.monotonic()
    while True:
        # The state is read before the rows: once it is terminal, the rows read after it are the last ones.
        pulse = await asyncio.to_thread(steps.pulse, parts.store, intervention.id)
        rows = await asyncio.to_thread(ledger.read, parts.store, intervention.id, after=sent, limit=size)
        if rows:
            batch = _batch(rows)
            sent = batch.last_sequence
            quiet_since = time.monotonic()
            yield Response(batch=batch)
            continue
        if news.progress is not None and news.progress != progress:
            progress = news.progress
            quiet_since = time.monotonic()
            yield Response(progress=_progress(news))
        if _key(pulse) != shown:
            intervention = await asyncio.to_thread(steps.get, parts.store, intervention.id)
            shown, quiet_since = _key(intervention), time.monotonic()
            yield Response(state=intervention_to(intervention, basic=True))
        if pulse.state.terminal:
            return
        if parts.draining.is_set():
            raise ServerDraining("the server is shutting down", hint=f"Resume after sequence {sent}.")
        if time.monotonic() - quiet_since > HEARTBEAT_SECONDS:
            quiet_since = time.monotonic()
            yield Response(heartbeat=intervention_pb2.Heartbeat(committed_sequence=pulse.written_rows))
        await news.wait(POLL_SECONDS)


def _key(intervention: Intervention | Pulse) -> tuple[object, ...]:
    return (
        intervention.state,
        intervention.phase,
        intervention.attempt,
        intervention.planned_rows,
        intervention.rolled_back_ms,
    )


def _batch(rows: list[LedgerRow]) -> intervention_pb2.BeliefBatch:
    """The first rows that fit into a message."""
    changes = fitting(map(row_to, rows), limit=LIST_BYTES)
    return intervention_pb2.BeliefBatch(
        first_sequence=changes[0].sequence, last_sequence=changes[-1].sequence, changes=changes
    )


def _progress(news: Subscription) -> intervention_pb2.ProgressEvent | None:
    latest = news.progress
    if latest is None:
        return None
    phase = to_wire(intervention_pb2.Phase, latest.phase)
    return intervention_pb2.ProgressEvent(phase=phase, step=latest.step, done=latest.done, total=latest.total)
