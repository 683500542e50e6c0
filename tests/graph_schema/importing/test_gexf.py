"""GEXF: what Gephi and networkx write becomes the same graph as their GraphML; hostile files are named."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import networkx as nx
import pytest
from tests.graph_schema.importing.own import read_files

from knowledgesmith.graph_schema.errors import InvalidInput


def _gephi(nodes: str, edges: str, attributes: str = "", default: str = "directed") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><gexf xmlns="http://gexf.net/1.3" version="1.3" '
        'xmlns:viz="http://gexf.net/1.3/viz"><meta><creator>x</creator></meta>'
        f'<graph defaultedgetype="{default}" mode="static">{attributes}<nodes>{nodes}</nodes><edges>{edges}</edges>'
        "</graph></gexf>"
    )


DECLARED = (
    '<attributes class="node" mode="static"><attribute id="0" title="kind" type="string"><default>town</default>'
    '</attribute><attribute id="1" title="area" type="double"/></attributes>'
    '<attributes class="edge"><attribute id="0" title="relation" type="string"/></attributes>'
)
NODES = (
    '<node id="a" label="云溪镇"><attvalues><attvalue for="1" value="9.5"/></attvalues><viz:size value="3"/></node>'
    '<node id="b" label="Öhringen"><attvalues><attvalue for="0" value="port"/></attvalues></node>'
    '<node id="c" label="وادي النور"><nodes><node id="d" label="Inner"/></nodes></node>'
)


def test_labels_kinds_attributes_and_inner_nodes() -> None:
    edges = (
        '<edge id="0" source="a" target="b" kind="borders" label="x"/>'
        '<edge id="1" source="b" target="c" label="liegt an" weight="2"/>'
        '<edge id="2" source="c" target="d" label="x"><attvalues><attvalue for="0" value="holds"/></attvalues></edge>'
        '<edge id="3" source="d" target="a"/>'
    )
    found = read_files({"net.gexf": _gephi(NODES, edges, DECLARED)})
    assert found.format == "gexf"
    assert found.facts == sorted(
        [
            ("云溪镇", "borders", "Öhringen"),
            ("Öhringen", "liegt an", "وادي النور"),
            ("وادي النور", "holds", "Inner"),
            ("Inner", "related_to", "云溪镇"),
        ]
    )
    assert found.reasons == []
    assert found.symmetric == set()
    valued = read_files({"net.gexf": _gephi(NODES, edges, DECLARED)}, value_attributes="area")
    assert ("云溪镇", "area", "9.5") in valued.facts
    assert "4 nodes, 4 edges" in found.said("read_as")


def test_it_is_told_by_its_content() -> None:
    edges = '<edge source="a" target="b"/>'
    assert read_files({"net.xml": _gephi(NODES, edges)}).format == "gexf"
    with pytest.raises(InvalidInput, match="no GEXF"):
        read_files({"net.gexf": "<graphml/>"})


@pytest.mark.parametrize("graph", [nx.DiGraph, nx.Graph, nx.MultiDiGraph])
def test_what_networkx_writes_is_what_its_graphml_says(graph: Callable[[], Any]) -> None:
    network = graph()
    for n, name in enumerate(("Velmouth", "Port Ombry", "青岭")):
        network.add_node(n, label=name, area=n * 2.5)
    network.add_edge(1, 0, relation="borders")
    network.add_edge(2, 1, relation="likes")
    told = []
    for write in (nx.write_gexf, nx.write_graphml):
        stream = io.BytesIO()
        write(network, stream)
        ending = "gexf" if write is nx.write_gexf else "graphml"
        found = read_files({f"net.{ending}": stream.getvalue()})
        told.append((found.facts, found.entities, found.symmetric, found.reasons))
    assert told[0] == told[1]
    assert len(told[0][0]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_gephi(NODES, "<edge source='a'/>"), "lacks an end"),
        (_gephi(NODES, "")[:-30], "its XML is broken in line"),
        (_gephi("<node id='x'>" * 60 + "<nodes>" * 60, ""), "inside each other"),
        ('<!DOCTYPE g [<!ENTITY x "y">]>' + _gephi("<node id='&x;'/>", "").partition("?>")[2], "declares entities"),
        (_gephi(NODES, "", "<hyperedge/>"), "hyperedge"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, said: str) -> None:
    try:
        reasons = read_files({"net.gexf": text}).reasons
    except InvalidInput as error:
        reasons = [str(error)]
    assert said in " ".join(reasons)


def test_keys_that_nobody_declares_are_told() -> None:
    nodes = (
        '<node id="a" label="A"><attvalues><attvalue for="zz" value="1"/></attvalues></node><node id="b" label="B"/>'
    )
    found = read_files({"net.gexf": _gephi(nodes, '<edge source="a" target="b"/>')})
    assert "'zz' is not declared" in found.said("undeclared")
