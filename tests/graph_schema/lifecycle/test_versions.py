"""What imports change, what differs, and that interventions stay readable when their facts are gone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from tests.graph_schema.lifecycle.conftest import PARIS, Cypher, Runs, import_world
from tests.server import world as small

from knowledgesmith.graph_schema.archive.diff import ArchivedSide, StoredSide, diff
from knowledgesmith.graph_schema.archive.read import Archive
from knowledgesmith.graph_schema.archive.write import export_graph
from knowledgesmith.graph_schema.errors import Aborted, ArchiveRejected, GraphNotFound
from knowledgesmith.graph_schema.graphs.reading import get_graph
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.interventions import ledger, steps
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.maintenance.deletion import Folders
from knowledgesmith.graph_schema.planning.plan_store import load_plan
from knowledgesmith.graph_schema.propagation import ChangeFilter, Grouping, changes, groups
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.server.worker.attempt.compose import compose


def test_a_run_stays_readable_when_its_entities_facts_and_relation_are_gone(store: GraphStore, runs: Runs) -> None:
    graph = runs.graph_id
    run = runs.finish(runs.branch(), PARIS)
    plan = load_plan(store, run)
    rows = ledger.read(store, run, after=0, limit=1000)
    spread = groups(store, run, Grouping.RELATION)
    listed = changes(store, run, ChangeFilter.CHANGES, skip=0, limit=1000)
    old = get_graph(store, graph)

    def cut(text: str) -> bytes:
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if "capital" not in line and "france" not in line).encode()

    parts = {
        FileRole.ENTITIES: cut(small.entities()),
        FileRole.RELATIONS: cut(small.relations()),
        FileRole.FACTS: cut(small.facts()),
        FileRole.TEMPLATES: cut(small.templates()),
    }
    files = [InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(content)) for role, content in parts.items()]
    report = import_graph(store, graph_id=graph, files=files)
    assert (report.entities_retired, report.relations) == (1, 3)
    assert report.digest != old.digest
    assert load_plan(store, run) == plan
    assert plan.graph_digest == old.digest
    assert ledger.read(store, run, after=0, limit=1000) == rows
    assert any(row.entity == "france" for row in rows)
    assert groups(store, run, Grouping.RELATION) == spread
    assert changes(store, run, ChangeFilter.CHANGES, skip=0, limit=1000) == listed
    assert check_graph(store, graph).sound
    import_world(store, graph)
    assert get_graph(store, graph).digest == old.digest
    assert check_graph(store, graph).sound


def test_versions_are_listed_newest_first(store: GraphStore, runs: Runs, cypher: Cypher) -> None:
    runs.finish(runs.branch(), PARIS)
    present = [version.number for version in list_versions(store, runs.graph_id)]
    assert present == sorted(present, reverse=True)
    cypher(
        "MATCH (g:Graph {graph_id: $graph}) "
        "CREATE (:GraphVersion {graph_id: $graph, number: 8, digest: g.digest, imported_at: datetime(), source: 'a', "
        "format: 'csv', facts_created: 7})-[:OF]->(g) "
        "CREATE (:GraphVersion {graph_id: $graph, number: 9, digest: 'x', parent_digest: g.digest})-[:OF]->(g)",
        graph=runs.graph_id,
    )
    newest, older = list_versions(store, runs.graph_id)[:2]
    assert (newest.number, newest.interventions, newest.parent_digest) == (9, 0, older.digest)
    assert (older.number, older.interventions, older.facts_created, older.source) == (8, 1, 7, "a")
    assert older.imported_ms is not None
    with pytest.raises(GraphNotFound):
        list_versions(store, "nowhere")


def test_graphs_and_archives_are_compared(store: GraphStore, graph: str, cypher: Cypher, tmp_path: Path) -> None:
    other = f"{graph}_b"
    import_world(store, other, without="chile")
    cypher("MATCH (e:Entity {graph_id: $graph, uid: 'japan'}) SET e.name = 'Nippon'", graph=other)
    cypher("MATCH (:Entity {graph_id: $graph, uid: 'peru'})-[f:HAS_CAPITAL]->() SET f.source = 'else'", graph=other)
    cypher("MATCH (r:Relation {graph_id: $graph, name: 'has_symbol'}) SET r.functional = false", graph=other)
    there = diff(StoredSide(store, graph), StoredSide(store, other))
    assert not there.equal
    assert (there.entities.removed, there.entities.added, there.entities.changed) == (1, 0, 1)
    assert there.entities.removed_examples == ("chile (Chile)",)
    assert there.entities.changed_examples == ("japan: name 'Japan' -> 'Nippon'",)
    assert (there.facts.removed, there.facts.added, there.facts.changed) == (2, 0, 1)
    assert "(chile)-[has_capital]->(santiago)" in there.facts.removed_examples
    assert there.by_relation == {"has_capital": (0, 1), "on_continent": (0, 1)}
    assert (there.relations.changed_examples, there.relations.same) == (("has_symbol: traits",), 4)
    back = diff(StoredSide(store, other), StoredSide(store, graph))
    assert back.entities.added_examples == there.entities.removed_examples
    assert back.by_relation == {"has_capital": (1, 0), "on_continent": (1, 0)}
    path = tmp_path / "graph.ksmith"
    export_graph(store, graph, path, folders=Folders())
    with Archive.open(path) as archive:
        assert diff(StoredSide(store, graph), ArchivedSide(archive, "archive")).equal
        report = diff(StoredSide(store, other), ArchivedSide(archive, "archive"))
    assert (report.facts, report.entities, report.right) == (back.facts, back.entities, "archive")
    with pytest.raises(GraphNotFound):
        diff(StoredSide(store, graph), StoredSide(store, "nowhere"))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ArchiveRejected), Archive.open(path):
        pass


def test_a_plan_of_another_version_trains_nothing(store: GraphStore, runs: Runs) -> None:
    run = runs.finish(runs.branch(), PARIS)
    plan, intervention = load_plan(store, run), steps.get(store, run)
    assert compose(store, intervention, plan).request.updates
    import_world(store, runs.graph_id, without="nepal")
    with pytest.raises(Aborted, match="imported again"):
        compose(store, intervention, plan)
    assert load_plan(store, run) == plan  # still readable under its digest
    assert check_graph(store, runs.graph_id).sound
