"""One graph in four ways of writing tables: the same entities, facts and digest."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing import InputFile, Rejection
from knowledgesmith.graph_schema.importing.formats.own_tables import TablesImporter, TablesOptions
from knowledgesmith.graph_schema.importing.pipeline import choose_importer
from knowledgesmith.graph_schema.importing.reading.records import FactRecord

ROWS: dict[str, list[dict[str, Any]]] = {
    "entities": [
        {"uid": "a", "name": "Ann", "type": "P", "domain": "", "aliases": ["A", "Annie"]},
        {"uid": "b", "name": "Bob", "type": "P", "domain": "x", "aliases": []},
    ],
    "relations": [{"name": "knows", "symmetric": True, "composed_of": []}],
    "facts": [{"subject": "a", "relation": "knows", "object": "Bob"}],
}


def _plain(value: object) -> str:
    return "|".join(value) if isinstance(value, list) else str(value)


def _written(kind: str) -> list[InputFile]:
    files: list[InputFile] = []
    for role, rows in ROWS.items():
        if kind == "parquet":
            sink = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(rows), sink)
            raw = sink.getvalue()
        elif kind == "jsonl":
            raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
        else:
            mark = "," if kind == "csv" else "\t"
            lines = [mark.join(rows[0]), *(mark.join(map(_plain, row.values())) for row in rows)]
            raw = "\r\n".join(lines).encode()
        files.append(InputFile(name=f"{role}.{kind}", content=io.BytesIO(raw)))
    return files


def _records(files: list[InputFile]) -> list[object]:
    def bare(record: object) -> object:
        return {name: getattr(record, name) for name in record.__slots__ if name != "place"}  # type: ignore[attr-defined]

    return [bare(record) for record in TablesImporter().read(files, TablesOptions())]


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "parquet"])
def test_every_way_of_writing_says_the_same(kind: str) -> None:
    assert _records(_written(kind)) == _records(_written("csv"))
    assert isinstance(choose_importer("", _written(kind)).importer, TablesImporter)


def test_broken_tables_are_rejected_with_their_place(tmp_path: Path) -> None:
    whole = _written("parquet")[2].content.read()
    files = [
        InputFile(name="entities.csv", content=io.BytesIO(b"uid,name\na,A\n")),
        InputFile(name="facts1.parquet", content=io.BytesIO(whole[:-30])),
        InputFile(name="facts2.parquet", content=io.BytesIO(b"")),
        InputFile(name="facts3.tsv", content=io.BytesIO(b'subject\trelation\tobject\na\tr "x\ta\n')),
        InputFile(name="facts4.jsonl", content=io.BytesIO(b'{"subject": ' + b"[" * 30_000 + b"\n")),
    ]
    found = list(TablesImporter().read(files, TablesOptions()))
    assert [r.place.file for r in found if isinstance(r, Rejection)] == [
        "facts1.parquet",
        "facts2.parquet",
        "facts4.jsonl",
    ]
    reasons = [r.reason for r in found if isinstance(r, Rejection)]
    assert reasons[:2] == ["the Parquet file is broken or cut off after 0 rows"] * 2
    assert "too deep" in reasons[2] or "broken at character" in reasons[2]
    assert not any("Error" in reason for reason in reasons)
    assert [r.relation for r in found if isinstance(r, FactRecord)] == ['r "x'], "a quote is a sign like any other"


def test_a_table_without_role_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        TablesImporter().read([InputFile(name="stuff.csv", content=io.BytesIO())], TablesOptions())
    assert caught.value.field == "files"
