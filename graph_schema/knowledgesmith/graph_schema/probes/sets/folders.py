"""Probe sets as folders for two other tools: a task of an evaluation harness, and a data set with a card."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from knowledgesmith.graph_schema.probes.sets.probe_set import opened

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo

_BATCH: Final = 5_000
_ROWS: Final = 100_000
_SHORT: Final = 12


def harness_folder(path: Path, info: ProbeSetInfo) -> Iterator[tuple[str, Iterator[bytes]]]:
    """A multiple-choice task: a YAML file that points at the JSON lines beside it, one probe a line."""
    name = f"knowledgesmith_{info.digest[:_SHORT]}"
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": f"{name}.jsonl"}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{text}}",
        "doc_to_choice": "options",
        "doc_to_target": "target",
        "target_delimiter": " ",
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True} for metric in ("acc", "acc_norm")
        ],
        "metadata": {"version": 1.0, "graph": info.graph_id, "digest": info.digest, "seed": info.seed},
    }
    text = yaml.safe_dump(task, sort_keys=False, allow_unicode=True)
    yield f"{name}.yaml", iter([text.encode()])
    yield f"{name}.jsonl", _choices(path)
    readme = (
        f"# {name}\n\nThe probes of graph `{info.graph_id}` as a multiple-choice task. The task file names\n"
        f"its data by a relative path, so run the harness from this folder:\n\n"
        f"```\nlm_eval --model hf --model_args pretrained=MODEL --include_path . --tasks {name}\n```\n"
    )
    yield "README.md", iter([readme.encode()])


def _choices(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            yield b"".join(_choice(row) for row in batch.to_pylist())


def _choice(row: Mapping[str, object]) -> bytes:
    answers = row["answers"]
    if not isinstance(answers, list):
        raise TypeError("answers must be a list")
    text = f"{row['prefix']} {row['stem']}" if row["prefix"] else row["stem"]
    kept = ("id", "kind", "anchor", "chain_length", "options")
    values = {**{name: row[name] for name in kept}, "text": text, "target": answers[0]}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def dataset_folder(path: Path, info: ProbeSetInfo) -> Iterator[tuple[str, Iterator[bytes]]]:
    """A card whose header names one configuration for all probes and one for each kind, and the Parquet files."""
    kinds = [kind for kind, count in sorted(info.counts.items()) if count]
    yield "README.md", iter([_card(info, kinds).encode()])
    for kind in kinds:
        for number, piece in enumerate(_of_kind(path, kind)):
            yield f"data/{kind.lower()}-{number:05}.parquet", iter([piece])


def _card(info: ProbeSetInfo, kinds: list[str]) -> str:
    files = [("default", "data/*.parquet"), *((kind.lower(), f"data/{kind.lower()}-*.parquet") for kind in kinds)]
    header = {
        "pretty_name": f"Probes of {info.graph_id}",
        "task_categories": ["multiple-choice", "question-answering"],
        "language": ["en"],
        "size_categories": [_size(info.verified)],
        "configs": [
            {"config_name": name, "data_files": [{"split": "test", "path": pattern}]} for name, pattern in files
        ],
    }
    rows = "\n".join(f"| {kind} | {info.counts[kind]} |" for kind in kinds)
    return (
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---\n\n# Probes of {info.graph_id}\n\n"
        "Questions with options, made from a knowledge graph; every one was verified in the graph.\n"
        "`stem` (after `prefix`, if there is one) is to be continued by one of `options`; `answers` are the\n"
        "indices of the right ones; `path` is what is asked, `fact_ids` what makes it true.\n\n"
        f"| kind | probes |\n|---|---|\n{rows}\n\n"
        f"Graph digest `{info.graph_digest}`, seed {info.seed}, {info.split} phrasings, set digest `{info.digest}`.\n"
    )


def _size(count: int) -> str:
    bounds = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for bound, name in bounds if count < bound), "1M<n<10M")


def _of_kind(path: Path, kind: str) -> Iterator[bytes]:
    """Parquet files of one kind, each of at most :data:`_ROWS` rows and a row group."""
    sink: io.BytesIO | None = None
    writer: pq.ParquetWriter | None = None
    rows = 0
    with opened(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group).replace_schema_metadata(None).filter(pc.field("kind") == kind)
            if not table.num_rows:
                continue
            if writer is None or sink is None:
                sink = io.BytesIO()
                writer = pq.ParquetWriter(sink, table.schema, compression="zstd")
            writer.write_table(table)
            rows += table.num_rows
            if rows >= _ROWS:
                writer.close()
                yield sink.getvalue()
                sink, writer, rows = None, None, 0
    if writer is not None and sink is not None:
        writer.close()
        yield sink.getvalue()
