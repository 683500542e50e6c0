"""Digest of a graph: what it asserts, whatever the order, the names or the levels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def graph_digest(keys: Iterable[tuple[str, str, str]]) -> str:
    """SHA-256, in hexadecimal, over the sorted (subject uid, relation name, object uid) of the asserted facts."""
    digest = hashlib.sha256()
    for key in sorted(set(keys)):
        for part in key:
            raw = part.encode()
            digest.update(len(raw).to_bytes(8, "big"))
            digest.update(raw)
    return digest.hexdigest()
