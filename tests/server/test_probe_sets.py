"""Probe sets over the wire: made by choice, sampled, audited, sent out and taken back."""

from __future__ import annotations

import pytest
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of

from knowledgesmith.v1 import common_pb2
from knowledgesmith.v1 import probe_pb2 as pb


def generated(service: Service, request: pb.GenerateProbeSetRequest) -> pb.ProbeSet:
    """A set, made."""
    begun = service.probe.GenerateProbeSet(request, timeout=PATIENCE)
    return service.result(begun, pb.GenerateProbeSetResponse).probe_set


def parts(body: bytes, form: pb.ProbeSetFormat.ValueType) -> list[pb.ImportProbeSetRequest]:
    """The messages that send a file."""
    header = pb.ImportProbeSetHeader(name="set.jsonl", format=form)
    blocks = [body[start : start + 1_000] for start in range(0, len(body), 1_000)]
    return [
        pb.ImportProbeSetRequest(header=header),
        *(pb.ImportProbeSetRequest(content=block) for block in blocks),
    ]


def test_a_set_goes_out_and_comes_back(service: Service, world: str) -> None:
    made = generated(service, pb.GenerateProbeSetRequest(graph_id=world, seed=2, limit_per_kind=20, phrasings=1))
    assert made.split == pb.SPLIT_EVAL
    request = pb.SampleProbeSetRequest(probe_set_id=made.id, size=7, balance=[pb.BALANCE_KIND], seed=1)
    begun = service.probe.SampleProbeSet(request, timeout=PATIENCE)
    few = service.result(begun, pb.SampleProbeSetResponse).probe_set
    assert few.verified == sum(share.count for share in few.counts) == 7
    pieces = list(
        service.probe.ExportProbeSet(
            pb.ExportProbeSetRequest(probe_set_id=few.id, format=pb.PROBE_SET_FORMAT_JSONL), timeout=PATIENCE
        )
    )
    assert {piece.file for piece in pieces} == {f"{few.digest}.jsonl"}
    content = b"".join(piece.content for piece in pieces)
    begun = service.probe.ImportProbeSet(iter(parts(content, pb.PROBE_SET_FORMAT_JSONL)), timeout=PATIENCE)
    assert service.result(begun, pb.ImportProbeSetResponse).probe_set == few
    begun = service.probe.AuditProbeSet(pb.AuditProbeSetRequest(probe_set_id=made.id), timeout=PATIENCE)
    audit = service.result(begun, pb.AuditProbeSetResponse)
    assert (audit.probe_set_id, audit.probes, audit.verified) == (made.id, made.verified, True)
    assert not {"false_answer", "true_distractor", "duplicate", "answer_in_stem"} & {f.check for f in audit.findings}
    assert audit.baselines[0].kind == common_pb2.PROBE_KIND_UNSPECIFIED, "all kinds together"
    assert audit.sheet.startswith("id,kind,text,")
    gone = service.probe.DeleteProbeSet(pb.DeleteProbeSetRequest(probe_set_id=few.id), timeout=PATIENCE).deletion
    assert (gone.id, gone.removed["probe sets"], len(gone.files_removed)) == (few.id, 1, 1)


def test_what_is_no_probe_set_is_refused(service: Service) -> None:
    begun = service.probe.ImportProbeSet(iter(parts(b"{}\n" * 3, pb.PROBE_SET_FORMAT_JSONL)), timeout=PATIENCE)
    with pytest.raises(OperationFailed) as refused:
        service.result(begun, pb.ImportProbeSetResponse)
    assert reason_of(refused.value)[1] == "INVALID_FIELD"
    assert "set.jsonl" in refused.value.status.message
