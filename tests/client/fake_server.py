"""A small server in this process that implements the generated servicers with canned data, for the client's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer
from tests.client.wire import (
    DIGEST,
    ROWS,
    Failure,
    State,
    Watch,
    branch,
    case,
    change,
    graph,
    import_report,
    intervention,
    plan,
    probe,
    propagation_groups,
    rate,
    target_evidence,
    whole_watch,
)

from knowledgesmith.v1 import (
    case_pb2,
    case_pb2_grpc,
    common_pb2,
    graph_pb2,
    graph_pb2_grpc,
    intervention_pb2,
    intervention_pb2_grpc,
    model_pb2,
    model_pb2_grpc,
    probe_pb2,
    probe_pb2_grpc,
    propagation_pb2,
    propagation_pb2_grpc,
)


@dataclass
class FakeServer:
    """The server: requests are recorded, failures are taken from a queue per method.

    ``watches`` holds one script a connection: messages to send, and failures to end with.
    """

    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    metadata: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    failures: dict[str, list[Failure]] = field(default_factory=dict[str, list[Failure]])
    watches: list[list[Watch | Failure]] = field(default_factory=list[list[Watch | Failure]])
    interventions: int = 1
    branches: tuple[str, ...] = ("main",)
    answer: Callable[[str, str], str] | None = None
    cypher_rows: tuple[str, ...] = ('["Japan", 1]', '["\\u001b[31mred", null]')
    rates: dict[str, Any] = field(default_factory=lambda: {"verdict_scheme": 2, "placebo_id": "i0"})
    warnings: list[intervention_pb2.PlanWarning] = field(default_factory=list[intervention_pb2.PlanWarning])
    target: str = "127.0.0.1:0"
    _server: grpc.Server | None = None

    def __enter__(self) -> Self:
        server = grpc.server(ThreadPoolExecutor(max_workers=8))
        graph_pb2_grpc.add_GraphServiceServicer_to_server(_Graphs(self), server)
        case_pb2_grpc.add_CaseServiceServicer_to_server(_Cases(self), server)
        probe_pb2_grpc.add_ProbeServiceServicer_to_server(_Probes(self), server)
        model_pb2_grpc.add_ModelServiceServicer_to_server(_Models(self), server)
        intervention_pb2_grpc.add_InterventionServiceServicer_to_server(_Interventions(self), server)
        propagation_pb2_grpc.add_PropagationServiceServicer_to_server(_Propagation(self), server)
        health = HealthServicer()
        health.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        self.target = f"127.0.0.1:{server.add_insecure_port(self.target)}"
        server.start()
        self._server = server
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop(grace=0).wait()

    def take(self, name: str, request: Message, context: grpc.ServicerContext) -> None:
        """Record a call, and fail it if a failure waits for this method."""
        self.calls.append((name, request))
        self.metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        if self.failures.get(name):
            self.failures[name].pop(0).abort(context)

    def requests(self, name: str) -> list[Any]:
        """The requests that a method received."""
        return [request for called, request in self.calls if called == name]


class _Part:
    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake


class _Graphs(_Part, graph_pb2_grpc.GraphServiceServicer):
    def ImportGraph(  # noqa: N802
        self, request_iterator: Iterator[graph_pb2.ImportGraphRequest], context: grpc.ServicerContext
    ) -> Iterator[graph_pb2.ImportGraphResponse]:
        for request in request_iterator:
            self.fake.take("ImportGraph", request, context)
        yield graph_pb2.ImportGraphResponse(progress=graph_pb2.ImportProgress(stage="read", done=4, seconds=0.5))
        rejected = graph_pb2.ImportRejection(file="facts.csv", record=3, reason="no such \x1b[31mentity")
        yield graph_pb2.ImportGraphResponse(rejections=graph_pb2.ImportRejections(rejections=[rejected]))
        yield graph_pb2.ImportGraphResponse(
            result=graph_pb2.ImportResult(graph=graph("mine"), report=import_report(rejected))
        )

    def ListImporters(self, request: Any, context: Any) -> graph_pb2.ListImportersResponse:  # noqa: N802
        self.fake.take("ListImporters", request, context)
        option = graph_pb2.ImporterOption(name="depth", schema_json='{"type": "integer"}', default_json="3")
        importer = graph_pb2.Importer(name="obo", summary="OBO", endings=[".obo"], options=[option])
        return graph_pb2.ListImportersResponse(importers=[importer])

    def ImportBundledGraph(self, request: Any, context: Any) -> graph_pb2.ImportBundledGraphResponse:  # noqa: N802
        self.fake.take("ImportBundledGraph", request, context)
        report = graph_pb2.ImportReport(entities_created=10, facts_created=12, relations=4, seconds=0.5)
        return graph_pb2.ImportBundledGraphResponse(graph=graph(request.graph_id or request.name), report=report)

    def GetGraph(self, request: Any, context: Any) -> graph_pb2.GetGraphResponse:  # noqa: N802
        self.fake.take("GetGraph", request, context)
        return graph_pb2.GetGraphResponse(graph=graph(request.graph_id))

    def ListGraphs(self, request: Any, context: Any) -> graph_pb2.ListGraphsResponse:  # noqa: N802
        self.fake.take("ListGraphs", request, context)
        return graph_pb2.ListGraphsResponse(graphs=[graph()])

    def RunCypher(self, request: Any, context: Any) -> graph_pb2.RunCypherResponse:  # noqa: N802
        self.fake.take("RunCypher", request, context)
        rows, most = self.fake.cypher_rows, request.max_rows
        return graph_pb2.RunCypherResponse(columns=["name", "n"], rows_json=rows, truncated=0 < most < len(rows))

    def GetConnectionInfo(self, request: Any, context: Any) -> graph_pb2.GetConnectionInfoResponse:  # noqa: N802
        self.fake.take("GetConnectionInfo", request, context)
        return graph_pb2.GetConnectionInfoResponse(uri="bolt://127.0.0.1:7687", database="neo4j", embedded=True)


class _Probes(_Part, probe_pb2_grpc.ProbeServiceServicer):
    made = probe_pb2.ProbeSet(id="s1", graph_id="atlas", digest=DIGEST, seed=7, counts={"DIRECT": 3}, verified=3)

    def GenerateProbeSet(self, request: Any, context: Any) -> probe_pb2.GenerateProbeSetResponse:  # noqa: N802
        self.fake.take("GenerateProbeSet", request, context)
        return probe_pb2.GenerateProbeSetResponse(probe_set=self.made)

    def GetProbeSet(self, request: Any, context: Any) -> probe_pb2.GetProbeSetResponse:  # noqa: N802
        self.fake.take("GetProbeSet", request, context)
        return probe_pb2.GetProbeSetResponse(probe_set=self.made)

    def ListProbeSets(self, request: Any, context: Any) -> probe_pb2.ListProbeSetsResponse:  # noqa: N802
        self.fake.take("ListProbeSets", request, context)
        return probe_pb2.ListProbeSetsResponse(probe_sets=[self.made])

    def ListProbes(self, request: Any, context: Any) -> probe_pb2.ListProbesResponse:  # noqa: N802
        self.fake.take("ListProbes", request, context)
        return probe_pb2.ListProbesResponse(probes=[probe(1), probe(2)])

    def SampleProbeSet(self, request: Any, context: Any) -> probe_pb2.SampleProbeSetResponse:  # noqa: N802
        self.fake.take("SampleProbeSet", request, context)
        return probe_pb2.SampleProbeSetResponse(probe_set=self.made)

    def AuditProbeSet(self, request: Any, context: Any) -> probe_pb2.AuditProbeSetResponse:  # noqa: N802
        self.fake.take("AuditProbeSet", request, context)
        return probe_pb2.AuditProbeSetResponse(
            probe_set_id=request.probe_set_id,
            probes=3,
            verified=True,
            findings=[probe_pb2.AuditFinding(check="duplicate", count=1, examples=["ab"])],
            letters=[probe_pb2.LetterBalance(options=2, counts=[1, 2], chi_square=0.3, p_value=0.6)],
            baselines=[probe_pb2.OptionsBaseline(kind="ALL", tested=2, right=1, accuracy=0.5, high=1.0, chance=0.25)],
            sheet="id\n",
        )

    def ExportProbeSet(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.fake.take("ExportProbeSet", request, context)
        name = "../evil" if request.probe_set_id == "evil" else "data/a.parquet"
        for content in (b"", b"one", b"two"):
            yield probe_pb2.ExportProbeSetResponse(file=name, content=content)

    def ImportProbeSet(self, request_iterator: Any, context: Any) -> probe_pb2.ImportProbeSetResponse:  # noqa: N802
        for request in request_iterator:
            self.fake.take("ImportProbeSet", request, context)
        return probe_pb2.ImportProbeSetResponse(probe_set=self.made)


class _Cases(_Part, case_pb2_grpc.CaseServiceServicer):
    def ListCases(self, request: Any, context: Any) -> case_pb2.ListCasesResponse:  # noqa: N802
        self.fake.take("ListCases", request, context)
        return case_pb2.ListCasesResponse(cases=[case("set:1"), case("set:2")])

    def GetCase(self, request: Any, context: Any) -> case_pb2.GetCaseResponse:  # noqa: N802
        self.fake.take("GetCase", request, context)
        asked = case_pb2.CaseProbe(
            kind=common_pb2.PROBE_KIND_DIRECT,
            polarity=common_pb2.POLARITY_CHANGE,
            family="rephrase",
            stem="Japan is led from",
            answers=["Paris"],
            answers_before=["Tokyo"],
        )
        found = case(request.id)
        found.probes.append(asked)
        return case_pb2.GetCaseResponse(case=found)


class _Models(_Part, model_pb2_grpc.ModelServiceServicer):
    model = model_pb2.Model(id="m", path="p", weights_sha256=DIGEST, architecture="Llama", parameters=1000)
    revisions = (
        model_pb2.Revision(id="r2", parent="r1", weights_sha256=DIGEST, intervention_id="i2"),
        model_pb2.Revision(id="r1", parent="r0", weights_sha256=DIGEST, intervention_id="i1"),
        model_pb2.Revision(id="r0", weights_sha256=DIGEST),
    )

    def RegisterModel(self, request: Any, context: Any) -> model_pb2.RegisterModelResponse:  # noqa: N802
        self.fake.take("RegisterModel", request, context)
        return model_pb2.RegisterModelResponse(model=self.model)

    def ListModels(self, request: Any, context: Any) -> model_pb2.ListModelsResponse:  # noqa: N802
        self.fake.take("ListModels", request, context)
        return model_pb2.ListModelsResponse(models=[self.model])

    def ListMethods(self, request: Any, context: Any) -> model_pb2.ListMethodsResponse:  # noqa: N802
        self.fake.take("ListMethods", request, context)
        method = model_pb2.Method(
            name="alphaedit", family="weights", accepts=["EDIT/NEW_OBJECT"], config_schema_json="{}"
        )
        return model_pb2.ListMethodsResponse(methods=[method])

    def CreateBranch(self, request: Any, context: Any) -> model_pb2.CreateBranchResponse:  # noqa: N802
        self.fake.take("CreateBranch", request, context)
        return model_pb2.CreateBranchResponse(branch=branch(request.id))

    def GetBranch(self, request: Any, context: Any) -> model_pb2.GetBranchResponse:  # noqa: N802
        self.fake.take("GetBranch", request, context)
        return model_pb2.GetBranchResponse(branch=branch(request.id))

    def SelectBranch(self, request: Any, context: Any) -> model_pb2.SelectBranchResponse:  # noqa: N802
        self.fake.take("SelectBranch", request, context)
        return model_pb2.SelectBranchResponse(branch=branch(request.id))

    def ListBranches(self, request: Any, context: Any) -> model_pb2.ListBranchesResponse:  # noqa: N802
        self.fake.take("ListBranches", request, context)
        return model_pb2.ListBranchesResponse(branches=[branch(name) for name in self.fake.branches])

    def ListRevisions(self, request: Any, context: Any) -> model_pb2.ListRevisionsResponse:  # noqa: N802
        self.fake.take("ListRevisions", request, context)
        return model_pb2.ListRevisionsResponse(revisions=self.revisions)

    def RollbackBranch(self, request: Any, context: Any) -> model_pb2.RollbackBranchResponse:  # noqa: N802
        self.fake.take("RollbackBranch", request, context)
        head = self.revisions[1]
        return model_pb2.RollbackBranchResponse(branch=branch(request.branch_id), head=head, weights_sha256=DIGEST)

    def Ask(self, request: Any, context: Any) -> model_pb2.AskResponse:  # noqa: N802
        self.fake.take("Ask", request, context)
        answer = self.fake.answer or _capital
        texts = [answer(prompt, request.revision_id) for prompt in request.prompts]
        return model_pb2.AskResponse(texts=texts, revision_id=request.revision_id or "r2")

    def ExportRevision(self, request: Any, context: Any) -> model_pb2.ExportRevisionResponse:  # noqa: N802
        self.fake.take("ExportRevision", request, context)
        return model_pb2.ExportRevisionResponse(directory=f"/exports/{request.name}", bytes=2_000_000)


def _capital(_prompt: str, revision: str) -> str:
    return " Tokyo." if revision in ("base", "r1") else " Paris."


class _Interventions(_Part, intervention_pb2_grpc.InterventionServiceServicer):
    def CreateIntervention(  # noqa: N802
        self, request: Any, context: Any
    ) -> intervention_pb2.CreateInterventionResponse:
        self.fake.take("CreateIntervention", request, context)
        made = intervention(State.INTERVENTION_STATE_QUEUED, request_id=request.request_id)
        made.spec.CopyFrom(request.spec)
        if request.validate_only:
            made.id = ""
        planned = plan()
        planned.warnings.extend(self.fake.warnings)
        return intervention_pb2.CreateInterventionResponse(intervention=made, plan=planned)

    def GetIntervention(self, request: Any, context: Any) -> intervention_pb2.GetInterventionResponse:  # noqa: N802
        self.fake.take("GetIntervention", request, context)
        return intervention_pb2.GetInterventionResponse(intervention=intervention())

    def ListInterventions(  # noqa: N802
        self, request: Any, context: Any
    ) -> intervention_pb2.ListInterventionsResponse:
        self.fake.take("ListInterventions", request, context)
        first = int(request.page_token or 0)
        size = min(2, request.page_size)
        rest = range(first, min(first + size, self.fake.interventions))
        token = str(first + size) if first + size < self.fake.interventions else ""
        found = [intervention(id=f"i{number}") for number in rest]
        return intervention_pb2.ListInterventionsResponse(interventions=found, next_page_token=token)

    def GetPlan(self, request: Any, context: Any) -> intervention_pb2.GetPlanResponse:  # noqa: N802
        self.fake.take("GetPlan", request, context)
        return intervention_pb2.GetPlanResponse(plan=plan())

    def CancelIntervention(  # noqa: N802
        self, request: Any, context: Any
    ) -> intervention_pb2.CancelInterventionResponse:
        self.fake.take("CancelIntervention", request, context)
        made = intervention(State.INTERVENTION_STATE_CANCELLED)
        return intervention_pb2.CancelInterventionResponse(intervention=made)

    def WatchIntervention(self, request: Any, context: Any) -> Iterator[Watch]:  # noqa: N802
        self.fake.take("WatchIntervention", request, context)
        script = self.fake.watches.pop(0) if self.fake.watches else whole_watch()
        for step in script:
            if isinstance(step, Failure):
                step.abort(context)
            yield step

    def CommitIntervention(  # noqa: N802
        self, request: Any, context: Any
    ) -> intervention_pb2.CommitInterventionResponse:
        self.fake.take("CommitIntervention", request, context)
        return intervention_pb2.CommitInterventionResponse(intervention=intervention())

    def DiscardIntervention(  # noqa: N802
        self, request: Any, context: Any
    ) -> intervention_pb2.DiscardInterventionResponse:
        self.fake.take("DiscardIntervention", request, context)
        made = intervention(State.INTERVENTION_STATE_DISCARDED)
        return intervention_pb2.DiscardInterventionResponse(intervention=made)


class _Propagation(_Part, propagation_pb2_grpc.PropagationServiceServicer):
    cypher = "MATCH (i:Intervention {id: $id}) RETURN i"
    parameters = '{"id": "i1"}'

    def GetPropagation(self, request: Any, context: Any) -> propagation_pb2.GetPropagationResponse:  # noqa: N802
        self.fake.take("GetPropagation", request, context)
        return propagation_pb2.GetPropagationResponse(
            groups=propagation_groups(), cypher=self.cypher, parameters_json=self.parameters, **self.fake.rates
        )

    def ListBeliefChanges(  # noqa: N802
        self, request: Any, context: Any
    ) -> propagation_pb2.ListBeliefChangesResponse:
        self.fake.take("ListBeliefChanges", request, context)
        first = int(request.page_token or 1)
        token = str(first + 2) if first + 2 <= ROWS else ""
        return propagation_pb2.ListBeliefChangesResponse(
            changes=[change(first), change(first + 1)],
            next_page_token=token,
            cypher=self.cypher,
            parameters_json=self.parameters,
        )

    def GetSubgraph(self, request: Any, context: Any) -> propagation_pb2.GetSubgraphResponse:  # noqa: N802
        self.fake.take("GetSubgraph", request, context)
        japan = propagation_pb2.SubgraphNode(
            uid="japan", name="Japan", level="Intermediate", type="Country", domain="geography", target=True
        )
        japan.hops, japan.before, japan.after = 0, 0.9, 0.1
        hostile = propagation_pb2.SubgraphNode(uid="x", name='<script>"&\x1b[31m', level="Leaf", type="City")
        edge = propagation_pb2.SubgraphEdge(source="japan", relation="has_capital", target="x", status="added")
        return propagation_pb2.GetSubgraphResponse(
            nodes=[japan, hostile], edges=[edge], cypher=self.cypher, parameters_json=self.parameters
        )

    def ListEvidence(self, request: Any, context: Any) -> propagation_pb2.ListEvidenceResponse:  # noqa: N802
        self.fake.take("ListEvidence", request, context)
        if common_pb2.ROLE_TARGET in request.roles:
            return propagation_pb2.ListEvidenceResponse(evidence=[target_evidence()], query=self.query())
        first = int(request.page_token or 1)
        found = [
            propagation_pb2.ProbeEvidence(
                seq=seq,
                entity=f"e{seq}",
                name=f"Entity {seq}",
                level="Leaf",
                kind=common_pb2.PROBE_KIND_DIRECT,
                polarity=common_pb2.POLARITY_STAY,
                relation="capital_of",
                verdict=propagation_pb2.VERDICT_COLLATERAL,
                text="The capital of Peru is",
                options=["Lima", "Rome"],
                answers_before=["Lima"],
                answers_after=["Lima"],
                preferred_before="Lima",
                preferred_after="Rome",
                p_old_before=0.75,
                p_old_after=0.25,
                probe_id=f"p{seq}",
            )
            for seq in (first, first + 1)
        ]
        token = str(first + 2) if first + 2 <= 4 else ""
        return propagation_pb2.ListEvidenceResponse(evidence=found, next_page_token=token, query=self.query())

    def ListChangedFacts(self, request: Any, context: Any) -> propagation_pb2.ListChangedFactsResponse:  # noqa: N802
        self.fake.take("ListChangedFacts", request, context)
        fact = propagation_pb2.ChangedFact(
            subject="japan",
            subject_name="Japan",
            relation="has_capital",
            functional=True,
            old_object="tokyo",
            old_name="Tokyo",
            new_object="paris",
            new_name="Paris",
            contexts=3,
            support=propagation_pb2.Support(old_before=3, old_after=1, new_after=2),
            conflict_any_context=True,
            agreement="mixed",
            evidence=[
                propagation_pb2.FactContext(
                    kind=common_pb2.PROBE_KIND_DIRECT,
                    stem="The capital of Japan is",
                    preferred_before="Tokyo",
                    preferred_after="Paris",
                    supports_new=True,
                )
            ],
        )
        return propagation_pb2.ListChangedFactsResponse(facts=[fact], query=self.query())

    def GetTravel(self, request: Any, context: Any) -> propagation_pb2.GetTravelResponse:  # noqa: N802
        self.fake.take("GetTravel", request, context)
        steps = [
            propagation_pb2.TravelStep(relation="HAS_CAPITAL", forward=True, entity="tokyo", name="Tokyo", delta=-0.5),
            propagation_pb2.TravelStep(relation="TWIN_OF", forward=False, entity="x", name="Xi"),
        ]
        path = propagation_pb2.TravelPath(target="japan", target_name="Japan", steps=steps)
        stop = propagation_pb2.TravelStop(
            entity="peru", name="Peru", level="Leaf", moved=0.01, neighbours=1, names=["Xi"]
        )
        return propagation_pb2.GetTravelResponse(
            paths=[path], stops=[stop], paths_query=self.query(), stops_query=self.query()
        )

    def CompareInterventions(  # noqa: N802
        self, request: Any, context: Any
    ) -> propagation_pb2.CompareInterventionsResponse:
        self.fake.take("CompareInterventions", request, context)
        row = propagation_pb2.ComparedRow(
            entity="japan",
            name="Japan",
            kind=common_pb2.PROBE_KIND_REVERSE,
            polarity=common_pb2.POLARITY_CHANGE,
            relation="capital_of",
            first_before=0.5,
            first_after=0.25,
            first_delta=-0.25,
        )
        overlap = propagation_pb2.LedgerOverlap(both=2, only_first=1, mean_difference=0.125, query=self.query())
        return propagation_pb2.CompareInterventionsResponse(rows=[row], query=self.query(), overlap=overlap)

    def GetOverTime(self, request: Any, context: Any) -> propagation_pb2.GetOverTimeResponse:  # noqa: N802
        self.fake.take("GetOverTime", request, context)
        group = propagation_pb2.PropagationGroup(key="i1", rows=3, mean_before=0.7, propagated=rate(2, 3))
        point = propagation_pb2.TimePoint(
            position=1, intervention_id="i1", goal=common_pb2.GOAL_EDIT, method="alphaedit", group=group
        )
        return propagation_pb2.GetOverTimeResponse(points=[point], query=self.query())

    def GetMetrics(self, request: Any, context: Any) -> propagation_pb2.GetMetricsResponse:  # noqa: N802
        self.fake.take("GetMetrics", request, context)
        metrics = [
            propagation_pb2.Metric(name="ccr", group_by="band", group="1", rate=rate(1, 4), asked=6),
            propagation_pb2.Metric(name="plasticity", group_by="all", group="all", rate=rate(3, 4), corrected=0.5),
        ]
        queries = [self.query(), self.query()]
        return propagation_pb2.GetMetricsResponse(metrics=metrics, queries=queries, **self.fake.rates)

    def GetCollapse(self, request: Any, context: Any) -> propagation_pb2.GetCollapseResponse:  # noqa: N802
        self.fake.take("GetCollapse", request, context)
        points = [
            propagation_pb2.ScaleAccuracy(intervention_id=name, k=10**n, direct=rate(4 - n, 4), reverse=rate(4, 4))
            for n, name in enumerate(request.intervention_ids)
        ]
        if "withheld" in self.fake.rates:
            one, why = points[-1], self.fake.rates["withheld"]
            points[-1] = type(one)(intervention_id=one.intervention_id, k=one.k, withheld=why)
        falls = [propagation_pb2.ScaleFall(k=1), propagation_pb2.ScaleFall(k=10, direct=0.25, collapsed=False)]
        return propagation_pb2.GetCollapseResponse(points=points, falls=falls, query=self.query())

    def query(self) -> propagation_pb2.PastedQuery:
        return propagation_pb2.PastedQuery(cypher=self.cypher, parameters_json=self.parameters)
