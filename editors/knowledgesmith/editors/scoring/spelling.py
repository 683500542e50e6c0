"""Whether a model knows how a name is written, before an edit asks it to say it.

A name of one token needs a choice; a name of several has to be spelled. Where a model knows the name, its first token
brings the rest along ("Pret" is followed by "oria"). Where it does not, as in a script that it hardly reads or with a
name that nobody bore before, an edit has to teach the spelling too, through one vector, and often the text begins right
and ends wrong. No method is at fault then, and it can be said before anything is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import answer_batch, buckets, rows

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

UNKNOWN_NATS: Final = 10.0
"""From here on a name counts as unknown: its rest is less likely than 1 in 22,000 although its beginning stands there.

A convention, not a fit. Of the default model: "Pretoria" 0.5, "Port Moresby" 8, "Ouagadougou" 18, made-up names 20-30.
"""
_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How a model writes a name of which the first token is given.

    Attributes:
        name: the name.
        tokens: how many it takes.
        given: how many of those after the first the model gives by itself (its most likely token, each time).
        nats: how surprising those after the first are together, -log p; 0 for a name of one token.
    """

    name: str
    tokens: int
    given: int
    nats: float

    @property
    def known(self) -> bool:
        """Whether the model can be expected to write it to its end."""
        return self.nats < UNKNOWN_NATS


@torch.no_grad()
def spell(loaded: LoadedModel, pairs: Sequence[tuple[str, str]]) -> list[Spelling]:
    """How the model spells each name where it follows a stem.

    Args:
        loaded: the model as it is.
        pairs: (stem, name) pairs; no name is blank.
    """
    items = rows(loaded.tokenizer, pairs)
    found: dict[int, Spelling] = {}
    for chosen in buckets(items, size=_ROWS):
        batch = answer_batch([items[i] for i in chosen], device=loaded.device)
        logits = answer_logits(loaded.model, batch)
        nats = divergence(logits, Targets.one_hot(batch.answers))
        right = logits.argmax(-1) == batch.answers
        for local, i in enumerate(chosen):
            own = (batch.row == local).nonzero()[1:, 0]
            found[i] = Spelling(
                name=pairs[i][1], tokens=len(own) + 1, given=int(right[own].sum()), nats=float(nats[own].sum())
            )
    return [found[i] for i in range(len(items))]
