"""The check says that a graph is sound when it is, and names each thing that is broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.graph_schema.lifecycle.conftest import LIMA, PARIS, Cypher, Runs

from knowledgesmith.graph_schema.errors import GraphNotFound
from knowledgesmith.graph_schema.graphs import paging
from knowledgesmith.graph_schema.graphs.reading import load_snapshot
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, CaseRecord, Place
from knowledgesmith.graph_schema.interventions.cases import replace_cases
from knowledgesmith.graph_schema.maintenance import check
from knowledgesmith.graph_schema.maintenance.check import CheckReport, check_graph
from knowledgesmith.graph_schema.storage.migrations import Migration, migrations
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.digests import graph_digest
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind


@dataclass(frozen=True)
class Break:
    """One invariant that raw Cypher breaks, the check that must see it, and how the finding's subject begins."""

    query: str
    check: str
    subject: str


ENTITY = "MATCH (e:Entity {graph_id: $graph, uid: $uid}) "
CAPITAL = "MATCH (a:Entity {graph_id: $graph, uid: $uid})-[f:HAS_CAPITAL]->(b) "
GRAPH = "MATCH (g:Graph {graph_id: $graph}) "
LEDGER = "MATCH (i:Intervention {id: $run})-[c:CHANGED {seq: 3}]->() "
OF_ENTITIES = {
    "europe": Break(ENTITY + "SET e:Leaf", "levels", "europe"),
    "paris": Break(ENTITY + "REMOVE e:Leaf", "levels", "paris"),
    "earth": Break(ENTITY + "REMOVE e:Root SET e:Intermediate", "levels", "earth"),
    "japan": Break(ENTITY + "MATCH (e)<-[h:HAS_CHILD]-() DELETE h", "hierarchy", "japan"),
    "copper": Break(
        ENTITY + "MATCH (p:Entity {graph_id: $graph, uid: 'rome'}) CREATE (p)-[:HAS_CHILD]->(e)", "hierarchy", "copper"
    ),
    "france": Break(ENTITY + "MATCH (e)<-[h:HAS_CHILD]-(p) CREATE (p)-[:HAS_CHILD]->(e)", "hierarchy", "france"),
    "nepal": Break(ENTITY + "SET e.depth = 7", "depths", "nepal"),
    "peru": Break(ENTITY + "SET e.depth = 0", "depths", "peru"),
    "tin": Break(ENTITY + "SET e.depth = 0", "depths", "tin"),
    "chile": Break(CAPITAL + "SET f.fact_id = 'x'", "fact ids", "(chile)"),
    "kenya": Break(CAPITAL + "CREATE (a)-[d:HAS_CAPITAL]->(b) SET d = properties(f)", "doubled facts", "(kenya)"),
    "egypt": Break(CAPITAL + "CREATE (a)-[d:CALLS]->(b) SET d = properties(f)", "dangling facts", "(egypt)-[CALLS]"),
    "norway": Break(CAPITAL + "REMOVE f.fact_id", "dangling facts", "(norway)-[HAS_CAPITAL]"),
    "spain": Break(
        CAPITAL + "CREATE (x:Entity {graph_id: $graph + 'x', uid: 'x'}) CREATE (a)-[d:HAS_CAPITAL]->(x) "
        "SET d = properties(f)",
        "dangling facts",
        "(spain)-[HAS_CAPITAL]->(x)",
    ),
    "austria": Break(CAPITAL + "SET f.derived = true", "leftovers", "(austria)"),
    "italy": Break(ENTITY + "SET e.retired = true", "entities", "italy"),
    "china": Break(ENTITY + "REMOVE e.name", "entities", "china"),
    "iron": Break(
        ENTITY + "CREATE (:Probe {id: $graph, anchor: e.uid})-[:ABOUT]->(e)",
        "probes",
        "t_",
    ),
}
OF_GRAPHS = [
    Break("MATCH (:Entity {graph_id: $graph, uid: 'japan'})-[f:HAS_CAPITAL]->() DELETE f", "digest", "t_"),
    Break(GRAPH + "SET g.head_branch = 'nobody'", "branches", "nobody"),
    Break(
        GRAPH + "CREATE (:GraphVersion {graph_id: $graph, number: 901, digest: 'a'})-[:OF]->(g) "
        "CREATE (:GraphVersion {graph_id: $graph, number: 903, digest: 'b', parent_digest: 'z'})-[:OF]->(g)",
        "versions",
        "version 903",
    ),
    Break(GRAPH + "CREATE (:ProbeSet {id: $graph, graph_id: $graph, digest: $graph})", "probe sets", "t_"),
]
OF_RUNS = [
    [
        Break(LEDGER + "DELETE c", "ledger", "iv_"),
        Break("MATCH (i:Intervention {id: $run}) RETURN i", "slots", "iv_"),
        Break("MATCH (i:Intervention {id: $run}) SET i.deleting_at = datetime()", "runs", "iv_"),
    ],
    [
        Break(LEDGER + "SET c.seq = 90000", "ledger", "iv_"),
        Break("MATCH (i:Intervention {id: $run})-[o:ON]->() DELETE o", "runs", "iv_"),
    ],
    [
        Break("MATCH (i:Intervention {id: $run}) SET i.written_rows = i.written_rows - 1", "ledger", "iv_"),
        Break("MATCH (:Intervention {id: $run})-[:PRODUCED]->(r)-[p:PARENT]->() DELETE p", "branches", "b_"),
        Break(
            "MATCH (e:Entity {graph_id: $graph}) WHERE e.belief_intervention = $run "
            "WITH e ORDER BY e.uid LIMIT 1 SET e.belief = coalesce(e.belief, 0.0) + 0.00001",
            "heads",
            "",
        ),
        Break("MATCH (e:Entity {graph_id: $graph, uid: 'earth'}) SET e.belief = 0.5", "heads", "earth"),
    ],
]


def assert_named(report: CheckReport, *breaks: Break) -> None:
    """Every break is among the findings of its check, and the report says that something is wrong."""
    assert not report.sound
    found = {(result.name, finding.subject) for result in report.results for finding in result.findings}
    for broken in breaks:
        assert any(name == broken.check and subject.startswith(broken.subject) for name, subject in found), broken
    assert all(result.hint and result.broken >= len(result.findings) for result in report.results)


def test_broken_entities_and_facts_are_named(store: GraphStore, graph: str, cypher: Cypher) -> None:
    for uid, broken in OF_ENTITIES.items():
        cypher(broken.query, graph=graph, uid=uid)
    assert_named(check_graph(store, graph), *OF_ENTITIES.values())


BROKEN_CASES = {
    "a": "MATCH (c:Case {graph_id: $graph, id: $id})-[x:CHANGES]->() DELETE x",
    "b": "MATCH (c:Case {graph_id: $graph, id: $id})-[:ASKS]->(p {position: 0}) DETACH DELETE p",
    "c": "MATCH (c:Case {graph_id: $graph, id: $id})-[x:CHANGES]->() SET x.fact_id = 'x'",
}


def test_broken_cases_are_named(store: GraphStore, graph: str, cypher: Cypher) -> None:
    asked = CaseProbe(
        kind=ProbeKind.DIRECT, polarity=Polarity.CHANGE, family="direct", stem="Its capital is", answers=("Rome",)
    )
    change = CaseChange(subject="france", relation="has_capital", old_object="paris", new_object="rome")
    made = [
        CaseRecord(
            id=name, goal=Goal.EDIT, rounds=((change,),), probes=(asked, asked), place=Place(file="set.json", record=1)
        )
        for name in "abcd"
    ]
    replace_cases(store, graph_id=graph, cases=made)
    assert check_graph(store, graph).sound
    for name, query in BROKEN_CASES.items():
        cypher(query, graph=graph, id=name)
    (found,) = [result for result in check_graph(store, graph).results if result.broken]
    assert (found.name, found.looked_at, [f.subject for f in found.findings]) == ("cases", 4, ["a", "b", "c"])


def test_a_broken_graph_is_named(store: GraphStore, graph: str, cypher: Cypher, tmp_path: Path) -> None:
    for broken in OF_GRAPHS:
        cypher(broken.query, graph=graph)
    assert_named(check_graph(store, graph, probe_set_dir=tmp_path), *OF_GRAPHS)


def test_a_sound_graph_with_runs_and_its_broken_runs(store: GraphStore, runs: Runs, cypher: Cypher) -> None:
    branch = runs.branch()
    made = [runs.finish(branch, PARIS), runs.finish(runs.branch(), LIMA, commit=False), runs.finish(branch, LIMA)]
    report = check_graph(store, runs.graph_id)
    assert report.sound, [result for result in report.results if result.broken]
    looked_at = {result.name: result.looked_at for result in report.results}
    assert looked_at["runs"] == 3
    assert all(looked_at[name] > 5 for name in ("levels", "fact ids", "ledger", "slots", "heads", "dangling facts"))
    for run, breaks in zip(made, OF_RUNS, strict=True):
        for broken in breaks:
            cypher(broken.query, graph=runs.graph_id, run=run)
        report = check_graph(store, runs.graph_id)
        assert_named(report, *[replace(b, subject=run if b.subject == "iv_" else b.subject) for b in breaks])


DAMAGES = [
    *("c.before = 'x'", "c.after = true", "c.n = 'x'", "c.n = null", "c.n = 1.5", "c.kind = null", "c.kind = 3"),
    *("c.after = [0.5, 0.25]", "c.seq = 'x'", "c.seq = [1]", "c.seq = null", "c.before = date()"),
]


def test_a_damaged_ledger_row_is_a_finding(store: GraphStore, runs: Runs, cypher: Cypher) -> None:
    """Whatever stands where a number should: the check names it, and goes on."""
    branch = runs.branch()
    made = [runs.finish(branch, PARIS), runs.finish(runs.branch(), LIMA, commit=False)]
    row = "MATCH (i:Intervention {id: $run})-[c:CHANGED]->() WHERE "
    for run in made:
        for damage in DAMAGES:
            (kept,) = cypher(row + "c.seq = 3 WITH c, properties(c) AS kept SET c.mark = 1 RETURN kept", run=run)
            cypher(row + f"c.mark = 1 SET {damage}", run=run)
            report = check_graph(store, runs.graph_id)
            assert_named(report, Break(damage, "ledger", run))
            (named,) = [f.found for result in report.results for f in result.findings if f.subject == run]
            assert named.startswith("1 rows hold what is no number, first #"), damage
            cypher(row + "c.mark = 1 SET c = $kept", run=run, kept=kept["kept"])
    assert check_graph(store, runs.graph_id).sound


def test_a_rootless_cycle_is_sound_and_its_wrong_seed_is_not(
    store: GraphStore, graph_id: str, cypher: Cypher, writer_of_cycle: Callable[[str], None]
) -> None:
    writer_of_cycle(graph_id)
    assert check_graph(store, graph_id).sound
    cypher(
        "MATCH (a:Entity {graph_id: $graph, uid: 'a'}) MATCH (b:Entity {graph_id: $graph, uid: 'b'}) "
        "MATCH (c:Entity {graph_id: $graph, uid: 'c'}) MATCH (d:Entity {graph_id: $graph, uid: 'd'}) "
        "SET a.depth = 1, b.depth = 0, c.depth = 2, d.depth = 1",
        graph=graph_id,
    )
    report = check_graph(store, graph_id)
    assert {(r.name, f.subject) for r in report.results for f in r.findings} == {("depths", "b")}


@pytest.fixture
def writer_of_cycle(store: GraphStore) -> Callable[[str], None]:
    import io

    from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph

    def write(graph_id: str) -> None:
        parts = {
            FileRole.ENTITIES: "uid,name\na,A\nb,B\nc,C\nd,D\n",
            FileRole.RELATIONS: "name,hierarchical\nbelow,true\n",
            FileRole.FACTS: "subject,relation,object\na,below,b\nb,below,c\nc,below,a\nd,below,b\n",
        }
        files = [
            InputFile(role=role, name=f"{role}.csv", content=io.BytesIO(text.encode())) for role, text in parts.items()
        ]
        import_graph(store, graph_id=graph_id, files=files)

    return write


def test_a_missing_constraint_is_named(store: GraphStore, graph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the release promises and nobody made: the database is shared, so none is taken from it."""
    statement = "CREATE CONSTRAINT ks_never_made IF NOT EXISTS FOR (n:Never) REQUIRE n.id IS UNIQUE"
    promised = (*migrations(), Migration(version=1_000, name="1000_never", statements=(statement,)))
    sound = check_graph(store, graph).results[0]
    monkeypatch.setattr(check, "migrations", lambda: promised)
    (result,) = [result for result in check_graph(store, graph).results if result.broken]
    assert (result.name, result.looked_at, result.broken) == ("schema", sound.looked_at + 1, 1)
    assert (result.findings[0].subject, result.findings[0].found) == ("ks_never_made", "missing")


def test_an_unknown_graph_cannot_be_checked(store: GraphStore) -> None:
    with pytest.raises(GraphNotFound):
        check_graph(store, "nowhere")


def test_the_streamed_digest_is_the_digest(store: GraphStore, graph: str) -> None:
    snapshot = load_snapshot(store, graph)
    running = paging.FactsDigest()
    names = {relation.rel_type: relation.name for relation in snapshot.relations.values()}
    for fact in paging.facts(store.read, graph, names):
        running.add(fact.key)
        running.add(fact.key)
    assert running.hexdigest() == snapshot.digest == graph_digest(fact.key for fact in snapshot.facts)
    with pytest.raises(ValueError, match="order"):
        running.add(("", "", ""))


def test_pages_follow_the_order_of_code_points(store: GraphStore, graph_id: str, cypher: Cypher) -> None:
    uids = ["a", "Z", "é", "\uffee", "\U0001f600", "~", "ab", "a b"]
    cypher("UNWIND $uids AS u CREATE (:Entity {graph_id: $graph, uid: u, name: u})", uids=uids, graph=graph_id)
    assert [row.uid for row in paging.entities(store, graph_id)] == sorted(uids)
