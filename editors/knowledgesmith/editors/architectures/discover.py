"""Find the parts of a decoder by structure, so that a new model family needs no adapter.

Looked for: the outermost list of blocks with the most members; in each block, outside attention, the last linear map
that writes to the residual stream and whose parent also holds one that reads from it (``down_proj`` in Llama, Qwen
and Mistral, ``c_proj`` in GPT-2); the norm beside the list; the output embedding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from torch import nn
from transformers.pytorch_utils import Conv1D

from knowledgesmith.editors.architectures.base import Architecture, Projection
from knowledgesmith.graph_schema.errors import UnsupportedArchitecture

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def discover(model: PreTrainedModel) -> Architecture:
    """The architecture of a causal language model.

    Raises:
        UnsupportedArchitecture: a part is missing; the message says which one and what was looked for.
    """
    hidden = _hidden_size(model)
    list_name, blocks = _block_list(model)
    head = cast("Any", model).get_output_embeddings()
    if not isinstance(head, nn.Module):
        raise _unsupported(model, "an output embedding (language modelling head)")
    names = tuple(f"{list_name}.{index}" for index in range(len(blocks)))
    return Architecture(
        hidden_size=hidden,
        blocks=tuple(blocks),
        block_names=names,
        down_projections=tuple(
            _down_projection(model, name, block, hidden) for name, block in zip(names, blocks, strict=True)
        ),
        final_norm=_final_norm(model, list_name, hidden),
        lm_head=head,
        tied_head=getattr(head, "weight", None) is getattr(model.get_input_embeddings(), "weight", 0),
        linear_names=tuple(
            projection.name
            for name, block in zip(names, blocks, strict=True)
            for projection in linear_maps(block, prefix=name)
        ),
    )


def linear_maps(module: nn.Module, *, prefix: str) -> Iterator[Projection]:
    """Every floating-point ``Linear`` and ``Conv1D`` below ``module`` in registration order."""
    for name, child in module.named_modules(prefix=prefix):
        if isinstance(child, nn.Linear | Conv1D) and child.weight.is_floating_point():
            yield Projection(name=name, module=child, weight_is_transposed=isinstance(child, Conv1D))


def _hidden_size(model: PreTrainedModel) -> int:
    hidden = getattr(model.config.get_text_config(), "hidden_size", None)
    if not isinstance(hidden, int):
        raise _unsupported(model, "an integer 'hidden_size' in the configuration")
    return hidden


def _block_list(model: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    lists = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)]
    outermost = [
        (name, module)
        for name, module in lists
        if len(module) and not any(name.startswith(f"{other}.") for other, _ in lists)
    ]
    if not outermost:
        raise _unsupported(model, "a ModuleList of decoder blocks")
    longest = max(len(blocks) for _, blocks in outermost)
    return next((name, blocks) for name, blocks in outermost if len(blocks) == longest)


def _down_projection(model: PreTrainedModel, name: str, block: nn.Module, hidden: int) -> Projection:
    found: Projection | None = None
    for parent_name, parent in block.named_modules(prefix=name):
        if "attention" in type(parent).__name__.lower():
            continue
        children = [
            projection
            for projection in linear_maps(parent, prefix=parent_name)
            if projection.name.rpartition(".")[0] == parent_name
        ]
        readers = [p for p in children if p.in_features == hidden]
        writers = [p for p in children if p.out_features == hidden and any(r.name != p.name for r in readers)]
        found = writers[-1] if writers else found
    if found is None:
        raise _unsupported(
            model,
            f"in {name}, outside attention, a Linear or Conv1D with {hidden} outputs beside one with {hidden} inputs "
            "(a dense MLP with floating-point weights)",
        )
    return found


def _final_norm(model: PreTrainedModel, list_name: str, hidden: int) -> nn.Module:
    parent_name, _, own = list_name.rpartition(".")
    siblings = dict(model.get_submodule(parent_name).named_children())
    names = list(siblings)
    own_place = names.index(own)
    # usually after the blocks; some families register it before them
    for name in (*reversed(names[own_place + 1 :]), *reversed(names[:own_place])):
        weight = getattr(siblings[name], "weight", None)
        if weight is not None and tuple(weight.shape) == (hidden,):
            return siblings[name]
    raise _unsupported(model, f"beside {list_name}, a norm with a weight of shape ({hidden},)")


def _unsupported(model: PreTrainedModel, looked_for: str) -> UnsupportedArchitecture:
    return UnsupportedArchitecture(
        f"this architecture was not understood; looked for {looked_for}",
        field="model",
        value=type(model).__name__,
        hint="Dense decoder-only models of the Llama, Qwen, Mistral and GPT-2 shapes work.",
        metadata={"looked_for": looked_for, "model_class": type(model).__name__},
    )
