"""Canned messages of the wire, for the client's tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from knowledgesmith.v1 import (
    case_pb2,
    common_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
    probe_pb2,
    propagation_pb2,
)

Watch = intervention_pb2.WatchInterventionResponse
State = intervention_pb2.InterventionState
ROWS = 6
DIGEST = "ab" * 32
FINDINGS = (
    graph_pb2.ImportFindings(
        kind="read_as",
        meaning="how files were read",
        count=1,
        examples=[graph_pb2.ImportFinding(file="mine.csv", text="subject=column 1; 64 facts", count=1)],
    ),
    graph_pb2.ImportFindings(
        kind="doubled",
        meaning="facts that are stated more than once",
        count=7,
        examples=[graph_pb2.ImportFinding(file="mine.csv", record=3, text="'a' r 'b' \x1b[31m", count=2)],
    ),
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An error as the real server sends it; ``reason`` empty = a bare gRPC status."""

    code: grpc.StatusCode
    reason: str = ""
    message: str = "it went wrong"
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    domain: str = "knowledgesmith"

    def abort(self, context: grpc.ServicerContext) -> NoReturn:
        """End the call with this error."""
        if self.reason:
            info = error_details_pb2.ErrorInfo(reason=self.reason, domain=self.domain, metadata=self.metadata)
            detail = any_pb2.Any()
            detail.Pack(info)
            number: int = self.code.value[0]
            status = status_pb2.Status(code=number, message=self.message, details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, self.message)
        raise AssertionError("abort returns never")


def graph(graph_id: str = "atlas") -> graph_pb2.Graph:
    return graph_pb2.Graph(
        graph_id=graph_id,
        digest=DIGEST,
        source="test",
        entities_by_level={"Root": 2, "Intermediate": 3, "Leaf": 5},
        facts=12,
        relations=4,
        entities_by_domain={"geography": 10},
    )


def probe(number: int = 0) -> probe_pb2.Probe:
    return probe_pb2.Probe(
        id=f"p{number}",
        kind=common_pb2.PROBE_KIND_DIRECT,
        anchor="japan",
        chain_length=1,
        stem="The capital of Japan is",
        options=["Tokyo", "Paris"],
        answers=[0],
        hops=0,
    )


def case(case_id: str) -> case_pb2.Case:
    """Japan's capital moves to Paris and back."""

    def change(old: str, new: str) -> case_pb2.CaseRound:
        made = case_pb2.CaseChange(subject="japan", relation="has_capital", old_object=old, new_object=new)
        made.subject_name, made.old_object_name, made.new_object_name = "Japan", old.title(), new.title()
        return case_pb2.CaseRound(changes=[made])

    return case_pb2.Case(
        graph_id="atlas",
        id=case_id,
        goal=common_pb2.GOAL_EDIT,
        rounds=[change("tokyo", "paris"), change("paris", "tokyo")],
        families={"rephrase": 1},
        file="set.json",
        record=1,
        digest=DIGEST,
    )


def branch(branch_id: str = "main") -> model_pb2.Branch:
    return model_pb2.Branch(id=branch_id, model_id="m", graph_id="atlas", head_revision="r2", interventions=["i1"])


def intervention(state: State.ValueType = State.INTERVENTION_STATE_SUCCEEDED, **more: Any) -> Any:
    made = intervention_pb2.Intervention(
        id="i1",
        spec=intervention_pb2.InterventionSpec(branch_id="main", goal=common_pb2.GOAL_EDIT, method="alphaedit"),
        graph_id="atlas",
        state=state,
        attempt=1,
        actor="tester",
        planned_rows=ROWS,
        written_rows=ROWS,
        revision_id="r2",
        verdict_scheme=2,
    )
    made.create_time.FromSeconds(1_700_000_000)
    made.MergeFrom(intervention_pb2.Intervention(**more))
    return made


def change(seq: int, name: str = "") -> intervention_pb2.BeliefChange:
    return intervention_pb2.BeliefChange(
        seq=seq,
        entity=f"e{seq}",
        name=name or f"Entity {seq}",
        level="Leaf",
        kind=common_pb2.PROBE_KIND_DIRECT,
        polarity=common_pb2.POLARITY_CHANGE,
        role=common_pb2.ROLE_FOLLOWS,
        relation="capital_of",
        before=0.75,
        after=0.25,
        delta=-0.5,
        hops=seq % 3,
        n_propagated=1,
    )


def batch(first: int, last: int) -> Watch:
    rows = [change(seq) for seq in range(first, last + 1)]
    return Watch(batch=intervention_pb2.BeliefBatch(first_sequence=first, last_sequence=last, changes=rows))


def state(value: State.ValueType, **more: Any) -> Watch:
    return Watch(state=intervention(value, **more))


def plan() -> intervention_pb2.Plan:
    made = intervention_pb2.Plan(
        digest=DIGEST,
        probe_counts={"DIRECT/change": 2},
        hop_counts={"0": 2},
        probes=[probe()],
        rows=ROWS,
        total_probes=2,
    )
    for op, rule, premises, derived in (
        ("retract", "functional", ["f2"], False),
        ("assert", "request", [], False),
        ("assert", "inverse", ["f2"], True),
    ):
        made.changes.add(
            op=op,
            fact_id=f"f{len(made.changes) + 1}",
            subject="japan",
            relation="has_capital",
            object="paris",
            rule=rule,
            premises=premises,
            derived=derived,
        )
    made.changes[0].premises.append("c1")
    made.cited.add(
        fact_id="c1",
        subject="tokyo",
        relation="city_of",
        object="japan",
        rule="asserted",
        worlds="both",
    )
    made.cut.fact_ids.append("f1")
    made.cut.optimal = True
    made.names["japan"] = "Japan"
    made.names["tokyo"] = "Tokyo"
    return made


def target_evidence() -> propagation_pb2.ProbeEvidence:
    """A question about a target, with a text that would colour the terminal and ring its bell."""
    return propagation_pb2.ProbeEvidence(
        seq=1,
        entity="japan",
        name="Japan",
        level="Leaf",
        kind=common_pb2.PROBE_KIND_DIRECT,
        polarity=common_pb2.POLARITY_CHANGE,
        role=common_pb2.ROLE_TARGET,
        relation="has_capital",
        verdict=propagation_pb2.VERDICT_NOT_INSTALLED,
        text="The capital of Japan is",
        options=["Tokyo", "Paris"],
        answers_before=["Tokyo"],
        answers_after=["Paris"],
        preferred_before="Tokyo",
        preferred_after="Paris",
        p_old_before=0.75,
        p_old_after=0.25,
        p_new_before=0.125,
        p_new_after=0.5,
        probe_id="p1",
        text_before=" Tokyo.",
        text_after=" Rome\x1b[31m\x07\nred",
        text_disagrees=True,
    )


def rate(successes: int, trials: int) -> common_pb2.Rate:
    if not trials:
        return common_pb2.Rate()
    return common_pb2.Rate(successes=successes, trials=trials, value=successes / trials, low=0.1, high=0.9)


def whole_watch() -> list[Watch | Failure]:
    """A job that runs to its end without a break."""
    return [
        state(State.INTERVENTION_STATE_RUNNING, written_rows=0),
        Watch(progress=intervention_pb2.ProgressEvent(phase="apply", done=1, total=2)),
        batch(1, 4),
        Watch(heartbeat=intervention_pb2.Heartbeat(committed_sequence=4)),
        batch(5, ROWS),
        state(State.INTERVENTION_STATE_SUCCEEDED),
    ]


def propagation_groups() -> list[propagation_pb2.PropagationGroup]:
    """Rates of targets and of what follows, one beside chance and placebo."""
    means: dict[str, Any] = {"rows": 3, "entities": 2, "mean_before": 0.7, "mean_after": 0.2, "mean_delta": -0.5}
    target, follows = common_pb2.ROLE_TARGET, common_pb2.ROLE_FOLLOWS
    groups = [
        propagation_pb2.PropagationGroup(key="0", role=target, installed=rate(1, 2), **means),
        propagation_pb2.PropagationGroup(key="0", role=follows, propagated=rate(2, 3), residual=rate(1, 3), **means),
        propagation_pb2.PropagationGroup(key="unreachable", role=follows, propagated=rate(2, 3), **means),
    ]
    groups[0].installed.chance, groups[0].installed.placebo = 0.25, 0.0
    return groups


def import_report(rejected: graph_pb2.ImportRejection) -> graph_pb2.ImportReport:
    """What an import says in the end."""
    return graph_pb2.ImportReport(
        entities_created=3,
        records=4,
        rejected=1,
        reasons={"no such …": 1},
        rejections=[rejected],
        findings=FINDINGS,
        examples=graph_pb2.ImportExamples(
            entities_created=["x"], facts_created=[graph_pb2.FactName(subject="x", relation="r", object="y")]
        ),
    )
