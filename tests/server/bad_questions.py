"""Wrong requests about probes, cases, results and files."""

from __future__ import annotations

import gzip

from tests.server.bad_requests import (
    EXHAUSTED,
    HOSTILE,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    Case,
    send_files,
    with_file,
    with_header,
    with_many_files,
)
from tests.server.service import PATIENCE
from tests.server.world import upload

from knowledgesmith.v1 import (
    case_pb2,
    graph_pb2,
    intervention_pb2,
    probe_pb2,
    propagation_pb2,
)

ASKING: list[Case] = [
    Case(
        name="probes: unknown graph",
        send=lambda s, _b, _g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="probes: negative limit",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, limit_per_kind=-1), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown level",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, levels=["Trunk"]), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: negative phrasings",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, phrasings=-1), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown subtree",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, subtree_uid="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="ENTITY_NOT_FOUND",
    ),
    Case(
        name="probes: sample of nothing",
        send=lambda s, _b, _g: s.probe.SampleProbeSet(
            probe_pb2.SampleProbeSetRequest(probe_set_id="none", size=0), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown balance",
        send=lambda s, _b, _g: s.probe.SampleProbeSet(
            probe_pb2.SampleProbeSetRequest(probe_set_id="none", size=1, balance=["luck"]), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: audit of an unknown set",
        send=lambda s, _b, _g: s.probe.AuditProbeSet(
            probe_pb2.AuditProbeSetRequest(probe_set_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="PROBE_SET_NOT_FOUND",
    ),
    Case(
        name="probes: unknown export format",
        send=lambda s, _b, _g: list(
            s.probe.ExportProbeSet(
                probe_pb2.ExportProbeSetRequest(probe_set_id="none", format="../x"), timeout=PATIENCE
            )
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: import of noise",
        send=lambda s, _b, _g: s.probe.ImportProbeSet(
            iter(
                [
                    probe_pb2.ImportProbeSetRequest(
                        header=probe_pb2.ImportProbeSetHeader(name="x.parquet", format="parquet")
                    ),
                    probe_pb2.ImportProbeSetRequest(content=b"noise"),
                ]
            ),
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: import of nothing",
        send=lambda s, _b, _g: s.probe.ImportProbeSet(iter(()), timeout=PATIENCE),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown set",
        send=lambda s, _b, _g: s.probe.ListProbes(probe_pb2.ListProbesRequest(probe_set_id="none"), timeout=PATIENCE),
        code=NOT_FOUND,
        reason="PROBE_SET_NOT_FOUND",
    ),
    Case(
        name="cases: unknown graph",
        send=lambda s, _b, _g: s.case.ListCases(case_pb2.ListCasesRequest(graph_id="none"), timeout=PATIENCE),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="cases: token of another family",
        send=lambda s, _b, g: s.case.ListCases(
            case_pb2.ListCasesRequest(graph_id=g, family="x", page_token="bm9uc2Vuc2U"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="case: unknown id",
        send=lambda s, _b, g: s.case.GetCase(case_pb2.GetCaseRequest(graph_id=g, id="none"), timeout=PATIENCE),
        code=NOT_FOUND,
        reason="CASE_NOT_FOUND",
    ),
    Case(
        name="case: no id",
        send=lambda s, _b, g: s.case.GetCase(case_pb2.GetCaseRequest(graph_id=g), timeout=PATIENCE),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="list: negative page",
        send=lambda s, b, _: s.intervention.ListInterventions(
            intervention_pb2.ListInterventionsRequest(branch_id=b, page_size=-1), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="list: foreign page token",
        send=lambda s, b, _: s.intervention.ListInterventions(
            intervention_pb2.ListInterventionsRequest(branch_id=b, page_token="bm9uc2Vuc2U"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="watch: unknown intervention",
        send=lambda s, _b, _g: s.events("iv_none"),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="watch: negative position",
        send=lambda s, _b, _g: s.events("iv_none", -1),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="propagation: unknown intervention",
        send=lambda s, _b, _g: s.propagation.GetPropagation(
            propagation_pb2.GetPropagationRequest(intervention_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="evidence: unknown verdict",
        send=lambda s, _b, _g: s.propagation.ListEvidence(
            propagation_pb2.ListEvidenceRequest(intervention_id="none", verdicts=[99]),  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="evidence: unknown role",
        send=lambda s, _b, _g: s.propagation.ListEvidence(
            propagation_pb2.ListEvidenceRequest(intervention_id="none", roles=[99]),  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="changed facts: negative page",
        send=lambda s, _b, _g: s.propagation.ListChangedFacts(
            propagation_pb2.ListChangedFactsRequest(intervention_id="none", page_size=-1), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="changed facts: foreign page token",
        send=lambda s, _b, _g: s.propagation.ListChangedFacts(
            propagation_pb2.ListChangedFactsRequest(intervention_id="none", page_token="bm9uc2Vuc2U"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="travel: threshold of two",
        send=lambda s, _b, _g: s.propagation.GetTravel(
            propagation_pb2.GetTravelRequest(intervention_id="none", threshold=2.0), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="compare: unknown intervention",
        send=lambda s, _b, _g: s.propagation.CompareInterventions(
            propagation_pb2.CompareInterventionsRequest(first_id="none", second_id=HOSTILE["quotes"]), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="over time: unknown branch",
        send=lambda s, _b, _g: s.propagation.GetOverTime(
            propagation_pb2.GetOverTimeRequest(branch_id=HOSTILE["quotes"]), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="BRANCH_NOT_FOUND",
    ),
    Case(
        name="over time: NUL in the entity",
        send=lambda s, b, _g: s.propagation.GetOverTime(
            propagation_pb2.GetOverTimeRequest(branch_id=b, entity="a\x00b"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="metrics: unknown intervention",
        send=lambda s, _b, _g: s.propagation.GetMetrics(
            propagation_pb2.GetMetricsRequest(intervention_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="collapse: nothing named",
        send=lambda s, _b, _g: s.propagation.GetCollapse(propagation_pb2.GetCollapseRequest(), timeout=PATIENCE),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="collapse: 101 interventions",
        send=lambda s, _b, _g: s.propagation.GetCollapse(
            propagation_pb2.GetCollapseRequest(intervention_ids=map(str, range(101))), timeout=PATIENCE
        ),
        code=EXHAUSTED,
        reason="TOO_LARGE",
    ),
    Case(
        name="collapse: unknown intervention",
        send=lambda s, _b, _g: s.propagation.GetCollapse(
            propagation_pb2.GetCollapseRequest(intervention_ids=["none"]), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="cypher: writing",
        send=lambda s, _b, _g: s.graph.RunCypher(
            graph_pb2.RunCypherRequest(query="MATCH (n) DETACH DELETE n"), timeout=PATIENCE
        ),
        code=PRECONDITION,
        reason="READ_ONLY_QUERY",
    ),
    Case(
        name="cypher: syntax",
        send=lambda s, _b, _g: s.graph.RunCypher(
            graph_pb2.RunCypherRequest(query="MATCH (n RETURN n"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="cypher: hidden write in a subquery",
        send=lambda s, _b, _g: s.graph.RunCypher(
            graph_pb2.RunCypherRequest(query="CALL () { CREATE (x:Evil) RETURN x } RETURN x"), timeout=PATIENCE
        ),
        code=PRECONDITION,
        reason="READ_ONLY_QUERY",
    ),
    Case(
        name="import: hostile graph id",
        send=lambda s, _b, _g: send_files(s, upload("../evil")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: dangling fact",
        send=lambda s, _b, g: send_files(
            s, upload(g, {"FACTS": b"subject,relation,object\nfrance,has_capital,atlantis\n"})
        ),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: invalid UTF-8",
        send=lambda s, _b, g: send_files(s, upload(g, {"ENTITIES": b"uid,name\nx,\xff\xfe\n"})),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: reserved relationship type",
        send=lambda s, _b, g: send_files(s, upload(g, {"RELATIONS": b"name,rel_type\nhas_capital,CHANGED\n"})),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: injected relationship type",
        send=lambda s, _b, g: send_files(
            s, upload(g, {"RELATIONS": b"name,rel_type\nhas_capital,A`]->() DETACH DELETE n //\n"})
        ),
        code=INVALID,
        reason="IMPORT_REJECTED",
    ),
    Case(
        name="import: unknown format",
        send=lambda s, _b, g: send_files(s, with_header(g, format="nonsense`]")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: unknown option",
        send=lambda s, _b, g: send_files(s, with_header(g, options_json='{"a`b": 1}')),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: options that are no object",
        send=lambda s, _b, g: send_files(s, with_header(g, options_json="[" * 5_000)),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: a header alone",
        send=lambda s, _b, g: send_files(s, upload(g)[:1]),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: the header twice",
        send=lambda s, _b, g: send_files(s, upload(g)[:1] * 2),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: not gzip",
        send=lambda s, _b, g: send_files(s, with_file(g, name="facts.csv.gz", content=b"plain")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: gzip that is cut off",
        send=lambda s, _b, g: send_files(s, with_file(g, name="facts.csv.gz", content=gzip.compress(b"x" * 99)[:-9])),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="import: too many files",
        send=lambda s, _b, g: send_files(s, with_many_files(g, 257)),
        code=EXHAUSTED,
        reason="TOO_LARGE",
    ),
    Case(
        name="import: chunk before the header",
        send=lambda s, _b, g: send_files(s, upload(g)[1:]),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
]
