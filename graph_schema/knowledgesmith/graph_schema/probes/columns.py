"""Probes as Arrow columns: the schema of a set, its streamed digest, a writer whose files depend on content alone."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Table = Any
"""A ``pyarrow.Table``; the library brings no types."""
Column = Any
"""A ``pyarrow.Array`` or ``ChunkedArray``."""
CHUNK: Final = 20_000
"""Probes that are hashed and written at a time; part of the digest's definition."""
VERSION: Final = 5
"""Of the digest's definition, and of what a set means."""
FIRST_VERSION: Final = 3
"""The oldest one that is still read; version 4 brought ``counter_stem``, and since 5 a set is balanced as a whole."""
KEY: Final = b"knowledgesmith"
"""Key of the metadata of a file."""
_TEXTS: Final = pa.list_(pa.string())
SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("kind", pa.string()),
        ("anchor", pa.string()),
        ("path", _TEXTS),
        ("chain_length", pa.int32()),
        ("stem", pa.string()),
        ("options", _TEXTS),
        ("option_uids", _TEXTS),
        ("answers", pa.list_(pa.int32())),
        ("template", pa.string()),
        ("fact_ids", _TEXTS),
        ("context", pa.string()),
        ("prefix", pa.string()),
        ("counter_stem", pa.string()),
    ]
)
_LATER: Final = {"counter_stem": 4}
"""Columns by the version that brought them; all others were always there."""


def schema_of(version: int) -> Any:
    """The columns of a set of this version."""
    return pa.schema([field for field in SCHEMA if _LATER.get(field.name, 0) <= version])


def completed(table: Table) -> Table:
    """A table of any version with the columns of the present one: what it lacks is empty."""
    for name in SCHEMA.names:
        if name in _LATER and name not in table.column_names:
            table = table.append_column(name, pa.array([""] * table.num_rows, type=pa.string()))
    return table


class ColumnDigest:
    """SHA-256 over what a set says about itself and all columns in chunks of :data:`CHUNK` rows.

    How a file stores them is no matter; what was left out, which nobody knows before the end, comes last. A set of an
    earlier version is digested as that one was.
    """

    def __init__(self, *, graph_id: str, graph_digest: str, seed: int, split: str, version: int = VERSION) -> None:
        self._digest = hashlib.sha256(json.dumps([version, graph_id, graph_digest, seed, split]).encode())
        self._names = schema_of(version).names

    def update(self, chunk: Table) -> None:
        """Add the next :data:`CHUNK` rows (fewer only at the end)."""
        for name in self._names:
            self._digest.update(name.encode())
            for piece in _contents(_whole(chunk[name])):
                self._digest.update(piece)

    def hexdigest(self, dropped: Mapping[str, int]) -> str:
        """64 hexadecimal digits; once, at the end."""
        self._digest.update(json.dumps(dict(dropped), sort_keys=True).encode())
        return self._digest.hexdigest()


def _whole(column: Column) -> Column:
    pieces = [piece for piece in column.chunks if len(piece)]
    return pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces or column.chunks)


def _contents(array: Column) -> Iterator[bytes]:
    """Lengths and values, whatever the offsets of the buffers are."""
    if pa.types.is_list(array.type):
        yield _lengths(array)
        yield from _contents(array.flatten())
    elif pa.types.is_string(array.type):
        yield _lengths(array)
        offsets = _offsets(array)
        data = array.buffers()[2]
        yield b"" if data is None else bytes(memoryview(data)[int(offsets[0]) : int(offsets[-1])])
    else:
        yield np.ascontiguousarray(array.to_numpy(zero_copy_only=False)).astype("<i8").tobytes()


def _offsets(array: Column) -> np.ndarray[Any, np.dtype[np.int32]]:
    buffer = array.buffers()[1]
    if buffer is None or not buffer.size:
        return np.zeros(1, dtype=np.int32)
    return np.frombuffer(buffer, dtype=np.int32)[array.offset : array.offset + len(array) + 1]


def _lengths(array: Column) -> bytes:
    return np.diff(_offsets(array)).astype("<i8").tobytes()


class Chunker:
    """Cuts a stream of tables into tables of :data:`CHUNK` rows."""

    def __init__(self) -> None:
        self._waiting: list[Table] = []
        self._rows = 0

    def push(self, table: Table) -> Iterator[Table]:
        """The chunks that are complete now."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows < CHUNK:
            return
        whole = pa.concat_tables(self._waiting)
        cut = self._rows - self._rows % CHUNK
        self._waiting = [whole.slice(cut)]
        self._rows -= cut
        for start in range(0, cut, CHUNK):
            yield whole.slice(start, CHUNK).combine_chunks()

    def rest(self) -> Iterator[Table]:
        """What is left, if anything."""
        if self._rows:
            yield pa.concat_tables(self._waiting).combine_chunks()
        self._waiting, self._rows = [], 0


class SetWriter:
    """Writes a set row group by row group, counts and digests it; the same probes give the same bytes.

    ``version`` is an earlier one only for a set that was made by an earlier release and keeps its digest.
    """

    def __init__(self, path: Path, *, about: Mapping[str, Any], version: int = VERSION) -> None:
        self.counts: Counter[str] = Counter()
        self._version = version
        self._schema = schema_of(version)
        self._digest = _digest_for(about, version)
        self._chunker = Chunker()
        self._about = dict(about)
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")

    def add(self, table: Table) -> None:
        """Append probes in the set's order."""
        for chunk in self._chunker.push(completed(table).select(self._schema.names)):
            self._write(chunk)

    def close(self, *, dropped: Mapping[str, int]) -> str:
        """Finish the file with what was left out by reason, which nobody knows before; the digest."""
        for chunk in self._chunker.rest():
            self._write(chunk)
        digest = self._digest.hexdigest(dropped)
        about = {**self._about, "digest": digest, "dropped": dict(sorted(dropped.items())), "version": self._version}
        self._file.add_key_value_metadata({KEY: json.dumps(about, sort_keys=True).encode()})
        self._file.close()
        return digest

    def __enter__(self) -> Self:
        """Nothing more; the file is open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file as it is, where :meth:`close` did not; the caller removes it."""
        self._file.close()

    def _write(self, chunk: Table) -> None:
        self._digest.update(chunk)
        self.counts.update(chunk["kind"].to_pylist())
        self._file.write_table(chunk, row_group_size=CHUNK)


def digest_of_file(path: Path) -> tuple[dict[str, Any], str]:
    """What a file says about itself, and the digest of its content, read row group by row group.

    Raises:
        OSError: the file cannot be read.
        pyarrow.ArrowInvalid: it is no Parquet file, or its columns are others.
        KeyError: it is a Parquet file that no probe set wrote.
    """
    with pq.ParquetFile(path) as file:
        about: dict[str, Any] = json.loads((file.metadata.metadata or {})[KEY])
        schema = schema_of(about["version"])
        digest = _digest_for(about, about["version"])
        chunker = Chunker()
        for group in range(file.num_row_groups):
            for chunk in chunker.push(file.read_row_group(group).cast(schema)):
                digest.update(chunk)
        for chunk in chunker.rest():
            digest.update(chunk)
    return about, digest.hexdigest(about["dropped"])


def _digest_for(about: Mapping[str, Any], version: int) -> ColumnDigest:
    said = {key: about[key] for key in ("graph_id", "graph_digest", "seed", "split")}
    return ColumnDigest(**said, version=version)
