"""How should a statement be denied? True and false statements of the bundled graph, each asked with four denials.

Half of the statements are facts, half have another object of the same relation. Reported for the statement asked once
and for the difference of log-odds with every denial: how often "True" is chosen (a model without a liking for a word
chooses it for half of them), how often the choice is right, and the area under the curve of the score.

Usage: ``python -m benchmarks.denials [--model PATH] [--each 3] [--seed 0] [--out FILE]``
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledgesmith.editors.models.default_model import ensure_default_model
from knowledgesmith.editors.models.loading import load
from knowledgesmith.editors.scoring.cloze import Scorer
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.graph_schema.language.filling import fill, inside, opened
from knowledgesmith.graph_schema.probes.wording.verbalise import ASKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OUT = Path(__file__).parent / "results" / "denials.json"
DENIALS = (
    "It is not true that {}",
    "It is not the case that {}",
    "The following statement is false: {}",
    "The following statement is wrong: {}",
)
_LEAST = 10


@dataclass(frozen=True, kw_only=True)
class Said:
    """A statement as it stands alone and within a sentence, and whether the graph asserts it."""

    alone: str
    within: str
    holds: bool


def statements(tables: Mapping[str, Sequence[Mapping[str, str]]], *, each: int, seed: int) -> list[Said]:
    """``each`` facts of every relation with enough of them, and as many false statements."""
    names = {row["uid"]: row["name"] for row in tables["entities"]}
    templates: dict[str, str] = {}
    for row in tables["templates"]:
        if (row["form"], row["split"], row["direction"]) == ("statement", "eval", "forward"):
            templates.setdefault(row["relation"], row["text"])
    held = {(row["subject"], row["relation"], row["object"]) for row in tables["facts"]}
    by_relation: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for subject, relation, obj in sorted(held):
        by_relation[relation].append((subject, obj))
    dice = random.Random(seed)  # noqa: S311
    found: list[Said] = []
    for relation, facts in sorted(by_relation.items()):
        if relation not in templates or len(facts) < _LEAST:
            continue
        for subject, obj in dice.sample(facts, each):
            other = dice.choice([o for _, o in facts if (subject, relation, o) not in held])
            for uid, holds in ((obj, True), (other, False)):
                template = templates[relation]
                alone, within = (
                    fill(text, subject=names[subject], obj=names[uid]) for text in (opened(template), inside(template))
                )
                found.append(Said(alone=alone, within=within, holds=holds))
    return found


def odds(scorer: Scorer, stems: Sequence[str]) -> list[float]:
    """Log-odds of "True" against "False" after each stem, in nats."""
    scores = scorer.score([(f"{stem}{ASKED}", word) for stem in stems for word in ("True", "False")])
    return [scores[n].sum_logprob - scores[n + 1].sum_logprob for n in range(0, len(scores), 2)]


def summary(scores: Sequence[float], asked: Sequence[Said]) -> dict[str, float]:
    """Share of "True", share of right choices, area under the curve."""
    true = [score for score, one in zip(scores, asked, strict=True) if one.holds]
    false = [score for score, one in zip(scores, asked, strict=True) if not one.holds]
    above = sum((a > b) + 0.5 * (a == b) for a in true for b in false)
    right = sum(score > 0 for score in true) + sum(score < 0 for score in false)
    return {
        "says_true": round(sum(score > 0 for score in scores) / len(scores), 3),
        "right": round(right / len(scores), 3),
        "auc": round(above / len(true) / len(false), 3),
    }


def measure(model: str, asked: Sequence[Said]) -> dict[str, Any]:
    """All figures of one model."""
    scorer = Scorer(load(model))
    plain = odds(scorer, [one.alone for one in asked])
    found = {"asked once": summary(plain, asked)}
    for denial in DENIALS:
        told = [one.alone if ":" in denial else one.within for one in asked]
        denied = odds(scorer, [denial.format(text) for text in told])
        found[denial] = summary([a - b for a, b in zip(plain, denied, strict=True)], asked)
    return {"statements": len(asked), "by_denial": found}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    tables: dict[str, list[dict[str, str]]] = {}
    for table in bundled_files("atlas"):
        text = table.content.read().decode("utf-8")
        tables[table.name.rpartition("/")[2].removesuffix(".csv")] = list(csv.DictReader(text.splitlines()))
    asked = statements(tables, each=options.each, seed=options.seed)
    found = measure(options.model or str(ensure_default_model()), asked)
    options.out.write_text(json.dumps({"seed": options.seed, **found}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
