"""Edges without a direction: one fact each, in a stated order; the report says it and what became of the relation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.graph_schema.importing.own import Read, read_files

from knowledgesmith.graph_schema.errors import InvalidInput

Edge = tuple[str, str, str, bool]
NAMES = {
    "english": ("Velmouth", "Greyholt", "borders"),
    "german": ("Öhringen", "Ulm", "grenzt an"),
    "chinese": ("青岭", "云溪镇", "接壤"),
    "arabic": ("وادي النور", "تل الزيتون", "يجاور"),
}


def _graphml(edges: list[Edge], default: str) -> dict[str, str]:
    ends = sorted({end for edge in edges for end in edge[:2]})
    body = "".join(f'<node id="{end}"/>' for end in ends)
    for source, target, relation, directed in edges:
        own = "" if directed is (default == "directed") else f' directed="{str(directed).lower()}"'
        body += f'<edge source="{source}" target="{target}"{own}><data key="r">{relation}</data></edge>'
    key = '<key id="r" for="edge" attr.name="relation" attr.type="string"/>'
    return {"net.graphml": f'<graphml>{key}<graph edgedefault="{default}">{body}</graph></graphml>'}


def _gexf(edges: list[Edge], default: str) -> dict[str, str]:
    ends = sorted({end for edge in edges for end in edge[:2]})
    nodes = "".join(f'<node id="{end}" label="{end}"/>' for end in ends)
    body = ""
    for number, (source, target, relation, directed) in enumerate(edges):
        own = "" if directed is (default == "directed") else f' type="{"directed" if directed else "mutual"}"'
        body += f'<edge id="{number}" source="{source}" target="{target}"{own} label="{relation}"/>'
    told = f' defaultedgetype="{default}"' if default == "directed" else ""
    graph = f"<graph{told}><nodes>{nodes}</nodes><edges>{body}</edges></graph>"
    return {"net.gexf": f'<gexf xmlns="http://gexf.net/1.3" version="1.3">{graph}</gexf>'}


def _node_link(edges: list[Edge], default: str) -> dict[str, str]:
    ends = sorted({end for edge in edges for end in edge[:2]})
    links: list[dict[str, Any]] = []
    for source, target, relation, directed in edges:
        links.append({"source": source, "target": target, "relation": relation})
        if directed is not (default == "directed"):
            links[-1]["directed"] = directed
    flag = {} if default == "" else {"directed": default == "directed"}
    return {"net.json": json.dumps({**flag, "nodes": [{"id": end} for end in ends], "links": links})}


def _read(form: str, edges: list[Edge], default: str, **options: Any) -> Read:
    return read_files({"graphml": _graphml, "gexf": _gexf, "nodelink": _node_link}[form](edges, default), **options)


FORMS = pytest.mark.parametrize("form", ["graphml", "gexf", "nodelink"])


@FORMS
@pytest.mark.parametrize("default", ["directed", "undirected"])
@pytest.mark.parametrize("language", NAMES)
def test_an_edge_both_ways_is_one_fact_of_a_symmetric_relation(form: str, default: str, language: str) -> None:
    one, other, relation = NAMES[language]
    first, last = sorted((one, other))
    for edges in ([(one, other, relation, False)], [(one, other, relation, False), (other, one, relation, False)]):
        found = _read(form, edges, default)
        assert (found.facts, found.symmetric) == ([(first, relation, last)], {relation})
        said = found.said("note")
        assert f"'{relation}': {len(edges)} undirected edge" in said
        assert "the relation is symmetric" in said
        assert "from the id that comes first" in said
        assert "--option directed=yes" in said


@FORMS
@pytest.mark.parametrize("default", ["directed", "undirected"])
def test_beside_directed_edges_the_relation_is_not_symmetric_and_that_is_told(form: str, default: str) -> None:
    edges = [("b", "a", "knows", False), ("d", "c", "knows", True), ("f", "e", "likes", True)]
    found = _read(form, edges, default)
    assert found.facts == [("a", "knows", "b"), ("d", "knows", "c"), ("f", "likes", "e")]
    assert found.symmetric == set()
    assert {name for name, traits in found.traits.items() if traits.either_way} == {"knows"}
    said = found.said("note")
    assert "'knows': 1 undirected edge; beside 1 directed" in said
    assert "no edge is asked as false turned round" in said
    assert "--option symmetric=knows" in said
    assert "'likes'" not in said
    told = _read(form, edges, default, symmetric="knows")
    assert told.symmetric == {"knows"}
    assert not any(traits.either_way for traits in told.traits.values())
    assert "said to be symmetric" in told.said("note")


@FORMS
def test_the_user_says_how_edges_run(form: str) -> None:
    edges = [("b", "a", "capital of", False), ("d", "c", "capital of", True)]
    found = _read(form, edges, "undirected", directed="yes")
    assert (found.facts, found.symmetric) == ([("b", "capital of", "a"), ("d", "capital of", "c")], set())
    assert found.said("note") == ""
    found = _read(form, edges, "directed", directed="no")
    assert (found.facts, found.symmetric) == ([("a", "capital of", "b"), ("c", "capital of", "d")], {"capital of"})


@FORMS
def test_a_symmetric_relation_that_no_edge_has_is_refused(form: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        _read(form, [("a", "b", "knows", True)], "directed", symmetric="nows")
    assert caught.value.field == "options.symmetric"
    assert "nows" in str(caught.value)
    assert "knows" in (caught.value.hint or "")


@FORMS
def test_an_undirected_hierarchy_says_the_way_out(form: str) -> None:
    edges = [("b", "a", "part of", False)]
    found = _read(form, edges, "undirected", hierarchical="part of")
    assert "--option directed=yes" in found.reasons[0]
    assert _read(form, edges, "undirected", hierarchical="part of", directed="yes").traits["part of"].hierarchical


def test_node_link_json_that_does_not_say_it_keeps_source_and_target() -> None:
    edges = [("Velmouth", "Ardony", "capital of", True), ("Greyholt", "Belia", "capital of", True)]
    found = _read("nodelink", edges, "directed")
    without = json.loads(_node_link(edges, "directed")["net.json"])
    del without["directed"]
    unsaid = read_files({"net.json": json.dumps(without)})
    assert unsaid.facts == found.facts == sorted((source, name, target) for source, target, name, _ in edges)
    assert unsaid.symmetric == set()
    assert "--option directed=no" in unsaid.said("defaulted")
    assert "directed" not in found.said("defaulted")
    assert read_files({"net.json": json.dumps(without)}, directed="no").symmetric == {"capital of"}
