"""Sums less other sums: what a text has without some of its sentences, exactly and still positive semidefinite."""

from __future__ import annotations

import torch
from torch import Tensor

from knowledgesmith.editors.statistics.identity import Kind, Sum
from knowledgesmith.graph_schema.cancellation import abandonable

_ROUNDING = 1e-13
"""Of the trace: what rounding may take an eigenvalue below zero by, also where a short text leaves many at zero."""


def combined(kind: Kind, whole: Sum, *, removed: Sum | None, added: Sum | None) -> Sum:
    """``whole`` less ``removed`` plus ``added``.

    In exact arithmetic a moment stays positive semidefinite, since every removed k kᵀ is one of the summed ones. A
    model in half precision gives a sentence slightly other keys in another batch; a direction that only removed
    sentences used could then come out below zero, and is set to zero.
    """
    total, items, tokens = whole.total, whole.items, whole.tokens
    if added is not None:
        total, items, tokens = total + added.total, items + added.items, tokens + added.tokens
    if removed is not None:
        total, items, tokens = total - removed.total, items - removed.items, tokens - removed.tokens
        total = total.clamp_min(0) if kind is Kind.FISHER else semidefinite(total)
    return Sum(total=total, items=items, tokens=tokens)


def semidefinite(matrix: Tensor) -> Tensor:
    """The nearest symmetric matrix without negative eigenvalues (Higham 1988); the symmetric part where it has none."""
    symmetric = (matrix + matrix.T) / 2
    return abandonable(lambda: _without_negative(symmetric))


def _without_negative(symmetric: Tensor) -> Tensor:
    tolerance = _ROUNDING * float(symmetric.trace())
    shifted = symmetric.clone()
    shifted.diagonal().add_(tolerance)
    # a factorisation costs a tenth of the eigenvalues, and mostly tells that nothing is to be done
    if tolerance > 0 and int(torch.linalg.cholesky_ex(shifted).info) == 0:
        return symmetric
    values, vectors = torch.linalg.eigh(symmetric)
    repaired: Tensor = vectors * values.clamp_min(0) @ vectors.T
    return (repaired + repaired.T) / 2
