"""A loaded causal language model with everything that methods need to know about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from knowledgesmith.editors.architectures.base import Architecture


def nothing_before(_prompt: str) -> str:
    """No prompt has a text before it."""
    return ""


@dataclass(slots=True, eq=False)
class Shown:
    """What a model shows besides its weights: a session sets it (``artefacts.session``), others read it.

    Attributes:
        before: the text that stands before a prompt, a function of the prompt's own text.
        kinds: kinds of the attached artefacts that are no weights, in order.
    """

    before: Callable[[str], str] = nothing_before
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model in memory.

    Attributes:
        model: the causal language model in ``eval`` mode; its parameters do not require gradients.
        tokenizer: its tokenizer; padding is chosen by each caller, never through global tokenizer state.
        architecture: where the parts of this model are (found by structure, not by name).
        digest: SHA-256 over the base weights; artefacts do not change it.
        shown: what it shows besides its weights at present.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    architecture: Architecture
    digest: str
    shown: Shown = field(default_factory=Shown, repr=False, compare=False)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.model.device

    def before(self, prompt: str) -> str:
        """The text that attached contexts put before a prompt: scoring and generation do, training never does."""
        return self.shown.before(prompt)
