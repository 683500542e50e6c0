"""Devices that models can be put on: named by the user or found, and refused before anything is loaded."""

from __future__ import annotations

import sys

import torch

from knowledgesmith.editors.models.dtypes import check_device_name
from knowledgesmith.graph_schema.errors import InvalidInput, KnowledgeSmithError


def available() -> list[str]:
    """Names of the devices of this machine, the best first."""
    return [*(f"cuda:{number}" for number in range(_gpus())), "cpu"]


def find_device(name: str | None = None, field: str = "device") -> torch.device:
    """The named device; without a name the GPU when there is one, else the CPU.

    Raises:
        InvalidInput: no such device here; names those that there are.
    """
    if not name:
        return torch.device("cuda" if _gpus() else "cpu")
    device = torch.device(check_device_name(name, field))
    if device.type == "cuda" and (device.index or 0) >= _gpus():
        raise InvalidInput(
            "there is no CUDA device here" if not _gpus() else "there is no such CUDA device here",
            field=field,
            value=name,
            hint=f"Use {' or '.join(available())}; a CUDA device needs its driver and a CUDA build of torch.",
        )
    return device


def describe(device: torch.device) -> str:
    """Name and memory of a device, for people."""
    if device.type == "cuda":  # device: cuda
        free, total = torch.cuda.mem_get_info(device)
        return f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    return f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"


def _gpus() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def main() -> int:
    """``python -m knowledgesmith.editors.models.devices NAME FIELD``: 0 where the device is here, else 1 and why."""
    try:
        find_device(sys.argv[1], sys.argv[2])
    except KnowledgeSmithError as error:
        sys.stdout.write(error.hint)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
