"""Pure parts of the server: paging, ids, hub, channel, gates, batching."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.cancellation import Caller
from knowledgesmith.graph_schema.errors import InvalidInput, PageTokenMismatch
from knowledgesmith.graph_schema.interventions.records import Gate
from knowledgesmith.graph_schema.propagation import Group
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict
from knowledgesmith.graph_schema.types.plans import LedgerSlot
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind, Role
from knowledgesmith.server.events import Hub, InterventionProgress
from knowledgesmith.server.front.gc_tuning import collect_rarely
from knowledgesmith.server.wire import conversions, paging, propagation
from knowledgesmith.server.worker.attempt import gates, reporting
from knowledgesmith.server.worker.attempt.runner import batches
from knowledgesmith.server.worker.channel import Channel


@given(st.lists(st.one_of(st.text(), st.integers(0, 2**50))), st.lists(st.text(), min_size=1))
def test_page_tokens_round_trip_and_are_bound(position: list[str | int], listing: list[str]) -> None:
    token = paging.encode(listing, position)
    shape = [type(part) for part in position]
    assert paging.decode(listing, token, *shape) == position
    with pytest.raises(PageTokenMismatch):
        paging.decode([*listing, "other"], token, *shape)


@pytest.mark.parametrize("position", [[-1], [2**60], ["1"], [True], [1, 2], [], [[1]], [1.5]])
def test_forged_positions_are_refused(position: list[Any]) -> None:
    token = paging.encode(["List"], position)
    with pytest.raises(PageTokenMismatch):
        paging.decode(["List"], token, int)


@given(st.text(min_size=1))
def test_any_text_is_a_refused_token(token: str) -> None:
    with pytest.raises(PageTokenMismatch):
        paging.decode(["List"], token)


@pytest.mark.parametrize(("asked", "given_"), [(0, 50), (7, 7), (10**6, 1000)])
def test_page_sizes_are_coerced(asked: int, given_: int) -> None:
    assert paging.page_size(asked) == given_


@pytest.mark.parametrize("text", ["", "A", "1a", "a" * 64, "a b", "a/b", "..", "a`b", "ä"])
def test_ids_are_checked(text: str) -> None:
    with pytest.raises(InvalidInput):
        conversions.check_id(text, "id")
    assert conversions.check_id("a-1_b", "id") == "a-1_b"


async def test_hub_wakes_watchers_and_forgets_topics() -> None:
    hub = Hub()
    watcher = hub.subscribe("a")
    hub.publish("a", InterventionProgress(phase="apply", step="solve", done=1, total=2))
    hub.publish("b")
    await asyncio.wait_for(watcher.wait(30), 1)
    assert watcher.progress == InterventionProgress(phase="apply", step="solve", done=1, total=2)
    await watcher.wait(0.01)
    watcher.close()
    again = hub.subscribe("a")
    assert again.progress is None
    again.close()


def test_a_method_s_steps_are_told_within_the_phase_that_applies_it() -> None:
    told: list[tuple[object, ...]] = []

    def progress(intervention: str, phase: str, done: int, total: int, *, step: str) -> None:
        told.append((intervention, phase, step, done, total))

    reporter: Any = SimpleNamespace(progress=progress)
    phases = reporting.InterventionProgress(reporter, "iv_1", Caller())
    phases.step("measure_before", 3, 3)
    phases.within("apply").step("value search", 7, 7)
    assert told == [("iv_1", "measure_before", "", 3, 3), ("iv_1", "apply", "value search", 7, 7)]


def test_channel_carries_json_both_ways() -> None:
    left, right = socket.socketpair()
    ours, theirs = Channel(left.detach()), Channel(right.detach())
    ours.send({"call": "ask", "args": {"text": "naïve \x00 😀 \ud83d"}})
    assert theirs.receive()["args"]["text"] == "naïve \x00 😀 \ud83d"
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive()
    theirs.close()


def test_a_gate_on_the_residual_sees_what_had_an_old_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that did not move keeps all of its old answers, whatever else should have come to be."""
    unmoved = Group(
        key="all",
        role="follows",
        rows=9,
        entities=3,
        mean_before=1.0,
        mean_after=1.0,
        mean_delta=0.0,
        missed=22,
        old=17,
        kept=17,
        ended=4,
        guess_kept=4.25,
    )
    stays = Group(
        key="all", role="stays", rows=1, entities=1, mean_before=1.0, mean_after=1.0, mean_delta=0.0, preserved=1
    )

    def groups(*_: object) -> tuple[list[Group], None]:
        return [unmoved, stays], None

    monkeypatch.setattr(gates, "groups", groups)
    intervention: Any = SimpleNamespace(id="run", spec=SimpleNamespace(gates=()))
    nothing: Any = None
    values = gates.measure(nothing, intervention, Health(verdict=HealthVerdict.HEALTHY))
    assert values == {"collateral": 0.0, "propagated": 0.0, "forgotten": 0.0, "residual": 1.0}
    assert gates.failed([Gate(metric="residual", max=0.8)], values)
    rates = propagation.group_to(unmoved)
    assert (rates.residual.trials, rates.propagated.trials, rates.forgotten.trials) == (17, 18, 4)
    assert rates.residual.chance == 0.25
    withheld = propagation.group_to(unmoved, withheld=True)
    assert not withheld.propagated.HasField("value")
    assert withheld.collateral == rates.collateral


def test_gates_fail_without_evidence() -> None:
    wanted = (Gate(metric="collateral", max=0.05), Gate(metric="propagated", min=0.9), Gate(metric="residual", max=0.5))
    lines = gates.failed(wanted, {"collateral": 0.05, "propagated": 0.5})
    assert [line.split()[0] for line in lines] == ["propagated", "residual"]
    assert gates.failed(wanted, {"collateral": math.nan, "propagated": 1, "residual": 0}) != []


def slot(seq: int, entity: str, probes: int) -> LedgerSlot:
    return LedgerSlot(
        seq=seq,
        entity=entity,
        fact_id="f",
        relation="r",
        kind=ProbeKind.DIRECT,
        polarity=Polarity.STAY,
        role=Role.STAYS,
        hops=0,
        nearest_target="t",
        probe_ids=tuple(f"{seq}.{n}" for n in range(probes)),
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60)), max_size=40))
def test_batches_keep_order_and_entities_whole(shape: list[tuple[int, int]]) -> None:
    slots = [slot(seq, f"e{entity}", n) for seq, (entity, n) in enumerate(sorted(shape), start=1)]
    found = list(batches(slots, 48))
    assert [s for batch in found for s in batch] == slots
    entities = [{s.entity for s in batch} for batch in found]
    assert all(not (a & b) for a, b in itertools.pairwise(entities))
    assert all(sum(len(s.probe_ids) for s in batch) >= 48 for batch in found[:-1])


def test_the_front_process_does_not_import_torch() -> None:
    code = "import sys, knowledgesmith.server.app; print('torch' in sys.modules or 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_wrong_setting_is_told_before_the_service_is_imported() -> None:
    code = """if True:
        import sys
        from knowledgesmith.server.__main__ import main
        status = main(["--dtype", "half"])
        print(status, "knowledgesmith.server.app" in sys.modules, "grpc" in sys.modules, "neo4j" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 False False False"


def test_the_front_process_looks_for_garbage_seldom() -> None:
    usual = gc.get_threshold()
    try:
        collect_rarely()
        assert all(seldom > often for seldom, often in zip(gc.get_threshold(), usual, strict=True))
    finally:
        gc.set_threshold(*usual)
