"""The dtype in which a model computes for a while."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


@contextmanager
def computing_in(model: nn.Module, dtype: torch.dtype | None) -> Generator[None]:
    """Let the model's floating-point parameters be ``dtype`` for a while; the originals are kept and put back.

    ``None`` changes nothing. The parameter objects stay the same (tied ones stay tied).
    """
    kept = [(p, p.data) for p in model.parameters() if p.is_floating_point() and dtype not in (None, p.dtype)]
    try:
        for parameter, original in kept:
            parameter.data = original.to(dtype)
        yield
    finally:
        for parameter, original in kept:
            parameter.data = original
