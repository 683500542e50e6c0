"""Heads equal the ledgers after every change, also where a bounded replay is cut off between two of its batches."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import neo4j
import pytest
from tests.graph_schema.interventions.test_ledger import Batch, begin, move, rows_of
from tests.graph_schema.planning.conftest import write_graph
from tests.graph_schema.propagation.conftest import open_branch
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import GraphUnavailable
from knowledgesmith.graph_schema.interventions import branches, head_replays, heads, ledger, steps
from knowledgesmith.graph_schema.maintenance.deletion import delete_branch, delete_intervention
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings, Transaction
from knowledgesmith.graph_schema.storage.store_errors import too_large
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.interventions import State
from knowledgesmith.graph_schema.types.probes import ProbeKind

BATCH = 3
UIDS = tuple(f"e{n:02d}" for n in range(12))
MORE = ("f00", "f01")
"""Entities of which the runs of a fresh bench have no rows."""
KINDS = (ProbeKind.DIRECT, ProbeKind.REVERSE, ProbeKind.CONFLICT)
WRITES = ("interventions/ledger/restore", "interventions/ledger/clear_heads")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every ledger here is larger than one."""
    monkeypatch.setattr(head_replays, "BATCH", BATCH)


class Flaky(GraphStore):
    """The real store, the database of which is gone after so many writing transactions."""

    left = 10**9

    def write_transaction(self, work: Any) -> Any:
        if self.left <= 0:
            raise GraphUnavailable("Neo4j does not answer")
        self.left -= 1
        return super().write_transaction(work)


@dataclass
class Bench:
    """A graph with branches and runs, the ledgers of which are known here as well."""

    store: GraphStore
    flaky: Flaky
    graph: str
    queries: list[str]
    runs: list[tuple[str, str, Batch]] = field(default_factory=list[tuple[str, str, Batch]])

    def branch(self, name: str) -> str:
        made = f"{self.graph}-{name}"
        open_branch(self.store, made, self.graph, select=False)
        return made

    def run(self, branch: str, uids: tuple[str, ...], *, commit: bool = False) -> str:
        """A run that wrote one row an entity and kind; committed if ``commit``."""
        run = f"{branch}-{len(self.runs)}"
        shift = len(self.runs) / 10
        rows = rows_of(
            [
                (uid, KINDS[(n + len(self.runs)) % 3], 0.5, None if n % 5 == 4 else n / 100 + shift, n + 1)
                for n, uid in enumerate(uids + uids[:2])
            ]
        )
        begin(self.store, branch, run)
        for start in range(0, len(rows), 4):
            ledger.append(self.store, run, 0, rows[start : start + 4])
        self.runs.append((branch, run, rows))
        if commit:
            self.commit(run)
        return run

    def commit(self, run: str) -> None:
        move(self.store, run, "RUNNING", {"state": "COMMITTING"})
        made = {"revision_id": f"{run}-r", "artefact_sha256": "a", "weights_sha256": "b"}
        assert self.store.write("interventions/steps/commit", id=run, fence=0, **made)

    def found(self) -> dict[str, dict[str, Any]]:
        text = (
            "MATCH (e:Entity {graph_id: $graph_id}) WHERE any(name IN $names WHERE e[name] IS NOT NULL) "
            "RETURN e.uid AS uid, [name IN $names | e[name]] AS heads"
        )
        asked = {"graph_id": self.graph, "names": list(heads.NAMES)}
        rows = self.store.run_user_query(text, asked, limit=1000, timeout_s=30)[1]
        named = {row["uid"]: dict(zip(heads.NAMES, row["heads"], strict=True)) for row in rows}
        return {uid: {name: value for name, value in own.items() if value is not None} for uid, own in named.items()}

    def expected(self) -> dict[str, dict[str, Any]]:
        """By the oracle, from the states in the database and the ledgers that were written."""
        order = [row["id"] for row in self.store.read("interventions/ledger/replay_order", graph_id=self.graph)]
        rows: dict[str, list[heads.Row]] = {}
        for _, run, batch in self.runs:
            for slot, one in batch:
                row = heads.Row(
                    run=run, seq=slot.seq, kind=slot.kind.value, before=one.before, after=one.after, n=one.n
                )
                rows.setdefault(slot.entity, []).append(row)
        made = {uid: heads.replay(own, order) for uid, own in rows.items()}
        return {uid: own for uid, own in made.items() if own}

    def true(self) -> bool:
        """Whether the heads are those of the ledgers."""
        found, expected = self.found(), self.expected()
        return found.keys() == expected.keys() and not any(
            heads.differences(found[uid], expected[uid]) for uid in expected
        )

    def written(self) -> int:
        """Queries that wrote heads since the last call."""
        count = sum(name in WRITES for name in self.queries)
        self.queries.clear()
        return count


@pytest.fixture
def bench(store: GraphStore, neo4j_uri: str) -> Iterator[Bench]:
    """Two committed runs on the selected branch, one on another, and a run that waits for a decision."""
    graph = fresh_graph(__name__)
    queries: list[str] = []
    write_graph(
        store, graph, [Entity(uid=uid, name=uid, type="T", domain="d", aliases=()) for uid in UIDS + MORE], [], []
    )
    flaky = Flaky(StoreSettings(uri=neo4j_uri), observe=lambda name, _seconds, _outcome: queries.append(name))
    made = Bench(store, flaky, graph, queries)
    main, other = made.branch("main"), made.branch("other")
    made.run(main, UIDS[:7], commit=True)
    made.run(main, UIDS[4:], commit=True)
    made.run(other, UIDS[2:9], commit=True)
    yield made
    flaky.close()


Change = Callable[[Bench, GraphStore], object]


def held(bench: Bench) -> str:
    run = bench.run(f"{bench.graph}-main", UIDS[3:11])
    move(bench.store, run, "RUNNING", {"state": "AWAITING_DECISION"})
    return run


def discard(bench: Bench) -> Change:
    run = held(bench)
    states = [State.AWAITING_DECISION]
    return lambda _, store: steps.finish(store, run, from_states=states, state=State.DISCARDED)


def roll_back(bench: Bench) -> Change:
    head = branches.get_branch(bench.store, f"{bench.graph}-main").head_revision
    return lambda b, store: branches.rollback(store, f"{b.graph}-main", head, request_id=uuid.uuid4().hex)


def select(bench: Bench) -> Change:
    return lambda b, store: branches.select_branch(store, f"{b.graph}-other")


def open_selected(bench: Bench) -> Change:
    model = f"{bench.graph}-main"
    return lambda b, store: branches.create_branch(
        store, branch_id=f"{b.graph}-new", model_id=model, graph_id=b.graph, select=True
    )


def close(bench: Bench) -> Change:
    def forget(b: Bench, store: GraphStore) -> None:
        try:
            delete_branch(store, f"{b.graph}-main", with_interventions=True)
        finally:
            b.runs[:] = [run for run in b.runs if run[0] != f"{b.graph}-main"]

    return forget


CHANGES = [discard, roll_back, select, open_selected, close]


@pytest.mark.parametrize("change", CHANGES)
def test_heads_are_those_of_the_ledgers(bench: Bench, change: Callable[[Bench], Change]) -> None:
    do = change(bench)
    assert bench.true()
    before = bench.found()
    do(bench, bench.flaky)
    assert bench.found() != before
    assert bench.true()
    assert bench.written() > 2, "in more than two batches"


def settled_by_a_worker(bench: Bench) -> None:
    head_replays.settle_all(bench.store)


def settled_by_an_append(bench: Bench) -> None:
    branch = next(iter(bench.store.read("graphs/get", graph_id=bench.graph)))["head_branch"]
    if branch is None:
        settled_by_a_worker(bench)
    else:
        bench.run(branch, UIDS[::3])


def settled_by_another_rollback(bench: Bench) -> None:
    branch = next(iter(bench.store.read("graphs/get", graph_id=bench.graph)))["head_branch"]
    line = branches.lineage(bench.store, branch, "") if branch else []
    if len(line) > 1:
        branches.rollback(bench.store, branch, line[0].id, request_id=uuid.uuid4().hex)
    else:
        settled_by_a_worker(bench)


def settled_by_a_selection(bench: Bench) -> None:
    branches.select_branch(bench.store, f"{bench.graph}-other")


@pytest.mark.parametrize(
    "settled", [settled_by_a_worker, settled_by_an_append, settled_by_another_rollback, settled_by_a_selection]
)
@pytest.mark.parametrize("change", CHANGES)
def test_whoever_comes_next_finishes_what_was_cut_off(
    bench: Bench, change: Callable[[Bench], Change], settled: Callable[[Bench], None]
) -> None:
    """The database is gone after the first transaction of the change."""
    do = change(bench)
    bench.flaky.left = 1
    with suppress(GraphUnavailable):
        do(bench, bench.flaky)
    assert not bench.true()
    settled(bench)
    assert bench.true()
    left = {row["graph_id"] for row in bench.store.read("interventions/ledger/replays_left")}
    assert bench.graph not in left


@pytest.mark.parametrize("number", [0, 1, 3, 6])
@pytest.mark.parametrize("change", [discard, roll_back, select])
def test_a_replay_may_be_cut_off_after_any_batch(bench: Bench, change: Callable[[Bench], Change], number: int) -> None:
    do = change(bench)
    bench.flaky.left = 1 + number
    do(bench, bench.flaky)  # what was decided stands; the rest of the heads comes later
    head_replays.settle_all(bench.store)
    assert bench.true()


def test_a_run_without_rows_replays_nothing(bench: Bench) -> None:
    run = f"{bench.graph}-main-none"
    begin(bench.store, f"{bench.graph}-main", run)
    assert steps.finish(bench.flaky, run, from_states=[State.RUNNING], state=State.CANCELLED)
    assert bench.written() == 0
    assert bench.true()


def test_a_branch_that_is_not_selected_replays_nothing(bench: Bench) -> None:
    other = f"{bench.graph}-other"
    run = bench.run(other, UIDS)
    assert steps.finish(bench.flaky, run, from_states=[State.RUNNING], state=State.CANCELLED)
    branches.rollback(
        bench.flaky, other, branches.get_branch(bench.store, other).head_revision, request_id=uuid.uuid4().hex
    )
    branches.create_branch(
        bench.flaky, branch_id=f"{bench.graph}-new", model_id=other, graph_id=bench.graph, select=False
    )
    delete_intervention(bench.flaky, run)
    delete_branch(bench.flaky, other, with_interventions=True)
    assert bench.written() == 0
    assert bench.true()


def test_a_discarded_run_replays_the_entities_of_its_own_ledger_only(bench: Bench) -> None:
    run = bench.run(f"{bench.graph}-main", UIDS[:2])
    text = "MATCH (e:Entity {graph_id: $graph_id}) WHERE NOT e.uid IN $own SET e.belief_seq = -1"
    driver = neo4j.GraphDatabase.driver(bench.store.uri)
    with driver:
        driver.execute_query(text, graph_id=bench.graph, own=list(UIDS[:2]))
    assert steps.finish(bench.store, run, from_states=[State.RUNNING], state=State.DISCARDED)
    found, expected = bench.found(), bench.expected()
    assert all(not heads.differences(found[uid], expected[uid]) for uid in UIDS[:2])
    assert all(found[uid]["belief_seq"] == -1 for uid in UIDS[2:]), "nobody touched the others"


def test_a_damaged_ledger_holds_up_nobody_and_heals_with_its_end(bench: Bench) -> None:
    """Another run appends beside what cannot be restored; once the damaged run is rolled back, all is right."""
    main = f"{bench.graph}-main"
    damaged = bench.runs[1][1]
    driver = neo4j.GraphDatabase.driver(bench.store.uri)
    with driver:
        driver.execute_query("MATCH (:Intervention {id: $id})-[c:CHANGED]->() SET c.n = 'x'", id=damaged)
        first = bench.run(main, UIDS[3:11])
        assert steps.finish(bench.store, first, from_states=[State.RUNNING], state=State.FAILED)
        message = bench.store.read("interventions/steps/get", id=first)[0]["properties"]["error_message"]
        assert "could not be restored" in message
        second = bench.run(main, UIDS[:3])
        assert steps.finish(bench.store, second, from_states=[State.RUNNING], state=State.FAILED)
        branches.rollback(
            bench.store, main, branches.get_branch(bench.store, main).head_revision, request_id=uuid.uuid4().hex
        )
    assert bench.true()


def damage(bench: Bench, *, repair: bool = False) -> None:
    """Make the rows that are written so far such that no heads can be derived from them, or as they were."""
    change = "c.n = c.kept REMOVE c.kept" if repair else "c.kept = c.n, c.n = 'x'"
    condition = "c.kept IS NOT NULL" if repair else "c.kept IS NULL"
    text = f"MATCH (:Intervention {{graph_id: $graph}})-[c:CHANGED]->() WHERE {condition} SET {change}"
    with neo4j.GraphDatabase.driver(bench.store.uri) as driver:
        driver.execute_query(text, graph=bench.graph)


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_ledger_forbids_no_change(bench: Bench, change: Callable[[Bench], Change]) -> None:
    """It stands; the heads are right once the ledgers are, and something changes again."""
    do = change(bench)
    before = states(bench)
    damage(bench)
    do(bench, bench.store)
    assert states(bench) != before
    damage(bench, repair=True)
    branches.select_branch(bench.store, f"{bench.graph}-other")
    assert bench.true()


def states(bench: Bench) -> list[object]:
    """What counts for the heads."""
    graph = bench.store.read("graphs/get", graph_id=bench.graph)[0]["head_branch"]
    found = [bench.store.read("interventions/steps/get", id=run) for _, run, _ in bench.runs]
    return [graph, *[(row["properties"]["state"], row["rolled_back_ms"]) for [row] in found]]


@pytest.mark.parametrize(("change", "committed"), [*((change, True) for change in CHANGES), (discard, False)])
def test_what_was_written_beside_a_failed_replay_is_not_lost(
    bench: Bench, change: Callable[[Bench], Change], committed: bool
) -> None:
    """The steps that are left when a replay fails know nothing of the rows that come afterwards."""
    main = f"{bench.graph}-main"
    damage(bench)
    branches.select_branch(bench.store, main)
    run = bench.run(main, UIDS[2:10] + MORE, commit=committed)
    damage(bench, repair=True)
    if committed:
        change(bench)(bench, bench.store)
    else:  # its own end is the change
        assert steps.finish(bench.store, run, from_states=[State.RUNNING], state=State.DISCARDED)
    assert bench.true()
    assert bench.graph not in {row["graph_id"] for row in bench.store.read("interventions/ledger/replays_left")}


class Tight(GraphStore):
    """The real store, with the memory for so many entities' heads in a transaction."""

    room = 0

    def write_transaction(self, work: Any) -> Any:
        return super().write_transaction(lambda tx: work(Short(tx, self.room)))


class Short:
    """A transaction that restores at most so many entities."""

    def __init__(self, tx: Transaction, room: int) -> None:
        self.tx = tx
        self.room = room

    def rows(self, name: str, /, **params: Any) -> list[dict[str, Any]]:
        if name in WRITES and len(params.get("uids", ())) > self.room:
            raise too_large(name)
        return self.tx.rows(name, **params)


@pytest.mark.parametrize("room", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES)
def test_too_little_memory_is_no_damage(
    bench: Bench, neo4j_uri: str, change: Callable[[Bench], Change], room: int
) -> None:
    """Smaller batches are tried; where none is small enough, it is left to whoever comes next."""
    do = change(bench)
    tight = Tight(StoreSettings(uri=neo4j_uri))
    tight.room = room
    try:
        do(bench, tight)
        told = [
            bench.store.read("interventions/steps/get", id=run)[0]["properties"].get("error_message")
            for _, run, _ in bench.runs
        ]
        assert not any(told), "nobody needs to know"
        if room:
            assert bench.true()
        head_replays.settle_all(tight)
    finally:
        tight.close()
    head_replays.settle_all(bench.store)
    assert bench.true()
