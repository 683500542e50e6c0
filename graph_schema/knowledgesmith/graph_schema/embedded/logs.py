"""The end of a log file, read from behind."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_BLOCK: Final = 1 << 16


def last_lines(file: Path, count: int) -> list[str]:
    """The last ``count`` lines of a file, oldest first; none when the file is not there."""
    try:
        with file.open("rb") as stream:
            position, tail = stream.seek(0, 2), b""
            while position > 0 and tail.count(b"\n") <= count:
                step = min(_BLOCK, position)
                position = stream.seek(position - step)
                tail = stream.read(step) + tail
    except FileNotFoundError:
        return []
    return tail.decode(errors="replace").splitlines()[-count:] if count > 0 else []
