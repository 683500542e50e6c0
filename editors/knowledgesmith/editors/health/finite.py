"""Values that are no numbers: one of them in a weight can be silent for a thousand prompts and ruin the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from knowledgesmith.graph_schema import cancellation

if TYPE_CHECKING:
    from torch import nn


@torch.no_grad()
def nonfinite_weights(model: nn.Module) -> int:
    """Number of values of the parameters that are NaN or infinite; a tied tensor counts once."""
    total = 0
    for tensor in model.parameters():
        cancellation.check()
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            total += int((~torch.isfinite(tensor)).sum())
    return total
