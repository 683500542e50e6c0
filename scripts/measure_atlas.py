"""Measure how much of the bundled atlas graph a causal language model already knows.

Two figures are taken for every asserted fact, both with plain cloze text and greedy decoding:

* ``options``: the mean token log-likelihood of the true object after the first evaluation cloze is higher
  than that of three distractors of the same type which are not true for the subject (chance: 1/4);
* ``free``: greedy generation begins with the object (or one of its aliases), exact in case and ending at a
  word boundary, after the first evaluation cloze (``free_eval``) and after the edit prompt (``free_edit``).

The result is printed by domain (of the subject) and by relation, and written as JSON.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ATLAS = Path(__file__).parents[1] / "graph_schema/knowledgesmith/graph_schema/atlas"
Row = dict[str, str]
LOG = logging.getLogger("measure_atlas")


@dataclass(frozen=True)
class Item:
    """One fact with its two stems and its four options (the true name first)."""

    subject: str
    relation: str
    object: str
    domain: str
    edit_stem: str
    eval_stem: str
    options: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What the model did on one fact; ``options`` is None when no three distractors exist."""

    subject: str
    relation: str
    object: str
    domain: str
    options: bool | None
    free_eval: bool
    free_edit: bool
    said_eval: str
    said_edit: str


def read_rows(path: Path) -> list[Row]:
    """Read a CSV file with a header row."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def first_text(templates: Iterable[Row], relation: str, split: str) -> str:
    """The first forward cloze of a relation in a split."""
    wanted = (relation, "forward", split, "cloze")
    return next(
        row["text"] for row in templates if (row["relation"], row["direction"], row["split"], row["form"]) == wanted
    )


def true_objects(facts: Iterable[Row], relations: Mapping[str, Row]) -> dict[tuple[str, str], set[str]]:
    """Objects true for (subject, relation): asserted, symmetric, and reached by transitive chains."""
    known: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in facts:
        known[fact["subject"], fact["relation"]].add(fact["object"])
        if relations[fact["relation"]]["symmetric"] == "true":
            known[fact["object"], fact["relation"]].add(fact["subject"])
    for subject, relation in list(known):
        if relations[relation]["transitive"] == "true":
            frontier = set(known[subject, relation])
            while frontier:
                reached = {x for node in frontier for x in known.get((node, relation), set())}
                frontier = reached - known[subject, relation]
                known[subject, relation] |= frontier
    return known


def build_items(folder: Path, seed: int) -> list[Item]:
    """Stems, options and accepted answers for every fact of the atlas in ``folder``."""
    entities = {row["uid"]: row for row in read_rows(folder / "entities.csv")}
    relations = {row["name"]: row for row in read_rows(folder / "relations.csv")}
    templates = read_rows(folder / "templates.csv")
    facts = read_rows(folder / "facts.csv")
    pools: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact in facts:
        pools[fact["relation"], entities[fact["object"]]["type"]].add(fact["object"])
    known = true_objects(facts, relations)
    draw = random.Random(seed)  # noqa: S311  # reproducible draw, no secret
    items: list[Item] = []
    for fact in sorted(facts, key=lambda row: (row["relation"], row["subject"], row["object"])):
        subject, relation, obj = entities[fact["subject"]], fact["relation"], entities[fact["object"]]
        pool = pools[relation, obj["type"]]
        if len(pool) < 4:
            pool = {uid for uid, row in entities.items() if row["type"] == obj["type"]}
        wrong = sorted(pool - known[fact["subject"], relation] - {fact["subject"]})
        options = (obj["name"], *(entities[uid]["name"] for uid in draw.sample(wrong, min(3, len(wrong)))))
        answers = (obj["name"], *filter(None, obj["aliases"].split("|")))
        edit, held_out = (
            first_text(templates, relation, split).format(s=subject["name"]) for split in ("train", "eval")
        )
        items.append(Item(subject["name"], relation, obj["name"], subject["domain"], edit, held_out, options, answers))
    return items


def same_length(rows: Sequence[Sequence[int]], batch: int) -> Iterator[list[int]]:
    """Indices in batches of equally long rows, so that no padding can move a result."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_length[len(row)].append(index)
    for indices in by_length.values():
        for start in range(0, len(indices), batch):
            yield indices[start : start + batch]


@dataclass(frozen=True)
class Tail:
    """The tokens of one option after the stem at ``place`` in its batch."""

    stem: str
    option: str
    place: int
    tokens: tuple[int, ...]


class Reader:
    """A causal model with its tokenizer, read greedily and by likelihood."""

    def __init__(self, path: str, batch: int, dtype: torch.dtype) -> None:
        """Load the model at ``path`` on the CPU."""
        self.batch = batch
        self.tokenizer: Any = AutoTokenizer.from_pretrained(path)
        self.model = cast("Any", AutoModelForCausalLM.from_pretrained(path, dtype=dtype))
        self.model.eval()

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text, without special tokens."""
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    @torch.inference_mode()
    def continuations(self, stems: Sequence[str], tokens: int = 8) -> dict[str, str]:
        """Greedy continuation of each distinct stem, up to ``tokens`` tokens."""
        texts = sorted(set(stems))
        rows = [self.encode(text) for text in texts]
        said: dict[str, str] = {}
        for indices in same_length(rows, self.batch):
            ids = torch.tensor([rows[i] for i in indices])
            out = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=tokens,
                do_sample=False,
                pad_token_id=self.tokenizer.eos_token_id,
            )
            for i, row in zip(indices, out[:, ids.shape[1] :].tolist(), strict=True):
                said[texts[i]] = self.tokenizer.decode(row, skip_special_tokens=True)
        return said

    @torch.inference_mode()
    def mean_scores(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """Mean token log-likelihood (nats) of each option, with a leading space, after its stem."""
        options: dict[str, set[str]] = defaultdict(set)
        for stem, option in pairs:
            options[stem].add(option)
        stems = sorted(options)
        rows = [self.encode(stem) for stem in stems]
        scores: dict[tuple[str, str], float] = {}
        for indices in same_length(rows, self.batch):
            out = self.model(torch.tensor([rows[i] for i in indices]), use_cache=True, logits_to_keep=1)
            first = out.logits[:, -1].float().log_softmax(-1)
            by_length: dict[int, list[Tail]] = defaultdict(list)
            for place, i in enumerate(indices):
                for option in sorted(options[stems[i]]):
                    tail = Tail(stems[i], option, place, tuple(self.encode(" " + option)))
                    by_length[len(tail.tokens)].append(tail)
            for tails in by_length.values():
                means = self.tail_means(first, out.past_key_values, tails)
                scores |= {(t.stem, t.option): m for t, m in zip(tails, means, strict=True)}
        return scores

    def tail_means(self, first: torch.Tensor, cache: Any, tails: Sequence[Tail]) -> list[float]:
        """Means over equally long tails, read on from the cached stems.

        ``first`` (stems, vocabulary) holds the log-probabilities of the token after each stem.
        """
        places = torch.tensor([tail.place for tail in tails])
        tokens = torch.tensor([tail.tokens for tail in tails])
        total = first[places, tokens[:, 0]]
        if tokens.shape[1] > 1:
            branch = copy.deepcopy(cache)
            branch.batch_select_indices(places)
            logits = self.model(tokens[:, :-1], past_key_values=branch).logits
            rest = logits.float().log_softmax(-1).gather(2, tokens[:, 1:, None])[..., 0]
            total = total + rest.sum(1)
        return [float(value) / tokens.shape[1] for value in total]


def begins_with(text: str, answers: Iterable[str]) -> bool:
    """Whether text begins with one of the answers, in exact case, ending at a word boundary."""
    body = text.lstrip(" ")
    return any(body.startswith(answer) and not body[len(answer) : len(answer) + 1].isalnum() for answer in answers)


def judge(items: Sequence[Item], reader: Reader) -> list[Outcome]:
    """Measure every item with both figures."""
    said = reader.continuations([stem for item in items for stem in (item.eval_stem, item.edit_stem)])
    LOG.info("generated after %d stems", len(said))
    scores = reader.mean_scores([(item.eval_stem, option) for item in items for option in item.options])
    LOG.info("scored %d options", len(scores))
    outcomes: list[Outcome] = []
    for item in items:
        own = scores[item.eval_stem, item.options[0]]
        others = [scores[item.eval_stem, option] for option in item.options[1:]]
        heard_eval, heard_edit = said[item.eval_stem], said[item.edit_stem]
        outcomes.append(
            Outcome(
                subject=item.subject,
                relation=item.relation,
                object=item.object,
                domain=item.domain,
                options=own > max(others) if len(others) == 3 else None,
                free_eval=begins_with(heard_eval, item.answers),
                free_edit=begins_with(heard_edit, item.answers),
                said_eval=heard_eval,
                said_edit=heard_edit,
            )
        )
    return outcomes


def summary(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Counts of one group of outcomes."""
    group = list(outcomes)
    return {
        "facts": len(group),
        "with_four_options": sum(o.options is not None for o in group),
        "options": sum(o.options is True for o in group),
        "free_edit": sum(o.free_edit for o in group),
        "free_eval": sum(o.free_eval for o in group),
        "free_both": sum(o.free_edit and o.free_eval for o in group),
        "known": sum(o.options is not False and o.free_edit and o.free_eval for o in group),
    }


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Counts in all, by domain and by relation."""
    domains = sorted({o.domain for o in outcomes})
    relations = sorted({o.relation for o in outcomes})
    return {
        "all": summary(outcomes),
        "domains": {name: summary(o for o in outcomes if o.domain == name) for name in domains},
        "relations": {name: summary(o for o in outcomes if o.relation == name) for name in relations},
    }


def as_lines(counts: Mapping[str, Any]) -> Iterator[str]:
    """The report as lines of a text table."""
    heads = list(counts["all"])
    yield f"{'':24}" + "".join(f"{head:>18}" for head in heads)
    rows = {"all": counts["all"], **counts["domains"], **counts["relations"]}
    for name, row in rows.items():
        yield f"{name:24}" + "".join(f"{row[head]:18d}" for head in heads)


def main() -> None:
    """Parse the arguments, measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="path or id of a causal language model")
    parser.add_argument("--atlas", type=Path, default=ATLAS, help="folder with the CSV files")
    parser.add_argument("--out", type=Path, default=Path("build/atlas-known.json"), help="JSON to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the distractors")
    parser.add_argument("--batch", type=int, default=64, help="rows a forward pass")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="weights")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    items = build_items(options.atlas, options.seed)
    outcomes = judge(items, Reader(options.model, options.batch, getattr(torch, options.dtype)))
    counts = report(outcomes)
    for line in as_lines(counts):
        LOG.info("%s", line)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "seed": options.seed,
        "dtype": options.dtype,
        "chance": 0.25,
        **counts,
        "facts": [asdict(o) for o in outcomes],
    }
    options.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
