"""Solves in the metric of a Kronecker-factored curvature H = G ⊗ A of a linear map y = W k.

A = E[k kᵀ] and G = E[g gᵀ] are the moments of the map's inputs and of the gradients of its outputs (Martens & Grosse
2015, arXiv 1503.05671, section 3): a change Δ of W raises the loss on the text of the moments by ½ tr(G Δ A Δᵀ), to
second order. Nothing here ever builds a matrix as wide as W has entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from knowledgesmith.editors.solve.closed_forms import cholesky
from knowledgesmith.graph_schema.cancellation import abandonable
from knowledgesmith.graph_schema.errors import InvalidInput

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """The two factors of a map's curvature.

    Attributes:
        inputs: A; symmetric, no eigenvalue below 0. shape: (f, f).
        outputs: G; the same. shape: (d, d).
    """

    inputs: Tensor
    outputs: Tensor

    def damped(self, share: float) -> Factors:
        """Both with a part of their mean eigenvalue added to the diagonal (factored Tikhonov, section 6.3 there).

        (A + √ε ā I) ⊗ (G + √ε ḡ I) with ā, ḡ the mean eigenvalues: damps H by ε of its own mean eigenvalue, split so
        that both factors are damped alike.

        Args:
            share: ε.

        Raises:
            InvalidInput: a factor is zero, so that nothing says how much is much.
        """
        return Factors(inputs=_raised(self.inputs, share**0.5), outputs=_raised(self.outputs, share**0.5))


def kfac_ridge(*, keys: Tensor, residuals: Tensor, factors: Factors, penalty: float) -> Tensor:
    """Minimise ‖ΔK - R‖² + λ tr(G Δ A Δᵀ) exactly, by two eigenproblems of sizes n and d and one solve with A.

    Where G = U diag(γ) Uᵀ and KᵀA⁻¹K = V diag(s) Vᵀ, the condition ΔKKᵀ + λ G Δ A = R Kᵀ has the solution
    Δ = U [(UᵀRV)ᵢⱼ / (sⱼ + λγᵢ)] Vᵀ KᵀA⁻¹. With G = A = I it is ``ridge``; with G = I alone, ``ridge_in_metric``.

    Args:
        keys: K. shape: (f, n).
        residuals: R. shape: (d, n).
        factors: both positive definite (``Factors.damped``).
        penalty: λ > 0.

    Returns:
        Δ in float64. shape: (d, f).
    """
    k, r = keys.double(), residuals.double()
    inputs, outputs = factors.inputs.to(k), factors.outputs.to(k)

    def solved() -> Tensor:
        whitened = torch.cholesky_solve(k, cholesky(inputs))
        gram = k.T @ whitened
        sizes, directions = torch.linalg.eigh((gram + gram.T) / 2)
        curvatures, sides = torch.linalg.eigh(outputs)
        weighted = sides.T @ r @ directions / (sizes.clamp_min(0) + penalty * curvatures[:, None])
        change: Tensor = sides @ (weighted @ (directions.T @ whitened.T))
        return change

    return abandonable(solved)


def ridge_in_metric(*, keys: Tensor, residuals: Tensor, metric: Tensor) -> Tensor:
    """Minimise ‖ΔK - R‖² + tr(Δ M Δᵀ): Δ = R (KᵀM⁻¹K + I)⁻¹ KᵀM⁻¹; ``kfac_ridge`` where all outputs weigh the same.

    Args:
        keys: K. shape: (f, n).
        residuals: R. shape: (d, n).
        metric: M, symmetric and positive definite; with M = λC it is MEMIT's solve (equation 14), with λI ``ridge``.
            shape: (f, f).

    Returns:
        Δ in float64. shape: (d, f).
    """
    k, r = keys.double(), residuals.double()
    weights = metric.to(k)

    def solved() -> Tensor:
        whitened = torch.cholesky_solve(k, cholesky(weights))
        gram = k.T @ whitened
        gram.diagonal().add_(1.0)
        return torch.cholesky_solve(r.T, cholesky(gram)).T @ whitened.T

    return abandonable(solved)


def kfac_step(*, gradient: Tensor, factors: Factors) -> Tensor:
    """G⁻¹ ∇ A⁻¹: the step along a gradient that costs the text of the factors least (natural gradient).

    Args:
        gradient: ∇ of a loss with respect to W. shape: (d, f).
        factors: both positive definite (``Factors.damped``).

    Returns:
        float64. shape: (d, f).
    """
    wanted = gradient.double()
    inputs, outputs = factors.inputs.to(wanted), factors.outputs.to(wanted)

    def solved() -> Tensor:
        left = torch.cholesky_solve(wanted, cholesky(outputs))
        return torch.cholesky_solve(left.T, cholesky(inputs)).T

    return abandonable(solved)


@dataclass(frozen=True, slots=True, kw_only=True)
class LowCurvature:
    """Projector on the changes of W that a text hardly notices, as CrispEdit has it (2026, arXiv 2602.15823).

    The eigenvectors of H are the products u vᵀ of those of G and A, their curvatures the products of the eigenvalues.
    A change is turned into this basis by two matrix products, its entries of high curvature are set to zero, and it is
    turned back: so the projector is never built.

    Attributes:
        inputs: eigenvectors of A. shape: (f, f).
        outputs: eigenvectors of G. shape: (d, d).
        kept: which products are kept. shape: (d, f), bool.
        energy: share of H's trace in the kept ones, in [0, 1].
    """

    inputs: Tensor
    outputs: Tensor
    kept: Tensor
    energy: float

    def project(self, change: Tensor) -> Tensor:
        """The part of a change in the kept directions. shape: (d, f) -> (d, f)."""
        inputs, outputs = self.inputs.to(change), self.outputs.to(change)
        turned = outputs.T @ change @ inputs
        return outputs @ (turned * self.kept.to(change.device)) @ inputs.T


def low_curvature(factors: Factors, *, energy: float) -> LowCurvature:
    """Keep as many directions as hold at most a share of the curvature, the flattest ones first.

    Args:
        factors: not damped: a damped direction is not flat any more.
        energy: largest share of tr H = tr A tr G in the kept directions, in [0, 1].
    """
    values, inputs = abandonable(lambda: _directions(factors.inputs))
    others, outputs = abandonable(lambda: _directions(factors.outputs))
    curvatures = others.clamp_min(0)[:, None] * values.clamp_min(0)[None]
    ordered, places = curvatures.flatten().sort()
    total = float(ordered.sum())
    held = ordered.cumsum(0)
    # what has no curvature but for rounding is kept whatever the bound
    count = int((held <= (energy + _ROUNDING) * total).sum()) if total > 0 else len(ordered)
    kept = torch.zeros(len(ordered), dtype=torch.bool, device=ordered.device)
    kept[places[:count]] = True
    inside = float(held[count - 1]) / total if count and total > 0 else 0.0
    return LowCurvature(inputs=inputs, outputs=outputs, kept=kept.reshape(curvatures.shape), energy=inside)


def _directions(factor: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(factor.double())
    return values, vectors


def _raised(factor: Tensor, share: float) -> Tensor:
    mean = float(factor.diagonal().mean())
    if not mean > 0:
        raise InvalidInput("a factor of the curvature is zero", field="factors", value=mean)
    raised = factor.double().clone()
    raised.diagonal().add_(share * mean)
    return raised
