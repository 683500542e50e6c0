"""Writes a checked graph into Neo4j: one transaction, so an import is there as a whole or not at all.

A second import under the same id makes the graph what the files say: entities that vanished are retired (old
interventions still name them), facts that vanished are removed, entities that return are un-retired.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledgesmith.graph_schema.catalogue import to_properties
from knowledgesmith.graph_schema.digests import graph_digest
from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.facts import Fact, fact_id
from knowledgesmith.graph_schema.importing.parse import ParsedGraph, parse_graph
from knowledgesmith.graph_schema.importing.rows import SourceFile
from knowledgesmith.graph_schema.levels import rebuild_levels
from knowledgesmith.graph_schema.store import GraphStore, Transaction
from knowledgesmith.graph_schema.text_checks import GRAPH_ID, MAX_NAME, problem_with

BATCH = 10_000
"""Rows a statement; the fastest size measured."""
_EntityRow = list[Any]
_FactRow = list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or would do. ``digest`` is the graph's digest afterwards."""

    graph_id: str
    digest: str
    entities_created: int
    entities_matched: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    relations: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    """What must be written to turn the stored graph into the parsed one."""

    new_entities: list[_EntityRow]
    changed_entities: list[_EntityRow]
    retired: list[str]
    new_facts: list[_FactRow]
    removed_facts: list[str]
    resourced_facts: list[_FactRow]
    entities_matched: int
    facts_matched: int


def import_graph(
    store: GraphStore, *, graph_id: str, files: Sequence[SourceFile], source: str = "", validate_only: bool = False
) -> ImportReport:
    """Import the files of one graph; the last import wins.

    Args:
        store: the database, migrated.
        graph_id: 1 to 63 of ``[a-z0-9_-]``, a letter first.
        files: entities (required), relations, facts and templates, several of a role if need be.
        source: where the graph comes from; also the source of facts that name none.
        validate_only: check and report, write nothing.

    Raises:
        InvalidInput: ``graph_id`` or ``source`` is malformed.
        ImportRejected: a row is bad; nothing was imported.
        GraphUnavailable: the database does not answer.
    """
    started = time.monotonic()
    check_graph_id(graph_id)
    if problem := problem_with(source, limit=MAX_NAME, empty=True):
        raise InvalidInput(f"source {problem}", field="source", value=source, hint="Give a short text.")
    graph = parse_graph(files, source=source)
    digest = graph_digest(fact.key for fact in graph.facts)
    if validate_only:
        difference = store.read_transaction(lambda tx: _difference(tx, graph_id, graph))
    else:
        difference = store.write_transaction(_writer(graph_id, graph, source=source, digest=digest))
    return ImportReport(
        graph_id=graph_id,
        digest=digest,
        entities_created=len(difference.new_entities),
        entities_matched=difference.entities_matched,
        entities_retired=len(difference.retired),
        facts_created=len(difference.new_facts),
        facts_matched=difference.facts_matched,
        facts_removed=len(difference.removed_facts),
        relations=len(graph.relations),
        seconds=time.monotonic() - started,
    )


def check_graph_id(graph_id: str) -> None:
    """Refuse an id that no graph can have.

    Raises:
        InvalidInput: it does not match ``[a-z][a-z0-9_-]{0,62}``.
    """
    if not GRAPH_ID.fullmatch(graph_id):
        raise InvalidInput(
            "this is not an id of a graph",
            field="graph_id",
            value=graph_id,
            hint="Use 1 to 63 of a-z, 0-9, _ and -, a letter first.",
        )


def _writer(graph_id: str, graph: ParsedGraph, *, source: str, digest: str) -> Callable[[Transaction], _Difference]:
    def write(tx: Transaction) -> _Difference:
        tx.rows("graph/lock", graph_id=graph_id)
        difference = _difference(tx, graph_id, graph)
        rows = [to_properties(relation) for relation in graph.relations.values()]
        tx.rows("graph/relations_replace", graph_id=graph_id, rows=rows)
        _in_batches(tx, "graph/facts_delete", "elements", difference.removed_facts)
        _in_batches(tx, "graph/entities_create", "rows", difference.new_entities, graph_id=graph_id)
        _in_batches(tx, "graph/entities_update", "rows", difference.changed_entities, graph_id=graph_id)
        _in_batches(tx, "graph/entities_retire", "uids", difference.retired, graph_id=graph_id)
        _in_batches(tx, "graph/facts_create", "rows", difference.new_facts, graph_id=graph_id)
        _in_batches(tx, "graph/facts_source", "rows", difference.resourced_facts)
        rebuild_levels(tx, graph_id=graph_id, relations=graph.relations)
        tx.rows("graph/describe", graph_id=graph_id, digest=digest, source=source)
        return difference

    return write


def _in_batches(tx: Transaction, query: str, key: str, rows: Sequence[Any], **params: object) -> None:
    for start in range(0, len(rows), BATCH):
        tx.rows(query, **params, **{key: rows[start : start + BATCH]})


def _difference(tx: Transaction, graph_id: str, graph: ParsedGraph) -> _Difference:
    stored = {row["uid"]: row for row in tx.rows("graph/entities", graph_id=graph_id)}
    new: list[_EntityRow] = []
    changed: list[_EntityRow] = []
    for uid in sorted(graph.entities):
        entity = graph.entities[uid]
        row: _EntityRow = [uid, entity.name, entity.type, entity.domain, list(entity.aliases)]
        present = stored.get(uid)
        if present is None:
            new.append(row)
        elif present["retired"] or row != [present[key] for key in ("uid", "name", "type", "domain", "aliases")]:
            changed.append(row)
    retired = [uid for uid, row in stored.items() if uid not in graph.entities and not row["retired"]]
    facts = _FactDifference.between(graph_id, graph, tx.rows("graph/facts", graph_id=graph_id) if stored else [])
    return _Difference(
        new_entities=new,
        changed_entities=changed,
        retired=sorted(retired),
        new_facts=facts.new,
        removed_facts=facts.removed,
        resourced_facts=facts.resourced,
        entities_matched=len(graph.entities) - len(new),
        facts_matched=facts.matched,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _FactDifference:
    new: list[_FactRow]
    removed: list[str]
    resourced: list[_FactRow]
    matched: int

    @classmethod
    def between(cls, graph_id: str, graph: ParsedGraph, stored: Sequence[Mapping[str, Any]]) -> _FactDifference:
        """Compare by fact id and relationship type; a relation that changed its type is written anew."""
        present = {(row["fact_id"], row["rel_type"]): row for row in stored}
        new: list[_FactRow] = []
        resourced: list[_FactRow] = []
        wanted: set[tuple[str, str]] = set()
        for fact in graph.facts:
            row = _fact_row(graph_id, graph, fact)
            key = (row[3], row[2])
            wanted.add(key)
            if key not in present:
                new.append(row)
            elif present[key]["source"] != fact.source:
                resourced.append([present[key]["element"], fact.source])
        removed = [row["element"] for key, row in present.items() if key not in wanted]
        return cls(new=new, removed=removed, resourced=resourced, matched=len(graph.facts) - len(new))


def _fact_row(graph_id: str, graph: ParsedGraph, fact: Fact) -> _FactRow:
    rel_type = graph.relations[fact.relation].rel_type
    return [fact.subject, fact.object, rel_type, fact_id(graph_id, *fact.key), fact.source]
