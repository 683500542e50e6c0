"""The closed forms of the locate-then-edit family: from keys and wanted changes to the change of one linear map.

y = W k. Columns of K (f, n) are keys, columns of R (d, n) the wanted changes of y, C = E[k kᵀ] (f, f) the second moment
of the keys that stand for what the model must keep. All in float64; each minimises the disturbance tr(Δ C Δᵀ):

- ROME (Meng et al. 2022, equation 2): one key after another, each met exactly;
- MEMIT (Meng et al. 2023, equation 14): all keys at once, in the least-squares sense;
- EMMET (Gupta et al. 2024, arXiv 2403.14236): all keys at once, met exactly (or nearly, with a ridge).
"""

from __future__ import annotations

import torch
from torch import Tensor

from knowledgesmith.graph_schema.cancellation import abandonable
from knowledgesmith.graph_schema.errors import EditDiverged


def damped(moment: Tensor, damping: float) -> Tensor:
    """C with ``damping`` times its mean eigenvalue added to the diagonal, in float64. shape: (f, f).

    A text of fewer tokens than there are key directions gives a singular C.
    """
    wide = moment.double().clone()
    wide.diagonal().add_(damping * wide.diagonal().mean())
    return wide


def memit(*, keys: Tensor, residuals: Tensor, moment: Tensor, weight: float) -> Tensor:
    """Δ = R Kᵀ (λC + KKᵀ)⁻¹: minimises ‖ΔK - R‖² + λ tr(Δ C Δᵀ).

    Args:
        keys: K. shape: (f, n).
        residuals: R. shape: (d, n).
        moment: C. shape: (f, f).
        weight: λ > 0.

    Returns:
        Δ in float64. shape: (d, f).

    Raises:
        EditDiverged: λC + KKᵀ is not positive definite.
    """
    k, r = keys.double(), residuals.double()

    def solved() -> Tensor:
        factor = cholesky(weight * moment.double() + k @ k.T)
        return torch.cholesky_solve(k @ r.T, factor).T

    return abandonable(solved)


def emmet(*, keys: Tensor, residuals: Tensor, moment: Tensor, ridge: float) -> Tensor:
    """Δ = R (Kᵀ C⁻¹ K + λI)⁻¹ Kᵀ C⁻¹: the least tr(Δ C Δᵀ) with ΔK = R for λ = 0.

    Equal keys with different wanted changes are given their mean (pseudo-inverse), as far as λ = 0.

    Args:
        keys: K. shape: (f, n).
        residuals: R. shape: (d, n).
        moment: C, positive definite. shape: (f, f).
        ridge: λ >= 0, in units of the mean of kᵀ C⁻¹ k over the keys.

    Returns:
        Δ in float64. shape: (d, f).

    Raises:
        EditDiverged: C is not positive definite.
    """
    k, r = keys.double(), residuals.double()
    whitened = _whitened(k, moment)
    gram = k.T @ whitened
    gram.diagonal().add_(ridge * float(gram.diagonal().mean()))

    def solved() -> Tensor:
        inverse: Tensor = torch.linalg.pinv((gram + gram.T) / 2, hermitian=True)
        return r @ inverse @ whitened.T

    return abandonable(solved)


def rome(*, directions: Tensor, keys: Tensor, residuals: Tensor, moment: Tensor) -> Tensor:
    """One rank-one update after another: Δᵢ = rᵢ uᵢᵀ / (kᵢᵀ uᵢ) with uᵢ = C⁻¹ k̄ᵢ.

    rᵢ is what the updates before it have left of the wanted change. With kᵢ = k̄ᵢ this is R-ROME (Gupta et al. 2024,
    arXiv 2403.07175); ROME's released code divides by the key of the edit prompt alone, and where that points away
    from u the update explodes.

    Args:
        directions: k̄, the averaged keys. shape: (f, n).
        keys: k, the keys that are to be met. shape: (f, n).
        residuals: R at ``keys``. shape: (d, n).
        moment: C, positive definite. shape: (f, f).

    Returns:
        The sum of the updates in float64. shape: (d, f).

    Raises:
        EditDiverged: C is not positive definite.
    """
    k, r = keys.double(), residuals.double()
    whitened = _whitened(directions, moment)
    delta = r.new_zeros(len(r), len(k))
    for number in range(k.shape[1]):
        u, key = whitened[:, number], k[:, number]
        delta += torch.outer((r[:, number] - delta @ key) / (key @ u), u)
    return delta


def _whitened(keys: Tensor, moment: Tensor) -> Tensor:
    """C⁻¹ K, in float64. shape: (f, n)."""
    return abandonable(lambda: torch.cholesky_solve(keys.double(), cholesky(moment.double())))


def cholesky(matrix: Tensor) -> Tensor:
    """The factor of a positive definite matrix, in its dtype.

    Raises:
        EditDiverged: it is none.
    """
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if int(failed):
        raise EditDiverged(
            "the key statistics are singular: fewer tokens than key directions, or values that are not finite",
            field="damping",
            hint="Raise the damping, or give more statistics text.",
        )
    return factor
