"""Messages between the front process and its worker: JSON over a socket pair, never pickle.

Front to worker: ``{"id": 7, "call": "ask", "args": {…}}``. Worker to front: ``{"id": 7, "result": …}``,
``{"id": 7, "error": {…}}`` or ``{"event": "batch", …}``. With ``{"id": 0, "call": "withdraw", "args": {"number": 7}}``
nobody waits for the answer to 7 any more.
"""

from __future__ import annotations

import json
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

from knowledgesmith.graph_schema.errors import KnowledgeSmithError
from knowledgesmith.server.wire.statuses import metadata_of, rebuild

Message = dict[str, Any]
"""A JSON object."""
BEAT_SECONDS: Final = 2.0
"""A worker says so often that it runs."""


class Channel:
    """One end of the pair; sending is thread-safe, receiving belongs to one thread."""

    def __init__(self, fd: int) -> None:
        self._connection = Connection(fd)
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            OSError: the other end is gone.
        """
        raw = json.dumps(message).encode()
        with self._lock:
            self._connection.send_bytes(raw)

    def receive(self) -> Message:
        """Wait for one message.

        Raises:
            EOFError, OSError: the other end is gone.
        """
        message: Message = json.loads(self._connection.recv_bytes())
        return message

    def close(self) -> None:
        """Close this end."""
        self._connection.close()


def dump_error(error: KnowledgeSmithError) -> Message:
    """An error as a message."""
    return {"reason": error.reason, "message": error.message, "metadata": metadata_of(error)}


def load_error(message: Message) -> KnowledgeSmithError:
    """The inverse of :func:`dump_error`."""
    return rebuild(message["reason"], message["message"], message["metadata"])


class PipeSink:
    """The worker's :class:`~knowledgesmith.server.metrics.MetricSink`: every sample becomes an event."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def inc(self, name: str, value: float = 1.0, /, **labels: str) -> None:
        """Add to a counter."""
        self._send("inc", name, value, labels)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Set a gauge."""
        self._send("set", name, value, labels)

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        """Add an observation to a histogram."""
        self._send("observe", name, value, labels)

    def _send(self, op: str, name: str, value: float, labels: dict[str, str]) -> None:
        self._channel.send({"event": "metric", "op": op, "name": name, "value": value, "labels": labels})
