"""Speed of the ledger against the bare driver: the same rows, in the same run, batch by batch in turns.

The bare driver writes one relationship a row and three head properties on its entity with one statement. The ledger
does what the service does: checks the fence, passes over rows that are there, writes the rows, and derives the heads
of the batch's entities (every kind, weighted by probes). Measured with and without the probes' outcomes.

Usage: ``python -m benchmarks.graph.ledger_speed [--rows 50000] [--batch 5000] [--uri bolt://…]``
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
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


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--uri", default="", help="A running Neo4j; default: one of its own.")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "graph-ledger.json")
    arguments = parser.parse_args()
    with opened(arguments.uri) as (store, uri), neo4j.GraphDatabase.driver(uri) as driver:
        result = measure(store, driver, rows=arguments.rows, batch=arguments.batch)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def measure(store: GraphStore, driver: neo4j.Driver, *, rows: int, batch: int) -> dict[str, Any]:
    """Rows per second of both, and their ratio; first and last half of a run show whether it is linear."""
    world = build_world(store, graph_id=f"ledger-{uuid.uuid4().hex[:8]}", entities=-(-rows // len(KINDS)) + 1)
    open_branch(store, world)
    result: dict[str, Any] = {"rows": rows, "batch": batch, "entities": len(world.entities)}
    for name, outcomes in (("warm_up", False), ("ledger", False), ("ledger_with_outcomes", True)):
        ours, bare = _one(store, driver, world, rows if name != "warm_up" else 2 * batch, batch, outcomes=outcomes)
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
    store: GraphStore, driver: neo4j.Driver, world: RunWorld, rows: int, size: int, *, outcomes: bool
) -> tuple[list[float], list[float]]:
    """Seconds of every batch, ours and the bare driver's, written in turns."""
    name = uuid.uuid4().hex[:8]
    run, other = (open_run(store, world, f"{world.graph_id}-{name}-{half}") for half in ("ours", "bare"))
    chosen = slots(world, rows)
    if outcomes:
        write_plan(store, world, run, chosen)
    ours: list[float] = []
    bare: list[float] = []
    for start in range(0, rows - size + 1, size):
        batch = measured(chosen[start : start + size], seed=1, outcomes=outcomes)
        begin = time.perf_counter()
        ledger.append(store, run, 0, batch)
        ours.append(time.perf_counter() - begin)
        plain = _plain(batch)
        begin = time.perf_counter()
        with driver.session() as session:
            session.execute_write(_write_bare, {"id": other, "graph_id": world.graph_id, "rows": plain})
        bare.append(time.perf_counter() - begin)
    return ours, bare


def _write_bare(tx: neo4j.ManagedTransaction, parameters: dict[str, Any]) -> None:
    tx.run(BARE, parameters).consume()


def _plain(batch: Batch) -> list[dict[str, Any]]:
    """The rows as the ledger sends them."""
    return [ledger.row_of(slot, one) for slot, one in batch]


if __name__ == "__main__":
    main()
