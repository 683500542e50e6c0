"""Balanced samples of a set, nested: the sample of 100 holds the sample of 10, and the same seed gives the same one.

Probes fall into strata by what is to be balanced. Every stratum has a drawn order of its own, and the strata take
turns; a sample of ``k`` is the first ``k`` of that order. So no stratum has more than one probe more than another that
still has some left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from knowledgesmith.graph_schema.errors import GraphNotFound, InvalidInput
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.probes.asking.anchors import levels_of, tops_of
from knowledgesmith.graph_schema.probes.asking.questions import BACKWARD
from knowledgesmith.graph_schema.probes.columns import SetWriter, Table
from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, streams
from knowledgesmith.graph_schema.probes.generation.request import BulkResult
from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.fair_sets import guesses_of
from knowledgesmith.graph_schema.probes.sets.probe_set import ProbeSetInfo
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Split

MAX_SAMPLE: Final = 1_000_000


class Balance(StrEnum):
    """What a sample holds equally much of."""

    KIND = "kind"
    LEVEL = "level"
    RELATION = "relation"
    SUBTREE = "subtree"
    CHAIN_LENGTH = "chain_length"
    POSITION = "position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where anchors stand in the hierarchy: level and topmost ancestor by uid."""

    levels: Mapping[str, str]
    tops: Mapping[str, str]


def sample_set(
    store: GraphStore,
    *,
    probe_set_id: str,
    size: int,
    balance: Sequence[Balance],
    seed: int,
    directory: Path,
) -> ProbeSetInfo:
    """Write a sample of a set as a set of its own.

    Args:
        store: the database.
        probe_set_id: the set to draw from.
        size: probes to draw; all where the set has fewer.
        balance: what to balance, crossed; empty for a plain draw.
        seed: of the draw.
        directory: where the files of sets lie.

    Raises:
        ProbeSetNotFound: there is no such set.
        InvalidInput: ``size`` is out of range, or the graph is another one by now and levels or subtrees are asked for.
    """
    if not 1 <= size <= MAX_SAMPLE:
        raise InvalidInput("must be 1 to 1,000,000", field="size", value=size, hint="Choose how many probes to draw.")
    info = probe_set.get_info(store, probe_set_id)
    places = _places(store, info) if {Balance.LEVEL, Balance.SUBTREE} & set(balance) else None
    strata: list[NDArray[np.str_]] = []
    marks: list[NDArray[np.uint64]] = []
    for table in probe_set.tables(directory, info.digest):
        strata.append(strata_of(table, balance=balance, places=places))
        marks.append(marks_of(table))
    chosen = np.sort(turns(np.concatenate(strata), np.concatenate(marks), seed=seed)[:size])
    return _write(store, info, chosen, seed=seed, directory=directory)


def turns(strata: NDArray[np.str_], marks: NDArray[np.uint64], *, seed: int) -> NDArray[np.int64]:
    """All rows in the order in which samples take them. Shapes ``(rows,)``.

    Args:
        strata: the stratum of every row.
        marks: a number for every row that depends on the probe alone.
        seed: of the draw.
    """
    names, codes = np.unique(strata, return_inverse=True)
    mixed = streams(marks ^ np.uint64(draw_key(seed, "sample")), 1)[:, 0]
    order = np.lexsort((marks, mixed, codes))
    starts = np.zeros(len(names), dtype=np.int64)
    np.cumsum(np.bincount(codes, minlength=len(names))[:-1], out=starts[1:])
    ranks = np.empty(len(codes), dtype=np.int64)
    ranks[order] = np.arange(len(codes)) - starts[codes[order]]
    # the strata's own order changes from round to round, so that a last, incomplete round favours none
    lots = np.array([draw_key(seed, "stratum", str(name)) for name in names], dtype=np.uint64)
    turn = streams(lots[codes] ^ ranks.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), 1)[:, 0]
    return np.lexsort((marks, turn, ranks)).astype(np.int64)


def marks_of(table: Table) -> NDArray[np.uint64]:
    """The first half of every probe's id as a number. Shape ``(rows,)``."""
    return np.array([int(text[:16], 16) for text in table["id"].to_pylist()], dtype=np.uint64)


def strata_of(table: Table, *, balance: Sequence[Balance], places: Places | None) -> NDArray[np.str_]:
    """The stratum of every row, as a text. Shape ``(rows,)``."""
    parts = [_READERS[name](table, places) for name in sorted(set(balance))]
    if not parts:
        return np.full(table.num_rows, "", dtype=np.str_)
    return np.array(["\x1f".join(row) for row in zip(*parts, strict=True)], dtype=np.str_)


def _kinds(table: Table, _places: Places | None) -> list[str]:
    found: list[str] = table["kind"].to_pylist()
    return found


def _relations(table: Table, _places: Places | None) -> list[str]:
    return [path[-1].removeprefix(BACKWARD) for path in table["path"].to_pylist()]


def _lengths(table: Table, _places: Places | None) -> list[str]:
    return [str(length) for length in table["chain_length"].to_pylist()]


def _positions(table: Table, _places: Places | None) -> list[str]:
    sizes = [len(options) for options in table["options"].to_pylist()]
    answers = table["answers"].to_pylist()
    return [f"{found[0] if found else -1}/{size}" for found, size in zip(answers, sizes, strict=True)]


def _levels(table: Table, places: Places | None) -> list[str]:
    known = places.levels if places else {}
    return [known.get(uid, "") for uid in table["anchor"].to_pylist()]


def _subtrees(table: Table, places: Places | None) -> list[str]:
    known = places.tops if places else {}
    return [known.get(uid, "") for uid in table["anchor"].to_pylist()]


_READERS: Final[Mapping[Balance, Callable[[Table, Places | None], list[str]]]] = {
    Balance.KIND: _kinds,
    Balance.LEVEL: _levels,
    Balance.RELATION: _relations,
    Balance.SUBTREE: _subtrees,
    Balance.CHAIN_LENGTH: _lengths,
    Balance.POSITION: _positions,
}


def _places(store: GraphStore, info: ProbeSetInfo) -> Places:
    lexicon: Lexicon = load_lexicon(store, graph_id=info.graph_id)
    if lexicon.graph_digest != info.graph_digest:
        raise InvalidInput(
            "The graph has other facts than when the set was made.",
            field="balance",
            value=info.id,
            hint="Generate the set again, or balance by kind, relation, chain length or position.",
        )
    uids = sorted(entity.uid for entity in lexicon.entities)
    return store.read_transaction(
        lambda tx: Places(
            levels={u: level.value for u, level in levels_of(tx, graph_id=info.graph_id, uids=uids).items()},
            tops=tops_of(tx, lexicon=lexicon),
        )
    )


def _write(
    store: GraphStore, info: ProbeSetInfo, chosen: NDArray[np.int64], *, seed: int, directory: Path
) -> ProbeSetInfo:
    about = {"graph_id": info.graph_id, "graph_digest": info.graph_digest, "seed": seed, "split": info.split}
    with probe_set.scratch_file(directory) as scratch:
        with SetWriter(scratch, about=about) as writer:
            start = 0
            for table in probe_set.tables(directory, info.digest):
                first, last = np.searchsorted(chosen, [start, start + table.num_rows])
                writer.add(table.take(pa.array(chosen[first:last] - start)))
                start += table.num_rows
            digest = writer.close(dropped={})
        scratch.replace(probe_set.path_of(directory, digest))
    try:
        lexicon = load_lexicon(store, graph_id=info.graph_id)
    except GraphNotFound:  # a set that came from elsewhere
        lexicon = Lexicon.build(graph_id=info.graph_id, entities=(), relations=())
    made = probe_set.info_of(
        BulkResult(
            graph_id=info.graph_id,
            graph_digest=info.graph_digest,
            seed=seed,
            digest=digest,
            counts=dict(sorted(writer.counts.items())),
            split=Split(info.split),
            dropped={},
            left_out=info.left_out,
            guesses=guesses_of(probe_set.tables(directory, digest), lexicon=lexicon, seed=seed),
        )
    )
    probe_set.record(store, made, directory=directory)
    return made
