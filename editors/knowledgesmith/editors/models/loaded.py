"""A loaded causal language model with everything that methods need to know about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from knowledgesmith.editors.architectures.base import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model in memory.

    Attributes:
        model: the causal language model in ``eval`` mode; its parameters do not require gradients.
        tokenizer: its tokenizer; padding is chosen by each caller, never through global tokenizer state.
        architecture: where the parts of this model are (found by structure, not by name).
        digest: SHA-256 over the base weights; artefacts do not change it.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    architecture: Architecture
    digest: str

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.model.device
