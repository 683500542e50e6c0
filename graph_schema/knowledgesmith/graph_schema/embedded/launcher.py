"""The small process between an owner and its Java. Runs as a plain script, with the standard library alone.

``launcher.py owned|detached LOG LOCK_FD COMMAND…`` starts the command in a session of its own and prints its pid.

* ``detached``: it ends at once; Java lives on.
* ``owned``: it stays until Java ends, and ends Java when standard input closes, which happens however the owner dies.
  Should this process itself be killed, the kernel sends Java SIGTERM (Linux).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

_POLL_S: Final = 0.2
_GRACE_S: Final = 30
_PR_SET_PDEATHSIG: Final = 1


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _start(command: list[str], *, log: str, lock_fd: int, owned: bool) -> subprocess.Popen[bytes]:
    with Path(log).open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Java inherits the lock and so holds it exactly as long as it lives.
            pass_fds=(lock_fd,),
            preexec_fn=_die_with_parent if owned and sys.platform == "linux" else None,
        )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _guard(child: subprocess.Popen[bytes], *, owner: int) -> None:
    while child.poll() is None:
        readable, _, _ = select.select([0], [], [], _POLL_S)
        # A forked child of the owner may still hold the pipe open, hence the second question.
        if (readable and not os.read(0, 1)) or os.getppid() != owner:
            _end(child)


def _on_term(_signal: int, _frame: object) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # reads as end of file: the guard ends Java


def main(arguments: list[str]) -> int:
    """Start the command and, where owned, guard it. Returns its exit status."""
    mode, log, lock_fd, *command = arguments
    owner = os.getppid()
    signal.signal(signal.SIGTERM, _on_term)
    child = _start(command, log=log, lock_fd=int(lock_fd), owned=mode == "owned")
    os.write(1, f"{child.pid}\n".encode())
    if mode == "detached":
        child.returncode = 0  # not ours to wait for
        return 0
    _guard(child, owner=owner)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
