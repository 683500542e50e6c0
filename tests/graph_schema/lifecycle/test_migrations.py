"""A database of the first release is brought up to this one's schema, and what stands in it goes on working."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.graph_schema.lifecycle.conftest import Cypher

from knowledgesmith.graph_schema.archive.load import load_archive
from knowledgesmith.graph_schema.archive.write import export_graph
from knowledgesmith.graph_schema.errors import GraphUnavailable, SchemaTooNew
from knowledgesmith.graph_schema.graphs.reading import load_snapshot
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.maintenance.deletion import Folders, delete_graph
from knowledgesmith.graph_schema.storage import migrations as migration_files
from knowledgesmith.graph_schema.storage.migrations import migrate, migrations
from knowledgesmith.graph_schema.storage.store import GraphStore, Row
from knowledgesmith.graph_schema.types.digests import graph_digest
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.worlds.resolving import resolve_entity

FACTS = [("japan", "in", "asia"), ("peru", "in", "america"), ("japan", "near", "peru")]
FIRST_RELEASE = """
CREATE (g:Graph {graph_id: $graph, digest: $digest, source: 'first', imports: 1, created_at: datetime(),
                 imported_at: datetime(), head_branch: $graph})
CREATE (m:Model {id: $graph, path: '/m', weights_sha256: 'w', architecture: 'tiny', parameters: 1,
                 created_at: datetime()})
CREATE (r:Revision {id: $graph + '.base', artefact_sha256: '', weights_sha256: 'w', created_at: datetime()})
CREATE (m)-[:BASE]->(r)
CREATE (b:Branch {id: $graph, graph_id: $graph, model_id: $graph, created_at: datetime()})
CREATE (b)-[:OF]->(m)
CREATE (b)-[:HEAD]->(r)
WITH g
UNWIND [['in', true], ['near', false]] AS row
CREATE (:Relation {graph_id: $graph, name: row[0], rel_type: toUpper(row[0]) + '_', domain_type: '', range_type: '',
                   functional: false, inverse_functional: false, symmetric: false, transitive: false,
                   hierarchical: row[1], composed_of: [], templates: '[]'})
WITH DISTINCT g
UNWIND $uids AS uid
CREATE (e:Entity {graph_id: $graph, uid: uid, name: uid, type: '', domain: '', aliases: [], retired: false})
WITH e, CASE WHEN e.uid IN ['asia', 'america'] THEN 'Root' ELSE 'Leaf' END AS level
SET e:$(level), e.depth = CASE level WHEN 'Root' THEN 0 ELSE 1 END
WITH count(*) AS entities
UNWIND $facts AS row
MATCH (s:Entity {graph_id: $graph, uid: row[0]})
MATCH (o:Entity {graph_id: $graph, uid: row[2]})
CREATE (s)-[:$(toUpper(row[1]) + '_') {fact_id: row[3], source: '', graph_id: $graph}]->(o)
FOREACH (one IN CASE row[1] WHEN 'in' THEN [1] ELSE [] END | CREATE (o)-[:HAS_CHILD]->(s))
"""

CONTENT = "MATCH (n {graph_id: $graph}) RETURN n {.*, name_keys: null} AS n ORDER BY n.uid, n.name"
"""Everything of a graph but what the migrations add."""


def _schema(cypher: Cypher) -> set[str]:
    names = [*cypher("SHOW CONSTRAINTS YIELD name"), *cypher("SHOW INDEXES YIELD name")]
    return {row["name"] for row in names if row["name"].startswith("ks_")}


@pytest.fixture
def first_release(store: GraphStore, graph_id: str, cypher: Cypher) -> Iterator[str]:
    """The database as the first release left it: migration 1 alone, and a graph with a branch."""
    for migration in migrations()[1:]:
        for statement in migration.statements:
            if made := re.match(r"CREATE (CONSTRAINT|(?:\w+ )?INDEX) (\w+) IF NOT EXISTS", statement):
                kind = "CONSTRAINT" if made[1] == "CONSTRAINT" else "INDEX"
                cypher(f"DROP {kind} {made[2]} IF EXISTS")
    for statement in migrations()[0].statements:
        cypher(statement)
    cypher("MATCH (s:KnowledgeSmithSchema) SET s.version = 1")
    cypher(
        FIRST_RELEASE,
        graph=graph_id,
        digest=graph_digest(FACTS),
        uids=["japan", "peru", "asia", "america"],
        facts=[[s, r, o, fact_id(graph_id, s, r, o)] for s, r, o in FACTS],
    )
    yield graph_id
    cypher("MATCH (s:KnowledgeSmithSchema) SET s.version = 1")
    migrate(store)


def test_the_first_release_is_migrated_once(
    store: GraphStore,
    first_release: str,
    cypher: Cypher,
    census: Callable[[], Counter[str]],
    tmp_path: Path,
) -> None:
    before, content = census(), cypher(CONTENT, graph=first_release)
    newest = migrations()[-1].version
    assert migrate(store) == newest
    schema, (record,) = _schema(cypher), cypher("MATCH (s:KnowledgeSmithSchema) RETURN s {.*} AS s")
    assert record["s"]["version"] == newest
    assert census() == before
    assert cypher(CONTENT, graph=first_release) == content
    assert resolve_entity(store, first_release, "JAPAN") == "japan", "names of old entities have their keys"
    assert migrate(store) == newest
    assert cypher("MATCH (s:KnowledgeSmithSchema) RETURN s {.*} AS s") == [record]
    assert _schema(cypher) == schema
    statements = [s for m in migrations() for s in m.statements]
    made, dropped = (
        {name for s in statements if s.startswith(verb) for name in re.findall(r"\bks_\w+", s)}
        for verb in ("CREATE", "DROP")
    )
    assert made - dropped == schema
    assert check_graph(store, first_release).sound
    assert list_versions(store, first_release) == []
    snapshot = load_snapshot(store, first_release)
    export_graph(store, first_release, tmp_path / "first.ksmith", folders=Folders())
    delete_graph(store, first_release, with_branches=True)
    load_archive(store, tmp_path / "first.ksmith", folders=Folders())
    assert load_snapshot(store, first_release) == snapshot


def test_head_beliefs_of_earlier_releases_are_renamed_page_by_page_also_after_a_cut(
    store: GraphStore, first_release: str, cypher: Cypher, monkeypatch: pytest.MonkeyPatch
) -> None:
    cypher("MATCH (e:Entity {graph_id: $graph}) SET e.belief_run = 'i-' + e.uid, e.belief = 0.5", graph=first_release)
    monkeypatch.setattr(migration_files, "_PAGE", 2)
    write, calls = store.write, list[tuple[str, Any]]()

    def cut(name: str, **params: Any) -> list[Row]:
        calls.append((name, params.get("graph_id")))
        if calls.count(("interventions/ledger/heads_rename", first_release)) > 1:
            raise GraphUnavailable("the database went away")
        return write(name, **params)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", cut)
        with pytest.raises(GraphUnavailable):
            migrate(store)
    named = "MATCH (e:Entity {graph_id: $graph}) RETURN e.uid AS uid, e.belief_run AS old, e.belief_intervention AS new"
    assert Counter(row["old"] is None for row in cypher(named, graph=first_release)) == {True: 2, False: 2}
    assert migrate(store) == migrations()[-1].version
    assert [(row["old"], row["new"]) for row in cypher(named, graph=first_release)] == [
        (None, f"i-{row['uid']}") for row in cypher(named, graph=first_release)
    ]
    cypher("MATCH (e:Entity {graph_id: $graph}) REMOVE e.belief, e.belief_intervention", graph=first_release)


DAMAGED = {
    "no name": ("{aliases: []}", []),
    "no name and no aliases": ("{}", []),
    "aliases alone": ("{aliases: ['Nippon']}", ["nippon"]),
    "no aliases": ("{name: 'Japan'}", ["japan"]),
    "a number for a name": ("{name: 5, aliases: ['Nippon']}", ["nippon"]),
    "a list for a name": ("{name: ['a', 'b'], aliases: ['Nippon']}", ["nippon"]),
    "numbers for aliases": ("{name: 'Japan', aliases: [1, 2]}", ["japan"]),
    "one number for aliases": ("{name: 'Japan', aliases: 7}", ["japan"]),
    "one text for aliases": ("{name: 'Japan', aliases: 'Nippon'}", ["japan", "nippon"]),
}
"""Properties that somebody left on an entity by hand, and the keys that it has then."""


def test_an_entity_damaged_by_hand_does_not_keep_a_database_from_starting(
    store: GraphStore, first_release: str, cypher: Cypher
) -> None:
    for uid, (properties, _) in DAMAGED.items():
        made = f"CREATE (e:Entity:Leaf {properties}) SET e.graph_id = $graph, e.uid = $uid, e.retired = true"
        cypher(made, graph=first_release, uid=uid)
    migrate(store)
    found = cypher("MATCH (e:Entity {graph_id: $graph}) RETURN e.uid AS uid, e.name_keys AS keys", graph=first_release)
    keys = {row["uid"]: row["keys"] for row in found}
    assert {uid: keys[uid] for uid in DAMAGED} == {uid: expected for uid, (_, expected) in DAMAGED.items()}
    named = {f.subject for result in check_graph(store, first_release).results for f in result.findings}
    assert {uid for uid, (properties, _) in DAMAGED.items() if "name" not in properties} <= named


def test_entities_without_a_name_or_aliases_are_written_as_they_come(
    store: GraphStore, graph_id: str, cypher: Cypher
) -> None:
    """Archives of damaged graphs may hold such."""
    made = [["u1", None, "", "", None, "Leaf", 0], ["u2", "Japan", "", "", None, "Leaf", 0]]
    (row,) = store.write("importing/entities_create", graph_id=graph_id, rows=made)
    changed = [[element, *fields] for element, (_, *fields) in zip(row["elements"], made, strict=True)]
    assert store.write("importing/entities_update", graph_id=graph_id, rows=changed)[0]["updated"] == len(made)
    loaded = [["u3", None, "", "", None, True, None, None], ["u4", "Japan", "", "", None, False, None, None]]
    store.write("archive/load_entities", graph_id=graph_id, rows=loaded)
    query = "MATCH (e:Entity {graph_id: $graph}) RETURN e.name_keys AS keys ORDER BY e.uid"
    assert [row["keys"] for row in cypher(query, graph=graph_id)] == [[], ["japan"]] * 2


def test_a_database_of_a_newer_release_is_left_alone(store: GraphStore, cypher: Cypher) -> None:
    newest = migrations()[-1].version
    cypher("MATCH (s:KnowledgeSmithSchema) SET s.version = $version", version=newest + 1)
    try:
        with pytest.raises(SchemaTooNew, match=str(newest + 1)):
            migrate(store)
    finally:
        cypher("MATCH (s:KnowledgeSmithSchema) SET s.version = $version", version=newest)
