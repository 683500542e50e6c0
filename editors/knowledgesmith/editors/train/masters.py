"""Training weights that are stored in half precision: float32 masters, and a scaled loss where the range is short.

A step of Adam is often smaller than the spacing of bfloat16 numbers at a weight (2⁻⁸ of it), so a step on the weight
itself would round away; the optimiser therefore works on float32 copies and the model reads their rounded values
(Micikevicius et al. 2018, arXiv 1710.03740, sections 3.1 and 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import torch

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.graph_schema.errors import EditDiverged

if TYPE_CHECKING:
    from torch import Tensor

_FP16_SCALE: Final = 2.0**12
_LOWERED: Final = 0.25


@dataclass(slots=True)
class LossScale:
    """The factor of a loss whose gradients pass through float16; 1 for every other dtype.

    float16 ends at 6e-8: gradients of a mean over many tokens would become zero. The factor is lowered when a
    gradient overflows; that step is left out.
    """

    value: float = 1.0

    @classmethod
    def of(cls, dtype: torch.dtype) -> LossScale:
        """The scale to begin with when activations have this dtype."""
        return cls(_FP16_SCALE if dtype == torch.float16 else 1.0)

    @torch.no_grad()
    def undo(self, gradients: Sequence[Tensor]) -> bool:
        """Divide gradients by the scale, in place; False when they overflowed and the step must be left out.

        Raises:
            EditDiverged: they are not finite whatever the scale.
        """
        if all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            for gradient in gradients:
                gradient.div_(self.value)
            return True
        self.value *= _LOWERED
        if self.value < 1:
            raise EditDiverged(
                "a gradient is not finite", field="learning_rate", hint="Lower method_config.learning_rate."
            )
        return False


class Masters:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101) on float32 copies of tensors.

    A tensor of float32 or more is its own master, so low-rank factors, singular values and activations are trained
    like the model's own parameters, and a float64 model in float64.

    Args:
        leaves: what is trained; leaves of the graph that require gradients.
        learning_rate: Adam's.
        weight_decay: share of the learning rate by which a step shrinks each number.
        clip: largest norm of a step's gradient; ``None``: any.
        activations: dtype that the gradients pass through; that of the first leaf where it is not given.
    """

    def __init__(
        self,
        leaves: Sequence[Tensor],
        *,
        learning_rate: float,
        weight_decay: float = 0.0,
        clip: float | None = None,
        activations: torch.dtype | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.values: list[Tensor] = [_master(leaf) for leaf in leaves]
        self._leaves = leaves
        self._clip = clip
        self._optimiser = torch.optim.AdamW(self.values, lr=learning_rate, weight_decay=weight_decay)
        self._scale = LossScale.of(leaves[0].dtype if activations is None else activations)

    def add(self, loss: Tensor) -> None:
        """Add the gradient of ``loss`` to that of the coming step; all of it, or on an error nothing."""
        # an expert that no token of this part reached has no gradient
        scaled = loss * self._scale.value
        found = cast("tuple[Tensor | None, ...]", torch.autograd.grad(scaled, list(self._leaves), allow_unused=True))
        # copies: what autograd gives out may be a view, or one tensor for two leaves, and is written to
        gradients = [None if gradient is None else wide(gradient).clone() for gradient in found]
        for master, gradient in zip(self.values, gradients, strict=True):
            if gradient is not None:
                master.grad = gradient if master.grad is None else master.grad.add_(gradient)

    def apply(self, *, pace: float = 1.0) -> None:
        """One step with what was added; the leaves then hold the masters' rounded values.

        Args:
            pace: factor of the learning rate.

        Raises:
            EditDiverged: the gradient is not finite.
        """
        if self._scale.undo([master.grad for master in self.values if master.grad is not None]):
            if self._clip is not None:
                torch.nn.utils.clip_grad_norm_(self.values, self._clip)
            self._optimiser.param_groups[0]["lr"] = self.learning_rate * pace
            self._optimiser.step()
            self._write_back()
        for master in self.values:
            master.grad = None

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of ``loss``.

        Raises:
            EditDiverged: the gradient is not finite.
        """
        self.add(loss)
        self.apply()

    @torch.no_grad()
    def _write_back(self) -> None:
        for leaf, master in zip(self._leaves, self.values, strict=True):
            if leaf is not master:
                leaf.copy_(master)


def _master(leaf: Tensor) -> Tensor:
    copied = wide(leaf.detach())
    return leaf if copied.dtype == leaf.dtype else copied.requires_grad_()
