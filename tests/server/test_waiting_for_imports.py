"""An intervention whose graph is being imported waits for the import, is told so, and can be cancelled meanwhile."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from knowledgesmith.graph_schema.errors import Cancelled, GraphIncomplete
from knowledgesmith.graph_schema.graphs.reading import require_graph
from knowledgesmith.graph_schema.importing import InputFile, import_graph
from knowledgesmith.graph_schema.importing.writing.lock import take_lock
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.server.worker.attempt import waiting
from knowledgesmith.server.worker.attempt.reporting import AttemptCaller, InterventionProgress
from knowledgesmith.server.worker.attempt.waiting import when_imported


class Told:
    """Stands where the reports of an intervention go; ``then`` happens at each."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.phases: list[str] = []
        self._then = then

    def progress(self, _id: str, phase: str, _done: int, _total: int, *, step: str) -> None:
        assert not step, "waiting is a phase of its own"
        self.phases.append(phase)
        self._then()


def progress_of(told: Any, *, cancelled: bool = False) -> InterventionProgress:
    caller = AttemptCaller(threading.Event())
    if cancelled:
        caller.leave()
    return InterventionProgress(told, "iv_1", caller)


def test_an_intervention_waits_for_the_import_of_its_graph(
    store: GraphStore, graph_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = InputFile(name="entities.csv", content=io.BytesIO(b"uid,name\na,Ann\n"))
    digest = import_graph(store, graph_id=graph_id, files=[file]).digest

    def asks() -> str:
        return store.read_transaction(lambda tx: require_graph(tx, graph_id))

    lock = take_lock(store, graph_id)
    told = Told(lambda: lock.release(store, untouched=True))
    assert when_imported(progress_of(told), asks) == digest
    assert told.phases == ["wait_for_import"]

    held = take_lock(store, graph_id)
    try:
        with pytest.raises(Cancelled):
            when_imported(progress_of(Told(lambda: None), cancelled=True), asks)
        monkeypatch.setattr(waiting, "IMPORT_SECONDS", 1)
        with pytest.raises(GraphIncomplete):
            when_imported(progress_of(Told(lambda: None)), asks)
    finally:
        held.release(store, untouched=True)
    assert when_imported(progress_of(Told(lambda: None)), asks) == digest
