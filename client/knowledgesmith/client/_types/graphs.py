"""Graphs, and what a Cypher query returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from knowledgesmith.v1 import graph_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One knowledge graph with its counts; ``digest`` covers the asserted facts only.

    ``incomplete``: an import, the loading of an archive or a deletion runs on it, or was cut off; the counts are of
    that moment.
    """

    graph_id: str
    digest: str
    source: str
    head_branch: str
    entities_by_level: Mapping[str, int]
    facts: int
    relations: int
    entities_by_domain: Mapping[str, int]
    incomplete: bool

    @classmethod
    def from_proto(cls, message: graph_pb2.Graph) -> Self:
        """Read the wire's message."""
        return cls(
            graph_id=message.graph_id,
            digest=message.digest,
            source=message.source,
            head_branch=message.head_branch,
            entities_by_level=dict(message.entities_by_level),
            facts=message.facts,
            relations=message.relations,
            entities_by_domain=dict(message.entities_by_domain),
            incomplete=message.incomplete,
        )

    @property
    def entities(self) -> int:
        """All entities, retired ones left out."""
        return sum(self.entities_by_level.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CypherResult:
    """A table: one name a column, one tuple of plain JSON values a row.

    ``truncated``: the query has more rows than were asked for.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False

    @classmethod
    def from_proto(cls, message: graph_pb2.RunCypherResponse) -> Self:
        """Read the wire's message."""
        return cls(
            columns=tuple(message.columns),
            rows=tuple(tuple(json.loads(row)) for row in message.rows_json),
            truncated=message.truncated,
        )

    def records(self) -> list[dict[str, Any]]:
        """One dictionary a row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionInfo:
    """How any Neo4j tool reaches the database; ``user`` is empty when nobody has to log in."""

    uri: str
    user: str
    database: str
    embedded: bool

    @classmethod
    def from_proto(cls, message: graph_pb2.GetConnectionInfoResponse) -> Self:
        """Read the wire's message."""
        return cls(uri=message.uri, user=message.user, database=message.database, embedded=message.embedded)
