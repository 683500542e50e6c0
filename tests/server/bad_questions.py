"""Wrong requests about probes, cases and results."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.server.bad_requests import (
    EXHAUSTED,
    HOSTILE,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    Case,
)
from tests.server.service import PATIENCE, Service

from knowledgesmith.v1 import (
    case_pb2,
    catalogue_pb2,
    cypher_pb2,
    graph_pb2,
    intervention_pb2,
    probe_pb2,
    propagation_pb2,
)


def generate(service: Service, **fields: Any) -> object:
    """A generation with its whole answer."""
    begun = service.probe.GenerateProbeSet(probe_pb2.GenerateProbeSetRequest(**fields), timeout=PATIENCE)
    return service.result(begun, probe_pb2.GenerateProbeSetResponse)


def sample(service: Service, **fields: Any) -> object:
    """A sample with its whole answer."""
    begun = service.probe.SampleProbeSet(probe_pb2.SampleProbeSetRequest(**fields), timeout=PATIENCE)
    return service.result(begun, probe_pb2.SampleProbeSetResponse)


def audit(service: Service, **fields: Any) -> object:
    """An audit with its whole answer."""
    begun = service.probe.AuditProbeSet(probe_pb2.AuditProbeSetRequest(**fields), timeout=PATIENCE)
    return service.result(begun, probe_pb2.AuditProbeSetResponse)


def take_in(service: Service, *messages: probe_pb2.ImportProbeSetRequest) -> object:
    """An import of a probe set with its whole answer."""
    begun = service.probe.ImportProbeSet(iter(messages), timeout=PATIENCE)
    return service.result(begun, probe_pb2.ImportProbeSetResponse)


def interventions(service: Service, **fields: Any) -> object:
    """A page of interventions."""
    request = intervention_pb2.ListInterventionsRequest(**fields)
    return service.intervention.ListInterventions(request, timeout=PATIENCE)


UNKNOWN: tuple[dict[str, Any], ...] = ({"states": [99]}, {"goal": 99}, {"view": 99})


def interventions_like(fields: dict[str, Any], service: Service, branch: str, _graph: str) -> object:
    """A page of the interventions of a branch."""
    return interventions(service, branch_id=branch, **fields)


ASKING: list[Case] = [
    Case(
        name="probes: unknown graph",
        send=lambda s, _b, _g: generate(s, graph_id="none"),
        code=NOT_FOUND,
        reason="GRAPH_NOT_FOUND",
    ),
    Case(
        name="probes: negative limit",
        send=lambda s, _b, g: generate(s, graph_id=g, limit_per_kind=-1),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown level",
        send=lambda s, _b, g: generate(s, graph_id=g, levels=[99]),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: negative phrasings",
        send=lambda s, _b, g: generate(s, graph_id=g, phrasings=-1),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown subtree",
        send=lambda s, _b, g: generate(s, graph_id=g, subtree_uid="none"),
        code=NOT_FOUND,
        reason="ENTITY_NOT_FOUND",
    ),
    Case(
        name="probes: sample of nothing",
        send=lambda s, _b, _g: sample(s, probe_set_id="none", size=0),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: unknown balance",
        send=lambda s, _b, _g: sample(s, probe_set_id="none", size=1, balance=[99]),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: audit of an unknown set",
        send=lambda s, _b, _g: audit(s, probe_set_id="none"),
        code=NOT_FOUND,
        reason="PROBE_SET_NOT_FOUND",
    ),
    Case(
        name="probes: unknown export format",
        send=lambda s, _b, _g: list(
            s.probe.ExportProbeSet(
                probe_pb2.ExportProbeSetRequest(
                    probe_set_id="none",
                    format=99,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
                ),
                timeout=PATIENCE,
            )
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: import of noise",
        send=lambda s, _b, _g: take_in(
            s,
            probe_pb2.ImportProbeSetRequest(
                header=probe_pb2.ImportProbeSetHeader(name="x.parquet", format=probe_pb2.PROBE_SET_FORMAT_PARQUET)
            ),
            probe_pb2.ImportProbeSetRequest(content=b"noise"),
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="probes: import of nothing",
        send=lambda s, _b, _g: take_in(s),
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
        send=lambda s, _b, g: s.case.GetCase(case_pb2.GetCaseRequest(graph_id=g, case_id="none"), timeout=PATIENCE),
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
        send=lambda s, b, _: interventions(s, branch_id=b, page_size=-1),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="list: foreign page token",
        send=lambda s, b, _: interventions(s, branch_id=b, page_token="bm9uc2Vuc2U"),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    *(
        Case(
            name=f"list: unknown {next(iter(wrong))}",
            send=partial(interventions_like, wrong),
            code=INVALID,
            reason="INVALID_FIELD",
        )
        for wrong in UNKNOWN
    ),
    Case(
        name="relations: foreign page token",
        send=lambda s, _b, g: s.catalogue.ListRelations(
            catalogue_pb2.ListRelationsRequest(graph_id=g, page_token="bm9uc2Vuc2U"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="traits: no kind",
        send=lambda s, _b, g: s.catalogue.AcceptTraits(
            catalogue_pb2.AcceptTraitsRequest(graph_id=g, traits=[catalogue_pb2.Trait(relation="has_capital")]),
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="wordings: no use",
        send=lambda s, _b, g: s.catalogue.CorrectWordings(
            catalogue_pb2.CorrectWordingsRequest(
                graph_id=g, relation="has_capital", corrections=[catalogue_pb2.WordingCorrection(text="{s} is")]
            ),
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="delete: unknown intervention",
        send=lambda s, _b, _g: s.intervention.DeleteIntervention(
            intervention_pb2.DeleteInterventionRequest(intervention_id="none"), timeout=PATIENCE
        ),
        code=NOT_FOUND,
        reason="INTERVENTION_NOT_FOUND",
    ),
    Case(
        name="delete: request id is no UUID",
        send=lambda s, _b, _g: s.intervention.DeleteIntervention(
            intervention_pb2.DeleteInterventionRequest(intervention_id="none", request_id="again"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="INVALID_FIELD",
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
        name="propagation: a grouping of metrics alone",
        send=lambda s, _b, _g: s.propagation.GetPropagation(
            propagation_pb2.GetPropagationRequest(intervention_id="none", group_by=propagation_pb2.GROUPING_BAND),
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
    Case(
        name="rows: unknown filter",
        send=lambda s, _b, _g: s.propagation.ListBeliefChanges(
            propagation_pb2.ListBeliefChangesRequest(intervention_id="none", filter=99),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
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
            propagation_pb2.CompareInterventionsRequest(
                first_intervention_id="none", second_intervention_id=HOSTILE["quotes"]
            ),
            timeout=PATIENCE,
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
        name="over time: foreign page token",
        send=lambda s, b, _g: s.propagation.GetOverTime(
            propagation_pb2.GetOverTimeRequest(branch_id=b, page_token="bm9uc2Vuc2U"), timeout=PATIENCE
        ),
        code=INVALID,
        reason="PAGE_TOKEN_MISMATCH",
    ),
    Case(
        name="over time: NUL in the entity",
        send=lambda s, b, _g: s.propagation.GetOverTime(
            propagation_pb2.GetOverTimeRequest(branch_id=b, entity_uid="a\x00b"), timeout=PATIENCE
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
        name="cypher: a node as a parameter",
        send=lambda s, _b, _g: s.graph.RunCypher(
            graph_pb2.RunCypherRequest(
                query="RETURN $n", parameters={"n": cypher_pb2.CypherValue(node_value=cypher_pb2.CypherNode(id="1"))}
            ),
            timeout=PATIENCE,
        ),
        code=INVALID,
        reason="INVALID_FIELD",
    ),
]
