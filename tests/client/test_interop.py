"""One call each to networkx, pandas and py2neo; only the last test needs a database."""

from __future__ import annotations

import json
import math
from typing import Any

import networkx as nx
import pandas as pd
import pytest
from tests.client import wire
from tests.client.fake_server import FakeServer

from knowledgesmith.client import (
    Attributes,
    BeliefChange,
    EdgeStatus,
    InvalidInput,
    KnowledgeSmith,
    Level,
    PastedQuery,
    Subgraph,
    SubgraphEdge,
    SubgraphNode,
    to_networkx,
    to_pandas,
    to_py2neo,
)
from knowledgesmith.client._wire.fill import read


def node(uid: str, level: Level = Level.LEAF, after: float | None = 0.25) -> SubgraphNode:
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
    nodes=(node("japan", Level.INTERMEDIATE), node("tokyo"), node("odd", Level.UNSPECIFIED, None)),
    edges=(
        SubgraphEdge(source_uid="japan", relation="has_capital", target_uid="tokyo", status=EdgeStatus.RETRACTED),
        SubgraphEdge(source_uid="japan", relation="largest_city", target_uid="tokyo", status=EdgeStatus.ASSERTED),
        SubgraphEdge(source_uid="japan", relation="near", target_uid="elsewhere", status=EdgeStatus.ASSERTED),
    ),
    query=PastedQuery(cypher="MATCH (n) RETURN n", parameters={}),
)


def test_networkx_keeps_every_member() -> None:
    graph = to_networkx(SUBGRAPH)
    assert graph.nodes["japan"]["level"] == "Intermediate"
    assert graph.nodes["japan"]["delta"] == -0.5
    assert graph.nodes["odd"]["delta"] is None
    assert graph.edges["japan", "tokyo", "has_capital"]["status"] == "RETRACTED"
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
    rows = [read(BeliefChange, wire.change(1)), read(BeliefChange, wire.change(2))]
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


def test_every_answer_is_a_frame_in_one_call(smith: KnowledgeSmith) -> None:
    frames = {
        "propagation": to_pandas(smith.propagation.rates(intervention_id="i1")),
        "evidence": to_pandas(smith.propagation.evidence(intervention_id="i1")),
        "facts": to_pandas(smith.propagation.changed_facts(intervention_id="i1")),
        "compared": to_pandas(smith.propagation.compare(first_intervention_id="i1", second_intervention_id="i2")),
        "over_time": to_pandas(smith.propagation.over_time(branch_id="main")),
        "metrics": to_pandas(smith.propagation.metrics(intervention_id="i1")),
        "collapse": to_pandas(smith.propagation.collapse(intervention_ids=["i1", "i2"])),
    }
    assert {name: len(frame) for name, frame in frames.items()} == {
        "propagation": 3,
        "evidence": 4,
        "facts": 1,
        "compared": 1,
        "over_time": 1,
        "metrics": 2,
        "collapse": 2,
    }
    assert frames["metrics"]["rate_value"].tolist() == [0.25, 0.75]
    assert frames["facts"]["support_new_after"].tolist() == [2]
    assert frames["over_time"]["group_propagated_trials"].tolist() == [3]
    assert frames["evidence"]["verdict"].unique().tolist() == ["COLLATERAL"]


def test_paths_are_a_graph_in_the_direction_of_the_facts(smith: KnowledgeSmith) -> None:
    graph = to_networkx(smith.propagation.travel(intervention_id="i1"))
    assert set(graph.edges(keys=True)) == {("japan", "tokyo", "HAS_CAPITAL"), ("x", "tokyo", "TWIN_OF")}
    assert graph.nodes["tokyo"]["delta"] == -0.5
    assert graph.nodes["peru"]["stopped"]
    drawn = to_py2neo(smith.propagation.travel(intervention_id="i1"))
    assert {type(fact).__name__ for fact in drawn.relationships} == {"HAS_CAPITAL", "TWIN_OF"}


def test_a_networkx_graph_becomes_tables(smith: KnowledgeSmith, fake: FakeServer) -> None:
    graph: nx.MultiDiGraph[object] = nx.MultiDiGraph()
    graph.add_node(1, label="Añ\u4e2d", kind="Animal", other=["a", "b"])
    graph.add_edge(1, 2, relation="is_a")
    graph.add_edge(1, 2, relation="is_a", note="twice")
    graph.add_edge(2, 1)
    names = Attributes(name="label", type="kind", aliases="other")
    smith.graphs.import_networkx(
        graph=graph, graph_id="mine", attributes=names, relation="near", traits={"is_a": {"transitive": True}}
    )
    sent = {r.chunk.name: r.chunk.content.decode() for r in fake.requests("ImportGraph") if r.HasField("chunk")}
    rows = {name: [json.loads(line) for line in text.splitlines()] for name, text in sent.items()}
    assert rows["entities.jsonl"] == [
        {"uid": "1", "name": "Añ\u4e2d", "type": "Animal", "domain": "", "aliases": ["a", "b"]},
        {"uid": "2", "name": "2", "type": "", "domain": "", "aliases": []},
    ]
    assert rows["facts.jsonl"] == [
        {"subject": "1", "relation": "is_a", "object": "2"},
        {"subject": "2", "relation": "near", "object": "1"},
    ]
    assert rows["relations.jsonl"] == [{"name": "is_a", "transitive": True}, {"name": "near"}]


def test_an_undirected_graph_has_symmetric_relations(smith: KnowledgeSmith, fake: FakeServer) -> None:
    smith.graphs.import_networkx(graph=nx.Graph([("b", "a"), ("a", "c")]), graph_id="mine", relation="near")
    sent = {r.chunk.name: r.chunk.content.decode() for r in fake.requests("ImportGraph") if r.HasField("chunk")}
    assert [json.loads(line) for line in sent["relations.jsonl"].splitlines()] == [{"name": "near", "symmetric": True}]
    facts = [json.loads(line) for line in sent["facts.jsonl"].splitlines()]
    assert [(fact["subject"], fact["object"]) for fact in facts] == [("a", "b"), ("a", "c")]


@pytest.mark.parametrize(
    ("graph", "message"), [(nx.DiGraph([(1, 2)]), "names no relation"), (nx.DiGraph([(1, "1")]), "read the same")]
)
def test_a_networkx_graph_that_cannot_be_meant_is_refused(
    smith: KnowledgeSmith, fake: FakeServer, graph: nx.DiGraph[object], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        smith.graphs.import_networkx(graph=graph, graph_id="mine")
    assert not fake.calls


def test_py2neo_reads_and_writes_the_real_database(neo4j_uri: str, store: object, graph_id: str) -> None:
    """OGM classes match what the service wrote; a merged subgraph is there once, however often it is merged."""
    py2neo = pytest.importorskip("py2neo")
    ogm = pytest.importorskip("knowledgesmith.client.ogm")
    graph = py2neo.Graph(neo4j_uri)
    whole: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for uid in ("japan", "tokyo"):
        whole.add_node(uid, graph_id=graph_id, name=uid.title(), level="Leaf", belief=None, aliases=["x"])
    whole.add_edge("japan", "tokyo", key="f1", relation="has_capital", rel_type="HAS_CAPITAL", fact_id="f1")
    for _ in range(2):
        graph.merge(to_py2neo(whole), "Entity", ("graph_id", "uid"))
    counted = "MATCH (e:Entity {graph_id: $graph_id}) RETURN count(e) AS n, count { (e)-[:HAS_CAPITAL]->() } AS m"
    rows = graph.run(counted, graph_id=graph_id).data()
    assert sum(row["n"] for row in rows) == 2
    found = ogm.EntityNode.match(graph).where(graph_id=graph_id, name="Tokyo").first()
    assert (found.uid, found.leaf, found.belief, found.aliases) == ("tokyo", True, None, ["x"])
    own = [value for value in vars(ogm).values() if getattr(value, "__module__", "") == ogm.__name__]
    classes: list[Any] = [value for value in own if hasattr(value, "__primarylabel__")]
    assert {one.__primarylabel__ for one in classes} == {
        "Entity", "Relation", "Graph", "Probe", "ProbeSet", "Case", "Model", "Revision", "Branch", "Intervention"
    }  # fmt: skip
    for one in classes:
        one.match(graph).first()
    graph.service.connector.close()
