"""Speed of every propagation question on a run of 50,000 ledger rows and as many planned probes.

Each question is asked several times; the first answer (plans are made then) and the best one are reported, beside the
time that a plain read of as many relationships takes in the same run.

Usage: ``python -m benchmarks.graph.propagation_speed [--rows 50000] [--uri bolt://…]``
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.graph.database import opened
from benchmarks.graph.run_world import (
    KINDS,
    RunWorld,
    build_world,
    measured,
    open_branch,
    open_run,
    slots,
    write_plan,
)

from knowledgesmith.graph_schema import propagation as ask
from knowledgesmith.graph_schema.interventions import ledger
from knowledgesmith.graph_schema.storage.store import GraphStore

ROOT: Final = Path(__file__).resolve().parents[2]
BAR_SECONDS: Final = 1.0
BATCH: Final = 5_000
TARGETS: Final = 1_000
PLAIN: Final = "MATCH (:Intervention {id: $id})-[c:CHANGED]->(e:Entity) RETURN count(e.uid) AS n, avg(c.delta) AS mean"


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--uri", default="", help="A running Neo4j; default: one of its own.")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "graph-propagation.json")
    arguments = parser.parse_args()
    with opened(arguments.uri) as (store, _):
        result = measure(store, rows=arguments.rows, repeats=arguments.repeats)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def measure(store: GraphStore, *, rows: int, repeats: int) -> dict[str, Any]:
    """Seconds of every question, and whether all keep the bar."""
    world = build_world(store, graph_id=f"spread-{uuid.uuid4().hex[:8]}", entities=-(-rows // len(KINDS)) + 1)
    open_branch(store, world)
    first, second = (_run(store, world, rows, seed=seed) for seed in (1, 2))
    plain = _timed(lambda: store.run_user_query(PLAIN, {"id": first}, limit=1, timeout_s=60), repeats)
    timed = {name: _timed(question, repeats) for name, question in questions(store, world, first, second).items()}
    return {
        "rows": rows,
        "probes": rows,
        "targets": TARGETS,
        "plain_read": plain,
        "questions": {
            name: {**one, "to_plain": round(one["best_s"] / plain["best_s"], 1)} for name, one in timed.items()
        },
        "bar": {"seconds": BAR_SECONDS, "met": all(one["best_s"] <= BAR_SECONDS for one in timed.values())},
    }


def questions(store: GraphStore, world: RunWorld, run: str, other: str) -> dict[str, Callable[[], object]]:
    """Every question by name."""
    found: dict[str, Callable[[], object]] = {
        f"by_{grouping.value}": partial(ask.groups, store, run, grouping) for grouping in ask.Grouping
    }
    found |= {which.value: partial(ask.changes, store, run, which, skip=0, limit=50) for which in ask.ChangeFilter}
    wanted = ask.VerdictName
    return found | {
        "subgraph": lambda: ask.subgraph(store, run, world.graph_id, limit=60),
        "collateral_evidence": lambda: ask.evidence(store, run, [wanted.COLLATERAL], skip=0, limit=50),
        "all_evidence": lambda: ask.evidence(store, run, [], skip=0, limit=50),
        "changed_facts": lambda: ask.changed_facts(store, run),
        "conflicts": lambda: ask.changed_facts(store, run, conflicts_only=True),
        "travel": lambda: ask.travel(store, run, threshold=0.1),
        "compare": lambda: ask.compare(store, run, other, skip=0, limit=50),
        "overlap": lambda: ask.overlap(store, run, other),
        "over_time": lambda: ask.over_time(store, world.branch_id),
        "over_time_relation": lambda: ask.over_time(store, world.branch_id, relation="belongs_to"),
        "over_time_entity": lambda: ask.over_time(store, world.branch_id, entity=world.entities[7]),
        "metrics": lambda: ask.metrics(store, run),
        "scale": lambda: ask.scales(store, [run, other]),
    }


def _run(store: GraphStore, world: RunWorld, rows: int, *, seed: int) -> str:
    """A committed run of ``rows`` rows with its planned probes."""
    run = open_run(store, world, f"{world.graph_id}-{seed}", targets=min(TARGETS, rows // 8))
    chosen = slots(world, rows)
    write_plan(store, world, run, chosen)
    for start in range(0, rows, BATCH):
        ledger.append(store, run, 0, measured(chosen[start : start + BATCH], seed=seed, outcomes=True))
    done = {"state": "SUCCEEDED", "commit_order": seed}
    store.write("interventions/steps/advance", id=run, fence=0, from_states=["RUNNING"], properties=done, finished=True)
    return run


def _timed(question: Callable[[], object], repeats: int) -> dict[str, float]:
    seconds: list[float] = []
    for _ in range(repeats):
        begin = time.perf_counter()
        question()
        seconds.append(time.perf_counter() - begin)
    return {"first_s": round(seconds[0], 4), "best_s": round(min(seconds[1:] or seconds), 4)}


if __name__ == "__main__":
    main()
