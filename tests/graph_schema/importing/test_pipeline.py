"""An import on the real database: bounded batches that may end anywhere, one at a time, versions, dry runs."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from tests.graph_schema.importing.records import CutStore, chain, entity, fact, place, stored, tables

from knowledgesmith.graph_schema.errors import (
    FenceRejected,
    GraphIncomplete,
    GraphUnavailable,
    ImportRejected,
    ImportRunning,
    InvalidInput,
)
from knowledgesmith.graph_schema.graphs.reading import get_graph, list_graphs, load_catalogue, load_snapshot
from knowledgesmith.graph_schema.importing import InputFile, Rejection, import_graph, pipeline
from knowledgesmith.graph_schema.importing.reading.importer import ImportOptions
from knowledgesmith.graph_schema.importing.reading.records import CaseChange, CaseProbe, CaseRecord, Record
from knowledgesmith.graph_schema.importing.recognising import Recognised
from knowledgesmith.graph_schema.importing.writing import loader, lock
from knowledgesmith.graph_schema.importing.writing.loader import ahead
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.interventions.branches import ModelInfo, create_branch, register_model
from knowledgesmith.graph_schema.interventions.cases import list_cases
from knowledgesmith.graph_schema.storage.queries import names
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind

ROOT = Path(__file__).parents[3]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "BATCH", 10)


def _versions(store: GraphStore, graph_id: str) -> list[dict[str, object]]:
    text = "MATCH (v:GraphVersion)-[:OF]->(:Graph {graph_id: $g}) RETURN properties(v) AS v ORDER BY v.number"
    return [row["v"] for row in store.run_user_query(text, {"g": graph_id}, limit=50, timeout_s=10)[1]]


@pytest.mark.usefixtures("small_batches")
def test_an_import_that_ends_after_any_batch_is_completed_by_the_same_import(store: GraphStore, graph_id: str) -> None:
    whole = import_graph(store, graph_id=graph_id, files=chain(30))
    cut = CutStore(StoreSettings(uri=store.uri))
    batches = 0
    for number in range(1, 30):
        other, cut.left = f"{graph_id[:40]}_{number}", number
        try:
            import_graph(cut, graph_id=other, files=chain(30))
        except GraphUnavailable:
            pass
        else:
            break
        batches += 1
        if number == 1:
            continue  # nothing but the lock was taken, and it was given back
        if not _versions(store, other):  # only cases and lock were left to do
            with pytest.raises(GraphIncomplete, match="run the same import"):
                load_catalogue(store, other)
            assert other not in {graph.graph_id for graph in list_graphs(store, after=other[:-1], limit=1)}
        # The lock of the failed import could not be given back: this process is alive, so its lease must end.
        _expire(store, other)
        resumed = import_graph(store, graph_id=other, files=chain(30))
        assert resumed.digest == whole.digest
        assert resumed.entities_created + resumed.entities_matched == whole.entities_created
        assert resumed.entities_matched or number < 4
        (version,) = _versions(store, other)
        assert (version["entities_created"], version["facts_created"]) == (30, whole.facts_created)
        a, b = stored(store, graph_id), stored(store, other)
        assert [n["labels"] for n in a["nodes"]] == [n["labels"] for n in b["nodes"]]
        assert [n["properties"].get("depth") for n in a["nodes"]] == [n["properties"].get("depth") for n in b["nodes"]]
        assert [(f["a"], f["b"], f["type"]) for f in a["links"]] == [(f["a"], f["b"], f["type"]) for f in b["links"]]
    cut.close()
    assert batches >= 12, "every batch was an end"


def _expire(store: GraphStore, graph_id: str) -> None:
    owner = store.run_user_query(
        "MATCH (g:Graph {graph_id: $g}) RETURN g.import_owner AS owner", {"g": graph_id}, limit=1, timeout_s=10
    )[1][0]["owner"]
    if owner:
        store.write("importing/renew", graph_id=graph_id, owner=owner, lease_ms=-1_000, counts=[0] * 6)


@pytest.mark.usefixtures("small_batches")
def test_an_import_that_was_killed_is_completed_at_once(store: GraphStore, graph_id: str) -> None:
    command = [sys.executable, "-m", "tests.graph_schema.importing.killed", store.uri, graph_id, "write facts"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    with pytest.raises(GraphIncomplete):
        load_snapshot(store, graph_id)
    report = import_graph(store, graph_id=graph_id, files=chain(60))
    assert (report.entities_created, report.entities_matched) == (0, 60)
    assert (
        0
        < report.facts_matched
        < report.facts_created + report.facts_matched
        == len(load_snapshot(store, graph_id).facts)
    )
    assert report.version == 1


def test_while_a_graph_is_imported_nobody_else_writes_or_uses_it(store: GraphStore, graph_id: str) -> None:
    register_model(store, ModelInfo(id="m_import", path="p", weights_sha256="w", architecture="a", parameters=1))
    import_graph(store, graph_id=graph_id, files=chain(3))
    held = take_lock(store, graph_id)
    with pytest.raises(ImportRunning):
        import_graph(store, graph_id=graph_id, files=chain(4))
    with pytest.raises(GraphIncomplete):
        create_branch(store, branch_id=f"b_{graph_id}", model_id="m_import", graph_id=graph_id, select=True)
    with pytest.raises(GraphIncomplete):
        load_snapshot(store, graph_id)
    assert get_graph(store, graph_id).facts == 4, "what was there can be looked at"
    held.release(store, untouched=True)
    assert len(load_snapshot(store, graph_id).facts) == 4


def test_a_lock_that_was_taken_over_writes_nothing_more(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LEASE_MS", -1)
    late = take_lock(store, graph_id)
    monkeypatch.undo()
    import_graph(store, graph_id=graph_id, files=chain(3))
    with pytest.raises(FenceRejected):
        store.write_transaction(lambda tx: late.renew(tx, [0] * 6))
    with pytest.raises(FenceRejected):
        late.finish(store, digest="x", source="", format_name="", totals=[0, 0], changed=True)


def test_a_long_comparison_keeps_the_lock(store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = take_lock(store, graph_id)
    text = "MATCH (g:Graph {graph_id: $g}) RETURN g.import_expires AS expires"

    def expires() -> int:
        return int(store.run_user_query(text, {"g": graph_id}, limit=1, timeout_s=10)[1][0]["expires"])

    before = expires()
    seen: list[tuple[str, int]] = []
    monkeypatch.setattr(lock, "LEASE_MS", 4)
    report = held.keeping(store, lambda stage, done: seen.append((stage, done)))
    time.sleep(0.01)
    report("compare", 1)
    assert seen == [("compare", 1)]
    assert expires() < before, "prolonged from now on, by the short lease of this test"
    held.release(store, untouched=True)


def test_an_import_that_fails_before_it_writes_leaves_nothing(store: GraphStore, graph_id: str) -> None:
    cut = CutStore(StoreSettings(uri=store.uri))

    def stop(stage: str, _done: int) -> None:
        if stage == "compare":
            raise KeyboardInterrupt

    import_graph(store, graph_id=graph_id, files=chain(3))
    with pytest.raises(KeyboardInterrupt):
        import_graph(cut, graph_id=graph_id, files=chain(4), progress=stop)
    cut.close()
    assert len(load_snapshot(store, graph_id).entities) == 3


def test_versions_follow_changes_only(store: GraphStore, graph_id: str) -> None:
    first = import_graph(store, graph_id=graph_id, files=chain(4), source="one")
    again = import_graph(store, graph_id=graph_id, files=chain(4), source="one")
    assert (first.version, again.version) == (1, 1)
    second = import_graph(store, graph_id=graph_id, files=chain(3), source="two")
    one, two = _versions(store, graph_id)
    assert (one["digest"], one.get("parent_digest")) == (first.digest, None)
    assert (two["digest"], two["parent_digest"], two["number"], two["format"]) == (
        second.digest,
        first.digest,
        2,
        "tables",
    )
    assert (two["entities_retired"], two["facts_removed"], two["source"]) == (1, second.facts_removed, "two")


def test_a_dry_run_shows_examples_and_writes_nothing(store: GraphStore, graph_id: str) -> None:
    report = import_graph(store, graph_id=graph_id, files=chain(3), validate_only=True)
    assert (report.entities_created, report.version) == (3, 0)
    assert report.examples.entities_created == ("n000", "n001", "n002")
    assert report.examples.facts_created[0] == ("n001", "near", "n002")
    import_graph(store, graph_id=graph_id, files=chain(3))
    before = stored(store, graph_id)
    changed = tables("uid,name\nn000,N 0\nn009,New\n", "subject,relation,object\nn009,up,n000\n")
    examples = import_graph(store, graph_id=graph_id, files=changed, validate_only=True).examples
    assert examples.entities_created == ("n009",)
    assert examples.entities_retired == ("n001", "n002")
    assert examples.entities_changed == ("n000",), "its aliases and its place in the hierarchy"
    assert examples.facts_created == (("n009", "up", "n000"),)
    assert ("n001", "up", "n000") in examples.facts_removed
    assert stored(store, graph_id) == before


def test_bad_records_are_left_out_and_told_one_by_one(store: GraphStore, graph_id: str) -> None:
    rows = "".join(f"a,r,lost{n}\n" for n in range(120))
    files = tables("uid,name\na,A\nb,B\n\x00,x\n", f"subject,relation,object\na,r,b\n{rows}")
    told: list[Rejection] = []
    report = import_graph(store, graph_id=graph_id, files=files, on_rejection=told.append)
    assert (report.rejected, len(told), len(report.rejections)) == (121, 121, 100)
    assert report.reasons == {"object … is no entity's uid or name": 120, "uid holds the control character U+…: …": 1}
    assert len(load_snapshot(store, graph_id).facts) == 1
    with pytest.raises(ImportRejected, match="121 bad rows, nothing was imported"):
        import_graph(store, graph_id=f"{graph_id[:40]}_s", files=files_again(files), strict=True)


def files_again(files: list[InputFile]) -> list[InputFile]:
    for file in files:
        file.content.seek(0)
    return files


def test_nothing_usable_is_an_error(store: GraphStore, graph_id: str) -> None:
    with pytest.raises(ImportRejected, match="name is empty"):
        import_graph(store, graph_id=graph_id, files=tables("uid,name\na,\n", "subject,relation,object\n"))
    assert graph_id not in {graph.graph_id for graph in list_graphs(store, after=graph_id[:-1], limit=2)}


def test_format_and_options_are_checked_first(store: GraphStore, graph_id: str) -> None:
    for arguments, field in (
        ({"format": "x`]"}, "format"),
        ({"options": {"a`b": 1}}, "options.a`b"),
        ({"files": []}, "files"),
        ({"files": [InputFile(name="stuff.unknown", content=io.BytesIO(b"\x00\x01"))]}, "format"),
    ):
        with pytest.raises(InvalidInput) as caught:
            import_graph(store, **{"graph_id": graph_id, "files": chain(2), **arguments})  # type: ignore[arg-type]
        assert caught.value.field == field


class _OneCase:
    """An importer of a test's own records."""

    name: ClassVar[str] = "one-case"
    summary: ClassVar[str] = ""
    endings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[ImportOptions]] = ImportOptions

    def read(self, files: object, options: object) -> Iterator[Record]:
        del files, options
        probe = CaseProbe(
            kind=ProbeKind.DIRECT, polarity=Polarity.CHANGE, family="rephrase", stem="Two\nlines?", answers=["b"]
        )
        change = CaseChange(subject="a", relation="r", old_object="b", new_object="c")
        case = CaseRecord(place=place(9), id="c1", goal=Goal.EDIT, rounds=[[change]], probes=[probe])
        bad = CaseRecord(place=place(10), id="c2", goal=Goal.EDIT, rounds=[])
        yield from (entity("a"), entity("b"), entity("c"), fact("a r b"), case, bad)


def _one_case(_name: str, _files: object) -> Recognised:
    return Recognised(importer=_OneCase(), files=())


def test_cases_come_with_their_graph(store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "choose_importer", _one_case)
    report = import_graph(store, graph_id=graph_id, files=chain(1))
    assert (report.cases, report.rejected, str(report.rejections[0].place)) == (1, 1, "f:10")
    (case,) = list_cases(store, graph_id=graph_id, limit=5)
    assert (case.id, case.rounds[0][0].new_object, case.families) == ("c1", "c", {"rephrase": 1})
    monkeypatch.undo()
    import_graph(store, graph_id=graph_id, files=chain(2))
    assert not list_cases(store, graph_id=graph_id, limit=5)


def test_hostile_names_stay_data_and_queries_constant(store: GraphStore, graph_id: str) -> None:
    hostile = [
        "x`]->() DETACH DELETE n //",
        "HAS_CHILD",
        "a:Root",
        "'}) SET n.pwned = 1 //",
        "$(row[2])",
        "${jndi:ldap://x}",
        "\u202egnp",
    ]
    text = "".join(f'"{word}","{word}"\n' for word in hostile)
    facts = "".join(f'"{word}","{word}","{hostile[0]}","{word}"\n' for word in hostile[1:])
    ran: set[str] = set()
    watching = GraphStore(StoreSettings(uri=store.uri), observe=lambda name, _seconds, _outcome: ran.add(name))
    files = tables(f"uid,name\n{text}", f"subject,relation,object,source\n{facts}")
    import_graph(watching, graph_id=graph_id, files=files, strict=True)
    watching.close()
    assert ran <= set(names()), "nothing but packaged queries"
    snapshot = load_snapshot(store, graph_id)
    assert set(snapshot.entities) == set(hostile)
    assert {fact.relation for fact in snapshot.facts} == set(hostile[1:])
    labels = {label for node in stored(store, graph_id)["nodes"] for label in node["labels"]}
    assert labels == {"Entity", "Leaf"}


def test_writing_runs_one_batch_ahead_and_stops_at_the_first_failure() -> None:
    def write(batch: int) -> int:
        if batch == 2:
            raise ValueError(batch)
        return batch * 10

    made = ahead(iter(range(9)), write)
    assert [next(made), next(made)] == [0, 10]
    with pytest.raises(ValueError, match="2"):
        next(made)
    assert list(ahead(iter(()), write)) == []
