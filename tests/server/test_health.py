"""The worker's own path on a real database: wrecks are held with their reason, good changes are committed.

The method is put in place inside this process; everything else is the worker's: plan, ledger, decision, commit.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.server.bench import Deaf, import_world, register
from tests.taught import Spoil, artefact_of, noise, nothing, one_row, one_word, scaled

from knowledgesmith.editors.health.reading import read_state
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.graph_schema.interventions import branches, steps
from knowledgesmith.graph_schema.interventions.records import Claim, Gate, Intervention, InterventionSpec
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict
from knowledgesmith.graph_schema.types.interventions import Change, Goal, State, TargetDistribution
from knowledgesmith.graph_schema.types.probes import Polarity
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.attempt import runner
from knowledgesmith.server.worker.attempt.health import choices_of
from knowledgesmith.server.worker.attempt.reporting import Reporter
from knowledgesmith.server.worker.model.host import ModelHost


@dataclass
class Sink:
    """Keeps the last value of every gauge and the sums of counters."""

    values: dict[str, float] = field(default_factory=dict[str, float])
    checks: list[str] = field(default_factory=list[str])

    def inc(self, name: str, value: float = 1.0, /, **labels: str) -> None:
        self.values[name] = self.values.get(name, 0.0) + value
        if name == "ksmith_health_checks":
            self.checks.append(labels["verdict"])

    def set(self, name: str, value: float, /, **_labels: str) -> None:
        self.values[name] = value

    def observe(self, name: str, value: float, /, **labels: str) -> None:
        pass


class Method:
    """A method that gives one artefact, whatever it is asked."""

    def __init__(self, spoil: Spoil, metadata: dict[str, str]) -> None:
        self.spoil, self.metadata = spoil, metadata

    def apply(self, model: LoadedModel, *_: object) -> object:
        return artefact_of(model, self.spoil, **self.metadata)


@dataclass
class Bench:
    """A worker in this process, on a graph and a branch of its own."""

    store: GraphStore
    settings: ServerSettings
    branch: str
    sink: Sink
    worker: runner.AttemptRunner
    patch: Callable[[Spoil, dict[str, str]], None]

    def queue(self, **fields: Any) -> str:
        change = Change(subject="france", relation="has_capital", old_object="paris", new_object="rome")
        values: dict[str, Any] = {
            "branch_id": self.branch,
            "goal": Goal.EDIT,
            "changes": (change,),
            "method": "finetune",
            "method_config": {},
            "target_distribution": TargetDistribution.NEW_OBJECT,
            "max_probes": 60,
            **fields,
        }
        intervention, _ = steps.create(
            self.store,
            InterventionSpec(**values),
            actor="test",
            request_id=f"{self.branch}-{len(steps.list_interventions(self.store, branch_id=self.branch))}",
            request_hash="h",
            graph_digest="",
        )
        return intervention

    def run(self, spoil: Spoil, metadata: dict[str, str] | None = None, **fields: Any) -> Intervention:
        self.patch(spoil, metadata or {})
        intervention = self.queue(**fields)
        self.worker.run(intervention, stop=threading.Event())
        return steps.get(self.store, intervention)


@pytest.fixture
def bench(
    store: GraphStore, graph_id: str, taught_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """A worker with the taught model."""
    import_world(store, graph_id)
    settings = ServerSettings(data_dir=tmp_path, device="cpu")
    settings.create_directories()
    host = ModelHost(settings=settings, store=store)
    register(store, host, taught_checkpoint, f"m-{graph_id}")
    branches.create_branch(store, branch_id=f"b-{graph_id}", model_id=f"m-{graph_id}", graph_id=graph_id, select=True)
    sink = Sink()
    deaf: Any = Deaf()
    listening: Any = sink
    worker = runner.AttemptRunner(settings=settings, store=store, host=host, reporter=Reporter(deaf, listening))

    def patch(spoil: Spoil, metadata: dict[str, str]) -> None:
        def build(*_: object) -> Method:
            return Method(spoil, metadata)

        monkeypatch.setattr(runner, "build", build)

    return Bench(store, settings, f"b-{graph_id}", sink, worker, patch)


def head(bench: Bench) -> str:
    return branches.get_branch(bench.store, bench.branch).head_revision


def stored(bench: Bench, intervention: str) -> dict[str, Any]:
    return dict(bench.store.read("interventions/steps/get", id=intervention)[0]["properties"])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (noise(2.0), "less likely a token"),
        (scaled(30.0), "less likely a token"),
        (one_word(" city", 200.0), "repeats itself"),
        (one_word(" Rome", 200.0), "less likely a token"),
    ],
    ids=["noise", "scaled layer", "one word", "one option"],
)
def test_a_wreck_waits_for_a_decision(bench: Bench, spoil: Spoil, says: str) -> None:
    base = head(bench)
    intervention = bench.run(spoil)
    assert intervention.state is State.AWAITING_DECISION, intervention.error_message
    assert head(bench) == base, "nothing was committed"
    assert intervention.health is not None
    assert intervention.health.verdict is HealthVerdict.WRECKED
    assert intervention.failed_gates[0] == f"wrecked: {intervention.health.reason}"
    assert any(says in reason for reason in intervention.health.reasons)
    properties = stored(bench, intervention.id)
    assert properties["health_ok"] is False
    assert properties["health_perplexity_ratio"] == intervention.health.perplexity_ratio
    assert intervention.metrics_withheld == intervention.health.reason
    assert not {"propagated", "residual", "installed"} & intervention.metrics.keys()
    assert "collateral" in intervention.metrics, "what it broke"
    shown = {name: bench.sink.values[name] for name in RATIOS}
    assert shown.pop("ksmith_collateral_change_ratio") == intervention.metrics["collateral"], "what it broke is shown"
    assert all(map(math.isnan, shown.values())), "and no rate that could look like a success"
    assert bench.sink.checks == ["WRECKED"]


@pytest.mark.parametrize("spoil", [one_row(math.nan), one_row(3e38)], ids=["NaN row", "a row that overflows"])
def test_values_that_are_no_numbers_are_never_committed(bench: Bench, spoil: Spoil) -> None:
    base = head(bench)
    intervention = bench.run(spoil, hold=True)
    assert intervention.state is State.FAILED
    assert intervention.error_reason == "MODEL_NOT_FINITE"
    assert "no finite numbers" in intervention.error_message
    assert head(bench) == base
    assert intervention.health is not None
    assert not intervention.health.ok
    assert stored(bench, intervention.id)["health_nonfinite"] >= 1
    assert intervention.written_rows == 0


RATIOS = ("ksmith_collateral_change_ratio", "ksmith_propagated_ratio", "ksmith_residual_retention_ratio")
RATES = {"collateral": 0.02, "propagated": 0.9, "residual": 0.1}
GOOD = Health(verdict=HealthVerdict.HEALTHY)
WRECK = Health(verdict=HealthVerdict.WRECKED, reasons=("noise",))


@pytest.mark.parametrize(
    ("values", "health"),
    [({}, WRECK), ({"collateral": 0.5}, WRECK), (RATES, WRECK), ({}, GOOD), ({"propagated": 0.4}, GOOD)],
)
def test_rates_of_a_former_run_do_not_stand_for_the_next(values: dict[str, float], health: Health) -> None:
    sink = Sink()
    deaf: Any = Deaf()
    listening: Any = sink
    intervention: Any = SimpleNamespace(spec=SimpleNamespace(goal=Goal.EDIT, method="finetune"))
    reporter = Reporter(deaf, listening)
    reporter.metrics(intervention, RATES, GOOD)
    assert [sink.values[name] for name in RATIOS] == [0.02, 0.9, 0.1]
    reporter.metrics(intervention, values, health)
    wanted = {"ksmith_propagated_ratio": 0.4} if health.ok and values else {}
    if "collateral" in values:
        wanted["ksmith_collateral_change_ratio"] = values["collateral"]  # what it broke, a wreck's too
    for name in RATIOS:
        assert sink.values[name] == wanted.get(name) or (name not in wanted and math.isnan(sink.values[name]))


def test_a_choice_knows_the_fact_that_is_asked() -> None:
    planned = {"pred_before": 0, "pred_after": 1, "polarity": Polarity.STAY.value, "before": [0], "asked_fact_id": "f7"}
    rows = [{"position": 0, "probe": {"options": ["a", "b"]}, "planned": planned}]

    def read(_query: str, **_params: object) -> list[dict[str, Any]]:
        return rows

    graph: Any = SimpleNamespace(read=read)
    [choice] = choices_of(graph, "iv")
    assert (choice.fact, choice.stays, choice.lost) == ("f7", True, True)


def test_a_run_that_could_not_be_measured_keeps_no_rates_of_the_run_before_it(bench: Bench) -> None:
    bench.run(nothing)
    shown = [name for name in RATIOS if not math.isnan(bench.sink.values[name])]
    assert shown, "a good run shows its rates"
    intervention = bench.run(
        one_row(math.nan),
        changes=(Change(subject="peru", relation="has_capital", old_object="lima", new_object="cairo"),),
    )
    assert intervention.error_reason == "MODEL_NOT_FINITE"
    assert all(math.isnan(bench.sink.values[name]) for name in RATIOS)


@pytest.mark.parametrize("spoil", [nothing, noise(0.003)], ids=["nothing", "a grain of noise"])
def test_a_change_that_spoils_nothing_is_committed(bench: Bench, spoil: Spoil) -> None:
    intervention = bench.run(spoil)
    assert intervention.state is State.SUCCEEDED, (intervention.error_message, intervention.failed_gates)
    assert intervention.health is not None
    assert intervention.health.ok
    assert intervention.metrics_withheld == ""
    assert intervention.metrics["perplexity_ratio"] == pytest.approx(1, abs=0.05)


def test_placebo_is_measured_too(bench: Bench) -> None:
    intervention = bench.run(nothing, method="placebo")
    assert intervention.health is not None
    assert intervention.health.perplexity_ratio == 1.0
    assert intervention.health.agreement == 1.0


def test_what_a_method_did_not_realise_holds_its_revision(bench: Bench) -> None:
    realised = '[{"fact_id": "f", "along": 0.3, "across": 4.8}]'
    intervention = bench.run(nothing, {"realised": realised})
    assert intervention.state is State.AWAITING_DECISION
    assert "4.8x as far in other directions" in intervention.failed_gates[0]
    assert stored(bench, intervention.id)["health_across_max"] == 4.8


def test_a_wreck_may_be_committed_by_a_decision_and_the_next_change_is_held_for_it(bench: Bench) -> None:
    wreck = bench.run(noise(2.0))
    steps.commit_decided(bench.store, wreck.id, branches.revision_id)
    assert steps.get(bench.store, wreck.id).state is State.SUCCEEDED
    after = bench.run(
        nothing, changes=(Change(subject="peru", relation="has_capital", old_object="lima", new_object="cairo"),)
    )
    assert after.state is State.AWAITING_DECISION
    assert after.failed_gates[0].startswith("wrecked: over all changes of this branch")


def test_gates_come_after_the_reason(bench: Bench) -> None:
    gate = Gate(metric="perplexity_ratio", max=1.1)
    intervention = bench.run(noise(2.0), gates=(gate,))
    assert intervention.failed_gates[0].startswith("wrecked: ")
    assert intervention.failed_gates[-1].startswith("perplexity_ratio")


@pytest.mark.parametrize("state", [State.RUNNING, State.COMMITTING])
def test_an_attempt_that_is_taken_up_again_does_not_skip_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    """Lost after the ledger was written, or (by an earlier release) decided without a look at its health."""

    def lost(*_: object) -> State:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(runner.AttemptRunner, "_decide", lost)
        with pytest.raises(ConnectionError):
            bench.run(scaled(30.0))
    [intervention] = steps.list_interventions(bench.store, branch_id=bench.branch)
    assert (intervention.state, intervention.health) == (State.RUNNING, None)
    assert intervention.written_rows == intervention.planned_rows > 0
    held = Claim(id=intervention.id, fence=intervention.fence, attempt=intervention.attempt)
    steps.advance(bench.store, held, from_states=[State.RUNNING], state=state)
    base = head(bench)
    bench.worker.run(intervention.id, stop=threading.Event())
    again = steps.get(bench.store, intervention.id)
    assert again.state is State.AWAITING_DECISION, again.error_message
    assert again.failed_gates[0].startswith("wrecked: ")
    assert head(bench) == base


def test_a_base_is_read_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledgesmith.server.worker.attempt import health

    read: list[int] = []

    def counted(loaded: LoadedModel) -> object:
        read.append(1)
        return read_state(loaded)

    monkeypatch.setattr(health, "read_state", counted)
    first = bench.run(noise(0.001), hold=True)
    assert len(read) == 2
    steps.finish(bench.store, first.id, from_states=[State.AWAITING_DECISION], state=State.DISCARDED)
    bench.run(noise(0.002))
    assert len(read) == 3, "only what the second change made is new"


def test_health_is_on_the_wire(bench: Bench) -> None:
    from knowledgesmith.server.wire.interventions import intervention_to

    intervention = bench.run(noise(2.0))
    message = intervention_to(intervention).health
    assert intervention.health is not None
    assert list(message.reasons) == list(intervention.health.reasons)
    assert not message.ok
    assert message.perplexity_ratio == intervention.health.perplexity_ratio
    assert not message.HasField("realised_min")
    assert not intervention_to(replace(intervention, health=None)).HasField("health")
