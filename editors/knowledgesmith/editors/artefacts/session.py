"""The one model in memory and the revision it shows at present."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from knowledgesmith.editors.artefacts.attachment import apply_deltas, plan_attachment
from knowledgesmith.editors.artefacts.context import text_before
from knowledgesmith.editors.models.digests import state_sha256, weights_sha256
from knowledgesmith.editors.models.loaded import Shown
from knowledgesmith.graph_schema import cancellation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.artefacts.attachment import Attachment
    from knowledgesmith.editors.artefacts.base import Artefact, Kind
    from knowledgesmith.editors.models.loaded import LoadedModel

_WEIGHTS: Kind = "weights"


class ModelSession:
    """Switches a loaded model between revisions: restore the base bit-exactly, then attach artefacts in order.

    Changes of one parameter are summed in float32 over its pristine value and cast once, so a long chain loses
    nothing in a half-precision model. The pristine values stay where they were loaded to and are never written to;
    what a revision changes has memory of its own while it is shown. Memories hang on the model's modules; contexts
    stand in ``loaded.shown``, where scoring and generation find them.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self._undo = ExitStack()
        self._attached: tuple[str, ...] = ()
        self._kinds: tuple[Kind, ...] = ()
        self._digests: dict[tuple[str, ...], str] = {(): loaded.digest}
        self._states: dict[tuple[str, ...], str] = {}

    @property
    def attached(self) -> tuple[str, ...]:
        """Digests of the attached artefacts, in order; empty = base."""
        return self._attached

    def switch(self, artefacts: Sequence[Artefact]) -> None:
        """Show the base plus ``artefacts``.

        Raises:
            UnsupportedArchitecture: an artefact does not fit the model; the revision shown stays the same.
            InvalidInput: an artefact is of no known kind; the revision shown stays the same.
            Cancelled: nobody waits for it any more; the base is shown.
        """
        wanted = tuple(artefact.sha256 for artefact in artefacts)
        if wanted == self._attached:
            return
        plan = plan_attachment(self.loaded, artefacts)
        self._restore()
        try:
            self._attach(plan)
        except BaseException:
            self._restore()
            raise
        self._attached = wanted
        self._kinds = tuple(artefact.kind for artefact in artefacts)

    def weights_sha256(self) -> str:
        """SHA-256 over all current weights (``digests.weights_sha256``), computed once a chain of weight changes."""
        changes = tuple(digest for digest, kind in self._members() if kind == _WEIGHTS)
        if changes not in self._digests:
            self._digests[changes] = weights_sha256(self.loaded.model)
        return self._digests[changes]

    def state_digest(self) -> str:
        """The identity of everything that decides what the model says now (``digests.state_sha256``).

        Whatever is read from the model and kept is kept under this: the weights alone are the same with and without a
        memory or a context.
        """
        if self._attached not in self._states:
            beside = [digest for digest, kind in self._members() if kind != _WEIGHTS]
            self._states[self._attached] = state_sha256(self.loaded, beside, weights=self.weights_sha256())
        return self._states[self._attached]

    def measured_sha256(self) -> str:
        """The digest of the weights, read from them now, for proof that a restore was exact."""
        return weights_sha256(self.loaded.model)

    def _members(self) -> list[tuple[str, Kind]]:
        return list(zip(self._attached, self._kinds, strict=True))

    def _attach(self, plan: Attachment) -> None:
        """Do what is planned; before each step it is noted how to undo it."""
        for parameter, _ in plan.deltas:
            self._undo.callback(_give_back, parameter, parameter.data)
        apply_deltas(plan.deltas)
        for module, memory in plan.memories:
            cancellation.check()
            self._undo.callback(memory.hang_on(module, self.loaded.device).remove)
        cancellation.check()
        self._undo.callback(_show, self.loaded.shown, Shown())
        memories = [memory.kind for _, memory in plan.memories]
        now = Shown(kinds=(*memories, *(context.kind for context in plan.contexts)))
        if plan.contexts:
            now.before = partial(text_before, tuple(plan.contexts))
        _show(self.loaded.shown, now)

    def _restore(self) -> None:
        self._undo.close()
        self._attached, self._kinds = (), ()


def _give_back(parameter: nn.Parameter, value: Tensor) -> None:
    parameter.data = value


def _show(shown: Shown, now: Shown) -> None:
    shown.before, shown.kinds = now.before, now.kinds


@contextmanager
def attached(loaded: LoadedModel, *artefacts: Artefact) -> Generator[ModelSession]:
    """A model that shows its base plus ``artefacts`` for a while; bit-identical to the base afterwards.

    Raises:
        UnsupportedArchitecture: an artefact does not fit the model; nothing was changed.
    """
    session = ModelSession(loaded)
    session.switch(artefacts)
    try:
        yield session
    finally:
        session.switch(())
