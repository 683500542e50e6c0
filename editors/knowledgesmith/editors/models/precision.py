"""Which precision to compute in, decided by measuring the choices on the device at hand, never by a default.

Machines differ by two orders of magnitude: with bf16 units a product in bfloat16 is several times as fast as in
float32, without them it is a naive loop of one thread, fifty times as slow. A forward and a backward pass of a small
stack of linear maps tells which; its results must be finite and close to float64's. The answer is kept in a file, keyed
by everything that decides it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import torch

from knowledgesmith.editors.files import write_durably
from knowledgesmith.editors.models.digests import text_sha256
from knowledgesmith.editors.models.dtypes import DEFAULT_DTYPE
from knowledgesmith.graph_schema import cancellation

if TYPE_CHECKING:
    from pydantic import BaseModel
    from torch import Tensor

AUTO: Final = "auto"
FIELD: Final = "compute_dtype"
ComputeDtype = Literal["auto", "model", "float32", "bfloat16", "float16"]
"""What a method's :data:`FIELD` may be."""
_VERSION: Final = 1
"""Of the measurement; part of the key, so that another measurement is made by another release."""

_WIDTH, _INNER, _LAYERS, _ROWS = 512, 1024, 2, 128
_ROUNDS: Final = 7
_BUDGET_S: Final = 0.6
"""Seconds after which no further round of a dtype is begun; the first one always ends."""

_GAIN: Final = 0.9
"""A shorter format must need at most this share of float32's time, or it is not worth its rounding."""

_TOLERANCE: Final = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.1}
"""Largest accepted ‖x - x₆₄‖ / ‖x₆₄‖ of output and gradients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured dtype.

    Attributes:
        dtype: its name.
        seconds: median of a forward and a backward pass.
        rounds: how many passes the median is of.
        error: largest relative error of output and gradients against float64; ``None`` when not finite.
        usable: whether the results are finite and close enough.
    """

    dtype: str
    seconds: float
    rounds: int
    error: float | None
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """What was measured and what follows from it.

    Attributes:
        device: where, for people: kind, name and instruction set.
        threads: of a CPU.
        chosen: name of the dtype to compute in.
        figures: float32 first.
    """

    device: str
    threads: int
    chosen: str
    figures: tuple[Figure, ...]

    @property
    def dtype(self) -> torch.dtype:
        """The chosen dtype."""
        return as_dtype(self.chosen)

    @property
    def reason(self) -> str:
        """One sentence for people: which, and the measured figures that decided it."""
        parts = [f"{f.dtype} {f.seconds * 1e3:.1f} ms{'' if f.usable else ' (results wrong)'}" for f in self.figures]
        return f"{self.chosen}: forward and backward of a small stack took {', '.join(parts)}"


def compute_dtype(device: torch.device, cache: Path | None) -> torch.dtype:
    """The dtype in which frozen weights are fastest on ``device``; measured once, then read from ``cache``.

    Args:
        device: where it will be computed.
        cache: the file that keeps measurements (``dtypes.PRECISION_FILE`` in the data directory); ``None`` keeps none.
    """
    return decide(device, cache).dtype


def decide(device: torch.device, cache: Path | None) -> Precision:
    """The measurement behind :func:`compute_dtype`; a cache that cannot be read is measured again and replaced."""
    key = cache_key(device)
    known = _read(cache)
    if key in known:
        return known[key]
    found = measure(device)
    if cache is not None:
        _write(cache, {**known, key: found})
    return found


def resolved(config_type: type[BaseModel], config: Mapping[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """A method's configuration with ``auto`` replaced by what was measured, so that the method stays pure.

    Args:
        config_type: the method's configuration type; one without ``compute_dtype`` needs nothing resolved.
        config: what the user gave.
        dtype: of :func:`compute_dtype`.
    """
    if not needs_measurement(config_type, config):
        return dict(config)
    return {**config, FIELD: name_of(dtype)}


def needs_measurement(config_type: type[BaseModel], config: Mapping[str, Any]) -> bool:
    """Whether the configuration, or its default, leaves the compute dtype to a measurement."""
    field = config_type.model_fields.get(FIELD)
    return field is not None and config.get(FIELD, field.default) == AUTO


def name_of(dtype: torch.dtype) -> str:
    """``torch.bfloat16`` as ``bfloat16``."""
    return str(dtype).removeprefix("torch.")


def as_dtype(name: str) -> torch.dtype:
    """The inverse of :func:`name_of`."""
    found: torch.dtype = getattr(torch, name)
    return found


def frozen_dtype(choice: ComputeDtype) -> torch.dtype | None:
    """The dtype that a method turns the frozen weights into; ``None``: they stay as they are.

    ``auto`` that nobody resolved is the model's own.
    """
    return None if choice in {AUTO, "model"} else as_dtype(choice)


def measure(device: torch.device) -> Precision:
    """Time every candidate in turns, round by round, so that a passing disturbance meets all alike."""
    candidates = _candidates(device)
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), torch.inference_mode(mode=False):
        torch.manual_seed(0)
        weights = [torch.randn(shape) / shape[1] ** 0.5 for shape in _shapes()]
        rows = torch.randn(_ROWS, _WIDTH)
        # timed on the same numbers as judged: a format that is fast because it fails would win otherwise
        truth = one_pass([w.double().to(device) for w in weights], rows.double().to(device))
        stacks = {dtype: ([w.to(device, dtype) for w in weights], rows.to(device, dtype)) for dtype in candidates}
        results = {dtype: one_pass(*stacks[dtype]) for dtype in candidates}  # the warm-up
        times: dict[torch.dtype, list[float]] = {dtype: [] for dtype in candidates}
        for _ in range(_ROUNDS):
            for dtype in candidates:
                if sum(times[dtype]) < _BUDGET_S:
                    times[dtype].append(timed_pass(*stacks[dtype], device))
    figures = tuple(_figure(dtype, times[dtype], results[dtype], truth) for dtype in candidates)
    return Precision(device=describe(device), threads=torch.get_num_threads(), chosen=choose(figures), figures=figures)


def choose(figures: Sequence[Figure]) -> str:
    """The fastest usable dtype; a shorter one only where it is clearly faster than float32."""
    base = next(figure for figure in figures if figure.dtype == DEFAULT_DTYPE)
    faster = [f for f in figures if f.usable and f.dtype != DEFAULT_DTYPE and f.seconds <= _GAIN * base.seconds]
    return min(faster, key=lambda figure: figure.seconds).dtype if faster else DEFAULT_DTYPE


def describe(device: torch.device) -> str:
    """A device for people, and for the cache's key."""
    if device.type == "cuda":  # device: cuda
        major, minor = torch.cuda.get_device_capability(device)
        return f"cuda, {torch.cuda.get_device_name(device)}, capability {major}.{minor}"
    return ", ".join(filter(None, (device.type, _processor(), _instructions())))


def _instructions() -> str:
    """Instruction set that torch uses, with the limits that the environment puts on it."""
    limits = [
        f"{name}={os.environ[name]}" for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA") if os.environ.get(name)
    ]
    return " ".join([torch.backends.cpu.get_cpu_capability(), *limits])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _candidates(device: torch.device) -> list[torch.dtype]:
    """float16 only on a GPU: processors have no units for it."""
    return [torch.float32, torch.bfloat16, *([torch.float16] if device.type == "cuda" else [])]


def _shapes() -> list[tuple[int, int]]:
    return [(_INNER, _WIDTH), (_WIDTH, _INNER)] * _LAYERS


def one_pass(weights: Sequence[Tensor], rows: Tensor) -> tuple[Tensor, ...]:
    """Output and its gradients by the inputs and by the first weight: what training a part of a model needs."""
    cancellation.check()
    inputs, first = rows.detach().requires_grad_(), weights[0].detach().requires_grad_()
    hidden = torch.nn.functional.linear(inputs, first)
    for weight in weights[1:]:
        hidden = torch.nn.functional.linear(torch.nn.functional.silu(hidden), weight)
    by_inputs, by_first = torch.autograd.grad(hidden.float().square().mean(), (inputs, first))
    return hidden.detach(), by_inputs, by_first


def timed_pass(weights: Sequence[Tensor], rows: Tensor, device: torch.device) -> float:
    """Seconds of one pass."""
    _wait(device)
    start = time.perf_counter()
    one_pass(weights, rows)
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":  # device: cuda
        torch.cuda.synchronize(device)


def _figure(dtype: torch.dtype, times: Sequence[float], results: Sequence[Tensor], truth: Sequence[Tensor]) -> Figure:
    errors = [_error(result, exact) for result, exact in zip(results, truth, strict=True)]
    worst = None if any(error is None for error in errors) else max(error or 0.0 for error in errors)
    return Figure(
        dtype=name_of(dtype),
        seconds=statistics.median(times),
        rounds=len(times),
        error=worst,
        usable=worst is not None and worst <= _TOLERANCE[dtype],
    )


def _error(result: Tensor, exact: Tensor) -> float | None:
    if not bool(torch.isfinite(result).all()):
        return None
    return float((result.double() - exact.double()).norm() / exact.double().norm())


def cache_key(device: torch.device) -> str:
    """Everything that decides a measurement, as one digest."""
    return text_sha256(str(_VERSION), describe(device), torch.__version__, str(torch.get_num_threads()))


def _read(cache: Path | None) -> dict[str, Precision]:
    if cache is None:
        return {}
    try:
        raw: dict[str, Any] = json.loads(cache.read_text("utf-8"))
        return {key: _parse(value) for key, value in raw.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        # an unreadable cache is measured again and replaced
        return {}


def _parse(raw: Mapping[str, Any]) -> Precision:
    """One cached measurement.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    figures = tuple(Figure(**figure) for figure in raw["figures"])
    members: dict[str, Any] = {**raw, "figures": figures}
    found = Precision(**members)
    numbers = all(isinstance(figure.seconds, float) and figure.seconds > 0 for figure in figures)
    based = DEFAULT_DTYPE in {figure.dtype for figure in figures}
    if not numbers or not based or found.chosen != choose(figures):
        raise ValueError(found.chosen)
    return found


def _write(cache: Path, known: Mapping[str, Precision]) -> None:
    try:
        write_durably(cache, json.dumps({key: asdict(value) for key, value in known.items()}, indent=1).encode())
    except OSError:
        # a full or read-only disk costs a second measurement, not the intervention
        return
