"""Speed of the ledger against the bare driver: the same rows, in the same run, batch by batch in turns.

The bare driver writes one relationship a row and three head properties on its entity with one statement, and with
another one what the probes showed, where that is measured. The ledger does what the service does: checks the fence,
passes over rows that are there, writes the rows, and derives the heads of the batch's entities (every kind, weighted
by probes). Both write every batch several times, for another intervention each time, and take turns at going first;
what counts is the shortest time of every batch, once Java has compiled both.

Usage: ``python -m benchmarks.graph.ledger_speed [--rows 50000] [--batch 5000] [--repeats 4] [--uri bolt://…]``
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, LiteralString

import neo4j
from benchmarks.graph.database import opened
from benchmarks.graph.run_world import (
    KINDS,
    Batch,
    RunWorld,
    build_world,
    measured,
    open_branch,
    open_run,
    slots,
    write_plan,
)

from knowledgesmith.graph_schema import ledger
from knowledgesmith.graph_schema.store import GraphStore

ROOT: Final = Path(__file__).resolve().parents[2]
BARE: Final[LiteralString] = """
MATCH (i:Intervention {id: $id})
UNWIND $rows AS row
MATCH (e:Entity {graph_id: $graph_id, uid: row.entity})
CREATE (i)-[c:CHANGED]->(e)
SET c = row.properties, c.intervention = $id, c.seq = row.seq,
    e.belief = row.properties.after, e.belief_delta = row.properties.delta, e.belief_run = $id
"""

BARE_OUTCOMES: Final[LiteralString] = """
MATCH (i:Intervention {id: $id})
UNWIND $outcomes AS row
MATCH (:Probe {id: row.probe_id})<-[planned:PLANNED]-(i)
SET planned += row.shown
"""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=4, help="The first one only warms up.")
    parser.add_argument("--uri", default="", help="A running Neo4j; default: one of its own.")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "graph-ledger.json")
    arguments = parser.parse_args()
    with opened(arguments.uri) as (store, uri), neo4j.GraphDatabase.driver(uri) as driver:
        result = measure(store, driver, rows=arguments.rows, batch=arguments.batch, repeats=arguments.repeats)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def measure(store: GraphStore, driver: neo4j.Driver, *, rows: int, batch: int, repeats: int) -> dict[str, Any]:
    """Rows per second of both, and their ratio; first and last half of a run show whether it is linear."""
    world = build_world(store, graph_id=f"ledger-{uuid.uuid4().hex[:8]}", entities=-(-rows // len(KINDS)) + 1)
    open_branch(store, world)
    result: dict[str, Any] = {"rows": rows, "batch": batch, "repeats": repeats, "entities": len(world.entities)}
    for name, outcomes in (("ledger", False), ("ledger_with_outcomes", True)):
        runs = [
            _one(store, driver, world, rows, batch, outcomes=outcomes, first=repeat % 2 == 0)
            for repeat in range(repeats)
        ][1:]
        ours, bare = ([min(times) for times in zip(*half, strict=True)] for half in zip(*runs, strict=True))
        half = max(1, len(ours) // 2)
        size = batch * len(ours)
        result[name] = {
            "rows_per_s": round(size / sum(ours)),
            "bare_rows_per_s": round(size / sum(bare)),
            "ratio": round(sum(bare) / sum(ours), 3),
            "last_half_to_first_half": round(sum(ours[-half:]) / sum(ours[:half]), 3),
        }
    result["bar"] = {"ratio": 0.8, "met": result["ledger"]["ratio"] >= 0.8}
    return result


def _one(
    store: GraphStore, driver: neo4j.Driver, world: RunWorld, rows: int, size: int, *, outcomes: bool, first: bool
) -> tuple[list[float], list[float]]:
    """Seconds of every batch, ours and the bare driver's, written in turns; ``first``: ours begins."""
    name = uuid.uuid4().hex[:8]
    run, other = (open_run(store, world, f"{world.graph_id}-{name}-{half}") for half in ("ours", "bare"))
    chosen = slots(world, rows)
    if outcomes:
        write_plan(store, world, run, chosen)
        write_plan(store, world, other, chosen)
    ours: list[float] = []
    bare: list[float] = []

    def write_ours(batch: Batch) -> None:
        begin = time.perf_counter()
        ledger.append(store, run, 0, batch)
        ours.append(time.perf_counter() - begin)

    def write_bare(batch: Batch) -> None:
        parameters = {"id": other, "graph_id": world.graph_id, "rows": _plain(batch), "outcomes": _outcomes(batch)}
        begin = time.perf_counter()
        with driver.session() as session:
            session.execute_write(_write_bare, parameters)
        bare.append(time.perf_counter() - begin)

    for start in range(0, rows - size + 1, size):
        batch = measured(chosen[start : start + size], seed=1, outcomes=outcomes)
        for write in (write_ours, write_bare) if first else (write_bare, write_ours):
            write(batch)
    return ours, bare


def _write_bare(tx: neo4j.ManagedTransaction, parameters: dict[str, Any]) -> None:
    outcomes = parameters["outcomes"]
    tx.run(BARE, {name: parameters[name] for name in ("id", "graph_id", "rows")}).consume()
    if outcomes:
        tx.run(BARE_OUTCOMES, {"id": parameters["id"], "outcomes": outcomes}).consume()


def _outcomes(batch: Batch) -> list[dict[str, Any]]:
    """What the probes of a batch showed, as properties."""
    shown = [asdict(outcome) for _, one in batch for outcome in one.outcomes]
    return [{"probe_id": outcome.pop("probe_id"), "shown": outcome} for outcome in shown]


def _plain(batch: Batch) -> list[dict[str, Any]]:
    """The rows as the ledger sends them."""
    return [ledger.row_of(slot, one) for slot, one in batch]


if __name__ == "__main__":
    main()
