"""What only a program with an event loop does: many calls at once, and calls that are given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from tests.client.fake_server import FakeServer

from knowledgesmith.client import AsyncKnowledgeSmith, StateChanged


@pytest.fixture
async def smith(fake: FakeServer) -> AsyncIterator[AsyncKnowledgeSmith]:
    async with AsyncKnowledgeSmith(fake.target) as client:
        yield client


async def test_calls_and_operations_run_side_by_side(smith: AsyncKnowledgeSmith, fake: FakeServer) -> None:
    fake.operations.endless = {"CheckGraph"}
    handle = await smith.graphs.check(graph_id="atlas", wait=False)
    endless = asyncio.create_task(handle.result())
    graphs = await asyncio.gather(*(smith.graphs.get(graph_id=f"g{number}") for number in range(20)))
    assert [graph.id for graph in graphs] == [f"g{number}" for number in range(20)]
    assert (await smith.graphs.import_bundled(graph_id="mine")).report.facts_created == 12
    assert not endless.done()
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless
    assert not (await handle.refresh()).metadata.cancel_requested, "who waits no longer stops nothing"


async def test_a_watch_that_is_left_ends_the_call(smith: AsyncKnowledgeSmith, fake: FakeServer) -> None:
    async with aclosing(smith.interventions.watch(intervention_id="i1")) as events:
        async for event in events:
            assert isinstance(event, StateChanged)
            break
    assert len(fake.requests("WatchIntervention")) == 1
    assert (await smith.interventions.wait(intervention_id="i1")).state.terminal
