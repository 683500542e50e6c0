"""One state of a model, read once: its losses on the passages, its greedy texts, its values that are no numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledgesmith.editors.health.finite import nonfinite_weights
from knowledgesmith.editors.health.likelihood import TextLoss, text_losses
from knowledgesmith.editors.health.passages import passages
from knowledgesmith.editors.health.speech import NEW_TOKENS, Ids, greedy, openings
from knowledgesmith.editors.scoring.generation import generate
from knowledgesmith.editors.text.encoding import plain_ids

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

OPENINGS = 12
STEMS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReading:
    """Read of one state; two readings are compared text by text.

    Attributes:
        losses: of the bundled passages, in their order.
        texts: greedy continuations of the passages' beginnings.
        nonfinite: weights that are no finite numbers, and positions whose scores are not.
    """

    losses: tuple[TextLoss, ...]
    texts: tuple[Ids, ...]
    nonfinite: int


def read_state(loaded: LoadedModel) -> StateReading:
    """Read the weights that the model carries at the time of the call: some seconds for a small model.

    Where a weight is no finite number nothing is generated: there is nothing to say about such texts.
    """
    texts = passages()
    losses = text_losses(loaded, texts)
    nonfinite = nonfinite_weights(loaded.model) + sum(loss.nonfinite for loss in losses)
    spread = texts[:: max(1, len(texts) // OPENINGS)][:OPENINGS]
    said = () if nonfinite else greedy(loaded, openings(loaded, spread))
    return StateReading(losses=losses, texts=said, nonfinite=nonfinite)


def say(loaded: LoadedModel, stems: Sequence[str]) -> tuple[Ids, ...]:
    """Greedy continuations of probe stems up to a line break, in their order."""
    texts = generate(loaded, stems, max_new_tokens=NEW_TOKENS) if stems else []
    return tuple(map(tuple, plain_ids(loaded.tokenizer, texts)))
