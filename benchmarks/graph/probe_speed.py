"""How fast verified probes are made from a whole graph, and whether memory stays flat.

``python -m benchmarks.graph.probe_speed`` uses WN18RR (93 k facts) where the shared data lies beside the checkout, else
a synthetic graph of about the same size, in an embedded Neo4j of its own or at ``--uri``. The same run measures
the path that builds probes one by one, on a part of the anchors.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks.graph.memory import Memory

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue, to_properties
from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
from knowledgesmith.graph_schema.graphs.levels import rebuild_levels
from knowledgesmith.graph_schema.graphs.lexicon import load_lexicon
from knowledgesmith.graph_schema.probes.asking.questions import Scope, ask
from knowledgesmith.graph_schema.probes.drawing.build import Builder
from knowledgesmith.graph_schema.probes.generation.generate import generate_file
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.probes.verification.verify import verify
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, close, rules_of
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.digests import graph_digest
from knowledgesmith.graph_schema.types.facts import Relation, Traits, fact_id
from knowledgesmith.graph_schema.types.probes import ProbeKind

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ROOT.parent / "shared" / "data" / "kg" / "general" / "wn18rr"
RESULTS: Final = ROOT / "benchmarks" / "results"
GRAPH: Final = "probe-speed"
SYMMETRIC: Final = frozenset({"derivationally_related_form", "similar_to", "verb_group", "also_see"})
BATCH: Final = 5_000
Triples = set[tuple[str, str, str]]


def wn18rr() -> tuple[dict[str, str], Triples]:
    """Names and facts of WN18RR; a name holds the gloss, so that it is the entity's alone."""
    names: dict[str, str] = {}
    with gzip.open(SHARED / "entity2text.txt.gz", "rt", encoding="utf-8") as file:
        for line in file:
            uid, text = line.rstrip("\n").split("\t")
            names[uid] = text[:480]
    facts: Triples = set()
    for name in ("train.tsv.gz", "dev.tsv", "test.tsv"):
        path = SHARED / name
        with gzip.open(path, "rt", encoding="utf-8") if name.endswith("gz") else path.open(encoding="utf-8") as file:
            for line in file:
                subject, relation, obj = line.rstrip("\n").split("\t")
                facts.add((subject, relation.lstrip("_"), obj))
    used = {uid for s, _, o in facts for uid in (s, o)}
    return {uid: names.get(uid, uid) for uid in used}, facts


def synthetic(*, entities: int = 40_000, facts: int = 93_000) -> tuple[dict[str, str], Triples]:
    """A tree of ``hypernym`` facts with other relations across, from a fixed seed."""
    rng = np.random.default_rng(7)
    names = {f"e{n:06}": f"thing number {n}" for n in range(entities)}
    uids = sorted(names)
    made: Triples = {(uids[n], "hypernym", uids[int(n * rng.random() ** 2)]) for n in range(1, entities)}
    made = {fact for fact in made if fact[0] != fact[2]}
    relations = ("has_part", "similar_to", "member_meronym", "topic_of", "also_see")
    while len(made) < facts:
        one, other = rng.integers(entities, size=2)
        if one != other:
            made.add((uids[one], relations[int(rng.integers(len(relations)))], uids[other]))
    return names, made


def load(store: GraphStore, names: dict[str, str], facts: Triples) -> None:
    """Store the graph in batches."""
    traits = {
        name: Traits(symmetric=name in SYMMETRIC, hierarchical=name == "hypernym") for name in {f[1] for f in facts}
    }
    catalogue = build_catalogue([Relation(name=name, rel_type="", traits=t) for name, t in sorted(traits.items())])

    def head(tx: Any) -> None:
        tx.rows("archive/load_begin", graph_id=GRAPH, archive="")
        properties = {"digest": graph_digest(facts), "source": "benchmark"}
        tx.rows("archive/load_end", graph_id=GRAPH, archive="", properties=properties)
        tx.rows("graphs/relations_replace", graph_id=GRAPH, rows=[to_properties(r) for r in catalogue.values()])

    store.write_transaction(head)
    for batch in batches([[uid, name, "", "", [], False] for uid, name in sorted(names.items())]):
        store.write("archive/load_entities", graph_id=GRAPH, rows=batch)
    rows = [[s, o, catalogue[r].rel_type, fact_id(GRAPH, s, r, o), "benchmark"] for s, r, o in sorted(facts)]
    for batch in batches(rows):
        store.write("archive/load_facts", graph_id=GRAPH, rows=batch)
    store.write_transaction(lambda tx: rebuild_levels(tx, graph_id=GRAPH, relations=catalogue))


def batches(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """Rows in batches."""
    for first in range(0, len(rows), BATCH):
        yield rows[first : first + BATCH]


def measure_bulk(store: GraphStore, *, server: int) -> dict[str, Any]:
    """One bulk run of all kinds and phrasings: probes, seconds, and resident memory over time.

    ``server`` is the process id of the database, 0 where it is not known.
    """
    lexicon = load_lexicon(store, graph_id=GRAPH)
    started, cpu, theirs = time.perf_counter(), time.process_time(), _cpu_of(server)
    with tempfile.TemporaryDirectory() as folder, Memory() as memory:
        request = BulkRequest(graph_id=GRAPH, phrasings=0)
        made = generate_file(store, request, directory=Path(folder), lexicon=lexicon, observe=memory.observe)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    seconds = time.perf_counter() - started
    probes = sum(made.counts.values())
    return {
        "probes": probes,
        "seconds": round(seconds, 2),
        "cpu_seconds_of_this_process": round(time.process_time() - cpu, 2),
        "cpu_seconds_of_the_database": round(_cpu_of(server) - theirs, 2),
        "probes_per_second": round(probes / seconds),
        "seconds_per_million": round(seconds / probes * 1e6, 1),
        "counts": dict(made.counts),
        "dropped": dict(made.dropped),
        "digest": made.digest,
        "file_mb": round(size / 2**20, 1),
        "memory": memory.report(),
    }


def measure_one_by_one(store: GraphStore, *, anchors: int) -> dict[str, Any]:
    """The same kinds for a part of the anchors, each probe built and verified as an object."""
    lexicon = load_lexicon(store, graph_id=GRAPH)
    uids = sorted(entity.uid for entity in lexicon.entities)
    part = uids[:: max(1, len(uids) // anchors)][:anchors]
    started = time.perf_counter()
    probes = 0
    with store.what_if() as tx:
        close(tx, graph_id=GRAPH, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        builder = Builder(lexicon=lexicon, seed=0)
        for kind in ProbeKind:
            scope = Scope(anchors=part, long_anchors=part)
            questions = ask(tx, lexicon=lexicon, scope=scope, kind=kind, worlds=(BEFORE,))
            builder.same_relation.clear()
            for question in questions:
                known = builder.same_relation.setdefault((question.relation, question.reverse), [])
                known += question.before
            built = [made for question in questions for made in builder.build(question)]
            verify(tx, lexicon=lexicon, probes=[(made.probe, made.question) for made in built])
            probes += len(built)
    seconds = time.perf_counter() - started
    return {
        "anchors": len(part),
        "probes": probes,
        "seconds": round(seconds, 2),
        "probes_per_second": round(probes / seconds),
    }


def _cpu_of(pid: int) -> float:
    """Processor seconds that another process has used; 0 where it is not known."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def database(uri: str, pid: int) -> Generator[tuple[GraphStore, int]]:
    """A store at ``uri``, or at an embedded database that ends with the run; and the database's process id."""
    if uri:
        store = GraphStore.connect(StoreSettings(uri=uri))
        yield store, pid
        store.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = EmbeddedSettings(data_dir=Path(folder), heap="1g", page_cache="512m", short_lived=False)
        with start(settings, owned=True) as running:
            store = GraphStore.connect(StoreSettings(uri=running.uri))
            yield store, running.pid
            store.close()


def main(arguments: Iterable[str] | None = None) -> int:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri", default="", help="Bolt address of a database to use; empty = an embedded one")
    parser.add_argument("--pid", type=int, default=0, help="process id of that database, for its processor time")
    parser.add_argument("--sample", type=int, default=1_000, help="anchors of the one-by-one path")
    parser.add_argument("--loaded", action="store_true", help="the graph is in the database already")
    parser.add_argument("--part", choices=["bulk", "one"], help="measure one part in this process (used by the run)")
    parser.add_argument("--out", type=Path, default=RESULTS / "graph-probe-speed.json")
    options = parser.parse_args(None if arguments is None else list(arguments))
    with database(options.uri, options.pid) as (store, pid):
        if options.part:
            bulk = options.part == "bulk"
            found = measure_bulk(store, server=pid) if bulk else measure_one_by_one(store, anchors=options.sample)
            sys.stdout.write(json.dumps(found))
            return 0
        migrate(store)
        real = SHARED.is_dir()
        if not options.loaded:
            load(store, *(wn18rr() if real else synthetic()))
        # each in a process of its own, so that one's memory is not counted as the other's
        parts = {name: _in_process(name, uri=store.uri, pid=pid, sample=options.sample) for name in ("bulk", "one")}
    result = {
        "graph": "WN18RR" if real else "synthetic",
        "bulk": parts["bulk"],
        "one_by_one": parts["one"],
        "ratio": round(parts["bulk"]["probes_per_second"] / parts["one"]["probes_per_second"], 1),
        "bar": {"goal_s_per_million": 60, "bar_s_per_million": 120},
    }
    text = json.dumps(result, indent=2, sort_keys=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0


def _in_process(part: str, *, uri: str, pid: int, sample: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.graph.probe_speed", "--uri", uri, "--pid", str(pid), "--part", part]
    done = subprocess.run([*command, "--sample", str(sample)], check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
