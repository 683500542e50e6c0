"""Versions, differences, checks, deletions and archives of graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from knowledgesmith.v1 import lifecycle_pb2 as pb

from .times import read_time


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

    @classmethod
    def from_proto(cls, message: pb.GraphVersion) -> Self:
        """Read the wire's message."""
        return cls(
            number=message.number,
            digest=message.digest,
            parent_digest=message.parent_digest,
            source=message.source,
            format=message.format,
            import_time=read_time(message.import_time),
            entities_created=message.entities_created,
            entities_matched=message.entities_matched,
            entities_retired=message.entities_retired,
            facts_created=message.facts_created,
            facts_matched=message.facts_matched,
            facts_removed=message.facts_removed,
            interventions=message.interventions,
        )


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

    @classmethod
    def from_proto(cls, message: pb.Difference) -> Self:
        """Read the wire's message."""
        return cls(
            same=message.same,
            added=message.added,
            removed=message.removed,
            changed=message.changed,
            added_examples=tuple(message.added_examples),
            removed_examples=tuple(message.removed_examples),
            changed_examples=tuple(message.changed_examples),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphDiff:
    """From left to right; ``by_relation`` holds (added, removed) facts."""

    left: str
    right: str
    left_digest: str
    right_digest: str
    relations: Difference
    entities: Difference
    facts: Difference
    by_relation: Mapping[str, tuple[int, int]]

    @classmethod
    def from_proto(cls, message: pb.GraphDiff) -> Self:
        """Read the wire's message."""
        return cls(
            left=message.left,
            right=message.right,
            left_digest=message.left_digest,
            right_digest=message.right_digest,
            relations=Difference.from_proto(message.relations),
            entities=Difference.from_proto(message.entities),
            facts=Difference.from_proto(message.facts),
            by_relation={row.relation: (row.added, row.removed) for row in message.by_relation},
        )

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

    @classmethod
    def from_proto(cls, message: pb.CheckGraphResponse) -> Self:
        """Read the wire's message."""
        return cls(
            graph_id=message.graph_id,
            digest=message.digest,
            sound=message.sound,
            results=tuple(
                CheckResult(
                    name=result.name,
                    rule=result.rule,
                    hint=result.hint,
                    looked_at=result.looked_at,
                    broken=result.broken,
                    findings=tuple(
                        CheckFinding(subject=finding.subject, found=finding.found, expected=finding.expected)
                        for finding in result.findings
                    ),
                )
                for result in message.results
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What a deletion took away; files that something else names stay."""

    id: str
    removed: Mapping[str, int]
    files_removed: tuple[str, ...]
    files_kept: tuple[str, ...]

    @classmethod
    def from_proto(cls, message: pb.Deletion) -> Self:
        """Read the wire's message."""
        return cls(
            id=message.id,
            removed=dict(message.removed),
            files_removed=tuple(message.files_removed),
            files_kept=tuple(message.files_kept),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSummary:
    """What an archive holds; archives with the same ``sha256`` hold the same."""

    graph_id: str
    graph_digest: str
    sha256: str
    size: int
    rows: Mapping[str, int]

    @classmethod
    def from_proto(cls, message: pb.ArchiveSummary) -> Self:
        """Read the wire's message."""
        return cls(
            graph_id=message.graph_id,
            graph_digest=message.graph_digest,
            sha256=message.sha256,
            size=message.size,
            rows=dict(message.rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedArchive:
    """A loaded archive; ``already_there`` says that an earlier load had written everything."""

    graph_id: str
    summary: ArchiveSummary
    files: int
    already_there: bool

    @classmethod
    def from_proto(cls, message: pb.LoadArchiveResponse) -> Self:
        """Read the wire's message."""
        return cls(
            graph_id=message.graph_id,
            summary=ArchiveSummary.from_proto(message.summary),
            files=message.files,
            already_there=message.already_there,
        )
