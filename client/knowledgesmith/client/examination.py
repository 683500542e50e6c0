"""What this machine offers a server: asked of the server's own program, as a process that starts nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from knowledgesmith.client._extras import SERVER, missing

TIMEOUT_S: Final = 300.0
FAILED: Final = "FAIL"
_WAY_OUT: Final = "Install the server in this environment: make setup, or pip install 'knowledgesmith[server]'."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part that the service needs.

    Attributes:
        name: one word.
        status: ``OK``, ``WARN`` (works; something to know) or ``FAIL`` (does not work).
        text: what was found.
        way_out: what to do; empty when nothing needs to be done.
        figures: the same in numbers; seconds and bytes.
    """

    name: str
    status: str
    text: str
    way_out: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict[str, float | str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All parts, in the order in which a server needs them; ``ok`` unless one fails."""

    ok: bool
    parts: tuple[Part, ...]

    def part(self, name: str) -> Part | None:
        """The part of this name, if it was looked at."""
        return next((part for part in self.parts if part.name == name), None)


def examine(
    *,
    data_dir: Path | None = None,
    only: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
    module: str = "knowledgesmith.server",
) -> Examination:
    """Look at everything that a server needs; what cannot be looked at is a part that fails, never an exception.

    Args:
        data_dir: the server's data directory; default: the one a server would take.
        only: names of parts; default: all.
        timeout_s: seconds after which the program that looks is stopped.
        module: what is run with ``python -m``.
    """
    if lacking := missing(SERVER):
        return _broken(f"no server is installed here ({', '.join(lacking)})", _WAY_OUT)
    command = [sys.executable, "-m", module, "doctor", "--json", *(f"--only={name}" for name in only)]
    command += ["--data-dir", str(data_dir.resolve())] if data_dir is not None else []
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return _broken(
            f"it did not answer within {timeout_s:.0f} s", "Look at what hangs: disk, driver, network mounts."
        )
    except OSError as error:
        return _broken(str(error), _WAY_OUT)
    try:
        raw: dict[str, Any] = json.loads(done.stdout)
        return Examination(ok=bool(raw["ok"]), parts=tuple(Part(**part) for part in raw["checks"]))
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["it said nothing"]
        return _broken(f"the program that looks ended with {done.returncode}: {said[0][:200]}", _WAY_OUT)


def _broken(text: str, way_out: str) -> Examination:
    return Examination(ok=False, parts=(Part(name="server", status=FAILED, text=text, way_out=way_out),))
