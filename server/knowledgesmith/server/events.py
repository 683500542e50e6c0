"""What the front process knows of running interventions beyond the graph: latest progress, and who waits for news."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InterventionProgress:
    """Progress within a phase, or a step of it in the method's own words; ``total`` 0 means unknown."""

    phase: str
    done: int
    total: int
    step: str = ""


@dataclass(slots=True)
class _Topic:
    version: int = 0
    progress: InterventionProgress | None = None
    waiters: set[asyncio.Event] = field(default_factory=set[asyncio.Event])


class Hub:
    """Wakes watchers; all methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self.streams = 0

    def publish(self, intervention_id: str, progress: InterventionProgress | None = None) -> None:
        """Something happened to an intervention: new ledger rows, another state, or progress."""
        topic = self._topics.get(intervention_id)
        if topic is None:
            return
        topic.version += 1
        topic.progress = progress or topic.progress
        for waiter in topic.waiters:
            waiter.set()

    def subscribe(self, intervention_id: str) -> Subscription:
        """Wait for news of one intervention; close the subscription when done."""
        topic = self._topics.setdefault(intervention_id, _Topic())
        return Subscription(self, intervention_id, topic)

    def drop(self, intervention_id: str, topic: _Topic, event: asyncio.Event) -> None:
        """Forget a waiter, and the topic with its last one."""
        topic.waiters.discard(event)
        if not topic.waiters:
            self._topics.pop(intervention_id, None)


class Subscription:
    """One watcher's view of a topic."""

    def __init__(self, hub: Hub, intervention_id: str, topic: _Topic) -> None:
        self._hub, self._id, self._topic = hub, intervention_id, topic
        self._event = asyncio.Event()
        topic.waiters.add(self._event)

    @property
    def progress(self) -> InterventionProgress | None:
        """Latest progress."""
        return self._topic.progress

    async def wait(self, seconds: float) -> None:
        """Return at the next news, or after ``seconds``: news may be lost with a worker, so readers poll as well."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._event.clear()

    def close(self) -> None:
        """Stop waiting."""
        self._hub.drop(self._id, self._topic, self._event)
