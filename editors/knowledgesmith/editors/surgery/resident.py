"""The one model in memory and the revision it shows at present."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.artefacts import Weights, apply_deltas, plan_attachment
from knowledgesmith.editors.digests import weights_sha256

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.models import LoadedModel


class ResidentModel:
    """Switches a loaded model between revisions: restore the base bit-exactly, then attach artefacts in order.

    Changes of one parameter are summed in float32 over its pristine value and cast once, so a long chain loses
    nothing in a half-precision model. Pristine copies are kept only of parameters that were ever touched.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self._pristine: dict[int, tuple[nn.Parameter, Tensor]] = {}
        self._changed: set[int] = set()
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
        """
        wanted = tuple(artefact.sha256 for artefact in artefacts)
        if wanted == self._attached:
            return
        plan = plan_attachment(self.loaded.model, artefacts)
        self._restore()
        for parameter, _ in plan:
            self._pristine.setdefault(id(parameter), (parameter, parameter.detach().clone()))
        self._changed = {id(parameter) for parameter, _ in plan}
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
        with torch.no_grad():
            for key in self._changed:
                parameter, value = self._pristine[key]
                parameter.copy_(value)
        self._changed = set()
        self._attached = ()
