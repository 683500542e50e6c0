"""Fill the table of methods in the README from the benchmark results, so that no figure is typed by hand.

``python scripts/gen_readme.py [--check]``; ``--check`` fails when the README differs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from scipy.special import stdtrit

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks/results"
START, END = "<!-- methods: generated -->", "<!-- methods: end -->"
METHODS = ("alphaedit", "relearn", "finetune")
EDIT = (
    ("new object, edit prompt", "new_object_on_edit_prompt"),
    ("new object, held-out", "new_object_on_held_out"),
    ("(answered there before)", "held_out_answered_before"),
)
UNLEARN = (("old answer still given", "old_answer_still_given"),)
PRESERVED = (
    ("preserved, same relation", "preserved_verdict_same_relation"),
    ("other domain", "preserved_verdict_other_domain"),
    ("same, free generation", "preserved_generation_same_relation"),
    ("other, free generation", "preserved_generation_other_domain"),
)


def rates_of(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rates with intervals over runs; those of the first protocol were over facts, so they are made from its runs."""
    if report.get("protocol", 1) > 1:
        rates: dict[str, dict[str, Any]] = report["rates"]
        return rates
    runs = report["runs"]
    return {metric: over_runs([run[metric] for run in runs if metric in run]) for metric in report["rates"]}


def over_runs(rates: list[float]) -> dict[str, Any]:
    """Mean and Student's 95 % interval, cut to [0, 1]."""
    mean = statistics.fmean(rates)
    if len(rates) < 2:
        return {"value": mean, "low": None, "high": None}
    half = float(stdtrit(len(rates) - 1, 0.975)) * statistics.stdev(rates) / len(rates) ** 0.5
    return {"value": mean, "low": max(0.0, mean - half), "high": min(1.0, mean + half)}


def cell(rates: dict[str, dict[str, Any]], metric: str) -> str:
    """Percentage with its 95 % interval."""
    if metric not in rates:
        return "–"
    rate = rates[metric]
    if rate["low"] is None:  # one run has no interval
        return f"{100 * rate['value']:.0f} %"
    return f"{100 * rate['value']:.0f} % ({100 * rate['low']:.0f}–{100 * rate['high']:.0f})"


def table(goal: str, columns: tuple[tuple[str, str], ...]) -> list[str]:
    """One table for one goal."""
    found = {m: RESULTS / f"quality-{m}-{goal.lower()}.json" for m in METHODS}
    reports: dict[str, Any] = {m: json.loads(p.read_text(encoding="utf-8")) for m, p in found.items() if p.exists()}
    heads = ["method", "runs × facts", *(name for name, _ in columns), "perplexity", "seconds"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for method, report in reports.items():
        runs = report["runs"]
        ratio = max(run["perplexity_ratio"] for run in runs)
        seconds = max(run["seconds"] for run in runs)
        size = f"{len(runs)} × {report['facts_per_seed']}"
        cells = [
            # the first protocol had no test facts, and intervals over facts that share a run
            method if report.get("protocol", 1) > 1 else f"{method} (earlier protocol)",
            size,
            *(cell(rates_of(report), key) for _, key in columns),
            f"≤ {ratio:.2f}×",
            f"≤ {seconds:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def generated() -> str:
    """The generated part of the README."""
    parts = [
        START,
        "EDIT (target: the new object)",
        "",
        *table("EDIT", EDIT + PRESERVED),
        "",
        "UNLEARN (target: the graph-neutral distribution)",
        "",
        *table("UNLEARN", UNLEARN + PRESERVED),
        END,
    ]
    return "\n".join(parts)


def main() -> int:
    """Write the README, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    check: bool = parser.parse_args().check
    text = README.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    wanted = f"{head}{generated()}{tail}"
    if check:
        sys.stderr.write("" if text == wanted else "README.md differs from benchmarks/results; run `make readme`\n")
        return 0 if text == wanted else 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
