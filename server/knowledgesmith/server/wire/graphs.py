"""Graphs and their archives on the wire: versions, differences, checks, deletions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from knowledgesmith.server.wire.conversions import timestamp
from knowledgesmith.v1 import archive_pb2, common_pb2
from knowledgesmith.v1 import graph_pb2 as pb

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.archive.diff import Difference, DiffReport
    from knowledgesmith.graph_schema.archive.format import ArchiveInfo
    from knowledgesmith.graph_schema.archive.load import LoadReport
    from knowledgesmith.graph_schema.graphs.versions import VersionInfo
    from knowledgesmith.graph_schema.maintenance.check import CheckReport
    from knowledgesmith.graph_schema.maintenance.deletion import DeleteReport


def version_to(version: VersionInfo) -> pb.GraphVersion:
    """One version."""
    return pb.GraphVersion(
        number=version.number,
        digest=version.digest,
        parent_digest=version.parent_digest,
        source=version.source,
        format=version.format,
        import_time=timestamp(version.imported_ms),
        entities_created=version.entities_created,
        entities_matched=version.entities_matched,
        entities_retired=version.entities_retired,
        facts_created=version.facts_created,
        facts_matched=version.facts_matched,
        facts_removed=version.facts_removed,
        interventions=version.interventions,
    )


def diff_to(report: DiffReport) -> pb.GraphDiff:
    """What differs."""
    return pb.GraphDiff(
        left=report.left,
        right=report.right,
        left_digest=report.left_digest,
        right_digest=report.right_digest,
        relations=_difference_to(report.relations),
        entities=_difference_to(report.entities),
        facts=_difference_to(report.facts),
        by_relation=[
            pb.RelationDifference(relation=name, added=added, removed=removed)
            for name, (added, removed) in report.by_relation.items()
        ],
    )


def _difference_to(difference: Difference) -> pb.Difference:
    return pb.Difference(**asdict(difference))


def check_to(report: CheckReport) -> pb.CheckGraphResponse:
    """Every rule."""
    return pb.CheckGraphResponse(
        graph_id=report.graph_id,
        digest=report.digest,
        sound=report.sound,
        results=[
            pb.CheckResult(
                name=result.name,
                rule=result.rule,
                hint=result.hint,
                looked_at=result.looked_at,
                broken=result.broken,
                findings=[
                    pb.CheckFinding(subject=finding.subject, found=finding.found, expected=finding.expected)
                    for finding in result.findings
                ],
            )
            for result in report.results
        ],
    )


def deletion_to(report: DeleteReport) -> common_pb2.Deletion:
    """What was taken away."""
    return common_pb2.Deletion(
        id=report.id, removed=report.removed, files_removed=report.files_removed, files_kept=report.files_kept
    )


def summary_to(info: ArchiveInfo) -> archive_pb2.ArchiveSummary:
    """What an archive holds."""
    return archive_pb2.ArchiveSummary(
        graph_id=info.graph_id, graph_digest=info.graph_digest, sha256=info.sha256, size=info.size, rows=info.rows
    )


def summary_of_load(report: LoadReport, *, size: int) -> archive_pb2.ArchiveSummary:
    """What an archive held that was loaded."""
    return archive_pb2.ArchiveSummary(
        graph_id=report.graph_id,
        graph_digest=report.graph_digest,
        sha256=report.archive_sha256,
        size=size,
        rows=report.rows,
    )
