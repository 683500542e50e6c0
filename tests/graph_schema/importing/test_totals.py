"""Rows below the things of a table: those without any value are left out, totals and sources are named."""

from __future__ import annotations

import json

import pytest
from tests.graph_schema.importing.own import read_files

HEAD = "Region;Umsatz;Gewinn\n"
THINGS = "Nordo;10;2\nSudo;20;3\nWesto;7;1\n"
TOTALS = [
    *("Summe", "SUMME", "Gesamt", "Gesamtsumme", "Insgesamt", "Total", "Grand total", "Totals:", "Totale", "Suma"),
    *("合計", "总计", "合计", "Итого", "Итого:", "Всего", "المجموع", "합계", "कुल", "Toplam", "Razem"),
    *("Ø", "Durchschnitt", "Average", "Moyenne", "平均", "среднее", "**Summe**", "Σ"),
]
SOURCES = [
    *("Quelle: Amt", "Source: own count", "Stand: 2024", "Note: in thousands", "出典：役所", "来源: 统计局"),
    *("Источник: Росстат", "المصدر: الديوان", "Fuente: INE", "* Anmerkung: geschätzt"),
]


@pytest.mark.parametrize("name", [*TOTALS, *SOURCES])
def test_what_reads_like_no_thing_is_named(name: str) -> None:
    found = read_files({"a.csv": f"{HEAD}{THINGS}{name};37;6\n"})
    assert f"a.csv:5: {name!r} reads like" in found.said("note")
    assert len(found.facts) == 8


@pytest.mark.parametrize("name", [*SOURCES, *TOTALS, "Alle Angaben in Mio. €", "単位：百万円", "Ardonia"])
def test_rows_without_any_value_are_left_out_and_named(name: str) -> None:
    found = read_files({"a.csv": f"{HEAD}{THINGS}{name};;\n"})
    assert name not in found.entities.values()
    assert f"a.csv:5: a row without any value is left out: {name!r}" in found.said("ignored")
    assert len(found.facts) == 6
    rows = [{"Region": f"R{n}", "Umsatz": n, "Gewinn": n + 1} for n in range(3)]
    told = read_files({"a.json": json.dumps([*rows, {"Region": name}])}, "sheet", layout="wide")
    assert "without any value" in told.said("ignored")


@pytest.mark.parametrize("name", ["Summer", "Totalo", "Standort", "Quellenhof", "Sourceforge", "合", "計算機"])
def test_names_that_only_begin_so_are_things(name: str) -> None:
    found = read_files({"a.csv": f"{HEAD}{THINGS}{name};37;6\n"})
    assert found.number("note") == 0
    assert name in found.entities.values()


def test_a_row_that_says_it_has_no_value_and_one_that_names_an_id_stay() -> None:
    found = read_files({"a.csv": f"{HEAD}{THINGS}Ardonia;-;n/a\n"})
    assert "Ardonia" in found.entities.values()
    people = "id;name;boss\nP1;Ardel;\nP2;Bela;P1\nP3;Cato;P1\n"
    assert ("Bela", "boss", "Ardel") in read_files({"a.csv": people}).facts
