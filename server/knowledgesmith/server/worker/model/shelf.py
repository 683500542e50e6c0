"""The one model in memory, who uses it, and who waits for another.

Two models at once might not fit, so another one is loaded only when nobody uses the first. Interventions and visits
(questions, exports) of the same model use it side by side: a visit has a view of its own (``editors.surgery.views``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from knowledgesmith.editors.artefacts.session import ModelSession
from knowledgesmith.editors.surgery.stopping import stoppable
from knowledgesmith.editors.surgery.views import view_of
from knowledgesmith.graph_schema import cancellation

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

Place = tuple[str, str]
"""Path and dtype of a model."""


class Held:
    """A model in memory: for interventions as it is, for each sort of visit a view."""

    def __init__(self, place: Place, loaded: LoadedModel) -> None:
        self.place = place
        self.resident = ModelSession(stoppable(loaded))
        self._pristine = view_of(loaded, own_tokenizer=False)
        self._views: dict[str, ModelSession] = {}

    def view(self, sort: str) -> ModelSession:
        """The view for one sort of visits, which one thread uses at a time."""
        if sort not in self._views:
            self._views[sort] = ModelSession(view_of(self._pristine))
        return self._views[sort]


@dataclass(eq=False, slots=True)
class Loading:
    """A model on its way into memory; ``over`` once it is there or ``error`` says why not."""

    place: Place
    over: bool = False
    error: BaseException | None = None


@dataclass(slots=True)
class Shelf:
    """Lends the model. Thread-safe.

    Args:
        load: loads a model; may take minutes and cannot be stopped, so it runs in a thread of its own: whoever does not
            wait for it any more leaves at once, and the model is there for the next.
    """

    load: Callable[[Place], LoadedModel]
    changed: threading.Condition = field(default_factory=threading.Condition)
    _held: Held | None = None
    _loading: Loading | None = None
    _users: int = 0
    _next: Place | None = None
    _parked: dict[str, int] = field(default_factory=dict[str, int])

    @contextmanager
    def using(self, place: Place) -> Generator[Held]:
        """Use a model for an intervention: before new visits of another one, after those that waited all the time.

        Raises:
            ModelNotFound, ModelNotLoadable, …: what ``load`` raises.
            Cancelled: nobody waits for it any more.
        """
        claimed = self._claimed(place)
        with self.lent(claimed) as held:
            yield held

    def _claimed(self, place: Place) -> Held | Loading:
        yielded = False
        caller = cancellation.current()
        with caller.telling(self.wake), self.changed:
            try:
                while True:
                    caller.check()
                    waited = any(self._parked.values()) and not self._users and not yielded
                    claimed = None if waited else self._claim(place)
                    if claimed is not None:
                        return claimed
                    yielded = yielded or waited
                    if not waited:
                        self._next = place
                    self.changed.notify_all()
                    self.changed.wait()
            finally:
                self._next = None

    def claim(self, place: Place) -> Held | Loading | None:
        """Take a model for a visit if that is possible now (``changed`` is held); None = not now."""
        if self._next is not None and self._next != place:
            return None
        return self._claim(place)

    def _claim(self, place: Place) -> Held | Loading | None:
        if self._loading is not None:
            return None
        if self._held is not None and self._held.place == place:
            self._users += 1
            return self._held
        if self._users:
            return None
        self._held = None  # two models at once might not fit
        self._users = 1
        self._loading = Loading(place)
        threading.Thread(target=self._load, args=(self._loading,), daemon=True, name="load").start()
        return self._loading

    @contextmanager
    def lent(self, claimed: Held | Loading) -> Generator[Held]:
        """Use what was claimed, once it is there."""
        try:
            yield self._there(claimed) if isinstance(claimed, Loading) else claimed
        finally:
            with self.changed:
                self._users -= 1
                self.changed.notify_all()

    def _there(self, loading: Loading) -> Held:
        caller = cancellation.current()
        with caller.telling(self.wake), self.changed:
            while not loading.over:
                caller.check()
                self.changed.wait()
            if loading.error is not None:
                raise loading.error
            held = self._held
        if held is None or held.place != loading.place:
            raise RuntimeError(f"the model at {loading.place} was put away while it was lent")
        return held

    def _load(self, loading: Loading) -> None:
        held: Held | None = None
        try:
            held = Held(loading.place, self.load(loading.place))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            loading.error = error
        with self.changed:
            self._held, self._loading, loading.over = held, None, True
            self.changed.notify_all()

    def forget(self, held: Held) -> None:
        """Load this model anew when it is wanted again."""
        with self.changed:
            if self._held is held:
                self._held = None

    def park(self, sort: str, calls: int) -> None:
        """So many visits of a sort wait because of the model (``changed`` is held)."""
        before, self._parked[sort] = self._parked.get(sort, 0), calls
        if before and not calls:
            self.changed.notify_all()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        with self.changed:
            self.changed.notify_all()
