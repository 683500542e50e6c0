"""Training weights that are stored in half precision: float32 masters, and a scaled loss where the range is short.

A step of Adam is often smaller than the spacing of bfloat16 numbers at a weight (2⁻⁸ of it), so a step on the weight
itself would round away; the optimiser therefore works on float32 copies and the model reads their rounded values
(Micikevicius et al. 2018, arXiv 1710.03740, sections 3.1 and 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.graph_schema.errors import EditDiverged

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

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
    """Adam on float32 copies of parameters; a parameter of float32 or more is its own master.

    Args:
        parameters: what is trained, in the model; leaves that require gradients.
        learning_rate: Adam's.
    """

    def __init__(self, parameters: Sequence[Parameter], *, learning_rate: float) -> None:
        self._parameters = parameters
        self.values: list[Tensor] = [_master(parameter) for parameter in parameters]
        self._optimiser = torch.optim.Adam(self.values, lr=learning_rate)
        self._scale = LossScale.of(parameters[0].dtype)

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of ``loss``; the parameters then hold the masters' rounded values.

        Raises:
            EditDiverged: the gradient is not finite.
        """
        found = torch.autograd.grad(loss * self._scale.value, list(self._parameters))
        gradients = [wide(gradient) for gradient in found]
        if not self._scale.undo(gradients):
            return
        for master, gradient in zip(self.values, gradients, strict=True):
            master.grad = gradient
        self._optimiser.step()
        with torch.no_grad():
            for parameter, master in zip(self._parameters, self.values, strict=True):
                if parameter is not master:
                    parameter.copy_(master)


def _master(parameter: Parameter) -> Tensor:
    copied = wide(parameter.detach())
    return parameter if copied.dtype == parameter.dtype else copied.requires_grad_()
