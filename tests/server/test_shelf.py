"""The one model in memory: shared where it is the same, and never two at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.graph_schema.cancellation import Caller, working_for
from knowledgesmith.graph_schema.errors import Cancelled, ModelNotLoadable
from knowledgesmith.server.worker.model.shelf import Place, Shelf
from knowledgesmith.server.worker.model.visits import Call, ElsewhereError, Visits

A: Place = ("a", "float32")
B: Place = ("b", "float32")
SECONDS = 60.0


class Loader:
    """Loads models when it is let; knows what was loaded, and how often one was wanted while another was in use."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None

    def __call__(self, place: Place) -> LoadedModel:
        self.begun.set()
        assert self.go.wait(SECONDS)
        self.loaded.append(place[0])
        if self.error is not None:
            raise self.error
        return tiny_llama()


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def shelf(loader: Loader) -> Shelf:
    return Shelf(loader)


def beside(work: Callable[[], object], caller: Caller | None = None) -> threading.Thread:
    """Do ``work`` in a thread, for a caller."""

    def run() -> None:
        with working_for(caller or Caller()):
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_model_is_loaded_once_and_shared(shelf: Shelf, loader: Loader) -> None:
    with shelf.using(A) as one, shelf.changed:
        visit = shelf.claim(A)
    assert visit is not None
    assert visit is one
    with shelf.lent(visit):
        pass
    with shelf.using(A) as again:
        assert again is one
    assert loader.loaded == ["a"]


def test_another_model_waits_until_nobody_uses_the_first(shelf: Shelf, loader: Loader) -> None:
    used: list[str] = []

    def use() -> None:
        with shelf.using(B) as held:
            used.append(held.place[0])

    with shelf.using(A):
        with shelf.changed:
            visit = shelf.claim(A)
            assert visit is not None
        intervention = beside(use)
    while shelf._next != B:  # pyright: ignore[reportPrivateUsage]
        threading.Event().wait(0.01)
    with shelf.changed:
        assert shelf.claim(A) is None, "an intervention that waits comes before new visits of the present model"
    assert not used
    with shelf.lent(visit):
        pass
    intervention.join(SECONDS)
    assert (used, loader.loaded) == (["b"], ["a", "b"])


def test_who_leaves_while_a_model_is_loaded_does_not_wait_for_it(shelf: Shelf, loader: Loader) -> None:
    loader.go.clear()
    caller = Caller()
    left: list[bool] = []

    def use() -> None:
        with pytest.raises(Cancelled), shelf.using(A):
            raise AssertionError
        left.append(loader.go.is_set())

    intervention = beside(use, caller)
    assert loader.begun.wait(SECONDS)
    caller.leave()
    intervention.join(SECONDS)
    assert left == [False], "before it was loaded"
    loader.go.set()
    with shelf.using(A):
        pass
    assert loader.loaded == ["a"], "the next one has it"


def test_who_leaves_while_another_model_is_used_leaves_at_once(shelf: Shelf) -> None:
    caller = Caller()

    def use() -> None:
        with pytest.raises(Cancelled), shelf.using(B):
            raise AssertionError

    with shelf.using(A):
        intervention = beside(use, caller)
        caller.leave()
        intervention.join(SECONDS)
        assert not intervention.is_alive()
        with shelf.changed:
            visit = shelf.claim(A)
            assert visit is not None, "and nobody stands in the way any more"
        with shelf.lent(visit):
            pass


def test_what_loading_raises_reaches_who_asked_and_nobody_else(shelf: Shelf, loader: Loader) -> None:
    loader.error = ModelNotLoadable("broken")
    for _ in range(2):
        with pytest.raises(ModelNotLoadable), shelf.using(A):
            raise AssertionError
    loader.error = None
    with shelf.using(A):
        pass
    assert loader.loaded == ["a", "a", "a"]


class Desk:
    """One sort of visits that notes what it answers."""

    def __init__(self, shelf: Shelf, *, patient: bool = True) -> None:
        self.shelf = shelf
        self.answered: list[tuple[int, str]] = []
        self.some = threading.Condition()
        self.busy, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.visits = Visits(
            "desk", patient=patient, shelf=shelf, place_of=self.place_of, work=self.work, refuse=self.refuse
        )
        self.visits.start()

    def put(self, number: int, place: str) -> Call:
        call = Call(number, "look", {"place": place}, Caller())
        self.visits.put(call)
        return call

    @staticmethod
    def place_of(call: Call) -> Place:
        if call.args["place"] == "nowhere":
            raise ModelNotLoadable("nowhere")
        return str(call.args["place"]), "float32"

    def work(self, call: Call, claimed: Any) -> None:
        with working_for(call.caller), self.shelf.lent(claimed) as held:
            self.busy.set()
            assert self.go.wait(SECONDS)
            self.note(call, held.place[0])

    def refuse(self, call: Call) -> None:
        self.note(call, type(call.error).__name__ if call.error else "dropped")

    def note(self, call: Call, what: str) -> None:
        with self.some:
            self.answered.append((call.id, what))
            self.some.notify_all()

    def wait(self, count: int) -> list[tuple[int, str]]:
        with self.some:
            assert self.some.wait_for(lambda: len(self.answered) >= count, SECONDS)
            return list(self.answered)


def test_visits_of_the_model_in_use_pass_those_that_need_another(shelf: Shelf, loader: Loader) -> None:
    desk = Desk(shelf)
    with shelf.using(A):
        desk.put(1, "b")
        desk.put(2, "a")
        desk.put(3, "nowhere")
        desk.put(4, "a")
        assert desk.wait(3) == [(2, "a"), (3, "ModelNotLoadable"), (4, "a")]
    assert desk.wait(4)[-1] == (1, "b")
    assert loader.loaded == ["a", "b"]


def test_a_visit_that_waited_for_an_intervention_comes_before_the_next_intervention(
    shelf: Shelf, loader: Loader
) -> None:
    desk = Desk(shelf)
    with shelf.using(A):
        desk.put(1, "b")
        desk.put(2, "a")
        desk.wait(1)
    with shelf.using(A):
        assert desk.wait(2) == [(2, "a"), (1, "b")]
    assert loader.loaded == ["a", "b", "a"]


def test_a_visit_that_is_withdrawn_is_dropped_before_it_begins(shelf: Shelf) -> None:
    desk = Desk(shelf)
    desk.go.clear()
    desk.put(1, "a")
    assert desk.busy.wait(SECONDS)
    second = desk.put(2, "a")
    desk.put(3, "a")
    second.caller.leave()
    desk.go.set()
    assert desk.wait(3) == [(1, "a"), (2, "dropped"), (3, "a")]


def test_an_impatient_visit_does_not_wait_for_another_model(shelf: Shelf) -> None:
    desk = Desk(shelf, patient=False)
    with shelf.using(A):
        desk.put(1, "b")
        assert desk.wait(1) == [(1, ElsewhereError.__name__)]
        desk.put(2, "a")
        assert desk.wait(2)[-1] == (2, "a")
    desk.put(3, "b")
    assert desk.wait(3)[-1] == (3, "b"), "and loads it where nobody uses another"


def test_an_end_of_the_worker_waits_for_nobody(shelf: Shelf) -> None:
    desk = Desk(shelf)
    with shelf.using(A):
        desk.put(1, "b")
        desk.visits.stop(SECONDS)
    assert desk.answered == []
