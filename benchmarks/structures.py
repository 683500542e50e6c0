"""Every structure in every precision, through the service: the edit works and is healthy, or is refused in one line.

Nine tiny random structures that were taught a few capitals, and two real models (the default one, and a second where a
checkpoint is given), each in float32, bfloat16 and float16: three capitals are edited with the registered defaults of a
method on the bundled graph. One row a model and precision: what the service made of it (committed, held, refused), the
least share of the wanted change that arrived, how many probes of the targets call the new object installed, and health.

It is resumable: a row that stands in the results is not measured again. ``--docs`` only writes the table.

Usage: ``python -m benchmarks.structures [--second FOLDER] [--only llama,default] [--again] [--docs]``
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from knowledgesmith.client import (
    DType,
    FactChange,
    Goal,
    InterventionSpec,
    InterventionState,
    KnowledgeSmith,
    KnowledgeSmithClientError,
)
from knowledgesmith.client.local_server import LocalServer, free_address
from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.testing.rehearsal import rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import STRUCTURES, save_checkpoint, tiny
from knowledgesmith.graph_schema.types import interventions

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/results/structures.json"
DOCS = ROOT / "docs/structures.md"
DTYPES = ("float32", "bfloat16", "float16")
EDITS = (("France", "Paris", "Lima"), ("Japan", "Tokyo", "Madrid"), ("Italy", "Rome", "Berlin"))
METHOD = "alphaedit"
TAUGHT_STEPS = 60
PROBES = 80
TINY: dict[str, Any] = {"kept": 1.0, "penalty": 0.01, "clamp": 4.0, "steps": 40}
"""Settings for tiny models: 64 key directions are filled by what the defaults retain on a real model."""
OUTCOME = """
MATCH (i:Intervention {id: $id})
OPTIONAL MATCH (i)-[c:CHANGED {role: 'target'}]->()
RETURN properties(i) AS found, sum(c.n_installed) AS installed, sum(c.n_installed + c.n_not_installed) AS asked
"""
TEXTS = """
MATCH (:Intervention {id: $id})-[q:PLANNED {role: 'target'}]->(p:Probe {kind: 'DIRECT'})
WHERE q.text_after IS NOT NULL
RETURN p.stem AS stem, q.text_before AS before, q.text_after AS after ORDER BY stem LIMIT 3
"""


def main() -> None:
    """Measure what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--second", type=Path, help="checkpoint of a second real model")
    parser.add_argument("--only", default="", help="names of models, comma-separated")
    parser.add_argument("--again", action="store_true", help="measure again what stands in the results")
    parser.add_argument("--docs", action="store_true", help="only write the table from the results")
    args = parser.parse_args()
    if not args.docs:
        only = {name for name in args.only.split(",") if name}
        measure(second=args.second, only=only, again=args.again)
    DOCS.write_text(page(read()), encoding="utf-8")
    print(DOCS.read_text(encoding="utf-8"))


def measure(*, second: Path | None, only: set[str], again: bool) -> None:
    """Run every model and precision that is missing, on a server of its own."""
    rows = read()
    wanted = [(name, dtype) for name in [*STRUCTURES, "default", *(["second"] if second else [])] for dtype in DTYPES]
    missing = [one for one in wanted if (not only or one[0] in only) and (again or one not in rows)]
    if not missing:
        return
    with tempfile.TemporaryDirectory(prefix="structures-") as folder:
        server = LocalServer(data_dir=Path(folder), target=free_address(), metrics=free_address())
        server.start()
        try:
            with KnowledgeSmith(server.target, actor="structures") as smith:
                smith.graphs.import_bundled(name="atlas")
                for name, dtype in missing:
                    place = _checkpoint(name, Path(folder), second)
                    rows[name, dtype] = one_run(smith, name=name, dtype=dtype, place=place)
                    print(json.dumps(rows[name, dtype]), flush=True)
                    write(rows)
        finally:
            server.stop()


def one_run(smith: KnowledgeSmith, *, name: str, dtype: str, place: Path) -> dict[str, Any]:
    """Edit three capitals; what became of it."""
    start = time.monotonic()
    row: dict[str, Any] = {"model": name, "dtype": dtype, "method": METHOD}
    try:
        model = smith.models.register(model_id=f"{name}-{dtype}", path=str(place), dtype=DType(dtype.upper()))
        branch = f"{name}-{dtype}"
        smith.branches.create(branch_id=branch, model_id=model.id, graph_id="atlas")
        changes = [
            FactChange(subject=subject, relation="has_capital", old_object=old, new_object=new)
            for subject, old, new in EDITS
        ]
        spec = InterventionSpec(
            branch_id=branch,
            goal=Goal.EDIT,
            changes=tuple(changes),
            method=METHOD,
            method_config=TINY if name in STRUCTURES else {},
            max_probes=PROBES,
            seed=1,
        )
        intervention = smith.interventions.create(spec=spec).intervention
        done = smith.interventions.wait(intervention_id=intervention.id)
    except KnowledgeSmithClientError as error:
        return {**row, "state": "REFUSED", "said": str(error), "seconds": round(time.monotonic() - start, 1)}
    [(found, installed, asked)] = smith.graphs.cypher(query=OUTCOME, parameters={"id": intervention.id}).rows
    texts = smith.graphs.cypher(query=TEXTS, parameters={"id": intervention.id}).rows
    refused = done.state is InterventionState.FAILED
    health = {key.removeprefix("health_"): value for key, value in found.items() if key.startswith("health_")}
    return {
        **row,
        "state": done.state.value,
        "said": done.error_message if refused else "; ".join(found.get("failed_gates") or []),
        "installed": installed,
        "asked": asked,
        "health": health,
        "texts": [list(line) for line in texts],
        "seconds": round(time.monotonic() - start, 1),
    }


def _checkpoint(name: str, folder: Path, second: Path | None) -> Path:
    if name == "default":
        return ensure_default_model()
    if name == "second":
        assert second is not None
        return second
    place = folder / f"model-{name}"
    if not place.exists():
        request = rehearsal_request(interventions.Goal.EDIT, interventions.TargetDistribution.NEW_OBJECT)
        save_checkpoint(teach(tiny(name), request, steps=TAUGHT_STEPS), place)
    return place


def read() -> dict[tuple[str, str], dict[str, Any]]:
    """Results by model and precision."""
    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.exists() else []
    return {(row["model"], row["dtype"]): row for row in rows}


def write(rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Keep the results."""
    content = {"edits": EDITS, "method": METHOD, "rows": list(rows.values())}
    RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def page(rows: dict[tuple[str, str], dict[str, Any]]) -> str:
    """The page of docs, from the results alone."""
    return "\n".join([*_head(rows), *(_line(row) for row in rows.values()), *_refusals(rows.values()), ""])


def _head(rows: dict[tuple[str, str], dict[str, Any]]) -> list[str]:
    wrecked = sum(row["state"] == "SUCCEEDED" and row["health"].get("ok") is False for row in rows.values())
    return [
        "# Structures and precisions",
        "",
        "`python -m benchmarks.structures` edits three capitals on the bundled graph through the service, with the",
        f"defaults of `{METHOD}` on real models (`default`: SmolLM2-135M-Instruct; `second`: Gemma 3 270M), and with",
        f"settings for 64 key directions (`{json.dumps(TINY)}`) on nine tiny structures (random",
        "weights that were taught a few capitals), each in three precisions. *Arrived* is the least share of a",
        "fact's wanted change that was realised, and the largest part in other directions;",
        "*installed* counts the probes of the targets in phrasings that nothing was trained on, by greedy text and by",
        "choice. Tiny models know no English: their rows show that the numbers are right, not that an edit is good.",
        "Seconds are of two cores that had other work as well.",
        "",
        f"{len(rows)} runs; committed though wrecked: {wrecked}.",
        "",
        "| model | precision | outcome | arrived, across | installed | health | text less likely | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]


_OUTCOMES = {"SUCCEEDED": "committed", "AWAITING_DECISION": "held", "FAILED": "refused", "REFUSED": "refused"}


def _line(row: dict[str, Any]) -> str:
    health = row.get("health") or {}
    arrived = f"{health['realised_min']:.2f}, {health['across_max']:.2f}" if health.get("realised_min") else "–"
    ratio = f"{health['perplexity_ratio']:.2f}×" if health.get("perplexity_ratio") else "–"
    installed = f"{row['installed']}/{row['asked']}" if row.get("asked") else "–"
    outcome, verdict = _OUTCOMES.get(row["state"], row["state"]), str(health.get("verdict", "–")).lower()
    cells: list[str] = [row["model"], row["dtype"], str(outcome), arrived, installed, verdict, ratio]
    cells.append(f"{row['seconds']:.0f}")
    return f"| {' | '.join(cells)} |"


def _refusals(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for row in rows:
        if row["said"]:
            # the number of the run says nothing
            text = re.sub(r" \[intervention=\w+\]", "", row["said"])
            said.setdefault(text, []).append(f"{row['model']} {row['dtype']}")
    if said:
        yield from ("", "What was said:", "")
        for text, where in said.items():
            yield f"- {', '.join(where)}: “{text}”"


if __name__ == "__main__":
    main()
