"""How an attempt bears with the database: it waits for locks, and what it was lost to is told as it was."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.cancellation import Caller
from knowledgesmith.graph_schema.errors import GraphUnavailable, KnowledgeSmithError, WorkerUnavailable
from knowledgesmith.server.worker.attempt.reporting import AttemptCaller

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from knowledgesmith.server.worker.attempt.reporting import Reporter

_LOG = logging.getLogger(__name__)
PHASE = "wait_for_locks"


class PatientCaller(AttemptCaller):
    """An intervention's caller, whose writes wait for the locks of others until these are free.

    Only a cancellation of the intervention and a stop of the worker end that.

    Args:
        stop: set when the worker shall end.
        tell: told after each try that waited in vain, with the seconds since the first.
    """

    __slots__ = ("_tell",)

    def __init__(self, stop: threading.Event, tell: Callable[[float], None]) -> None:
        super().__init__(stop)
        self._tell = tell

    def wait_for_locks(self, waited_s: float) -> bool:
        """Yes.

        Raises:
            Cancelled: the user asked to stop.
            Stopped: the worker was told to stop.
        """
        self.check()
        self._tell(waited_s)
        return True

    def devoted(self) -> Caller:
        """One that no cancellation ends, only a stop of the worker."""
        return _Devoted(self._stop, self._tell)


class _Devoted(Caller):
    """Stands for the caller of an intervention that is being committed or ended."""

    __slots__ = ("_stop", "_tell")

    def __init__(self, stop: threading.Event, tell: Callable[[float], None]) -> None:
        super().__init__()
        self._stop = stop
        self._tell = tell

    def wait_for_locks(self, waited_s: float) -> bool:
        """Yes, unless the worker was told to stop."""
        if self._stop.is_set():
            return False
        self._tell(waited_s)
        return True

    def devoted(self) -> Caller:
        """Itself."""
        return self


def patient(reporter: Reporter, intervention_id: str, stop: threading.Event) -> PatientCaller:
    """The caller of an intervention, which tells watchers, the log and Prometheus when it waits for locks."""

    def tell(waited_s: float) -> None:
        _LOG.warning("%s has waited %.0f s for locks that another transaction holds", intervention_id, waited_s)
        reporter.sink.inc("ksmith_lock_waits")
        reporter.progress(intervention_id, PHASE, int(waited_s), 0)

    return PatientCaller(stop, tell)


def given_up(attempts: int, lost: Mapping[int, str]) -> KnowledgeSmithError:
    """The error of an intervention whose attempts are used up.

    Args:
        attempts: how many there were.
        lost: what is known of them, by their number; of the others the worker did not live to tell.
    """
    known = Counter(reason for attempt, reason in lost.items() if attempt <= attempts)
    if not known:
        return WorkerUnavailable(f"given up: {attempts} attempts lost their worker")
    told = [f"{count} × {reason}" for reason, count in known.items()]
    silent = attempts - known.total()
    told += [f"{silent} × the worker was lost"] if silent else []
    return GraphUnavailable(f"given up after {attempts} attempts: {'; '.join(told)}")
