"""Calls that use the model beside an intervention: each sort has a thread, an order and a view of the model of its own.

A call waits for those of its own sort that came before it, and for a model that is not in memory; never for an
intervention that uses the same model. A call that is withdrawn is dropped before it begins, or ends at its next block
of the model.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from knowledgesmith.graph_schema.cancellation import Caller, working_for

if TYPE_CHECKING:
    from knowledgesmith.server.worker.model.shelf import Held, Loading, Place, Shelf

_UNDO: Final = 16
"""Answers that can be undone, the last ones: the front process says at once when one has reached nobody."""


@dataclass(eq=False, slots=True)
class Call:
    """One call of the front process, and whether it still waits."""

    id: int
    name: str
    args: dict[str, Any]
    caller: Caller
    place: Place | None = None
    error: Exception | None = None
    undo: Callable[[], None] | None = None


class ElsewhereError(Exception):
    """The model in memory is another one, and the call is of a sort that does not wait for that."""


class Calls:
    """The calls that are not answered yet, and how to undo the last ones that were. Thread-safe."""

    def __init__(self) -> None:
        self._open: dict[int, Call] = {}
        self._undo: OrderedDict[int, Callable[[], None]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, message: dict[str, Any]) -> Call:
        """Note a call that has come."""
        call = Call(message["id"], message["call"], message["args"], Caller())
        with self._lock:
            self._open[call.id] = call
        return call

    def withdraw(self, number: int) -> None:
        """The front process does not wait for this call any more; what an answer that missed it made is undone."""
        with self._lock:
            call, undo = self._open.get(number), self._undo.pop(number, None)
        if call is not None:
            call.caller.leave()
        elif undo is not None:
            undo()

    def withdraw_all(self) -> None:
        """It waits for none."""
        with self._lock:
            calls = list(self._open.values())
        for call in calls:
            call.caller.leave()

    def over(self, call: Call) -> None:
        """A call is about to be answered, or dropped."""
        with self._lock:
            self._open.pop(call.id, None)
            if call.undo is not None:
                self._undo[call.id] = call.undo
            while len(self._undo) > _UNDO:
                self._undo.popitem(last=False)


class Visits:
    """The thread of one sort of calls.

    Args:
        sort: its name.
        patient: whether its calls wait while another model is in memory; else they fail with :class:`ElsewhereError`.
        shelf: where the model is.
        place_of: tells where the model of a call is; reads the graph.
        work: does what a call asks for with the model and answers it.
        refuse: answers a call that cannot be done, or drops it where nobody waits for it.
    """

    def __init__(
        self,
        sort: str,
        *,
        patient: bool,
        shelf: Shelf,
        place_of: Callable[[Call], Place],
        work: Callable[[Call, Held | Loading], None],
        refuse: Callable[[Call], None],
    ) -> None:
        self._sort = sort
        self._patient = patient
        self._shelf = shelf
        self._place_of = place_of
        self._work = work
        self._refuse = refuse
        self._calls: list[Call] = []
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=sort)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End after the present call, which is to be withdrawn before; wait so long for it."""
        with self._shelf.changed:
            self._stopped = True
            self._shelf.changed.notify_all()
        self._thread.join(seconds)

    def put(self, call: Call) -> None:
        """Let a call wait for its turn."""
        with self._shelf.changed:
            self._calls.append(call)
            self._shelf.changed.notify_all()

    def _run(self) -> None:
        while self._turn():  # a frame of its own for each: what it held must not stay in memory
            pass

    def _turn(self) -> bool:
        """Look for a call and do what it needs next; False once stopped."""
        with self._shelf.changed:
            while (found := self._chosen()) is None and not self._stopped:
                self._shelf.changed.wait()
        if found is None:
            return False
        call, claimed = found
        if claimed is not None:
            self._work(call, claimed)
        elif call.error is not None or not call.caller.waits:
            self._refuse(call)
        else:
            self._locate(call)
        return True

    def _chosen(self) -> tuple[Call, Held | Loading | None] | None:
        """The first call whose model can be used now (it is claimed), or with which something else is to be done."""
        for index, call in enumerate(self._calls):
            if call.error is not None or not call.caller.waits:
                return self._calls.pop(index), None
            if call.place is None:
                return call, None
            claimed = self._shelf.claim(call.place)
            if claimed is None and not self._patient:
                call.error = ElsewhereError()
                return self._calls.pop(index), None
            if claimed is not None:
                self._calls.pop(index)
                self._shelf.park(self._sort, len(self._calls))
                return call, claimed
        self._shelf.park(self._sort, len(self._calls))
        return None

    def _locate(self, call: Call) -> None:
        try:
            with working_for(call.caller):
                call.place = self._place_of(call)
        except Exception as error:  # noqa: BLE001 - it is answered in its turn, which has come
            call.error = error
