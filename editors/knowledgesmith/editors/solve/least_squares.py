"""Closed-form updates of one linear layer y = W k (columns of K are keys, columns of R are wanted changes of y)."""

from __future__ import annotations

import torch
from torch import Tensor

from knowledgesmith.graph_schema.cancellation import abandonable


def ridge_dual(*, keys: Tensor, residuals: Tensor, penalty: float) -> Tensor:
    """Minimise ‖ΔK - R‖² + λ‖Δ‖² by an (n, n) system: Δ = R (KᵀK + λI)⁻¹ Kᵀ.

    With K = P[K_edit, K_past] this is AlphaEdit's update (Fang et al. 2025, equation 12, where past edits and
    preserved rows have residual zero); equal to ``ridge_primal`` but cheaper and better conditioned while n < f.

    Args:
        keys: K, already projected where an update is confined to a subspace. shape: (f, n).
        residuals: R. shape: (d, n).
        penalty: λ > 0.

    Returns:
        Δ in float64. shape: (d, f).
    """
    k, r = keys.double(), residuals.double()
    gram = k.T @ k
    gram.diagonal().add_(penalty)
    return torch.cholesky_solve(r.T, torch.linalg.cholesky(gram)).T @ k.T


def ridge_primal(*, keys: Tensor, residuals: Tensor, penalty: float) -> Tensor:
    """The same minimiser by an (f, f) system: Δ = R Kᵀ (KKᵀ + λI)⁻¹. Use it when n > f."""
    k, r = keys.double(), residuals.double()
    moment = k @ k.T
    moment.diagonal().add_(penalty)
    return torch.cholesky_solve(k @ r.T, torch.linalg.cholesky(moment)).T


def ridge(*, keys: Tensor, residuals: Tensor, penalty: float) -> Tensor:
    """``ridge_dual`` or ``ridge_primal``, whichever system is smaller."""
    wide = keys.shape[1] <= keys.shape[0]
    solve = ridge_dual if wide else ridge_primal
    return abandonable(lambda: solve(keys=keys, residuals=residuals, penalty=penalty))
