"""The one model in memory and the revision it shows at present."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from knowledgesmith.editors.artefacts.attachment import apply_deltas, plan_attachment
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.models.digests import weights_sha256

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.models.loaded import LoadedModel


class ModelSession:
    """Switches a loaded model between revisions: restore the base bit-exactly, then attach artefacts in order.

    Changes of one parameter are summed in float32 over its pristine value and cast once, so a long chain loses
    nothing in a half-precision model. The pristine values stay where they were loaded to and are never written to;
    what a revision changes has memory of its own while it is shown.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self._pristine: list[tuple[nn.Parameter, Tensor]] = []
        self._attached: tuple[str, ...] = ()
        self._digests: dict[tuple[str, ...], str] = {(): loaded.digest}

    @property
    def attached(self) -> tuple[str, ...]:
        """Digests of the attached artefacts, in order; empty = base."""
        return self._attached

    def switch(self, artefacts: Sequence[Weights]) -> None:
        """Show the base plus ``artefacts``.

        Raises:
            UnsupportedArchitecture: an artefact does not fit the model; the revision shown stays the same.
            Cancelled: nobody waits for it any more; the base is shown.
        """
        wanted = tuple(artefact.sha256 for artefact in artefacts)
        if wanted == self._attached:
            return
        plan = plan_attachment(self.loaded.model, artefacts)
        self._restore()
        self._pristine = [(parameter, parameter.data) for parameter, _ in plan]
        try:
            apply_deltas(plan)
        except BaseException:
            self._restore()
            raise
        self._attached = wanted

    def weights_sha256(self) -> str:
        """SHA-256 over all current weights (``digests.weights_sha256``), computed once a revision."""
        if self._attached not in self._digests:
            self._digests[self._attached] = weights_sha256(self.loaded.model)
        return self._digests[self._attached]

    def measured_sha256(self) -> str:
        """The same digest read from the weights now, for proof that a restore was exact."""
        return weights_sha256(self.loaded.model)

    def _restore(self) -> None:
        for parameter, value in self._pristine:
            parameter.data = value
        self._pristine = []
        self._attached = ()


@contextmanager
def attached(loaded: LoadedModel, *artefacts: Weights) -> Generator[ModelSession]:
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
