"""How long a plan takes: warm, for 1 to 10,000 edits, on the bundled atlas, the Cell Ontology and a wide made-up graph.

Run ``python -m benchmarks.graph.plan_speed`` with ``KSMITH_NEO4J_URI`` pointing at a Neo4j of your own, or let it start
the embedded one in a temporary folder. Every line gives the median and the worst of several plans of different edits,
with the closed world of the branch in the cache (warm) and without (cold, once), and for the same edits the time of a
closure of the whole graph in both worlds, which the region replaces. ``python_cpu_s`` is what this process works;
the rest of the time the database works, or other processes of the machine do. Python's garbage collector and the
embedded database are set as the server sets them.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.errors import TooLarge
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.reasoning.closure import AFTER, BEFORE, close
from knowledgesmith.graph_schema.reasoning.world_index import WorldIndex
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.worlds.update import update_of
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache
from knowledgesmith.server.front.gc_tuning import collect_rarely

SIZES: Final = (1, 10, 100, 1_000, 10_000)
BARS_S: Final = {1: 0.1, 1_000: 5.0}
_REPEATS: Final = {1: 15, 10: 7, 100: 5, 1_000: 3, 10_000: 2}
_WARM: Final = {1: 40}
"""Plans made before the first that counts, else one: the database compiles its queries while they run."""
_PEOPLE: Final = 20_000
_RESULT: Final = Path(__file__).parents[1] / "results" / "graph-plan-speed.json"
OBO: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "kg" / "biology" / "cl-basic.obo"
"""Where the Cell Ontology lies beside a checkout."""


def cell_ontology() -> list[InputFile]:
    """The file of the Cell Ontology."""
    return [InputFile(name=OBO.name, content=io.BytesIO(OBO.read_bytes()))]


def wide_graph() -> list[InputFile]:
    """Many people with one home each, and a symmetric relation: room for 10,000 edits at once."""
    rng = random.Random(7)  # noqa: S311 - a draw for a benchmark
    people = [f"p{n:05}" for n in range(_PEOPLE)]
    towns = [f"t{n:04}" for n in range(_PEOPLE // 20)]
    facts = [(person, "lives_in", rng.choice(towns)) for person in people]
    facts += [(town, "lies_in", f"c{rng.randrange(50):02}") for town in towns]
    facts += [(one, "knows", other) for one, other in zip(people[::2], people[1::2], strict=True)]
    entities = [("uid", "name", "type", "domain")]
    entities += [(person, f"Person {person}", "Person", "people") for person in people]
    entities += [(town, f"Town {town}", "Town", "places") for town in towns]
    entities += [(f"c{n:02}", f"Country {n}", "Country", "places") for n in range(50)]
    relations = [
        ("name", "rel_type", "functional", "symmetric", "composed_of"),
        ("lives_in", "LIVES_IN", "true", "false", ""),
        ("lies_in", "LIES_IN", "true", "false", ""),
        ("knows", "KNOWS", "false", "true", ""),
        ("country", "COUNTRY", "false", "false", "lives_in|lies_in"),
    ]
    templates = [("relation", "direction", "split", "form", "text")]
    for name, words in (("lives_in", "lives in"), ("lies_in", "lies in"), ("knows", "knows"), ("country", "is from")):
        templates += [
            (name, "forward", "train", "cloze", f"We hear that {{s}} {words}"),
            (name, "forward", "eval", "cloze", f"{{s}} {words}"),
            (name, "forward", "eval", "statement", f"{{s}} {words} {{o}}."),
            (name, "forward", "eval", "phrase", f"where {{s}} {words}"),
            (name, "reverse", "eval", "cloze", f"{{o}} is where one {words}, such as"),
        ]
    roles: dict[FileRole, Sequence[Sequence[str]]] = {
        FileRole.ENTITIES: entities,
        FileRole.RELATIONS: relations,
        FileRole.FACTS: [("subject", "relation", "object"), *facts],
        FileRole.TEMPLATES: templates,
    }
    return [_file(role, rows) for role, rows in roles.items()]


def _file(role: FileRole, rows: Sequence[Sequence[str]]) -> InputFile:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    content = io.BytesIO(text.getvalue().encode())
    return InputFile(role=role, name=f"wide/{role}.csv", content=content)


def edits(world: WorldIndex, count: int, *, seed: int) -> tuple[Change, ...]:
    """Drawn facts that get another object of their relation, none of which contradicts another."""
    rng = random.Random(seed)  # noqa: S311 - a draw for a benchmark
    facts = sorted(world.asserted())
    objects: dict[str, list[str]] = defaultdict(list)
    for _, relation, obj in facts:
        objects[relation].append(obj)
    above: dict[tuple[str, str], set[str]] = defaultdict(set)
    for subject, relation, obj in facts:
        above[relation, subject].add(obj)
    chosen: dict[tuple[str, str], Change] = {}
    for subject, relation, obj in rng.sample(facts, len(facts)):
        new = rng.choice(objects[relation])
        traits = world.lexicon.relations[relation].traits
        if traits.symmetric or traits.inverse_functional or traits.inverse_of or (subject, relation) in chosen:
            continue
        if new in {subject, obj} | above[relation, subject] or world.find((subject, relation, new)):
            continue
        if traits.transitive and {subject, obj} & _reach(above, relation, new):
            continue
        above[relation, subject] = (above[relation, subject] - {obj}) | {new}
        chosen[subject, relation] = Change(subject=subject, relation=relation, old_object=obj, new_object=new)
        if len(chosen) == count:
            break
    return tuple(
        change for change in chosen.values() if change.old_object not in _reach(above, change.relation, change.subject)
    )


def _reach(above: dict[tuple[str, str], set[str]], relation: str, start: str) -> set[str]:
    """Everything over an entity by one relation."""
    found: set[str] = set()
    todo = [start]
    while todo:
        fresh = above.get((relation, todo.pop()), set()) - found
        found |= fresh
        todo += sorted(fresh)
    return found


def measure(store: GraphStore, graph_id: str, sizes: Sequence[int]) -> list[dict[str, Any]]:
    """One row for every number of edits."""
    cache = WorldCache()
    started = time.perf_counter()
    world = cache.world(store, graph_id=graph_id, overlay=())
    cold = time.perf_counter() - started
    rows: list[dict[str, Any]] = []
    for size in sizes:
        seconds: list[float] = []
        busy: list[float] = []
        plan = None
        warm = _WARM.get(size, 1)
        for repeat in range(_REPEATS[size] + warm):
            changes = edits(world, size, seed=100 * size + repeat)
            if len(changes) < size * 0.9:  # the graph has no more that do not contradict each other
                break
            request = PlanRequest(graph_id=graph_id, branch_id="bench", goal=Goal.EDIT, changes=changes, seed=repeat)
            started, worked = time.perf_counter(), time.process_time()
            try:
                plan = make_plan(store, request, worlds=cache)
            except TooLarge as refused:
                rows.append(_refused(graph_id, size, refused, time.perf_counter() - started))
                break
            if repeat >= warm:
                seconds.append(time.perf_counter() - started)
                busy.append(time.process_time() - worked)
        if plan is None or not seconds:
            continue
        whole = _whole_seconds(store, world, edits(world, size, seed=100 * size))
        row = {
            "graph": graph_id,
            "edits": size,
            "asked": len(plan.targets),
            "median_s": round(statistics.median(seconds), 4),
            "worst_s": round(max(seconds), 4),
            "python_cpu_s": round(statistics.median(busy), 4),
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "plans": len(seconds),
            "whole_closures_s": round(whole, 4),
            "closures_alone_over_plan": round(whole / statistics.median(seconds), 2),
            "probes": len(plan.probes),
            "derived": len(plan.derived),
            "cold_world_s": round(cold, 3),
            "facts_in_world": len(world),
            "bar_s": BARS_S.get(size),
            "within_bar": size not in BARS_S or statistics.median(seconds) <= BARS_S[size],
        }
        print(json.dumps(row))
        rows.append(row)
    return rows


def _refused(graph_id: str, size: int, error: TooLarge, seconds: float) -> dict[str, Any]:
    """What stands in the place of a plan that is refused."""
    row = {
        "graph": graph_id,
        "edits": size,
        "refused": error.message,
        "seconds": round(seconds, 2),
        "within_bar": False,
    }
    print(json.dumps(row))
    return row


def _whole_seconds(store: GraphStore, world: WorldIndex, changes: Sequence[Change]) -> float:
    """Closing the whole graph before and after the same update, and nothing else."""
    started = time.perf_counter()
    with store.what_if() as tx:
        close(tx, graph_id=world.graph_id, rules=world.rules, world=BEFORE)
        update_of(world, changes).write(tx)
        close(tx, graph_id=world.graph_id, rules=world.rules, world=AFTER)
    return time.perf_counter() - started


@contextmanager
def database() -> Generator[GraphStore]:
    """The Neo4j of ``KSMITH_NEO4J_URI``, or an embedded one for this run."""
    if uri := os.environ.get("KSMITH_NEO4J_URI"):
        store = GraphStore.connect(StoreSettings(uri=uri))
        yield store
        store.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = EmbeddedSettings(data_dir=Path(folder), heap="1g", page_cache="256m")
        with start(settings, owned=True) as running:
            store = GraphStore.connect(StoreSettings(uri=running.uri))
            yield store
            store.close()


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", nargs="*", default=["atlas", "cell", "wide"], help="atlas, cell, wide")
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--out", type=Path, default=_RESULT)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    collect_rarely()
    with database() as store:
        migrate(store)
        for name in asked.graphs:
            if name == "cell" and not OBO.exists():
                print("cell: skipped, the shared data is not there")
                continue
            files = {"atlas": lambda: bundled_files("atlas"), "cell": cell_ontology, "wide": wide_graph}[name]()
            import_graph(store, graph_id=f"bench-{name}", files=files)
            rows += measure(store, f"bench-{name}", asked.sizes)
    asked.out.write_text(json.dumps({"rows": rows, "cpus": os.cpu_count()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
