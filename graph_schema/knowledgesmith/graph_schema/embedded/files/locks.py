"""File locks that the kernel drops when their holder dies (``flock``)."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from knowledgesmith.graph_schema.errors import StoreOwned

_POLL_S: Final = 0.05


def try_lock(path: Path) -> int | None:
    """Lock a file without waiting; the open descriptor, or ``None`` when another holds it.

    The lock lives until every copy of the descriptor is closed, also copies that child processes inherited.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def wait_lock(path: Path, *, timeout_s: float) -> int | None:
    """Like ``try_lock``, but try again for up to ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while (descriptor := try_lock(path)) is None and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return descriptor


@contextmanager
def exclusive(path: Path, *, timeout_s: float) -> Generator[None, None, None]:
    """Hold a lock for the length of a block.

    Raises:
        StoreOwned: another process held it for the whole time.
    """
    descriptor = wait_lock(path, timeout_s=timeout_s)
    if descriptor is None:
        raise StoreOwned(
            f"Another process has been working on this folder for over {timeout_s:g} s.",
            field="folder",
            value=str(path.parent),
            hint="Wait for it, or end it, then try again.",
        )
    try:
        yield
    finally:
        os.close(descriptor)
