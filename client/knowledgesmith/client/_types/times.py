"""Times of the wire."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def read_time(stamp: Timestamp) -> datetime | None:
    """The UTC time of ``stamp``; ``None`` when it was never set (the epoch itself is no time of this service)."""
    if not stamp.seconds and not stamp.nanos:
        return None
    return stamp.ToDatetime(tzinfo=UTC)
