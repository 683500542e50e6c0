"""The store's queries end with the caller they are made for."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.cancellation import Caller
from knowledgesmith.graph_schema.errors import Cancelled
from knowledgesmith.graph_schema.storage.store import GraphStore

ENDLESS = "UNWIND range(1, 2000000) AS a UNWIND range(1, 2000000) AS b WITH a, b WHERE a = -b RETURN count(*) AS n"


def for_caller(caller: Caller, work: Callable[[], object]) -> object:
    """Do ``work`` for ``caller``, in a context of its own."""

    def run() -> object:
        cancellation.set_caller(caller)
        return work()

    return contextvars.copy_context().run(run)


def test_a_running_query_ends_at_the_deadline(store: GraphStore) -> None:
    with pytest.raises(Cancelled):
        for_caller(Caller(0.5), lambda: store.run_user_query(ENDLESS, {}, limit=1, timeout_s=20))


def test_nothing_is_read_for_a_caller_who_has_left(store: GraphStore, graph_id: str) -> None:
    caller = Caller()
    caller.leave()
    with pytest.raises(Cancelled):
        for_caller(caller, lambda: store.read("worlds/stamp", graph_id=graph_id))


def test_a_what_if_ends_at_its_next_query_in_whatever_thread(store: GraphStore, graph_id: str) -> None:
    caller = Caller(60)

    def work() -> None:
        with store.what_if(timeout_s=600) as tx, ThreadPoolExecutor(1) as pool:
            pool.submit(tx.rows, "worlds/stamp", graph_id=graph_id).result()
            caller.leave()
            pool.submit(tx.rows, "worlds/stamp", graph_id=graph_id).result()

    with pytest.raises(Cancelled):
        for_caller(caller, work)


def test_a_write_and_what_must_follow_it_are_finished(store: GraphStore, graph_id: str) -> None:
    caller = Caller()
    caller.leave()

    def work() -> None:
        store.write("importing/release", graph_id=graph_id, owner="", untouched=True)
        with cancellation.to_the_end():
            store.read("worlds/stamp", graph_id=graph_id)
        cancellation.check()

    with pytest.raises(Cancelled):
        for_caller(caller, work)


def test_what_cannot_ask_is_left_behind_at_once() -> None:
    caller, begun, end = Caller(), threading.Event(), threading.Event()
    ended: list[bool] = []

    def work() -> None:
        begun.set()
        ended.append(end.wait(900))
        cancellation.check()

    def leave() -> None:
        begun.wait(900)
        caller.leave()

    threading.Thread(target=leave).start()
    with pytest.raises(Cancelled):
        for_caller(caller, lambda: cancellation.abandonable(work))
    assert not ended, "nobody waited for its end"
    end.set()


def test_what_is_abandonable_is_otherwise_as_if_it_were_not() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    assert cancellation.abandonable(threading.get_ident) == threading.get_ident(), "nobody can leave"
    assert for_caller(Caller(60), lambda: cancellation.abandonable(lambda: cancellation.current().waits)) is True
    with pytest.raises(ZeroDivisionError):
        for_caller(Caller(60), lambda: cancellation.abandonable(fail))
    with pytest.raises(Cancelled):
        for_caller(Caller(0.0), lambda: cancellation.abandonable(fail))


def test_whoever_asked_to_be_told_is_told_once_and_not_afterwards() -> None:
    caller = Caller()
    told: list[str] = []
    with caller.telling(lambda: told.append("before")):
        pass
    with caller.telling(lambda: told.append("during")):
        caller.leave()
    with caller.telling(lambda: told.append("after")):
        pass
    assert told == ["during", "after"]


def test_a_pause_ends_when_the_caller_leaves() -> None:
    caller = Caller()
    threading.Timer(0.01, caller.leave).start()
    with pytest.raises(Cancelled):
        caller.pause(3600)
