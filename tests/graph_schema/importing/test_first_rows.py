"""A first row that is a fact stays one, one that names the columns becomes none; the report says which and why."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from tests.graph_schema.importing.own import Fact, read_files, written

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.formats.rows.column_words import Role
from knowledgesmith.graph_schema.importing.formats.tables.layout import Asked, Layout, plan_table

FACTS: dict[str, list[Fact]] = {
    "english": [
        ("ada lovel", "born in", "london"),
        ("bob stone", "lives in", "paris"),
        ("cid marsh", "works as", "teacher"),
        ("dan pym", "likes", "tea"),
        ("eve storr", "born in", "rome"),
        ("bob stone", "knows", "ada lovel"),
    ],
    "one word": [
        ("ada", "birthplace", "london"),
        ("bob", "residence", "paris"),
        ("cid", "occupation", "teacher"),
        ("eve", "birthplace", "rome"),
        ("fay", "residence", "london"),
    ],
    "countries": [
        ("france", "capital", "paris"),
        ("japan", "currency", "yen"),
        ("italy", "language", "italian"),
        ("peru", "population", "33000000"),
        ("japan", "capital", "tokyo"),
    ],
    "kinds": [
        ("city", "located in", "country"),
        ("country", "part of", "continent"),
        ("author", "writes", "book"),
        ("company", "has", "employee"),
        ("teacher", "works at", "school"),
    ],
    "german": [
        ("ada lang", "geboren in", "london"),
        ("bob stein", "wohnt in", "paris"),
        ("cid marsch", "arbeitet als", "lehrer"),
        ("dan pohl", "mag", "tee"),
        ("eva storr", "geboren in", "rom"),
    ],
    "french": [
        ("ada lelong", "née à", "londres"),
        ("bob pierre", "habite", "paris"),
        ("cid marais", "travaille comme", "professeur"),
        ("dan pin", "aime", "thé"),
        ("ève tour", "née à", "rome"),
    ],
    "chinese": [
        ("林若川", "出生于", "云溪镇"),
        ("周远山", "居住在", "白沙港"),
        ("陈小白", "职业", "铁匠"),
        ("赵北辰", "喜欢", "茶"),
    ],
    "arabic": [
        ("سالم الحداد", "ولد في", "وادي النور"),
        ("ليلى النجار", "يسكن في", "مرسى الرمل"),
        ("كريم البحري", "مهنته", "خباز"),
        ("هند الصباغ", "يحب", "الشاي"),
    ],
}
Style = Callable[[str], str]
STYLES: list[Style] = [str.lower, str.title, str.capitalize, str.upper, lambda text: text.replace(" ", "_")]


def _is_facts(rows: Sequence[Fact]) -> bool:
    plan = plan_table("mine.csv", rows, Asked())
    order = [plan.column(role) for role in (Role.SUBJECT, Role.RELATION, Role.OBJECT)]
    return plan.layout is Layout.FACTS and order == [0, 1, 2]


@pytest.mark.parametrize("name", FACTS)
def test_no_letter_case_makes_a_header_of_a_fact(name: str) -> None:
    """People type the first row in another case than the rest, and telephones write the first word large."""
    facts = FACTS[name]
    for number in range(1, len(facts) + 1):
        for things, relations, thing, relation in itertools.product(STYLES[:4], STYLES, STYLES[:4], STYLES):
            rows = [(things(s), relations(r), things(o)) for s, r, o in facts[:number]]
            subject, verb, obj = facts[0]
            rows[0] = (thing(subject), relation(verb), thing(obj))
            assert _is_facts(rows), rows
            assert not plan_table("mine.csv", rows, Asked()).header, rows


HEADERS = [
    ("Person", "Relation", "Place"),
    ("person", "relation", "place"),
    ("PERSON", "RELATION", "PLACE"),
    ("Person", "Verb", "Place"),
    ("Item", "Link", "Location"),
    ("Person", "Beziehung", "Ort"),
    ("Person", "Verbindung", "Ort"),
    ("Name", "Eigenschaft", "Wert"),
    ("Personne", "Relation", "Lieu"),
    ("Personne", "Lien", "Lieu"),
    ("Persona", "Vínculo", "Lugar"),
    ("Persona", "Legame", "Luogo"),
    ("人物", "关系", "地点"),
    ("人物", "联系", "地方"),
    ("人", "动作", "地点"),
    ("人物", "つながり", "場所"),
    ("사람", "연결", "장소"),
    ("الشخص", "العلاقة", "المكان"),
    ("الشخص", "الفعل", "المكان"),
    ("человек", "связь", "место"),
    ("человек", "действие", "место"),
]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("name", ["english", "german", "chinese", "arabic"])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_words_over_columns_are_no_fact(header: Fact, name: str, number: int) -> None:
    for style in STYLES:
        facts = [(style(s), style(r), style(o)) for s, r, o in FACTS[name][:number]]
        plan = plan_table("mine.csv", [header, *facts], Asked())
        assert plan.header == header
        assert _is_facts([header, *facts])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(
    "header", [("Person", "Verb", "Place"), ("人物", "联系", "地点"), ("الشخص", "الفعل", "المكان")]
)
def test_the_column_of_relations_is_the_one_below_their_word(order: tuple[int, ...], header: Fact) -> None:
    rows = [header, *FACTS["english"][:3]]
    plan = plan_table("mine.csv", [[row[n] for n in order] for row in rows], Asked())
    assert plan.header
    assert plan.column(Role.RELATION) == order.index(1)


@pytest.mark.parametrize(
    "rows",
    [
        [("person", "link", "place"), ("place", "link", "thing")],
        [("Person", "Action", "Place"), ("Ada", "leads to", "Person")],
        [("Item", "Verb", "Thing"), ("Ada", "Verb", "Rome")],
    ],
)
def test_words_over_columns_that_stand_below_too_are_a_fact(rows: list[Fact]) -> None:
    assert read_files({"a.csv": written(rows, ",")}).facts == sorted(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [("Ada", "was", "x"), ("T1", "is", "y"), ("T2", "is", "y"), ("T3", "is", "z")],
        [("Ada", "Owns", "T1"), ("T1", "Costs", "9"), ("T2", "Costs", "7"), ("T3", "Weighs", "5")],
        [("Airbus", "makes", "A320"), ("A320", "has", "wings"), ("B747", "has", "wings")],
        [("林若川", "拥有", "T1"), ("T1", "颜色", "红"), ("T2", "颜色", "蓝"), ("T3", "形状", "圆")],
    ],
)
def test_subjects_that_are_codes_make_no_header_of_a_name(rows: list[Fact]) -> None:
    assert _is_facts(rows)
    assert not plan_table("mine.csv", rows, Asked()).header


def test_links_that_are_addresses_are_no_relations() -> None:
    rows = [
        ("Company", "Link", "City"),
        ("Acme", "https://acme.example", "Velmouth"),
        ("Bolt", "www.bolt.example", "Greyholt"),
    ]
    assert plan_table("a.csv", rows, Asked()).layout is Layout.WIDE


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_few_rows_without_a_header_are_read_in_the_usual_order_and_that_is_told(name: str, number: int) -> None:
    facts = [fact for fact in FACTS[name] if fact[1] != "population"][:number]
    found = read_files({"mine.csv": written(facts, ",")})
    assert found.facts == sorted(facts)
    said = found.said("read_as")
    assert "subject=column 1, relation=column 2, object=column 3" in said
    assert "no header seen (--option header=yes" in said
    split = [("Ardel", "Velmouth", "Red"), ("Bela", "Greyholt", "Blue")]
    said = read_files({"mine.csv": written(split, ",")}).said("read_as")
    assert "nothing tells their order, --option columns=" in said
    turned = read_files({"mine.csv": written(split, ",")}, columns="subject,object,relation")
    assert turned.facts == [("Ardel", "Red", "Velmouth"), ("Bela", "Blue", "Greyholt")]
    assert "nothing tells" not in turned.said("read_as")


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        ([("Ada", "Bob", "knows"), ("Bob", "Cid", "likes")], (0, 2, 1)),
        ([("Ada", "Bob", "knows"), ("Bob", "Cid", "knows"), ("Cid", "Ada", "knows")], (0, 2, 1)),
        ([("knows", "Ada", "Bob"), ("likes", "Bob", "Cid")], (1, 0, 2)),
        ([("林若川", "周远山", "喜欢"), ("周远山", "陈小白", "认识")], (0, 2, 1)),
        ([("Ada", "181", "height"), ("Bob", "175", "height")], (0, 2, 1)),
        ([("height", "181", "Ada"), ("height", "175", "Bob")], (2, 0, 1)),
    ],
)
def test_what_speaks_against_the_usual_order_counts(rows: list[Fact], order: tuple[int, ...]) -> None:
    plan = plan_table("mine.csv", rows, Asked())
    found = tuple(plan.column(role) for role in (Role.SUBJECT, Role.RELATION, Role.OBJECT))
    assert found == order


@pytest.mark.parametrize(
    "rows", [[("Ada", "181", "London"), ("Bob", "175", "Paris")], [("Ada", "1901-02-03", "London")]]
)
def test_numbers_are_no_relations(rows: list[Fact]) -> None:
    with pytest.raises(InvalidInput, match="no column looks like a relation") as caught:
        read_files({"mine.csv": written(rows, ",")})
    assert "columns=subject,object,relation" in (caught.value.hint or "")


def test_numbers_as_ids_are_triples() -> None:
    rows = [("1", "7", "2"), ("2", "7", "3"), ("3", "8", "1")]
    assert read_files({"mine.csv": written(rows, ",")}).facts == rows


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Person,Verb,Place\nArdel,born in,Velmouth\n", "word for relations"),
        ("country,capital,continent\nArdony,Velmouth,Nord\n", "words stand over columns"),
        ("isik,linn,amet\nArdel,Velmouth,Sepp\nBela,Greyholt,Pagar\nCato,Tarn,Kohtunik\n", "small letters"),
        ("Maa,Pindala,Elanikke\nArdony,12.5,1000\nBelia,8,2500\n", "numbers stand below"),
        ("Person,Tegu,Place\nArdel,born in,Velmouth\nBela,lives in,Greyholt\nCato,likes,Tea\n", "small letters below"),
    ],
)
def test_a_guessed_header_says_why_and_how_to_overrule_it(text: str, why: str) -> None:
    said = read_files({"mine.csv": text}).said("read_as")
    assert "first row taken as header (" in said
    assert why in said
    assert "--option header=no" in said
    first = text.split("\n", 1)[0].split(",")
    assert tuple(first) in read_files({"mine.csv": text}, header="no", layout="facts").facts


def test_a_header_in_words_that_say_the_roles_is_no_guess() -> None:
    said = read_files({"mine.csv": "subject,relation,object\nArdel,likes,Bela\n"}).said("read_as")
    assert "first row taken as header;" in said
