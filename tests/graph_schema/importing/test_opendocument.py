"""OpenDocument spreadsheets: what cells hold and how often, every sheet accounted for, and files made to exhaust."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Mapping

import pytest
from tests.graph_schema.importing.own import HEADERS, invented, read_files

from knowledgesmith.graph_schema.errors import InvalidInput

MIME = "application/vnd.oasis.opendocument.spreadsheet"
SPACES = " ".join(
    (
        *(
            f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
            for short in ("office", "table", "text", "draw")
        ),
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"',
        'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    )
)
ALL_COLUMNS = '<table:table-cell table:number-columns-repeated="16381"/>'


def _cell(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def _value(kind: str, name: str, value: str, shown: str = "shown") -> str:
    return (
        f'<table:table-cell office:value-type="{kind}" office:{name}="{value}" calcext:value-type="{kind}">'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def _rows(*rows: str) -> str:
    return "".join(f"<table:table-row>{row}{ALL_COLUMNS}</table:table-row>" for row in rows)


END = f'<table:table-row table:number-rows-repeated="1048570">{ALL_COLUMNS}</table:table-row>'
HEADER = _rows("".join(map(_cell, ("subject", "relation", "object"))))
FACTS = HEADER + _rows("".join(map(_cell, ("Ardel", "likes", "Bela"))), "".join(map(_cell, ("Bela", "likes", "Cato"))))
REMARK = "<text:p>a remark</text:p>"
READ = [("Ardel", "likes", "Bela"), ("Bela", "likes", "Cato")]


def _book(
    sheets: Mapping[str, str],
    *,
    mime: str = MIME,
    manifest: str = "",
    content: str = "",
    head: str = "",
    end: str = END,
) -> bytes:
    body = "".join(
        f'<table:table table:name="{name}"><table:table-column/>{rows}{end}</table:table>'
        for name, rows in sheets.items()
    )
    whole = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content {SPACES}><office:automatic-styles/>'
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        if mime:
            archive.writestr("mimetype", mime, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content or whole)
        if manifest:
            archive.writestr("META-INF/manifest.xml", manifest)
    return stream.getvalue()


@pytest.mark.parametrize("language", HEADERS)
@pytest.mark.parametrize("header", [True, False])
def test_hand_typed_sheets_come_in_whole(language: str, *, header: bool) -> None:
    facts = invented(language, 20)
    rows = ([HEADERS[language]] if header else []) + [tuple(fact) for fact in facts]
    found = read_files({"mine.ods": _book({"Blatt1": _rows(*("".join(map(_cell, row)) for row in rows))})})
    assert (found.facts, found.reasons, found.format) == (sorted(facts), [], "sheet")
    assert "sheet 'Blatt1' of a workbook" in found.said("read_as")


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (_value("float", "value", "3"), "3"),
        (_value("float", "value", "3.25", "3,25"), "3.25"),
        (_value("float", "value", "1E3"), "1000"),
        (_value("percentage", "value", "0.5", "50 %"), "0.5"),
        (_value("currency", "value", "9.5", "9,50 €"), "9.5"),
        (_value("date", "date-value", "2000-01-01", "01.01.00"), "2000-01-01"),
        (_value("date", "date-value", "2000-01-01T09:00:00.0000001"), "2000-01-01 09:00:00"),
        (_value("date", "date-value", "-0044-03-15"), "-0044-03-15"),
        (_value("time", "time-value", "PT09H00M00S", "9 Uhr"), "09:00:00"),
        (_value("time", "time-value", "PT25H30M00S"), "25:30:00"),
        (_value("time", "time-value", "PT10H19M59.999999S"), "10:20:00"),
        (_value("boolean", "boolean-value", "true", "WAHR"), "true"),
        (_value("string", "string-value", "Bela", ""), "Bela"),
        (_cell("San<text:s text:c='999999999'/>José<text:line-break/>del<text:tab/>Mar"), "San José del Mar"),
        (_cell("<text:span>云溪</text:span><text:a>镇</text:a>"), "云溪镇"),
        (_cell("a</text:p><text:p>b"), "a b"),
        (
            _cell("漢<text:ruby><text:ruby-base>字</text:ruby-base><text:ruby-text>kanji</text:ruby-text></text:ruby>"),
            "漢字",
        ),
        (
            _cell("Bela").replace(
                "<text:p>", f"<office:annotation><dc:date>2020</dc:date>{REMARK}</office:annotation><text:p>"
            ),
            "Bela",
        ),
    ],
)
def test_a_cell_is_its_value(cell: str, wanted: str) -> None:
    found = read_files({"a.ods": _book({"S": HEADER + _rows(_cell("Shop") + _cell("has") + cell)})})
    assert (found.facts, found.reasons) == ([("Shop", "has", wanted)], [])


def test_errors_of_formulas_are_no_values() -> None:
    bad = _cell("#N/A").replace("cell ", 'cell calcext:value-type="error" ', 1)
    found = read_files({"a.ods": _book({"S": FACTS + _rows(_cell("Cato") + _cell("likes") + bad)})})
    assert found.facts == READ


def test_cells_that_are_written_once_stand_as_often_as_they_say() -> None:
    twice = _cell("Bela").replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="2"')
    gap = '<table:table-cell table:number-columns-repeated="2"/>'
    covered = "<table:covered-table-cell/>"
    rows = _rows(_cell("Bela") + twice, _cell("Ardel") + gap + _cell("x"), _cell("Cato") + covered + _cell("Dora"))
    found = read_files({"a.ods": _book({"S": rows})}, header="no", columns="subject,relation,object")
    assert ("Bela", "Bela", "Bela") in found.facts
    assert any("4 cells" in reason or "relation is empty" in reason for reason in found.reasons)


def test_a_row_that_is_repeated_counts_once_and_is_told() -> None:
    rows = FACTS.replace("<table:table-row>", '<table:table-row table:number-rows-repeated="1000000">')
    rows += _rows("".join(map(_cell, ("Cato", "likes", ""))))
    found = read_files({"a.ods": _book({"S": rows})})
    assert found.facts == READ
    assert found.number("doubled") == 2_999_997
    assert "a.ods:3000001:" in found.reasons[0]


@pytest.mark.parametrize("names", [("Facts", "More"), ("事实", "备注 2"), ("حقائق", "ملاحظات", "أخرى")])
def test_other_filled_sheets_are_named(names: tuple[str, ...]) -> None:
    cached = {"&apos;file:///home/x.ods&apos;#$Tabelle1": FACTS}
    book = _book({"Empty": "", **dict.fromkeys(names, FACTS), "Blank": _rows(""), **cached})
    found = read_files({"a.ods": book})
    assert found.facts == READ
    assert found.number("ignored") == len(names) - 1
    for name in names[1:]:
        assert f"--option sheet='{name}'" in found.said("ignored")
        assert read_files({"a.ods": book}, sheet=name).facts == READ
    with pytest.raises(InvalidInput) as caught:
        read_files({"a.ods": book}, sheet="Nowhere")
    assert names[0] in (caught.value.hint or "")


def test_groups_and_header_rows_hold_rows() -> None:
    parts = FACTS.split("</table:table-row>", 1)
    rows = f"<table:table-header-rows>{parts[0]}</table:table-row></table:table-header-rows>"
    rows += f"<table:table-row-group>{parts[1]}</table:table-row-group>"
    assert read_files({"a.ods": _book({"S": rows})}).facts == READ


@pytest.mark.parametrize(
    ("name", "mime"), [("a.ods", MIME), ("a.dat", MIME), ("a.ots", f"{MIME}-template"), ("a.ods", "")]
)
def test_it_is_told_by_what_it_says_it_is(name: str, mime: str) -> None:
    assert read_files({name: _book({"S": FACTS}, mime=mime)}).facts == READ


def test_other_documents_are_archives() -> None:
    with pytest.raises(InvalidInput, match="archive"):
        read_files({"a.odt": _book({"S": FACTS}, mime="application/vnd.oasis.opendocument.text")})


def _refused(book: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_files({"mine.ods": book})
    assert "mine.ods" in str(caught.value.value)
    assert "CSV" in (caught.value.hint or "")
    assert not any(word in str(caught.value) for word in ("Error", "Exception", "None"))
    return caught.value


ROW = "<table:table-row>{}</table:table-row>"
BOMBS = {
    "cells": ROW.format('<table:table-cell office:value="1" office:value-type="float"/>' * 1_000_000),
    "empty cells": ROW.format("<table:table-cell/>" * 2_000_000),
    "covered cells": ROW.format("<table:covered-table-cell/>" * 2_000_000),
    "repeated": ROW.format(_cell("a").replace("cell ", 'cell table:number-columns-repeated="2000000000" ', 1)),
    "repeated without end": ROW.format(
        _cell("a").replace("cell ", f'cell table:number-columns-repeated="{9**18}" ', 1)
    ),
    "far right": ROW.format('<table:table-cell table:number-columns-repeated="1000"/>' + _cell("a")),
    "unknown elements": ROW.format("<x/>" * 2_000_000),
    "unknown elements in a cell": ROW.format(
        "<table:table-cell><text:p>" + "<r/>" * 2_000_000 + "</text:p></table:table-cell>"
    ),
    "one text": ROW.format(_cell("a" * 40_000_000)),
    "nested": ROW.format("<table:table-cell>" * 3_000 + "</table:table-cell>" * 3_000),
    "nested outside": "<x>" * 3_000 + "</x>" * 3_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_takes_little_memory(bomb: str) -> None:
    book = _book({"S": BOMBS[bomb]})
    assert len(book) < 300_000
    tracemalloc.start()
    try:
        _refused(book)
        assert tracemalloc.get_traced_memory()[1] < 120_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_behind_facts_costs_only_what_follows() -> None:
    found = read_files({"a.ods": _book({"S": FACTS + BOMBS["repeated"]})})
    assert found.facts == READ
    assert "more than 1,000 columns" in found.reasons[0]
    assert "CSV" in found.reasons[0]
    other = read_files({"a.ods": _book({"S": FACTS, "T": BOMBS["repeated"]})})
    assert (other.facts, other.reasons) == (READ, [])


@pytest.mark.parametrize("value", ["x", "", "1,5", "0x10"])
def test_a_number_that_is_none_costs_its_row(value: str) -> None:
    row = _rows(_cell("Cato") + _cell("likes") + _value("float", "value", value, ""))
    found = read_files({"a.ods": _book({"S": FACTS + row})})
    assert found.facts == READ
    assert len(found.reasons) == 1
    assert found.reasons[0].startswith("a.ods:4: ")


ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]>'
LOCKED = "<manifest><file-entry><encryption-data/></file-entry></manifest>"


@pytest.mark.parametrize(
    ("book", "said"),
    [
        (_book({"S": FACTS}, manifest=LOCKED), "password"),
        (_book({"S": FACTS}, head=ENTITY), "refused"),
        (_book({"S": FACTS}, content="<a><b></a>"), "XML is broken in line 1"),
        (_book({"S": FACTS})[:-40], "zip archive is broken"),
    ],
)
def test_why_a_book_cannot_be_read_is_said_in_words(book: bytes, said: str) -> None:
    assert said in str(_refused(book))
