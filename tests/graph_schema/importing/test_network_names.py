"""Networks: which attribute names the nodes, what ids are, and what a report says of keys, defaults, doubles, ends."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.graph_schema.importing.own import Read, read_files

from knowledgesmith.graph_schema.importing.reading.parsing import parsed


def graphml(nodes: list[dict[str, str]], edges: list[tuple[int, int, dict[str, str]]], head: str = "") -> str:
    def data(values: dict[str, str], kind: str) -> str:
        return "".join(f'<data key="{kind}{key}">{value}</data>' for key, value in values.items())

    keys = {(f"n{key}", key, "node") for node in nodes for key in node}
    keys |= {(f"e{key}", key, "edge") for *_, values in edges for key in values}
    declared = "".join(
        f'<key id="{i}" for="{kind}" attr.name="{name}" attr.type="string"/>' for i, name, kind in sorted(keys)
    )
    body = "".join(f'<node id="{n}">{data(node, "n")}</node>' for n, node in enumerate(nodes))
    body += "".join(f'<edge source="{a}" target="{b}">{data(v, "e")}</edge>' for a, b, v in edges)
    return (
        f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{declared}{head}'
        f'<graph edgedefault="directed">{body}</graph></graphml>'
    )


def node_link(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> str:
    return json.dumps({"directed": True, "multigraph": True, "nodes": nodes, "links": edges})


TOWNS = ["Velmouth", "Port Ombry", "Greyholt", "Lower Tarn"]
CASES: list[tuple[str, dict[str, list[str]]]] = [
    ("locality", {"ident": ["VLM", "POM", "GRH", "LTN"], "locality": TOWNS, "pop": ["1", "20", "3", "4"]}),
    ("stadt", {"stadt": TOWNS, "lage": ["48.1, 9.2", "47.0, 8.1", "46.9, 9.9", "45.2, 8.8"], "note": ["x y"] * 4}),
    ("名称", {"编号": ["A1", "A2", "A3", "A4"], "名称": ["云溪镇", "白沙港", "青岭", "石桥村"]}),
    ("الاسم", {"رمز": ["1", "2", "3", "4"], "الاسم": ["وادي النور", "مرسى الرمل", "تل الزيتون", "قرية الجسر"]}),
    (
        "full_name",
        {"full_name": TOWNS, "country": ["Ardony", "Ardony", "Belia", "Belia"], "label": ["0", "1", "2", "3"]},
    ),
    ("comment", {"comment": [f"the town of {t}" for t in TOWNS], "code": ["A-1", "B-2", "C-3", "D-4"]}),
    ("title", {"title": TOWNS, "remark": [f"{t} is nice" for t in TOWNS]}),
]


@pytest.mark.parametrize(("wanted", "columns"), CASES)
@pytest.mark.parametrize("form", ["graphml", "nodelink"])
def test_names_come_from_the_attribute_that_reads_like_names(
    wanted: str, columns: dict[str, list[str]], form: str
) -> None:
    columns = {key: _thirty(values) for key, values in columns.items()}
    nodes = [{key: values[n] for key, values in columns.items()} for n in range(32)]
    if form == "graphml":
        files = {"net.graphml": graphml(nodes, [(0, 1, {"labelE": "route"}), (1, 2, {"labelE": "route"})])}
    else:
        numbered = [{"id": n, **node} for n, node in enumerate(nodes)]
        files = {"net.json": node_link(numbered, [{"source": 0, "target": 1, "relation": "route"}])}
    found = read_files(files)
    assert [found.entities[str(n)] for n in range(32)] == columns[wanted]
    assert f"'{wanted}'" in found.said("read_as").partition(";")[2].partition(";")[0]
    other = next(key for key in columns if key != wanted)
    overruled = read_files(files, label_attributes=other)
    assert [overruled.entities[str(n)] for n in range(32)] == columns[other]


def _thirty(values: list[str]) -> list[str]:
    """Eight times as many; values that tell four nodes apart do so still, numbers stay numbers."""
    if len(set(values)) < 4:
        return values * 8
    return [f"{value}{'ABCDEFGH'[n]}" if value[0].isalpha() else value for n in range(8) for value in values]


PEOPLE = {
    "Latin": (["Alice", "Bob", "Carol"], ["Paris", "Rome", "Oslo"]),
    "full names": (["Marie Curie", "Ada Lovelace", "Emmy Noether"], ["Physics", "Computing", "Algebra"]),
    "Cyrillic": (["Анна", "Борис", "Вера"], ["Москва", "Киев", "Минск"]),
    "Chinese": (["王芳", "李伟", "张敏"], ["北京", "上海", "广州"]),
    "Arabic": (["ليلى", "سمير", "هند"], ["القاهرة", "دمشق", "تونس"]),
    "lower case": (["iron", "gold", "zinc"], ["Fe-like", "Au-like", "Zn-like"]),
}


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize(
    "attribute", ["hometown", "field", "job", "job_title", "username", "economy", "城市", "المدينة"]
)
@pytest.mark.parametrize("form", ["graphml", "nodelink"])
@pytest.mark.parametrize("times", [1, 20])
def test_ids_that_are_words_stay_the_names(people: str, attribute: str, form: str, times: int) -> None:
    ids, values = ([text + "x" * n for n in range(times) for text in texts] for texts in PEOPLE[people])
    found = read_files(_named(ids, attribute, values, form))
    assert sorted(found.entities.values()) == sorted(ids)
    assert found.number("named_by_id") == len(ids)
    assert sorted(read_files(_named(ids, attribute, values, form), label_attributes=attribute).entities.values()) == (
        sorted(values)
    )


def _named(ids: list[str], attribute: str, values: list[str], form: str) -> dict[str, str]:
    if form == "nodelink":
        nodes = [{"id": uid, attribute: value} for uid, value in zip(ids, values, strict=True)]
        return {"net.json": node_link(nodes, [{"source": ids[0], "target": ids[1]}])}
    text = graphml([{attribute: value} for value in values], [(0, 1, {})])
    for n, uid in reversed(list(enumerate(ids))):
        text = text.replace(f'<node id="{n}"', f'<node id="{uid}"')
    return {"net.graphml": text.replace('source="0" target="1"', f'source="{ids[0]}" target="{ids[1]}"')}


@pytest.mark.parametrize(
    "ids", [["1", "2", "3"], ["Q12", "Q7", "Q90"], ["n-01", "n-02", "n-03"], ["48.1", "47.2", "1e3"]]
)
@pytest.mark.parametrize(("attribute", "is_name"), [("full_name", True), ("place_name", True), ("hometown", False)])
@pytest.mark.parametrize("form", ["graphml", "nodelink"])
def test_of_few_nodes_with_codes_only_what_is_called_a_name_counts(
    ids: list[str], attribute: str, is_name: bool, form: str
) -> None:
    towns = ["Velmouth", "Greyholt", "Lower Tarn"]
    found = read_files(_named(ids, attribute, towns, form))
    assert sorted(found.entities.values()) == sorted(towns if is_name else ids)


@pytest.mark.parametrize("attribute", ["label", "title"])
def test_a_label_that_is_a_kind_is_no_name(attribute: str) -> None:
    ids = ["Alice", "Bob", "Rome", "Oslo"]
    found = read_files(_named(ids, attribute, ["Person", "Person", "Town", "Town"], "nodelink"))
    assert sorted(found.entities.values()) == sorted(ids)
    coded = read_files(_named(["Q1", "Q2", "Q3", "Q4"], attribute, ["bank", "bank", "seal", "seal"], "nodelink"))
    assert sorted(coded.entities.values()) == ["bank", "bank", "seal", "seal"]


@pytest.mark.parametrize(
    "columns",
    [{}, {"pop": ["1", "2", "3"]}, {"kind": ["Town", "Town", "Port"]}, {"at": ["1.5,2.5", "1.6,2.6", "3.7,4.1"]}],
)
def test_without_such_an_attribute_ids_are_names_and_it_is_said(columns: dict[str, list[str]]) -> None:
    nodes = [{key: values[n] for key, values in columns.items()} for n in range(3)]
    found = read_files({"net.graphml": graphml(nodes, [(0, 1, {}), (1, 2, {})])})
    assert sorted(found.entities.values()) == ["0", "1", "2"]
    assert found.number("named_by_id") == 3
    assert "no attribute reads like names" in found.said("read_as")


def test_values_are_literals_and_never_ends_of_edges() -> None:
    nodes = [{"name": name, "pop": pop, "at": "48.1, 9.2"} for name, pop in zip(TOWNS, "1234", strict=True)]
    text = graphml(nodes, [(0, 1, {"relation": "near", "dist": "12"})])
    found = read_files({"net.graphml": text})
    assert found.facts == [("Velmouth", "near", "Port Ombry")]
    assert "--option value_attributes=pop" in found.said("ignored")
    valued = read_files({"net.graphml": text}, value_attributes="*")
    assert {valued.types[end] for _, relation, end in valued.facts if relation in {"pop", "at"}} == {"Literal"}


def test_keys_defaults_doubles_and_ends_are_told() -> None:
    text = (
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="a" for="node" attr.name="name" attr.type="string"><default>nobody</default></key>'
        '<key id="b" for="edge" attr.name="relation" attr.type="string"/><graph edgedefault="directed">'
        '<node id="n0"><data key="a">anvil</data></node><node id="n1"><data key="a">bench</data></node><node id="n2"/>'
        '<edge source="n0" target="n1"><data key="b">on</data></edge>'
        '<edge source="n0" target="n1"><data key="b">on</data></edge>'
        '<edge source="n1" target="n9"><data key="zz">lost</data></edge></graph></graphml>'
    )
    found = read_files({"net.graphml": text})
    assert "'n0' on 'n1' is stated 2 times" in found.said("doubled")
    assert "net.graphml:6: nothing describes 'n9'" in found.said("undescribed")
    assert "'zz'" in found.said("undeclared")
    assert "'name' of 'n2' is its key's default" in found.said("defaulted")
    assert "'related_to'" in found.said("defaulted")


def _linked(nodes: list[dict[str, Any]], edges: list[tuple[Any, Any]]) -> Read:
    return read_files({"net.json": node_link(nodes, [{"source": a, "target": b, "relation": "r"} for a, b in edges])})


def test_ids_keep_their_type() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": 3, "name": "three"},
        {"id": "3", "name": "text"},
        {"id": 4, "name": "four"},
        {"id": "x", "name": "ex"},
    ]
    found = _linked(nodes, [(3, 4), ("3", 4), ("x", "3")])
    assert found.entities == {"3": "three", '"3"': "text", "4": "four", "x": "ex"}
    assert found.facts == [("ex", "r", "text"), ("text", "r", "four"), ("three", "r", "four")]
    assert 'the text "3" and the number 3 are different ids' in found.said("id_clash")
    one = _linked([{"id": 3, "name": "three"}, {"id": 3.0, "name": "again"}], [(3, 3.0)])
    assert set(one.entities) == {"3"}
    assert "3 and 3.0 are one number" in one.said("id_clash")
    assert "'again', 'three'" in one.said("merged")
    texts = _linked([{"id": "3", "name": "a"}, {"id": "4", "name": "b"}], [("3", "4")])
    assert (set(texts.entities), texts.number("id_clash")) == ({"3", "4"}, 0)


@pytest.mark.parametrize("value", ["1e400", "Infinity", "-Infinity", "NaN"])
def test_numbers_without_a_size_do_not_end_a_file(value: str) -> None:
    text = (
        '{"directed": true, "nodes": [{"id": "a", "name": "NaN is [NaN, Infinity]", "w": VALUE},'
        '{"id": "b", "name": VALUE},'
        '{"id": VALUE}], "links": [{"source": "a", "target": "b", "relation": "r"}, {"source": "a", "target": VALUE}]}'
    ).replace("VALUE", value)
    found = read_files({"net.json": text}, value_attributes="w")
    assert ("NaN is [NaN, Infinity]", "r", "b") in found.facts
    assert set(found.entities) == {"a", "b"}
    if value != "NaN":
        assert sum("no finite number" in reason for reason in found.reasons) == 4


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(st.sampled_from('NaInfity"\\, :[]{}x'), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


class _Slow(io.BytesIO):
    """Reads a few bytes at a time, so that names and texts are cut everywhere."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(5 if size is None or size > 5 else size)


@given(JSON)
def test_texts_stay_as_they_are_beside_names_of_numbers(value: Any) -> None:
    text = json.dumps([value, "NaN", [1.5]])
    expected = json.loads(text, parse_constant={"NaN": None, "Infinity": math.inf, "-Infinity": -math.inf}.get)
    from ijson.common import ObjectBuilder

    builder = ObjectBuilder()
    for event, item in parsed(_Slow(text.encode())):
        builder.event(event, item)
    assert builder.value == expected
