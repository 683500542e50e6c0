"""How well probe sets can be guessed without knowledge, and what it costs that they cannot: graph by graph.

``python -m benchmarks.graph.fair_sets --uri URI [--data FOLDER] [--graph ID] [--file FORMAT:PATH] [--limit N]``
imports the graphs of a data folder laid out as ``scripts/import_folder.py`` expects it (``kg/…``), and single files;
graphs in the database already are named with ``--graph``. A set of all questions of each graph is made, and its
table of guessers, the shares left out and the seconds are written. A run that ended early goes on where it stopped;
``--again`` measures anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from knowledgesmith.graph_schema.importing.pipeline import import_graph
from knowledgesmith.graph_schema.importing.reading.importer import InputFile
from knowledgesmith.graph_schema.probes.generation.generate import generate_file
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest, BulkResult
from knowledgesmith.graph_schema.probes.sets.fair_sets import unfair_because
from knowledgesmith.graph_schema.storage.migrations import migrate
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings

ROOT: Final = Path(__file__).resolve().parents[2]
OUT: Final = ROOT / "benchmarks" / "results" / "fair-sets.json"
PREFIX: Final = "fair-"


def files_of(folder: Path) -> Iterator[tuple[str, str, list[Path], Mapping[str, str]]]:
    """Name, format, files and options of every graph of a data folder."""
    sys.path.insert(0, str(ROOT / "scripts"))
    sets: Any = import_module("import_folder").SETS
    for data in sets:
        found = data.data(folder)
        if found and any("kg" in path.relative_to(folder).parts for path in found):
            yield data.name, data.format, [*found, *data.extras(folder)], data.options


def bring_in(store: GraphStore, name: str, form: str, paths: Iterable[Path], options: Mapping[str, str]) -> str:
    """Import one graph; its id."""
    graph_id = PREFIX + name
    with ExitStack() as stack:
        files = [InputFile(name=path.name, content=stack.enter_context(path.open("rb"))) for path in paths]
        import_graph(store, graph_id=graph_id, files=files, source=name, format=form, options=dict(options))
    return graph_id


def measure(store: GraphStore, graph_id: str, *, limit: int, phrasings: int) -> dict[str, Any]:
    """One set: what guessers get right, what was left out, how long it took."""
    started = time.perf_counter()
    request = BulkRequest(graph_id=graph_id, limit_per_kind=limit or None, phrasings=phrasings)
    with tempfile.TemporaryDirectory() as folder:
        made = generate_file(store, request, directory=Path(folder))
    return {**summary(made), "seconds": round(time.perf_counter() - started, 1)}


def summary(made: BulkResult) -> dict[str, Any]:
    """The figures of one set by kind; ``worst`` is the guesser with the highest upper end above chance."""
    kinds: dict[str, Any] = {}
    for guess in made.guesses:
        row = kinds.setdefault(
            guess.kind, {"questions": guess.tested, "chance": round(guess.chance, 4), "guessers": {}}
        )
        row["guessers"][guess.guesser] = [round(guess.accuracy, 4), round(guess.low, 4), round(guess.high, 4)]
    for kind, row in kinds.items():
        worst = max(row["guessers"], key=lambda name: row["guessers"][name][2])
        row["worst"] = {"guesser": worst, "accuracy": row["guessers"][worst][0], "high": row["guessers"][worst][2]}
        row["within"] = all(guess.within for guess in made.guesses if guess.kind == kind)
        if kind in made.left_out:
            row["left_out"] = round(made.left_out[kind].share, 4)
            row["askable"] = made.left_out[kind].askable
    return {
        "kinds": kinds,
        "dropped": dict(made.dropped),
        "probes": sum(made.counts.values()),
        "unfair": list(unfair_because(made.guesses, made.left_out)),
    }


def main() -> int:
    """Measure what is asked for and write the result after every graph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", required=True, help="Bolt address of a database")
    parser.add_argument("--data", type=Path, help="data folder")
    parser.add_argument("--graph", action="append", default=[], help="id of a graph that is there; may be repeated")
    parser.add_argument("--file", action="append", default=[], metavar="FORMAT:PATH", help="may be repeated")
    parser.add_argument("--limit", type=int, default=0, help="probes of each kind; 0 = all")
    parser.add_argument("--phrasings", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="measure what has been measured")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    store = GraphStore.connect(StoreSettings(uri=asked.uri))
    migrate(store)
    known: dict[str, Any] = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out.exists() else {}
    todo: list[tuple[str, str, list[Path], Mapping[str, str]]] = [(name, "", [], {}) for name in asked.graph]
    todo += list(files_of(asked.data)) if asked.data else []
    for text in asked.file:
        form, _, path = text.partition(":")
        todo.append((Path(path).name.partition(".")[0].lower(), form, [Path(path)], {}))
    for name, form, paths, options in todo:
        if name in known and not asked.again:
            continue
        graph_id = bring_in(store, name, form, paths, options) if paths else name
        known[name] = found = measure(store, graph_id, limit=asked.limit, phrasings=asked.phrasings)
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        for kind, row in found["kinds"].items():
            worst = row["worst"]
            print(
                f"{name}\t{kind}\t{row['questions']}\tchance {row['chance']:.3f}\t{worst['guesser']} "
                f"{worst['accuracy']:.3f} (to {worst['high']:.3f})\tleft out {row.get('left_out', 0):.1%}",
                flush=True,
            )
    store.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
