"""What a method minimises: KL(q ‖ p) at answer tokens, one loss for every target distribution q.

One representation serves all teachers (design: target distributions; Min et al. table of objectives):

- ``NEW_OBJECT``: q is one-hot, so KL(q ‖ p) is the cross-entropy of the new object;
- preservation: q is the unedited model's own distribution (its K most likely tokens and the rest as one bucket);
- ``NEUTRAL_*`` and ``UNIFORM``: q is a trie over the candidate objects (``neutral.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

TINY = 1e-12
"""Smallest probability whose logarithm is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """q at N positions: its K listed tokens, and one bucket for all others (1 - the row's sum).

    Attributes:
        tokens: shape (N, K), int64; a token occurs once in a row, padding entries have probability 0.
        probs: shape (N, K), float32, rows sum to at most 1.
    """

    tokens: Tensor
    probs: Tensor

    @classmethod
    def one_hot(cls, tokens: Tensor) -> Targets:
        """Q = δ(token). shape of ``tokens``: (N,)."""
        return cls(tokens=tokens[:, None], probs=torch.ones(len(tokens), 1, device=tokens.device))

    @classmethod
    def top(cls, logits: Tensor, *, k: int = 64) -> Targets:
        """Q = softmax(logits), its ``k`` most likely tokens listed. shape of ``logits``: (N, V)."""
        probs, tokens = wide(logits).softmax(-1).topk(min(k, logits.shape[-1]), dim=-1)
        return cls(tokens=tokens, probs=probs)

    def to(self, device: torch.device) -> Targets:
        """The same targets on ``device``."""
        return Targets(tokens=self.tokens.to(device), probs=self.probs.to(device))

    @classmethod
    def join(cls, parts: Sequence[Targets]) -> Targets:
        """Stack along N, padding K; all on one device."""
        width = max(part.tokens.shape[1] for part in parts)
        padded = [(functional.pad(p.tokens, (0, width - p.tokens.shape[1])), p) for p in parts]
        return cls(
            tokens=torch.cat([tokens for tokens, _ in padded]),
            probs=torch.cat([functional.pad(p.probs, (0, width - p.probs.shape[1])) for _, p in padded]),
        )

    def at(self, index: Tensor) -> Targets:
        """The rows of ``index`` (int64 or bool, shape (M,))."""
        return Targets(tokens=self.tokens[index], probs=self.probs[index])


def wide(tensor: Tensor) -> Tensor:
    """At least float32: losses are never computed in half precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def divergence(logits: Tensor, targets: Targets) -> Tensor:
    """KL(q ‖ p) per position, in nats; the tokens that ``targets`` does not list count as one bucket. shape: (N,).

    For a one-hot q it is the cross-entropy -log p(token).
    """
    log_p = wide(logits).log_softmax(-1).gather(-1, targets.tokens)
    q = targets.probs.to(log_p.dtype)
    listed = (q * (q.clamp_min(TINY).log() - log_p)).sum(-1)
    rest_q = (1 - q.sum(-1)).clamp_min(0)
    rest_p = (1 - (log_p.exp() * (q > 0)).sum(-1)).clamp_min(TINY)
    return listed + rest_q * (rest_q.clamp_min(TINY).log() - rest_p.log())


def backward(loss: Tensor) -> None:
    """Gradients of a scalar loss into its leaves."""
    cast("Any", loss).backward()


def per_row(losses: Tensor, row: Tensor, count: int) -> Tensor:
    """Mean of the token losses of each row. shapes: (N,), (N,) -> (count,)."""
    totals = losses.new_zeros(count).index_add(0, row, losses)
    numbers = losses.new_zeros(count).index_add(0, row, torch.ones_like(losses))
    return totals / numbers.clamp_min(1)
