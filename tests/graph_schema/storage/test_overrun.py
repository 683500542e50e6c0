"""Queries that Neo4j cannot end: their callers are answered at the limit, and only a few of them may run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from contextvars import copy_context
from functools import partial

import pytest
from tests.conftest import Cypher

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.cancellation import Caller
from knowledgesmith.graph_schema.errors import Cancelled, InvalidInput, ServerBusy, TooLarge
from knowledgesmith.graph_schema.overrun import Guard, Overrun
from knowledgesmith.graph_schema.storage import store as store_module
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings


class Stuck:
    """Work that ends when it is let go, whatever anybody wants."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.ended = threading.Event()

    def __call__(self) -> int:
        self.go.wait()
        self.ended.set()
        return 1


@pytest.fixture
def stuck() -> Iterator[Callable[[], Stuck]]:
    with ExitStack() as stack:

        def make() -> Stuck:
            one = Stuck()
            stack.callback(one.go.set)
            return one

        yield make


def test_what_ends_in_time_gives_its_result_or_error() -> None:
    guard = Guard(running=1, abandoned=1, grace_s=60)
    for n in range(3):
        assert guard.run(partial(abs, n), limit_s=60) == n

    def fails() -> None:
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        guard.run(fails, limit_s=60)
    assert guard.abandoned == 0


def test_what_overruns_is_left_and_more_of_it_is_refused(stuck: Callable[[], Stuck]) -> None:
    guard = Guard(running=3, abandoned=2, grace_s=0)
    left = [stuck(), stuck()]
    for one in left:
        with pytest.raises(Overrun):
            guard.run(one, limit_s=0.01)
    assert guard.abandoned == 2
    with pytest.raises(ServerBusy, match="cannot end") as caught:
        guard.run(lambda: 1, limit_s=60)
    assert "restart" in caught.value.hint
    left[0].go.set()
    while guard.abandoned == 2:  # its thread ends by itself
        left[0].ended.wait()
    assert guard.run(lambda: 2, limit_s=60) == 2


def test_as_many_run_as_may_at_once(stuck: Callable[[], Stuck]) -> None:
    guard = Guard(running=1, abandoned=2, grace_s=0)
    with pytest.raises(Overrun):
        guard.run(stuck(), limit_s=0.01)
    with pytest.raises(ServerBusy, match="at once"):
        guard.run(lambda: 1, limit_s=0.01)


def test_work_knows_the_caller_it_is_done_for() -> None:
    caller = Caller(60)

    def call() -> Caller:
        cancellation.set_caller(caller)
        return Guard(running=1, abandoned=1, grace_s=60).run(cancellation.current, limit_s=60)

    assert copy_context().run(call) is caller


SLOW = {
    "regular expression": "RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '((a+)+)+b' AS n",
    "reduce": "RETURN reduce(s = 0, x IN range(1, 60000000) | s + x % 3) AS n",
    "list": "RETURN size([x IN range(1, 60000000) WHERE x % 1000000 = 0]) AS n",
    "predicate": "RETURN none(x IN range(1, 60000000) WHERE x < 0) AS n",
}
"""Neo4j never looks at its clock within one expression; these end by themselves after a while."""


@pytest.mark.parametrize("name", SLOW)
def test_an_expression_without_end_is_answered_at_the_limit(
    neo4j_uri: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(store_module, "_USER_GRACE_S", 0.0)
    with_limits = GraphStore.connect(StoreSettings(uri=neo4j_uri))
    try:
        with pytest.raises(InvalidInput, match=r"takes longer than 0\.2 s") as caught:
            with_limits.run_user_query(SLOW[name], {}, limit=1, timeout_s=0.2)
        assert (caught.value.field, bool(caught.value.hint)) == ("query", True)
    finally:
        with_limits.close()


HOSTILE = {
    "nested lists": "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b RETURN count(*) AS n",
    "no rows": "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b WITH a, b WHERE a * b = -1 RETURN a, b",
    "sorting": "UNWIND range(1, 2000000000) AS x WITH x ORDER BY -x LIMIT 5 RETURN collect(x) AS n",
    "subquery": "UNWIND range(1, 99999) AS a CALL (a) { UNWIND range(1, 99999) AS b RETURN sum(b) AS s } RETURN max(s)",
    "product": "MATCH (a), (b), (c), (d), (e), (f) "
    "WHERE elementId(a) + elementId(b) + elementId(c) + elementId(d) + elementId(e) + elementId(f) = 'x' "
    "RETURN count(*) AS n",
    "strings": "RETURN size(reduce(s = 'aaaaaaaa', x IN range(1, 40) | s + s)) AS n",
    "replace": "WITH reduce(s = 'aaaaaaaa', x IN range(1, 20) | s + s) AS t RETURN size(replace(t, 'a', t)) AS n",
}


@pytest.fixture
def crowd(cypher: Cypher) -> Iterator[None]:
    """Enough nodes for a product without end, whatever else the database holds."""
    cypher("UNWIND range(1, 200) AS n CREATE (:Crowd {n: n})")
    yield
    cypher("MATCH (n:Crowd) DELETE n")


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("name", HOSTILE)
def test_other_queries_without_end_are_ended_and_leave_nothing_behind(store: GraphStore, name: str) -> None:
    with pytest.raises((InvalidInput, TooLarge)):
        store.run_user_query(HOSTILE[name], {}, limit=1, timeout_s=0.5)
    while store._user_queries.abandoned:  # pyright: ignore[reportPrivateUsage]  # on a slow machine for a moment
        time.sleep(0.1)
    assert store.run_user_query("RETURN 1 AS n", {}, limit=1, timeout_s=60)[1] == [{"n": 1}]


def test_a_caller_who_left_is_told_nothing_of_the_query(neo4j_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_USER_GRACE_S", 0.0)
    with_limits = GraphStore.connect(StoreSettings(uri=neo4j_uri))

    def call() -> None:
        cancellation.set_caller(Caller(0.05))
        with_limits.run_user_query(SLOW["reduce"], {}, limit=1, timeout_s=30)

    try:
        with pytest.raises(Cancelled):
            copy_context().run(call)
    finally:
        with_limits.close()
