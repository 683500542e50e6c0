"""Tables of things with ids in one column and names in another, below headings that any list or none knows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from tests.graph_schema.importing.own import Read, read_files

from knowledgesmith.graph_schema.errors import InvalidInput

TOWNS = {
    "latin": ["Velmouth", "Port Ombry", "Greyholt", "Lower Tarn", "Isle of Sarn", "Øvre Tarn"],
    "chinese": ["云溪镇", "白沙港", "青岭", "石桥村", "南湖市", "北山"],
    "arabic": ["وادي النور", "مرسى الرمل", "تل الزيتون", "قرية الجسر", "مدينة السدر", "جبل الريح"],
}
KINDS = ["town", "port", "town", "town", "isle", "town"]
HEADINGS = ["bezeichnung", "名称", "libellé", "locality", "ortschaft", "xyz", "الاسم", "paikkakunta"]
EDGES = "source,target\n{0}1,{0}2\n{0}2,{0}3\n{0}3,{0}4\n"


def _nodes(ids: str, heading: str, names: list[str], prefix: str, *, kinds: str = "") -> str:
    head = f"{ids},{heading}{f',{kinds}' if kinds else ''}\n"
    kind = [f",{word}" for word in KINDS] if kinds else [""] * len(names)
    return head + "".join(f"{prefix}{n},{name}{kind[n - 1]}\n" for n, name in enumerate(names, start=1))


@pytest.mark.parametrize("script", TOWNS)
@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize(
    ("ids", "prefix"), [("id", ""), ("ID", "T"), ("code", "K-"), ("kennung", "K"), ("nr", ""), ("编号", "A")]
)
def test_nodes_are_named_by_the_column_of_names(script: str, heading: str, ids: str, prefix: str) -> None:
    names = TOWNS[script]
    found = read_files({"edges.csv": EDGES.format(prefix), "orte.csv": _nodes(ids, heading, names, prefix)})
    assert sorted(found.facts) == sorted((names[n], "related_to", names[n + 1]) for n in range(3))
    assert found.entities == {f"{prefix}{n}": name for n, name in enumerate(names, start=1)}
    said = found.said("read_as")
    assert f"name=column 2 '{heading}'" in said
    assert found.number("named_by_id") == 0


def test_a_guess_is_told_and_can_be_overruled() -> None:
    nodes = "id,kind,locality,mayor\n" + "".join(
        f"T{n},{KINDS[n - 1]},{town},Mayor of {town}\n" for n, town in enumerate(TOWNS["latin"], start=1)
    )
    files = {"edges.csv": EDGES.format("T"), "nodes.csv": nodes}
    found = read_files(files)
    assert "name=column 3 'locality' (it reads like names; --option name_column=" in found.said("read_as")
    assert found.entities["T1"] == "Velmouth"
    assert read_files(files, name_column="Mayor").entities["T1"] == "Mayor of Velmouth"
    none = read_files(files, name_column="-")
    assert none.entities["T1"] == "T1"
    assert "'locality' is no part of a fact" in none.said("ignored")
    with pytest.raises(InvalidInput) as caught:
        read_files(files, name_column="nowhere")
    assert caught.value.field == "options.name_column"
    assert "'locality'" in (caught.value.hint or "")


@pytest.mark.parametrize("script", TOWNS)
@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize(("ids", "prefix"), [("id", "T"), ("kennung", "K-"), ("编号", "A"), ("uid", "")])
def test_subjects_of_a_wide_table_are_named_too(script: str, heading: str, ids: str, prefix: str) -> None:
    names = TOWNS[script]
    text = _nodes(ids, heading, names, prefix, kinds="sort")
    found = read_files({"orte.csv": text})
    assert found.facts == sorted((name, "sort", kind) for name, kind in zip(names, KINDS, strict=True))
    assert f"named by column 2 '{heading}'" in found.said("read_as")


def _wide(rows: Sequence[tuple[str, ...]], **options: str) -> Read:
    return read_files({"a.csv": "".join(",".join(row) + "\n" for row in rows)}, **options)


def test_several_columns_that_may_be_names_leave_the_ids_and_that_is_told() -> None:
    rows = [("id", "home", "boss"), *((f"P{n}", town, f"Boss of {town}") for n, town in enumerate(TOWNS["latin"], 1))]
    found = _wide(rows)
    assert ("P1", "home", "Velmouth") in found.facts
    assert found.number("named_by_id") == 6
    assert "--option name_column=" in found.said("named_by_id")
    named = _wide(rows, name_column="boss")
    assert ("Boss of Velmouth", "home", "Velmouth") in named.facts
    assert named.number("named_by_id") == 0


@pytest.mark.parametrize(
    "rows",
    [
        [("year", "winner", "place"), ("1901", "Ada", "Rome"), ("1902", "Bob", "Rome"), ("1903", "Cid", "Rome")],
        [("vuosi", "voittaja", "maa"), ("1901", "Ada", "Ro"), ("1902", "Bob", "Ro"), ("1903", "Cid", "Ro")],
        [("symbol", "element", "state"), ("H", "Hydrogen", "gas"), ("O", "Oxygen", "gas"), ("N", "Nitrogen", "gas")],
        [("person", "hometown", "job"), ("Ada", "Rome", "cook"), ("Bob", "Oslo", "cook"), ("Cid", "Ulm", "cook")],
        [("id", "hometown", "job"), ("Ada", "Rome", "cook"), ("Bob", "Oslo", "cook"), ("Cid", "Ulm", "cook")],
        [
            ("tag", "owner", "job"),
            ("2001-02-03", "Ada", "cook"),
            ("2001-02-04", "Bob", "cook"),
            ("2001-02-05", "C", "x"),
        ],
    ],
)
def test_words_years_and_dates_are_no_ids(rows: list[tuple[str, ...]]) -> None:
    found = _wide(rows, layout="wide")
    assert found.facts == sorted((row[0], rows[0][n], row[n]) for row in rows[1:] for n in (1, 2))


def test_a_table_of_two_columns_whose_ids_no_edge_names_keeps_its_relation() -> None:
    models = "model,maker\nA320,Airbus\nB747,Boeing\nC130,Lockheed\n"
    facts = "subject,relation,object\nAirbus,based in,Velmouth\n"
    found = read_files({"facts.csv": facts, "models.csv": models})
    assert ("A320", "maker", "Airbus") in found.facts
    assert found.entities["A320"] == "A320"


def test_rows_of_one_id_keep_the_name_that_its_heading_says() -> None:
    rows = [("id", "name", "city"), ("P1", "Ada", "Velmouth"), ("P1", "Ada", "Greyholt"), ("P2", "Bob", "Velmouth")]
    assert _wide(rows).facts == [("Ada", "city", "Greyholt"), ("Ada", "city", "Velmouth"), ("Bob", "city", "Velmouth")]


def test_a_label_of_kinds_yields_to_a_column_of_names() -> None:
    nodes = "id,label,locality\n" + "".join(
        f"T{n},{kind},{town}\n" for n, (kind, town) in enumerate(zip(KINDS, TOWNS["latin"], strict=True), start=1)
    )
    found = read_files({"edges.csv": EDGES.format("T"), "nodes.csv": nodes}, name_column="locality")
    assert found.entities["T2"] == "Port Ombry"


def test_rows_of_json_are_named_alike() -> None:
    rows = [
        {"id": f"T{n}", "localité": town, "sort": kind}
        for n, (town, kind) in enumerate(zip(TOWNS["latin"], KINDS, strict=True))
    ]
    edges = [{"source": "T0", "relation": "near", "target": "T1"}]
    found = read_files({"edges.json": json.dumps(edges), "orte.csv": _nodes("id", "localité", TOWNS["latin"], "T")})
    assert found.entities["T1"] == "Velmouth"
    wide = read_files({"orte.json": json.dumps(rows)}, "sheet", layout="wide")
    assert ("Velmouth", "sort", "town") in wide.facts
