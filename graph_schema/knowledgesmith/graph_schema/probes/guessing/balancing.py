"""The probes of one kind, kept back until all are there, so that the set as a whole gives nothing away.

What waits lies in a file of its own beyond the first few thousand; in memory stay a number for every probe and what
shows of every question (:mod:`clues`).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.drawing.draw import ORDER, streams
from knowledgesmith.graph_schema.probes.guessing.clues import Clues, Indices, Reader
from knowledgesmith.graph_schema.probes.guessing.thinning import evenly_placed, kept, ranks_by_place
from knowledgesmith.graph_schema.types.probes import ProbeKind

GUESSABLE: Final = "guessable"
"""A question whose answer shows in the words, lengths, capitals, numbers or places, as in too many others."""
UNEVEN_PLACE: Final = "uneven_place"
"""A question left out so that the right option stands equally often at each place."""
_IN_MEMORY: Final = 40_000
"""Probes that wait in memory; the rest waits in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What stays of a draft: rows in the set's order, and the clues of their questions.

    ``placed`` counts the questions that a limit chose from, ``dropped`` those that were left out by reason.
    """

    rows: Indices
    clues: Clues
    placed: int
    dropped: Counter[str]


class Draft:
    """Takes the tables of one kind, decides, and gives back what stays."""

    def __init__(self, lexicon: Lexicon, kind: ProbeKind, *, seed: int) -> None:
        self._kind = kind
        self._reader = Reader(lexicon, seed=seed)
        self._questions: list[NDArray[np.int32]] = []
        self._waiting: list[Table] = []
        self._sizes: list[int] = []
        self._file: IO[bytes] | None = None
        self._writer: Any = None
        self.rows = 0

    def __enter__(self) -> Self:
        """Nothing more: the file is made when it is needed."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Remove the file."""
        if self._writer is not None:
            self._writer.close()
        if self._file is not None:
            self._file.close()

    def add(self, table: Table) -> None:
        """Append probes in the set's order, with the columns that tables have while a set is made."""
        if not table.num_rows:
            return
        self._questions.append(self._reader.add(table))
        self.rows += table.num_rows
        if self._writer is None and self.rows <= _IN_MEMORY:
            self._waiting.append(table)
            return
        if self._writer is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the draft
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._writer = pa.ipc.new_stream(self._file, table.schema, options=options)
            for waiting in self._waiting:
                self._writer.write_table(waiting)
            self._waiting = []
        self._writer.write_table(table)

    def settle(self, *, limit: int | None) -> Settled:
        """Decide which questions stay; of those, at most ``limit`` probes, evenly placed."""
        clues = self._reader.clues(self._kind)
        if not len(clues):
            return Settled(rows=np.zeros(0, dtype=np.int64), clues=clues, placed=0, dropped=Counter())
        stays = kept(clues)
        placed = evenly_placed(clues, stays)
        dropped = Counter({GUESSABLE: int((~stays).sum()), UNEVEN_PLACE: int((stays & ~placed).sum())})
        questions = np.concatenate(self._questions)
        rows = np.flatnonzero(placed[questions])
        if limit is not None and len(rows) > limit:
            rows = _first(clues, questions, rows, limit)
        asked = np.unique(questions[rows]).astype(np.int64)
        return Settled(rows=rows, clues=clues.only(asked), placed=int(placed.sum()), dropped=+dropped)

    def tables(self, rows: Indices) -> Iterator[Table]:
        """These rows (rising), in tables."""
        start = 0
        for table in self._all():
            first, last = np.searchsorted(rows, [start, start + table.num_rows])
            if first < last:
                yield table.take(pa.array(rows[first:last] - start))
            start += table.num_rows

    def _all(self) -> Iterator[Table]:
        if self._writer is None or self._file is None:
            yield from self._waiting
            return
        self._writer.close()
        self._file.seek(0)
        with pa.ipc.open_stream(self._file) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])


def _first(clues: Clues, questions: NDArray[np.int32], rows: Indices, limit: int) -> Indices:
    """The ``limit`` rows whose questions come first in a drawn order in which the places of the right option turn."""
    asked = np.unique(questions[rows]).astype(np.int64)
    ranks = np.zeros(len(clues), dtype=np.int64)
    ranks[asked] = ranks_by_place(clues.only(asked))
    lots = streams(clues.keys ^ np.uint64(ORDER), 1)[:, 0]
    mine = questions[rows]
    order = np.lexsort((rows, lots[mine], ranks[mine]))
    found: Indices = np.sort(rows[order[:limit]])
    return found
