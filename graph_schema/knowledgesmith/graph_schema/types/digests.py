"""Digest of a graph: what it asserts, whatever the order, the names or the levels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

_CHUNK = 4_096


def prefixed(text: str) -> bytes:
    """A text's UTF-8 bytes with their number in front (8 bytes, big-endian), so that no two lists of texts collide."""
    raw = text.encode()
    return len(raw).to_bytes(8, "big") + raw


def graph_digest(keys: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256, in hexadecimal, over the sorted (subject uid, relation name, object uid) of the asserted facts."""
    digest = hashlib.sha256()
    for key in sorted(set(keys)):
        for part in key:
            digest.update(prefixed(part))
    return digest.hexdigest()


class StreamedDigest:
    """``graph_digest`` of facts that come sorted and without doubles, in bounded memory."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def update_keys(self, rows: Iterable[tuple[bytes, int, bytes]], names: Mapping[int, str]) -> None:
        """Take facts as (prefixed subject uid, relation number, prefixed object uid)."""
        relations = {number: prefixed(name) for number, name in names.items()}
        parts: list[bytes] = []
        for subject, relation, obj in rows:
            parts += (subject, relations[relation], obj)
            if len(parts) > _CHUNK:
                self._digest.update(b"".join(parts))
                parts.clear()
        self._digest.update(b"".join(parts))

    def hexdigest(self) -> str:
        """The digest of what was taken."""
        return self._digest.hexdigest()
