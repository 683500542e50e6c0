"""Reads graphs: their counts, their catalogue, and a compact snapshot for drawing texts and options."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from knowledgesmith.graph_schema.catalogue.accepted_traits import Acceptance, parse_accepted
from knowledgesmith.graph_schema.catalogue.relations import from_properties
from knowledgesmith.graph_schema.errors import EntityNotFound, GraphIncomplete, GraphNotFound
from knowledgesmith.graph_schema.storage.store import GraphStore, Row, Transaction
from knowledgesmith.graph_schema.types.facts import Entity, Fact, Level, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphInfo:
    """One graph with its counts; retired entities are not counted.

    ``incomplete``: an import, the loading of an archive or a deletion runs on it, or was cut off.
    """

    graph_id: str
    digest: str
    source: str
    head_branch: str
    entities_by_level: Mapping[str, int]
    entities_by_domain: Mapping[str, int]
    facts: int
    relations: int
    incomplete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSnapshot:
    """A graph in memory, read in one transaction; immutable, so a caller may keep it under its digest.

    ``entities`` and ``levels`` are keyed by uid in sorted order and leave out retired entities; ``facts`` are the
    asserted ones, sorted by (subject, relation, object). ``stamp`` changes with whatever changes in the graph.
    """

    graph_id: str
    digest: str
    entities: Mapping[str, Entity]
    levels: Mapping[str, Level]
    relations: Mapping[str, Relation]
    facts: tuple[Fact, ...]
    stamp: str = field(default="", compare=False)


_KEEP_WITHIN_S: Final = 0.5
"""What the keeping of counts may take."""
_KEEPING: Final = threading.Lock()


class _Changed(Exception):
    """An import came in between."""


def get_graph(store: GraphStore, graph_id: str) -> GraphInfo:
    """One graph.

    Raises:
        GraphNotFound: there is none of this id.
    """
    info, counted = store.read_transaction(lambda tx: _info(tx, graph_id))
    _keep(store, [counted])
    return info


def list_graphs(store: GraphStore, *, after: str = "", limit: int) -> list[GraphInfo]:
    """At most ``limit`` graphs whose id comes after ``after``, by id."""

    def work(tx: Transaction) -> list[tuple[GraphInfo, _Counted | None]]:
        return [_info(tx, row["graph_id"]) for row in tx.rows("graphs/list", after=after, limit=limit)]

    found = store.read_transaction(work)
    _keep(store, [counted for _, counted in found])
    return [info for info, _ in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Counts that hold as long as the graph has the stamp."""

    graph_id: str
    stamp: str
    counts: str


def _keep(store: GraphStore, found: Iterable[_Counted | None]) -> None:
    """Spare the next reader the counting; where that cannot be written now, the next one counts.

    Whoever reads waits for nobody's locks: one tries for a moment, and others that read meanwhile leave it to that one.
    """
    kept = [counted for counted in found if counted is not None]
    if not kept or not _KEEPING.acquire(blocking=False):
        return
    try:
        for one in kept:
            asked = {"graph_id": one.graph_id, "stamp": one.stamp, "counts": one.counts}
            if not store.try_write("graphs/keep_counts", within_s=_KEEP_WITHIN_S, **asked):
                return
    finally:
        _KEEPING.release()


def load_catalogue(store: GraphStore, graph_id: str) -> dict[str, Relation]:
    """The relations of a graph by name, sorted.

    Raises:
        GraphNotFound: there is no graph of this id.
    """

    def work(tx: Transaction) -> dict[str, Relation]:
        require_graph(tx, graph_id)
        return _catalogue(tx, graph_id)

    return store.read_transaction(work)


def accepted_traits(store: GraphStore, graph_id: str) -> tuple[Acceptance, ...]:
    """Traits that were accepted for a graph; none where there is no such graph."""
    rows = store.read("graphs/state", graph_id=graph_id)
    return parse_accepted(rows[0]["accepted"]) if rows else ()


def load_snapshot(store: GraphStore, graph_id: str) -> GraphSnapshot:
    """The whole graph in memory.

    Raises:
        GraphNotFound: there is no graph of this id.
    """

    def work(tx: Transaction) -> GraphSnapshot:
        stamp = stamp_of(tx, graph_id)
        digest = require_graph(tx, graph_id)
        relations = _catalogue(tx, graph_id)
        names = {relation.rel_type: name for name, relation in relations.items()}
        living = [row for row in tx.rows("graphs/entities", graph_id=graph_id) if not row["retired"]]
        facts = (
            Fact(subject=row["subject"], relation=names[row["rel_type"]], object=row["object"], source=row["source"])
            for row in tx.rows("graphs/facts", graph_id=graph_id)
        )
        sorted_facts = tuple(sorted(facts))
        if stamp_of(tx, graph_id) != stamp:  # some of it may be of the graph before
            raise _Changed
        return GraphSnapshot(
            graph_id=graph_id,
            digest=digest,
            entities={
                row["uid"]: Entity(
                    uid=row["uid"],
                    name=row["name"],
                    type=row["type"],
                    domain=row["domain"],
                    aliases=tuple(row["aliases"]),
                )
                for row in living
            },
            levels={row["uid"]: Level(row["level"]) for row in living},
            relations=relations,
            facts=sorted_facts,
            stamp=stamp,
        )

    while True:
        with suppress(_Changed):
            return store.read_transaction(work)


def require_graph(tx: Transaction, graph_id: str) -> str:
    """The digest of a graph that must exist.

    Raises:
        GraphNotFound: there is no graph of this id.
        GraphIncomplete: its import, or the loading of its archive, runs or was cut off.
    """
    rows = tx.rows("graphs/state", graph_id=graph_id)
    if not rows or rows[0]["state"] == "deleting":
        raise _missing(graph_id)
    if rows[0]["state"] in {"importing", "loading"} or rows[0]["digest"] is None:
        raise incomplete(graph_id)
    return str(rows[0]["digest"])


def require_entities(tx: Transaction, graph_id: str, uids: Iterable[str], *, field: str) -> None:
    """Refuse to go on where one of these is missing: what would be written about it would be lost without a word.

    Raises:
        EntityNotFound: the graph has no entity of one of these uids.
    """
    for row in tx.rows("graphs/missing", graph_id=graph_id, uids=sorted(set(uids))):
        raise EntityNotFound(
            "the graph has no such entity, nothing was written",
            field=field,
            value=row["uid"],
            hint="It was taken away by hand; import the graph again, or ask for the intervention again.",
        )


def stamp_of(tx: Transaction, graph_id: str) -> str:
    """What changes with every import that changes anything of a graph, and every acceptance of traits or wordings.

    Raises:
        GraphNotFound: there is no graph of this id.
        GraphIncomplete: its import, or the loading of its archive, runs or was cut off.
    """
    return _stamp(tx, graph_id) or require_graph(tx, graph_id)


def incomplete(graph_id: str) -> GraphIncomplete:
    """The error for a graph whose import, or whose loading from an archive, runs or was cut off."""
    return GraphIncomplete(
        "the graph is being imported, or its import was cut off",
        field="graph_id",
        value=graph_id,
        hint="Wait for the import, or complete it: run the same import, or load the same archive, again.",
        metadata={"graph_id": graph_id[:63]},
    )


def _missing(graph_id: str) -> GraphNotFound:
    return GraphNotFound(
        "there is no graph of this id",
        field="graph_id",
        value=graph_id,
        hint="List the graphs, or import one.",
        metadata={"graph_id": graph_id[:63]},
    )


def _catalogue(tx: Transaction, graph_id: str) -> dict[str, Relation]:
    return {row["name"]: from_properties(row) for row in tx.rows("graphs/relations", graph_id=graph_id)}


def _info(tx: Transaction, graph_id: str) -> tuple[GraphInfo, _Counted | None]:
    """A graph, and its counts where they were counted now."""
    rows = tx.rows("graphs/get", graph_id=graph_id)
    if not rows:
        require_graph(tx, graph_id)
        raise _missing(graph_id)
    row = rows[0]
    entities, facts, counted = _counts(tx, row)
    levels: Counter[str] = Counter({level.value: 0 for level in Level})
    domains: Counter[str] = Counter()
    for level, domain, count in entities:
        levels[_said(level)] += count
        domains[_said(domain)] += count
    info = GraphInfo(
        graph_id=row["graph_id"],
        digest=row["digest"],
        source=row["source"],
        head_branch=row["head_branch"] or "",
        entities_by_level=dict(levels),
        entities_by_domain=dict(sorted(domains.items())),
        facts=facts,
        relations=row["relations"],
        incomplete=row["incomplete"],
    )
    return info, counted


def _said(value: object) -> str:
    """A level or domain as a word, also where somebody damaged it: `graph check` names such entities."""
    return "(none)" if value is None else str(value)


def _counts(tx: Transaction, row: Row) -> tuple[list[tuple[str, str, int]], int, _Counted | None]:
    """Entities by level and domain, and facts: those that were kept for the graph's stamp, else counted now.

    Whatever changes entities, levels or facts moves the stamp, and while that happens there is none.
    """
    graph_id = row["graph_id"]
    stamp = _stamp(tx, graph_id)
    if stamp and row["counts_stamp"] == stamp:
        entities, facts = json.loads(row["counts"])
        return entities, facts, None
    (found,) = tx.rows("graphs/count", graph_id=graph_id) or [{"entities": [], "facts": 0}]
    if not stamp or _stamp(tx, graph_id) != stamp:
        return found["entities"], found["facts"], None
    counts = json.dumps([found["entities"], found["facts"]], ensure_ascii=False)
    return found["entities"], found["facts"], _Counted(graph_id=graph_id, stamp=stamp, counts=counts)


def _stamp(tx: Transaction, graph_id: str) -> str:
    rows = tx.rows("worlds/stamp", graph_id=graph_id)
    return str(rows[0]["stamp"]) if rows else ""
