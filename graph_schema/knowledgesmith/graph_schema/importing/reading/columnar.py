"""Rows of Parquet and Arrow files, as published data sets are kept: told by their first bytes, read in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.importing.reading.importer import InputFile

_BATCH: Final = 2_000
_PARQUET: Final = b"PAR1"
_ARROW_FILE: Final = b"ARROW1"
_ARROW_STREAM: Final = b"\xff\xff\xff\xff"


class BrokenColumns(Exception):
    """The rest of a columnar file cannot be read; ``str`` says why."""


def is_columnar(file: InputFile) -> bool:
    """Whether a file is Parquet, or Arrow's file or stream format."""
    file.content.seek(0)
    start = file.content.read(8)
    file.content.seek(0)
    return start.startswith((_PARQUET, _ARROW_FILE, _ARROW_STREAM))


def columnar_rows(file: InputFile) -> Iterator[dict[str, Any]]:
    """The rows as a JSON file would hold them: values that are null are left out, at every depth.

    Raises:
        InvalidInput: the file is neither Parquet nor Arrow.
        BrokenColumns: it cannot be read further.
    """
    import pyarrow as pa

    number = 0
    try:
        for batch in _batches(file):
            for row in batch.to_pylist():
                number += 1
                yield _without_nulls(row)
    except (pa.ArrowException, OSError, ValueError) as error:
        if number:
            raise BrokenColumns("the file is broken or cut off") from error
        known = is_columnar(file)
        raise InvalidInput(
            "the Parquet or Arrow file is broken or cut off" if known else "the file is neither Parquet nor Arrow",
            field="files",
            value=file.name,
            hint="Write it again, or fetch it again.",
        ) from error


def _batches(file: InputFile) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file.content.seek(0)
    start = file.content.read(8)
    file.content.seek(0)
    source = pa.PythonFile(file.content, mode="r")
    if start.startswith(_ARROW_STREAM):
        yield from pa.ipc.open_stream(source)
    elif start.startswith(_ARROW_FILE):
        reader = pa.ipc.open_file(source)
        yield from (reader.get_batch(position) for position in range(reader.num_record_batches))
    else:
        yield from pq.ParquetFile(source).iter_batches(batch_size=_BATCH)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
