"""Temporary forward hooks: read a module's input or output at positions, add a vector, stop early.

All are context managers; nothing stays on the model when they end, also after an exception. Positions count from the
first token of a row, so batches must be padded on the right (``encoding.pad_right``).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from knowledgesmith.graph_schema.errors import UnsupportedArchitecture

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(slots=True)
class Capture:
    """What a capturing hook saw last; ``None`` before the first forward pass."""

    tensor: Tensor | None = None

    @property
    def value(self) -> Tensor:
        """The captured tensor, still attached to its graph. shape: (B, T, d), or (B, d) when positions were given.

        Raises:
            UnsupportedArchitecture: the module did not run.
        """
        if self.tensor is None:
            raise UnsupportedArchitecture("a module that was watched did not run in the forward pass", field="model")
        return self.tensor


def first_tensor(output: Any) -> Tensor:
    """The hidden state of a block's output: the tensor itself, or the first member of its tuple."""
    return output if isinstance(output, torch.Tensor) else output[0]


def _replace_first(output: Any, hidden: Tensor) -> Any:
    return hidden if isinstance(output, torch.Tensor) else type(output)((hidden, *output[1:]))


def _at(hidden: Tensor, positions: Tensor | None) -> Tensor:
    if positions is None:
        return hidden
    rows = torch.arange(hidden.shape[0], device=hidden.device)
    return hidden[rows, positions.to(hidden.device)]


@contextmanager
def capture_input(module: nn.Module, *, positions: Tensor | None = None) -> Generator[Capture]:
    """Record the first input of ``module``, at one position a row when given. shape of positions: (B,)."""
    seen = Capture()

    def hook(_module: nn.Module, args: tuple[Any, ...]) -> None:
        seen.tensor = _at(first_tensor(args), positions)

    handle = module.register_forward_pre_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def capture_output(module: nn.Module, *, positions: Tensor | None = None) -> Generator[Capture]:
    """Record the output of ``module``, at one position a row when given. shape of positions: (B,)."""
    seen = Capture()

    def hook(_module: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        seen.tensor = _at(first_tensor(output), positions)

    handle = module.register_forward_hook(hook)
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def add_to_output(block: nn.Module, vectors: Tensor, *, rows: Tensor, positions: Tensor) -> Generator[None]:
    """Add ``vectors[i]`` to the block's output at token ``positions[i]`` of row ``rows[i]``; differentiable.

    Args:
        block: the module whose output is changed (tensor or tuple).
        vectors: shape: (n, d); cast to the output's dtype.
        rows: batch rows. shape: (n,).
        positions: token positions. shape: (n,).
    """

    def hook(_module: nn.Module, _args: tuple[Any, ...], output: Any) -> Any:
        hidden = first_tensor(output)
        index = (rows.to(hidden.device), positions.to(hidden.device))
        return _replace_first(output, hidden.index_put(index, vectors.to(hidden), accumulate=True))

    handle = block.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


class _StopForwardError(Exception):
    """Ends a forward pass from inside; never leaves :func:`stop_after`."""


@contextmanager
def stop_after(module: nn.Module) -> Generator[None]:
    """End the forward pass when ``module`` has run; code after the pass inside the ``with`` is skipped.

    Put this outermost with one forward pass inside, and read what captures saw afterwards.
    """

    def hook(_module: nn.Module, _args: tuple[Any, ...], _output: Any) -> None:
        raise _StopForwardError

    handle = module.register_forward_hook(hook)
    try:
        yield
    except _StopForwardError:
        pass
    finally:
        handle.remove()


@contextmanager
def head_only_at(lm_head: nn.Module, *, rows: Tensor, positions: Tensor) -> Generator[None]:
    """Feed the head only the needed positions: the model's logits get shape (1, n, vocabulary) in place of (B, T, …).

    The model's own code around the head (soft caps, scales) still runs.
    """

    def hook(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden = first_tensor(args)
        return (hidden[rows.to(hidden.device), positions.to(hidden.device)].unsqueeze(0), *args[1:])

    handle = lm_head.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
