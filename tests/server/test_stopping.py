"""A cancelled intervention ends at its next unit of work, whatever it is doing: counted, not timed.

The worker's own path on a real database, in this process. A run shows which units of work (blocks of the model, texts
for the tokenizer, reading queries, probes, training rows) each phase is made of; then the intervention is cancelled in
the middle of each kind of each phase, and hardly anything may be begun after that.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.server.bench import Deaf, import_world, open_branch, queue, register
from transformers import PreTrainedTokenizerFast

from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.records import Intervention
from knowledgesmith.graph_schema.language.spans import Phrases
from knowledgesmith.graph_schema.planning import training_set
from knowledgesmith.graph_schema.probes.drawing.build import Builder
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.interventions import State
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.attempt import runner
from knowledgesmith.server.worker.attempt.reporting import Reporter
from knowledgesmith.server.worker.attempt.runner import AttemptRunner
from knowledgesmith.server.worker.model.host import ModelHost

PHASES = ("plan", "measure_before", "apply", "health", "measure_after")
Unit = tuple[str, str]
"""Phase and kind of work."""

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


@dataclass
class Work:
    """Counts units of work, and cancels in the middle of one."""

    cancel: Any = None
    phase: str = ""
    done: Counter[Unit] = field(default_factory=Counter[Unit])
    at: tuple[Unit, int] | None = None
    after: Counter[Unit] = field(default_factory=Counter[Unit])
    over: bool = False

    def unit(self, kind: str) -> None:
        """A unit of work begins."""
        if self.over:
            return
        if self.at is not None and self.at[1] == 0:
            self.after[self.phase, kind] += 1
            return
        self.done[self.phase, kind] += 1
        if self.at is not None and self.at[0] == (self.phase, kind):
            self.at = (self.at[0], self.at[1] - 1)
            if self.at[1] == 0:
                self.cancel()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """Watches what the worker does."""
    watched = Work()

    def counted(owner: Any, name: str, kind: str) -> None:
        inner = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            watched.unit(kind)
            return inner(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    # what the worker leaves behind at once ends by itself as soon: here it is waited for
    monkeypatch.setattr(runner, "abandonable", _waited_for)
    counted(PreTrainedTokenizerFast, "__call__", "text")
    counted(Builder, "build", "probe")
    counted(Phrases, "held_by", "training text")
    counted(training_set, "_update", "training row")
    advance, finish = steps.advance, steps.finish

    def advanced(*args: Any, **kwargs: Any) -> None:
        advance(*args, **kwargs)
        watched.phase = str(kwargs.get("phase", watched.phase))

    def finished(*args: Any, **kwargs: Any) -> bool:
        watched.over = True
        return finish(*args, **kwargs)

    monkeypatch.setattr(steps, "advance", advanced)
    monkeypatch.setattr(steps, "finish", finished)
    return watched


def _waited_for(piece: Callable[[], Any]) -> Any:
    return piece()


@dataclass
class Bench:
    """A worker's parts in this process; every run has a branch of its own and fresh caches."""

    store: GraphStore
    graph: str
    host: ModelHost
    folder: Path
    runs: int = 0

    def run(self, method: str, work: Work, at: tuple[Unit, int] | None = None) -> Intervention:
        """Queue an intervention and run it to its end; it is cancelled where ``at`` says."""
        self.runs += 1
        branch = open_branch(self.store, f"b{self.runs}-{self.graph}", model_id=f"m-{self.graph}", graph_id=self.graph)
        intervention = queue(self.store, branch, method)
        settings = ServerSettings(data_dir=self.folder / str(self.runs), device="cpu")
        settings.create_directories()
        deaf: Any = Deaf()
        runner = AttemptRunner(settings=settings, store=self.store, host=self.host, reporter=Reporter(deaf, deaf))
        work.done.clear()
        work.after.clear()
        work.at, work.over, work.phase = at, False, ""
        work.cancel = lambda: runner.cancel(intervention_id=intervention)
        runner.run(intervention, stop=threading.Event())
        return steps.get(self.store, intervention)


@contextmanager
def counting(uri: str, work: Work) -> Generator[GraphStore]:
    """A store whose queries are units of work."""

    def observe(_name: str, _seconds: float, _outcome: str) -> None:
        work.unit("query")

    store = GraphStore.connect(StoreSettings(uri=uri), observe=observe)
    yield store
    store.close()


@pytest.fixture
def bench(
    store: GraphStore, neo4j_uri: str, graph_id: str, tiny_checkpoint: Path, tmp_path: Path, work: Work
) -> Iterator[Bench]:
    """A worker with a tiny model, on a small world."""
    import_world(store, graph_id)
    settings = ServerSettings(data_dir=tmp_path, device="cpu")

    def begins(_block: object, _args: object) -> None:
        work.unit("block")

    with counting(neo4j_uri, work) as counted:
        host = ModelHost(settings=settings, store=counted)
        register(store, host, tiny_checkpoint, f"m-{graph_id}")
        branch = open_branch(store, f"b-{graph_id}", model_id=f"m-{graph_id}", graph_id=graph_id)
        with host.resident_of(branch) as resident:
            for block in resident.loaded.architecture.blocks:
                block.register_forward_pre_hook(begins)
        yield Bench(counted, graph_id, host, tmp_path)


def test_a_cancel_is_heard_in_every_phase(bench: Bench, work: Work) -> None:
    intervention = bench.run("placebo", work)
    assert intervention.state is not State.FAILED, intervention.error_message
    made_of = dict(work.done)
    assert {phase for phase, _ in made_of} >= set(PHASES)
    for unit, count in sorted(made_of.items()):
        if unit[0] in PHASES:
            check(bench, work, "placebo", unit, count)


@pytest.mark.parametrize("method", ["alphaedit", "finetune", "relearn"])
def test_a_cancel_is_heard_wherever_a_method_works(bench: Bench, work: Work, method: str) -> None:
    intervention = bench.run(method, work)
    assert intervention.state is not State.FAILED, intervention.error_message
    made_of = {unit: count for unit, count in work.done.items() if unit[0] == "apply"}
    assert {kind for _, kind in made_of} >= {"block", "text", "query", "training row"}
    for unit, count in sorted(made_of.items()):
        check(bench, work, method, unit, count)


def check(bench: Bench, work: Work, method: str, unit: Unit, count: int) -> None:
    """Cancel in the middle of a kind of work of a phase: at most the next piece is begun."""
    intervention = bench.run(method, work, (unit, count // 2 + 1))
    assert work.at == (unit, 0), f"{unit} was not reached: {intervention.state} {intervention.error_message}"
    assert intervention.state is State.CANCELLED, (unit, intervention.state, intervention.error_message)
    assert work.after.total() <= 1, f"cancelled in {unit}, and then: {dict(work.after)}"
