"""The store: migrations, transactions, errors, and the operator's read-only query."""

from __future__ import annotations

import math
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import neo4j
import pytest
from neo4j import exceptions as driver_errors

from knowledgesmith.graph_schema.errors import GraphUnavailable, InvalidInput, ReadOnlyQuery, SchemaTooNew, TooLarge
from knowledgesmith.graph_schema.storage import migrations as migration_files
from knowledgesmith.graph_schema.storage import queries
from knowledgesmith.graph_schema.storage.migrations import Migration, migrate, migrations, split_statements
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings, Transaction
from knowledgesmith.graph_schema.types import cypher

REPEATABLE = re.compile(r"^CREATE .* IF NOT EXISTS |^DROP .* IF EXISTS$|^CALL db\.awaitIndexes\(")
"""What a statement of a migration looks like that may run twice."""


def _count(store: GraphStore, graph_id: str) -> int:
    text = "MATCH (g:Graph {graph_id: $g}) RETURN count(g) AS n"
    return int(store.run_user_query(text, {"g": graph_id}, limit=1, timeout_s=10)[1][0]["n"])


def test_migrating_twice_changes_nothing(store: GraphStore) -> None:
    text = "SHOW INDEXES YIELD name, state WHERE name STARTS WITH 'ks_' RETURN name, state ORDER BY name"
    before = store.run_user_query(text, {}, limit=1000, timeout_s=10)[1]
    assert migrate(store) == migrate(store) == migrations()[-1].version
    assert store.run_user_query(text, {}, limit=1000, timeout_s=10)[1] == before
    assert {row["state"] for row in before} == {"ONLINE"}


def test_every_promised_constraint_exists(store: GraphStore) -> None:
    text = "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes AS on, properties WHERE name STARTS WITH 'ks_' RETURN *"
    rows = store.run_user_query(text, {}, limit=1000, timeout_s=10)[1]
    unique = {(row["on"][0], tuple(row["properties"])) for row in rows}
    assert unique >= {
        ("Entity", ("graph_id", "uid")),
        ("Graph", ("graph_id",)),
        ("Relation", ("graph_id", "name")),
        ("Intervention", ("id",)),
        ("Intervention", ("request_id",)),
        ("Branch", ("id",)),
        ("Revision", ("id",)),
        ("Model", ("id",)),
        ("Probe", ("id",)),
        ("ProbeSet", ("id",)),
        ("CHANGED", ("intervention", "seq")),
    }


class _Versioned(GraphStore):
    """A real store that claims another schema version."""

    claimed = 10_000

    def read(self, name: str, /, **params: object) -> list[dict[str, object]]:
        return [{"version": self.claimed}] if name == "storage/schema_version" else super().read(name, **params)


def test_a_newer_schema_is_refused(neo4j_uri: str) -> None:
    newer = _Versioned.connect(StoreSettings(uri=neo4j_uri))
    with pytest.raises(SchemaTooNew) as caught:
        migrate(newer)
    newer.close()
    assert caught.value.metadata == {"present": "10000", "known": str(migrations()[-1].version)}


def test_only_newer_migrations_run(store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []
    recorded: list[object] = []

    def write(_name: str, *, version: int) -> None:
        recorded.append(version)

    def read(_name: str) -> list[dict[str, int]]:
        return [{"version": 1}]

    later = Migration(version=2, name="0002_x", statements=("RETURN 2",))
    monkeypatch.setattr(migration_files, "migrations", lambda: (migrations()[0], later))
    monkeypatch.setattr(store, "run_script", ran.append)
    monkeypatch.setattr(store, "read", read)
    monkeypatch.setattr(store, "write", write)
    assert migrate(store) == 2
    assert (ran, recorded) == ([("RETURN 2",)], [2])


def test_migrations_are_numbered_and_repeatable() -> None:
    for migration in migrations():
        assert migration.name.startswith(f"{migration.version:04d}_")
        assert all(REPEATABLE.search(s) for s in migration.statements)


def test_a_gap_in_the_numbers_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    for name in ("0001_a.cypher", "0003_b.cypher", "notes.txt"):
        (folder / name).write_text("RETURN 1\n;\n", encoding="utf-8")
    monkeypatch.setattr(migration_files, "files", lambda _package: tmp_path)  # pyright: ignore[reportUnknownLambdaType]
    with pytest.raises(ValueError, match="0003_b"):
        migrations.__wrapped__()


def test_statements_are_split_at_separators() -> None:
    assert split_statements("// why\nA\n  B\n;\n\nC\n;\n") == ("A\n  B", "C")
    with pytest.raises(ValueError, match="separator"):
        split_statements("A\n;\nB\n")


def test_a_failing_unit_of_work_leaves_nothing(store: GraphStore, graph_id: str) -> None:
    def work(tx: Transaction) -> None:
        tx.rows("archive/load_begin", graph_id=graph_id, archive="")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.write_transaction(work)
    assert _count(store, graph_id) == 0


def test_a_long_transaction_forgets_the_parameters_of_its_queries(store: GraphStore, graph_id: str) -> None:
    """Else a run of a million probes would hold them all in memory until its end."""
    uid = "".join(["a uid", " that nobody else holds"])
    uids = [uid]
    before = sys.getrefcount(uid)
    with store.what_if() as tx:
        for _ in range(3):
            assert tx.rows("probes/scope", graph_id=graph_id, uids=uids) == []
        assert sys.getrefcount(uid) == before
        assert uids == [uid]


def test_a_what_if_is_seen_inside_and_nowhere_else(store: GraphStore, graph_id: str) -> None:
    with store.what_if() as tx:
        tx.rows("archive/load_begin", graph_id=graph_id, archive="")
        assert tx.rows("archive/load_end", graph_id=graph_id, archive="", properties={"digest": "d"})
        (seen,) = tx.rows("graphs/state", graph_id=graph_id)
        assert (seen["digest"], seen["state"]) == ("d", "ready")
        assert _count(store, graph_id) == 0
    assert _count(store, graph_id) == 0


def test_parameters_must_be_those_of_the_header(store: GraphStore) -> None:
    with pytest.raises(TypeError, match="takes"):
        store.read("graphs/state", graph="x")


def test_queries_are_observed(neo4j_uri: str) -> None:
    seen: list[tuple[str, str]] = []
    store = GraphStore.connect(
        StoreSettings(uri=neo4j_uri), observe=lambda name, _seconds, outcome: seen.append((name, outcome))
    )
    store.read("storage/schema_version")
    with pytest.raises(Exception, match="expected Integer"):
        store.read("graphs/list", after="", limit="many")
    store.close()
    assert seen[0] == ("storage/schema_version", "ok")
    assert seen[-1][0] == "graphs/list"
    assert seen[-1][1] != "ok"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE (:X)",
        "MATCH (n) DETACH DELETE n",
        "MERGE (:X)",
        "MATCH (n) SET n.x = 1",
        "CREATE INDEX x FOR (n:X) ON (n.x)",
        "MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS",
        "DROP CONSTRAINT ks_entity_uid",
        "MATCH (n) RETURN n UNION CREATE (n) RETURN n",
        "LOAD CSV FROM 'x' AS l CREATE (:X)",
    ],
)
def test_a_writing_query_of_the_operator_is_refused(store: GraphStore, text: str) -> None:
    with pytest.raises((ReadOnlyQuery, InvalidInput)):
        store.run_user_query(text, {}, limit=10, timeout_s=10)


def test_a_query_of_the_operator_is_limited(store: GraphStore) -> None:
    columns, rows = store.run_user_query("UNWIND range(1, $n) AS x RETURN x", {"n": 50}, limit=7, timeout_s=10)
    assert (columns, len(rows)) == (["x"], 7)


@pytest.mark.parametrize(
    "text",
    [
        "UNWIND range(1, 200) AS x RETURN reduce(s = 'äaaaaaaaaaaaaaaa', y IN range(1, 14) | s + s) AS t",
        "UNWIND range(1, 40) AS x WITH x + reduce(s = 'aaaaaaaa', y IN range(1, 16) | s + s) AS t RETURN collect(t)",
    ],
    ids=["many rows", "one row"],
)
def test_the_rows_of_a_query_are_limited_in_bytes(store: GraphStore, text: str) -> None:
    with pytest.raises(TooLarge, match="16 MiB") as caught:
        store.run_user_query(text, {}, limit=1000, timeout_s=600)
    assert caught.value.hint


def test_bad_syntax_is_the_users_fault(store: GraphStore) -> None:
    with pytest.raises(InvalidInput) as caught:
        store.run_user_query("MATCH (", {}, limit=1, timeout_s=5)
    assert caught.value.field == "query"


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(GraphUnavailable, match="does not answer") as caught:
        GraphStore.connect(StoreSettings(uri=f"bolt://127.0.0.1:{port}", timeout_s=1))
    assert caught.value.hint


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "", "bolt+routing://127.0.0.1:1", "neo4jx://a", "../x"])
def test_a_malformed_address_is_the_users_fault(uri: str) -> None:
    with pytest.raises(InvalidInput, match="bolt"):
        GraphStore(StoreSettings(uri=uri))


def test_user_values_keep_what_they_are(store: GraphStore) -> None:
    text = """
    RETURN 0.0 / 0.0 AS nan, [1.0 / 0.0, 1.5] AS list, point({x: 1, y: 2, z: 3}) AS point,
           {d: date('2020-01-02')} AS map, duration('P1DT2S') AS duration, datetime('2020-01-02T03:04:05Z') AS time,
           $bytes AS bytes, 9223372036854775807 AS large, 8.0 AS whole
    """
    columns, [row] = store.run_user_query(text, {"bytes": b"\x00\xff"}, limit=1, timeout_s=10)
    assert columns == ["nan", "list", "point", "map", "duration", "time", "bytes", "large", "whole"]
    assert math.isnan(row["nan"])
    assert row["list"] == [math.inf, 1.5]
    assert row["point"] == cypher.Point(srid=9157, coordinates=(1.0, 2.0, 3.0))
    assert row["map"] == {"d": cypher.Temporal("2020-01-02")}
    assert row["duration"] == cypher.Temporal("P1DT2S")
    assert row["time"].text.startswith("2020-01-02T03:04:05")
    assert row["bytes"] == b"\x00\xff"
    assert row["large"] == 2**63 - 1
    assert type(row["whole"]) is float


def test_user_queries_keep_labels_types_and_properties(store: GraphStore, graph_id: str) -> None:
    store.write("importing/begin", graph_id=graph_id, owner="o", dead="", lease_ms=1)
    try:
        text = "MATCH (g:Graph {graph_id: $g}) RETURN g, [g] AS list"
        _, [row] = store.run_user_query(text, {"g": graph_id}, limit=1, timeout_s=10)
    finally:
        store.write("importing/release", graph_id=graph_id, owner="o", untouched=True)
    assert row["g"].labels == ("Graph",)
    assert row["g"].properties["graph_id"] == graph_id
    assert row["list"] == [row["g"]]
    text = "MATCH p = (a)-[r:HAS_CHILD]->(b) RETURN r, p, a, b"
    for found in store.run_user_query(text, {}, limit=1, timeout_s=10)[1]:
        assert found["r"].type == "HAS_CHILD"
        assert (found["r"].start_id, found["r"].end_id) == (found["a"].id, found["b"].id)
        assert found["p"] == cypher.Path(nodes=(found["a"], found["b"]), relationships=(found["r"],))


def test_a_transaction_that_needs_too_much_memory_is_not_tried_again(
    store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt would need as much again, until the server as a whole has none left."""
    attempts: list[int] = []

    def run(*_: object, **__: object) -> None:
        attempts.append(1)
        error = driver_errors.TransientError("full")
        monkeypatch.setattr(type(error), "code", "Neo.TransientError.General.MemoryPoolOutOfMemoryError")
        raise error

    monkeypatch.setattr(neo4j.ManagedTransaction, "run", run)
    with pytest.raises(TooLarge, match="more memory"):
        store.write("suggesting/lock", graph_id="none")
    assert len(attempts) == 1


@pytest.mark.parametrize(
    "failure", [FileNotFoundError("a file of ours"), TimeoutError("ours"), OSError(28, "disk full")]
)
def test_what_fails_in_the_work_itself_is_not_told_as_the_database(store: GraphStore, failure: OSError) -> None:
    def work(tx: Transaction) -> None:
        tx.rows("storage/schema_version")
        raise failure

    for way in (store.read_transaction, store.write_transaction, store.try_out):
        with pytest.raises(OSError, match=re.escape(str(failure))) as caught:
            way(work)
        assert caught.value is failure


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00"], ids=["none", "http", "cut off"]
)
def test_what_a_socket_says_is_told_as_the_database(answer: bytes) -> None:
    def serve() -> None:
        with suppress(OSError):
            while True:
                with listening.accept()[0] as caller:
                    caller.recv(64)
                    caller.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=serve, daemon=True).start()
        settings = StoreSettings(uri=f"bolt://127.0.0.1:{listening.getsockname()[1]}", timeout_s=1)
        with pytest.raises(GraphUnavailable, match="does not answer"):
            GraphStore.connect(settings)
        listening.shutdown(socket.SHUT_RDWR)


def test_an_open_store_needs_no_files_any_more(
    neo4j_uri: str, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade in place replaces them under a process that runs."""
    queries.load.cache_clear()
    queries.load_all.cache_clear()
    opened = GraphStore.connect(StoreSettings(uri=neo4j_uri))
    try:
        monkeypatch.setattr(queries, "files", lambda _package: Path("/nowhere"))  # pyright: ignore[reportUnknownLambdaType]
        assert opened.read("storage/schema_version") == store.read("storage/schema_version")
        assert opened.read("graphs/list", after="", limit=1) is not None
    finally:
        opened.close()


@pytest.mark.parametrize(
    "text",
    [
        "RETURN date('-999999999-01-01') AS x",
        "RETURN [1, {a: date('+12345-01-01')}] AS x",
        "RETURN localdatetime('+999999999-12-31T00:00:00') AS x",
    ],
)
def test_a_time_beyond_pythons_years_is_told_with_the_way_out(store: GraphStore, text: str) -> None:
    with pytest.raises(InvalidInput, match="year 1 to 9999") as caught:
        store.run_user_query(text, {}, limit=1, timeout_s=10)
    assert (caught.value.field, caught.value.hint) == ("query", "Return toString(…) of it.")
    _, [row] = store.run_user_query("RETURN toString(date('-999999999-01-01')) AS x", {}, limit=1, timeout_s=10)
    assert row == {"x": "-999999999-01-01"}
