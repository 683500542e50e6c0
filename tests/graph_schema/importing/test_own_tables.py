"""Tables as people keep them come in by one command, whatever their separator, line end, header and column order."""

from __future__ import annotations

import codecs
import io
import itertools
import zipfile

import pytest
from tests.graph_schema.importing.own import HEADERS, Fact, invented, read_files, written

from knowledgesmith.graph_schema.errors import InvalidInput

LANGUAGES = ("english", "chinese", "arabic")
SEPARATORS = ("\t", ";", "|", ",", "\uff0c", "\u060c", "\uff1b")
READ_AS = "read_as"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [5, 20, 100])
@pytest.mark.parametrize("header", [True, False])
def test_hand_typed_files_come_in_whole(language: str, number: int, *, header: bool) -> None:
    facts = invented(language, number)
    for separator in SEPARATORS:
        text = written(facts, separator, HEADERS[language] if header else ())
        found = read_files({"mine.csv": text})
        assert (found.facts, found.reasons, found.format) == (sorted(facts), [], "sheet"), separator
        said = found.said(READ_AS)
        assert f"; {number} facts; " in said
        assert ("first row taken as header" in said) is header


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-marked"])
def test_line_ends_and_byte_order_marks(language: str, end: str, encoding: str) -> None:
    facts = invented(language, 20)
    text = written(facts, ";", HEADERS[language], end)
    raw = codecs.BOM_UTF16_LE + text.encode("utf-16-le") if encoding == "utf-16-le-marked" else text.encode(encoding)
    assert read_files({"mine.csv": raw}).facts == sorted(facts)


def test_mixed_line_ends_and_missing_last_one() -> None:
    facts = invented("english", 5)
    lines = [",".join(row) for row in facts]
    text = f"{lines[0]}\r\n{lines[1]}\n{lines[2]}\r{lines[3]}\n\n{lines[4]}"
    assert read_files({"mine.txt": text}).facts == sorted(facts)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(
    "words",
    [
        ("subject", "relation", "object"),
        ("Head", "Relation", "Tail"),
        ("source", "predicate", "target"),
        ("s", "p", "o"),
        ("from", "type", "to"),
        ("Subjekt", "Beziehung", "Objekt"),
        ("sujet", "prédicat", "objet"),
        ("sujeto", "relación", "objeto"),
        ("主语", "谓语", "宾语"),
        ("субъект", "отношение", "объект"),
        ("주어", "관계", "목적어"),
    ],
)
def test_words_over_the_columns_say_their_order(order: tuple[int, ...], words: tuple[str, ...]) -> None:
    facts = invented("english", 5)
    rows = [words, *facts]
    text = "".join(",".join(row[i] for i in order) + "\n" for row in rows)
    assert read_files({"mine.csv": text}).facts == sorted(facts)


@pytest.mark.parametrize(
    "rows",
    [
        [("type", "is", "word"), ("label", "is", "word")],
        [("head", "part of", "body"), ("tail", "part of", "body"), ("hand", "part of", "arm")],
        [("Source", "flows into", "Lake"), ("Lake", "flows into", "Target")],
        [("author", "writes", "book"), ("dog", "is", "animal"), ("cat", "is", "animal")],
        [("author", "writes", "book"), ("baker", "bakes", "bread"), ("cat", "chases", "mouse")],
        [("Author", "writes", "Book"), ("Baker", "bakes", "Bread"), ("Cat", "chases", "Mouse")],
        [("city", "in", "country"), ("town", "in", "state")],
        [("作者", "写", "书"), ("农夫", "种", "稻"), ("猫", "追", "鼠")],
        [("a", "is_a", "R"), ("R", "is_a", "b"), ("c", "is_a", "a")],
        [("s", "r", "t"), ("s", "r", "u"), ("t", "r", "u")],
        [("a", "b", "c"), ("d", "b", "c"), ("e", "f", "a")],
        [("value", "of", "target"), ("price", "of", "goods"), ("goods", "of", "target")],
        [("x", "y", "z"), ("x", "y", "w"), ("z", "q", "w")],
        [("da", "p", "de"), ("to", "p", "from")],
        [("object", "is a", "thing"), ("thing", "is a", "object of thought")],
        [("Ardel", "likes", "Bela"), ("Bela", "lives in", "Velmouth"), ("Cato", "lives in", "Velmouth")],
        [("林若川", "喜欢", "周远山"), ("周远山", "居住在", "青岭"), ("陈小白", "居住在", "青岭")],
    ],
)
def test_a_first_row_that_is_data_is_not_eaten(rows: list[Fact]) -> None:
    assert read_files({"mine.csv": written(rows, ",")}).facts == sorted(rows)


def test_what_is_told_can_be_overruled() -> None:
    facts = [("subject", "relation", "object"), ("Ardel", "likes", "Bela")]
    text = written(facts, ",")
    assert len(read_files({"a.csv": text}).facts) == 1
    assert read_files({"a.csv": text}, header="no").facts == sorted(facts)
    turned = "Bela,likes,Ardel\nVelmouth,lives in,Bela\n"
    found = read_files({"a.csv": turned}, columns="object,relation,subject")
    assert found.facts == [("Ardel", "likes", "Bela"), ("Bela", "lives in", "Velmouth")]
    spaced = "Ardel :: likes :: Bela\nBela :: likes :: Cato\n"
    assert len(read_files({"a.txt": spaced}, separator="::").facts) == 2
    pair = "Ardel,Bela\nBela,Cato\n"
    assert read_files({"a.csv": pair}, relation="likes").facts == [
        ("Ardel", "likes", "Bela"),
        ("Bela", "likes", "Cato"),
    ]
    extra = "1,Ardel,likes,Bela,sure\n2,Bela,likes,Cato,sure\n"
    assert len(read_files({"a.csv": extra}, columns="-,subject,relation,object,-").facts) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": "subject,verb,object"}, "columns"),
        ({"columns": "subject,relation,object,source"}, "has 3 columns"),
        ({"columns": "subject,relation"}, "objects is missing"),
        ({"hierarchical": "typo"}, "no row has this relation"),
        ({"layout": "wide", "header": "no"}, "needs a header"),
    ],
)
def test_wrong_options_name_the_way_out(options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        read_files({"a.csv": "Ardel,likes,Bela\n"}, **options)
    assert caught.value.hint


def test_a_spreadsheets_oddities() -> None:
    text = (
        "\ufeffsep=;\r\n"
        '"subject";"relation";"object, or value";;\r\n'
        'Ardel;"said ""no""";"a; b";;\r\n'
        '"Bela\r\nStorr";likes;"5"" disk";;\r\n'
        ";;;;\r\n"
        "Cato;likes;C:\\parts\\;;\r\n"
    )
    found = read_files({"a.csv": text.replace("object, or value", "object")})
    assert found.facts == sorted(
        [("Ardel", 'said "no"', "a; b"), ("Bela Storr", "likes", '5" disk'), ("Cato", "likes", "C:\\parts\\")]
    )
    assert found.reasons == []
    wide = 'sep=,\n"name, official",capital\nFrance,Paris\nJapan,Tokyo\n'
    assert ("France", "capital", "Paris") in read_files({"a.csv": wide}).facts


def test_an_open_quote_spoils_its_row_only() -> None:
    text = 'subject,relation,object\nArdel,likes,"Bela\nBela,likes,Cato\nCato,likes,Dora\n'
    found = read_files({"a.csv": text})
    assert found.facts == [("Bela", "likes", "Cato"), ("Cato", "likes", "Dora")]
    assert [reason.split(":")[1] for reason in found.reasons] == ["2"]


def test_a_table_of_edges_with_one_of_nodes() -> None:
    files = {
        "edges.csv": "Source,Target,Type,Id,Label,timeset,Weight\n"
        "1,2,Directed,0,likes,,1\n2,3,Directed,1,,,1\n1,9,Undirected,2,likes,,1\n",
        "nodes.csv": "Id,Label,Degree\n1,Ardel,2\n2,Bela,2\n3,Cato,1\n",
    }
    found = read_files(files)
    assert found.facts == [
        ("9", "likes", "Ardel"),
        ("Ardel", "likes", "9"),
        ("Ardel", "likes", "Bela"),
        ("Bela", "related_to", "Cato"),
    ]
    assert "no relation" in found.said("defaulted")
    assert "'9'" in found.said("undescribed")
    assert "'Degree'" in found.said("ignored")
    with pytest.raises(InvalidInput, match=r"describe nodes|cannot be told"):
        read_files({"nodes.csv": "id,type\n1,x\n2,y\n", "more.csv": "id,type\n3,x\n4,y\n"})


WIDE = [
    ("country,capital,continent\n", "Ardony,Velmouth,Nord\nBelia,Port Ombry,Sud\nCastia,Greyholt,Nord\n"),
    ("国家,首都,大洲\n", "阿尔多,云溪镇,北洲\n贝利亚,白沙港,南洲\n卡斯特,青岭,北洲\n"),
    ("الدولة,العاصمة,القارة\n", "أردون,وادي النور,الشمال\nبيليا,مرسى الرمل,الجنوب\nكاستيا,تل الزيتون,الشمال\n"),
    ("Name,Größe,Einwohner\n", "Ardony,12.5,1000\nBelia,8,2500\nCastia,9.25,700\n"),
]


@pytest.mark.parametrize(("header", "body"), WIDE)
def test_a_relation_a_column(header: str, body: str) -> None:
    titles = header.strip().split(",")
    rows = [row.split(",") for row in body.splitlines()]
    found = read_files({"a.csv": header + body})
    assert found.facts == sorted((row[0], titles[n], row[n]) for row in rows for n in (1, 2))
    assert "a relation a column" in found.said(READ_AS)


def test_numbers_are_values_and_empty_cells_no_facts() -> None:
    found = read_files({"a.csv": "country,capital,population\nArdony,Velmouth,1200\nBelia,-,\nCastia,Greyholt,7e2\n"})
    assert len(found.facts) == 4
    assert (found.types["1200"], found.types["7e2"], found.types["Velmouth"]) == ("Literal", "Literal", "Entity")
    assert found.number("ignored") == 1


@pytest.mark.parametrize(
    "text",
    [
        "Ardel,Bela\nBela,Cato\n",
        "author,book\npainter,picture\ncook,meal\n",
        "".join(f"n{i},m{i},k{i}\n" for i in range(12)),
        "just one column\nand another line\n",
        "a,b,c,d,e\nf,g,h,i,j\n",
    ],
)
def test_what_stays_doubtful_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_files({"a.csv": text})
    assert "--option" in caught.value.hint


@pytest.mark.parametrize("value", ["inf", "-inf", "-Infinity", "1e400", "-1e999"])
def test_numbers_without_a_size_are_rejected_by_name(value: str) -> None:
    text = f"subject,relation,object\nArdel,weighs,{value}\nArdel,likes,Bela\n{value},likes,Bela\n"
    found = read_files({"a.csv": text})
    assert found.facts == [("Ardel", "likes", "Bela")]
    assert [reason.split(": ", 1)[1].split(":")[0] for reason in found.reasons] == [
        "object is no finite number",
        "subject is no finite number",
    ]


@pytest.mark.parametrize("name", ["C++", "U.S.", "...", "Nan", "Infinity", "007", "3D", "7 days"])
def test_names_that_look_odd_stay_names(name: str) -> None:
    found = read_files({"a.csv": f"subject,relation,object\nArdel,likes,{name}\n"})
    assert found.facts == [("Ardel", "likes", name)]
    assert found.types[name] == "Entity"


def test_rows_of_json_and_labels() -> None:
    lines = (
        '{"head": "Ardel", "relation": "likes", "tail": ["Bela", "Cato"]}\n'
        '{"head": "Bela", "relation": "age", "tail": 7}\n'
    )
    for name in ("a.jsonl", "a.json"):
        assert read_files({name: lines}).facts == [
            ("Ardel", "likes", "Bela"),
            ("Ardel", "likes", "Cato"),
            ("Bela", "age", "7"),
        ]
    labelled = "Ardel\tlikes\tBela\t1\nArdel\tlikes\tCato\t-1\nBela\tlikes\tCato\t1\n"
    found = read_files({"a.tsv": labelled})
    assert len(found.facts) == 2
    assert (found.number("labelled_false"), found.reasons) == (1, [])


def _workbook(rows: list[list[object]], name: str = "Facts & more", text: str = "") -> bytes:
    texts = sorted({str(cell) for row in rows for cell in row if isinstance(cell, str)})
    body = ""
    for number, row in enumerate(rows, start=1):
        cells = ""
        for column, cell in enumerate(row):
            place = f"{chr(65 + column)}{number}"
            if isinstance(cell, str):
                cells += f'<c r="{place}" t="s"><v>{texts.index(cell)}</v></c>'
            elif cell is not None:
                cells += (
                    f'<c r="{place}" s="1"><v>{cell}</v></c>' if column == 3 else f'<c r="{place}"><v>{cell}</v></c>'
                )
        body += f'<row r="{number}">{cells}</row>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    shared = "".join(f"<si><t>{text.replace('&', '&amp;')}</t></si>" for text in texts)
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets><sheet name="Empty" r:id="rId1"/>'
        f'<sheet name="{name.replace("&", "&amp;")}" r:id="rId2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">'
        '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="rId2" Target="worksheets/sheet2.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData/></worksheet>',
        "xl/worksheets/sheet2.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'{text}<sst xmlns="{main}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, f'<?xml version="1.0" encoding="UTF-8"?>{content}')
    return stream.getvalue()


def test_a_workbook() -> None:
    rows: list[list[object]] = [
        ["subject", "relation", "object", "since"],
        ["Ardel", "likes", "Bela & Co", 36526],
        ["Bela", "has", 7.0, None],
        ["林若川", "喜欢", "周远山", None],
    ]
    book = _workbook(rows)
    found = read_files({"a.xlsx": book})
    assert found.facts == [("Ardel", "likes", "Bela & Co"), ("Bela", "has", "7"), ("林若川", "喜欢", "周远山")]
    assert "sheet 'Facts & more'" in found.said(READ_AS)
    assert read_files({"a.xlsx": book}, sheet="Facts & more").facts == found.facts
    with pytest.raises(InvalidInput, match="no such sheet") as caught:
        read_files({"a.xlsx": book}, sheet="typo")
    assert "'Facts & more'" in caught.value.hint
    dated = _workbook([["person", "born", "city", "date"], ["Ardel", "x", "Velmouth", 36526]])
    assert ("Ardel", "date", "2000-01-01") in read_files({"a.xlsx": dated}).facts


def test_a_broken_or_hostile_workbook_is_refused() -> None:
    book = _workbook([["subject", "relation", "object"], ["a", "b", "c"]])
    hostile = _workbook([["subject", "relation", "object"], ["a", "b", "c"]], text='<!DOCTYPE x [<!ENTITY e "boom">]>')
    for raw in (book[: len(book) // 2], hostile):
        with pytest.raises(InvalidInput):
            read_files({"a.xlsx": raw})
