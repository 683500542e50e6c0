"""What graph libraries see of awkward answers: stops that are targets, answers without items, several ledger rows."""

from __future__ import annotations

from typing import Any

import pytest

from knowledgesmith.client import (
    Evidence,
    Level,
    PastedQuery,
    Propagation,
    Travel,
    TravelPath,
    TravelStep,
    TravelStop,
    to_networkx,
    to_pandas,
)

QUERY = PastedQuery(cypher="MATCH (n) RETURN n", parameters={})


def test_a_target_at_which_the_change_stopped_is_still_a_target() -> None:
    step = TravelStep(relation="near", forward=True, entity_uid="b", entity_name="B", delta=0.5)
    stops = tuple(
        TravelStop(
            entity_uid=uid, entity_name=uid.upper(), level=Level.LEAF, hops=0, moved=0.01, neighbours=1, names=("B",)
        )
        for uid in ("a", "c")
    )
    path = TravelPath(target_uid="a", target_name="A", steps=(step,))
    graph = to_networkx(Travel(paths=(path,), stops=stops, paths_query=QUERY, stops_query=QUERY))
    assert {uid: values["target"] for uid, values in graph.nodes(data=True)} == {"a": True, "b": False, "c": False}
    assert graph.nodes["a"]["stopped"]


@pytest.mark.parametrize(
    ("answer", "column"),
    [
        (Evidence(evidence=(), query=QUERY), "verdict"),
        (Propagation(groups=(), query=QUERY), "mean_delta"),
    ],
    ids=["evidence", "groups"],
)
def test_an_answer_without_items_has_its_own_columns(answer: Any, column: str) -> None:
    frame = to_pandas(answer)
    assert len(frame) == 0
    assert column in frame.columns
    assert "new_before" not in frame.columns


def test_the_mapper_gives_every_row_and_stays_in_one_graph(neo4j_uri: str, store: object, graph_id: str) -> None:
    py2neo = pytest.importorskip("py2neo")
    ogm = pytest.importorskip("knowledgesmith.client.ogm")
    graph = py2neo.Graph(neo4j_uri)
    other = f"{graph_id}x"
    graph.run(
        "UNWIND [$g, $other] AS graph_id CREATE (e:Entity:Leaf {graph_id: graph_id, uid: 'france', retired: true}) "
        "WITH e WHERE e.graph_id = $g CREATE (i:Intervention {id: $g, branch_id: $g}) WITH e, i "
        "UNWIND [2, 1, 3] AS seq CREATE (i)-[:CHANGED {intervention: $g, seq: seq}]->(e) "
        "CREATE (i)-[:TARGETS {fact_id: 'f' + seq}]->(e)",
        g=graph_id,
        other=other,
    )
    try:
        assert [one.graph_id for one in ogm.EntityNode.of_graph(graph, graph_id, uid="france")] == [graph_id]
        found = ogm.InterventionNode.match(graph, graph_id).first()
        assert len(list(found.changed)) == 1
        assert [row["seq"] for row in found.ledger(graph)] == [1, 2, 3]
        assert [row["fact_id"] for row in found.target_facts(graph)] == ["f1", "f2", "f3"]
    finally:
        graph.run(
            "MATCH (n:Entity|Intervention) WHERE n.graph_id IN [$g, $o] OR n.id = $g DETACH DELETE n",
            g=graph_id,
            o=other,
        )
        graph.service.connector.close()
