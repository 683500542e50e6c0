"""Every block of a model asks whether anybody still waits for what it computes.

Whatever runs a model (scoring, generating, statistics, any method's training) then ends within one block of the moment
its caller left, forwards and backwards, without asking by itself.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch

from knowledgesmith.graph_schema import cancellation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from knowledgesmith.editors.models.loaded import LoadedModel
    from knowledgesmith.graph_schema.cancellation import Caller


def stoppable(loaded: LoadedModel) -> LoadedModel:
    """Let the blocks and the head of a model ask from now on; returns the model.

    A pass that is ended so raises :class:`~knowledgesmith.graph_schema.errors.Cancelled` from inside.
    """
    for module in (*loaded.architecture.blocks, loaded.architecture.lm_head):
        module.register_forward_pre_hook(_ask)
    return loaded


def _ask(_module: nn.Module, args: tuple[Any, ...]) -> None:
    caller = cancellation.current()
    caller.check()
    if torch.is_grad_enabled() and args and isinstance(args[0], torch.Tensor) and args[0].requires_grad:
        # the gradient of a block's input is there when the block's own backward pass has ended
        cast("Any", args[0]).register_hook(partial(_ask_backwards, caller))


def _ask_backwards(caller: Caller, _gradient: Tensor) -> None:
    caller.check()
