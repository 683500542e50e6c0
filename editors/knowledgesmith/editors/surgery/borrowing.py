"""Change parameters for a while: whatever happens inside, the model is bit-identical afterwards."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import nn


def named_parameter(model: nn.Module, name: str) -> nn.Parameter:
    """The parameter called ``name``.

    Raises:
        UnsupportedArchitecture: the model has no such parameter.
    """
    try:
        return model.get_parameter(name)
    except AttributeError as error:
        raise UnsupportedArchitecture(
            "the model has no such parameter",
            field="parameter",
            value=name,
            hint="The artefact was made for another model.",
        ) from error


@contextmanager
def borrowed(model: nn.Module, names: Sequence[str], *, trainable: bool = False) -> Generator[dict[str, nn.Parameter]]:
    """Lend parameters by name; values, gradients and ``requires_grad`` are as before when the block ends.

    The values inside are copies: the memory of the originals is never written to, so that views of the model
    (``surgery.views``) stay what they are, and nothing has to be computed or copied to put them back.

    Args:
        model: the model whose parameters are lent.
        names: dotted parameter names.
        trainable: whether the parameters require gradients inside the block.

    Raises:
        UnsupportedArchitecture: the model has no such parameter.
    """
    lent = {name: named_parameter(model, name) for name in names}
    saved = {name: (p.data, p.requires_grad, p.grad) for name, p in lent.items()}
    try:
        for parameter in lent.values():
            parameter.data = parameter.data.clone()
            parameter.requires_grad_(trainable)
        yield lent
    finally:
        for name, parameter in lent.items():
            value, needed_grad, grad = saved[name]
            parameter.requires_grad_(needed_grad)
            parameter.grad = grad
            parameter.data = value
