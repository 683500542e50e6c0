"""Probes that stand in a set twice, found with 32 bytes a probe."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np

from knowledgesmith.graph_schema.types.probes import Probe

_SIZE: Final = 16
"""Bytes of a digest: two different probes of a billion share one with a probability of about 1e-21."""


class Twins:
    """Takes probes in their order. Twins have one id, or one kind, text and options; all but the first count.

    DIRECT and CONTEXTUAL probes may read alike: the kinds say what an answer is taken for, and are counted apart.
    """

    def __init__(self) -> None:
        self._ids = bytearray()
        self._contents = bytearray()

    def add(self, probe: Probe) -> None:
        """Note a probe."""
        self._ids += _digest(probe.id)
        self._contents += _digest("\x1f".join((probe.kind, probe.text, *probe.options)))

    def found(self) -> list[int]:
        """Places of the twins, rising."""
        return sorted({*_later_ones(self._ids), *_later_ones(self._contents)})


def _digest(content: str) -> bytes:
    return hashlib.blake2b(content.encode(), digest_size=_SIZE).digest()


def _later_ones(digests: bytearray) -> list[int]:
    """Places whose digest stands at an earlier place too."""
    numbers = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)
    order = np.lexsort((numbers[:, 1], numbers[:, 0]))
    ordered = numbers[order]
    same: np.ndarray[Any, np.dtype[np.bool_]] = np.logical_and.reduce(ordered[1:] == ordered[:-1], axis=1)
    later: list[int] = order[1:][same].tolist()
    return later
