"""Ports, and the first bytes of Bolt: enough to know that a server answers, without a driver."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final

from knowledgesmith.graph_schema.errors import PortTaken

_MAGIC: Final = 0x6060B017
# Four proposals (reserved, range, minor, major): 5.0-5.8, 4.2-4.4, and two empty ones.
_HANDSHAKE: Final = struct.pack(">I4B4B4B4B", _MAGIC, 0, 8, 8, 5, 0, 2, 4, 4, *(0,) * 8)
_TIMEOUT_S: Final = 2


def answers(*, host: str, port: int) -> bool:
    """Whether a Bolt server accepts one of our versions."""
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_S) as connection:
            connection.sendall(_HANDSHAKE)
            reply = connection.recv(4, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(reply) == 4 and reply != bytes(4)


def claim_port(*, host: str, port: int | None) -> int:
    """A port nobody listens on: the one asked for, or any free one for ``None`` and 0.

    Raises:
        PortTaken: another program listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port or 0))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise PortTaken(
                f"Cannot listen on {host}:{port}: {error.strerror}.",
                field="port",
                value=port,
                hint="Choose another port, or 0 for any free one.",
                metadata={"port": str(port)},
            ) from error
        return int(probe.getsockname()[1])
