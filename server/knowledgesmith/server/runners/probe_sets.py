"""Probe sets: generated, sampled, audited, taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.probes.sets import probe_set
from knowledgesmith.graph_schema.probes.sets.audit import audit_set
from knowledgesmith.graph_schema.probes.sets.exchange import SetFormat, import_set
from knowledgesmith.graph_schema.probes.sets.sampling import Balance, sample_set
from knowledgesmith.server.operations.tasks import InThread, Runner, Task
from knowledgesmith.server.uploads.uploaded_file import uploaded_path
from knowledgesmith.server.wire.enums import all_from_wire, from_wire, missing
from knowledgesmith.server.wire.probes import audit_to, bulk_request_from, set_to
from knowledgesmith.v1 import probe_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.graph_schema.probes.generation.request import BulkProgress
    from knowledgesmith.server.front.dependencies import Parts


class ProbeSetRunners:
    """Runners of ``probe.proto``; every set is stored by its digest, so that one made twice is one."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def table(self) -> Mapping[str, Runner]:
        """By method."""
        return {
            "GenerateProbeSet": InThread(request=pb.GenerateProbeSetRequest, run=self._generate),
            "SampleProbeSet": InThread(request=pb.SampleProbeSetRequest, run=self._sample),
            "AuditProbeSet": InThread(request=pb.AuditProbeSetRequest, run=self._audit),
            "ImportProbeSet": InThread(request=pb.ImportProbeSetHeader, run=self._import),
        }

    def _generate(self, task: Task) -> pb.GenerateProbeSetResponse:
        def observe(progress: BulkProgress) -> None:
            task.report(f"generate {progress.kind.value.lower()}", progress.anchors_done, progress.anchors)

        task.report("generate")
        info = probe_set.generate_set(
            self._parts.store,
            bulk_request_from(task.request),
            directory=self._parts.settings.probe_set_dir,
            materialise=task.request.materialise,
            observe=observe,
        )
        return pb.GenerateProbeSetResponse(probe_set=set_to(info))

    def _sample(self, task: Task) -> pb.SampleProbeSetResponse:
        request: pb.SampleProbeSetRequest = task.request
        task.report("sample")
        info = sample_set(
            self._parts.store,
            probe_set_id=request.probe_set_id,
            size=request.size,
            balance=balance_from(request),
            seed=request.seed,
            directory=self._parts.settings.probe_set_dir,
        )
        return pb.SampleProbeSetResponse(probe_set=set_to(info))

    def _audit(self, task: Task) -> pb.AuditProbeSetResponse:
        request: pb.AuditProbeSetRequest = task.request
        task.report("audit")
        found = audit_set(
            self._parts.store,
            probe_set_id=request.probe_set_id,
            directory=self._parts.settings.probe_set_dir,
            seed=request.seed,
        )
        return audit_to(found)

    def _import(self, task: Task) -> pb.ImportProbeSetResponse:
        header: pb.ImportProbeSetHeader = task.request
        task.report("import")
        with uploaded_path(task.folder).open("rb") as content:
            info = import_set(
                self._parts.store,
                name=header.name or "the file",
                content=content,
                form=format_from(header.format),
                directory=self._parts.settings.probe_set_dir,
            )
        return pb.ImportProbeSetResponse(probe_set=set_to(info))


def balance_from(request: pb.SampleProbeSetRequest) -> list[Balance]:
    """What a sample is balanced by.

    Raises:
        InvalidInput: unknown.
    """
    return all_from_wire(pb.Balance, request.balance, Balance, "balance")


def format_from(number: int) -> SetFormat:
    """A file format of probe sets.

    Raises:
        InvalidInput: not set, or unknown.
    """
    form = from_wire(pb.ProbeSetFormat, number, SetFormat, "format")
    if form is None:
        raise missing(pb.ProbeSetFormat, "format")
    return form
