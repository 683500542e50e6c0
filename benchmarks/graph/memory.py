"""Resident memory of this process while a bulk run goes on, over time and by the number of probes."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from knowledgesmith.graph_schema.probes.generation.request import BulkProgress

EVERY_S: Final = 0.1
MARKS: Final = (250_000, 500_000, 1_000_000)
SHOWN: Final = 60
"""Samples in a report."""


class Memory:
    """Samples from entering to leaving."""

    def __init__(self) -> None:
        self._probes = 0
        self._samples: list[tuple[float, int, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def observe(self, progress: BulkProgress) -> None:
        """Take note of how many probes there are."""
        self._probes = progress.probes

    def report(self) -> dict[str, Any]:
        """Megabytes at the start, the peak up to so many probes and in all, and samples ``[seconds, probes, MB]``."""
        last = self._samples[-1][1]
        peaks = {f"up_to_{mark}_probes": self._peak(mark) for mark in MARKS if mark <= last}
        step = max(1, len(self._samples) // SHOWN)
        return {
            "rss_mb_at_start": self._samples[0][2],
            "peak_rss_mb": {**peaks, "in_all": self._peak(last)},
            "samples": [list(sample) for sample in self._samples[::step]],
        }

    def __enter__(self) -> Self:
        """Start sampling."""
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Stop sampling."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        started = time.perf_counter()
        while True:
            self._samples.append((round(time.perf_counter() - started, 1), self._probes, _resident_mb()))
            if self._over.wait(EVERY_S):
                return

    def _peak(self, probes: int) -> float:
        return max(size for _, made, size in self._samples if made <= probes)


def _resident_mb() -> float:
    """The resident set of this process (``VmRSS``), in MiB."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(text.partition("VmRSS:")[2].split()[0]) / 1024, 1)
