"""Writes that another transaction's locks hold up wait for them as long as their caller will, and say what it is."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial

import neo4j
import pytest

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.cancellation import Caller, to_the_end
from knowledgesmith.graph_schema.errors import Cancelled, GraphLocked, GraphUnavailable
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.storage.store_errors import locked


class Patient(Caller):
    """Waits for locks until ``tell`` says that it is enough; whatever it raises ends the write."""

    __slots__ = ("tell", "waited")

    def __init__(self, tell: Callable[[int], bool]) -> None:
        super().__init__()
        self.tell = tell
        self.waited: list[float] = []

    def wait_for_locks(self, waited_s: float) -> bool:
        """Ask ``tell``, which is given the number of tries so far."""
        self.waited.append(waited_s)
        return self.tell(len(self.waited))


class Locked:
    """A write that finds its locks taken so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.done = 0

    def __call__(self, _tx: Transaction) -> int:
        if self.left:
            self.left -= 1
            raise locked("a query")
        self.done += 1
        return self.done


def working_for(caller: Caller, work: Callable[[], object]) -> object:
    """Do something for a caller, in a context of its own."""

    def call() -> object:
        cancellation.set_caller(caller)
        return work()

    return copy_context().run(call)


def test_real_locks_are_waited_for_until_they_are_free(store: GraphStore, neo4j_uri: str, graph_id: str) -> None:
    """Neo4j itself gives up after ten seconds; one such try is made, then the locks become free."""
    store.write("archive/load_begin", graph_id=graph_id, archive="")
    with (
        neo4j.GraphDatabase.driver(neo4j_uri) as driver,
        driver.session() as session,
        session.begin_transaction() as other,
    ):
        other.run("MATCH (g:Graph {graph_id: $id}) SET g.source = 'x'", id=graph_id).consume()

        def tell(_tries: int) -> bool:
            if not other.closed():
                other.rollback()
            return True

        caller = Patient(tell)
        working_for(caller, lambda: store.write("suggesting/lock", graph_id=graph_id))
    assert caller.waited


@pytest.mark.parametrize("times", [1, 7])
def test_a_patient_caller_waits_however_often_it_takes(store: GraphStore, times: int) -> None:
    caller = Patient(lambda _tries: True)
    for run in (store.write_transaction, store.try_out):
        assert working_for(caller, partial(run, Locked(times))) == 1
    assert len(caller.waited) == 2 * times
    assert caller.waited[:times] == sorted(caller.waited[:times])


def test_who_will_not_wait_is_told_what_it_is(store: GraphStore) -> None:
    caller = Patient(lambda tries: tries < 3)
    for run in (store.write_transaction, store.try_out):
        caller.waited.clear()
        with pytest.raises(GraphLocked, match="another transaction holds") as caught:
            working_for(caller, partial(run, Locked(99)))
        assert isinstance(caught.value, GraphUnavailable)
        assert "SHOW TRANSACTIONS" in caught.value.hint
        assert len(caller.waited) == 3


def test_a_caller_who_leaves_waits_no_longer(store: GraphStore) -> None:
    def tell(_tries: int) -> bool:
        raise Cancelled("gone")

    with pytest.raises(Cancelled, match="gone"):
        working_for(Patient(tell), lambda: store.write_transaction(Locked(99)))


def test_other_callers_wait_for_half_a_minute() -> None:
    assert Caller().wait_for_locks(cancellation.LOCK_PATIENCE_S - 1)
    assert not Caller().wait_for_locks(cancellation.LOCK_PATIENCE_S)


def test_what_is_finished_in_any_case_asks_who_stands_for_its_caller() -> None:
    class Devoted(Caller):
        __slots__ = ()

        def devoted(self) -> Caller:
            return stand_in

    stand_in = Patient(lambda _tries: True)

    def ask() -> Caller:
        with to_the_end():
            return cancellation.current()

    assert working_for(Devoted(), ask) is stand_in
    plain = working_for(Caller(0.0), ask)
    assert isinstance(plain, Caller)
    assert plain.waits
