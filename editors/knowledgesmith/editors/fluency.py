"""Fluency guard: perplexity on plain sentences that have nothing to do with any graph."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from knowledgesmith.editors.encoding import encode, pad_right, pad_token_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.editors.models import LoadedModel

_IGNORED = -100


@cache
def plain_text() -> tuple[str, ...]:
    """The bundled sentences (``texts/plain.txt``), written for this project; one a line."""
    text = files("knowledgesmith.editors").joinpath("texts", "plain.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)


@torch.no_grad()
def perplexity(loaded: LoadedModel, sentences: Sequence[str], *, batch_rows: int = 16) -> float:
    """Exp of the mean negative log-likelihood per predicted token over all sentences.

    Args:
        loaded: the model, with the weights it carries at the time of the call.
        sentences: texts of at least two tokens each.
        batch_rows: sentences in one forward pass.
    """
    rows = [encode(loaded.tokenizer, sentence) for sentence in sentences]
    total, tokens = 0.0, 0
    for start in range(0, len(rows), batch_rows):
        chunk = rows[start : start + batch_rows]
        batch = pad_right(chunk, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
        labels = batch.input_ids.masked_fill(batch.attention_mask == 0, _IGNORED)[:, 1:]
        logits = loaded.model(**batch.arguments()).logits[:, :-1].float()
        loss = functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=_IGNORED, reduction="sum")
        total += float(loss)
        tokens += int((labels != _IGNORED).sum())
    return math.exp(total / tokens)
