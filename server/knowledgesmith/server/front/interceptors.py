"""What every call passes through: metrics, deadlines, draining, and domain errors turned into status.

The call's deadline and its end reach its work as ``graph_schema.cancellation``'s caller.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, cast

import grpc
from google.protobuf.message import Message
from grpc import aio

from knowledgesmith.graph_schema.cancellation import Caller, set_caller
from knowledgesmith.graph_schema.errors import Cancelled, DeadlineExceeded, KnowledgeSmithError, ServerDraining
from knowledgesmith.server.front.policies import POLICIES
from knowledgesmith.server.wire.message_sizes import check_request
from knowledgesmith.server.wire.statuses import code_of, message_of, trailers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from knowledgesmith.server.front.policies import Policy
    from knowledgesmith.server.metrics import MetricSink

_LOG = logging.getLogger(__name__)

_CLOCK_SECONDS = 0.05
"""The framework's clock and ours agree as well as this on a deadline."""

Context: TypeAlias = "aio.ServicerContext[Any, Any]"


class ServiceInterceptor(aio.ServerInterceptor):
    """Wraps every handler that has a policy; health and reflection pass untouched."""

    def __init__(self, metrics: MetricSink, *, draining: asyncio.Event) -> None:
        self._metrics = metrics
        self._draining = draining

    async def intercept_service(
        self,
        continuation: Callable[[Any], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Replace the handler by its wrapped twin."""
        handler = await continuation(handler_call_details)
        path = str(handler_call_details.method)
        policy = POLICIES.get(path)
        if handler is None or policy is None:
            return handler
        service, _, method = path.rpartition("/")
        name = f"{service.rpartition('.')[2]}/{method}"
        if handler.request_streaming and handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._streaming(name, policy, handler.stream_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(name, policy, handler.unary_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.request_streaming:
            return grpc.stream_unary_rpc_method_handler(
                self._unary(name, policy, handler.stream_unary),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(name, policy, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )

    def _unary(self, name: str, policy: Policy, inner: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: Context) -> Any:
            start = time.perf_counter()
            self._metrics.inc("ksmith_grpc_server_started", method=name)
            asked = _seconds_left(context)
            seconds = policy.seconds if asked is None else max(asked, 0.05)
            caller = Caller(seconds)
            set_caller(caller)
            try:
                self._check_draining(policy)
                if isinstance(request, Message):
                    check_request(request)
                response = await asyncio.wait_for(inner(request, context), seconds)
                self._ended(name, grpc.StatusCode.OK)
            except TimeoutError:
                await self._late(name, context)
            except asyncio.CancelledError:
                self._ended(name, _left(caller))
                raise
            except KnowledgeSmithError as error:
                if isinstance(error, Cancelled) and not caller.waits:  # the work saw it before the clock here did
                    await self._late(name, context)
                await self._refuse(name, error, context)
            except aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - the last resort: logged, and INTERNAL for the client
                await self._crash(name, error, context)
            else:
                return response
            finally:
                caller.leave()
                self._metrics.observe("ksmith_grpc_server_handling_seconds", time.perf_counter() - start, method=name)

        return call

    def _streaming(self, name: str, policy: Policy, inner: Callable[..., Any]) -> Callable[..., Any]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            self._metrics.inc("ksmith_grpc_server_started", method=name)
            caller = Caller(_seconds_left(context))
            set_caller(caller)
            try:
                self._check_draining(policy)
                if isinstance(request, Message):
                    check_request(request)
                async for message in inner(request, context):
                    yield message
                self._ended(name, grpc.StatusCode.OK)
            except KnowledgeSmithError as error:
                await self._refuse(name, error, context)
            except (aio.AbortError, asyncio.CancelledError, GeneratorExit):
                self._ended(name, _left(caller))
                raise
            except Exception as error:  # noqa: BLE001 - the last resort: logged, and INTERNAL for the client
                await self._crash(name, error, context)
            finally:
                caller.leave()

        if not inspect.isasyncgenfunction(inner):
            raise TypeError(f"{name} must be an async generator")
        return call

    def _check_draining(self, policy: Policy) -> None:
        if self._draining.is_set() and policy.writes:
            raise ServerDraining("the server is shutting down", hint="Retry in a few seconds.")

    def _ended(self, name: str, code: grpc.StatusCode) -> None:
        self._metrics.inc("ksmith_grpc_server_handled", method=name, code=code.name)

    async def _refuse(self, name: str, error: KnowledgeSmithError, context: Context) -> NoReturn:
        code = code_of(error)
        self._ended(name, code)
        await context.abort(code, message_of(error), trailers(error))

    async def _late(self, name: str, context: Context) -> NoReturn:
        late = DeadlineExceeded("the call took longer than its deadline", hint="Give it a longer deadline.")
        await self._refuse(name, late, context)

    async def _crash(self, name: str, error: Exception, context: Context) -> NoReturn:
        _LOG.error("unexpected error in %s", name, exc_info=error)
        await self._refuse(name, KnowledgeSmithError("internal error; the server's log has the details"), context)


def _left(caller: Caller) -> grpc.StatusCode:
    """Why a call was cancelled: the framework cancels it as well when its deadline has come."""
    left = caller.seconds_left()
    late = left is not None and left <= _CLOCK_SECONDS
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED


def _seconds_left(context: Context) -> float | None:
    return cast("float | None", context.time_remaining())
