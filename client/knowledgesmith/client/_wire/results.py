"""What operations end with, as typed results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message

from knowledgesmith.client._errors import ServerFault
from knowledgesmith.client._types.graphs import ArchiveSummary, CheckReport, Deletion, GraphDiff, LoadedArchive
from knowledgesmith.client._types.imports import ImportResult
from knowledgesmith.client._types.models import Branch, Export, Model, Rollback
from knowledgesmith.client._types.probes import ProbeSet, ProbeSetAudit
from knowledgesmith.v1 import archive_pb2, branch_pb2, graph_pb2, intervention_pb2, model_pb2, probe_pb2

from .fill import read

RESULTS: Final[Mapping[type[Message], tuple[type, str]]] = {
    archive_pb2.CreateArchiveResponse: (ArchiveSummary, "summary"),
    archive_pb2.LoadArchiveResponse: (LoadedArchive, ""),
    archive_pb2.DiffArchiveResponse: (GraphDiff, "diff"),
    branch_pb2.DeleteBranchResponse: (Deletion, "deletion"),
    branch_pb2.SelectBranchResponse: (Branch, "branch"),
    branch_pb2.RollbackBranchResponse: (Rollback, ""),
    branch_pb2.ExportRevisionResponse: (Export, ""),
    graph_pb2.ImportGraphResponse: (ImportResult, ""),
    graph_pb2.ImportBundledGraphResponse: (ImportResult, ""),
    graph_pb2.DeleteGraphResponse: (Deletion, "deletion"),
    graph_pb2.DiffGraphsResponse: (GraphDiff, "diff"),
    graph_pb2.CheckGraphResponse: (CheckReport, ""),
    intervention_pb2.DeleteInterventionResponse: (Deletion, "deletion"),
    model_pb2.RegisterModelResponse: (Model, "model"),
    probe_pb2.GenerateProbeSetResponse: (ProbeSet, "probe_set"),
    probe_pb2.SampleProbeSetResponse: (ProbeSet, "probe_set"),
    probe_pb2.ImportProbeSetResponse: (ProbeSet, "probe_set"),
    probe_pb2.AuditProbeSetResponse: (ProbeSetAudit, ""),
}
"""The result of every response, and the one field that it stands in; empty = the whole response."""


def _reader(response: type[Message], kind: type, member: str) -> Callable[[Packed], Any]:
    def result(packed: Packed) -> Any:
        message = response.FromString(packed.value)
        return read(kind, getattr(message, member) if member else message)

    return result


_READERS: Final = {
    response.DESCRIPTOR.full_name: _reader(response, kind, member) for response, (kind, member) in RESULTS.items()
}


def read_result(packed: Packed) -> Any:
    """The result that an operation ended with.

    Raises:
        ServerFault: this release does not know it.
    """
    name = packed.TypeName()
    if name not in _READERS:
        raise ServerFault(
            "The operation ended with a result that this client does not know.",
            field="response",
            value=name,
            hint="Client and server are of different releases.",
        )
    return _READERS[name](packed)
