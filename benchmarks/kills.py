"""Kill the worker, the database or the front process in the middle of interventions, and compare with nobody killed.

Every trial runs an intervention on a branch of its own, kills one process with SIGKILL at a chosen moment, waits for
the end, and compares ledger rows, weights and head beliefs with those of an uninterrupted twin, and the watched stream
with the ledger; the graph is checked. ``ledger`` kills inside the transaction that appends rows: the script holds a
lock that this transaction waits for. One line of JSON a trial goes into the results.

Usage: ``python -m benchmarks.kills [--trials 40] [--seed 0]``
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import neo4j
import psutil

from knowledgesmith.client import (
    DeadlineExceeded,
    FactChange,
    Goal,
    Intervention,
    InterventionSpec,
    InterventionState,
    KnowledgeSmith,
    KnowledgeSmithClientError,
    Phase,
    Unavailable,
)
from knowledgesmith.client.local_server import LocalServer, free_address
from knowledgesmith.editors.testing.tiny import save_checkpoint, tiny_llama
from knowledgesmith.graph_schema.embedded import info

T = TypeVar("T")
RESULTS = Path(__file__).resolve().parent / "results/kills.json"
GRAPH = "atlas"
CHANGES = (
    FactChange(subject="France", relation="has_capital", old_object="Paris", new_object="Rome"),
    FactChange(subject="Japan", relation="has_capital", old_object="Tokyo", new_object="Beijing"),
)
VICTIMS = ("worker", "database", "front")
MOMENTS = ("measure_before", "apply", "ledger", "measure_after", "health", "plan")
METHODS = ("finetune", "placebo")
ENDED = (
    InterventionState.SUCCEEDED,
    InterventionState.FAILED,
    InterventionState.CANCELLED,
    InterventionState.DISCARDED,
    InterventionState.AWAITING_DECISION,
)
HEADS = """
MATCH (e:Entity {graph_id: $graph})
WHERE e.belief IS NOT NULL
RETURN e.uid AS uid, e.belief AS belief ORDER BY uid
"""
BLOCKED = "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN count(*) AS n"
LOCK = "MATCH (e:Entity {graph_id: $graph}) WHERE e.name IN $names SET e.graph_id = e.graph_id"


@dataclass(kw_only=True)
class Trial:
    """What was done to one intervention, and what it became."""

    victim: str
    moment: str
    method: str
    killed_in: str = ""
    rows_seen: int = 0
    attempts: int = 0
    state: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What two runs of one intervention must share."""

    rows: tuple[str, ...]
    weights: str
    heads: tuple[tuple[str, float], ...]


class Stage:
    """A server of its own, and what can be killed of it."""

    def __init__(self, folder: Path) -> None:
        self.server = LocalServer(
            data_dir=folder / "data", target=free_address(), metrics=free_address(), device="cpu", dtype="float32"
        )
        self.front = self.server.start().pid

    def kill(self, victim: str) -> None:
        """End a process as a power cut would, and start the server again where that was the front."""
        if victim == "front":
            os.kill(self.front, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(self.front, 0)
            time.sleep(0.5)
            self.front = self.server.start(timeout_s=900).pid
        else:
            word = "knowledgesmith.server.worker" if victim == "worker" else "CommunityEntryPoint"
            for process in psutil.Process(self.front).children(recursive=True):
                with suppress(psutil.Error):
                    if any(word in part for part in process.cmdline()):
                        process.kill()
                        return
            raise LookupError(f"no {victim} is running")


def main() -> None:
    """Run the trials and keep their histories."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed)  # noqa: S311 - moments, not secrets
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        save_checkpoint(tiny_llama(), Path(folder) / "tiny")
        stage = Stage(Path(folder))
        try:
            with KnowledgeSmith(stage.server.target, actor="kills") as smith:
                smith.graphs.import_bundled(name=GRAPH)
                smith.models.register(model_id="tiny", path=str(Path(folder) / "tiny"))
                twins = {method: _finish(smith, _begin(smith, f"twin-{method}", method)) for method in METHODS}
                trials = [trial(stage, smith, at, twins, chance) for at in range(args.trials)]
        finally:
            stage.server.stop()
    RESULTS.write_text(json.dumps({"seed": args.seed, "trials": trials}, indent=1) + "\n", encoding="utf-8")
    live = [t for t in trials if t["killed_in"] not in {"QUEUED", *(state.value for state in ENDED)}]
    wrong = [t for t in trials if t["wrong"]]
    print(f"{len(trials)} kills, {len(live)} inside a live attempt, {len(wrong)} with something wrong")
    raise SystemExit(1 if wrong else 0)


def trial(
    stage: Stage, smith: KnowledgeSmith, at: int, twins: Mapping[str, Outcome], chance: random.Random
) -> dict[str, Any]:
    """One intervention with one kill."""
    done = Trial(
        victim=VICTIMS[at % len(VICTIMS)],
        moment=MOMENTS[at // len(VICTIMS) % len(MOMENTS)],
        method=METHODS[(at + at // len(VICTIMS)) % len(METHODS)],
    )
    started = time.monotonic()
    run = _begin(smith, f"trial-{at}", done.method)
    seen: list[int] = []
    watcher = threading.Thread(target=_watch, args=(stage.server.target, run, seen))
    watcher.start()
    with _at_the_moment(smith, stage.server.data_dir / "neo4j", run, done.moment) as phase:
        time.sleep(chance.random() * 0.1)
        done.killed_in, done.rows_seen = phase, len(seen)
        stage.kill(done.victim)
    outcome = _finish(smith, run)
    watcher.join()
    intervention = _patient(lambda: smith.interventions.get(intervention_id=run))
    done.attempts, done.state = intervention.attempt, intervention.state.value
    twin = twins[done.method]
    checks = {
        "the state": intervention.state is InterventionState.SUCCEEDED,
        "the rows": outcome.rows == twin.rows,
        "the weights": outcome.weights == twin.weights,
        "the head beliefs": outcome.heads == twin.heads,
        "the stream": seen == list(range(1, len(twin.rows) + 1)),
        "the graph": _patient(lambda: smith.graphs.check(graph_id=GRAPH)).sound,
    }
    done.wrong = [name for name, right in checks.items() if not right]
    done.seconds = round(time.monotonic() - started, 1)
    print(json.dumps(asdict(done)), flush=True)
    return asdict(done)


def _begin(smith: KnowledgeSmith, branch: str, method: str) -> str:
    """Queue the intervention on a fresh, selected branch; its id."""
    smith.branches.create(branch_id=branch, model_id="tiny", graph_id=GRAPH, select=True)
    spec = InterventionSpec(branch_id=branch, goal=Goal.EDIT, changes=CHANGES, method=method, seed=1, max_probes=2000)
    return smith.interventions.create(spec=spec).intervention.id


def _finish(smith: KnowledgeSmith, run: str) -> Outcome:
    """Wait for the end; rows without their ids and times, weights, head beliefs."""
    while (intervention := _patient(lambda: smith.interventions.get(intervention_id=run))).state not in ENDED:
        time.sleep(0.1)
    rows = _patient(lambda: smith.propagation.changes(intervention_id=run)).changes
    heads = _patient(lambda: smith.graphs.cypher(query=HEADS, parameters={"graph": GRAPH}, max_rows=10_000)).rows
    return Outcome(
        rows=tuple(map(repr, rows)),
        weights=_weights(smith, intervention),
        heads=tuple((uid, belief) for uid, belief in heads),
    )


def _weights(smith: KnowledgeSmith, intervention: Intervention) -> str:
    made = _patient(lambda: smith.branches.revisions(branch_id=intervention.spec.branch_id))
    return next((revision.weights_sha256 for revision in made if revision.id == intervention.revision_id), "")


def _watch(target: str, run: str, seen: list[int]) -> None:
    """Collect sequence numbers over every interruption, going on after the last one."""
    while True:
        with suppress(KnowledgeSmithClientError), KnowledgeSmith(target, actor="watcher") as own:
            for event in own.interventions.watch(intervention_id=run, after_sequence=seen[-1] if seen else 0):
                seen += [row.sequence for row in getattr(event, "changes", ())]
            return
        time.sleep(0.1)


@contextmanager
def _at_the_moment(smith: KnowledgeSmith, database: Path, run: str, moment: str) -> Generator[str]:
    """Wait until the intervention is in a phase, or has ended; where it is then."""
    order = [Phase.PLAN, Phase.MEASURE_BEFORE, Phase.APPLY, Phase.HEALTH, Phase.MEASURE_AFTER]
    wanted = order.index(Phase.MEASURE_AFTER if moment == "ledger" else Phase(moment.upper()))
    while True:
        intervention = _patient(lambda: smith.interventions.get(intervention_id=run))
        if intervention.state in ENDED or (intervention.phase in order and order.index(intervention.phase) >= wanted):
            break
        if moment == "ledger" and intervention.phase is Phase.HEALTH:
            break
    if moment != "ledger" or intervention.state in ENDED:
        yield intervention.state.value if intervention.phase is Phase.UNSPECIFIED else intervention.phase.lower()
        return
    login = info(database)
    auth = (login.user, login.password or "") if login.user else None
    with neo4j.GraphDatabase.driver(smith.graphs.connection().uri, auth=auth) as driver, driver.session() as session:
        held = session.begin_transaction()
        held.run(LOCK, graph=GRAPH, names=[change.subject for change in CHANGES]).consume()
        while not (waits := driver.execute_query(BLOCKED).records[0]["n"]):
            if smith.interventions.get(intervention_id=run).state in ENDED:
                break
            time.sleep(0.01)
        yield "ledger transaction" if waits else smith.interventions.get(intervention_id=run).state.value
        with suppress(neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError):
            held.rollback()


def _patient(call: Callable[[], T]) -> T:
    """The answer of a call, asked again while the server or its database is being started."""
    while True:
        try:
            return call()
        except (DeadlineExceeded, Unavailable):
            time.sleep(0.2)


if __name__ == "__main__":
    main()
