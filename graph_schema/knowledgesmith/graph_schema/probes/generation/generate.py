"""Probe sets of a whole graph under its closure: seeded, verified, independent of the order of import."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.probes.columns import SCHEMA, VERSION, Chunker, ColumnDigest, SetWriter, Table
from knowledgesmith.graph_schema.probes.generation.bulk import BLOCK, bulk
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest, BulkResult, Made, Observer
from knowledgesmith.graph_schema.probes.nodes import probe_from, probe_properties
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.types.facts import Split
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

TIMEOUT_S: Final = 3600.0
"""Longest transaction of a bulk run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSetData:
    """Verified probes in memory, sorted by kind, anchor, path and id; ``dropped`` counts questions by reason."""

    graph_id: str
    graph_digest: str
    seed: int
    probes: tuple[Probe, ...]
    dropped: Mapping[str, int]
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """Probes by kind."""
        return dict(sorted(Counter(probe.kind.value for probe in self.probes).items()))


def generate(
    store: GraphStore,
    *,
    graph_id: str,
    kinds: Sequence[ProbeKind] = tuple(ProbeKind),
    seed: int = 0,
    limit_per_kind: int | None = None,
    lexicon: Lexicon | None = None,
) -> ProbeSetData:
    """Generate and verify probes and keep them in memory; the graph is left as it was.

    Args:
        store: the database.
        graph_id: the graph.
        kinds: which kinds.
        seed: of every draw.
        limit_per_kind: at most so many probes of each kind, drawn; ``None`` for all.
        lexicon: the graph's names, where the caller has read them already.

    Raises:
        GraphNotFound: there is no such graph.
        GraphUnavailable: the database does not answer.
    """
    return generate_in_memory(
        store,
        BulkRequest(graph_id=graph_id, kinds=kinds, seed=seed, limit_per_kind=limit_per_kind),
        lexicon=lexicon,
    )


def generate_in_memory(
    store: GraphStore, request: BulkRequest, *, lexicon: Lexicon | None = None, block: int = BLOCK
) -> ProbeSetData:
    """The same with every choice that a bulk run has; for sets that fit into memory as objects."""
    names = lexicon or load_lexicon(store, graph_id=request.graph_id)

    def work(tx: Transaction) -> tuple[list[Table], Made]:
        tables: list[Table] = []
        made = bulk(tx, lexicon=names, request=request, sink=tables.append, block=block)
        return tables, made

    tables, made = store.try_out(work, timeout_s=TIMEOUT_S)
    data = ProbeSetData(
        graph_id=request.graph_id,
        graph_digest=names.graph_digest,
        seed=request.seed,
        probes=tuple(probe_from(row) for table in tables for row in table.to_pylist()),
        dropped=dict(sorted(made.dropped.items())),
        digest="",
    )
    return replace(data, digest=digest_of(data))


def generate_file(
    store: GraphStore,
    request: BulkRequest,
    *,
    directory: Path,
    lexicon: Lexicon | None = None,
    observe: Observer | None = None,
    block: int = BLOCK,
) -> BulkResult:
    """Generate and verify probes into ``<digest>.parquet`` with flat memory; the same set gives the same bytes.

    Args:
        store: the database.
        request: what to make.
        directory: where the file goes; made where it is missing.
        lexicon: the graph's names, where the caller has read them already.
        observe: called after every block; what it raises ends the run.
        block: anchors at a time.

    Raises:
        GraphNotFound: there is no such graph.
        EntityNotFound: the subtree's entity is unknown.
        RelationNotFound: a relation is unknown.
        GraphUnavailable: the database does not answer.
        OSError: the directory cannot be written.
    """
    names = lexicon or load_lexicon(store, graph_id=request.graph_id)
    directory.mkdir(parents=True, exist_ok=True)
    scratch = directory / f".{os.getpid()}-{id(request):x}.tmp"
    about = {
        "graph_id": request.graph_id,
        "graph_digest": names.graph_digest,
        "seed": request.seed,
        "split": request.split.value,
    }

    def work(tx: Transaction) -> BulkResult:
        # opened here, since a transaction that other writers made fail starts from nothing
        with SetWriter(scratch, about=about) as writer:
            made = bulk(tx, lexicon=names, request=request, sink=writer.add, observe=observe, block=block)
            digest = writer.close(dropped=made.dropped)
        return BulkResult(
            graph_id=request.graph_id,
            graph_digest=names.graph_digest,
            seed=request.seed,
            digest=digest,
            counts=dict(sorted(writer.counts.items())),
            split=request.split,
            dropped=dict(sorted(made.dropped.items())),
            left_out=made.left_out,
            guesses=made.guesses,
        )

    try:
        result = store.try_out(work, timeout_s=TIMEOUT_S)
        scratch.replace(directory / f"{result.digest}.parquet")
    finally:
        scratch.unlink(missing_ok=True)
    return result


def tables_of(probes: Iterable[Probe]) -> Iterator[Table]:
    """Probes as tables of one chunk each (fewer rows in the last)."""
    chunker = Chunker()
    batch: list[dict[str, object]] = []
    for probe in probes:
        batch.append({name: value for name, value in probe_properties(probe, graph_id="").items() if name in _NAMES})
        if len(batch) == _BATCH:
            yield from chunker.push(pa.Table.from_pylist(batch, schema=SCHEMA))
            batch = []
    yield from chunker.push(pa.Table.from_pylist(batch, schema=SCHEMA))
    yield from chunker.rest()


_NAMES: Final = frozenset(SCHEMA.names)
_BATCH: Final = 5_000


def digest_of(data: ProbeSetData, *, split: str = Split.EVAL.value, version: int = VERSION) -> str:
    """SHA-256 over what the set says about itself and its probes; independent of how a file stores them."""
    digest = ColumnDigest(
        graph_id=data.graph_id, graph_digest=data.graph_digest, seed=data.seed, split=split, version=version
    )
    for table in tables_of(data.probes):
        digest.update(table)
    return digest.hexdigest(data.dropped)


def first_digest_of(data: ProbeSetData) -> str:
    """The digest that the first files were named by: one JSON text a probe."""
    digest = hashlib.sha256(json.dumps([data.graph_id, data.graph_digest, data.seed]).encode())
    for probe in data.probes:
        members = asdict(probe)
        del members["counter_stem"]  # it came later
        digest.update(json.dumps(members, sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()
