"""Speed of the ledger against the bare driver: the same rows with heads, in the same run, batch by batch in turns.

Three writers write every batch, each for an intervention of its own, several times; they take turns at going first.
What counts is the shortest time of every batch, once Java has compiled them all.

``ledger`` is what the service does: :func:`ledger.append` converts the batch, checks the fence, passes over rows that
are there, writes the rows with all their properties, and derives the heads of their entities: belief, belief before,
difference, run, sequence number and the belief of every kind, weighted by probes.

``bare`` is the statement that one writes first with the driver (:data:`BARE`): rows are maps, each row looks up its
entity, gets one relationship with the same properties, and sets three head properties to its own values: belief,
difference and run. No fence, no check of what is there, nothing is weighted. Its rows are converted beforehand.

``tuned`` is the same work by one who measured (:data:`TUNED`): rows are lists that are grouped by entity, an entity is
looked up once, properties are named in the statement, and the three head properties are set once an entity, to values
that are worked out beforehand. Converted beforehand as well.

The bar is on ``bare``. With outcomes, each writer also writes with another statement what the probes showed, one probe
a row. Seconds of every batch, in the order of the run, show that the time does not grow with the rows that are there.

Usage: ``python -m benchmarks.graph.ledger_speed [--rows 100000] [--batch 5000] [--repeats 4] [--uri bolt://…]``
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple
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

from knowledgesmith.graph_schema.interventions import ledger
from knowledgesmith.graph_schema.interventions.ledger import COUNTS, Measured
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.plans import LedgerSlot

ROOT: Final = Path(__file__).resolve().parents[2]
BAR: Final = 0.8
OUTCOME_SHARE: Final = 4
"""One row in so many is also written with its outcome: planning the probes takes longer than all that is measured."""

BARE: Final[LiteralString] = """
MATCH (i:Intervention {id: $id})
UNWIND $rows AS row
MATCH (e:Entity {graph_id: $graph_id, uid: row.entity})
CREATE (i)-[c:CHANGED]->(e)
SET c = row.properties,
    e.belief = row.properties.after, e.belief_delta = row.properties.delta, e.belief_intervention = $id
"""

BARE_OUTCOMES: Final[LiteralString] = """
MATCH (i:Intervention {id: $id})
UNWIND $outcomes AS row
MATCH (:Probe {id: row.probe_id})<-[planned:PLANNED]-(i)
SET planned += row.shown
"""

TUNED: Final[LiteralString] = """
MATCH (i:Intervention {id: $id})
UNWIND $rows AS entity
MATCH (e:Entity {graph_id: $graph_id, uid: entity[0]})
SET e.belief = entity[1], e.belief_delta = entity[2], e.belief_intervention = $id
WITH i, e, entity
UNWIND entity[3] AS row
CREATE (i)-[:CHANGED {
  intervention: $id, seq: row[0], kind: row[1], polarity: row[2], role: row[3], fact_id: row[4], relation: row[5],
  before: row[6], after: row[7], new_before: row[8], new_after: row[9], delta: row[10], hops: row[11],
  nearest_target: row[12], n: row[13], n_installed: row[14], n_not_installed: row[15], n_erased: row[16],
  n_not_erased: row[17], n_propagated: row[18], n_forgotten: row[19], n_missed: row[20], n_drifted: row[21],
  n_preserved: row[22], n_collateral: row[23], n_ineligible: row[24]}]->(e)
"""

TUNED_OUTCOMES: Final[LiteralString] = """
MATCH (i:Intervention {id: $id})
UNWIND $outcomes AS row
MATCH (:Probe {id: row[0]})<-[planned:PLANNED]-(i)
SET planned.pred_before = row[1], planned.pred_after = row[2], planned.p_old_before = row[3],
    planned.p_old_after = row[4], planned.p_new_before = row[5], planned.p_new_after = row[6], planned.verdict = row[7]
"""

Writer = Callable[[str, Batch], float]
"""Writes a batch for an intervention; answers the seconds it took."""


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
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
    """Rows per second of all writers, their ratios, and the course of the seconds over a run."""
    world = build_world(store, graph_id=f"ledger-{uuid.uuid4().hex[:8]}", entities=-(-rows // len(KINDS)) + 1)
    open_branch(store, world)
    result: dict[str, Any] = {"rows": rows, "batch": batch, "repeats": repeats, "entities": len(world.entities)}
    for name, outcomes in (("ledger", False), ("ledger_with_outcomes", True)):
        chosen = slots(world, rows // OUTCOME_SHARE if outcomes else rows)
        batches = [
            measured(chosen[start : start + batch], seed=1, outcomes=outcomes)
            for start in range(0, len(chosen) - batch + 1, batch)
        ]
        writers = _writers(store, driver, world)
        runs = [_one(store, world, writers, batches, turn=repeat) for repeat in range(repeats)][1:]
        best = {
            writer: [min(times) for times in zip(*(run[writer] for run in runs), strict=True)] for writer in writers
        }
        result[name] = _summary(best, rows=batch * len(batches))
    result["bar"] = {"ratio": BAR, "met": result["ledger"]["ratio_to_bare"] >= BAR}
    return result


def _summary(best: dict[str, list[float]], *, rows: int) -> dict[str, Any]:
    total = {writer: sum(seconds) for writer, seconds in best.items()}
    half = len(best["ledger"]) // 2
    return {
        "rows": rows,
        **{f"{writer}_rows_per_s": round(rows / seconds) for writer, seconds in total.items()},
        **{f"ratio_to_{writer}": round(total[writer] / total["ledger"], 3) for writer in ("bare", "tuned")},
        "last_half_to_first_half": {
            writer: round(sum(seconds[-half:]) / sum(seconds[:half]), 3) for writer, seconds in best.items() if half
        },
        "batch_seconds": {writer: [round(one, 4) for one in seconds] for writer, seconds in best.items()},
    }


def _one(
    store: GraphStore, world: RunWorld, writers: dict[str, Writer], batches: Sequence[Batch], *, turn: int
) -> dict[str, list[float]]:
    """Seconds of every batch by writer; who begins changes from batch to batch."""
    name = uuid.uuid4().hex[:8]
    runs = {writer: open_run(store, world, f"{world.graph_id}-{name}-{writer}") for writer in writers}
    if batches[0][0][1].outcomes:
        for run in runs.values():
            write_plan(store, world, run, [slot for batch in batches for slot, _ in batch])
    seconds: dict[str, list[float]] = {writer: [] for writer in writers}
    order = list(writers)
    for number, batch in enumerate(batches, start=turn):
        first = number % len(order)
        for writer in order[first:] + order[:first]:
            seconds[writer].append(writers[writer](runs[writer], batch))
    return seconds


def _writers(store: GraphStore, driver: neo4j.Driver, world: RunWorld) -> dict[str, Writer]:
    def write_ledger(run: str, batch: Batch) -> float:
        begin = time.perf_counter()
        ledger.append(store, run, 0, batch)
        return time.perf_counter() - begin

    def write_bare(run: str, batch: Batch) -> float:
        rows = [{"entity": slot.entity, "properties": _properties(run, slot, one)} for slot, one in batch]
        shown = [asdict(outcome) for _, one in batch for outcome in one.outcomes]
        outcomes = [{"probe_id": outcome.pop("probe_id"), "shown": outcome} for outcome in shown]
        return _timed(driver, (BARE, BARE_OUTCOMES), id=run, graph_id=world.graph_id, rows=rows, outcomes=outcomes)

    def write_tuned(run: str, batch: Batch) -> float:
        rows = _grouped(run, batch)
        outcomes = [astuple(outcome) for _, one in batch for outcome in one.outcomes]
        return _timed(driver, (TUNED, TUNED_OUTCOMES), id=run, graph_id=world.graph_id, rows=rows, outcomes=outcomes)

    return {"ledger": write_ledger, "bare": write_bare, "tuned": write_tuned}


def _timed(driver: neo4j.Driver, statements: tuple[LiteralString, LiteralString], **params: Any) -> float:
    """Seconds of one transaction with the rows and, where there are some, the outcomes."""
    rows = {name: params[name] for name in ("id", "graph_id", "rows")}
    outcomes = {name: params[name] for name in ("id", "outcomes")}

    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run(statements[0], rows).consume()
        if params["outcomes"]:
            tx.run(statements[1], outcomes).consume()

    begin = time.perf_counter()
    with driver.session() as session:
        session.execute_write(work)
    return time.perf_counter() - begin


def _properties(run: str, slot: LedgerSlot, one: Measured) -> dict[str, Any]:
    """All properties of a row, in the order of the ledger's."""
    return {
        "intervention": run,
        "seq": slot.seq,
        "kind": slot.kind.value,
        "polarity": slot.polarity.value,
        "role": slot.role.value if slot.role else None,
        "fact_id": slot.fact_id,
        "relation": slot.relation,
        "before": one.before,
        "after": one.after,
        "new_before": one.new_before,
        "new_after": one.new_after,
        "delta": one.delta,
        "hops": slot.hops,
        "nearest_target": slot.nearest_target,
        "n": one.n,
        **{name: getattr(one, name) for name in COUNTS},
    }


def _grouped(run: str, batch: Batch) -> list[list[Any]]:
    """[uid, belief, difference, rows] of every entity; its last row makes its heads, as in :data:`BARE`."""
    found: dict[str, list[Any]] = {}
    for slot, one in batch:
        entity = found.setdefault(slot.entity, [slot.entity, None, None, []])
        entity[1:3] = one.after, one.delta
        entity[3].append(list(_properties(run, slot, one).values())[1:])
    return list(found.values())


if __name__ == "__main__":
    main()
