"""One channel: metadata, deadlines, retries, and errors turned into the client's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import grpc

from ._errors import InvalidInput
from ._retry import Backoff
from ._rpc_errors import from_rpc_error

DEFAULT_TARGET: Final = "127.0.0.1:7617"
ACTOR_KEY: Final = "x-ksmith-actor"
_MEBIBYTE: Final = 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 * _MEBIBYTE),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 0),
    ("grpc.enable_retries", 0),
    # a proxy of the environment must not come between the client and a server on this machine
    ("grpc.enable_http_proxy", 0),
)

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Deadlines in seconds: ``quick`` for reads, ``slow`` for calls that load, plan, generate or import."""

    quick: float = 30.0
    slow: float = 900.0


def check_actor(actor: str) -> str:
    """Return ``actor`` if it can travel in metadata.

    Raises:
        InvalidInput: it is empty, longer than 128 characters, or not printable ASCII.
    """
    if not actor or len(actor) > 128 or not (actor.isascii() and actor.isprintable()):
        raise InvalidInput(
            "The actor's name cannot be sent.",
            field="actor",
            value=ascii(actor[:60]),
            hint="Use 1 to 128 printable ASCII characters.",
        )
    return actor


@dataclass(slots=True, kw_only=True)
class Transport:
    """Calls over one channel.

    Attributes:
        target: ``host:port`` of the server.
        metadata: sent with every call.
        timeouts: deadlines of unary calls.
        backoff: pauses between attempts of an idempotent unary call that found the server unavailable.
    """

    target: str
    metadata: tuple[tuple[str, str], ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    backoff: Backoff = field(default_factory=Backoff)
    channel: grpc.Channel = field(init=False)

    def __post_init__(self) -> None:
        self.channel = grpc.insecure_channel(self.target, options=_OPTIONS)

    def unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        idempotent: bool = True,
        slow: bool = False,
    ) -> Response:
        """Call ``method``; an idempotent call is repeated while the server is unavailable and time is left.

        Raises:
            KnowledgeSmithClientError: the server refused, broke, or did not answer in time.
        """
        deadline = time.monotonic() + (self.timeouts.slow if slow else self.timeouts.quick)
        pauses = self.backoff.pauses() if idempotent else iter(())
        while True:
            try:
                return method(request, timeout=max(0.05, deadline - time.monotonic()), metadata=self.metadata)
            except grpc.RpcError as error:
                pause = next(pauses, None) if _unavailable(error) else None
                if pause is None or time.monotonic() + pause >= deadline:
                    raise from_rpc_error(error) from None
            time.sleep(pause)

    def upload(self, method: grpc.StreamUnaryMultiCallable[Request, Response], requests: Iterator[Request]) -> Response:
        """Send a stream once and return the answer; never repeated, since the stream is used up."""
        try:
            return method(requests, timeout=self.timeouts.slow, metadata=self.metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def download(
        self, method: grpc.UnaryStreamMultiCallable[Request, Response], request: Request
    ) -> Iterator[Response]:
        """Receive a stream once; a broken one is not taken up again."""
        call = method(request, timeout=self.timeouts.slow, metadata=self.metadata)
        try:
            yield from call
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    def close(self) -> None:
        """Close the channel; running calls end as cancelled."""
        self.channel.close()


def _unavailable(error: grpc.RpcError) -> bool:
    return isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.UNAVAILABLE
