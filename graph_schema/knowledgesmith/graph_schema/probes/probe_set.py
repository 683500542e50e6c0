"""Probe sets at rest: a Parquet file named by its digest, and a (:ProbeSet) node."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from knowledgesmith.graph_schema.errors import IllegalState, InvalidInput, ProbeSetNotFound, TooLarge
from knowledgesmith.graph_schema.probes.generate import ProbeSetData, digest_of
from knowledgesmith.graph_schema.probes.nodes import probe_from, probe_properties
from knowledgesmith.graph_schema.probes.types import Probe, ProbeKind
from knowledgesmith.graph_schema.store import GraphStore, Transaction

MAX_NODES: Final = 10_000
_BATCH: Final = 5_000
_ROW_GROUP: Final = 20_000
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_TEXTS: Final = pa.list_(pa.string())
_NUMBERS: Final = pa.list_(pa.int32())
_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("kind", pa.string()),
        ("anchor", pa.string()),
        ("path", _TEXTS),
        ("chain_length", pa.int32()),
        ("stem", pa.string()),
        ("options", _TEXTS),
        ("option_uids", _TEXTS),
        ("answers", _NUMBERS),
        ("template", pa.string()),
        ("fact_ids", _TEXTS),
        ("context", pa.string()),
        ("prefix", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSetInfo:
    """A stored probe set; every probe in it was verified."""

    id: str
    graph_id: str
    graph_digest: str
    seed: int
    digest: str
    counts: Mapping[str, int]
    verified: int
    dropped: Mapping[str, int]


def write_file(data: ProbeSetData, *, directory: Path) -> Path:
    """Write the probes as ``<digest>.parquet``; the same set gives the same bytes.

    Raises:
        OSError: the directory cannot be written.
    """
    target = _path(directory, data.digest)
    if target.exists():
        return target
    directory.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(f".{os.getpid()}.tmp")
    try:
        table = pa.Table.from_pylist([_plain(probe) for probe in data.probes], schema=_SCHEMA)
        table = table.replace_schema_metadata({"knowledgesmith": json.dumps(_about(data), sort_keys=True)})
        pq.write_table(table, scratch, row_group_size=_ROW_GROUP, compression="zstd")
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    return target


def read_file(directory: Path, digest: str) -> ProbeSetData:
    """The whole set.

    Raises:
        ProbeSetNotFound: no file of this digest lies there.
        IllegalState: the file's content is not what its name says.
    """
    path = _existing(directory, digest)
    about: dict[str, Any] = json.loads(pq.read_schema(path).metadata[b"knowledgesmith"])
    data = ProbeSetData(
        graph_id=about["graph_id"],
        graph_digest=about["graph_digest"],
        seed=about["seed"],
        probes=tuple(_probes(path, kind=None)),
        dropped=about["dropped"],
        digest=digest,
    )
    if digest_of(data) != digest:
        raise IllegalState(
            "The file's content does not match its digest.",
            field="probe_set",
            value=digest,
            hint="Remove the file and generate the set again.",
        )
    return data


def read_page(directory: Path, digest: str, *, kind: ProbeKind | None, skip: int, limit: int) -> list[Probe]:
    """A part of a set, in its order.

    Raises:
        ProbeSetNotFound: no file of this digest lies there.
    """
    found: list[Probe] = []
    if limit <= 0:
        return found
    for position, probe in enumerate(_probes(_existing(directory, digest), kind=kind)):
        if position >= skip:
            found.append(probe)
        if len(found) == limit:
            break
    return found


def save(store: GraphStore, data: ProbeSetData, *, directory: Path, materialise: bool = False) -> ProbeSetInfo:
    """Write file and node, and on request a node for every probe.

    Raises:
        TooLarge: more than :data:`MAX_NODES` probes were to become nodes.
    """
    if materialise and len(data.probes) > MAX_NODES:
        raise TooLarge(
            f"At most {MAX_NODES} probes can become nodes.",
            field="materialise",
            value=len(data.probes),
            hint="Set limit_per_kind, or read the set from its file.",
        )
    write_file(data, directory=directory)
    info = _info_of(data)
    properties = {**asdict(info), "counts": json.dumps(info.counts), "dropped": json.dumps(info.dropped)}
    probes = sorted(data.probes if materialise else (), key=lambda probe: (probe.anchor, probe.id))
    rows: list[dict[str, object]] = [
        {"id": p.id, "anchor": p.anchor, "probe": probe_properties(p, graph_id=data.graph_id)} for p in probes
    ]

    def work(tx: Transaction) -> None:
        tx.rows("probe_sets/save", id=info.id, properties=properties)
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            tx.rows("probe_sets/materialise", id=info.id, graph_id=data.graph_id, rows=batch)

    store.write_transaction(work)
    return info


def get_info(store: GraphStore, probe_set_id: str) -> ProbeSetInfo:
    """One probe set.

    Raises:
        ProbeSetNotFound: there is none of this id.
    """
    rows = store.read("probe_sets/get", id=probe_set_id)
    if not rows:
        raise _missing(probe_set_id)
    return _info_from(rows[0]["properties"])


def list_infos(store: GraphStore, *, graph_id: str = "", skip: int = 0, limit: int = 50) -> list[ProbeSetInfo]:
    """Probe sets of a graph (of all graphs, where the id is empty), newest first."""
    rows = store.read("probe_sets/list", graph_id=graph_id, skip=skip, limit=limit)
    return [_info_from(row["properties"]) for row in rows]


def _info_of(data: ProbeSetData) -> ProbeSetInfo:
    return ProbeSetInfo(
        id=f"ps_{data.digest[:24]}",
        graph_id=data.graph_id,
        graph_digest=data.graph_digest,
        seed=data.seed,
        digest=data.digest,
        counts=data.counts,
        verified=len(data.probes),
        dropped=data.dropped,
    )


def _info_from(properties: Mapping[str, Any]) -> ProbeSetInfo:
    return ProbeSetInfo(
        id=properties["id"],
        graph_id=properties["graph_id"],
        graph_digest=properties["graph_digest"],
        seed=properties["seed"],
        digest=properties["digest"],
        counts=json.loads(properties["counts"]),
        verified=properties["verified"],
        dropped=json.loads(properties["dropped"]),
    )


def _about(data: ProbeSetData) -> dict[str, object]:
    return {
        "graph_id": data.graph_id,
        "graph_digest": data.graph_digest,
        "seed": data.seed,
        "dropped": dict(data.dropped),
    }


def _plain(probe: Probe) -> dict[str, object]:
    row = probe_properties(probe, graph_id="")
    del row["graph_id"]
    return row


def _probes(path: Path, *, kind: ProbeKind | None) -> Iterator[Probe]:
    """Probes of a file in order; row groups without the kind are read but not decoded."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            if kind is not None:
                table = table.filter(pc.field("kind") == kind.value)
            for batch in table.to_batches(max_chunksize=1_000):
                yield from (probe_from(row) for row in batch.to_pylist())


def _existing(directory: Path, digest: str) -> Path:
    path = _path(directory, digest)
    if not path.is_file():
        raise _missing(digest)
    return path


def _path(directory: Path, digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput(
            "Not a digest.", field="digest", value=digest, hint="Use the digest that the probe set reports."
        )
    return directory / f"{digest}.parquet"


def _missing(name: str) -> ProbeSetNotFound:
    return ProbeSetNotFound(
        "There is no such probe set.", field="probe_set", value=name, hint="List the sets, or generate one."
    )
