"""Editing and unlearning benchmarks in the other forms that they are published in: columns, side questions, numbers."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.graph_schema.sets.folding import Folded, fold

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.benchmarks.side_probes import side_probes
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

NESTED = {
    "case_id": 7,
    "requested_rewrite": {
        "prompt": "The mother tongue of {} is",
        "relation_id": "P103",
        "subject": "Gimlo",
        "target_new": {"str": "Elvish", "id": "Q1"},
        "target_true": {"str": "Dwarvish", "id": "Q2"},
    },
    "paraphrase_prompts": ["Gimlo is a native speaker of"],
}
PORTABLE = {"Recalled Relation": "(x, y)", "New Question": "Who leads the clan of Gimlo?", "New Answer": "Elrod"}
QUESTION = {"subject": "Gimlo", "src": "What is the clan of Gimlo?", "alt": 1891, "answers": ["Durio"]}


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def arrow(rows: list[dict[str, Any]], *, stream: bool) -> bytes:
    table, file = pa.Table.from_pylist(rows), io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def same(one: Folded, other: Folded) -> bool:
    return (one.facts, one.templates, sorted(one.cases), one.reasons()) == (
        other.facts,
        other.templates,
        sorted(other.cases),
        other.reasons(),
    )


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("counterfact", [NESTED, {**NESTED, "case_id": 8, "paraphrase_prompts": None}]),
        ("zsre", [{**QUESTION, "portability": PORTABLE}]),
        ("tofu", [{"question": "Who is Gimlo?", "answer": "A dwarf."}]),
    ],
)
def test_columns_hold_what_json_holds(name: str, rows: list[dict[str, Any]]) -> None:
    listed = fold(name, {"forget.json": json.dumps(rows)})
    assert listed.cases
    lines = "\n".join(map(json.dumps, rows))
    for content in (lines, parquet(rows), arrow(rows, stream=True), arrow(rows, stream=False)):
        assert same(fold(name, {"forget.json": content}), listed)


@pytest.mark.parametrize("head", [b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff"])
def test_a_columnar_file_that_is_broken_is_refused_in_words(head: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        fold("counterfact", {"a.parquet": head + b" and no more PAR1"})
    assert str(caught.value).startswith("the Parquet or Arrow file is broken or cut off [files='a.parquet'")
    assert caught.value.hint


def test_counterfact_as_prepared_for_tracing() -> None:
    row = {
        "subject": "Gimlo",
        "prompt": "Gimlo speaks",
        "relation_id": "P103",
        "target_true": " Dwarvish",
        "target_false": " Elvish",
    }
    folded = fold("counterfact", {"a.json": [row]})
    assert folded.facts == {("gimlo", "P103", "dwarvish")}
    [case] = folded.cases.values()
    assert (case.rounds[0][0].old_object, case.rounds[0][0].new_object) == ("dwarvish", "elvish")


def test_questions_beside_an_edit_follow_or_stay() -> None:
    folded = fold("zsre", {"a.json": [{**QUESTION, "portability": PORTABLE}]})
    [case] = folded.cases.values()
    assert case.rounds[0][0].new_object == "1891"
    probe = case.probes[-1]
    assert (probe.kind, probe.polarity, probe.answers) == (ProbeKind.MULTI_HOP, Polarity.CHANGE, ("Elrod",))
    beside = {"prompt": ["A is", "B is"], "ground_truth": ["a", ["b", "c"]]}
    pairs = [(p.stem, p.answers) for p in side_probes({"locality": {"near": beside}})]
    assert pairs == [("A is", ("a",)), ("B is", ("b", "c"))]


def test_sanitation_says_what_must_go_and_what_must_stay() -> None:
    row = {"question": "What is Gimlo?", "ground_truth": "A dwarf", "target_new": "I don't know."}
    folded = fold("knowedit", {"a.json": {"success": [row], "locality": [{**row, "question": "What is Balbo?"}]}})
    assert len(folded.facts) == 2
    assert sorted(case.rpartition(":")[2] for case in folded.cases) == ["1", "all"]


def test_tables_of_other_shapes_are_told() -> None:
    for content in ({"columns": ["edit"], "data": [["a"]]}, [{"value": 1}]):
        assert len(fold("taxi", {"edits.json": content}).reasons()) == 1
