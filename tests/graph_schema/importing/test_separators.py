"""The sign between the columns is found although the texts in them hold other signs; nothing above a table is lost."""

from __future__ import annotations

import pytest
from tests.graph_schema.importing.own import Fact, read_files, written

from knowledgesmith.graph_schema.errors import InvalidInput

SURE = ("\t", ";", "|", "\uff1b", "\u061b")
COMMAS = (",", "\uff0c", "\u060c")
HEADERS: list[tuple[str, ...]] = [
    ("subject", "relation", "object"),
    ("主语", "谓语", "宾语"),
    ("Osoba", "Odnos", "Druga"),
    (),
]


def _people(number: int, comma: str, blank: str) -> list[Fact]:
    between = comma + blank
    return [
        (f"Bach{between}Carl{i}", ("child of", "pupil of")[i % 2], f"Bach{between}Johann{i}") for i in range(number)
    ]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("number", [3, 5, 30])
@pytest.mark.parametrize("blank", [" ", ""])
def test_commas_in_names_do_not_separate_columns(header: tuple[str, ...], number: int, blank: str) -> None:
    for separator in SURE:
        for comma in COMMAS:
            facts = _people(number, comma, blank)
            for name in ("a.csv", "a.txt"):
                found = read_files({name: written(facts, separator, header)})
                assert (found.facts, found.reasons) == (sorted(facts), []), (separator, comma)


@pytest.mark.parametrize("separator", SURE)
def test_names_with_several_commas_do_not_outweigh_the_sign_between_them(separator: str) -> None:
    facts = [(f"Bach, C{i}, Jr.", "child of", f"Bach, J{i}, Sr.") for i in range(30)]
    assert read_files({"a.csv": written(facts, separator)}).facts == sorted(facts)
    spaced = written(facts, f" {separator} ")
    assert read_files({"a.csv": spaced}).facts == sorted(facts)


@pytest.mark.parametrize(
    "title", ["Who taught whom", "Teachers, pupils, children", "# who, taught, whom", "# a note", "// a note"]
)
def test_a_title_is_left_out_with_a_finding(title: str) -> None:
    facts = _people(30, ",", " ")
    # A title with as many commas as the rows is one of them, where commas separate
    for separator in (*SURE, *(() if title.startswith("Teachers") else (",",))):
        rows = facts if separator != "," else [(s.replace(",", ""), r, o.replace(",", "")) for s, r, o in facts]
        found = read_files({"a.csv": f"{title}\n" + written(rows, separator, HEADERS[0])})
        assert found.facts == sorted(rows), separator
        assert title.split(",")[0] in found.said("ignored")
        assert found.number("ignored") == 1


def test_a_lone_cell_that_may_be_a_row_is_rejected_by_name() -> None:
    rows = [("Ardel", "likes", "Bela"), ("Bela", "likes", "Cato")]
    found = read_files({"a.csv": "Dora;likes;Edo\n" + written(rows, ",")}, separator=",")
    assert found.facts == rows
    assert [reason.split(": ")[0] for reason in found.reasons] == ["a.csv:1"]
    assert "Dora;likes;Edo" in found.reasons[0]


def test_commas_separate_where_they_do() -> None:
    facts = [(f"Ardel {i}", "likes", f"Bela {i}; Cato") for i in range(30)]
    assert read_files({"a.csv": written(facts, ",")}).facts == sorted(facts)
    quoted = "".join(f'"Bach, C{i}","child of","x;y;{i}"\n' for i in range(30))
    assert len(read_files({"a.csv": quoted}).facts) == 30
    assert ("Bach, C1", "child of", "x;y;1") in read_files({"a.csv": quoted}).facts
    discs = [(f"Ardel; part {i}", ("likes", "has")[i % 2], f'{i}" disc') for i in range(5)]
    escaped = [(subject, relation, f'"{obj.replace(chr(34), chr(34) * 2)}"') for subject, relation, obj in discs]
    assert read_files({"a.csv": written(escaped, ",")}).facts == sorted(discs)
    parts = [(f"Ardel; part {i}", f"likes {i}", f"Bela; part {i}") for i in range(5)]
    assert read_files({"a.csv": written(parts, ",")}).facts == sorted(parts)
    wrapped = "".join(f'"Ardel {i}\nof, Ulm"|"likes {i}"|"Hal;Edo;Finn"\n' for i in range(4))
    assert len(read_files({"a.csv": wrapped}).facts) == 4
    assert ("Ardel 1 of, Ulm", "likes 1", "Hal;Edo;Finn") in read_files({"a.csv": wrapped}).facts
    lists = [(f"Ardel {i}", "has", f"x{i};y{i};z{i}") for i in range(30)]
    assert read_files({"a.csv": written(lists, ",")}).facts == sorted(lists)
    for padded in (", ", ",\t"):
        plain = [(f"Ardel {i}", "likes", f"Bela {i}") for i in range(30)]
        assert read_files({"a.csv": written(plain, padded)}).facts == sorted(plain)


ADDRESSES = [(str(i), f"Town{i}, Sangamon, Illinois") for i in range(40)]


@pytest.mark.parametrize("ending", ["tsv", "tab", "csv"])
def test_tables_obey_the_sign_of_their_ending_and_their_header(ending: str) -> None:
    usual = "," if ending == "csv" else "\t"
    for separator in {usual, ";", "\t"}:
        # Where commas separate, the texts hold other signs
        texts = [(uid, text.replace(", ", "; ") if separator == "," else text) for uid, text in ADDRESSES]
        entities = separator.join(("uid", "name")) + "\n" + "".join(f"{separator.join(row)}\n" for row in texts)
        facts = [(str(i), "near", str(i + 1)) for i in range(39)]
        files = {
            f"entities.{ending}": entities,
            f"facts.{ending}": written(facts, separator, ("subject", "relation", "object")),
        }
        found = read_files(files)
        assert (found.format, found.reasons, len(found.facts)) == ("tables", [], 39), separator
        assert found.entities == dict(texts)


@pytest.mark.parametrize(
    ("name", "format_name"), [("facts.tsv", ""), ("mine.tsv", "sheet"), ("x.txt", "triples"), ("x.tab", "triples")]
)
@pytest.mark.parametrize("comma", [", ", ",", "; ", "|"])
@pytest.mark.parametrize("header", [True, False])
def test_tabs_separate_where_they_are_usual(name: str, format_name: str, comma: str, *, header: bool) -> None:
    facts = [(f"n{i}", "lies_in", comma.join((f"Road {i}", "Town", "Sangamon", "Illinois"))) for i in range(40)]
    found = read_files({name: written(facts, "\t", HEADERS[0] if header else ())}, format_name)
    assert (found.facts, found.reasons) == (sorted(facts), [])


def test_another_sign_is_found_under_the_wrong_ending() -> None:
    facts = [(f"n{i}", "lies_in", f"Road {i}") for i in range(9)]
    for separator in (",", ";", "|"):
        for name, format_name in (("a.tsv", ""), ("a.tsv", "triples"), ("a.csv", "")):
            assert read_files({name: written(facts, separator)}, format_name).facts == sorted(facts)


MAPPING = "files: [{match: a.*, entities: [{uid: id, name: title, facts: [{relation: lies_in, object: place}]}]}]"


@pytest.mark.parametrize("separator", ["\t", ";", "|", ","])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_mapping_names_the_columns(name: str, separator: str) -> None:
    inner = "; " if separator == "," else ", "
    rows = [(f"n{i}", inner.join((f"Town{i}", "Sangamon", "Illinois")), f"n{(i + 1) % 30}") for i in range(30)]
    files = {name: written(rows, separator, ("id", "title", "place")), "m.mapping.yaml": MAPPING}
    found = read_files(files, "mapped")
    assert found.entities["n3"] == inner.join(("Town3", "Sangamon", "Illinois"))
    assert found.reasons == []


@pytest.mark.parametrize(
    "rows",
    [
        ['"Heroes\tartist\tDavid Bowie', "Low\tartist\tDavid Bowie", 'Blue Monday 12"\tformat\tVinyl'],
        ['"Heroes\tartist\tDavid Bowie', 'Blue Monday 12"\tformat\tVinyl'],
        ['Low\tartist\t"Bowie', "Aladdin\tartist\tBowie", 'Heroes\tformat\t12"'],
        ['Low\t"by\tBowie', "Aladdin\tartist\tBowie", 'Heroes\tby"\tBowie'],
        ['"低\t歌手\t大卫', "英雄\t歌手\t大卫", '蓝色星期一12"\t格式\t唱片'],
    ],
)
@pytest.mark.parametrize("name", ["a.tsv", "a.txt"])
def test_a_lone_quote_between_tabs_joins_no_lines(name: str, rows: list[str]) -> None:
    found = read_files({name: "\n".join(rows) + "\n"})
    assert found.facts == sorted(tuple(row.split("\t")) for row in rows)
    assert found.reasons == []


@pytest.mark.parametrize("separator", [",", ";", "|"])
def test_a_lone_quote_between_other_signs_swallows_no_fact_in_silence(separator: str) -> None:
    rows = [('"Heroes', "artist", "Bowie"), ("Low", "artist", "Bowie"), ('Blue 12"', "format", "Vinyl")]
    found = read_files({"a.csv": written(rows, separator, HEADERS[0])})
    assert ("Low", "artist", "Bowie") in found.facts
    assert len(found.facts) + len(found.reasons) == 3


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", "\uff0c"])
def test_quoted_cells_still_go_on_in_further_lines(separator: str) -> None:
    cells = ['"said ""no""\nand left"', f'"a{separator} b\nc{separator} d{separator} e"', '"one\ntwo\nthree"']
    for cell in cells:
        if separator == "\t" and separator in cell:
            continue
        for row in ((cell, "likes", "Bela"), ("Ardel", "likes", cell)):
            found = read_files({"a.csv": written([row, ("Cato", "likes", "Dora")], separator, HEADERS[0])})
            assert (len(found.facts), found.reasons) == (2, []), row
            assert ("Cato", "likes", "Dora") in found.facts
    both = read_files({"a.csv": written([('"one\ntwo"', "likes", '"three\nfour"')], separator, HEADERS[0])})
    assert (both.facts, both.reasons) == ([("one two", "likes", "three four")], [])


@pytest.mark.parametrize(
    "rows",
    [
        [("Ada", "born in", "London"), ("Bob", "height", "180"), ("Cy", "weight", "80"), ("Di", "age", "35")],
        [("Ada", "employer", "Acme"), ("Bob", "height", "180"), ("Cy", "height", "170")],
        [("Ada", "born_in", "London"), ("ada", "height", "180"), ("bob", "height", "170")],
        [("Ada", "Geboren in", "London"), ("Bob", "Größe", "180"), ("Bob", "Gewicht", "80"), ("Di", "Größe", "160")],
        [("Ada", "Employer", "Acme"), ("Bob", "Height", "180"), ("Bob", "Weight", "80"), ("Di", "Height", "170")],
        [("阿达", "出生于", "伦敦"), ("鲍勃", "身高", "180"), ("鲍勃", "体重", "80"), ("丙", "身高", "170")],
        [("ليلى", "ولدت في", "لندن"), ("كريم", "الطول", "180"), ("هند", "الوزن", "80")],
    ],
)
def test_a_first_fact_over_numbers_is_not_eaten(rows: list[Fact]) -> None:
    for separator in ("\t", ",", ";"):
        assert read_files({"a.csv": written(rows, separator)}).facts == sorted(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [("Name", "Height", "Weight"), ("Ada", "170", "60"), ("Bob", "180", "80")],
        [("country", "most spoken language", "population"), ("Ardony", "Ardon", "12"), ("Belia", "Bel", "30")],
        [("Ding", "Stadt", "Einwohner"), ("Ardony", "Velmouth", "12"), ("Belia", "Port Ombry", "30")],
    ],
)
def test_words_over_numbers_still_name_columns(rows: list[Fact]) -> None:
    header, *body = rows
    found = read_files({"a.csv": written(rows, ",")})
    assert found.facts == sorted((row[0], header[n], row[n]) for row in body for n in (1, 2))


@pytest.mark.parametrize("first", ["#1 Crush", "#MeToo", "# 9", "//Dream", "#林"])
@pytest.mark.parametrize("separator", ["\t", ",", ";", "|"])
def test_a_name_may_begin_with_the_sign_of_a_comment(first: str, separator: str) -> None:
    facts = [(first, "performed by", "Garbage"), ("Vow", "performed by", "Garbage"), ("Queer", "written by", "Vig")]
    found = read_files({"a.csv": written(facts, separator)})
    assert (found.facts, found.number("ignored")) == (sorted(facts), 0)
    several = [(f"{first}{i}", "performed by", "Garbage") for i in range(4)]
    assert read_files({"a.csv": written(several, separator)}).facts == sorted(several)


@pytest.mark.parametrize("sign", ["#", "# ", "//"])
@pytest.mark.parametrize("words", [HEADERS[0], HEADERS[1], ("source", "label", "target")])
def test_a_header_may_stand_behind_the_sign_of_a_comment(sign: str, words: tuple[str, ...]) -> None:
    facts = [("Ardel", "likes", "Bela"), ("Bela", "likes", "Cato")]
    text = "# made by hand\n" + sign + written(facts, ",", words)
    found = read_files({"a.csv": text})
    assert found.facts == facts
    assert "'# made by hand'" in found.said("ignored")


def test_comments_alone_are_no_table() -> None:
    with pytest.raises(InvalidInput):
        read_files({"a.csv": "# nothing\n# at all\n"}, "sheet")


@pytest.mark.parametrize(
    ("rows", "separator"),
    [
        ([("a; b", "is; was", "c; d"), ("e; f", "has; had", "g; h")], ","),
        ([("甲; 乙", "是; 为", "丙; 丁"), ("戊; 己", "有; 得", "庚; 辛")], "，"),
        ([("ا; ب", "هو; كان", "ج; د"), ("ه; و", "له; لها", "ز; ح")], "،"),
        ([("a, b", "is, was", "c, d"), ("e, f", "has, had", "g, h")], ";"),
        ([("Ada", "height", "1,81"), ("Bob", "height", "1,75")], "; "),
        ([("Ada", "height", "1,81"), ("Bob", "weight", "75,5")], "; "),
        ([("Ada 1,5", "height 2,5", "1,81"), ("Bob 1,5", "weight 3,5", "75,5")], "; "),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_rows_that_two_signs_split_evenly(rows: list[Fact], separator: str, ending: str) -> None:
    """Two rows tell little: prose has blanks behind its signs, and decimals have digits around theirs."""
    assert read_files({f"mine.{ending}": written(rows, separator)}).facts == sorted(rows)
