"""An intervention whose graph is being imported waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import GraphIncomplete
from knowledgesmith.server.worker.attempt.reporting import InterventionProgress

IMPORT_SECONDS = 300
"""How long an intervention waits for an import of its graph; then it fails and says so."""
_T = TypeVar("_T")


def when_imported(progress: InterventionProgress, work: Callable[[], _T]) -> _T:
    """Do what reads the graph; while the graph is being imported, wait.

    Raises:
        GraphIncomplete: the import takes longer than :data:`IMPORT_SECONDS`, or was cut off.
        Cancelled: the intervention was cancelled meanwhile.
    """
    for second in range(IMPORT_SECONDS):
        try:
            return work()
        except GraphIncomplete:
            progress.step("wait_for_import", second, IMPORT_SECONDS)
            cancellation.current().pause(1)
    return work()
