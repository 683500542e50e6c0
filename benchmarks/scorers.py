"""Which scorer reads a model best? Choices and beliefs of bundled-graph probes under every scorer, dev and test apart.

Every probe of the untouched model is scored once; each scorer makes its own choice from the same records, and half-PMI
(log p minus half of the log p after a neutral stem; not a scorer of the service) is computed beside them. Reported by
kind and for all, with 95 % bootstrap intervals over facts: how often the choice is right, how often it is what the
model itself says where its greedy text says an option, and the mean log-likelihood of the right options. Facts are
parted into dev and test by their digest; a default is chosen on dev and reported on test.

Usage: ``python -m benchmarks.scorers [--model PATH] [--limit 100] [--seed 7] [--uri bolt://…] [--out FILE]``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.graph.database import opened

from knowledgesmith.editors.measures.intervals import cluster_bootstrap
from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.models.loading import load
from knowledgesmith.editors.scoring.beliefs import ScorerKind, best_option, option_values, probabilities
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.editors.scoring.generation import generate, length_of
from knowledgesmith.editors.text.answers import chosen_by_text
from knowledgesmith.graph_schema.importing import import_graph
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.graph_schema.probes.generation.generate import generate as generate_probes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.editors.scoring.beliefs import OptionScore
    from knowledgesmith.graph_schema.types.probes import Probe

RESULT = Path(__file__).resolve().parent / "results" / "scorers.json"
HALF_PMI = "half-pmi"
NEUTRAL_STEM = "The answer is"
BASELINE = ScorerKind.CLOZE_MEAN.value
SCORERS = (*(kind.value for kind in ScorerKind), HALF_PMI)
Measures = dict[str, list[tuple[str, float]]]
"""Measure to (fact, value): the fact is the cluster of the bootstrap."""


def probes_of(limit: int, seed: int, uri: str) -> list[Probe]:
    """Probes of the bundled graph, at most ``limit`` a kind."""
    with opened(uri) as (store, _):
        import_graph(store, graph_id="scorers", files=bundled_files("atlas"), source="bundled")
        return list(generate_probes(store, graph_id="scorers", seed=seed, limit_per_kind=limit).probes)


def part_of(probe: Probe) -> str:
    """``dev`` or ``test``, by the first fact that is asked."""
    return "test" if hashlib.sha256(probe.fact_ids[0].encode()).digest()[0] % 2 else "dev"


def values_by_scorer(scores: Sequence[OptionScore], neutral: Sequence[OptionScore]) -> dict[str, list[float]]:
    """Scores of one probe's options under every scorer."""
    values = {kind.value: option_values(kind, scores) for kind in ScorerKind}
    values[HALF_PMI] = [
        score.sum_logprob - 0.5 * alone.sum_logprob for score, alone in zip(scores, neutral, strict=True)
    ]
    return values


def measure(loaded: LoadedModel, probes: Sequence[Probe]) -> dict[str, dict[str, dict[str, Measures]]]:
    """Observations by part, kind (and ``ALL``) and scorer."""
    scorer = Scorer(loaded)
    pairs = [(probe.text, option) for probe in probes for option in probe.options]
    found = iter(scorer.score(pairs))
    neutral = dict(zip(pairs, scorer.score([(NEUTRAL_STEM, option) for _, option in pairs]), strict=True))
    limits = [length_of(loaded, [(probe.text, option) for option in probe.options]) for probe in probes]
    texts = generate(loaded, [probe.text for probe in probes], max_new_tokens=limits)
    seen: dict[str, dict[str, dict[str, Measures]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for probe, text in zip(probes, texts, strict=True):
        scores = [next(found) for _ in probe.options]
        said = chosen_by_text(text, [[option] for option in probe.options])
        alone = [neutral[probe.text, option] for option in probe.options]
        for name, values in values_by_scorer(scores, alone).items():
            choice = best_option(values)
            right = math.fsum(probabilities(values)[answer] for answer in set(probe.answers))
            for kind in (probe.kind.value, "ALL"):
                into = seen[part_of(probe)][kind][name]
                cluster = probe.fact_ids[0]
                into.setdefault("right", []).append((cluster, float(choice in probe.answers)))
                into.setdefault("log_p_right", []).append((cluster, math.log(max(right, 1e-12))))
                if said is not None:
                    into.setdefault("as_said", []).append((cluster, float(choice == said)))
    return seen


def summary(observed: dict[str, Measures], name: str) -> dict[str, Any]:
    """Mean, 95 % interval and number of each measure of one scorer, and the differences to the per-token mean."""
    found: dict[str, Any] = {}
    for measured, rows in sorted(observed[name].items()):
        found[measured] = _estimate(rows)
        if name != BASELINE:
            pairs = zip(rows, observed[BASELINE][measured], strict=True)
            found[f"{measured}_minus_mean"] = _estimate([(fact, value - other) for (fact, value), (_, other) in pairs])
    return found


def _estimate(rows: Sequence[tuple[str, float]]) -> dict[str, Any]:
    estimate = cluster_bootstrap([value for _, value in rows], [fact for fact, _ in rows], seed=0)
    numbers = {name: round(getattr(estimate, name), 4) for name in ("value", "low", "high")}
    return {**numbers, "probes": estimate.n, "facts": estimate.clusters}


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--uri", default="")
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    probes = probes_of(asked.limit, asked.seed, asked.uri)
    loaded = load(asked.model or str(ensure_default_model()), device="cpu")
    start = time.monotonic()
    seen = measure(loaded, probes)
    result = {
        "model": Path(asked.model).name if asked.model else "default",
        "weights_sha256": loaded.digest,
        "probes": len(probes),
        "seed": asked.seed,
        "neutral_stem": NEUTRAL_STEM,
        "torch": version("torch"),
        "seconds": round(time.monotonic() - start, 1),
        "parts": {
            part: {kind: {name: summary(seen[part][kind], name) for name in SCORERS} for kind in sorted(seen[part])}
            for part in sorted(seen)
        },
    }
    asked.out.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
