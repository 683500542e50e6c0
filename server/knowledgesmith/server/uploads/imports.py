"""Imports and their reports on the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct

from knowledgesmith.graph_schema.importing.listing import list_importers
from knowledgesmith.server.wire.structs import struct_to, value_to
from knowledgesmith.v1 import graph_pb2

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.importing import ImportReport, Rejection
    from knowledgesmith.graph_schema.importing.listing import ListedImporter, ListedOption
    from knowledgesmith.graph_schema.importing.reading.findings import FindingCount


def rejection_to(rejection: Rejection) -> graph_pb2.ImportRejection:
    """The wire's message."""
    place = rejection.place
    return graph_pb2.ImportRejection(file=place.file, record=place.record, reason=rejection.reason)


def report_to(report: ImportReport) -> graph_pb2.ImportReport:
    """The wire's message."""
    examples = report.examples
    names = {"rejections", "examples", "stage_seconds", "findings"}
    counts: dict[str, Any] = {
        field.name: getattr(report, field.name)
        for field in graph_pb2.ImportReport.DESCRIPTOR.fields
        if field.name not in names
    }
    return graph_pb2.ImportReport(
        **counts,
        stage_seconds=report.stages,
        rejections=[rejection_to(rejection) for rejection in report.rejections],
        findings=[_findings_to(found) for found in report.findings],
        examples=graph_pb2.ImportExamples(
            entities_created=examples.entities_created,
            entities_changed=examples.entities_changed,
            entities_retired=examples.entities_retired,
            facts_created=[_fact_to(key) for key in examples.facts_created],
            facts_removed=[_fact_to(key) for key in examples.facts_removed],
        ),
    )


def _findings_to(found: FindingCount) -> graph_pb2.ImportFindings:
    examples = [
        graph_pb2.ImportFinding(file=item.place.file, record=item.place.record, text=item.text, count=item.count)
        for item in found.examples
    ]
    return graph_pb2.ImportFindings(kind=found.kind.value, meaning=found.meaning, count=found.count, examples=examples)


def _fact_to(key: tuple[str, str, str]) -> graph_pb2.FactName:
    return graph_pb2.FactName(subject_uid=key[0], relation=key[1], object_uid=key[2])


def importers() -> list[graph_pb2.Importer]:
    """Every importer with its options, by name."""
    return [_importer_to(found) for found in list_importers()]


def _importer_to(found: ListedImporter) -> graph_pb2.Importer:
    return graph_pb2.Importer(
        name=found.name,
        summary=found.summary,
        endings=found.endings,
        options=[_option_to(option) for option in found.options],
    )


def _option_to(option: ListedOption) -> graph_pb2.ImporterOption:
    schema: Struct = struct_to(json.loads(option.schema_json))
    message = graph_pb2.ImporterOption(name=option.name, schema=schema, description=option.description)
    if option.default_json:
        message.default.CopyFrom(value_to(json.loads(option.default_json)))
    return message
