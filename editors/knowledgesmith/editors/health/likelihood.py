"""How likely a model finds texts, and how much less likely another state of it finds the same texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import stdtrit

from knowledgesmith.editors.surgery import forward_context
from knowledgesmith.editors.surgery.hooks import head_only_at
from knowledgesmith.editors.text.encoding import encode, pad_right, pad_token_id, plain_ids, prefix_ids
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

_ROWS = 8
"""Texts in one pass: few, because a large vocabulary makes their logits the largest tensor."""
_CAP = 1e9


@dataclass(frozen=True, slots=True)
class TextLoss:
    """One text: sum of its tokens' negative log-likelihoods in nats, how many were predicted, how many not finite."""

    total: float
    tokens: int
    nonfinite: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of perplexities with its 95 % interval over texts; infinite where a loss was not finite."""

    value: float
    low: float
    high: float
    texts: int


@torch.inference_mode()
def text_losses(loaded: LoadedModel, texts: Sequence[str]) -> tuple[TextLoss, ...]:
    """Loss of each text under the state that the model shows at the time of the call, in the order of ``texts``.

    A text is read as what the model would say behind its first token: contexts that stand before every prompt stand
    before it (their own tokens carry no loss), and memories act as they would. Only positions that predict a token
    reach the head.

    Raises:
        InvalidInput: a text has fewer than two tokens.
    """
    rows = [encode(loaded.tokenizer, text) for text in texts]
    short = next((text for text, row in zip(texts, rows, strict=True) if len(row) < 2), None)
    if short is not None:
        raise InvalidInput("a text needs two tokens", field="texts", value=short)
    first = len(prefix_ids(loaded.tokenizer))
    [told] = plain_ids(loaded.tokenizer, [loaded.before("")])
    rows = [[*row[:first], *told, *row[first:]] for row in rows]
    found: dict[int, TextLoss] = {}
    order = sorted(range(len(rows)), key=lambda i: (len(rows[i]), i))
    for start in range(0, len(order), _ROWS):
        chosen = order[start : start + _ROWS]
        found.update(zip(chosen, _losses(loaded, [rows[i] for i in chosen], skip=len(told)), strict=True))
    return tuple(found[i] for i in range(len(rows)))


def _losses(loaded: LoadedModel, rows: list[list[int]], *, skip: int) -> list[TextLoss]:
    """Losses of rows behind their first ``skip`` + 1 tokens."""
    batch = pad_right(rows, pad_id=pad_token_id(loaded.tokenizer), device=loaded.device)
    # each position whose next token is real
    index, positions = batch.attention_mask[:, skip + 1 :].nonzero(as_tuple=True)
    positions = positions + skip
    place = forward_context.prompting(batch.lengths, ends=[skip] * len(rows))
    with place, head_only_at(loaded.architecture.lm_head, rows=index, positions=positions):
        logits = loaded.model(**batch.arguments(), use_cache=False).logits[0].float()
    bad = ~torch.isfinite(logits).all(dim=-1)
    targets = batch.input_ids[index, positions + 1]
    each = (logits.logsumexp(dim=-1) - logits.gather(1, targets[:, None])[:, 0]).double()
    index, each, bad = index.cpu(), each.cpu(), bad.cpu()
    sums = torch.zeros(len(rows), dtype=torch.float64).index_add_(0, index, each).tolist()
    wrong = torch.zeros(len(rows), dtype=torch.int64).index_add_(0, index, bad.long()).tolist()
    return [TextLoss(s, len(row) - 1 - skip, n) for s, row, n in zip(sums, rows, wrong, strict=True)]


def perplexity_of(losses: Sequence[TextLoss]) -> float:
    """Exp of the mean loss a token over all texts; infinite where a loss is not finite.

    Raises:
        InvalidInput: there is no text.
    """
    if not losses:
        raise InvalidInput("a perplexity needs texts", field="losses")
    mean = math.fsum(loss.total for loss in losses) / sum(loss.tokens for loss in losses)
    return min(math.exp(min(mean, 700.0)), _CAP) if math.isfinite(mean) else math.inf


def paired_ratio(before: Sequence[TextLoss], after: Sequence[TextLoss]) -> Ratio:
    """Perplexity after over perplexity before on the same texts, capped at 1e9.

    The log of the ratio is Σ(lossᵢ after - lossᵢ before) / Σ tokensᵢ, a ratio of means over texts; its variance is the
    linearised one of a ratio estimator with the text as unit (Cochran 1977, equation 2.39), its quantile Student's.

    Raises:
        InvalidInput: other texts, or fewer than two.
    """
    if len(before) != len(after) or len(before) < 2:
        raise InvalidInput("needs the same two or more texts", field="texts", value=f"{len(before)}, {len(after)}")
    if [a.tokens for a in before] != [b.tokens for b in after]:
        raise InvalidInput("the texts differ in length", field="texts", value="tokens")
    change = np.array([b.total - a.total for a, b in zip(before, after, strict=True)])
    tokens = np.array([loss.tokens for loss in before], dtype=np.float64)
    n = len(change)
    if not np.isfinite(change).all():
        return Ratio(value=math.inf, low=math.inf, high=math.inf, texts=n)
    mean = float(change.sum() / tokens.sum())
    spread = change - mean * tokens
    error = math.sqrt(float((spread**2).sum()) / (n * (n - 1))) / float(tokens.mean())
    half = float(stdtrit(n - 1, 0.975)) * error
    value, low, high = (min(math.exp(min(x, 700.0)), _CAP) for x in (mean, mean - half, mean + half))
    return Ratio(value=value, low=low, high=high, texts=n)
