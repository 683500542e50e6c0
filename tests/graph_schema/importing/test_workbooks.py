"""Workbooks: what cells show, every sheet accounted for, and files that are broken, locked or made to exhaust."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Mapping, Sequence

import pytest
from tests.graph_schema.importing.own import Read, read_files

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows import workbook
from knowledgesmith.graph_schema.importing.formats.rows.workbook_times import EPOCH, EPOCH_1904, Shown, moment, shown_by

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def _text(*cells: str) -> str:
    return "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)


def _rows(*rows: str) -> str:
    return "".join(f"<row>{row}</row>" for row in rows)


FACTS = _rows(_text("subject", "relation", "object"), _text("Ardel", "likes", "Bela"), _text("Bela", "likes", "Cato"))
READ = [("Ardel", "likes", "Bela"), ("Bela", "likes", "Cato")]


def _book(
    sheets: Mapping[str, str],
    *,
    formats: Sequence[str | int] = (),
    texts: str = "",
    more: Mapping[str, str] | None = None,
    without: str = "",
    head: str = "",
) -> bytes:
    own = [code for code in formats if isinstance(code, str)]
    numbers = [code if isinstance(code, int) else 164 + own.index(code) for code in formats]
    declared = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{code.replace(chr(34), "&quot;")}"/>' for n, code in enumerate(own)
    )
    styles = "".join(f'<xf numFmtId="{number}"/>' for number in [0, *numbers])
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{head}<sheets>'
        + "".join(f'<sheet name="{name}" r:id="r{n}"/>' for n, name in enumerate(sheets))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
        + "".join(f'<Relationship Id="r{n}" Target="worksheets/s{n}.xml"/>' for n in range(len(sheets)))
        + "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{declared}</numFmts>'
        f"<cellXfs>{styles}</cellXfs></styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
    }
    for n, body in enumerate(sheets.values()):
        parts[f"xl/worksheets/s{n}.xml"] = f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in (parts | dict(more or {})).items():
            if part != without:
                archive.writestr(part, content)
    return stream.getvalue()


def _shown(value: float, code: str | int, head: str = "") -> str:
    """What a cell of a value and a format becomes."""
    body = _rows(_text("subject", "relation", "object"), _text("Shop", "opens") + f'<c s="1"><v>{value}</v></c>')
    return read_files({"a.xlsx": _book({"S": body}, formats=[code], head=head)}).facts[0][2]


@pytest.mark.parametrize(
    ("value", "code", "wanted"),
    [
        (0.375, 20, "09:00:00"),
        (0.375, 18, "09:00:00"),
        (0.430555555555556, 21, "10:20:00"),
        (0.999999999, 21, "23:59:59"),
        (0, 20, "00:00:00"),
        (0.375, 22, "09:00:00"),
        (0.375, "hh:mm", "09:00:00"),
        (0.375, "h:mm AM/PM", "09:00:00"),
        (0.375, "[$-409]h:mm:ss;@", "09:00:00"),
        (0.375, 'h"h"mm', "09:00:00"),
        (0.375, 14, "0.375"),
        (0.375, "0.00", "0.375"),
        (0.375, '0.0" days"', "0.375"),
        (0.375, "General", "0.375"),
        (1.0625, 46, "25:30:00"),
        (1.0625, "[h]:mm", "25:30:00"),
        (36526, 14, "2000-01-01"),
        (36526.375, 22, "2000-01-01 09:00:00"),
        (36526.430555555555, "yyyy-mm-dd hh:mm", "2000-01-01 10:20:00"),
        (36526.375, 20, "2000-01-01 09:00:00"),
        (36526, "mmmm", "2000-01-01"),
        (36526, "[Red]dd/mm/yyyy", "2000-01-01"),
        (1, 14, "1900-01-01"),
        (59, 14, "1900-02-28"),
        (61, 14, "1900-03-01"),
        (2958465, 14, "9999-12-31"),
        (2958466, 14, "2958466"),
        (-0.5, 20, "-0.5"),
    ],
)
def test_a_number_is_what_its_format_shows(value: float, code: str | int, wanted: str) -> None:
    assert _shown(value, code) == wanted


@pytest.mark.parametrize(("value", "wanted"), [(0.375, "09:00:00"), (35064.5, "2000-01-01 12:00:00"), (9e6, "9000000")])
def test_books_that_count_from_1904(value: float, wanted: str) -> None:
    assert _shown(value, 22, '<workbookPr date1904="1"/>') == wanted


def test_no_time_of_a_day_gets_a_date() -> None:
    for minute in range(1, 1440):
        for zero in (EPOCH, EPOCH_1904):
            assert moment(minute / 1440, Shown.TIME, zero) == f"{minute // 60:02}:{minute % 60:02}:00"
    assert {shown_by(code) for code in ("0", "#,##0", "@", "0%", '"h"0', "0E+00")} == {None}


def test_a_time_is_a_value_and_no_thing() -> None:
    body = _rows(_text("subject", "relation", "object"), _text("Shop", "opens") + '<c s="1"><v>0.375</v></c>')
    assert read_files({"a.xlsx": _book({"S": body}, formats=[20])}).types["09:00:00"] == "Literal"


@pytest.mark.parametrize("names", [("Facts", "More"), ("事实", "备注 2"), ("حقائق", "ملاحظات", "أخرى")])
def test_other_filled_sheets_are_named(names: tuple[str, ...]) -> None:
    book = _book({"Empty": "", **dict.fromkeys(names, FACTS), "Blank": _rows("<c/>", "")})
    found = read_files({"a.xlsx": book})
    assert found.facts == READ
    assert found.number("ignored") == len(names) - 1
    for name in names[1:]:
        assert f"--option sheet='{name}'" in found.said("ignored")
        assert read_files({"a.xlsx": book}, sheet=name).number("ignored") == 0
    assert read_files({"a.xlsx": _book({"Empty": "", "One": FACTS})}).number("ignored") == 0


def _refused(book: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_files({"mine.xlsx": book})
    assert "mine.xlsx" in str(caught.value.value)
    assert "CSV" in caught.value.hint
    assert not any(word in str(caught.value) for word in ("Error", "Exception", "None", "'xl/"))
    return caught.value


BOMBS = {
    "cells": "<row>" + "<c><v>1</v></c>" * 1_000_000 + "</row>",
    "empty cells": "<row>" + "<c/>" * 2_000_000 + "</row>",
    "unknown elements": "<row>" + "<x/>" * 2_000_000 + "</row>",
    "unknown elements in a cell": '<row><c t="inlineStr"><is>' + "<r/>" * 2_000_000 + "</is></c></row>",
    "one text": '<row><c t="inlineStr"><is><t>' + "a" * 40_000_000 + "</t></is></c></row>",
    "nested": "<row>" + "<c>" * 3_000 + "</c>" * 3_000 + "</row>",
    "nested outside": "<x>" * 3_000 + "</x>" * 3_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_takes_little_memory(bomb: str) -> None:
    book = _book({"S": BOMBS[bomb]})
    assert len(book) < 200_000
    tracemalloc.start()
    try:
        _refused(book)
        assert tracemalloc.get_traced_memory()[1] < 120_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_behind_facts_costs_only_what_follows() -> None:
    found = read_files({"a.xlsx": _book({"S": FACTS + BOMBS["empty cells"]})})
    assert found.facts == READ
    assert "more than 1,000 columns" in found.reasons[0]
    assert "CSV" in found.reasons[0]


@pytest.mark.parametrize("text", ["<si/>", "<si><t>" + "a" * 5_000 + "</t></si>"])
def test_shared_texts_are_bounded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_files({"a.xlsx": _book({"S": FACTS}, texts=text * 2_000)}).facts == READ
    monkeypatch.setattr(workbook, "MAX_TEXTS", 10_000)
    assert "more than 10,000 characters" in str(_refused(_book({"S": FACTS}, texts=text * 2_000)))


@pytest.mark.parametrize(
    "cell",
    [
        '<c t="s"><v>-5</v></c>',
        '<c t="s"><v>7</v></c>',
        '<c t="s"><v>x</v></c>',
        "<c><v>x</v></c>",
        '<c t="s"><v>9e9</v></c>',
    ],
)
def test_a_cell_that_cannot_be_read_costs_its_row(cell: str) -> None:
    found = read_files({"a.xlsx": _book({"S": FACTS + _rows(_text("Cato", "likes") + cell)})})
    assert found.facts == READ
    assert len(found.reasons) == 1
    assert "a.xlsx:4: a cell " in found.reasons[0]


def _flagged(book: bytes, *, flag: int = 0, method: int | None = None) -> bytes:
    """The archive with a flag set, or another way of packing named, for every part."""
    raw = bytearray(book)
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(magic)
        while place >= 0:
            raw[place + at] |= flag
            if method is not None:
                raw[place + at + 2] = method
            place = raw.find(magic, place + 4)
    return bytes(raw)


@pytest.mark.parametrize(
    ("book", "said"),
    [
        (_flagged(_book({"S": FACTS}), flag=1), "password"),
        (_flagged(_book({"S": FACTS}), method=9), "packed in a way"),
        (_flagged(_book({"S": FACTS}), method=99), "packed in a way"),
        (_flagged(_book({"S": FACTS}), method=14), "zip archive is broken"),
        (_book({"S": FACTS}, without="xl/_rels/workbook.xml.rels"), "xl/_rels/workbook.xml.rels is missing"),
        (_book({"S": FACTS}, more={"xl/styles.xml": "<a><b></a>"}), "XML is broken in line 1"),
        (_book({"S": FACTS}, more={"xl/styles.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), "refused"),
        (_book({"S": FACTS}, more={"xl/sharedStrings.xml": ""}), "XML is broken"),
    ],
)
def test_why_a_book_cannot_be_read_is_said_in_words(book: bytes, said: str) -> None:
    assert said in str(_refused(book))


def test_broken_styles_and_numbers_do_no_harm() -> None:
    styles = '<styleSheet><numFmt numFmtId="x" formatCode="h"/><cellXfs><xf numFmtId="-1"/></cellXfs></styleSheet>'
    body = FACTS.replace("<row>", '<row r="x">').replace("<c t", '<c s="-1" t')
    found: Read = read_files({"a.xlsx": _book({"S": body}, more={"xl/styles.xml": styles})})
    assert found.facts == READ
