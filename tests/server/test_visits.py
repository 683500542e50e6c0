"""Questions, exports and proofs beside an intervention, and calls that are withdrawn: both sides.

Both sides run in this process and speak through a pair of sockets; model, database and methods are real. Where a test
stops the world it does so in the middle of a block of the model.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.names import fresh_graph
from tests.server.bench import Deaf, import_world, open_branch, queue, register
from transformers import modeling_utils

from knowledgesmith.editors.artefacts import exporting
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.testing.tiny import save_checkpoint, tiny_gpt2
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import InvalidInput, WorkerUnavailable
from knowledgesmith.graph_schema.interventions import branches, ledger, steps
from knowledgesmith.graph_schema.interventions.records import Intervention
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import State
from knowledgesmith.server.events import Hub
from knowledgesmith.server.metrics import Metrics
from knowledgesmith.server.runners.branches import BranchRunners
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.channel import Channel
from knowledgesmith.server.worker.loop import Worker
from knowledgesmith.server.worker.model.host import ModelHost
from knowledgesmith.server.worker.model.shelf import Held
from knowledgesmith.server.worker.supervisor import WorkerHandle

SECONDS = 120.0
PROMPTS = ["The capital of France is", "Osaka is a city of"]


class Gate:
    """Stops whoever comes through at one of its turns, until it is opened."""

    def __init__(self) -> None:
        self.begun = 0
        self.stop_at = 0
        self.there, self.go = threading.Event(), threading.Event()
        self.then: Callable[[], None] = self.wait
        self.hook: Callable[[object, object], None] = self

    def wait(self) -> None:
        assert self.go.wait(SECONDS)

    def until_withdrawn(self) -> None:
        """Stay in the block until the news has come."""
        gone = threading.Event()
        with cancellation.current().telling(gone.set):
            assert gone.wait(SECONDS)

    def __call__(self, _block: object, _args: object) -> None:
        self.begun += 1
        if self.begun == self.stop_at:
            self.there.set()
            self.then()

    def on(self, loaded: LoadedModel) -> Gate:
        """Stand before every block of a model."""
        for block in loaded.architecture.blocks:
            block.register_forward_pre_hook(self.hook)
        return self

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.there.wait, SECONDS)


@dataclass
class Both:
    """Both sides, and what they stand on."""

    store: GraphStore
    graph: str
    worker: Any
    front: Any
    settings: ServerSettings
    queued: list[str]

    def branch(self, model: str = "m") -> str:
        return open_branch(self.store, f"b-{uuid.uuid4().hex}", model_id=f"{model}-{self.graph}", graph_id=self.graph)

    def held(self, branch: str) -> Held:
        """The model of a branch, in memory from now on."""
        host: ModelHost = self.worker._host
        with host.shelf.using(host.place_of(branch)) as held:
            return held

    async def ask(self, branch: str, *, tokens: int = 4, prompts: list[str] = PROMPTS) -> list[str]:
        texts: list[str] = await self.front.call(
            "ask", branch_id=branch, revision_id="", prompts=prompts, max_new_tokens=tokens
        )
        return texts

    async def export(self, branch: str, name: str) -> dict[str, Any]:
        done: dict[str, Any] = await self.front.call(
            "export", branch_id=branch, revision_id="", format="hf_checkpoint", name=name
        )
        return done

    def exports(self) -> list[str]:
        return sorted(path.name for path in self.settings.export_dir.iterdir())

    async def intervention(self, branch: str, method: str = "alphaedit") -> str:
        made = await asyncio.to_thread(queue, self.store, branch, method)
        self.queued.append(made)
        self.front.notify("wake")
        return made

    async def over(self, intervention: str) -> Intervention:
        while not (found := await asyncio.to_thread(steps.get, self.store, intervention)).state.terminal:
            if found.state is State.AWAITING_DECISION:
                break
            await asyncio.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def small_world(store: GraphStore) -> str:
    """A graph that no test changes."""
    graph = fresh_graph(__name__)
    import_world(store, graph)
    return graph


@pytest.fixture
async def both(
    store: GraphStore, small_world: str, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Both]:
    """A worker in a thread that takes no interventions but those of this test, and its front."""
    queued: list[str] = []

    def mine(_store: GraphStore, _apart: set[str]) -> tuple[str, str] | None:
        return (queued.pop(0), "") if queued else None

    def none(_store: GraphStore) -> list[str]:
        return []

    monkeypatch.setattr(steps, "next_intervention", mine)
    monkeypatch.setattr(steps, "interrupted_ids", none)
    ours, theirs = socket.socketpair()
    line = ours.dup()
    settings = ServerSettings(data_dir=tmp_path, device="cpu")
    settings.create_directories()
    deaf: Any = Deaf()
    worker: Any = Worker(settings=settings, store=store, channel=Channel(theirs.detach()), sink=deaf)
    await asyncio.to_thread(register, store, worker._host, tiny_checkpoint, f"m-{small_world}")
    front: Any = WorkerHandle(environment={}, metrics=Metrics(), hub=Hub())
    front._channel = Channel(ours.detach())
    front._stopping = True
    ended: Any = SimpleNamespace(wait=lambda: None, pid=1, returncode=0)
    reading = threading.Thread(
        target=front._read, args=(front._channel, ended, asyncio.get_running_loop()), daemon=True
    )
    working = threading.Thread(target=worker.run, daemon=True)
    reading.start()
    working.start()
    yield Both(store, small_world, worker, front, settings, queued)
    front.notify("stop")
    await asyncio.to_thread(working.join, SECONDS)
    assert not working.is_alive()
    line.shutdown(socket.SHUT_RDWR)
    await asyncio.to_thread(reading.join, SECONDS)
    line.close()


async def test_a_question_that_nobody_waits_for_ends_at_its_next_block(both: Both) -> None:
    branch = both.branch()
    gate = Gate().on(both.held(branch).view("ask").loaded)
    gate.stop_at, gate.then = 7, gate.until_withdrawn
    long = asyncio.create_task(both.ask(branch, tokens=256, prompts=PROMPTS * 32))
    await gate.reached()
    queued = asyncio.create_task(both.ask(branch, tokens=256, prompts=PROMPTS * 32))
    await asyncio.sleep(0)
    queued.cancel()
    long.cancel()
    assert len(await both.ask(branch, tokens=1)) == 2, "the next one is answered"
    blocks = both.held(branch).resident.loaded.architecture.num_layers
    assert gate.begun <= 7 + 2 * blocks, "nothing of the two is done any more"
    assert not both.worker._calls._open


async def test_an_export_that_nobody_waits_for_leaves_nothing(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "FILE_SIZE", "20KB")
    branch, gate = both.branch(), Gate()
    gate.stop_at, gate.then = 2, gate.until_withdrawn
    save = vars(modeling_utils)["safe_save_file"]

    def slowly(*args: Any, **kwargs: Any) -> None:
        save(*args, **kwargs)
        gate(None, None)

    monkeypatch.setattr(modeling_utils, "safe_save_file", slowly)
    export = asyncio.create_task(both.export(branch, "out"))
    await gate.reached()
    waiting = asyncio.create_task(both.export(branch, "never"))
    await asyncio.sleep(0)
    assert len(both.exports()) == 1
    assert both.exports()[0].startswith(".out.")
    waiting.cancel()
    export.cancel()
    done = await both.export(branch, "out")
    assert both.exports() == ["out"], "and a retry does not meet it"
    assert gate.begun > 3, "parted into files"
    assert done["bytes"] > 1000
    with pytest.raises(InvalidInput, match="exists"):
        await both.export(branch, "out")


async def test_an_export_whose_answer_reached_nobody_is_taken_back(both: Both) -> None:
    branch = both.branch()
    await both.export(branch, "kept")
    last = max(both.worker._calls._undo)
    both.front.notify("withdraw", number=last)
    both.front.notify("withdraw", number=last + 1000)
    while both.exports():
        await asyncio.sleep(0.01)
    await both.export(branch, "kept")
    assert both.exports() == ["kept"]


def test_what_killed_exports_left_is_swept(tmp_path: Path) -> None:
    for name in (".out.ab12_xyz.part", ".out.ab12_xyz", ".git", "done", ".x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x", encoding="ascii")
    (tmp_path / "note.part").write_text("x", encoding="ascii")
    exporting.sweep(tmp_path)
    exporting.sweep(tmp_path / "absent")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", ".x", "done", "note.part"]


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> dict[str, Gate]:
    """Gates by phase of an intervention: the one of the present phase is shut at its fifth block."""
    found = {phase: Gate() for phase in ("measure_before", "apply", "health", "measure_after")}
    advance = steps.advance
    now = ""

    def advanced(*args: Any, **kwargs: Any) -> None:
        nonlocal now
        advance(*args, **kwargs)
        now = str(kwargs.get("phase", now))

    def at(phase: str) -> Callable[[object, object], None]:
        def hook(block: object, args: object) -> None:
            if now == phase:
                found[phase](block, args)

        return hook

    monkeypatch.setattr(steps, "advance", advanced)
    for phase, gate in found.items():
        gate.hook, gate.stop_at = at(phase), 5
    return found


async def test_other_branches_are_served_wherever_an_intervention_stands_still(
    both: Both, gates: dict[str, Gate]
) -> None:
    """In every phase, inside a block of the model; and nothing of the intervention's results changes by that."""
    alone = await both.intervention(both.branch())
    quiet = await both.over(alone)
    assert quiet.state in {State.SUCCEEDED, State.AWAITING_DECISION}, quiet.error_message
    expected = await both.ask(both.branch())
    digest = branches.get_model(both.store, f"m-{both.graph}").weights_sha256
    for file in both.settings.data_dir.glob("scores.sqlite*"):
        file.unlink()  # every score is computed again

    branch, other = both.branch(), both.branch()
    for gate in gates.values():
        gate.on(both.held(branch).resident.loaded)
    intervention = await both.intervention(branch)
    for phase, gate in gates.items():
        await gate.reached()
        assert await both.ask(other) == expected
        assert await both.front.call("weights_digest", branch_id=other, revision_id="base") == digest
        assert (await both.export(other, phase))["bytes"] > 1000
        assert (await asyncio.to_thread(steps.get, both.store, intervention)).phase == phase
        gate.go.set()
    done = await both.over(intervention)
    assert (done.state, done.artefact_sha256) == (quiet.state, quiet.artefact_sha256)
    assert done.weights_sha256 == quiet.weights_sha256
    assert (
        await asyncio.to_thread(rows, both.store, intervention)
        == await asyncio.to_thread(rows, both.store, alone)
        != []
    )


def rows(store: GraphStore, intervention: str) -> list[ledger.LedgerRow]:
    return ledger.read(store, intervention, after=0, limit=1000)


async def test_a_question_of_another_model_waits_and_delays_nobody(both: Both, tmp_path: Path) -> None:
    folder = save_checkpoint(tiny_gpt2(), tmp_path / "gpt2")
    await asyncio.to_thread(register, both.store, both.worker._host, folder, f"n-{both.graph}")
    branch, other, same = both.branch(), both.branch("n"), both.branch()
    gate = Gate().on(both.held(branch).resident.loaded)
    gate.stop_at = 3
    intervention = await both.intervention(branch)
    await gate.reached()
    elsewhere = asyncio.create_task(both.ask(other))
    assert len(await both.ask(same)) == 2
    assert not elsewhere.done()
    assert await both.front.call("weights_digest", branch_id=other, revision_id="base") == ""
    gate.go.set()
    assert len(await elsewhere) == 2
    assert (await both.over(intervention)).state in {State.SUCCEEDED, State.AWAITING_DECISION}


class Front:
    """A worker as the servicer sees it."""

    def __init__(self, answer: str | Exception, *, ready: bool = True) -> None:
        self.answer, self.ready = answer, ready

    async def call(self, name: str, /, **_args: object) -> str:
        assert name == "weights_digest"
        assert self.ready, "it is not waited for"
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("front", "measured"),
    [
        (Front("d1"), "d1"),
        (Front(""), ""),
        (Front("d1", ready=False), ""),
        (Front(WorkerUnavailable("gone")), ""),
    ],
    ids=["measured", "elsewhere", "starting", "gone"],
)
async def test_a_rollback_measures_where_it_need_not_wait(front: Front, measured: str) -> None:
    parts: Any = SimpleNamespace(worker=front)
    runners: Any = BranchRunners(parts)
    assert await runners._measured("b", "r") == measured
