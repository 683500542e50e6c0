"""Ledgers drawn at random: heads by append, by replay and by the oracle; rows without gaps and doubles."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.graph_schema.planning.conftest import write_graph
from tests.graph_schema.propagation.conftest import open_branch
from tests.names import fresh_graph

from knowledgesmith.graph_schema.errors import EntityNotFound, FenceRejected, IllegalState
from knowledgesmith.graph_schema.interventions import branches, heads, ledger
from knowledgesmith.graph_schema.interventions.head_replays import renew_heads
from knowledgesmith.graph_schema.interventions.ledger import LedgerRow, Measured
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity
from knowledgesmith.graph_schema.types.plans import LedgerSlot
from knowledgesmith.graph_schema.types.probes import Polarity, ProbeKind, Role

UIDS = ("a", "b", "c", "d")
HEADS = (
    "MATCH (e:Entity {graph_id: $graph_id}) WHERE any(name IN $names WHERE e[name] IS NOT NULL) "
    "RETURN e.uid AS uid, [name IN $names | e[name]] AS heads"
)
Batch = list[tuple[LedgerSlot, Measured]]

beliefs = st.none() | st.floats(0, 1)
drawn_rows = st.lists(
    st.tuples(st.sampled_from(UIDS), st.sampled_from(ProbeKind), beliefs, beliefs, st.integers(1, 5)),
    min_size=1,
    max_size=14,
)
drawn_sizes = st.lists(st.integers(1, 5), min_size=14, max_size=14)

real = settings(
    deadline=None,
    derandomize=True,
    max_examples=20,
    phases=[Phase.generate],  # every example writes to the real database
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def graph(store: GraphStore) -> str:
    """Four entities."""
    made = fresh_graph(__name__)
    write_graph(store, made, [Entity(uid=uid, name=uid, type="T", domain="d", aliases=()) for uid in UIDS], [], [])
    return made


def rows_of(drawn: Sequence[tuple[str, ProbeKind, float | None, float | None, int]]) -> Batch:
    """Ledger rows about the drawn entities, in the drawn order."""
    return [
        (
            LedgerSlot(
                seq=seq,
                entity=uid,
                fact_id=f"f{seq}",
                relation="r",
                kind=kind,
                polarity=Polarity.STAY,
                role=Role.STAYS,
                hops=seq % 3 or None,
                nearest_target=uid,
                probe_ids=(),
            ),
            Measured(before=before, after=after, new_before=None, new_after=after, n=n, n_preserved=n - 1, n_missed=1),
        )
        for seq, (uid, kind, before, after, n) in enumerate(drawn, start=1)
    ]


def cut(rows: Batch, sizes: Sequence[int]) -> Iterator[Batch]:
    """Consecutive batches of these sizes."""
    start = 0
    for size in sizes:
        if start < len(rows):
            yield rows[start : start + size]
        start += size


def begin(store: GraphStore, branch: str, run: str) -> None:
    """A running intervention."""
    store.write(
        "interventions/steps/create", branch_id=branch, properties={"id": run, "request_id": run, "goal": "EDIT"}
    )
    move(store, run, "QUEUED", {"state": "RUNNING"})


def move(store: GraphStore, run: str, state: str, properties: dict[str, object]) -> None:
    assert store.write(
        "interventions/steps/advance", id=run, fence=0, from_states=[state], properties=properties, finished=False
    )


def found(store: GraphStore, graph_id: str) -> dict[str, dict[str, Any]]:
    """The heads of the graph's entities, without the properties that are not set."""
    rows = store.run_user_query(HEADS, {"graph_id": graph_id, "names": list(heads.NAMES)}, limit=100, timeout_s=30)[1]
    named = {row["uid"]: dict(zip(heads.NAMES, row["heads"], strict=True)) for row in rows}
    return {uid: {name: value for name, value in own.items() if value is not None} for uid, own in named.items()}


def expected(ledgers: Sequence[tuple[str, Batch]]) -> dict[str, dict[str, Any]]:
    """What the oracle says of these ledgers, in this order."""
    runs = [run for run, _ in ledgers]
    rows = {
        uid: [
            heads.Row(run=run, seq=slot.seq, kind=slot.kind.value, before=one.before, after=one.after, n=one.n)
            for run, batch in ledgers
            for slot, one in batch
            if slot.entity == uid
        ]
        for uid in UIDS
    }
    return {uid: heads.replay(own, runs) for uid, own in rows.items() if own}


def as_read(slot: LedgerSlot, one: Measured) -> LedgerRow:
    return LedgerRow(
        seq=slot.seq,
        entity=slot.entity,
        name=slot.entity,
        level="Leaf",
        kind=slot.kind.value,
        polarity=slot.polarity.value,
        role=slot.role.value if slot.role else "",
        fact_id=slot.fact_id,
        relation=slot.relation,
        hops=slot.hops,
        nearest_target=slot.nearest_target,
        measured=one,
    )


@real
@given(
    earlier=drawn_rows,
    drawn=drawn_rows,
    sizes=drawn_sizes,
    again=st.lists(st.booleans(), min_size=14, max_size=14),
    away=st.integers(0, 6),
)
def test_heads_by_append_equal_their_replay(
    store: GraphStore,
    graph: str,
    earlier: list[tuple[str, ProbeKind, float | None, float | None, int]],
    drawn: list[tuple[str, ProbeKind, float | None, float | None, int]],
    sizes: list[int],
    again: list[bool],
    away: int,
) -> None:
    """A committed run, then one whose batches split entities, come twice, and miss their branch for a while."""
    branch = f"{graph}-{uuid.uuid4().hex}"
    open_branch(store, f"{branch}-other", graph)
    open_branch(store, branch, graph)
    store.write_transaction(lambda tx: renew_heads(tx, graph))
    old, new = rows_of(earlier), rows_of(drawn)
    begin(store, branch, f"{branch}-1")
    ledger.append(store, f"{branch}-1", 0, old)
    move(store, f"{branch}-1", "RUNNING", {"state": "SUCCEEDED", "commit_order": 1})
    begin(store, branch, f"{branch}-2")
    written = 0
    for number, (batch, twice) in enumerate(zip(cut(new, sizes), again, strict=False)):
        if number == away:
            branches.select_branch(store, f"{branch}-other")
            assert found(store, graph) == {}
        # an answer that was lost: the worker sends the rows before once more, alone or with the next ones
        sent = new[max(0, written - 2) : written + len(batch)] if twice else batch
        written += len(batch)
        assert ledger.append(store, f"{branch}-2", 0, sent) == written
        if twice:
            assert ledger.append(store, f"{branch}-2", 0, sent) == written
        if number == away:
            assert found(store, graph) == {}
            branches.select_branch(store, branch)
    assert ledger.read(store, f"{branch}-2", after=0, limit=100) == [as_read(*row) for row in new]
    appended = found(store, graph)
    oracle = expected([(f"{branch}-1", old), (f"{branch}-2", new)])
    assert appended.keys() == oracle.keys()
    assert {uid: heads.differences(appended[uid], oracle[uid]) for uid in oracle} == {uid: [] for uid in oracle}
    store.write_transaction(lambda tx: renew_heads(tx, graph))
    assert found(store, graph) == appended, "to the last bit"


def test_an_older_attempt_writes_nothing(store: GraphStore, graph: str) -> None:
    branch = f"{graph}-{uuid.uuid4().hex}"
    open_branch(store, branch, graph)
    store.write_transaction(lambda tx: renew_heads(tx, graph))
    begin(store, branch, branch)
    rows = rows_of([("a", ProbeKind.DIRECT, 0.5, 0.25, 1), ("b", ProbeKind.REVERSE, 0.5, 0.25, 1)])
    ledger.append(store, branch, 0, rows[:1])
    before = found(store, graph)
    with pytest.raises(FenceRejected):
        ledger.append(store, branch, 1, rows)
    move(store, branch, "RUNNING", {"state": "CANCELLED"})
    with pytest.raises(FenceRejected):
        ledger.append(store, branch, 0, rows)
    assert (found(store, graph), len(ledger.read(store, branch, after=0, limit=9))) == (before, 1)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("sent_before", [0, 1])
def test_a_row_about_no_entity_is_an_error_and_nothing_is_written(
    store: GraphStore, graph: str, place: int, sent_before: int
) -> None:
    branch = f"{graph}-{uuid.uuid4().hex}"
    open_branch(store, branch, graph)
    store.write_transaction(lambda tx: renew_heads(tx, graph))
    begin(store, branch, branch)
    uids = ["a", "b", "c"]
    ledger.append(store, branch, 0, rows_of([(uid, ProbeKind.DIRECT, 0.5, 0.25, 1) for uid in uids])[:sent_before])
    before, written = found(store, graph), ledger.read(store, branch, after=0, limit=9)
    uids[max(place, sent_before)] = "nobody"
    with pytest.raises(EntityNotFound, match="nobody"):
        ledger.append(store, branch, 0, rows_of([(uid, ProbeKind.DIRECT, 0.5, 0.25, 1) for uid in uids]))
    assert (found(store, graph), ledger.read(store, branch, after=0, limit=9)) == (before, written)
    assert store.read("interventions/steps/get", id=branch)[0]["properties"]["written_rows"] == sent_before


def test_what_a_probe_showed_is_never_lost_without_a_word(store: GraphStore, graph: str) -> None:
    branch = f"b_{uuid.uuid4().hex}"
    open_branch(store, branch, graph)
    begin(store, branch, branch)
    outcome = ledger.Outcome(
        probe_id=f"{branch}-gone",
        pred_before=0,
        pred_after=1,
        p_old_before=0.5,
        p_old_after=0.25,
        p_new_before=0.5,
        p_new_after=0.75,
        verdict="MISSED",
    )
    [(slot, measured)] = rows_of([("a", ProbeKind.DIRECT, 0.5, 0.25, 1)])
    with pytest.raises(IllegalState, match=r"1 of 1 planned probes, .*-gone"):
        ledger.append(store, branch, 0, [(slot, replace(measured, outcomes=(outcome,)))])
    assert not ledger.read(store, branch, after=0, limit=9)
