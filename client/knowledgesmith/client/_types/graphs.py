"""Graphs: what they hold, how they changed, whether they are sound, and what a Cypher query returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .enums import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCount:
    """How many entities are of one level; ``UNSPECIFIED``: of none."""

    level: Level
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One knowledge graph with its counts; ``digest`` covers the asserted facts only.

    ``incomplete``: an import, the loading of an archive or a deletion runs on it, or was cut off; the counts are of
    that moment.
    """

    id: str
    digest: str
    source: str
    head_branch_id: str
    entities_by_level: tuple[LevelCount, ...]
    facts: int
    relations: int
    entities_by_domain: Mapping[str, int]
    incomplete: bool

    @property
    def entities(self) -> int:
        """All entities, retired ones left out."""
        return sum(found.count for found in self.entities_by_level)


@dataclass(frozen=True, slots=True, kw_only=True)
class CypherResult:
    """A table: one name a column, one tuple of values a row.

    Lists are lists, maps dictionaries, temporal values ISO 8601 texts. A node is a dictionary of ``id``, ``labels`` and
    ``properties``; a relationship one of ``id``, ``type``, ``start_id``, ``end_id`` and ``properties``; a path one of
    ``nodes`` and ``relationships``; a point one of ``srid`` and ``coordinates``.

    ``truncated``: the query has more rows than were asked for.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False

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


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphVersion:
    """One import that changed a graph; ``interventions`` were planned on its facts."""

    number: int
    digest: str
    parent_digest: str
    source: str
    format: str
    import_time: datetime | None
    entities_created: int
    entities_matched: int
    entities_retired: int
    facts_created: int
    facts_matched: int
    facts_removed: int
    interventions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Things of one kind: the same, only on the right, only on the left, on both but changed; with examples."""

    same: int
    added: int
    removed: int
    changed: int
    added_examples: tuple[str, ...]
    removed_examples: tuple[str, ...]
    changed_examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationDifference:
    """Facts of one relation that stand only on the right (``added``) or only on the left (``removed``)."""

    relation: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphDiff:
    """What differs from left to right; ``by_relation`` only names relations with differing facts."""

    left: str
    right: str
    left_digest: str
    right_digest: str
    relations: Difference
    entities: Difference
    facts: Difference
    by_relation: tuple[RelationDifference, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        kinds = (self.relations, self.entities, self.facts)
        return not any(kind.added or kind.removed or kind.changed for kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinding:
    """One thing that is wrong."""

    subject: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One rule, how many things break it, the first of them, and the way out."""

    name: str
    rule: str
    hint: str
    looked_at: int
    broken: int
    findings: tuple[CheckFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Every rule that a stored graph must keep."""

    graph_id: str
    digest: str
    sound: bool
    results: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What a deletion took away; files that something else names stay."""

    id: str
    removed: Mapping[str, int]
    files_removed: tuple[str, ...]
    files_kept: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSummary:
    """What an archive holds; archives with the same ``sha256`` hold the same."""

    graph_id: str
    graph_digest: str
    sha256: str
    size: int
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedArchive:
    """A loaded archive; ``already_there`` says that an earlier load had written everything."""

    summary: ArchiveSummary
    graph_id: str
    files: int
    already_there: bool
