"""The questions that the tests' server answers from its ledger."""

# ruff: noqa: N802 - names of the generated base classes
from __future__ import annotations

from typing import Any

from tests.client import wire
from tests.client.fake_core import Part
from tests.client.wire import ROWS, change, propagation_groups, rate, target_evidence

from knowledgesmith.v1 import common_pb2, propagation_pb2, propagation_pb2_grpc


class Propagation(Part, propagation_pb2_grpc.PropagationServiceServicer):
    def GetPropagation(self, request: Any, context: Any) -> propagation_pb2.GetPropagationResponse:
        self.fake.take("GetPropagation", request, context)
        return propagation_pb2.GetPropagationResponse(
            groups=propagation_groups(), query=wire.query(), **self.fake.rates
        )

    def ListBeliefChanges(self, request: Any, context: Any) -> propagation_pb2.ListBeliefChangesResponse:
        self.fake.take("ListBeliefChanges", request, context)
        first = int(request.page_token or 1)
        token = str(first + 2) if first + 2 <= ROWS else ""
        return propagation_pb2.ListBeliefChangesResponse(
            changes=[change(first), change(first + 1)],
            next_page_token=token,
            query=wire.query(),
        )

    def GetSubgraph(self, request: Any, context: Any) -> propagation_pb2.GetSubgraphResponse:
        self.fake.take("GetSubgraph", request, context)
        japan = propagation_pb2.SubgraphNode(
            uid="japan",
            name="Japan",
            level=common_pb2.LEVEL_INTERMEDIATE,
            type="Country",
            domain="geography",
            target=True,
        )
        japan.hops, japan.before, japan.after = 0, 0.9, 0.1
        hostile = propagation_pb2.SubgraphNode(
            uid="x", name='<script>"&\x1b[31m', level=common_pb2.LEVEL_LEAF, type="City"
        )
        edge = propagation_pb2.SubgraphEdge(
            source_uid="japan",
            relation="has_capital",
            target_uid="x",
            status=propagation_pb2.EDGE_STATUS_ADDED,
        )
        return propagation_pb2.GetSubgraphResponse(nodes=[japan, hostile], edges=[edge], query=wire.query())

    def ListEvidence(self, request: Any, context: Any) -> propagation_pb2.ListEvidenceResponse:
        self.fake.take("ListEvidence", request, context)
        if common_pb2.ROLE_TARGET in request.roles:
            return propagation_pb2.ListEvidenceResponse(evidence=[target_evidence()], query=wire.query())
        first = int(request.page_token or 1)
        found = [
            propagation_pb2.ProbeEvidence(
                sequence=sequence,
                entity_uid=f"e{sequence}",
                entity_name=f"Entity {sequence}",
                level=common_pb2.LEVEL_LEAF,
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
                probe_id=f"p{sequence}",
            )
            for sequence in (first, first + 1)
        ]
        token = str(first + 2) if first + 2 <= 4 else ""
        return propagation_pb2.ListEvidenceResponse(evidence=found, next_page_token=token, query=wire.query())

    def ListChangedFacts(self, request: Any, context: Any) -> propagation_pb2.ListChangedFactsResponse:
        self.fake.take("ListChangedFacts", request, context)
        fact = propagation_pb2.ChangedFact(
            subject_uid="japan",
            subject_name="Japan",
            relation="has_capital",
            functional=True,
            old_object_uid="tokyo",
            old_object_name="Tokyo",
            new_object_uid="paris",
            new_object_name="Paris",
            contexts=3,
            support=propagation_pb2.Support(old_before=3, old_after=1, new_after=2),
            conflict_any_context=True,
            agreement=propagation_pb2.AGREEMENT_MIXED,
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
        return propagation_pb2.ListChangedFactsResponse(facts=[fact], query=wire.query())

    def GetTravel(self, request: Any, context: Any) -> propagation_pb2.GetTravelResponse:
        self.fake.take("GetTravel", request, context)
        steps = [
            propagation_pb2.TravelStep(
                relation="HAS_CAPITAL", forward=True, entity_uid="tokyo", entity_name="Tokyo", delta=-0.5
            ),
            propagation_pb2.TravelStep(relation="TWIN_OF", forward=False, entity_uid="x", entity_name="Xi"),
        ]
        path = propagation_pb2.TravelPath(target_uid="japan", target_name="Japan", steps=steps)
        stop = propagation_pb2.TravelStop(
            entity_uid="peru", entity_name="Peru", level=common_pb2.LEVEL_LEAF, moved=0.01, neighbours=1, names=["Xi"]
        )
        return propagation_pb2.GetTravelResponse(
            paths=[path], stops=[stop], paths_query=wire.query(), stops_query=wire.query()
        )

    def CompareInterventions(self, request: Any, context: Any) -> propagation_pb2.CompareInterventionsResponse:
        self.fake.take("CompareInterventions", request, context)
        row = propagation_pb2.ComparedRow(
            entity_uid="japan",
            entity_name="Japan",
            kind=common_pb2.PROBE_KIND_REVERSE,
            polarity=common_pb2.POLARITY_CHANGE,
            relation="capital_of",
            first_before=0.5,
            first_after=0.25,
            first_delta=-0.25,
        )
        overlap = propagation_pb2.LedgerOverlap(both=2, only_first=1, mean_difference=0.125, query=wire.query())
        return propagation_pb2.CompareInterventionsResponse(rows=[row], query=wire.query(), overlap=overlap)

    def GetOverTime(self, request: Any, context: Any) -> propagation_pb2.GetOverTimeResponse:
        self.fake.take("GetOverTime", request, context)
        group = propagation_pb2.PropagationGroup(key="i1", rows=3, mean_before=0.7, propagated=rate(2, 3))
        point = propagation_pb2.TimePoint(
            position=1, intervention_id="i1", goal=common_pb2.GOAL_EDIT, method="alphaedit", group=group
        )
        return propagation_pb2.GetOverTimeResponse(points=[point], query=wire.query())

    def GetMetrics(self, request: Any, context: Any) -> propagation_pb2.GetMetricsResponse:
        self.fake.take("GetMetrics", request, context)
        metrics = [
            propagation_pb2.Metric(
                name="ccr", group_by=propagation_pb2.GROUPING_BAND, group="1", rate=rate(1, 4), asked=6
            ),
            propagation_pb2.Metric(
                name="plasticity", group_by=propagation_pb2.GROUPING_ALL, group="all", rate=rate(3, 4), corrected=0.5
            ),
        ]
        queries = [wire.query(), wire.query()]
        return propagation_pb2.GetMetricsResponse(metrics=metrics, queries=queries, **self.fake.rates)

    def GetCollapse(self, request: Any, context: Any) -> propagation_pb2.GetCollapseResponse:
        self.fake.take("GetCollapse", request, context)
        points = [
            propagation_pb2.ScaleAccuracy(intervention_id=name, k=10**n, direct=rate(4 - n, 4), reverse=rate(4, 4))
            for n, name in enumerate(request.intervention_ids)
        ]
        if "withheld" in self.fake.rates:
            one, why = points[-1], self.fake.rates["withheld"]
            points[-1] = type(one)(intervention_id=one.intervention_id, k=one.k, withheld=why)
        falls = [propagation_pb2.ScaleFall(k=1), propagation_pb2.ScaleFall(k=10, direct=0.25, collapsed=False)]
        return propagation_pb2.GetCollapseResponse(points=points, falls=falls, query=wire.query())
