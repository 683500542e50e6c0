"""Whether the device of the settings is here, asked of a process of its own: the front process never loads torch."""

from __future__ import annotations

import subprocess
import sys

from knowledgesmith.graph_schema.errors import InvalidInput

_TIMEOUT_S = 120.0


def require_device(name: str, field: str = "--device") -> None:
    """Refuse to start for a device that this machine lacks: every intervention would fail. The CPU is always here.

    Raises:
        InvalidInput: no such device; names those that there are.
    """
    if name in {"", "cpu"}:
        return
    command = [sys.executable, "-m", "knowledgesmith.editors.models.devices", name, field]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return  # a driver that is slow to answer is no missing device; the worker will tell
    if done.returncode != 0:
        said = done.stdout.strip() or (done.stderr.strip().splitlines() or ["torch does not load"])[-1]
        raise InvalidInput("this device is not here", field=field, value=name, hint=said)
