"""A device that is not there: tensors whose values lie on the CPU and who say that they lie elsewhere.

Joining one of them with a tensor of the CPU fails as on a GPU, in the forward pass, in the backward pass and in the
optimiser, while all values are real ones; so the tensor code runs to its end, and a forgotten ``.to(device)`` is found
without a GPU. The device is called ``meta``, the only one besides the CPU that every build of torch can name.
"""

# pyright: reportPrivateUsage=false, reportUntypedBaseClass=false, reportIncompatibleMethodOverride=false
from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

if TYPE_CHECKING:
    from torch import nn

    from knowledgesmith.editors.models.loaded import LoadedModel

ELSEWHERE = torch.device("meta")
HERE = torch.device("cpu")

_COPIES = frozenset({"aten._to_copy.default", "aten.copy_.default", "aten.copy.default"})
"""What moves values from one device to the other."""

_INDEXING = frozenset(
    {"aten.index.Tensor", "aten.index_put.default", "aten.index_put_.default", "aten._index_put_impl_.default"}
)
"""Indices of these may lie on the CPU, as on a GPU; what is indexed and what is put may not."""

_SUBSCRIPTS = (torch.Tensor.__getitem__, torch.Tensor.__setitem__)
_FACTORIES = (torch.tensor, torch.as_tensor, torch.asarray)


class MixedDevicesError(RuntimeError):
    """An operation got tensors of two devices."""


class Elsewhere(torch.Tensor):
    """A tensor of the device that is not there; ``held`` has its values."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls: type[Elsewhere], inner: torch.Tensor) -> Elsewhere:
        made: Elsewhere = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=ELSEWHERE,
        )
        made.held = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]  # the base's differs from what is called
        return _run(func, args, kwargs or {})


class _Values(TorchDispatchMode):  # type: ignore[no-untyped-call]  # the library has no types there
    """Also sees operations without any tensor of ours: ``torch.zeros(…, device=…)`` and ``.to(device)``."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
            # in inference mode these arrive whole; only their parts say which device they work on
            with self:
                return func.decompose(*args, **(kwargs or {}))
        return _run(func, args, kwargs or {})


class _Words(TorchFunctionMode):
    """What never reaches an operation, or would lose the values on its way."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _FACTORIES and kwargs.get("device") is not None and torch.device(kwargs["device"]) == ELSEWHERE:
            return func(*args, **{**kwargs, "device": HERE}).to(ELSEWHERE)
        if func is torch.Tensor.tolist and isinstance(args[0], Elsewhere):
            return args[0].detach().cpu().tolist()
        if func == torch.Tensor.data.__set__ and isinstance(args[0], Elsewhere):  # type: ignore[attr-defined]  # made anew at each look
            _together("data", args)
            args[0].held = args[1].held
        if func in _SUBSCRIPTS and isinstance(args[0], Elsewhere):
            args = (args[0], _listed(args[1]), *args[2:])
        return func(*args, **kwargs)


def _listed(index: Any) -> Any:
    """An index whose lists are tensors: made by the library they would have no values on this device."""
    if isinstance(index, tuple):
        return tuple(_listed(item) for item in index)
    if not isinstance(index, list):
        return index
    return (torch.tensor(index) if index else torch.zeros(0, dtype=torch.long)).to(ELSEWHERE)


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = str(func)
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    if name in _INDEXING:
        _together(name, [args[0], *args[2:]])
        mixed_allowed = isinstance(args[0], Elsewhere)
        if not mixed_allowed:
            _together(name, tensors)
    elif name not in _COPIES:
        _together(name, tensors)
    wanted = kwargs.get("device")
    target = torch.device(wanted) if wanted is not None else _device(args, tensors)
    generator = kwargs.get("generator")
    if generator is not None and target == ELSEWHERE:
        raise MixedDevicesError(f"{name}: a generator of the CPU draws on another device")
    values, named = tree_map(_value, (args, kwargs))
    if wanted is not None:
        named["device"] = HERE
    result = func(*values, **named)
    if name.split(".")[1].endswith("_") and isinstance(args[0], torch.Tensor):
        return args[0]  # in place: the same object, its values changed
    return tree_map(partial(_placed, target), result)


def _value(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, Elsewhere) else leaf


def _device(args: Any, tensors: Sequence[torch.Tensor]) -> torch.device:
    first = args[0] if args and isinstance(args[0], torch.Tensor) else None
    if first is not None and first.dim() > 0:
        return ELSEWHERE if isinstance(first, Elsewhere) else HERE
    return ELSEWHERE if any(isinstance(tensor, Elsewhere) for tensor in tensors) else HERE


def _placed(target: torch.device, leaf: Any) -> Any:
    if not isinstance(leaf, torch.Tensor) or isinstance(leaf, Elsewhere) or target == HERE:
        return leaf
    return Elsewhere(leaf)


def _together(name: str, tensors: Any) -> None:
    """Refuse two devices; a single number of the CPU may join any tensor, as on a GPU."""
    leaves = [leaf for leaf in tree_leaves(tensors) if isinstance(leaf, torch.Tensor)]
    away = [leaf for leaf in leaves if isinstance(leaf, Elsewhere)]
    here = [leaf for leaf in leaves if not isinstance(leaf, Elsewhere) and leaf.dim() > 0]
    if away and here:
        shapes = ", ".join(f"{tuple(t.shape)} {'there' if isinstance(t, Elsewhere) else 'here'}" for t in leaves)
        raise MixedDevicesError(f"{name}: tensors of two devices: {shapes}")


@contextmanager
def pretended() -> Generator[None]:
    """Inside, ``torch.device("meta")`` is a device that computes and that no tensor of the CPU may meet."""
    with _Words(), _Values():  # type: ignore[no-untyped-call]  # the library has no types there
        yield


def moved(loaded: LoadedModel) -> LoadedModel:
    """The model on that device; tied parameters stay tied. Call it inside :func:`pretended`."""
    away: dict[int, nn.Parameter] = {}
    for module in loaded.model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                key = id(parameter)
                if key not in away:
                    away[key] = torch.nn.Parameter(Elsewhere(parameter.detach().clone()), requires_grad=False)
                module._parameters[name] = away[key]
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = Elsewhere(buffer.clone())
    return replace(loaded)
