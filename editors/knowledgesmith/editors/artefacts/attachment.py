"""What artefacts do to a model: planned and checked as a whole before the first change is made.

Deltas are added to the pristine float32 value of a parameter and the sum is cast once to the model's dtype. Memories
hang on modules, contexts stand before prompts; neither touches a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.architectures.discover import linear_maps
from knowledgesmith.editors.artefacts.context import Context
from knowledgesmith.editors.artefacts.memory import Memory
from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.surgery.borrowing import named_parameter
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import InvalidInput, UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.artefacts.base import Artefact
    from knowledgesmith.editors.artefacts.weights import Delta
    from knowledgesmith.editors.models.loaded import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What is to be done to a model, all of it checked.

    Attributes:
        deltas: each touched tensor once, with its changes in order.
        memories: where they hang, in order.
        contexts: what stands before prompts, in order.
    """

    deltas: list[tuple[nn.Parameter, list[Delta]]]
    memories: list[tuple[nn.Module, Memory]]
    contexts: list[Context]


def plan_attachment(loaded: LoadedModel, artefacts: Sequence[Artefact]) -> Attachment:
    """What attaching these in order comes to.

    Raises:
        UnsupportedArchitecture: the model lacks a parameter or a linear map, or a shape differs.
        InvalidInput: one is of no kind that can be attached.
    """
    weights = [one for one in artefacts if isinstance(one, Weights)]
    memories = [one for one in artefacts if isinstance(one, Memory)]
    contexts = [one for one in artefacts if isinstance(one, Context)]
    if len(weights) + len(memories) + len(contexts) != len(artefacts):
        raise InvalidInput(
            "an artefact is neither weights nor a memory nor a context",
            field="artefacts",
            value=sorted({one.kind for one in artefacts}),
        )
    maps = _maps(loaded) if memories else {}
    return Attachment(
        deltas=_deltas(loaded.model, weights),
        memories=[(_fitting(maps, memory).module, memory) for memory in memories],
        contexts=contexts,
    )


def _deltas(model: nn.Module, artefacts: Sequence[Weights]) -> list[tuple[nn.Parameter, list[Delta]]]:
    """Each touched tensor once, with its changes in order; names of one tied tensor meet in one entry."""
    plan: dict[int, tuple[nn.Parameter, list[Delta]]] = {}
    for artefact in artefacts:
        for name, delta in artefact.deltas.items():
            parameter = named_parameter(model, name)
            if tuple(parameter.shape) != delta.shape:
                raise UnsupportedArchitecture(
                    f"the change has shape {delta.shape}, the parameter {tuple(parameter.shape)}",
                    field="parameter",
                    value=name,
                    hint="The artefact was made for another model.",
                )
            plan.setdefault(id(parameter), (parameter, []))[1].append(delta)
    return list(plan.values())


def _maps(loaded: LoadedModel) -> dict[str, Projection]:
    """The linear maps inside the blocks: each sees every token of every row, and nothing else does by name."""
    inside = frozenset(loaded.architecture.linear_names)
    return {one.name: one for one in linear_maps(loaded.model, prefix="") if one.name in inside}


def _fitting(maps: dict[str, Projection], memory: Memory) -> Projection:
    if memory.module not in maps:
        raise UnsupportedArchitecture(
            "the model has no such linear map inside its blocks",
            field="module",
            value=memory.module,
            hint="The artefact was made for another model.",
        )
    memory.check_fits(maps[memory.module])
    return maps[memory.module]


def apply_deltas(plan: Sequence[tuple[nn.Parameter, Sequence[Delta]]]) -> None:
    """Set each parameter to its present value plus its changes: summed in float32, cast once.

    The sum stands in memory of its own: the memory of the present value is never written to (``surgery.views``).

    Raises:
        Cancelled: nobody waits for it any more; parameters before that one are changed already.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        for parameter, deltas in plan:
            cancellation.check()
            wide = torch.promote_types(parameter.dtype, torch.float32)
            total = parameter.data.to(wide, copy=True)
            for delta in deltas:
                delta.add_to(total)
            parameter.data = total.to(parameter.dtype)
