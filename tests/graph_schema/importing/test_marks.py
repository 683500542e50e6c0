"""What a row says beside its fact: that it is false, holds both ways, or has no value; and late keys of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.graph_schema.importing.own import Read, read_files

from knowledgesmith.graph_schema.errors import InvalidInput

TRUE = ("Paris", "capital of", "France")
FALSE = ("Lyon", "capital of", "France")
WORDS = [
    ("yes", "no"),
    ("Yes", "NO"),
    ("T", "F"),
    ("y", "n"),
    ("1", "0"),
    ("1", "-1"),
    ("1.0", "0.0"),
    ("TRUE", "FALSE"),
    ("WAHR", "FALSCH"),
    ("ja", "nein"),
    ("VRAI", "FAUX"),
    ("sí", "no"),
    ("да", "нет"),
    ("是", "否"),
    ("正确", "错误"),
    ("はい", "いいえ"),
    ("예", "아니오"),
    ("نعم", "لا"),
    ("１", "０"),
]
HEADINGS = ["label", "is_true", "valid", "correct", "Truth", "isCorrect", "wahr", "vrai", "верно", "标签", "صحيح"]


def _labelled(heading: str, rows: Sequence[tuple[str, ...]], *, separator: str = ",") -> str:
    titles = [("subject", "relation", "object", heading)] if heading else []
    return "".join(separator.join(row) + "\n" for row in [*titles, *rows])


def _rules_out(found: Read) -> None:
    assert found.facts == [TRUE]
    assert found.number("labelled_false") == 1


@pytest.mark.parametrize(("yes", "no"), WORDS)
@pytest.mark.parametrize("heading", ["label", "is_true", ""])
def test_a_label_is_read_in_any_words(yes: str, no: str, heading: str) -> None:
    rows = [(*TRUE, yes), (*FALSE, no)]
    for separator in (",", "\t", ";"):
        _rules_out(read_files({"a.csv": _labelled(heading, rows, separator=separator)}))
    _rules_out(read_files({"a.csv": _labelled(heading, rows)}, columns="subject,relation,object,label"))
    lines = "".join(
        json.dumps(dict(zip(("subject", "relation", "object", heading or "label"), row, strict=True))) + "\n"
        for row in rows
    )
    _rules_out(read_files({"a.jsonl": lines}))
    texts = {"a.txt": _labelled("", rows, separator="\t"), "entity2text.txt": "Paris\tParis\n"}
    _rules_out(read_files(texts, "triples"))


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_label_has_headings_of_its_own(heading: str) -> None:
    _rules_out(read_files({"a.csv": _labelled(heading, [(*TRUE, "yes"), (*FALSE, "no")])}))


@pytest.mark.parametrize("heading", ["is_false", "false", "wrong", "isNegated", "falsch", "假"])
def test_yes_below_a_heading_that_denies_is_no_fact(heading: str) -> None:
    rows = [(*TRUE, "no"), (*FALSE, "yes")]
    _rules_out(read_files({"a.csv": _labelled(heading, rows)}))
    _rules_out(read_files({"a.tsv": _labelled(heading, rows, separator="\t")}, "triples"))


@pytest.mark.parametrize("heading", ["label", "valid", "标签", ""])
@pytest.mark.parametrize("odd", ["?", "maybe", "2", "не знаю"])
def test_an_unknown_label_rejects_its_row_only(heading: str, odd: str) -> None:
    rows = [(f"Town {i}", "lies in", "Ardony", str(i % 2)) for i in range(30)]
    rows[7] = (*rows[7][:3], odd)
    found = read_files({"a.csv": _labelled(heading, rows)})
    assert (len(found.facts), found.number("labelled_false")) == (14, 15)
    assert len(found.reasons) == 1
    assert repr(odd) in found.reasons[0]
    assert "neither true nor false" in found.reasons[0]


def test_a_row_without_a_label_among_labels_is_rejected() -> None:
    found = read_files(
        {"a.csv": _labelled("label", [(*TRUE, "yes"), (*FALSE, "no"), ("Ulm", "lies in", "Ardony", "")])}
    )
    assert (found.facts, len(found.reasons)) == ([TRUE], 1)
    empty = read_files({"a.csv": _labelled("label", [(*TRUE, ""), ("Ulm", "lies in", "Ardony", "")])})
    assert len(empty.facts) == 2
    assert "without a label" in empty.said("defaulted")


def test_labels_after_the_first_rows_count_the_same() -> None:
    rows = [(f"Town {i}", "lies in", "Ardony", "1") for i in range(600)]
    late = [("Ulm", "lies in", "Ardony", "yes"), (*FALSE, "no"), (*FALSE[:2], "Belia", "perhaps")]
    for heading in ("label", ""):
        found = read_files({"a.csv": _labelled(heading, rows + late)})
        assert ("Ulm", "lies in", "Ardony") in found.facts
        assert (len(found.facts), found.number("labelled_false"), len(found.reasons)) == (601, 1, 1)


@pytest.mark.parametrize("heading", ["label", "valid", "标签"])
def test_a_column_that_would_be_labels_and_is_not_is_refused_by_name(heading: str) -> None:
    text = _labelled(heading, [(*TRUE, "since 1800"), (*FALSE, "never")])
    for files in ({"a.csv": text}, {"a.csv": text, "b.csv": "subject,relation,object\nUlm,lies in,Ardony\n"}):
        with pytest.raises(InvalidInput, match=heading) as caught:
            read_files(files)
        assert "columns=subject,relation,object,-" in caught.value.hint
    assert len(read_files({"a.csv": text}, columns="subject,relation,object,-").facts) == 2
    two = "subject,relation,object,label,is_true\nParis,capital of,France,1,no\n"
    with pytest.raises(InvalidInput, match="both label rows"):
        read_files({"a.csv": two})


def test_measures_and_edges_are_no_labels() -> None:
    edges = "source,target,label,weight\nArdel,Bela,likes,1\nBela,Cato,likes,0\n"
    assert read_files({"a.csv": edges}).facts == [("Ardel", "likes", "Bela"), ("Bela", "likes", "Cato")]
    judged = "source,target,label\nArdel,Bela,1\nBela,Cato,0\n"
    found = read_files({"a.csv": judged})
    assert (found.facts, found.number("labelled_false")) == ([("Ardel", "related_to", "Bela")], 1)


@pytest.mark.parametrize(
    "first", [("a", "r", "b", "s", "no"), ("from", "via", "to", "x", "F"), ("x", "y", "z", "w", "0")]
)
def test_a_first_row_with_a_label_is_no_header(first: tuple[str, ...]) -> None:
    text = f"{','.join(first)}\nArdel,likes,Bela,x,yes\nBela,likes,Cato,y,no\n"
    found = read_files({"a.csv": text}, columns="subject,relation,object,-,label")
    assert (found.facts, found.number("labelled_false")) == ([("Ardel", "likes", "Bela")], 2)
    measured = read_files({"a.csv": "a,r,b,0.9\nc,r,d,1\ne,r,f,0\n"}, header="no")
    assert (len(measured.facts), measured.number("labelled_false")) == (3, 0)


@pytest.mark.parametrize("titles", ["A,B,C,Truth", "city,rel_to,country,is_true", "x1,x2,x3,Valid", "甲,乙,丙,真假"])
def test_a_heading_of_labels_counts_beside_unknown_words(titles: str) -> None:
    _rules_out(read_files({"a.csv": f"{titles}\n{','.join(TRUE)},yes\n{','.join(FALSE)},no\n"}))
    unknown = read_files({"a.csv": f"city,rel_to,country,{'yes'}\n{','.join(TRUE)},yes\n{','.join(FALSE)},no\n"})
    assert len(unknown.facts) == 2


@pytest.mark.parametrize("heading", ["is_true", "label", "valid", "wrong"])
def test_a_label_is_no_relation_of_a_subject_a_row(heading: str) -> None:
    text = f"country,capital,{heading}\nFrance,Paris,1\nGermany,Lyon,0\n"
    with pytest.raises(InvalidInput, match=heading) as caught:
        read_files({"a.csv": text})
    assert "layout=wide" in caught.value.hint
    assert len(read_files({"a.csv": text}, layout="wide").facts) == 4
    found = read_files({"a.csv": text}, columns="subject,object,label", relation="capital", header="yes")
    assert (len(found.facts), found.number("labelled_false")) == (1, 1)


def _edges(types: list[str], label: str = "likes", title: str = "Type") -> str:
    rows = "".join(f"a{i},b{i},{way},{i},{label},1\n" for i, way in enumerate(types))
    return f"Source,Target,{title},Id,Label,Weight\n{rows}"


@pytest.mark.parametrize(
    ("title", "way"),
    [
        ("Type", "Undirected"),
        ("Type", "UNDIRECTED"),
        ("type", "mutual"),
        ("Direction", "undirected"),
        ("directed", "false"),
        ("isDirected", "0"),
        ("bidirectional", "yes"),
        ("Undirected", "true"),
    ],
)
@pytest.mark.parametrize("label", ["likes", ""])
def test_a_relation_without_directed_rows_is_symmetric(title: str, way: str, label: str) -> None:
    found = read_files({"edges.csv": _edges([way] * 3, label, title)})
    relation = label or "related_to"
    assert found.facts == [(f"a{i}", relation, f"b{i}") for i in range(3)]
    assert found.symmetric == {relation}
    assert f"{relation!r}: 3 undirected rows" in found.said("note")


def test_undirected_rows_beside_directed_ones_are_two_facts() -> None:
    found = read_files({"edges.csv": _edges(["Directed", "Undirected", "Undirected"])})
    assert found.facts == sorted(
        [
            ("a0", "likes", "b0"),
            ("a1", "likes", "b1"),
            ("b1", "likes", "a1"),
            ("a2", "likes", "b2"),
            ("b2", "likes", "a2"),
        ]
    )
    assert found.symmetric == set()
    assert "2 undirected rows; others are directed" in found.said("note")
    files = {"one.csv": _edges(["Undirected"]), "two.csv": "subject,relation,object\nx,likes,y\n"}
    assert read_files(files).facts == [("a0", "likes", "b0"), ("b0", "likes", "a0"), ("x", "likes", "y")]


def test_directed_rows_stay_as_they_are_and_a_slip_is_rejected() -> None:
    found = read_files({"edges.csv": _edges(["Directed"] * 3)})
    assert (len(found.facts), found.symmetric, found.said("note")) == (3, set(), "")
    found = read_files({"edges.csv": _edges(["Undirected"] * 12 + ["undirectd"])})
    assert (len(found.facts), found.symmetric, len(found.reasons)) == (12, {"likes"}, 1)
    assert "neither directed nor undirected" in found.reasons[0]
    kept = read_files({"edges.csv": _edges(["Undirected"] * 3)}, hierarchical="likes")
    assert (len(kept.facts), kept.symmetric, kept.reasons) == (3, set(), [])
    denied = read_files(
        {"a.csv": "subject,relation,object,direction,label\na,likes,b,undirected,yes\nc,likes,d,undirected,no\n"}
    )
    assert (denied.facts, denied.symmetric, denied.number("labelled_false")) == ([("a", "likes", "b")], {"likes"}, 1)


NOTHING = ["?", "-", "–", "n/a", "N/A", "#N/A", "null", "NULL", "None", "none", "NaN", "nan", "<NA>", "unknown", "未知"]


@pytest.mark.parametrize("cell", NOTHING)
def test_cells_that_say_there_is_no_value_are_no_entities(cell: str) -> None:
    rows = [("Anna", "born in", cell), ("Bert", "born in", cell), ("Anna", "lives in", "Ulm")]
    text = "".join(f"{','.join(row)}\n" for row in rows)
    lines = "".join(json.dumps(dict(zip(("subject", "relation", "object"), row, strict=True))) + "\n" for row in rows)
    wide = f"person,born in,lives in\nAnna,{cell},Ulm\nBert,{cell},{cell}\n"
    for files, number in (
        ({"a.csv": f"subject,relation,object\n{text}"}, 2),
        ({"a.tsv": text.replace(",", "\t")}, 2),
        ({"a.jsonl": lines}, 2),
        ({"wide.csv": wide}, 3),
    ):
        found = read_files(files, layout="wide" if "wide.csv" in files else "facts")
        assert found.facts == [("Anna", "lives in", "Ulm")]
        assert cell not in found.entities
        assert (found.number("ignored"), found.reasons) == (number, [])
        assert cell in found.said("ignored")


@pytest.mark.parametrize("cell", ["NA", "Na", "Nan", "No", "Nil", "X", "0", "..."])
def test_codes_and_names_are_values(cell: str) -> None:
    for text in (f"subject,relation,object\nAnna,has,{cell}\n", f"country,code\nArdony,{cell}\nBelia,BE\n"):
        found = read_files({"a.csv": text})
        assert cell in found.entities
        assert found.number("ignored") == 0


def test_a_sign_for_nothing_is_no_subject_and_a_word_for_it_may_be_one() -> None:
    found = read_files({"a.csv": "subject,relation,object\n?,lives in,Ulm\nnull,is a,keyword\n"})
    assert found.facts == [("null", "is a", "keyword")]
    assert "subject says that there is none" in found.reasons[0]


def _json(rows: list[dict[str, Any]], name: str) -> dict[str, str]:
    return {name: json.dumps(rows) if name.endswith("json") else "".join(json.dumps(row) + "\n" for row in rows)}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_keys_of_later_rows(name: str) -> None:
    rows: list[dict[str, Any]] = [{"subject": f"s{i}", "relation": "likes", "object": f"o{i}"} for i in range(900)]
    for row in rows[600:]:
        row["note"] = "seen"
    found = read_files(_json(rows, name))
    assert (len(found.facts), found.reasons) == (900, [])
    assert "the key 'note'" in found.said("ignored")
    assert found.number("ignored") == 300
    for row in rows[600:]:
        row["is_true"] = False
    found = read_files(_json(rows, name))
    assert (len(found.facts), len(found.reasons)) == (600, 300)
    assert "'is_true'" in found.reasons[0]
    wide: list[dict[str, Any]] = [{"source": f"s{i}", "target": f"o{i}"} for i in range(510)]
    wide[509]["capital"] = "Ulm"
    found = read_files(_json(wide, name), "sheet", layout="wide")
    assert ("s509", "capital", "Ulm") in found.facts


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_lists_and_objects_where_a_text_belongs(name: str) -> None:
    good = {"subject": "Ardel", "relation": "likes", "object": ["Bela", "Cato"]}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"subject": ["A", "B"]}, "subject is a list, not one text: 'A', 'B'"),
        ({"relation": ["likes", "knows"]}, "relation is a list"),
        ({"subject": {"id": 1}}, "subject is an object with the keys 'id', not a text"),
        ({"object": {"id": 1, "name": "x"}}, "object is an object with the keys 'id', 'name', not a text"),
        ({"object": ["x", {"id": 1}]}, "object is an object with the keys 'id', not a text"),
        ({"object": [["x", "y"]]}, "object is a list in a list"),
    ]
    found = read_files(_json([good, *({**good, **change} for change, _ in wrong)], name))
    assert found.facts == [("Ardel", "likes", "Bela"), ("Ardel", "likes", "Cato")]
    for reason, (_, words) in zip(found.reasons, wrong, strict=True):
        assert words in reason


ENTITIES = "uid,name\na,Ann\nb,Bob\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("edges.csv", "subject,relation,object\na,knows,b\n"),
        ("other.tsv", "subject\trelation\tobject\na\tknows\tb\n"),
        ("links.jsonl", '{"subject": "a", "relation": "knows", "object": "b"}\n' * 2),
        ("one.jsonl", '{"subject": "a", "relation": "knows", "object": "b"}\n'),
        ("edges.csv", "source,target,label\na,b,knows\n"),
        ("edges.txt", "subject,relation,object\na,knows,b\n"),
        ("edges.csv", "subject,relation,object,label\na,knows,b,yes\nb,knows,a,no\n"),
        ("facts.csv", "subject,relation,object,is_true\na,knows,b,yes\nb,knows,a,no\n"),
        ("kanten.csv", "主体,关系,客体\na,knows,b\n"),
    ],
)
def test_facts_of_any_name_beside_entities_come_in(name: str, text: str) -> None:
    found = read_files({"entities.csv": ENTITIES, name: text})
    assert (found.facts, found.reasons) == ([("Ann", "knows", "Bob")], [])
    assert found.number("file_left_out") == 0


def test_other_facts_beside_a_table_of_facts() -> None:
    own = {"entities.csv": ENTITIES, "facts.csv": "subject,relation,object\na,knows,b\n"}
    found = read_files({**own, "other.csv": "subject,relation,object\nb,likes,a\n"})
    assert (found.format, found.facts) == ("tables", [("Ann", "knows", "Bob"), ("Bob", "likes", "Ann")])
    with pytest.raises(InvalidInput, match=r"other.csv is a table of facts") as caught:
        read_files({**own, "other.csv": "source,target,label\nb,a,likes\n"})
    assert "subject, relation, object" in caught.value.hint
    labelled = {**own, "relations.csv": "name\nknows\n", "facts.csv": "subject,relation,object,label\na,knows,b,no\n"}
    with pytest.raises(InvalidInput, match=r"facts.csv is a table of facts"):
        read_files(labelled)
    noted = read_files({**own, "notes.txt": "A note about this, at length.\nAnd more.\n"})
    assert (len(noted.facts), noted.number("file_left_out")) == (1, 1)
