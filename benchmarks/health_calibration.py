"""How well the health check tells good changes from wrecks: a corpus a model, the verdicts, false alarms and misses.

The limits were set on the default model's corpus. The other models (``--model`` and ``--tiny``) were not used to set
them; their counts are the check. Every item is written as soon as it is measured, and an item that is there is not
measured again; the verdict is computed anew from the stored evidence with the limits in use, so a change of a limit
needs no model.

Usage: ``python -m benchmarks.health_calibration [--model FOLDER --tag second | --tiny]``; ``--report`` only counts.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.health_corpus import (
    Change,
    answers,
    applied,
    choices,
    kept_share,
    random_corpus,
    real_corpus,
    scores,
    stems,
    truth,
)

from knowledgesmith.editors.health.choices import Choice
from knowledgesmith.editors.health.judging import Evidence, judge
from knowledgesmith.editors.health.likelihood import TextLoss
from knowledgesmith.editors.health.limits import LIMITS
from knowledgesmith.editors.health.reading import STEMS, StateReading, read_state, say
from knowledgesmith.editors.health.realised import Realised, realised_of
from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.models.loading import load
from knowledgesmith.editors.testing.tiny import STRUCTURES, tiny
from knowledgesmith.graph_schema.errors import KnowledgeSmithError

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks/results"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Base:
    """A model as it is before every change."""

    loaded: LoadedModel
    reading: StateReading
    said: dict[str, tuple[int, ...]]
    scores: list[list[float]]
    answers: list[bool]


def base_of(loaded: LoadedModel) -> Base:
    """Read a model once."""
    every = stems(frozenset())
    return Base(
        loaded=loaded,
        reading=read_state(loaded),
        said=dict(zip(every, say(loaded, every), strict=True)),
        scores=scores(loaded),
        answers=answers(loaded),
    )


def measure(base: Base, change: Change) -> dict[str, Any]:
    """One item: its evidence, its truth, and how long the health check took."""
    try:
        what = change.apply(base.loaded)
    except KnowledgeSmithError as error:
        return {"refused": f"{error.reason}: {error}"}
    with applied(base.loaded, what):
        start = time.perf_counter()
        after = read_state(base.loaded)
        asked_stems = () if after.nonfinite else stems(change.touched)[:STEMS]
        said = say(base.loaded, asked_stems)
        seconds = time.perf_counter() - start
        asked: tuple[Choice, ...] = ()
        kept: float | None = None
        if not after.nonfinite:
            asked = choices(base.scores, scores(base.loaded), change.touched)
            kept = kept_share(base.answers, answers(base.loaded), change.touched)
    evidence = Evidence(
        before=base.reading,
        after=after,
        stems_before=tuple(base.said[stem] for stem in asked_stems),
        stems_after=said,
        choices=asked,
        realised=realised_of(what.metadata),
    )
    return {
        "made": change.made,
        "kept": kept,
        "truth": "wreck" if after.nonfinite else truth(change.made, kept),
        "seconds": round(seconds, 2),
        "evidence": _dump(evidence),
    }


def _dump(evidence: Evidence) -> dict[str, Any]:
    """Evidence as JSON, the reading before the change left to the file's head; NaN becomes null."""

    def losses(reading: StateReading) -> list[list[float | int | None]]:
        return [[round(o.total, 4) if o.total == o.total else None, o.tokens, o.nonfinite] for o in reading.losses]

    return {
        "losses": losses(evidence.after),
        "texts": [list(ids) for ids in evidence.after.texts],
        "stems": [[list(ids) for ids in evidence.stems_before], [list(ids) for ids in evidence.stems_after]],
        "nonfinite": evidence.after.nonfinite,
        "choices": [
            [list(c.options), c.before, c.after, c.stays, sorted(c.right), round(c.p_right, 6)]
            for c in evidence.choices
        ],
        "realised": [[r.fact_id, r.along, r.across] for r in evidence.realised],
    }


def _reading(losses: list[list[Any]], texts: list[list[int]], nonfinite: int) -> StateReading:
    return StateReading(
        losses=tuple(TextLoss(float("nan") if total is None else total, n, bad) for total, n, bad in losses),
        texts=tuple(map(tuple, texts)),
        nonfinite=nonfinite,
    )


def evidence_of(base: dict[str, Any], item: dict[str, Any]) -> Evidence:
    """Evidence from a result file."""
    kept = item["evidence"]
    return Evidence(
        before=_reading(base["losses"], base["texts"] if kept["texts"] else [], base["nonfinite"]),
        after=_reading(kept["losses"], kept["texts"], kept["nonfinite"]),
        stems_before=tuple(map(tuple, kept["stems"][0])),
        stems_after=tuple(map(tuple, kept["stems"][1])),
        choices=tuple(
            Choice(options=tuple(o), before=b, after=a, stays=s, right=frozenset(r), p_right=p)
            for o, b, a, s, r, p in kept["choices"]
        ),
        realised=tuple(Realised(fact_id=f, along=a, across=x) for f, a, x in kept["realised"]),
    )


def run(loaded: LoadedModel, corpus: Iterable[Change], place: Path, name: str) -> None:
    """Measure what is missing of a corpus, item by item."""
    stored: dict[str, Any] = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    if stored.get("model_sha256", loaded.digest) != loaded.digest:
        raise SystemExit(f"{place.name} was measured on other weights; remove it first")
    base = base_of(loaded)
    dumped = _dump(Evidence(before=base.reading, after=base.reading))
    items: dict[str, Any] = stored.get("items", {})
    for change in corpus:
        if change.name in items:
            continue
        items[change.name] = measure(base, change)
        head = {"model": name, "model_sha256": loaded.digest, "known": sum(base.answers)}
        whole = {**head, "base": {key: dumped[key] for key in ("losses", "texts", "nonfinite")}, "items": items}
        place.write_text(json.dumps(whole) + "\n", encoding="utf-8")
        print(line(whole, change.name), flush=True)


def line(whole: dict[str, Any], name: str) -> str:
    """One item as one line."""
    item = whole["items"][name]
    if "refused" in item:
        return f"{name:<34} refused: {item['refused'][:80]}"
    health = judge(evidence_of(whole["base"], item))
    kept = "-" if item["kept"] is None else f"{item['kept']:.2f}"
    ratio = "-" if health.perplexity_ratio is None else f"{health.perplexity_ratio:.2f}"
    figures = f"ppl x{ratio} stuck {health.repetition} alike {health.agreement} lost {health.collateral_sure}"
    return (
        f"{name:<34} {item['truth']:<6} kept {kept} {health.verdict.value:<8} {figures}"
        f" across {health.across_max} | {'; '.join(health.reasons)}"
    )


def report(places: Iterable[Path], *, show: bool) -> dict[str, Any]:
    """Counts over result files, with the limits in use."""
    table: dict[str, Any] = {"limits": dataclasses.asdict(LIMITS), "models": {}}
    for place in places:
        whole = json.loads(place.read_text(encoding="utf-8"))
        found: Counter[str] = Counter()
        wrong: list[str] = []
        for name, item in whole["items"].items():
            if show:
                print(line(whole, name))
            if "refused" in item:
                found["refused"] += 1
                continue
            health = judge(evidence_of(whole["base"], item))
            found[f"{item['truth']}/{health.verdict.value}"] += 1
            if (item["truth"] == "good" and not health.ok) or (item["truth"] == "wreck" and health.ok):
                wrong.append(f"{name}: {item['truth']}, {health.verdict.value} {health.reason}")
        good = sum(n for key, n in found.items() if key.startswith("good/"))
        wrecks = sum(n for key, n in found.items() if key.startswith("wreck/"))
        table["models"][place.stem.removeprefix("health-")] = {
            "good": good,
            "wrecks": wrecks,
            "false_alarms": found["good/WRECKED"],
            "misses": wrecks - found["wreck/WRECKED"],
            "counts": dict(sorted(found.items())),
            "wrong": wrong,
        }
    return table


def main() -> None:
    """Measure a corpus, or count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="folder of a model; default: the default model")
    parser.add_argument("--tag", default="default", help="name of the result file")
    parser.add_argument("--tiny", action="store_true", help="the random models of all structures")
    parser.add_argument("--report", action="store_true", help="count what is measured")
    parser.add_argument("--evidence", type=Path, default=ROOT / ".cache/health", help="where evidence is kept")
    args = parser.parse_args()
    args.evidence.mkdir(parents=True, exist_ok=True)
    if args.tiny:
        for structure in STRUCTURES:
            place = args.evidence / f"health-tiny-{structure}.json"
            run(tiny(structure), random_corpus(), place, f"tiny {structure}")
    elif not args.report:
        loaded = load(args.model or str(ensure_default_model()), device="cpu")
        run(loaded, real_corpus(), args.evidence / f"health-{args.tag}.json", args.tag)
    table = report(sorted(args.evidence.glob("health-*.json")), show=args.report)
    (RESULTS / "health-calibration.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
