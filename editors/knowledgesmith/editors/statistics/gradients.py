"""What linear maps read and the gradients of what they write, in one forward and one backward pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, cast

import torch

from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.surgery.hooks import capture_input, head_only_at

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel

_HALF_SCALE = 2.0**10
"""Factor of a loss whose gradients pass through float16."""


@torch.inference_mode(mode=False)
@torch.enable_grad()
def keys_and_gradients(
    loaded: LoadedModel,
    arguments: Mapping[str, Tensor],
    maps: Mapping[str, Projection],
    *,
    rows: Tensor,
    positions: Tensor,
    loss: Callable[[Tensor], Tensor],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What each map reads, and the gradient of a loss with respect to what it writes; no parameter needs a gradient.

    Args:
        loaded: the model.
        arguments: of its forward pass; rows padded on the right.
        maps: by name; inside the blocks.
        rows: batch row of each position that the loss looks at. shape: (N,).
        positions: its place in the row. shape: (N,).
        loss: from the logits there to one number. shape of the logits: (N, V), float32 or wider.

    Returns:
        By name: inputs (B, T, f), in the model's dtype, and gradients (B, T, d), in float32 or wider.
    """
    scale = _HALF_SCALE if loaded.model.dtype is torch.float16 else 1.0
    with ExitStack() as stack:
        inputs = {name: stack.enter_context(capture_input(item.module)) for name, item in maps.items()}
        outputs = {name: stack.enter_context(_probed(item.module)) for name, item in maps.items()}
        stack.enter_context(head_only_at(loaded.architecture.lm_head, rows=rows, positions=positions))
        logits = wide(cast("Tensor", loaded.model(**arguments, use_cache=False).logits)[0])
        probes = {name: found[-1] for name, found in outputs.items()}
        whole = loss(logits) * scale
        # None for a map that the loss does not depend on
        found = cast("Sequence[Tensor | None]", torch.autograd.grad(whole, list(probes.values()), allow_unused=True))
    gradients = {
        name: torch.zeros_like(probe) if gradient is None else gradient
        for (name, probe), gradient in zip(probes.items(), found, strict=True)
    }
    return (
        {name: capture.value.detach() for name, capture in inputs.items()},
        {name: wide(gradient) / scale for name, gradient in gradients.items()},
    )


@contextmanager
def _probed(module: nn.Module) -> Generator[list[Tensor]]:
    """Add to the module's output a zero that takes its gradient."""
    probes: list[Tensor] = []

    def hook(_module: nn.Module, _args: tuple[Any, ...], output: Tensor) -> Tensor:
        probes.append(torch.zeros_like(output, requires_grad=True))
        return output + probes[-1]

    handle = module.register_forward_hook(hook)
    try:
        yield probes
    finally:
        handle.remove()
