"""Weight changes on a model: planned as a whole before the first one is made, then added to the pristine values.

Deltas are added to the pristine float32 value of a parameter and the sum is cast once to the model's dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from knowledgesmith.editors.surgery.borrowing import named_parameter
from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.artefacts.weights import Delta, Weights


def plan_attachment(model: nn.Module, artefacts: Sequence[Weights]) -> list[tuple[nn.Parameter, list[Delta]]]:
    """Each touched tensor once, with its changes in order; names of one tied tensor meet in one entry.

    Raises:
        UnsupportedArchitecture: the model lacks a parameter, or a shape differs.
    """
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
