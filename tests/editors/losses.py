"""Losses of whole batches, as plainly as torch says them: what the tests compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.objective.divergence import Targets, divergence, per_row
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import AnswerBatch

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


def cross_entropy(model: PreTrainedModel, batch: AnswerBatch) -> Tensor:
    """Mean over rows of the mean cross-entropy of their answer tokens. shape: ()."""
    losses = divergence(answer_logits(model, batch), Targets.one_hot(batch.answers))
    return per_row(losses, batch.row, len(batch.ids)).mean()


def kl_to_reference(model: PreTrainedModel, batch: AnswerBatch, reference: Targets) -> Tensor:
    """Mean over rows of the mean KL(reference ‖ model) at their answer tokens. shape: ()."""
    losses = divergence(answer_logits(model, batch), reference)
    return per_row(losses, batch.row, len(batch.ids)).mean()


def answered(logits: Tensor, batch: AnswerBatch) -> Tensor:
    """Whether every answer token of a row is the arg-max (what greedy generation would say). shape: (B,), bool."""
    wrong = (logits.argmax(-1) != batch.answers).float()
    return torch.zeros(len(batch.ids), device=wrong.device).index_add(0, batch.row, wrong) == 0
