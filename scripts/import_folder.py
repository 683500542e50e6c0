"""Import every graph and benchmark of a data folder with ``ksmith import``, generate probes, check, print the counts.

Run: ``python scripts/import_folder.py DATA_DIR [--only NAME] [--limit N] [--rejections DIR]``. The folder is laid out
as ``kg/<domain>/…``, ``edit/<set>/…`` and ``unlearn/<set>/…``; sets that are not there are passed over, files that no
set takes are listed. Where a benchmark is there only as a documented record (a README with a JSON example), that
record is imported. A server is used as by every ``ksmith`` command (``KSMITH_SERVER``, else one of your own).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

KSMITH: Final = Path(sys.executable).with_name("ksmith")
_NOT_DATA: Final = ("README", "LICENSE", "NOTICE", "datapackage.json", "enum_")
_FENCED: Final = re.compile(r"^```\w*\n(\{.*?^\})\s*^```", re.MULTILINE | re.DOTALL)
_COLUMNS: Final = "set entities facts relations cases rejected check probes import generate note"


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What belongs together as one graph: patterns below the data folder, the format and its options.

    ``beside`` are patterns of files that add to data and are none; ``records`` of Markdown files that document one
    record, which is taken where no file of data is there.
    """

    name: str
    format: str
    patterns: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    beside: tuple[str, ...] = ()
    records: tuple[str, ...] = ()

    def data(self, folder: Path) -> list[Path]:
        """The files of data that are there."""
        return _found(folder, self.patterns)

    def extras(self, folder: Path) -> list[Path]:
        """What else is there of the set."""
        return _found(folder, self.beside)

    def documents(self, folder: Path) -> list[Path]:
        """The documents with a record that are there."""
        return _found(folder, self.records)


def _found(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]


SETS: Final = (
    DataSet(name="cells-obo", format="obo", patterns=("kg/biology/*.obo*",)),
    DataSet(name="cells-json", format="obograph", patterns=("kg/biology/*.json*",)),
    DataSet(name="physics-nt", format="rdf", patterns=("kg/physics/*.nt*",)),
    DataSet(name="physics-jsonld", format="rdf", patterns=("kg/physics/physh*.json*",)),
    DataSet(name="finance", format="rdf", patterns=("kg/economics/fibo/**/*.rdf",)),
    DataSet(
        name="countries",
        format="mapped",
        patterns=("kg/economics/*countries*.json*",),
        options={"mapping": "countries"},
    ),
    DataSet(
        name="elements",
        format="mapped",
        patterns=("kg/physics/Periodic*.json*",),
        options={"mapping": "periodic_table"},
    ),
    DataSet(
        name="battles",
        format="mapped",
        patterns=tuple(f"kg/history/cdb90/{name}.csv" for name in ("battles", "battle_actors", "commanders")),
        options={"mapping": "cdb90"},
    ),
    DataSet(name="people", format="triples", patterns=("kg/history/fb13/*.t*",), options={"false_triples": "count"}),
    DataSet(
        name="words",
        format="triples",
        patterns=("kg/general/wn18rr/*.t*",),
        options={"hierarchical": "_hypernym,_instance_hypernym", "transitive": "_hypernym", "name_until": ","},
    ),
    DataSet(name="counterfact", format="counterfact", patterns=("edit/counterfact/*.json*",)),
    DataSet(name="zsre", format="zsre", patterns=("edit/zsre/*.json*",)),
    DataSet(name="taxi", format="taxi", patterns=("edit/taxi/*.json*", "edit/taxi/taxonomy/*.tsv*")),
    DataSet(name="conflictedit", format="conflictedit", patterns=("edit/conflictedit/*.json*",)),
    DataSet(name="lre", format="lre", patterns=("edit/lre-relations/**/*.json*",)),
    DataSet(
        name="mquake",
        format="mquake",
        patterns=("edit/mquake/**/*.json*",),
        beside=("edit/mquake-prompts/templates/*.json",),
        records=("edit/mquake*/*.md",),
    ),
    DataSet(
        name="rippleedits",
        format="rippleedits",
        patterns=("edit/rippleedits/**/*.json*",),
        records=("edit/rippleedits*/*.md",),
    ),
    DataSet(name="knowedit", format="knowedit", patterns=("edit/knowedit/**/*.json*",)),
    DataSet(name="tofu", format="tofu", patterns=("unlearn/tofu/*.json*",)),
    DataSet(name="knowundo", format="knowundo", patterns=("unlearn/knowundo*/*.json*",)),
)


class CommandFailed(Exception):
    """A ``ksmith`` command ended with an error; ``str`` is the last line it said."""


def ksmith(*words: str) -> tuple[Any, float]:
    """The JSON that a command prints, and its seconds.

    Raises:
        CommandFailed: it ended with an error.
    """
    started = time.monotonic()
    done = subprocess.run([KSMITH, *words, "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise CommandFailed(said[-1])
    return json.loads(done.stdout.strip().splitlines()[-1]), time.monotonic() - started


def documented(document: Path, folder: Path) -> Path | None:
    """The JSON record that a document shows, as a file in ``folder``; its dots for what was left out are taken away."""
    found = _FENCED.search(document.read_text(encoding="utf-8"))
    if found is None:
        return None
    text = re.sub(r",?\s*\.\.\.(?=\s*[,\]])", "", found[1])
    path = folder / f"{document.parent.name}.json"
    path.write_text(re.sub(r",(\s*[\]}])", r"\1", text), encoding="utf-8")
    return path


def import_set(data: DataSet, files: Sequence[Path], *, limit: int, rejections: Path | None) -> list[str]:
    """One line of the table.

    Raises:
        CommandFailed: the import failed; failing probes are a note.
    """
    words = ["import", *map(str, files), "--graph-id", data.name, "--format", data.format, "--source", data.name]
    for key, value in data.options.items():
        words += ["--option", f"{key}={value}"]
    if rejections is not None:
        words += ["--rejections", str(rejections / f"{data.name}.jsonl")]
    made, seconds = ksmith(*words)
    report = made["report"]
    reasons = sorted(report["reasons"].items(), key=lambda found: (-found[1], found[0]))
    note = "; ".join(f"{count} × {reason}" for reason, count in reasons[:2])
    try:
        probes, probe_seconds = ksmith("probes", "generate", data.name, "--limit", str(limit))
        counts = " ".join(sorted(f"{found['kind'].lower()}={found['count']}" for found in probes["counts"]))
    except CommandFailed as error:
        counts, probe_seconds, note = "-", 0.0, f"probes: {error}"
    numbers = [report[name] for name in ("relations", "cases", "rejected")]
    entities, facts = (sum(report[f"{what}_{way}"] for way in ("created", "matched")) for what in ("entities", "facts"))
    return [
        data.name,
        *(f"{number:,}" for number in (entities, facts, *numbers)),
        check(data.name),
        counts,
        f"{seconds:.1f}",
        f"{probe_seconds:.1f}",
        note,
    ]


def check(graph_id: str) -> str:
    """``ok``, or what ``ksmith graph check`` found wrong."""
    try:
        ksmith("graph", "check", graph_id)
    except CommandFailed as error:
        return f"WRONG: {error}"
    return "ok"


def left_over(folder: Path, taken: set[Path]) -> list[str]:
    """Files of the three parts that no set takes and that are no notices."""
    files = (path for part in ("kg", "edit", "unlearn") for path in sorted((folder / part).rglob("*")))
    return [
        str(path.relative_to(folder))
        for path in files
        if path.is_file() and path not in taken and not any(word in path.name for word in _NOT_DATA)
    ]


def run(
    data: DataSet, files: Sequence[Path], extras: Sequence[Path], documents: Sequence[Path], asked: argparse.Namespace
) -> list[str]:
    """The set's line of the table, also where it failed."""
    with tempfile.TemporaryDirectory() as made:
        shown = [path for document in documents if not files and (path := documented(document, Path(made)))]
        try:
            return import_set(data, [*files, *extras, *shown], limit=asked.limit, rejections=asked.rejections)
        except CommandFailed as error:
            return [data.name, *["-"] * (_COLUMNS.count(" ") - 1), f"FAILED: {error}"]


def main() -> int:
    """Import what is there; 1 when a set failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DATA_DIR")
    parser.add_argument("--only", action="append", choices=[data.name for data in SETS], help="may be repeated")
    parser.add_argument("--limit", type=int, default=200, help="probes of each kind")
    parser.add_argument("--rejections", type=Path, help="folder for the rejected records")
    asked = parser.parse_args()
    if asked.rejections:
        asked.rejections.mkdir(parents=True, exist_ok=True)
    taken: set[Path] = set()
    failed = 0
    print(_COLUMNS.replace(" ", "\t"))
    for data in SETS:
        found = (data.data(asked.folder), data.extras(asked.folder), data.documents(asked.folder))
        taken.update(*found)
        if not found[0] + found[2] or (asked.only and data.name not in asked.only):
            continue
        row = run(data, *found, asked)
        failed += "FAILED" in row[-1] or "WRONG" in row[6]
        print("\t".join(row), flush=True)
    if not asked.only:
        for name in left_over(asked.folder, taken):
            print(f"not taken\t{name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
