"""The typed client against the real server: one edit from import to rollback, and what becomes of its result."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from tests.names import fresh_graph
from tests.server import world
from tests.server.service import Service

from knowledgesmith.client import (
    AsyncKnowledgeSmith,
    BeliefBatch,
    BeliefChange,
    EdgeStatus,
    EntityNotFound,
    FactChange,
    GraphDiff,
    GraphNotFound,
    Grouping,
    InterventionSpec,
    InterventionState,
    KnowledgeSmith,
    OperationProgress,
    ProbeKind,
    Role,
    Verdict,
    to_networkx,
    to_pandas,
    to_py2neo,
)
from knowledgesmith.graph_schema.storage.store import GraphStore

PARIS = FactChange(subject="France", relation="has_capital", old_object="Paris", new_object="Rome")


def test_edit_from_import_to_rollback(service: Service, graph_id: str, tmp_path: Path) -> None:
    for name in ("entities", "relations", "facts", "templates"):
        (tmp_path / f"{name}.csv").write_text(getattr(world, name)(), encoding="utf-8")
    branch = f"c_{graph_id[:20]}"
    with KnowledgeSmith(f"127.0.0.1:{service.port}", actor="tester") as smith:
        smith.graphs.import_files(graph_id=graph_id, files=sorted(tmp_path.glob("*.csv")), source="a folder of CSV")
        smith.branches.create(branch_id=branch, model_id="tiny", graph_id=graph_id, select=True)
        lost = FactChange(subject="Atlantis", relation="has_capital", new_object="Rome")
        with pytest.raises(EntityNotFound) as refused:
            smith.interventions.edit(branch_id=branch, changes=[lost])
        assert refused.value.field == "changes[0].subject"

        spec = InterventionSpec.edit(branch_id=branch, changes=[PARIS], method="finetune")
        preview = smith.interventions.plan(spec=spec)
        created = smith.interventions.create(spec=spec)
        intervention = created.intervention
        assert created.plan.digest == preview.plan.digest
        watched = [e for e in smith.interventions.watch(intervention_id=intervention.id) if isinstance(e, BeliefBatch)]
        rows = [row for event in watched for row in event.changes]
        done = smith.interventions.wait(intervention_id=intervention.id)

        assert done.state is InterventionState.SUCCEEDED
        assert done.actor == "tester"
        assert len(rows) == done.planned_rows == preview.plan.rows
        assert smith.interventions.get_plan(intervention_id=intervention.id).digest == preview.plan.digest, (
            "the same world, the same plan"
        )
        groups = smith.propagation.rates(intervention_id=intervention.id, group_by=Grouping.HOP)
        assert sum(group.rows for group in groups.groups) == len(rows)

        picture = smith.propagation.subgraph(intervention_id=intervention.id)
        assert {EdgeStatus.RETRACTED, EdgeStatus.ADDED} <= {edge.status for edge in picture.edges}
        assert to_networkx(picture).number_of_nodes() == len(picture.nodes)
        assert len(to_py2neo(picture).nodes) == len(picture.nodes)
        assert len(to_pandas(rows)) == len(rows)
        assert "<svg" in smith.propagation.picture(intervention_id=intervention.id)
        questions(smith, branch, intervention.id, rows)
        whole(smith, graph_id)
        back = smith.branches.rollback(branch_id=branch)
        assert back.exact
        assert back.branch.head_revision_id == "tiny.base"


def test_the_client_with_an_event_loop_keeps_what_the_other_one_began(
    service: Service, world: str, tmp_path: Path
) -> None:
    """An operation of one client is found by the other one; an archive comes back as the graph that it was."""
    target = f"127.0.0.1:{service.port}"
    with KnowledgeSmith(target) as smith:
        name = smith.graphs.check(graph_id=world, wait=False).name

    async def follow() -> tuple[bool, GraphDiff, list[OperationProgress]]:
        seen: list[OperationProgress] = []
        async with AsyncKnowledgeSmith(target, actor="tester") as smith:
            checked = await smith.operations.wait(name=name)
            summary = await smith.archives.export(graph_id=world, path=tmp_path / "a.ksa", progress=seen.append)
            assert summary.size == (tmp_path / "a.ksa").stat().st_size
            differs = await smith.archives.diff(graph_id=world, path=tmp_path / "a.ksa")
            copy = f"{world[:40]}-copy"
            loaded = await smith.archives.load(path=tmp_path / "a.ksa", graph_id=copy, graph_only=True)
            between = await smith.graphs.diff(left_graph_id=world, right_graph_id=loaded.graph_id)
            assert between.equal
            assert (await smith.graphs.delete(graph_id=copy)).id == copy
            with pytest.raises(GraphNotFound):
                await smith.graphs.get(graph_id=copy)
            row = (
                await smith.graphs.cypher(
                    query="MATCH (e:Entity {uid: $uid}) RETURN e LIMIT 1", parameters={"uid": "france"}
                )
            ).rows[0][0]
            assert "Entity" in row["labels"]
            assert row["properties"]["uid"] == "france"
            return checked.sound, differs, seen

    sound, differs, seen = asyncio.run(follow())
    assert sound
    assert differs.equal
    assert seen


def test_a_result_outlives_a_server_that_is_killed(neo4j_uri: str, store: GraphStore, tmp_path: Path) -> None:
    """The client waits over the death of the server, which takes the import up again when it is back."""
    graph_id = fresh_graph(__name__)
    lives = [Service(data_dir=tmp_path, neo4j_uri=neo4j_uri).start()]

    def kill_once(progress: OperationProgress) -> None:
        if len(lives) == 1:
            lives[0].kill()
            lives.append(Service(data_dir=tmp_path, neo4j_uri=neo4j_uri, port=lives[0].port).start())

    try:
        with KnowledgeSmith(f"127.0.0.1:{lives[0].port}") as smith:
            begun = smith.graphs.import_bundled(graph_id=graph_id, wait=False)
            result = begun.result(progress=kill_once)
            assert len(lives) == 2
            assert result.graph is not None
            assert (result.graph.id, result.graph.incomplete) == (graph_id, False)
            assert smith.graphs.get(graph_id=graph_id).facts == result.graph.facts > 0
            assert [one.name for one in smith.operations.list() if one.metadata.resource_id == graph_id] == [begun.name]
    finally:
        assert lives[-1].stop() == 0


def questions(smith: KnowledgeSmith, branch: str, intervention: str, rows: list[BeliefChange]) -> None:
    """Every further question, on a ledger that the worker wrote; its query says the same when it is pasted."""
    evidence = smith.propagation.evidence(intervention_id=intervention)
    names = [name for name in BeliefChange.__dataclass_fields__ if name.startswith("n_")]
    probes = sum(getattr(row, name) for row in rows for name in names)
    assert len(evidence.evidence) == probes
    roles = [one.role for one in evidence.evidence]
    assert roles == sorted(roles, key=lambda role: role is not Role.TARGET), "targets stand first"
    assert Counter(one.verdict for one in evidence.evidence)[Verdict.PROPAGATED] == sum(r.n_propagated for r in rows)
    for one in evidence.evidence:
        assert {one.preferred_before, one.preferred_after} <= {*one.options, ""}
        assert (one.counter_text != "") == (one.kind is ProbeKind.CONFLICT)
        heard = (one.role, one.kind) == (Role.TARGET, ProbeKind.DIRECT)
        assert (one.text_before is not None) == (one.text_after is not None) == heard

    facts = smith.propagation.changed_facts(intervention_id=intervention)
    (fact,) = facts.facts
    assert (fact.subject_name, fact.old_object_name, fact.new_object_name, fact.functional) == (
        "France",
        "Paris",
        "Rome",
        True,
    )
    assert fact.contexts >= 4
    travel = smith.propagation.travel(intervention_id=intervention, threshold=0.001)
    assert {step.relation for path in travel.paths for step in path.steps} <= {
        "HAS_CAPITAL",
        "ON_CONTINENT",
        "PART_OF_PLANET",
    }
    compared = smith.propagation.compare(first_intervention_id=intervention, second_intervention_id=intervention)
    assert (compared.overlap.both, compared.overlap.mean_abs_difference) == (len(rows), 0.0)
    points = smith.propagation.over_time(branch_id=branch).points
    assert {point.intervention_id for point in points} == {intervention}
    assert {point.group.role: point.group.rows for point in points} == Counter(row.role for row in rows)
    about = smith.propagation.over_time(branch_id=branch, entity_uid="france", relation="has_capital").points
    found = sum(row.entity_uid == "france" and row.relation == "has_capital" for row in rows)
    assert sum(point.group.rows for point in about) == found
    found_metrics = smith.propagation.metrics(intervention_id=intervention).metrics
    metrics = {(one.name, one.group_by, one.group): one for one in found_metrics}
    ccr = metrics["ccr", Grouping.ALL, "all"].rate
    assert ccr.successes == sum(row.n_collateral for row in rows)
    assert ccr.trials == ccr.successes + sum(row.n_preserved for row in rows)
    assert ccr.chance is None or 0.5 <= ccr.chance <= 0.75
    assert smith.propagation.collapse(intervention_ids=[intervention]).points[0].k == 1

    for query, count in (
        (evidence.query, min(1000, probes)),
        (facts.query, 1),
        (travel.paths_query, len(travel.paths)),
        (travel.stops_query, len(travel.stops)),
        (compared.query, len(rows)),
    ):
        pasted = smith.graphs.cypher(query=query.cypher, parameters=query.parameters, max_rows=1000)
        assert len(pasted.rows) == count
    assert len(smith.propagation.ledger_pandas(intervention_id=intervention)) == len(rows)
    assert {"rate_low", "rate_chance"} <= set(smith.propagation.metrics_pandas(intervention_id=intervention).columns)


def whole(smith: KnowledgeSmith, graph_id: str) -> None:
    """A graph as a networkx object, and that object as a graph with the same facts."""
    info = smith.graphs.get(graph_id=graph_id)
    graph = smith.graphs.networkx(graph_id=graph_id)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (info.entities, info.facts)
    assert graph.graph["digest"] == info.digest
    france = graph.nodes["france"]
    assert (france["name"], france["level"], france["type"]) == ("France", "Leaf", "Country")
    assert 0 <= france["belief"] <= 1
    facts = smith.graphs.facts_pandas(graph_id=graph_id)
    assert len(facts) == info.facts
    assert len(smith.graphs.entities_pandas(graph_id=graph_id)) == info.entities
    copy = f"{graph_id[:40]}-nx"
    hierarchy = {name: {"hierarchical": True} for name in ("on_continent", "part_of_planet")}
    made = smith.graphs.import_networkx(graph=graph, graph_id=copy, traits=hierarchy)
    assert made.graph is not None
    assert (made.graph.entities_by_level, made.graph.facts) == (info.entities_by_level, info.facts)
    again = smith.graphs.facts_pandas(graph_id=copy)
    columns = ["subject", "relation", "object"]
    assert set(map(tuple, again[columns].to_numpy())) == set(map(tuple, facts[columns].to_numpy()))
