"""A graph as plain values with its stored facts, imported for real and removed afterwards."""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import neo4j
from tests.graph_schema.oracle.reasoning import Triple, closure

from knowledgesmith.graph_schema.graphs.reading import load_snapshot
from knowledgesmith.graph_schema.importing import FileRole, InputFile, import_graph
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Entities by uid, relations by name, asserted facts."""

    graph_id: str
    entities: dict[str, Entity]
    relations: dict[str, Relation]
    facts: frozenset[Triple]

    @property
    def true(self) -> frozenset[Triple]:
        """Everything that holds."""
        return closure(self.facts, list(self.relations.values()))

    def after(self, *, asserts: Iterable[Triple], retracts: Iterable[Triple]) -> World:
        """The world that an update leaves."""
        return replace(self, facts=frozenset((self.facts - set(retracts)) | set(asserts)))


def _file(role: FileRole, rows: Iterable[dict[str, object]]) -> InputFile:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return InputFile(role=role, name=f"{role}.jsonl", content=io.BytesIO(text.encode()))


def _relation_row(relation: Relation) -> dict[str, object]:
    traits = relation.traits
    flags = ("functional", "inverse_functional", "symmetric", "transitive", "hierarchical")
    return {
        "name": relation.name,
        **{flag: getattr(traits, flag) for flag in flags},
        "inverse_of": traits.inverse_of or "",
        "composed_of": "|".join(traits.composed_of),
        "compositions": ["|".join(pair) for pair in traits.compositions],
        "sub_of": list(traits.sub_of),
    }


def load(
    store: GraphStore, graph_id: str, entities: Sequence[Entity], relations: Sequence[Relation], facts: Sequence[Triple]
) -> str:
    """Import a graph in the given order of rows; its digest."""
    files = [
        _file(
            FileRole.ENTITIES,
            (
                {"uid": e.uid, "name": e.name, "type": e.type, "domain": e.domain, "aliases": list(e.aliases)}
                for e in entities
            ),
        ),
        _file(FileRole.RELATIONS, map(_relation_row, relations)),
        _file(FileRole.FACTS, ({"subject": s, "relation": r, "object": o} for s, r, o in facts)),
    ]
    return import_graph(store, graph_id=graph_id, files=files, source="oracle").digest


def stored(store: GraphStore, graph_id: str) -> World:
    """What the database asserts."""
    found = load_snapshot(store, graph_id)
    return World(
        graph_id=graph_id,
        entities=dict(found.entities),
        relations=dict(found.relations),
        facts=frozenset(fact.key for fact in found.facts),
    )


def remove(uri: str, graph_id: str) -> None:
    """Delete everything of a graph."""
    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session:
        session.run("MATCH (n {graph_id: $graph_id}) DETACH DELETE n", graph_id=graph_id).consume()


@contextmanager
def imported(
    store: GraphStore, graph_id: str, entities: Sequence[Entity], relations: Sequence[Relation], facts: Sequence[Triple]
) -> Generator[World]:
    """An imported graph that is gone afterwards."""
    load(store, graph_id, entities, relations, facts)
    try:
        yield stored(store, graph_id)
    finally:
        remove(store.uri, graph_id)
