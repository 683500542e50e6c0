"""A text in another encoding is refused, or its lines are, with the option that names the encoding."""

from __future__ import annotations

import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.errors import ImportRejected, InvalidInput

WRITTEN = {
    "cp1252": [("Löwe", "lebt in", "Äthiopien"), ("Bär", "frisst", "Früchte")],
    "cp1251": [("Лев", "живёт в", "Африке"), ("Медведь", "ест", "ягоды")],
    "koi8-r": [("Лев", "живёт в", "Африке"), ("Медведь", "ест", "ягоды")],
    "gb18030": [("狮子", "住在", "非洲"), ("熊", "吃", "水果")],
    "shift_jis": [("ライオン", "すむ", "アフリカ"), ("クマ", "食べる", "果物")],
    "cp1256": [("الأسد", "يعيش في", "إفريقيا"), ("الدب", "يأكل", "الفاكهة")],
}
HEADS = {"plain": "subject;relation;object\n", "none": ""}


@pytest.mark.parametrize("encoding", sorted(WRITTEN))
@pytest.mark.parametrize("head", sorted(HEADS))
def test_the_refusal_names_the_option(encoding: str, head: str) -> None:
    facts = WRITTEN[encoding]
    raw = (HEADS[head] + "".join(";".join(row) + "\n" for row in facts)).encode(encoding)
    with pytest.raises((InvalidInput, ImportRejected)) as caught:
        read_files({"a.csv": raw})
    said = f"{caught.value.args[0]} {getattr(caught.value, 'hint', '')}"
    assert "--option encoding=" in said
    assert read_files({"a.csv": raw}, encoding=encoding).facts == sorted(facts)


@pytest.mark.parametrize("encoding", sorted(WRITTEN))
def test_a_first_line_that_cannot_be_read_is_not_lost(encoding: str) -> None:
    word = WRITTEN[encoding][0][0]
    raw = f"Name;{word};City\nArdel;7;Velmouth\nBela;9;Greyholt\n".encode(encoding)
    with pytest.raises(InvalidInput, match="first line cannot be read") as caught:
        read_files({"a.csv": raw})
    assert "--option encoding=" in caught.value.hint
    assert ("Ardel", word, "7") in read_files({"a.csv": raw}, encoding=encoding).facts


@pytest.mark.parametrize("encoding", sorted(WRITTEN))
def test_single_lines_are_rejected_with_the_option_where_there_is_one(encoding: str) -> None:
    row = ";".join(WRITTEN[encoding][0])
    raw = b"subject;relation;object\nArdel;likes;Bela\n" + row.encode(encoding) + b"\n"
    found = read_files({"a.csv": raw})
    assert found.facts == [("Ardel", "likes", "Bela")]
    assert found.reasons[0].startswith("a.csv:3: byte ")
    assert "--option encoding=" in found.reasons[0]
    tables = {"entities.csv": b"uid,name\nu1,Ardel\nu2," + row.encode(encoding).replace(b",", b"") + b"\n"}
    told = read_files(tables)
    assert "save the file as UTF-8" in told.reasons[0]
    assert "--option" not in told.reasons[0]


@pytest.mark.parametrize("encoding", sorted(WRITTEN))
def test_a_table_beside_others_is_not_left_out_for_its_encoding(encoding: str) -> None:
    facts = WRITTEN[encoding]
    raw = "".join(";".join(row) + "\n" for row in facts).encode(encoding)
    files = {"a.csv": b"subject;relation;object\nArdel;likes;Bela\n", "b.csv": raw}
    with pytest.raises(InvalidInput, match=r"b\.csv is not in the encoding"):
        read_files(files)
    assert read_files(files, encoding=encoding).facts == sorted([("Ardel", "likes", "Bela"), *facts])
    noted = read_files({"a.csv": files["a.csv"], "notes.txt": "ÄÖÜ, ein Text.\n".encode("cp1252")})
    assert len(noted.facts) == 1
