"""Requests that may be sent again only with a key, and have none."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message

from knowledgesmith.v1 import archive_pb2, branch_pb2, graph_pb2, intervention_pb2, model_pb2, probe_pb2

KEYLESS: Final[dict[str, Message]] = {
    "ArchiveService/CreateArchive": archive_pb2.CreateArchiveRequest(graph_id="none"),
    "ArchiveService/LoadArchive": archive_pb2.LoadArchiveRequest(header=archive_pb2.LoadArchiveHeader()),
    "ArchiveService/DiffArchive": archive_pb2.DiffArchiveRequest(header=archive_pb2.DiffArchiveHeader()),
    "BranchService/DeleteBranch": branch_pb2.DeleteBranchRequest(branch_id="none"),
    "BranchService/SelectBranch": branch_pb2.SelectBranchRequest(branch_id="none"),
    "BranchService/RollbackBranch": branch_pb2.RollbackBranchRequest(branch_id="none"),
    "BranchService/ExportRevision": branch_pb2.ExportRevisionRequest(
        branch_id="none", name="out", format=branch_pb2.EXPORT_FORMAT_HF_CHECKPOINT
    ),
    "GraphService/ImportGraph": graph_pb2.ImportGraphRequest(header=graph_pb2.ImportHeader(graph_id="none")),
    "GraphService/ImportBundledGraph": graph_pb2.ImportBundledGraphRequest(graph_id="none"),
    "GraphService/DeleteGraph": graph_pb2.DeleteGraphRequest(graph_id="none"),
    "GraphService/DiffGraphs": graph_pb2.DiffGraphsRequest(left_graph_id="none", right_graph_id="none"),
    "GraphService/CheckGraph": graph_pb2.CheckGraphRequest(graph_id="none"),
    "InterventionService/CreateIntervention": intervention_pb2.CreateInterventionRequest(),
    "InterventionService/DeleteIntervention": intervention_pb2.DeleteInterventionRequest(intervention_id="none"),
    "ModelService/RegisterModel": model_pb2.RegisterModelRequest(model_id="none", path="/etc"),
    "ProbeService/GenerateProbeSet": probe_pb2.GenerateProbeSetRequest(graph_id="none"),
    "ProbeService/SampleProbeSet": probe_pb2.SampleProbeSetRequest(probe_set_id="none", size=1),
    "ProbeService/AuditProbeSet": probe_pb2.AuditProbeSetRequest(probe_set_id="none"),
    "ProbeService/ImportProbeSet": probe_pb2.ImportProbeSetRequest(
        header=probe_pb2.ImportProbeSetHeader(name="x.jsonl", format=probe_pb2.PROBE_SET_FORMAT_JSONL)
    ),
}
"""By service and method: a request, the first one of an upload, that lacks nothing else that is looked at earlier."""

BY_NATURE: Final = {"CatalogueService/AcceptTraits", "CatalogueService/CorrectWordings"}
"""What changes nothing more the second time."""
