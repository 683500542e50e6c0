"""Graphs, imports, and what a Cypher query returns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from knowledgesmith.proto.v1 import graph_pb2

from .enums import FileFormat, FileRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One knowledge graph with its counts; ``digest`` covers the asserted facts only."""

    graph_id: str
    digest: str
    source: str
    head_branch: str
    entities_by_level: Mapping[str, int]
    facts: int
    relations: int
    entities_by_domain: Mapping[str, int]

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
        )

    @property
    def entities(self) -> int:
        """All entities, retired ones left out."""
        return sum(self.entities_by_level.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did; ``seconds`` is the server's time."""

    entities_created: int
    entities_matched: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    relations: int
    seconds: float

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportReport) -> Self:
        """Read the wire's message."""
        return cls(
            entities_created=message.entities_created,
            entities_matched=message.entities_matched,
            entities_retired=message.entities_retired,
            facts_created=message.facts_created,
            facts_matched=message.facts_matched,
            facts_removed=message.facts_removed,
            relations=message.relations,
            seconds=message.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The graph after an import, and what the import did."""

    graph: Graph
    report: ImportReport

    @classmethod
    def from_proto(cls, message: graph_pb2.ImportGraphResponse | graph_pb2.ImportBundledGraphResponse) -> Self:
        """Read the wire's message."""
        return cls(graph=Graph.from_proto(message.graph), report=ImportReport.from_proto(message.report))


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """One file to upload.

    Raises:
        ValueError: from ``guess``, when the name tells neither role nor format.
    """

    path: Path
    role: FileRole
    format: FileFormat

    @classmethod
    def of(cls, path: Path | str, role: FileRole) -> Self:
        """A file with a known role; the format comes from its ending."""
        ending = Path(path).suffix.lower()
        if ending not in (".csv", ".jsonl"):
            raise ValueError(f"{Path(path).name}: the name must end in .csv or .jsonl")
        return cls(path=Path(path), role=role, format=FileFormat.CSV if ending == ".csv" else FileFormat.JSONL)

    @classmethod
    def guess(cls, path: Path | str) -> Self:
        """A file whose name starts with ``entities``, ``relations``, ``facts`` or ``templates``."""
        stem = Path(path).stem.lower()
        for role in (FileRole.ENTITIES, FileRole.RELATIONS, FileRole.FACTS, FileRole.TEMPLATES):
            if stem.startswith(role.value.lower()):
                return cls.of(path, role)
        raise ValueError(f"{Path(path).name}: the name must start with entities, relations, facts or templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class CypherResult:
    """A table: one name a column, one tuple of plain JSON values a row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def from_proto(cls, message: graph_pb2.RunCypherResponse) -> Self:
        """Read the wire's message."""
        return cls(columns=tuple(message.columns), rows=tuple(tuple(json.loads(row)) for row in message.rows_json))

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
