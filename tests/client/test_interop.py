"""One call each to networkx, pandas and py2neo; nothing needs a database."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.client import fake_server as wire

from knowledgesmith.client import (
    Query,
    Subgraph,
    SubgraphEdge,
    SubgraphNode,
    to_networkx,
    to_pandas,
    to_py2neo,
)
from knowledgesmith.client._types.events import BeliefChange


def node(uid: str, level: str = "Leaf", after: float | None = 0.25) -> SubgraphNode:
    return SubgraphNode(
        uid=uid,
        name=uid.title(),
        level=level,
        type="City",
        domain="geography",
        hops=None,
        before=0.75,
        after=after,
        target=False,
    )


SUBGRAPH = Subgraph(
    nodes=(node("japan", "Intermediate"), node("tokyo"), node("odd", "`Leaf`:Admin", None)),
    edges=(
        SubgraphEdge(source="japan", relation="has_capital", target="tokyo", status="retracted"),
        SubgraphEdge(source="japan", relation="largest_city", target="tokyo", status="asserted"),
        SubgraphEdge(source="japan", relation="near", target="elsewhere", status="asserted"),
    ),
    query=Query(cypher="MATCH (n) RETURN n", parameters={}),
)


def test_networkx_keeps_every_member() -> None:
    graph = to_networkx(SUBGRAPH)
    assert graph.nodes["japan"]["level"] == "Intermediate"
    assert graph.nodes["japan"]["delta"] == -0.5
    assert graph.nodes["odd"]["delta"] is None
    assert graph.edges["japan", "tokyo", "has_capital"]["status"] == "retracted"
    assert graph.number_of_edges("japan", "tokyo") == 2
    assert graph.graph["cypher"] == "MATCH (n) RETURN n"


def test_py2neo_objects_have_labels_types_and_properties() -> None:
    subgraph = to_py2neo(SUBGRAPH)
    nodes = {found["uid"]: found for found in subgraph.nodes}
    assert set(nodes["japan"].labels) == {"Entity", "Intermediate"}
    assert set(nodes["odd"].labels) == {"Entity"}
    assert nodes["tokyo"]["delta"] == -0.5
    assert {type(fact).__name__ for fact in subgraph.relationships} == {"HAS_CAPITAL", "LARGEST_CITY"}
    assert all(fact.start_node["uid"] == "japan" for fact in subgraph.relationships)


def test_pandas_has_one_row_a_ledger_row() -> None:
    rows = [BeliefChange.from_proto(wire.change(1)), BeliefChange.from_proto(wire.change(2))]
    frame = to_pandas(rows)
    assert list(frame.index) == [1, 2]
    assert frame.loc[1, "delta"] == -0.5
    assert frame["kind"].tolist() == ["DIRECT", "DIRECT"]
    assert frame["should_change"].all()
    missing = frame["new_before"].iloc[0]
    assert isinstance(missing, float)
    assert math.isnan(missing)


def test_pandas_of_nothing_is_an_empty_frame() -> None:
    frame = to_pandas([])
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 0
    assert "delta" in frame.columns


def test_ogm_classes_name_the_graph_model() -> None:
    ogm = pytest.importorskip("knowledgesmith.client.ogm")
    entity = ogm.EntityNode()
    entity.uid, entity.name, entity.leaf = "tokyo", "Tokyo", True
    labels = set(entity.__node__.labels)
    assert labels == {"Entity", "Leaf"}
    assert ogm.EntityNode.__primarykey__ == "uid"
    assert ogm.InterventionNode.__primarylabel__ == "Intervention"
