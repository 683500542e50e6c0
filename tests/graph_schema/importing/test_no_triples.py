"""Three columns with a subject a row are never read as triples: refused, or read by their headings, and told."""

from __future__ import annotations

import pytest
from tests.graph_schema.importing.own import Fact, read_files, written

from knowledgesmith.graph_schema.errors import InvalidInput

STRANGE: dict[str, list[Fact]] = {
    "english": [("Xob", "Yon", "Zek"), ("Quorra", "Merc", "Emib"), ("Abbo", "Agneth", "Polar")],
    "german": [("Tier", "Lebensraum", "Nahrung"), ("Löwe", "Savanne", "Fleisch"), ("Kuh", "Weide", "Gras")],
    "doubled": [("Drug", "Aim", "Ill"), ("Aspro", "COX", "Pain"), ("Imab", "ABL", "Leuk"), ("Aspro", "COX", "Fever")],
    "japanese": [("動物", "生息地", "食べ物"), ("ライオン", "サバンナ", "肉類"), ("牛", "牧場", "草花")],
    "chinese": [("动物", "栖息地", "食物"), ("狮子", "草原", "肉类"), ("老虎", "森林", "肉类"), ("牛", "牧场", "青草")],
    "russian": [("Зверь", "Среда", "Пища"), ("Лев", "Саванна", "Мясо"), ("Корова", "Луг", "Трава")],
    "arabic": [("الحيوان", "الموطن", "الطعام"), ("الأسد", "السافانا", "اللحم"), ("البقرة", "المرعى", "العشب")],
    "small": [("tier", "lebensraum", "nahrung"), ("löwe", "savanne", "fleisch"), ("kuh", "weide", "gras")],
}


@pytest.mark.parametrize("name", sorted(STRANGE))
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_one_relation_a_row_is_no_list_of_triples(name: str, separator: str) -> None:
    rows = STRANGE[name]
    text = written(rows, separator)
    with pytest.raises(InvalidInput, match="no column looks like a relation") as caught:
        read_files({"a.csv": text})
    assert "--option layout=wide" in caught.value.hint
    assert "--option layout=facts" in caught.value.hint
    title, *others = rows
    wide = sorted({(row[0], title[n], row[n]) for row in others for n in (1, 2)})
    assert read_files({"a.csv": text}, layout="wide").facts == wide
    assert read_files({"a.csv": text}, layout="facts").facts == sorted(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [("Band", "Singer", "Label"), ("Quorra", "Merc", "Emib"), ("Abbo", "Agneth", "Polar")],
        [("Firma", "Chef", "Branche"), ("Bemo", "Zips", "Auto"), ("Sapo", "Klein", "Software")],
        [("Animal", "Habitat", "Régime"), ("Lion", "Savane", "Viande"), ("Vache", "Pré", "Herbe")],
        [("Paese", "Capitale", "Lingua"), ("Italo", "Romo", "italico"), ("Franco", "Paro", "franco")],
        [("公司", "董事", "行业"), ("大风", "林若川", "汽车"), ("小雨", "周远山", "软件")],
    ],
)
def test_a_first_row_that_looks_like_headings_makes_them_relations_and_that_is_told(rows: list[Fact]) -> None:
    found = read_files({"a.csv": written(rows, ",")})
    title, *others = rows
    assert found.facts == sorted((row[0], title[n], row[n]) for row in others for n in (1, 2))
    assert "--option layout=facts" in found.said("read_as")
    assert "--option header=no" in found.said("read_as")


YES_AND_NO = [
    *(("ja", "nein"), ("oui", "non"), ("true", "false"), ("yes", "no"), ("sí", "no"), ("да", "нет")),
    *(("是", "否"), ("はい", "いいえ"), ("نعم", "لا"), ("y", "n"), ("✓", "✗"), ("Ja", "Nein")),
]


@pytest.mark.parametrize("words", YES_AND_NO)
@pytest.mark.parametrize("title", ["Mitglied", "EU-Mitglied", "会员", "عضو", "Член"])
@pytest.mark.parametrize("number", [2, 3, 12])
def test_yes_and_no_are_no_relations(words: tuple[str, str], title: str, number: int) -> None:
    yes, no = words
    rows = [(f"Ardonia {n}", yes if n % 2 else no, yes if n % 3 else no) for n in range(number)]
    found = read_files({"a.csv": written([("Xand", title, "Yoto"), *rows], ";")})
    assert len(found.facts) == 2 * number
    assert {relation for _, relation, _ in found.facts} == {title, "Yoto"}
    assert "yes and no stand below a word" in found.said("read_as")
    with pytest.raises(InvalidInput, match="says yes and no"):
        read_files({"a.csv": written(rows, ";")})


@pytest.mark.parametrize(
    "rows",
    [
        [("Ada Lovel", "Born In", "London"), ("Bob Stone", "Lives In", "Paris"), ("Cid Marsh", "Works As", "Teacher")],
        [("Мария", "Родилась в", "Москве"), ("Павел", "Живёт в", "Твери"), ("Анна", "Работает", "Врачом")],
        [("林若川", "出生于", "云溪镇"), ("周远山", "居住在", "白沙港"), ("陈小白", "喜欢", "茶")],
        [("林若川", "是", "铁匠"), ("周远山", "是", "护士"), ("陈小白", "是", "法官")],
        [("Q1", "P31", "Q2"), ("Q3", "P279", "Q4"), ("Q5", "P17", "Q6")],
        [
            ("http://e/a", "http://e/p", "http://e/b"),
            ("http://e/c", "http://e/q", "x"),
            ("http://e/d", "http://e/r", "y"),
        ],
        [("ex:学", "ex:p", "ex:b"), ("ex:c", "ex:q", "ex:d"), ("ex:e", "ex:r", "ex:f")],
        [("Ada", "Height", "180"), ("Bob", "Weight", "80"), ("Cid", "Age", "33")],
    ],
)
def test_relations_that_read_so_stay_facts(rows: list[Fact]) -> None:
    assert read_files({"a.csv": written(rows, ",")}).facts == sorted(rows)
