"""GraphML and node-link JSON: the same graph as networkx reads from the same file."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph_schema.importing_onto.folding import Folded, read

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.language.text_checks import MAX_UID

INJECTED = "x`]->() DETACH DELETE n //"


def by_networkx(graph: Any) -> set[tuple[str, str, str]]:
    """Facts as the graph of networkx has them."""
    facts = set[tuple[str, str, str]]()
    for source, target, data in graph.edges(data=True):
        ends = [str(source), str(target)]
        if not graph.is_directed():
            ends.sort()
        facts.add((ends[0], str(data.get("relation", "related_to")), ends[1]))
    return facts


def graphml(graph: Any) -> bytes:
    stream = io.BytesIO()
    nx.write_graphml(graph, stream)
    return stream.getvalue()


def example(kind: type[Any]) -> Any:
    graph = kind()
    graph.add_node("fr", label="France", type="Country", aliases="French Republic|Hexagon", area=643.8, free=True)
    graph.add_node("pa", label="Paris", type="City")
    graph.add_node("7", name="seven")
    graph.add_node("bare")
    graph.add_edge("pa", "fr", relation="capital of", weight=1)
    graph.add_edge("7", "fr", relation=INJECTED)
    graph.add_edge("bare", "bare")
    return graph


KINDS = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]


@pytest.mark.parametrize("kind", KINDS)
def test_graphml_as_networkx_reads_it(kind: type[Any]) -> None:
    text = graphml(example(kind))
    reference = nx.read_graphml(io.BytesIO(text))
    folded = read("graphml", ("g.graphml", text))
    assert set(folded.facts) == by_networkx(reference)
    assert set(folded.entities) == set(map(str, reference.nodes))
    for node, data in reference.nodes(data=True):
        assert folded.names[node] == data.get("label", data.get("name", node))
        assert folded.entities[node].type == data.get("type", "")
    assert set(folded.entities["fr"].aliases) == {"French Republic", "Hexagon"}
    assert folded.relations["capital of"].traits.symmetric is not reference.is_directed()
    values = read("graphml", ("g.graphml", text), value_attributes=("area", "free"))
    assert {key for key in values.facts if key[1] in {"area", "free"}} == {
        ("fr", "area", '"643.8"'),
        ("fr", "free", '"true"'),
    }
    assert values.entities['"643.8"'].type == "Literal"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("edges", ["edges", "links"])
def test_node_link_as_networkx_reads_it(kind: type[Any], edges: str) -> None:
    data = nx.node_link_data(example(kind), edges=edges)
    reference = nx.node_link_graph(data, edges=edges)
    backwards = dict(reversed(list(data.items())))
    for text in (json.dumps(data), json.dumps(backwards)):
        folded = read("nodelink", ("g.json", text), value_attributes=("*",))
        assert {key for key in folded.facts if key[1] not in {"area", "free"}} == by_networkx(reference)
        assert set(folded.entities) == {*map(str, reference.nodes), '"643.8"', '"true"'}


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(["a b", "é", "r"])), max_size=12),
    st.sampled_from(KINDS),
)
def test_any_graph_reads_as_networkx_reads_it(edges: set[tuple[int, int, str]], kind: type[Any]) -> None:
    graph = kind()
    graph.add_nodes_from(range(7))
    for source, target, relation in sorted(edges):
        graph.add_edge(source, target, relation=relation)
    text = graphml(graph)
    expected = by_networkx(nx.read_graphml(io.BytesIO(text)))
    assert set(read("graphml", ("g.graphml", text)).facts) == expected
    linked = json.dumps(nx.node_link_data(graph, edges="edges"))
    assert set(read("nodelink", ("g.json", linked)).facts) == expected


HEAD = '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
MIXED = (
    HEAD
    + '<key id="d0" for="node" attr.name="label" attr.type="string"><default>nobody</default></key>'
    + '<key id="d1" for="edge" attr.name="relation" attr.type="string"><default>knows</default></key>'
    + '<graph edgedefault="undirected"><node id="b"/><node id="a"><data key="d0">Ann</data></node>'
    + '<edge source="b" target="a"/><edge source="b" target="a" directed="true"><data key="d1">likes</data></edge>'
    + '<edge source="b" target="outside"/><hyperedge><endpoint node="a"/></hyperedge>'
    + '<node id="n"><graph edgedefault="directed"><node id="inner"/><edge source="inner" target="a"/></graph></node>'
    + "</graph></graphml>"
)


def test_defaults_directions_nesting_and_hyperedges() -> None:
    folded = read("graphml", ("g.graphml", MIXED))
    assert folded.names == {"a": "Ann", "b": "nobody", "n": "nobody", "inner": "nobody"}
    assert set(folded.facts) == {
        ("a", "knows", "b"),
        ("b", "likes", "a"),
        ("b", "knows", "outside"),
        ("inner", "knows", "a"),
    }
    assert not folded.relations["knows"].traits.symmetric, "one of its edges has a direction"
    assert folded.made == {"outside": {""}}
    assert folded.reasons == ["g.graphml:6: a hyperedge joins any number of nodes and is no fact"]


def test_labels_of_yed() -> None:
    text = (
        HEAD
        + '<key for="node" id="d6" yfiles.type="nodegraphics"/><graph edgedefault="directed"><node id="n0">'
        + '<data key="d6"><y:ShapeNode xmlns:y="http://www.yworks.com/xml/graphml"><y:Fill color="#fff"/>'
        + "<y:NodeLabel>  a box </y:NodeLabel></y:ShapeNode></data></node></graph></graphml>"
    )
    assert read("graphml", ("g.graphml", text)).names == {"n0": "a box"}
    reference = nx.read_graphml(io.BytesIO(text.encode()))
    assert reference.nodes["n0"]["label"].strip() == "a box"


@pytest.mark.parametrize(
    ("text", "names", "reason"),
    [
        (MIXED.replace("<hyperedge>", "<hyper edge>"), {"a", "b"}, "its XML is broken in line"),
        (MIXED.replace("Ann", '</data><data key="d0">' + "x" * 10_000_000), {"a", "b", "n", "inner"}, "10000000"),
        ('<!DOCTYPE g [<!ENTITY x "y">]>' + MIXED.partition("?>")[2].replace("Ann", "&x;"), set[str](), "entities"),
        (HEAD + '<graph edgedefault="directed">' + "<node>" * 500, set[str](), "inside each other"),
    ],
    ids=["syntax", "10 MB", "entity", "depth"],
)
def test_hostile_graphml_is_named(text: str, names: set[str], reason: str) -> None:
    folded = read("graphml", ("g.graphml", text))
    assert set(folded.entities) == names
    assert any(reason in told for told in folded.reasons)
    assert all("g.graphml:" in told for told in folded.reasons)


def test_an_entity_outside_the_file_is_not_read() -> None:
    text = '<!DOCTYPE g [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + MIXED.partition("?>")[2].replace("Ann", "&x;")
    folded = read("graphml", ("g.graphml", text))
    assert folded.entities == {}
    assert len(folded.rejections) == 1


def link(text: object) -> Folded:
    return read("nodelink", ("g.json", text if isinstance(text, str | bytes) else json.dumps(text)))


def test_node_link_oddities() -> None:
    folded = link(
        {
            "directed": True,
            "nodes": [{"id": 1, "label": "one"}, {"id": ["a", 1]}, {"label": "no id"}, 5, {"id": "x" * 600}],
            "edges": [
                {"source": 1, "target": ["a", 1], "key": "likes"},
                {"source": 1, "target": 0, "key": 0},
                {"source": 1},
                {"source": 1, "target": 0, "relation": "r" * 300},
            ],
        }
    )
    assert folded.names["1"] == "one"
    assert set(folded.facts) == {("1", "likes", '["a", 1]'), ("1", "related_to", "0")}
    assert [len(uid) <= MAX_UID for uid in folded.entities] == [True] * 3
    assert [reason.partition(": ")[0] for reason in folded.reasons] == [f"g.json:{n}" for n in (3, 4, 8, 9)]


@pytest.mark.parametrize(
    "text",
    [
        b'{"directed": true, "nodes": [{"id": "a"}, {"id": "\xff"}]}',
        b'{"directed": true, "nodes": [{"id": "a"}, {"id": oops}]}',
        b'{"directed": true, "nodes": [{"id": "a"}, ' + b"[" * 200_000,
    ],
    ids=["not UTF-8", "syntax", "depth"],
)
def test_hostile_node_link_is_named(text: bytes) -> None:
    folded = link(text)
    assert set(folded.entities) <= {"a"}
    assert len(folded.rejections) == 1
    assert folded.reasons[0].startswith("g.json:")
    assert "not JSON" in folded.reasons[0] or "inside each other" in folded.reasons[0]


def test_other_files_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"g\.json"):
        link({"graphs": []})
    with pytest.raises(InvalidInput, match=r"g\.graphml"):
        read("graphml", ("g.graphml", "<html><body/></html>"))


def test_order_does_not_matter() -> None:
    data = nx.node_link_data(example(nx.MultiDiGraph), edges="edges")
    wanted = link(data)
    for seed in range(3):
        for key in ("nodes", "edges"):
            random.Random(seed).shuffle(data[key])  # noqa: S311
        got = link(data)
        assert (got.digest, got.names, got.relations) == (wanted.digest, wanted.names, wanted.relations)


def test_nodes_without_ids_are_known_by_position_or_by_name() -> None:
    nodes = [{"name": "Ann"}, {"name": "Bob"}]
    by_position = link({"directed": True, "nodes": nodes, "links": [{"source": 0, "target": 1}]})
    assert set(by_position.facts) == {("0", "related_to", "1")}
    assert by_position.names == {"0": "Ann", "1": "Bob"}
    by_name = link({"directed": True, "links": [{"source": "Ann", "target": "Bob"}], "nodes": nodes})
    assert set(by_name.facts) == {("Ann", "related_to", "Bob")}
    assert set(by_name.entities) == {"Ann", "Bob"}
    assert by_position.reasons == by_name.reasons == []


def test_a_graph_in_another_shape_is_told_and_numbers_are_one_id() -> None:
    assert link({"nodes": [{"id": 1}], "adjacency": [[]]}).reasons == ["g.json: there is no list of edges or links"]
    folded = link({"directed": True, "nodes": [{"id": 1.0}, {"id": 2}], "edges": [{"source": 1, "target": 2.0}]})
    assert set(folded.entities) == {"1", "2"}
    assert set(link('{"nodes": [{"w": NaN, "id": "a"}], "edges": []}').entities) == {"a"}


def test_labels_as_graph_databases_export_them() -> None:
    head = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
    edge = '<edge source="a" target="b"><data key="labelE">of</data></edge>'
    gremlin = f'<node id="a"><data key="labelV">Film</data></node>{edge}'
    neo4j = '<node id="a" labels=":Film:Work"/><edge source="a" target="b" label="of"/>'
    for body in (gremlin, neo4j):
        folded = read("graphml", ("g.graphml", f"{head}{body}</graph></graphml>"))
        assert set(folded.facts) == {("a", "of", "b")}
        assert folded.entities["a"].type == "Film"
