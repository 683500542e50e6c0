"""Bad input over the wire: field × violation, each with its documented status and reason, and nothing changed."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from tests.server.service import Service, reason_of
from tests.server.world import upload

from knowledgesmith.graph_schema.store import GraphStore
from knowledgesmith.proto.v1 import (
    case_pb2,
    common_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
    probe_pb2,
    propagation_pb2,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

HOSTILE = {
    "quotes": "x'}) DETACH DELETE n //",
    "backticks": "`) MATCH (n) DETACH DELETE n //",
    "unicode escape": "\\u0027}) RETURN 1 //",
    "path": "../../../etc/passwd",
    "comment": "a // MATCH (n) DELETE n /*",
    "format": "{0}{__class__}%s${jndi}",
}
HUGE = "x" * (10 * 1024 * 1024)


def send_files(service: Service, messages: list[graph_pb2.ImportGraphRequest]) -> list[graph_pb2.ImportGraphResponse]:
    """An import with its whole answer."""
    return list(service.graph.ImportGraph(iter(messages), timeout=30))


def with_header(graph_id: str, **fields: Any) -> list[graph_pb2.ImportGraphRequest]:
    """An import whose header says something else."""
    header, *chunks = upload(graph_id)
    for name, value in fields.items():
        setattr(header.header, name, value)
    return [header, *chunks]


def with_file(graph_id: str, *, name: str, content: bytes) -> list[graph_pb2.ImportGraphRequest]:
    """An import with one more file."""
    return [*upload(graph_id), graph_pb2.ImportGraphRequest(chunk=graph_pb2.FileChunk(name=name, content=content))]


def with_many_files(graph_id: str, count: int) -> list[graph_pb2.ImportGraphRequest]:
    """An import of ``count`` small files."""
    chunks = (graph_pb2.FileChunk(name=f"facts{n}.csv", content=b"x") for n in range(count))
    return [upload(graph_id)[0], *(graph_pb2.ImportGraphRequest(chunk=chunk) for chunk in chunks)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One wrong request: which field, what is wrong, how it is sent, and the documented answer."""

    name: str
    send: Callable[[Service, str, str], object]
    code: grpc.StatusCode
    reason: str


def creating(name: str, code: grpc.StatusCode, reason: str, change: tuple[str, ...], **fields: Any) -> Case:
    """A wrong ``CreateIntervention``."""

    def send(service: Service, branch: str, graph: str) -> object:
        return service.create(service.spec(branch, change, **fields))

    return Case(name=f"create: {name}", send=send, code=code, reason=reason)


GOOD = ("france", "has_capital", "paris", "rome")

CASES: list[Case] = [
    creating("unknown subject", NOT_FOUND, "ENTITY_NOT_FOUND", ("atlantis", "has_capital", "paris", "rome")),
    creating("unknown object", NOT_FOUND, "ENTITY_NOT_FOUND", ("france", "has_capital", "paris", "atlantis")),
    creating("ambiguous name", INVALID, "AMBIGUOUS_NAME", ("france", "has_capital", "paris", "Springfield")),
    creating("unknown relation", NOT_FOUND, "RELATION_NOT_FOUND", ("france", "capital", "paris", "rome")),
    creating("fact not asserted", NOT_FOUND, "FACT_NOT_FOUND", ("france", "has_capital", "tokyo", "rome")),
    creating("empty subject", INVALID, "INVALID_FIELD", (" ", "has_capital", "paris", "rome")),
    creating("NUL in subject", INVALID, "INVALID_FIELD", ("fra\x00nce", "has_capital", "paris", "rome")),
    creating("NUL in relation", INVALID, "INVALID_FIELD", ("france", "has\x00", "paris", "rome")),
    creating("newline in subject", INVALID, "INVALID_FIELD", ("fra\nnce", "has_capital", "paris", "rome")),
    creating("501 characters", EXHAUSTED, "TOO_LARGE", ("x" * 501, "has_capital", "paris", "rome")),
    creating("10 MB subject", EXHAUSTED, "", (HUGE, "has_capital", "paris", "rome")),
    creating("10 MB method", EXHAUSTED, "", GOOD, method=HUGE),
    creating("unknown method", INVALID, "UNKNOWN_METHOD", GOOD, method="alphaedti"),
    creating("hostile method", INVALID, "UNKNOWN_METHOD", GOOD, method="os:system"),
    creating("edit to the same object", INVALID, "INVALID_FIELD", ("france", "has_capital", "paris", "paris")),
    creating("unlearn with a new object", INVALID, "INVALID_FIELD", GOOD, goal="UNLEARN"),
    creating(
        "goal and target do not fit",
        INVALID,
        "METHOD_MISMATCH",
        GOOD,
        method="alphaedit",
        target_distribution=common_pb2.TARGET_DISTRIBUTION_VAGUE,
    ),
    creating("unknown configuration key", INVALID, "INVALID_FIELD", GOOD, method_config_json='{"nonsense": 1}'),
    creating("configuration is no JSON", INVALID, "INVALID_FIELD", GOOD, method_config_json="{"),
    creating("configuration is a list", INVALID, "INVALID_FIELD", GOOD, method_config_json="[1]"),
    creating("deeply nested configuration", INVALID, "INVALID_FIELD", GOOD, method_config_json="[" * 20_000),
    creating("unknown scorer", INVALID, "INVALID_FIELD", GOOD, scorer="letters"),
    creating("negative probes", INVALID, "INVALID_FIELD", GOOD, max_probes=-1),
    creating("too many probes", INVALID, "INVALID_FIELD", GOOD, max_probes=10**8),
    creating("unknown gate", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(metric="luck", max=1)]),
    creating("gate without bound", INVALID, "INVALID_FIELD", GOOD, gates=[intervention_pb2.Gate(metric="collateral")]),
    *(
        creating(f"{name} in subject", NOT_FOUND, "ENTITY_NOT_FOUND", (text, "has_capital", "paris", "rome"))
        for name, text in HOSTILE.items()
    ),
    *(
        creating(f"{name} in relation", NOT_FOUND, "RELATION_NOT_FOUND", ("france", text, "paris", "rome"))
        for name, text in HOSTILE.items()
    ),
    Case(
        name="create: no goal",
        send=lambda s, b, _: s.create(intervention_pb2.InterventionSpec(branch_id=b, method="finetune")),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="create: no changes",
        send=lambda s, b, _: s.create(s.spec(b)),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="create: two edits of one fact to two objects",
        send=lambda s, b, _: s.create(s.spec(b, GOOD, ("france", "has_capital", "paris", "madrid"))),
        code=INVALID,
        reason="CONFLICTING_CHANGES",
    ),
    Case(
        name="create: unknown branch",
        send=lambda s, _b, _g: s.create(s.spec("nowhere", GOOD)),
        code=NOT_FOUND,
        reason="BRANCH_NOT_FOUND",
    ),
    Case(
        name="create: request id is no UUID",
        send=lambda s, b, _: s.create(s.spec(b, GOOD), request_id="again"),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="create: another head expected",
        send=lambda s, b, _: s.create(s.spec(b, GOOD), expected_revision="rev_0"),
        code=grpc.StatusCode.ABORTED,
        reason="REVISION_MISMATCH",
    ),
    Case(
        name="register: path is not a model",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="none", path="/etc"), timeout=60
        ),
        code=PRECONDITION,
        reason="MODEL_NOT_LOADABLE",
    ),
    Case(
        name="register: path does not exist",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="none", path="/no/such/folder"), timeout=60
        ),
        code=NOT_FOUND,
        reason="MODEL_NOT_FOUND",
    ),
    Case(
        name="register: NUL in path",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="none", path="/models/\x00"), timeout=60
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="register: hostile id",
        send=lambda s, _b, _g: s.model.RegisterModel(
            model_pb2.RegisterModelRequest(id="../x", path="/etc"), timeout=60
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="branch: unknown model",
        send=lambda s, _b, g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id="bx", model_id="none", graph_id=g), timeout=30
        ),
        code=NOT_FOUND,
        reason="MODEL_NOT_FOUND",
    ),
    Case(
        name="branch: unknown graph",
        send=lambda s, _b, _g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id="bx", model_id="tiny", graph_id="none"), timeout=30
        ),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="branch: id taken",
        send=lambda s, b, g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id=b, model_id="tiny", graph_id=g), timeout=30
        ),
        code=grpc.StatusCode.ALREADY_EXISTS,
        reason="ALREADY_EXISTS",
    ),
    Case(
        name="branch: hostile id",
        send=lambda s, _b, g: s.model.CreateBranch(
            model_pb2.CreateBranchRequest(id="`) DELETE n //", model_id="tiny", graph_id=g), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="rollback: branch at its base",
        send=lambda s, b, _: s.model.RollbackBranch(model_pb2.RollbackBranchRequest(branch_id=b), timeout=30),
        code=PRECONDITION,
        reason="FAILED_PRECONDITION",
    ),
    Case(
        name="ask: no prompt",
        send=lambda s, b, _: s.model.Ask(model_pb2.AskRequest(branch_id=b), timeout=30),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="ask: too many tokens",
        send=lambda s, b, _: s.model.Ask(
            model_pb2.AskRequest(branch_id=b, prompts=["x"], max_new_tokens=10_000), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="ask: unknown revision",
        send=lambda s, b, _: s.model.Ask(
            model_pb2.AskRequest(branch_id=b, revision_id="rev_0", prompts=["x"]), timeout=30
        ),
        code=NOT_FOUND,
        reason="REVISION_NOT_FOUND",
    ),
    Case(
        name="export: path in the name",
        send=lambda s, b, _: s.model.ExportRevision(
            model_pb2.ExportRevisionRequest(
                branch_id=b, name="../../out", format=model_pb2.EXPORT_FORMAT_HF_CHECKPOINT
            ),
            timeout=30,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="export: no format",
        send=lambda s, b, _: s.model.ExportRevision(
            model_pb2.ExportRevisionRequest(branch_id=b, name="out"), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown graph",
        send=lambda s, _b, _g: s.probe.GenerateProbeSet(probe_pb2.GenerateProbeSetRequest(graph_id="none"), timeout=30),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="probes: negative limit",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, limit_per_kind=-1), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown level",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, levels=["Trunk"]), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: negative phrasings",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, phrasings=-1), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown subtree",
        send=lambda s, _b, g: s.probe.GenerateProbeSet(
            probe_pb2.GenerateProbeSetRequest(graph_id=g, subtree_uid="none"), timeout=30
        ),
        code=NOT_FOUND,
        reason="ENTITY_NOT_FOUND",
    ),
    Case(
        name="probes: sample of nothing",
        send=lambda s, _b, _g: s.probe.SampleProbeSet(
            probe_pb2.SampleProbeSetRequest(probe_set_id="none", size=0), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown balance",
        send=lambda s, _b, _g: s.probe.SampleProbeSet(
            probe_pb2.SampleProbeSetRequest(probe_set_id="none", size=1, balance=["luck"]), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: audit of an unknown set",
        send=lambda s, _b, _g: s.probe.AuditProbeSet(probe_pb2.AuditProbeSetRequest(probe_set_id="none"), timeout=30),
        code=NOT_FOUND,
        reason="PROBE_SET_NOT_FOUND",
    ),
    Case(
        name="probes: unknown export format",
        send=lambda s, _b, _g: list(
            s.probe.ExportProbeSet(probe_pb2.ExportProbeSetRequest(probe_set_id="none", format="../x"), timeout=30)
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
            timeout=30,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: import of nothing",
        send=lambda s, _b, _g: s.probe.ImportProbeSet(iter(()), timeout=30),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown set",
        send=lambda s, _b, _g: s.probe.ListProbes(probe_pb2.ListProbesRequest(probe_set_id="none"), timeout=30),
        code=NOT_FOUND,
        reason="PROBE_SET_NOT_FOUND",
    ),
    Case(
        name="cases: unknown graph",
        send=lambda s, _b, _g: s.case.ListCases(case_pb2.ListCasesRequest(graph_id="none"), timeout=30),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="cases: token of another family",
        send=lambda s, _b, g: s.case.ListCases(
            case_pb2.ListCasesRequest(graph_id=g, family="x", page_token="bm9uc2Vuc2U"), timeout=30
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="case: unknown id",
        send=lambda s, _b, g: s.case.GetCase(case_pb2.GetCaseRequest(graph_id=g, id="none"), timeout=30),
        code=NOT_FOUND,
        reason="CASE_NOT_FOUND",
    ),
    Case(
        name="case: no id",
        send=lambda s, _b, g: s.case.GetCase(case_pb2.GetCaseRequest(graph_id=g), timeout=30),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="list: negative page",
        send=lambda s, b, _: s.intervention.ListInterventions(
            intervention_pb2.ListInterventionsRequest(branch_id=b, page_size=-1), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="list: foreign page token",
        send=lambda s, b, _: s.intervention.ListInterventions(
            intervention_pb2.ListInterventionsRequest(branch_id=b, page_token="bm9uc2Vuc2U"), timeout=30
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
            propagation_pb2.GetPropagationRequest(intervention_id="none"), timeout=30
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="evidence: unknown verdict",
        send=lambda s, _b, _g: s.propagation.ListEvidence(
            propagation_pb2.ListEvidenceRequest(intervention_id="none", verdicts=[99]),  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
            timeout=30,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="changed facts: negative page",
        send=lambda s, _b, _g: s.propagation.ListChangedFacts(
            propagation_pb2.ListChangedFactsRequest(intervention_id="none", page_size=-1), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="changed facts: foreign page token",
        send=lambda s, _b, _g: s.propagation.ListChangedFacts(
            propagation_pb2.ListChangedFactsRequest(intervention_id="none", page_token="bm9uc2Vuc2U"), timeout=30
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="travel: threshold of two",
        send=lambda s, _b, _g: s.propagation.GetTravel(
            propagation_pb2.GetTravelRequest(intervention_id="none", threshold=2.0), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="compare: unknown intervention",
        send=lambda s, _b, _g: s.propagation.CompareInterventions(
            propagation_pb2.CompareInterventionsRequest(first_id="none", second_id=HOSTILE["quotes"]), timeout=30
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="over time: unknown branch",
        send=lambda s, _b, _g: s.propagation.GetOverTime(
            propagation_pb2.GetOverTimeRequest(branch_id=HOSTILE["quotes"]), timeout=30
        ),
        code=NOT_FOUND,
        reason="BRANCH_NOT_FOUND",
    ),
    Case(
        name="over time: NUL in the entity",
        send=lambda s, b, _g: s.propagation.GetOverTime(
            propagation_pb2.GetOverTimeRequest(branch_id=b, entity="a\x00b"), timeout=30
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="metrics: unknown intervention",
        send=lambda s, _b, _g: s.propagation.GetMetrics(
            propagation_pb2.GetMetricsRequest(intervention_id="none"), timeout=30
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="collapse: nothing named",
        send=lambda s, _b, _g: s.propagation.GetCollapse(propagation_pb2.GetCollapseRequest(), timeout=30),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="collapse: 101 interventions",
        send=lambda s, _b, _g: s.propagation.GetCollapse(
            propagation_pb2.GetCollapseRequest(intervention_ids=map(str, range(101))), timeout=30
        ),
        code=EXHAUSTED,
        reason="TOO_LARGE",
    ),
    Case(
        name="collapse: unknown intervention",
        send=lambda s, _b, _g: s.propagation.GetCollapse(
            propagation_pb2.GetCollapseRequest(intervention_ids=["none"]), timeout=30
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="cypher: writing",
        send=lambda s, _b, _g: s.graph.RunCypher(
            graph_pb2.RunCypherRequest(query="MATCH (n) DETACH DELETE n"), timeout=30
        ),
        code=PRECONDITION,
        reason="READ_ONLY_QUERY",
    ),
    Case(
        name="cypher: syntax",
        send=lambda s, _b, _g: s.graph.RunCypher(graph_pb2.RunCypherRequest(query="MATCH (n RETURN n"), timeout=30),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="cypher: hidden write in a subquery",
        send=lambda s, _b, _g: s.graph.RunCypher(
            graph_pb2.RunCypherRequest(query="CALL () { CREATE (x:Evil) RETURN x } RETURN x"), timeout=30
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


def fingerprint(store: GraphStore, graph_id: str) -> object:
    """Everything of one graph, and the number of everything else."""
    query = (
        "MATCH (n) OPTIONAL MATCH (n)-[r]->() "
        "RETURN count(DISTINCT n) AS nodes, count(r) AS relationships, "
        "sum(CASE WHEN n.graph_id = $g THEN size(keys(n)) ELSE 0 END) AS properties"
    )
    return store.run_user_query(query, {"g": graph_id}, limit=1, timeout_s=60)[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused_with_status_and_reason_and_nothing_changed(
    case: Case, service: Service, second_client: GraphStore, world: str, branch: str
) -> None:
    before = fingerprint(second_client, world)
    with pytest.raises(grpc.RpcError) as refused:
        case.send(service, branch, world)
    code, reason, metadata = reason_of(refused.value)
    assert (code, reason) == (case.code, case.reason), refused.value.details()
    if reason:
        assert metadata["message"]
    assert fingerprint(second_client, world) == before


def test_request_id_makes_one_job_and_refuses_another_body(service: Service, branch: str) -> None:
    request_id = str(uuid.uuid4())
    spec = service.spec(branch, GOOD)
    first = service.create(spec, request_id=request_id)
    assert service.create(spec, request_id=request_id).id == first.id
    with pytest.raises(grpc.RpcError) as refused:
        service.create(service.spec(branch, ("peru", "has_capital", "lima", "rome")), request_id=request_id)
    assert reason_of(refused.value)[:2] == (INVALID, "REQUEST_ID_REUSED")
    service.wait(first.id)
    assert service.create(spec, request_id=request_id).id == first.id


def test_page_tokens_walk_every_item_once_and_belong_to_their_listing(service: Service, branch: str) -> None:
    made = [service.create(service.spec(branch, GOOD, hold=True)).id, service.create(service.spec(branch, GOOD)).id]
    seen: list[str] = []
    token = ""
    while True:
        request = intervention_pb2.ListInterventionsRequest(branch_id=branch, page_size=1, page_token=token)
        page = service.intervention.ListInterventions(request, timeout=30)
        seen += [job.id for job in page.interventions]
        token = page.next_page_token
        if not token:
            break
        with pytest.raises(grpc.RpcError) as refused:
            service.intervention.ListInterventions(
                intervention_pb2.ListInterventionsRequest(page_size=1, page_token=token), timeout=30
            )
        assert reason_of(refused.value)[1] == "PAGE_TOKEN_MISMATCH"
    assert sorted(seen) == sorted(made)
    for job_id in made:
        service.cancel(job_id)
