"""What is sent from files, and what ends a call on this side rather than on the server's."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Self

import grpc
import grpc.aio
from google.protobuf.message import Message

from knowledgesmith.client._errors import ClientClosed


@dataclass(slots=True)
class Outgoing:
    """A stream of requests, for calls with an event loop and without; it keeps what it failed of.

    gRPC cancels a call whose requests fail and drops the reason. With an event loop files are read in threads, so that
    a slow disk or a pipe holds up nothing else.
    """

    parts: Iterator[Message]
    failure: Exception | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        try:
            return next(self.parts)
        except StopIteration:
            raise
        except Exception as error:
            self.failure = error
            raise

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        part = await asyncio.to_thread(next, self, None)
        if part is None:
            raise StopAsyncIteration
        return part


def states(paths: Sequence[Path]) -> list[tuple[int, int]] | None:
    """Size and time of change of each file; ``None`` where one can be read only once, as a pipe, or is gone."""
    found: list[tuple[int, int]] = []
    for path in paths:
        try:
            known = path.stat()
        except OSError:
            return None
        if not stat.S_ISREG(known.st_mode):
            return None
        found.append((known.st_size, known.st_mtime_ns))
    return found


@contextmanager
def own_end(closed: Event, sent: object = None) -> Generator[None]:
    """Tell the end of a call that began on this side: its requests failed, or the client was closed.

    Raises:
        ClientClosed: the client was closed before the call, or while it ran.
        Exception: what the requests failed of.
    """
    failure = None
    try:
        yield
        return
    except grpc.RpcError as error:
        failure = sent.failure if isinstance(sent, Outgoing) else None
        if failure is None and not (closed.is_set() and getattr(error, "code", lambda: None)() in _CLOSING):
            raise
    except asyncio.CancelledError:
        task = asyncio.current_task()
        failure = sent.failure if isinstance(sent, Outgoing) else None
        # a task that somebody cancels ends as such; gRPC raises the same where it gave up the call itself
        if (task is not None and task.cancelling()) or (failure is None and not closed.is_set()):
            raise
    except (ValueError, grpc.aio.UsageError):  # what gRPC's two kinds of channels say of one that is closed
        if not closed.is_set():
            raise
    if failure is not None:
        raise failure
    raise ClientClosed("The client is closed.", hint="Make a new one: operations go on, and are found by their names.")


_CLOSING = (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
