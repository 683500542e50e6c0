"""Deadlines, cancellation and long work: nobody's work ends, and it never keeps short calls waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import Cancelled, ServerBusy
from knowledgesmith.server.front.executors import Lane
from knowledgesmith.server.front.interceptors import ServiceInterceptor
from knowledgesmith.server.front.policies import Policy
from knowledgesmith.server.metrics import Metrics

DEADLINE = 0.5
PATIENCE = 30.0


class Service:
    """``work`` stays in a lane until it may go or notices that nobody waits; ``short`` answers."""

    def __init__(self, lane: Lane, *, looks: bool) -> None:
        self.lane, self._looks = lane, looks
        self.begun, self.ended, self.go = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    async def work(self, _request: bytes, _context: object) -> bytes:
        return await self.lane.run(self._work)

    async def short(self, _request: bytes, _context: object) -> bytes:
        return await asyncio.to_thread(bytes)

    def _work(self) -> bytes:
        self.begun.release()
        try:
            while not self.go.wait(0.01):
                if self._looks:
                    cancellation.check()
        finally:
            self.ended.release()
        return b""


NAMES = ("work", "short")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interceptor takes the methods here for its own."""
    policy = Policy(seconds=PATIENCE, writes=False)
    known = {f"/knowledgesmith.test/{name}": policy for name in NAMES}
    monkeypatch.setattr("knowledgesmith.server.front.interceptors.POLICIES", known)


@asynccontextmanager
async def served(service: Service) -> AsyncGenerator[Callable[[str, float], Any]]:
    """A server with the interceptor; the value calls a method by name."""
    handlers: dict[str, Any] = {name: grpc.unary_unary_rpc_method_handler(getattr(service, name)) for name in NAMES}
    server = aio.server(interceptors=[ServiceInterceptor(Metrics(), draining=asyncio.Event())])
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("knowledgesmith.test", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        channel: Any  # its stubs have no types for raw bytes
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:

            def call(name: str, timeout: float) -> Any:
                return channel.unary_unary(f"/knowledgesmith.test/{name}")(b"", timeout=timeout)

            yield call
    finally:
        service.go.set()
        await server.stop(0)
        service.lane.close()


async def code_of(call: Any) -> tuple[str, str]:
    """Status and reason of a call."""
    try:
        await call
    except asyncio.CancelledError:
        return "CANCELLED", ""
    except aio.AioRpcError as error:
        info = error_details_pb2.ErrorInfo()
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                status_pb2.Status.FromString(bytes(value)).details[0].Unpack(info)  # type: ignore[arg-type]
        return error.code().name, info.reason
    return "OK", ""


async def released(semaphore: threading.Semaphore) -> bool:
    return await asyncio.to_thread(semaphore.acquire, timeout=PATIENCE)


async def test_work_ends_when_its_deadline_has_passed() -> None:
    service = Service(Lane("test", threads=1, waiting=0), looks=True)
    async with served(service) as call:
        assert (await code_of(call("work", DEADLINE)))[0] == "DEADLINE_EXCEEDED"
        assert await released(service.ended)


async def test_work_ends_when_its_caller_has_gone() -> None:
    service = Service(Lane("test", threads=1, waiting=0), looks=True)
    async with served(service) as call:
        asked = call("work", PATIENCE)
        assert await released(service.begun)
        asked.cancel()
        assert await released(service.ended)


async def test_abandoned_work_that_does_not_look_keeps_only_its_own_lane_busy() -> None:
    service = Service(Lane("test", threads=1, waiting=2), looks=False)
    async with served(service) as call:
        calls = [call("work", PATIENCE) for _ in range(70)]
        pending = {asyncio.ensure_future(code_of(one)) for one in calls}
        refused: set[asyncio.Future[tuple[str, str]]] = set()
        while len(refused) < 67:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            refused |= done
        assert {one.result() for one in refused} == {("RESOURCE_EXHAUSTED", "SERVER_BUSY")}
        for one in calls:
            one.cancel()
        assert await code_of(call("short", PATIENCE)) == ("OK", "")
        assert not service.ended.acquire(blocking=False)
        assert {one.result()[0] for one in (await asyncio.wait(pending))[0]} == {"CANCELLED"}


async def test_what_waits_leaves_its_place_with_its_caller_and_what_runs_keeps_it() -> None:
    lane = Lane("test", threads=1, waiting=1)
    hold, begun = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return hold.wait(PATIENCE)

    running = asyncio.ensure_future(lane.run(work))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    for _ in range(3):
        waiting = asyncio.ensure_future(lane.run(work))
        await asyncio.sleep(0)
        with pytest.raises(ServerBusy):
            await lane.run(work)
        waiting.cancel()
        await asyncio.wait([waiting])
    running.cancel()
    await asyncio.wait([running])
    waiting = asyncio.ensure_future(lane.run(work))
    await asyncio.sleep(0)
    with pytest.raises(ServerBusy):
        await lane.run(work)
    hold.set()
    assert await waiting
    lane.close()


async def test_a_lane_carries_values_and_errors_and_counts_what_has_ended() -> None:
    lane = Lane("test", threads=1, waiting=0)
    assert await lane.run(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        await lane.run(divmod, 1, 0)
    hold = threading.Event()
    first = asyncio.ensure_future(lane.run(hold.wait, PATIENCE))
    await asyncio.sleep(0)
    with pytest.raises(ServerBusy) as busy:
        await lane.run(divmod, 1, 1)
    assert busy.value.hint
    hold.set()
    assert await first
    lane.close()


def test_a_caller_waits_until_it_leaves_or_its_deadline_has_passed() -> None:
    caller = cancellation.Caller()
    caller.check()
    assert caller.seconds_left() is None
    caller.leave()
    late = cancellation.Caller(0.0)
    for gone in (caller, late):
        assert not gone.waits
        with pytest.raises(Cancelled):
            gone.check()
