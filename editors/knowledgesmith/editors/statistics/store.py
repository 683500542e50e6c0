"""A folder of statistics, bounded: the least recently used files go first."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from knowledgesmith.editors.files import write_durably
from knowledgesmith.editors.statistics.identity import Identity, Sum, read, to_bytes
from knowledgesmith.graph_schema.errors import InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_LIMIT_BYTES: Final = 16 * 1024**3
"""Key moments of about 900 maps with 1,536 inputs, or of ten with 14,336."""
_SUFFIX = ".safetensors"
_WORDS = {"state": "model state", "map": "map", "kind": "kind", "corpus": "corpus"}


class StatisticsStore:
    """Statistics by identity, one file each. What was read or written through this object is in use and stays.

    Several processes may share a folder: a file is whole or absent, and one that another process removes is measured
    again.

    Args:
        folder: where the files are; made when something is written.
        limit_bytes: most bytes of all files together, but for those in use.
    """

    def __init__(self, folder: Path, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._used: set[Path] = set()

    def load(self, identity: Identity) -> Sum | None:
        """The sum that is kept under an identity; None where there is none, or its file is unreadable."""
        file = self._file(identity)
        if not file.is_file():
            return None
        try:
            found, kept = read(file)
        except InvalidInput:
            return None  # it is measured again and replaced
        if found != identity:
            return None
        self._use(file)
        return kept

    def save(self, identity: Identity, found: Sum) -> None:
        """Write a sum durably, then remove what was used least recently until the rest is within the limit."""
        file = self._file(identity)
        write_durably(file, to_bytes(identity, found))
        self._use(file)
        self._evict()

    def export(self, identity: Identity, target: Path, *, sentences: int) -> None:
        """Write a statistic's file for somebody who has the same model and text.

        Raises:
            InvalidInput: it was not measured, or not over all ``sentences`` of its corpus.
        """
        kept = self.load(identity)
        if kept is None or kept.sentences != sentences:
            raise InvalidInput(
                "this statistic is not measured to its end",
                field="map",
                value=identity.map,
                hint="Measure it first.",
            )
        write_durably(target, to_bytes(identity, kept))

    def adopt(self, source: Path, identity: Identity, *, shape: tuple[int, ...], sentences: int) -> None:
        """Take over a file that somebody else exported.

        Args:
            source: the file.
            identity: what it must be of.
            shape: of the sum.
            sentences: number of sentences of the corpus.

        Raises:
            InvalidInput: it is no such file, damaged, or of another model, map, kind or text (names which).
        """
        theirs, found = read(source)
        ours, given = identity.parts(), theirs.parts()
        differing = [name for name in ours if ours[name] != given[name]]
        if differing:
            words = ", ".join(f"{_WORDS[name]} {_short(given[name])} (here {_short(ours[name])})" for name in differing)
            raise InvalidInput(
                f"the file is of another {_WORDS[differing[0]]}",
                field="statistics_file",
                value=source.name,
                hint=f"It has {words}. Both sides need the same model, in the same number format, and the same text.",
                metadata={"differing": ",".join(differing)},
            )
        if not _sound(found, shape, sentences):
            raise InvalidInput(
                "the file's numbers cannot be right",
                field="statistics_file",
                value=source.name,
                hint="Export it again.",
            )
        self.save(identity, found)

    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(size for _, size, _ in self._files())

    def _file(self, identity: Identity) -> Path:
        return self._folder / f"{identity.digest}{_SUFFIX}"

    def _use(self, file: Path) -> None:
        self._used.add(file)
        now = time.time_ns()
        with suppress(FileNotFoundError):  # removed by another process; what was read of it stays true
            os.utime(file, ns=(now, now))

    def _files(self) -> list[tuple[int, int, Path]]:
        """Every file as (time of its last use, bytes, path)."""
        found: list[tuple[int, int, Path]] = []
        for file in self._folder.glob(f"*{_SUFFIX}"):
            try:
                status = file.stat()
            except FileNotFoundError:
                continue
            found.append((status.st_mtime_ns, status.st_size, file))
        return sorted(found)

    def _evict(self) -> None:
        files = self._files()
        total = sum(size for _, size, _ in files)
        for _, size, file in files:
            if total <= self._limit:
                return
            if file not in self._used:
                file.unlink(missing_ok=True)
                total -= size


def _sound(found: Sum, shape: tuple[int, ...], sentences: int) -> bool:
    total: Tensor = found.total
    if tuple(total.shape) != shape or found.items < 1 or found.tokens < 1 or found.sentences != sentences:
        return False
    return bool(total.isfinite().all())


def _short(text: str) -> str:
    return text[:12] if len(text) == 64 else text
