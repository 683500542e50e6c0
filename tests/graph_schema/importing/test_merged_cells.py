"""Cells that are merged over several rows of a workbook: their text counts for each row, and the report says so."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest
from tests.graph_schema.importing.own import Read, read_files
from tests.graph_schema.importing.test_opendocument import SPACES
from tests.graph_schema.importing.test_workbooks import LINKS, MAIN, PACKAGE

Sheet = Sequence[Sequence[str]]
Spans = Sequence[tuple[int, int, int, int]]
"""First row, last row, first column, last column, from 0."""


def _excel(rows: Sheet, spans: Spans) -> bytes:
    body = ""
    for number, row in enumerate(rows, start=1):
        cells = "".join(
            f'<c r="{chr(65 + n)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for n, text in enumerate(row)
            if text
        )
        body += f'<row r="{number}">{cells}</row>'
    areas = "".join(
        f'<mergeCell ref="{chr(65 + left)}{top + 1}:{chr(65 + right)}{last + 1}"/>' for top, last, left, right in spans
    )
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>'
        '<sheet name="S" r:id="r"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
        '<Relationship Id="r" Target="worksheets/s.xml"/></Relationships>',
        "xl/worksheets/s.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData>'
        f"<mergeCells>{areas}</mergeCells></worksheet>",
    }
    return _packed(parts)


def _open_document(rows: Sheet, spans: Spans) -> bytes:
    body = ""
    for number, row in enumerate(rows):
        body += "<table:table-row>"
        for column, text in enumerate(row):
            span = next((area for area in spans if (area[0], area[2]) == (number, column)), None)
            covered = span is None and any(a <= number <= b and c <= column <= d for a, b, c, d in spans)
            kind = "covered-table-cell" if covered else "table-cell"
            size = ""
            if span is not None:
                size = f' table:number-rows-spanned="{span[1] - span[0] + 1}"'
                size += f' table:number-columns-spanned="{span[3] - span[2] + 1}"'
            said = f"<text:p>{text}</text:p>" if text else ""
            body += f'<table:{kind}{size} office:value-type="string">{said}</table:{kind}>'
        body += "</table:table-row>"
    content = (
        f'<office:document-content {SPACES}><office:body><office:spreadsheet><table:table table:name="S">{body}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    return _packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


def _packed(parts: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return stream.getvalue()


def _read(form: str, rows: Sheet, spans: Spans) -> Read:
    if form == "xlsx":
        return read_files({"a.xlsx": _excel(rows, spans)})
    return read_files({"a.ods": _open_document(rows, spans)})


FORMS = pytest.mark.parametrize("form", ["xlsx", "ods"])
GROUPS = [
    ("subject", "relation", "object", "Möller", "Bäcker", ("wohnt in", "kennt", "mag")),
    ("主体", "关系", "客体", "林若川", "周远山", ("居住在", "喜欢", "认识")),
    ("субъект", "отношение", "объект", "Арден", "Белла", ("живёт в", "любит", "знает")),
    ("الموضوع", "العلاقة", "المفعول", "سالم", "ليلى", ("يسكن في", "يحب", "يعرف")),
]


@FORMS
@pytest.mark.parametrize("words", GROUPS)
def test_a_merged_subject_counts_for_each_of_its_rows(
    form: str, words: tuple[str, str, str, str, str, tuple[str, str, str]]
) -> None:
    header, (one, two), relations = words[:3], words[3:5], words[5]
    rows: list[Sequence[str]] = [header, [one, relations[0], "X1"], ["", relations[1], "X2"], ["", relations[2], "X3"]]
    rows += [[two, relations[0], "X1"], ["", relations[1], "X4"]]
    found = _read(form, rows, [(1, 3, 0, 0), (4, 5, 0, 0)])
    assert found.facts == sorted(
        [(one, relations[n], f"X{n + 1}") for n in range(3)] + [(two, relations[0], "X1"), (two, relations[1], "X4")]
    )
    assert found.reasons == []
    assert "merged with one above" in found.said("note")
    assert found.number("note") == 3


@FORMS
def test_other_merged_columns_and_tables_with_a_subject_a_row(form: str) -> None:
    rows = [["country", "capital", "continent"], ["Ardony", "Velmouth", "Nord"], ["Belia", "Ombry", ""]]
    rows += [["Castia", "Greyholt", ""], ["Doria", "Tarn", "Sud"]]
    found = _read(form, rows, [(1, 3, 2, 2)])
    assert {s: o for s, r, o in found.facts if r == "continent"} == {
        "Ardony": "Nord",
        "Belia": "Nord",
        "Castia": "Nord",
        "Doria": "Sud",
    }
    block = [["subject", "relation", "object"], ["Ardel", "likes", "Bela"], ["", "", "Cato"], ["Bela", "likes", "Dora"]]
    assert ("Ardel", "likes", "Cato") in _read(form, block, [(1, 2, 0, 0), (1, 2, 1, 1)]).facts


@FORMS
def test_what_is_not_merged_is_not_filled(form: str) -> None:
    rows = [["subject", "relation", "object"], ["Ardel", "likes", "Bela"], ["", "knows", "Cato"], ["", "", ""]]
    rows += [["Bela", "likes", "Dora"]]
    plain = _read(form, rows, [])
    assert (len(plain.facts), len(plain.reasons), plain.number("note")) == (2, 1, 0)
    title = [["All about Ardony", "", ""], *rows[:2]]
    found = _read(form, title, [(0, 0, 0, 2)])
    assert (len(found.facts), found.number("note")) == (1, 0)
    assert len(_read(form, rows[:2] + rows[3:], [(1, 2, 0, 0)]).facts) == 2
