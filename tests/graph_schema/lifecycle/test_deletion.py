"""Deleting takes everything that belongs to a thing, nothing else, in small steps, and says why when it will not."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from tests.graph_schema.lifecycle.conftest import LIMA, PARIS, Cypher, Runs, import_world

from knowledgesmith.graph_schema.errors import (
    BranchNotFound,
    GraphNotFound,
    IllegalState,
    ImportRunning,
    InterventionNotFound,
    ProbeSetNotFound,
    StillReferenced,
)
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.interventions import branches, steps
from knowledgesmith.graph_schema.maintenance import deletion
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.maintenance.deletion import (
    Folders,
    delete_branch,
    delete_graph,
    delete_intervention,
    delete_probe_set,
    deleted_before,
)
from knowledgesmith.graph_schema.operations import operations
from knowledgesmith.graph_schema.operations.records import OperationRecord
from knowledgesmith.graph_schema.operations.tally import Tally
from knowledgesmith.graph_schema.probes.generation.generate import generate
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.probes import ProbeKind

Census = Callable[[], Counter[str]]
HEADS = "MATCH (e:Entity {graph_id: $graph}) RETURN e.uid AS uid, properties(e) AS heads ORDER BY uid"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for name in ("sets", "artefacts"):
        (tmp_path / name).mkdir()
    return Folders(probe_sets=tmp_path / "sets", artefacts=tmp_path / "artefacts")


def _artefact(store: GraphStore, folders: Folders, run: str) -> Path:
    assert folders.artefacts is not None
    path = folders.artefacts / f"{steps.get(store, run).artefact_sha256}.safetensors"
    path.write_bytes(b"weights")
    return path


def test_a_run_goes_without_a_trace_and_the_heads_stay(
    store: GraphStore,
    runs: Runs,
    census: Census,
    cypher: Cypher,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deletion, "BATCH", 20)
    branch = runs.branch()
    kept = runs.finish(branch, PARIS)
    before, heads = census(), cypher(HEADS, graph=runs.graph_id)
    rolled_back = runs.finish(branch, LIMA)
    runs.roll_back(branch)
    failed = runs.finish(branch, LIMA, commit=False)
    files = [_artefact(store, folders, run) for run in (kept, rolled_back, failed)]
    for run in (rolled_back, failed):
        report = delete_intervention(store, run, folders=folders)
        assert report.removed["interventions"] == 1
        assert report.removed["ledger rows"] > 20
        assert report.removed["planned probes"] >= report.removed["ledger rows"]
        with pytest.raises(InterventionNotFound):
            delete_intervention(store, run)
    assert [path.exists() for path in files] == [True, False, False]
    assert census() == before
    assert cypher(HEADS, graph=runs.graph_id) == heads
    assert check_graph(store, runs.graph_id).sound


def test_a_run_that_others_build_upon_stays_until_they_are_rolled_back(store: GraphStore, runs: Runs) -> None:
    branch = runs.branch()
    first, second = runs.finish(branch, PARIS), runs.finish(branch, LIMA)
    with pytest.raises(StillReferenced, match=second):
        delete_intervention(store, first)
    with pytest.raises(StillReferenced, match="Roll it back"):
        delete_intervention(store, second)
    runs.roll_back(branch)
    runs.roll_back(branch)
    delete_intervention(store, first)
    line = branches.lineage(store, branch, steps.get(store, second).revision_id)
    assert len(line) == 3, "the revision of the later run still leads to the base"
    delete_intervention(store, second)
    assert len(branches.revisions(store, branch)) == 1
    assert check_graph(store, runs.graph_id).sound


def test_nothing_is_deleted_under_an_intervention(store: GraphStore, runs: Runs, census: Census) -> None:
    branch = runs.branch()
    waiting = runs.queue(branch, PARIS)
    before = census()
    with pytest.raises(IllegalState, match="ended"):
        delete_intervention(store, waiting)
    with pytest.raises(IllegalState, match="ended"):
        delete_branch(store, branch, with_interventions=True)
    with pytest.raises(IllegalState, match="ended"):
        delete_graph(store, runs.graph_id, with_branches=True)
    assert census() == before
    assert branches.get_branch(store, branch).head_revision


def test_a_branch_goes_with_its_runs_only_when_asked(
    store: GraphStore, runs: Runs, census: Census, folders: Folders
) -> None:
    model_only = Counter({"Model": 1, "Revision": 1, "BASE": 1})
    before = census()
    branch = runs.branch()
    made = [runs.finish(branch, PARIS), runs.finish(branch, LIMA)]
    files = [_artefact(store, folders, run) for run in made]
    with pytest.raises(StillReferenced, match="2 interventions"):
        delete_branch(store, branch, folders=folders)
    report = delete_branch(store, branch, with_interventions=True, folders=folders)
    assert (report.removed["interventions"], report.removed["revisions"], len(report.files_removed)) == (2, 2, 2)
    assert not any(path.exists() for path in files)
    assert census() == before + model_only
    with pytest.raises(BranchNotFound):
        delete_branch(store, branch)
    assert check_graph(store, runs.graph_id).sound


def test_two_probe_sets_share_their_probes_until_both_are_gone(
    store: GraphStore, runs: Runs, census: Census, folders: Folders
) -> None:
    assert folders.probe_sets is not None
    before = census()
    made = [
        probe_set.save(
            store,
            generate(store, graph_id=runs.graph_id, kinds=kinds, seed=1, limit_per_kind=20),
            directory=folders.probe_sets,
            materialise=True,
        )
        for kinds in ((ProbeKind.DIRECT,), (ProbeKind.DIRECT, ProbeKind.REVERSE))
    ]
    delete_probe_set(store, made[1].id, folders=folders)
    assert census()["Probe"] == before["Probe"] + 20
    assert [path.stem for path in folders.probe_sets.iterdir()] == [made[0].digest]
    delete_probe_set(store, made[0].id, folders=folders)
    assert not any(folders.probe_sets.iterdir())
    assert census() == before
    with pytest.raises(ProbeSetNotFound):
        delete_probe_set(store, made[0].id)


def test_a_graph_is_not_deleted_under_an_import(store: GraphStore, graph: str) -> None:
    lock = take_lock(store, graph)
    with pytest.raises(ImportRunning):
        delete_graph(store, graph)
    lock.release(store, untouched=True)
    assert check_graph(store, graph).sound
    runs = Runs(store, graph)
    runs.branch()
    with pytest.raises(StillReferenced):
        delete_graph(store, graph)
    assert check_graph(store, graph).sound  # what was refused left no lock
    assert delete_graph(store, graph, with_branches=True).removed["graphs"] == 1


def test_a_graph_goes_without_a_trace_even_when_cut_off(
    store: GraphStore,
    graph_id: str,
    census: Census,
    cypher: Cypher,
    folders: Folders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert folders.probe_sets is not None
    before = census()
    import_world(store, graph_id)
    runs = Runs(store, graph_id)
    runs.finish(runs.branch(), PARIS)
    data = generate(store, graph_id=graph_id, kinds=(ProbeKind.DIRECT,), seed=1, limit_per_kind=20)
    probe_set.save(store, data, directory=folders.probe_sets, materialise=True)
    cypher(
        "MATCH (g:Graph {graph_id: $graph}) CREATE (:GraphVersion {graph_id: $graph, number: 9})-[:OF]->(g) "
        "WITH g MATCH (e:Entity {graph_id: $graph, uid: 'japan'}) "
        "CREATE (c:Case {graph_id: $graph, id: 'c'})-[:CHANGES {position: 0}]->(e) CREATE (c)-[:ASKS]->(:CaseProbe)",
        graph=graph_id,
    )
    with pytest.raises(StillReferenced, match="1 branches with 1 interventions, and 1 probe sets"):
        delete_graph(store, graph_id, folders=folders)
    monkeypatch.setattr(deletion, "BATCH", 7)
    monkeypatch.setattr(deletion, "_ENTITIES", 5)
    for calls in (3, 10, 15):
        _cut_off(store, monkeypatch, after=calls, work=lambda: delete_graph(store, graph_id, with_branches=True))
        with pytest.raises(GraphNotFound):
            check_graph(store, graph_id)
    report = delete_graph(store, graph_id, folders=folders)
    assert report.removed["graphs"] == 1
    assert census() == before + Counter({"Model": 1, "Revision": 1, "BASE": 1})
    with pytest.raises(GraphNotFound):
        delete_graph(store, graph_id)


@pytest.fixture
def tally(store: GraphStore) -> Tally:
    """The tally of an operation that has begun."""
    operation = str(uuid.uuid4())
    record = OperationRecord(
        id=operation,
        method="DeleteGraph",
        resource_id="",
        actor="",
        request_id=operation,
        body_digest="",
        home=operation,
    )
    operations.create(store, record)
    return Tally(operation)


def test_attempts_that_were_cut_off_and_the_last_one_tell_together_what_a_whole_one_tells(
    store: GraphStore, graph_id: str, folders: Folders, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the process ended: the counts are exact, and no file is left behind."""
    assert folders.probe_sets is not None
    monkeypatch.setattr(deletion, "BATCH", 7)
    monkeypatch.setattr(deletion, "_ENTITIES", 5)

    def make() -> None:
        import_world(store, graph_id)
        runs = Runs(store, graph_id)
        runs.finish(runs.branch(), PARIS)
        data = generate(store, graph_id=graph_id, kinds=(ProbeKind.DIRECT,), seed=1, limit_per_kind=20)
        probe_set.save(store, data, directory=folders.probe_sets or Path(), materialise=True)

    make()
    whole = delete_graph(store, graph_id, with_branches=True, folders=folders)
    assert whole.files_removed
    make()
    for calls in (3, 8, 12, 17):
        _cut_off(
            store,
            monkeypatch,
            after=calls,
            work=lambda: delete_graph(store, graph_id, with_branches=True, folders=folders, tally=tally),
        )
    assert delete_graph(store, graph_id, with_branches=True, folders=folders, tally=tally) == whole
    assert not list(folders.probe_sets.iterdir())


def test_what_was_deleted_to_the_last_node_is_told_by_the_next_attempt(
    store: GraphStore, graph_id: str, folders: Folders, tally: Tally
) -> None:
    import_world(store, graph_id)
    report = delete_graph(store, graph_id, folders=folders, tally=tally)
    assert report.removed["graphs"] == 1
    assert deleted_before(store, graph_id, tally=tally, folders=folders) == report


def _cut_off(store: GraphStore, monkeypatch: pytest.MonkeyPatch, *, after: int, work: Callable[[], object]) -> None:
    """Run ``work`` and let it end after so many writes, as if the process had been killed."""

    class Killed(BaseException):
        pass

    left = after
    real = GraphStore.write_transaction

    def write(self: GraphStore, work: Callable[[Transaction], object]) -> object:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return real(self, work)

    with monkeypatch.context() as patch:
        patch.setattr(GraphStore, "write_transaction", write)
        with pytest.raises(Killed):
            work()


def test_no_run_is_queued_on_a_branch_that_is_being_closed(store: GraphStore, runs: Runs, cypher: Cypher) -> None:
    """The head that a new run starts from is looked up under the branch's lock."""
    branch = runs.branch()
    marked, queued = Event(), Event()

    def close(tx: Transaction) -> None:
        tx.rows("maintenance/branch_mark", id=branch, live=[])
        marked.set()
        queued.wait(1.5)  # the other one waits for us, so this passes

    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(store.write_transaction, close)
        assert marked.wait(900)
        with pytest.raises(BranchNotFound):
            runs.queue(branch, PARIS)
        queued.set()
        closing.result()
    assert not cypher("MATCH (:Branch {id: $id})<-[:ON]-(i) RETURN i", id=branch)
