"""Forward passes over token rows: the logits at answer tokens alone, and the model's own distributions there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from knowledgesmith.editors.objective.divergence import Targets, wide
from knowledgesmith.editors.objective.rows import AnswerBatch, Row, answer_batch, buckets
from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import head_only_at

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def asking(batch: AnswerBatch) -> AbstractContextManager[None]:
    """What a pass over whole rows says of itself: a prompt ends before its first answer token, or with its row."""
    lengths = batch.mask.sum(1)
    return forward_context.prompting(lengths, ends=prompt_ends(lengths, batch.row, batch.position))


def prompt_ends(lengths: Tensor, row: Tensor, position: Tensor) -> Tensor:
    """Place of each row's last prompt token. shapes: (B,), (N,), (N,) -> (B,).

    Args:
        lengths: real tokens of each row.
        row: row of each answer token.
        position: place whose output predicts it.
    """
    return (lengths - 1).scatter_reduce(0, row, position, "amin")


def answer_logits(model: PreTrainedModel, batch: AnswerBatch, **inputs: Any) -> Tensor:
    """Logits that predict the answer tokens. shape: (N, V), float32. ``inputs`` go to the model's forward.

    The model may be wrapped by adapters: its head is found through ``get_output_embeddings``.
    """
    head = cast("Any", model).get_output_embeddings()
    with asking(batch), head_only_at(head, rows=batch.row, positions=batch.position):
        outputs = model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **inputs)
    return wide(cast("Tensor", outputs.logits)[0])


@torch.no_grad()
def own_distributions(
    model: PreTrainedModel, items: Sequence[Row], *, k: int = 64, size: int = 64, device: torch.device | str = "cpu"
) -> list[Targets]:
    """The model's own distributions at the answer tokens of each row: the reference of a preservation term."""
    found: dict[int, Targets] = {}
    for chosen in buckets(items, size=size):
        batch = answer_batch([items[i] for i in chosen], device=device)
        targets = Targets.top(answer_logits(model, batch), k=k)
        found.update({i: targets.at(batch.row == local) for local, i in enumerate(chosen)})
    return [found[i] for i in range(len(items))]
