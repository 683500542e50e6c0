"""Operations at rest: begun once, taken up, ended once, listed, forgotten."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tests.conftest import Cypher

from knowledgesmith.graph_schema.errors import IllegalState, OperationNotFound, RequestIdReused
from knowledgesmith.graph_schema.operations import operations
from knowledgesmith.graph_schema.operations.operations import Attempt
from knowledgesmith.graph_schema.operations.records import OperationRecord, OperationState
from knowledgesmith.graph_schema.operations.tally import Taken, Tally
from knowledgesmith.graph_schema.storage.store import GraphStore


@pytest.fixture
def home() -> str:
    """A data directory that no other test has."""
    return uuid.uuid4().hex


def new(home: str, **fields: Any) -> OperationRecord:
    """An operation that is about to begin."""
    values: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "method": "CheckGraph",
        "resource_id": "g",
        "actor": "somebody",
        "request_id": str(uuid.uuid4()),
        "body_digest": "body",
        "home": home,
        "request": b"\x00request",
        **fields,
    }
    return OperationRecord(**values)


@pytest.fixture
def begun(store: GraphStore, home: str) -> OperationRecord:
    """An operation that has begun."""
    record = new(home)
    assert operations.create(store, record) == (record.id, True)
    return record


def test_an_operation_is_read_as_it_was_noted(store: GraphStore, begun: OperationRecord) -> None:
    found = operations.get(store, begun.id)
    assert found == replace(begun, created_ms=found.created_ms)
    assert found.created_ms > 0
    assert not found.ended


def test_the_same_request_begins_one_operation_however_often_and_at_once(store: GraphStore, home: str) -> None:
    records = [new(home, request_id=home) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(partial(operations.create, store), records))
    assert len({found for found, _ in made}) == 1
    assert [is_new for _, is_new in made].count(True) == 1
    assert operations.earlier(store, records[0]) == made[0][0]
    assert operations.earlier(store, new(home)) == ""


def test_a_request_id_with_another_body_is_refused(store: GraphStore, begun: OperationRecord) -> None:
    other = replace(begun, id=str(uuid.uuid4()), body_digest="other")
    for ask in (operations.create, operations.earlier):
        with pytest.raises(RequestIdReused, match="another body"):
            ask(store, other)
    with pytest.raises(OperationNotFound):
        operations.get(store, other.id)


def crash(store: GraphStore, record: OperationRecord, stage: str = "") -> Attempt | None:
    """Take an operation up, and end the server at a stage; what the next attempt is told."""
    operations.take_up(store, record.id)
    operations.progress(store, record.id, stage=stage, done=0, total=0)
    operations.settle(store, record.home, crashed=True)
    found = operations.get(store, record.id)
    return Attempt(attempt=found.attempt, crashes=found.crashes)


def test_crashes_at_one_stage_are_counted_until_an_attempt_ends_in_good_order(
    store: GraphStore, begun: OperationRecord
) -> None:
    assert [crash(store, begun) for _ in range(3)] == [Attempt(attempt=n, crashes=n) for n in (1, 2, 3)]
    assert operations.take_up(store, begun.id) == Attempt(attempt=4, crashes=3)
    operations.let_go(store, begun.id)
    assert operations.take_up(store, begun.id) == Attempt(attempt=5, crashes=0)
    operations.settle(store, begun.home, crashed=False)
    assert crash(store, begun) == Attempt(attempt=6, crashes=1)


def test_what_comes_further_every_time_is_not_what_crashes_the_server(
    store: GraphStore, begun: OperationRecord
) -> None:
    counts = [crash(store, begun, stage) for stage in ("read", "settle", "write", "read", "read")]
    assert [one.crashes for one in counts if one] == [1, 1, 1, 2, 3]


def test_what_nobody_has_taken_up_does_not_crash(store: GraphStore, home: str) -> None:
    waiting, elsewhere = new(home), new(home + "-other")
    for record in (waiting, elsewhere):
        operations.create(store, record)
    operations.take_up(store, elsewhere.id)
    operations.settle(store, home, crashed=True)
    assert [operations.get(store, one.id).crashes for one in (waiting, elsewhere)] == [0, 0]


def test_an_operation_ends_once_and_stays_as_it_ended(store: GraphStore, begun: OperationRecord) -> None:
    operations.finish(store, begun.id, b"result")
    operations.fail(store, begun.id, reason="INTERNAL", error=b"error")
    assert operations.request_cancel(store, begun.id) is OperationState.DONE
    found = operations.get(store, begun.id)
    assert (found.state, found.result, found.error, found.error_reason) == (OperationState.DONE, b"result", b"", "")
    assert found.finished_ms
    assert not found.cancel_requested
    assert operations.take_up(store, begun.id) is None


@pytest.mark.parametrize(("cancelled", "state"), [(False, OperationState.FAILED), (True, OperationState.CANCELLED)])
def test_a_failure_keeps_its_reason_and_its_status(
    store: GraphStore, begun: OperationRecord, *, cancelled: bool, state: OperationState
) -> None:
    operations.fail(store, begun.id, reason="CANCELLED", error=b"status", cancelled=cancelled)
    found = operations.get(store, begun.id)
    assert (found.state, found.error_reason, found.error) == (state, "CANCELLED", b"status")


def test_whoever_works_learns_that_somebody_asked_for_the_end(store: GraphStore, begun: OperationRecord) -> None:
    operations.progress(store, begun.id, stage="write", done=3, total=9)
    assert operations.cancelled(store, [begun.id, "nobody"]) == set()
    assert operations.request_cancel(store, begun.id) is OperationState.RUNNING
    assert operations.cancelled(store, [begun.id, "nobody"]) == {begun.id}
    found = operations.get(store, begun.id)
    assert (found.stage, found.done, found.total, found.cancel_requested) == ("write", 3, 9, True)


def test_a_database_is_told_from_others(store: GraphStore) -> None:
    assert operations.database_id(store) == operations.database_id(store) != ""


def test_only_what_has_not_ended_of_one_data_directory_is_taken_up_again(store: GraphStore, home: str) -> None:
    first, second, done, foreign = new(home), new(home), new(home), new(home + "-other")
    for record in (first, second, done, foreign):
        operations.create(store, record)
    operations.finish(store, done.id, b"r")
    found = operations.unfinished(store, home)
    assert {record.id for record in found} == {first.id, second.id}
    assert {record.request for record in found} == {b"\x00request"}


def test_listings_are_newest_first_paged_filtered_and_without_requests(store: GraphStore, home: str) -> None:
    method = f"Method{home}"
    made = [new(home, method=method) for _ in range(5)]
    for record in made:
        operations.create(store, record)
    operations.finish(store, made[2].id, b"r")
    pages, before = [], None
    while page := operations.list_operations(store, method=method, before=before, limit=2):
        pages.append(page)
        before = (page[-1].created_ms, page[-1].id)
    found = [record for page in pages for record in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(record.id for record in found) == sorted(record.id for record in made)
    assert [(r.created_ms, r.id) for r in found] == sorted(((r.created_ms, r.id) for r in found), reverse=True)
    assert {record.request for record in found} == {b""}
    [ended] = operations.list_operations(store, method=method, states=[OperationState.DONE])
    assert (ended.id, ended.result) == (made[2].id, b"r")


def test_only_what_has_ended_can_be_deleted(store: GraphStore, begun: OperationRecord) -> None:
    with pytest.raises(IllegalState, match="has not ended"):
        operations.delete(store, begun.id)
    operations.finish(store, begun.id, b"r")
    operations.delete(store, begun.id)
    for ask in (operations.get, operations.delete, operations.request_cancel):
        with pytest.raises(OperationNotFound):
            ask(store, begun.id)


def test_what_ended_long_ago_is_forgotten_and_what_another_directory_left(
    store: GraphStore, home: str, cypher: Cypher
) -> None:
    """A week after its end; what runs here stays however long it takes, what nobody has told anything of does not."""
    old = [new(home), new(home), new(home + "-other")]
    young = [new(home), new(home), new(home + "-other")]
    for record in (*old, *young):
        operations.create(store, record)
    for ended in (old[0], young[0]):
        operations.finish(store, ended.id, b"r")
    cypher(
        "MATCH (o:Operation) WHERE o.id IN $ids SET o.created_ms = o.created_ms - $age, "
        "o.touched_ms = o.touched_ms - $age, o.finished_ms = o.finished_ms - $age",
        ids=[record.id for record in old],
        age=operations.WEEK_MS + 60_000,
    )
    mine = {record.id for record in (*old, *young)}
    assert mine & set(operations.purge(store, home)) == {old[0].id, old[2].id}
    assert operations.known(store, [*mine, "nobody"]) == mine - {old[0].id, old[2].id}


def test_a_tally_adds_up_over_transactions(store: GraphStore, begun: OperationRecord) -> None:
    tally = Tally(begun.id)
    assert tally.read(store) == Taken()
    for count in (2, 3):
        taken = Taken()
        taken.counts["facts"] = count
        taken.left[f"rev{count}"] = "revision"
        store.write_transaction(partial(tally.add, taken=taken))
    found = tally.read(store)
    assert found.counts == {"facts": 5}
    assert found.left == {"rev2": "revision", "rev3": "revision"}
