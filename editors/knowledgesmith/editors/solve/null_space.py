"""Directions in which a layer's inputs hardly vary (AlphaEdit, Fang et al. 2025, arXiv 2410.02355, equations 5-6)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from knowledgesmith.graph_schema.cancellation import abandonable


@dataclass(frozen=True, slots=True, kw_only=True)
class NullSpace:
    """Projector P = U₀U₀ᵀ on the low-energy eigenvectors of C = E[k kᵀ], kept as its complement.

    Attributes:
        complement: eigenvectors that were *not* kept, V with P = I - VVᵀ; shape (f, f - kept).
        energy: share of the trace of C inside the kept space, in [0, 1]: what an update in it may still disturb.
    """

    complement: Tensor
    energy: float

    def project(self, keys: Tensor) -> Tensor:
        """P K. shape: (f, n) -> (f, n)."""
        basis = self.complement.to(keys)
        return keys - basis @ (basis.T @ keys)


def _directions(moment: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(moment.double())
    return values, vectors


def null_space(moment: Tensor, *, kept: float) -> NullSpace:
    """Split the space of keys by the eigenvalues of their uncentred second moment (equation 5).

    The reference keeps eigenvalues below an absolute 0.02, which depends on the scale of the activations; a fraction
    of the directions does not.

    Args:
        moment: C = E[k kᵀ], symmetric. shape: (f, f).
        kept: fraction of the directions to keep, those of least energy; 1 keeps all (no projection).
    """
    # minutes for a wide model, and a step of the library cannot ask whether anybody still waits
    values, vectors = abandonable(lambda: _directions(moment))
    values = values.clamp_min(0)
    count = round(kept * len(values))
    total = float(values.sum())
    energy = float(values[:count].sum()) / total if total > 0 else 0.0
    return NullSpace(complement=vectors[:, count:].contiguous(), energy=energy)
