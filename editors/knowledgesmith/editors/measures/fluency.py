"""Perplexity on sentences; what a revision is judged by is in ``health``, of which this is the simple half."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from knowledgesmith.editors.health.likelihood import perplexity_of, text_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.editors.models.loaded import LoadedModel


@cache
def plain_text() -> tuple[str, ...]:
    """Bundled everyday sentences (``texts/plain.txt``), written for this project; one a line.

    They resemble what methods keep in training; what nothing trains on are the passages of the health check.
    """
    text = files("knowledgesmith.editors.text").joinpath("corpora", "plain.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)


def perplexity(loaded: LoadedModel, sentences: Sequence[str]) -> float:
    """Exp of the mean negative log-likelihood per predicted token over all sentences; infinite where one has none.

    Args:
        loaded: the model, with the weights it carries at the time of the call.
        sentences: texts of at least two tokens each.

    Raises:
        InvalidInput: a text is shorter, or there is none.
    """
    return perplexity_of(text_losses(loaded, sentences))
