"""Probe sets as files for others, and back: Parquet and JSONL with their digest, and two folders for other tools.

Every function that writes yields pairs of a file's name (relative, made here) and its content in pieces, so that a set
can go over the wire without a second copy on disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from knowledgesmith.graph_schema.errors import InvalidInput, KnowledgeSmithError
from knowledgesmith.graph_schema.language.text_checks import DIGEST, GRAPH_ID
from knowledgesmith.graph_schema.probes.columns import FIRST_VERSION, KEY, VERSION, SetWriter, Table, schema_of
from knowledgesmith.graph_schema.probes.generation.request import BulkResult
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.folders import dataset_folder, harness_folder
from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Split
from knowledgesmith.graph_schema.types.probes import Context, ProbeKind

PIECE: Final = 1 << 18
"""Bytes handed on at a time."""
_BATCH: Final = 5_000
_MAX_LINE: Final = 1 << 20
_MAX_GROUPS: Final = 1_000_000
"""Parts of a Parquet file: a billion probes are 50,000 groups of 13 columns."""
MAX_ROWS: Final = 1 << 20
_MAX_GROUP: Final = 1 << 30
"""Probes and unpacked bytes of a row group, which is read as a whole; sets have 20,000 probes in a group."""
_MAX_SEED: Final = 1 << 63
_MAX_OPTIONS: Final = 8
_ID: Final = re.compile(r"[0-9a-f]{32}")
_REASON: Final = re.compile(r"[a-z_]{1,63}")
_HEADER: Final = "knowledgesmith_probe_set"

Files = Iterator[tuple[str, Iterator[bytes]]]
"""Names of files with their contents."""


class SetFormat(StrEnum):
    """How a set is written for others."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    LM_EVAL = "lm-eval"
    DATASET = "dataset"


def export(info: ProbeSetInfo, *, directory: Path, form: SetFormat) -> Files:
    """The files of a set in one of the formats.

    Raises:
        ProbeSetNotFound: the set's own file is gone.
    """
    path = probe_set.existing(directory, info.digest)
    match form:
        case SetFormat.PARQUET:
            return iter([(f"{info.digest}.parquet", _pieces(path))])
        case SetFormat.JSONL:
            return iter([(f"{info.digest}.jsonl", _lines(path, info))])
        case SetFormat.LM_EVAL:
            return harness_folder(path, info)
        case SetFormat.DATASET:
            return dataset_folder(path, info)


def import_set(store: GraphStore, *, name: str, content: BinaryIO, form: SetFormat, directory: Path) -> ProbeSetInfo:
    """Take in a set that was exported as Parquet or JSONL.

    Args:
        store: the database.
        name: of the file; only for messages.
        content: the file; Parquet must be seekable.
        form: how it is written.
        directory: where the files of sets lie.

    Raises:
        InvalidInput: the file is no probe set, holds something that no probe may hold, or does not match its digest.
    """
    readers = {SetFormat.PARQUET: _parquet, SetFormat.JSONL: _jsonl}
    if form not in readers:
        raise InvalidInput("only parquet and jsonl can be imported", field="format", value=form.value, hint="Use one.")
    try:
        about, version, found = readers[form](name, content)
        _check_about(name, about)
        with probe_set.scratch_file(directory) as scratch:
            with SetWriter(scratch, about={key: about[key] for key in _ABOUT}, version=version) as writer:
                for table in found:
                    _check(name, table)
                    writer.add(table)
                digest = writer.close(dropped=about["dropped"])
            if digest != about["digest"]:
                raise _refused(name, "its content does not match its digest", "Export the set again.")
            scratch.replace(probe_set.path_of(directory, digest))
    except KnowledgeSmithError:
        raise
    except (pa.ArrowException, ValueError, KeyError, TypeError, OSError, OverflowError, RecursionError) as error:
        raise _refused(name, f"it is no probe set ({type(error).__name__})", "Export the set again.") from error
    made = probe_set.info_of(
        BulkResult(
            graph_id=about["graph_id"],
            graph_digest=about["graph_digest"],
            seed=about["seed"],
            digest=digest,
            counts=dict(sorted(writer.counts.items())),
            split=Split(about["split"]),
            dropped=about["dropped"],
        )
    )
    made = replace(made, imported=True)
    probe_set.record(store, made, directory=directory)
    return probe_set.get_info(store, made.id)


_ABOUT: Final = ("graph_id", "graph_digest", "seed", "split")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _lines(path: Path, info: ProbeSetInfo) -> Iterator[bytes]:
    about = {
        _HEADER: probe_set.about_file(path).get("version", FIRST_VERSION),
        "graph_id": info.graph_id,
        "graph_digest": info.graph_digest,
        "seed": info.seed,
        "split": info.split,
        "dropped": dict(info.dropped),
        "digest": info.digest,
    }
    yield _json(about)
    with probe_set.opened(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH):
            yield b"".join(_json(row) for row in batch.to_pylist())


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _parquet(name: str, content: BinaryIO) -> tuple[dict[str, Any], int, Iterable[Table]]:
    file = pq.ParquetFile(content, thrift_string_size_limit=_MAX_LINE, thrift_container_size_limit=_MAX_GROUPS)
    about: dict[str, Any] = json.loads((file.metadata.metadata or {})[KEY])
    for group in map(file.metadata.row_group, range(file.num_row_groups)):
        if group.num_rows > MAX_ROWS or group.total_byte_size > _MAX_GROUP:
            raise _refused(name, f"a row group holds more than {MAX_ROWS} probes or {_MAX_GROUP} bytes", "Split it.")
    names = file.schema_arrow.names
    version = about.get("version")
    if type(version) is not int or version not in _VERSIONS or schema_of(version).names != names:
        raise _refused(name, "it has other columns than a probe set", "Export the set again.")
    schema = schema_of(version)
    return about, version, (file.read_row_group(group).cast(schema) for group in range(file.num_row_groups))


def _jsonl(name: str, content: BinaryIO) -> tuple[dict[str, Any], int, Iterable[Table]]:
    header = json.loads(content.readline(_MAX_LINE))
    version = header.pop(_HEADER, None) if isinstance(header, dict) else None
    if type(version) is not int or version not in _VERSIONS:
        raise _refused(name, "its first line is not that of a probe set", "Export the set again.")
    return header, version, _read_lines(name, content, schema_of(version))


_VERSIONS: Final = range(FIRST_VERSION, VERSION + 1)


def _read_lines(name: str, content: BinaryIO, schema: Any) -> Iterator[Table]:
    rows: list[dict[str, Any]] = []
    number = 1
    while line := content.readline(_MAX_LINE + 1):
        number += 1
        if len(line) > _MAX_LINE:
            raise _refused(name, f"line {number} is longer than {_MAX_LINE} bytes", "Export the set again.")
        row = json.loads(line)
        if not isinstance(row, dict) or set(row) != set(schema.names):
            raise _refused(name, f"line {number} is no probe", "Export the set again.")
        rows.append(row)
        if len(rows) == _BATCH:
            yield pa.Table.from_pylist(rows, schema=schema)
            rows = []
    if rows:
        yield pa.Table.from_pylist(rows, schema=schema)


def _check_about(name: str, about: Mapping[str, Any]) -> None:
    texts = ("graph_id", "graph_digest", "digest")
    right = (
        all(isinstance(about[key], str) for key in texts)
        and GRAPH_ID.fullmatch(about["graph_id"]) is not None
        and DIGEST.fullmatch(about["graph_digest"]) is not None
        and type(about["seed"]) is int
        and -_MAX_SEED <= about["seed"] < _MAX_SEED
        and about["split"] in {split.value for split in Split}
        and isinstance(about["dropped"], dict)
        and all(_REASON.fullmatch(k) and type(n) is int and n >= 0 for k, n in about["dropped"].items())
    )
    if not right:
        raise _refused(name, "what it says about itself is malformed", "Export the set again.")


def _check(name: str, table: Table) -> None:
    """Refuse what would break a reader later: missing values, unknown kinds, answers beyond the options."""
    if any(column.null_count for column in table.columns):
        raise _refused(name, "a value is missing", "Export the set again.")
    if set(table["kind"].unique().to_pylist()) - {kind.value for kind in ProbeKind}:
        raise _refused(name, "it holds a kind of probe that does not exist", "Export the set again.")
    if set(table["context"].unique().to_pylist()) - {context.value for context in Context}:
        raise _refused(name, "it holds a context that does not exist", "Export the set again.")
    for row in table.select(_CHECKED).to_pylist():
        if problem := _problem(row):
            raise _refused(name, f"the probe {row['id'][:40]!r} {problem}", "Export the set again.")


_CHECKED: Final = ("id", "path", "chain_length", "stem", "options", "option_uids", "answers")


def _problem(row: Mapping[str, Any]) -> str:
    options, uids, answers = row["options"], row["option_uids"], row["answers"]
    if not _ID.fullmatch(row["id"]):
        return "has an id that is not 32 hexadecimal digits"
    if not row["path"] or len(row["path"]) != row["chain_length"] or not all(row["path"]):
        return "asks along no path, or one of another length than it says"
    if not row["stem"].strip():
        return "has no text"
    if len(options) != len(uids) or not 2 <= len(options) <= _MAX_OPTIONS or len(set(uids)) < len(uids):
        return f"has not 2 to {_MAX_OPTIONS} different options"
    if not answers or not all(0 <= n < len(options) for n in answers):
        return "has an answer that is none of its options"
    return ""


def _refused(name: str, problem: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{name} was refused: {problem}.", field="file", value=name, hint=hint)
