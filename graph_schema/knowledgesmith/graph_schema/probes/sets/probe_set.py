"""Probe sets at rest: a Parquet file named by its digest, and a (:ProbeSet) node."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import (
    Aborted,
    IllegalState,
    InvalidInput,
    ProbeSetEmpty,
    ProbeSetNotFound,
    TooLarge,
)
from knowledgesmith.graph_schema.graphs.reading import require_entities, stamp_of
from knowledgesmith.graph_schema.language.text_checks import DIGEST
from knowledgesmith.graph_schema.probes.columns import KEY, SetWriter, Table, digest_of_file
from knowledgesmith.graph_schema.probes.generation.generate import (
    ProbeSetData,
    digest_of,
    first_digest_of,
    generate_file,
    tables_of,
)
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest, BulkResult, LeftOut, Observer
from knowledgesmith.graph_schema.probes.guessing.guessers import Guess
from knowledgesmith.graph_schema.probes.nodes import probe_from, probe_properties
from knowledgesmith.graph_schema.probes.sets.fair_sets import from_text, to_text, unfair_because
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Split
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

MAX_NODES: Final = 10_000
_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSetInfo:
    """A stored probe set. ``dropped`` counts questions by reason.

    ``guesses`` say how well guessers do that know nothing, ``left_out`` what was left out by kind so that they do not;
    both are empty for sets of earlier releases and imported ones, which an audit judges.

    Every probe in it was verified, except in a set that was ``imported`` from a file: what a stranger wrote is judged
    by an audit, not by its digest.
    """

    id: str
    graph_id: str
    graph_digest: str
    seed: int
    digest: str
    counts: Mapping[str, int]
    verified: int
    dropped: Mapping[str, int]
    split: str = Split.EVAL.value
    imported: bool = False
    guesses: tuple[Guess, ...] = ()
    left_out: Mapping[str, LeftOut] = field(default_factory=dict[str, LeftOut])

    @property
    def unfair(self) -> tuple[str, ...]:
        """Why the set is not fair, a line each."""
        return unfair_because(self.guesses, self.left_out)

    @property
    def fair(self) -> bool | None:
        """Whether knowing nothing gets nobody further than chance; ``None`` where nobody has judged it."""
        return None if not self.guesses else not self.unfair


def generate_set(
    store: GraphStore,
    request: BulkRequest,
    *,
    directory: Path,
    materialise: bool = False,
    observe: Observer | None = None,
) -> ProbeSetInfo:
    """Generate a set into its file and record it, and on request a node for every probe.

    Raises:
        ProbeSetEmpty: the graph gives no such probe.
        TooLarge: more than :data:`MAX_NODES` probes were to become nodes.
        GraphNotFound, EntityNotFound, RelationNotFound: the request names what the graph lacks.
        Aborted: the graph was imported, or got new traits, in the meantime.
    """
    stamp = store.read_transaction(lambda tx: stamp_of(tx, request.graph_id))
    result = generate_file(store, request, directory=directory, observe=observe)
    info = info_of(result)
    with cancellation.to_the_end():  # the file is in its place: its node follows, or it goes
        _keep(store, request, info, stamp=stamp, directory=directory, materialise=materialise)
    return info


def _keep(
    store: GraphStore, request: BulkRequest, info: ProbeSetInfo, *, stamp: str, directory: Path, materialise: bool
) -> None:
    if store.read_transaction(lambda tx: stamp_of(tx, request.graph_id)) != stamp:
        if not store.read("probes/sets/get", id=info.id):
            path_of(directory, info.digest).unlink(missing_ok=True)
        raise Aborted(
            "The graph changed while its probes were generated.",
            field="graph_id",
            value=request.graph_id,
            hint="Generate the set again.",
        )
    if not info.verified:
        path_of(directory, info.digest).unlink(missing_ok=True)
        raise ProbeSetEmpty(
            "The graph gives no probe of this kind.",
            field="graph_id",
            value=request.graph_id,
            hint="Ask for more kinds, levels or relations, or give the relations templates.",
            metadata={"dropped": json.dumps(info.dropped)},
        )
    record(store, info, directory=directory, materialise=materialise)


def record(store: GraphStore, info: ProbeSetInfo, *, directory: Path, materialise: bool = False) -> None:
    """Write the node of a set whose file is there, and on request a node for every probe.

    Raises:
        TooLarge: more than :data:`MAX_NODES` probes were to become nodes.
        ProbeSetNotFound: the file is not there.
        EntityNotFound: a probe is about an entity that the graph does not have; nothing is written.
    """
    if materialise and info.verified > MAX_NODES:
        raise TooLarge(
            f"At most {MAX_NODES} probes can become nodes.",
            field="materialise",
            value=info.verified,
            hint="Set limit_per_kind, or read the set from its file.",
        )
    properties = {
        **asdict(info),
        "counts": json.dumps(info.counts),
        "dropped": json.dumps(info.dropped),
        **to_text(info.guesses, info.left_out),
        "fair": info.fair,
        "unfair": list(info.unfair),
    }
    found = _probes(existing(directory, info.digest), kind=None) if materialise else ()
    probes = sorted(found, key=lambda probe: (probe.anchor, probe.id))
    rows: list[dict[str, object]] = [
        {"id": p.id, "anchor": p.anchor, "probe": probe_properties(p, graph_id=info.graph_id)} for p in probes
    ]

    def work(tx: Transaction) -> None:
        tx.rows("probes/sets/save", id=info.id, properties=properties)
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            [found] = tx.rows("probes/sets/materialise", id=info.id, graph_id=info.graph_id, rows=batch)
            if found["written"] != len(batch):
                require_entities(tx, info.graph_id, [str(row["anchor"]) for row in batch], field="probe_set")

    store.write_transaction(work)


def write_file(data: ProbeSetData, *, directory: Path) -> Path:
    """Write the probes as ``<digest>.parquet``; the same set gives the same bytes.

    Raises:
        OSError: the directory cannot be written.
    """
    target = path_of(directory, data.digest)
    if target.exists():
        return target
    about = {"graph_id": data.graph_id, "graph_digest": data.graph_digest, "seed": data.seed, "split": Split.EVAL.value}
    with scratch_file(directory) as scratch:
        with SetWriter(scratch, about=about) as writer:
            for table in tables_of(data.probes):
                writer.add(table)
            writer.close(dropped=data.dropped)
        scratch.replace(target)
    return target


def read_file(directory: Path, digest: str) -> ProbeSetData:
    """The whole set in memory.

    Raises:
        ProbeSetNotFound: no file of this digest lies there.
        IllegalState: the file's content is not what its name says.
    """
    path = existing(directory, digest)
    about = about_file(path)
    data = ProbeSetData(
        graph_id=about["graph_id"],
        graph_digest=about["graph_digest"],
        seed=about["seed"],
        probes=tuple(_probes(path, kind=None)),
        dropped=about["dropped"],
        digest=digest,
    )
    version = about.get("version")
    found = digest_of(data, split=about["split"], version=version) if version else first_digest_of(data)
    if found != digest:
        raise damaged(digest)
    return data


def about_file(path: Path) -> dict[str, Any]:
    """What a set's file says about itself: graph, its digest, seed, dropped questions."""
    with opened(path) as file:
        about: dict[str, Any] = json.loads(file.metadata.metadata[KEY])
    return about


@contextmanager
def opened(path: Path) -> Generator[Any]:
    """The Parquet file of a set; what cannot be read of it is told as damage.

    Raises:
        IllegalState: the file is damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, KeyError, TypeError) as error:
        raise damaged(path.stem) from error


def damaged(digest: str) -> IllegalState:
    """The error for a file whose content is not that of the set it is named by."""
    return IllegalState(
        "The file of the probe set is damaged: its content does not match its digest.",
        field="probe_set",
        value=digest,
        hint="Remove the file and generate the set again with its seed.",
    )


def verify_file(directory: Path, digest: str) -> None:
    """Read a set's file once and compare its content with its name.

    Raises:
        ProbeSetNotFound: no file of this digest lies there.
        IllegalState: the content is not what the name says.
    """
    path = existing(directory, digest)
    if "version" not in about_file(path):
        read_file(directory, digest)  # the first form, which is small
        return
    try:
        _, found = digest_of_file(path)
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise damaged(digest) from error
    if found != digest:
        raise damaged(digest)


def read_page(directory: Path, digest: str, *, kind: ProbeKind | None, skip: int, limit: int) -> list[Probe]:
    """A part of a set, in its order.

    Raises:
        ProbeSetNotFound: no file of this digest lies there.
    """
    found: list[Probe] = []
    path = existing(directory, digest)
    with opened(path) as file:
        for group in range(file.num_row_groups):
            if len(found) >= limit:
                break
            rows = file.metadata.row_group(group).num_rows
            if kind is not None:
                rows = file.read_row_group(group, columns=["kind"])["kind"].to_pylist().count(kind.value)
            if skip >= rows:
                skip -= rows
                continue
            table = _of_kind(file.read_row_group(group), kind).slice(skip, limit - len(found))
            skip = 0
            found += [probe_from(row) for row in table.to_pylist()]
    return found


def save(store: GraphStore, data: ProbeSetData, *, directory: Path, materialise: bool = False) -> ProbeSetInfo:
    """Write file and node of a set in memory, and on request a node for every probe.

    Raises:
        TooLarge: more than :data:`MAX_NODES` probes were to become nodes.
    """
    write_file(data, directory=directory)
    info = info_of(
        BulkResult(
            graph_id=data.graph_id,
            graph_digest=data.graph_digest,
            seed=data.seed,
            digest=data.digest,
            counts=data.counts,
            split=Split.EVAL,
            dropped=data.dropped,
        )
    )
    record(store, info, directory=directory, materialise=materialise)
    return info


def get_info(store: GraphStore, probe_set_id: str) -> ProbeSetInfo:
    """One probe set.

    Raises:
        ProbeSetNotFound: there is none of this id.
    """
    rows = store.read("probes/sets/get", id=probe_set_id)
    if not rows:
        raise _missing(probe_set_id)
    return _info_from(rows[0]["properties"])


def list_infos(
    store: GraphStore, *, graph_id: str = "", before: tuple[int, str] | None = None, limit: int = 50
) -> list[tuple[ProbeSetInfo, int]]:
    """Probe sets of a graph (of all graphs, where the id is empty), newest first, each with when it was made.

    Times are milliseconds since 1970; ``before`` = (time, id) is the last one of the page before.
    """
    before_ms, before_id = before or (None, "")
    rows = store.read("probes/sets/list", graph_id=graph_id, before_ms=before_ms, before_id=before_id, limit=limit)
    return [(_info_from(row["properties"]), row["created_ms"]) for row in rows]


@contextmanager
def scratch_file(directory: Path) -> Generator[Path]:
    """A path for a file in the making; what still lies there at the end is removed."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f".{os.getpid()}-{uuid.uuid4().hex}.tmp"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def info_of(result: BulkResult) -> ProbeSetInfo:
    """The record of what a run wrote."""
    return ProbeSetInfo(
        id=f"ps_{result.digest[:24]}",
        graph_id=result.graph_id,
        graph_digest=result.graph_digest,
        seed=result.seed,
        digest=result.digest,
        counts=result.counts,
        verified=sum(result.counts.values()),
        dropped=dict(sorted(result.dropped.items())),
        split=result.split.value,
        guesses=result.guesses,
        left_out=result.left_out,
    )


def _info_from(properties: Mapping[str, Any]) -> ProbeSetInfo:
    guesses, left_out = from_text(properties)
    return ProbeSetInfo(
        id=properties["id"],
        graph_id=properties["graph_id"],
        graph_digest=properties["graph_digest"],
        seed=properties["seed"],
        digest=properties["digest"],
        counts=json.loads(properties["counts"]),
        verified=properties["verified"],
        dropped=json.loads(properties["dropped"]),
        split=properties.get("split") or Split.EVAL.value,
        imported=bool(properties.get("imported")),
        guesses=guesses,
        left_out=left_out,
    )


def tables(directory: Path, digest: str, *, kind: ProbeKind | None = None) -> Iterator[Table]:
    """A set's columns, row group by row group.

    Raises:
        Cancelled: nobody waits for them any more.
        ProbeSetNotFound: no file of this digest lies there.
    """
    with opened(existing(directory, digest)) as file:
        for group in range(file.num_row_groups):
            cancellation.check()
            yield _of_kind(file.read_row_group(group), kind)


def _of_kind(table: Table, kind: ProbeKind | None) -> Table:
    return table if kind is None else table.filter(pc.field("kind") == kind.value)


def _probes(path: Path, *, kind: ProbeKind | None) -> Iterator[Probe]:
    """Probes of a file in order."""
    for table in tables(path.parent, path.stem, kind=kind):
        for batch in table.to_batches(max_chunksize=1_000):
            yield from (probe_from(row) for row in batch.to_pylist())


def existing(directory: Path, digest: str) -> Path:
    """The file of a digest.

    Raises:
        InvalidInput: this is no digest.
        ProbeSetNotFound: there is no such file.
    """
    path = path_of(directory, digest)
    if not path.is_file():
        raise ProbeSetNotFound(
            "The file of the probe set is gone.",
            field="probe_set",
            value=digest,
            hint="Generate the set again with its seed, or delete it.",
        )
    return path


def path_of(directory: Path, digest: str) -> Path:
    """Where the file of a digest lies.

    Raises:
        InvalidInput: this is no digest.
    """
    if not DIGEST.fullmatch(digest):
        raise InvalidInput(
            "Not a digest.", field="digest", value=digest, hint="Use the digest that the probe set reports."
        )
    return directory / f"{digest}.parquet"


def _missing(name: str) -> ProbeSetNotFound:
    return ProbeSetNotFound(
        "There is no such probe set.", field="probe_set", value=name, hint="List the sets, or generate one."
    )
