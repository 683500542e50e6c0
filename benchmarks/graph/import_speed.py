"""Speed and memory of an import into an empty embedded database, beside plain UNWIND and row by row.

A seeded graph (skewed degrees, one hierarchy, IRIs as uids) is written as CSV files and imported as a user's would be:
reading, checking, staging, comparing, writing, levels and digest are all in the time. The comparisons write rows that
are ready in memory, without any of that: plain UNWIND with an index look-up per end, and one row a transaction.

Usage: ``python -m benchmarks.graph.import_speed [--entities 200000] [--facts 1000000] [--sample 100000] [--offline]``
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.importing import ImportReport, InputFile, import_graph
from knowledgesmith.graph_schema.importing.offline import import_offline
from knowledgesmith.graph_schema.importing.writing.loader import BATCH, batches
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.facts import fact_id

ROOT = Path(__file__).resolve().parents[2]
TYPES = 8
RELATIONS = 12
SINGLE_ROWS = 1_000


def uid(number: int) -> str:
    """An IRI."""
    return f"http://example.org/entity/{number:08d}"


def facts(entities: int, count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """A tree over all entities, then facts whose objects follow a square law, without doubles."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, no secret
    for child in range(1, min(entities, count)):
        yield uid(child), "is_a", uid(draw.randrange(child))
    seen: set[int] = set()
    for _ in range(count - min(entities, count) + 1):
        subject, relation, obj = (
            draw.randrange(entities),
            draw.randrange(1, RELATIONS),
            int(entities * draw.random() ** 2),
        )
        key = (subject * RELATIONS + relation) * entities + obj
        if key not in seen:
            seen.add(key)
            yield uid(subject), f"relation_{relation}", uid(obj)


def write_files(folder: Path, entities: int, count: int, seed: int) -> list[Path]:
    """The tables of the graph."""
    with (folder / "entities.csv").open("w", encoding="utf-8") as file:
        file.write("uid,name,type,aliases\n")
        file.writelines(f"{uid(n)},Entity {n},Type {n % TYPES},E{n}|e-{n}\n" for n in range(entities))
    with (folder / "relations.csv").open("w", encoding="utf-8") as file:
        file.write("name,hierarchical\nis_a,true\n")
        file.writelines(f"relation_{n},\n" for n in range(1, RELATIONS))
    with (folder / "facts.csv").open("w", encoding="utf-8") as file:
        file.write("subject,relation,object\n")
        file.writelines(f"{s},{r},{o}\n" for s, r, o in facts(entities, count, seed))
    return [folder / f"{name}.csv" for name in ("entities", "relations", "facts")]


def run_import(store: GraphStore, paths: list[Path], graph_id: str) -> ImportReport:
    """One import of the files."""
    with ExitStack() as stack:
        files = [InputFile(name=path.name, content=stack.enter_context(path.open("rb"))) for path in paths]
        return import_graph(store, graph_id=graph_id, files=files, source="benchmark")


def run_offline(data_dir: Path, paths: list[Path], graph_id: str) -> ImportReport:
    """The same files through the admin import, into a database that does not run."""
    with ExitStack() as stack:
        files = [InputFile(name=path.name, content=stack.enter_context(path.open("rb"))) for path in paths]
        return import_offline(data_dir, graph_id=graph_id, files=files, source="benchmark")


def plain_unwind(store: GraphStore, entities: int, rows: list[tuple[str, str, str]]) -> dict[str, float]:
    """Rows a second of UNWIND alone, ends found by their index; rows are ready in memory and sorted."""
    graph_id = "plain_unwind"
    nodes: list[list[Any]] = [[uid(n), f"Entity {n}", "Type", "", [], False] for n in range(entities)]
    links: list[list[Any]] = sorted([s, o, r.upper(), fact_id(graph_id, s, r, o), ""] for s, r, o in rows)
    began = time.perf_counter()
    for batch in batches(nodes, BATCH):
        store.write("archive/load_entities", graph_id=graph_id, rows=batch)
    middle = time.perf_counter()
    for batch in batches(links, BATCH):
        store.write("archive/load_facts", graph_id=graph_id, rows=batch)
    ended = time.perf_counter()
    return {"entities": entities / (middle - began), "facts": len(rows) / (ended - middle)}


def row_by_row(store: GraphStore, rows: list[tuple[str, str, str]]) -> float:
    """Facts a second with one transaction a fact, on the graph of ``plain_unwind``."""
    began = time.perf_counter()
    for subject, relation, obj in rows:
        row = [subject, obj, f"{relation.upper()}_SINGLE", fact_id("plain_unwind", subject, relation, obj), ""]
        store.write("archive/load_facts", graph_id="plain_unwind", rows=[row])
    return len(rows) / (time.perf_counter() - began)


def summary(report: ImportReport) -> dict[str, Any]:
    """What of a report is measured."""
    rows = report.entities_created + report.facts_created
    return {
        "seconds": round(report.seconds, 2),
        "entities": report.entities_created,
        "facts": report.facts_created,
        "rows_per_s": round(rows / report.seconds),
        "facts_per_s": round(report.facts_created / report.seconds),
        "stages_s": report.stages,
        "digest": report.digest,
    }


def main() -> None:
    """Run everything and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=200_000)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=100_000, help="facts of the comparison with plain UNWIND")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--heap", default="1g")
    parser.add_argument("--offline", action="store_true", help="measure the offline import too")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "graph-import-speed.json")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        paths = write_files(folder, args.entities, args.facts, args.seed)
        result: dict[str, Any] = {
            "entities": args.entities,
            "facts": args.facts,
            "seed": args.seed,
            "file_bytes": sum(path.stat().st_size for path in paths),
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "heap": args.heap,
            "version": version("knowledgesmith"),
        }
        if args.offline:
            result["offline"] = summary(run_offline(folder / "offline", paths, "bench"))
            print("offline", json.dumps(result["offline"]), flush=True)
        settings = EmbeddedSettings(data_dir=folder / "neo4j", heap=args.heap)
        database = stack.enter_context(start(settings, owned=True))
        store = GraphStore.connect(StoreSettings(uri=database.uri))
        stack.callback(store.close)
        migrate(store)
        result["import"] = summary(run_import(store, paths, "bench"))
        result["import"]["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print("import", json.dumps(result["import"]), flush=True)
        result["import_again"] = summary(run_import(store, paths, "bench"))
        share = max(1, args.entities * args.sample // args.facts)
        rows = list(facts(share, args.sample, args.seed))
        plain = plain_unwind(store, share, rows)
        single = row_by_row(store, rows[:SINGLE_ROWS])
        result["plain_unwind_per_s"] = {name: round(value) for name, value in plain.items()}
        result["row_by_row_facts_per_s"] = round(single)
        writing = result["import"]["stages_s"]["write"]
        written = result["import"]["entities"] + result["import"]["facts"]
        ideal = result["import"]["entities"] / plain["entities"] + result["import"]["facts"] / plain["facts"]
        result["ratios"] = {
            "import_over_row_by_row": round(result["import"]["facts_per_s"] / single, 2),
            "writing_over_plain_unwind": round(ideal / writing, 2),
            "import_over_plain_unwind": round(ideal / result["import"]["seconds"], 2),
        }
        result["written_rows_per_s"] = round(written / writing)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
