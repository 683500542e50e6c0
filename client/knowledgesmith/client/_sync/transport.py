"""One channel: metadata, deadlines, retries, and errors turned into the client's own."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf.message import Message

from knowledgesmith.client._retry import Backoff
from knowledgesmith.client._wire.outgoing import Outgoing, own_end, states
from knowledgesmith.client._wire.policies import Policy, policy_of
from knowledgesmith.client._wire.rpc_errors import from_rpc_error, is_unavailable
from knowledgesmith.v1 import options_pb2

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

Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """Calls over one channel; deadlines and repetitions follow the policy that stands beside each method.

    Attributes:
        channel: to the server.
        metadata: sent with every call.
        timeout_s: deadline of quick calls, in seconds.
        long_timeout_s: deadline of calls that plan, suggest or measure, in seconds.
        backoff: pauses between attempts of a repeatable call that found the server unavailable.
        closed: set when the channel is closed.
    """

    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0
    long_timeout_s: float = 900.0
    backoff: Backoff = field(default_factory=Backoff)
    closed: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def to(
        cls, target: str, *, metadata: tuple[tuple[str, str], ...], timeout_s: float, long_timeout_s: float
    ) -> Transport:
        """A transport to ``host:port``."""
        channel = grpc.insecure_channel(target, options=_OPTIONS)
        return cls(channel=channel, metadata=metadata, timeout_s=timeout_s, long_timeout_s=long_timeout_s)

    def unary(self, request: Message, answer: type[Answer], *, longer_s: float = 0.0) -> Answer:
        """Send a request and return the answer; a repeatable one goes again while the server is unavailable.

        Args:
            request: its type tells the method.
            answer: type of the answer.
            longer_s: seconds that the server is asked to wait, on top of the method's deadline.

        Raises:
            KnowledgeSmithClientError: the server refused, broke, or did not answer in time.
        """
        policy = policy_of(type(request))
        method = self.channel.unary_unary(
            policy.path, request_serializer=_serialize, response_deserializer=answer.FromString
        )
        return cast("Answer", self._send(method, lambda: request, policy, longer_s))

    def upload(
        self, kind: type[Message], parts: Callable[[], Iterator[Message]], answer: type[Answer], files: Sequence[Path]
    ) -> Answer:
        """Send a stream of requests and return the answer; a repeatable one goes again from its beginning.

        What can be read only once, as a pipe, or has changed meanwhile is never sent again: it would be another upload.

        Args:
            kind: type of the requests, which tells the method.
            parts: makes the stream, once an attempt.
            answer: type of the answer.
            files: what the stream is read from.

        Raises:
            InvalidInput: a file cannot be read to its end.
            ClientClosed: the client is closed.
            KnowledgeSmithClientError: the server refused, broke, or did not answer in time.
        """
        policy = policy_of(kind)
        method = self.channel.stream_unary(
            policy.path, request_serializer=_serialize, response_deserializer=answer.FromString
        )
        return cast("Answer", self._send(method, lambda: Outgoing(parts()), policy, 0.0, files))

    def stream(self, request: Message, answer: type[Answer]) -> Generator[Answer]:
        """Send a request and yield the stream that answers it; never repeated. Closing the generator ends the call.

        Raises:
            KnowledgeSmithClientError: the server refused or broke, or the connection did.
        """
        policy = policy_of(type(request))
        method: Any = self.channel.unary_stream(
            policy.path, request_serializer=_serialize, response_deserializer=answer.FromString
        )
        try:
            with own_end(self.closed):
                call = method(request, timeout=self._timeout_s(policy), metadata=self.metadata)
                try:
                    yield from call
                finally:
                    call.cancel()
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def close(self) -> None:
        """Close the channel; calls that run, and later ones, raise ``ClientClosed``."""
        self.closed.set()
        self.channel.close()

    def _timeout_s(self, policy: Policy) -> float | None:
        match policy.duration:
            case options_pb2.METHOD_DURATION_UNBOUNDED:
                return None
            case options_pb2.METHOD_DURATION_LONG:
                return max(self.timeout_s, self.long_timeout_s)
            case _:
                return self.timeout_s

    def _send(
        self, method: Any, argument: Callable[[], Any], policy: Policy, longer_s: float, files: Sequence[Path] = ()
    ) -> Any:
        before = states(files)
        allowed = self._timeout_s(policy)
        deadline = None if allowed is None else time.monotonic() + allowed + longer_s
        pauses = self.backoff.pauses() if policy.repeatable else iter(())
        while True:
            left = None if deadline is None else max(0.05, deadline - time.monotonic())
            sent = argument()
            try:
                with own_end(self.closed, sent):
                    return method(sent, timeout=left, metadata=self.metadata)
            except grpc.RpcError as error:
                pause = next(pauses, None) if is_unavailable(error) else None
                if pause is None or (deadline is not None and time.monotonic() + pause >= deadline):
                    raise from_rpc_error(error) from None
                if before is None or states(files) != before:
                    raise from_rpc_error(error) from None
            time.sleep(pause)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
