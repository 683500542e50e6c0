"""Probe sets over the wire: made by choice, sampled, audited, sent out and taken back."""

from __future__ import annotations

from tests.server.service import PATIENCE, Service

from knowledgesmith.v1 import probe_pb2


def test_a_set_goes_out_and_comes_back(service: Service, world: str) -> None:
    request = probe_pb2.GenerateProbeSetRequest(graph_id=world, seed=2, limit_per_kind=20, phrasings=1)
    made = service.probe.GenerateProbeSet(request, timeout=PATIENCE).probe_set
    assert made.split == "eval"
    few = service.probe.SampleProbeSet(
        probe_pb2.SampleProbeSetRequest(probe_set_id=made.id, size=7, balance=["kind"], seed=1), timeout=PATIENCE
    ).probe_set
    assert few.verified == sum(few.counts.values()) == 7
    pieces = list(
        service.probe.ExportProbeSet(
            probe_pb2.ExportProbeSetRequest(probe_set_id=few.id, format="jsonl"), timeout=PATIENCE
        )
    )
    assert {piece.file for piece in pieces} == {f"{few.digest}.jsonl"}
    content = b"".join(piece.content for piece in pieces)

    def parts(body: bytes) -> list[probe_pb2.ImportProbeSetRequest]:
        header = probe_pb2.ImportProbeSetHeader(name="set.jsonl", format="jsonl")
        blocks = [body[start : start + 1_000] for start in range(0, len(body), 1_000)]
        return [
            probe_pb2.ImportProbeSetRequest(header=header),
            *(probe_pb2.ImportProbeSetRequest(content=block) for block in blocks),
        ]

    assert service.probe.ImportProbeSet(iter(parts(content)), timeout=PATIENCE).probe_set == few
    audit = service.probe.AuditProbeSet(probe_pb2.AuditProbeSetRequest(probe_set_id=made.id), timeout=PATIENCE)
    assert (audit.probe_set_id, audit.probes, audit.verified) == (made.id, made.verified, True)
    assert not {"false_answer", "true_distractor", "duplicate", "answer_in_stem"} & {f.check for f in audit.findings}
    assert audit.baselines[0].kind == "ALL"
    assert audit.sheet.startswith("id,kind,text,")
