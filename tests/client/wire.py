"""Canned messages of the wire, for the client's tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, struct_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from knowledgesmith.v1 import (
    branch_pb2,
    case_pb2,
    common_pb2,
    cypher_pb2,
    graph_pb2,
    intervention_pb2,
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
            context.set_trailing_metadata((("grpc-status-details-bin", self.status().SerializeToString()),))
        context.abort(self.code, self.message)
        raise AssertionError("abort returns never")

    def status(self) -> status_pb2.Status:
        """The error as an operation ends with it."""
        number: int = self.code.value[0]
        made = status_pb2.Status(code=number, message=self.message)
        if self.reason:
            made.details.append(
                packed(error_details_pb2.ErrorInfo(reason=self.reason, domain=self.domain, metadata=self.metadata))
            )
        return made


def packed(message: Message) -> any_pb2.Any:
    made = any_pb2.Any()
    made.Pack(message)
    return made


def row(*values: str | int | None) -> cypher_pb2.CypherRow:
    """A row of an answer of Cypher."""
    return cypher_pb2.CypherRow(values=map(_value, values))


def _value(value: str | int | None) -> cypher_pb2.CypherValue:
    match value:
        case None:
            return cypher_pb2.CypherValue(null_value=struct_pb2.NULL_VALUE)
        case int():
            return cypher_pb2.CypherValue(integer_value=value)
        case str():
            return cypher_pb2.CypherValue(string_value=value)


def graph(graph_id: str = "atlas") -> graph_pb2.Graph:
    return graph_pb2.Graph(
        id=graph_id,
        digest=DIGEST,
        source="test",
        entities_by_level=[
            graph_pb2.LevelCount(level=common_pb2.LEVEL_ROOT, count=2),
            graph_pb2.LevelCount(level=common_pb2.LEVEL_INTERMEDIATE, count=3),
            graph_pb2.LevelCount(level=common_pb2.LEVEL_LEAF, count=5),
        ],
        facts=12,
        relations=4,
        entities_by_domain={"geography": 10},
    )


def probe(number: int = 0) -> probe_pb2.Probe:
    return probe_pb2.Probe(
        id=f"p{number}",
        kind=common_pb2.PROBE_KIND_DIRECT,
        anchor_uid="japan",
        chain_length=1,
        stem="The capital of Japan is",
        options=["Tokyo", "Paris"],
        answers=[0],
        hops=0,
    )


def case(case_id: str) -> case_pb2.Case:
    """Japan's capital moves to Paris and back."""

    def change(old: str, new: str) -> case_pb2.CaseRound:
        made = case_pb2.CaseChange(subject_uid="japan", relation="has_capital", old_object_uid=old, new_object_uid=new)
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


def branch(branch_id: str = "main") -> branch_pb2.Branch:
    return branch_pb2.Branch(
        id=branch_id, model_id="m", graph_id="atlas", head_revision_id="r2", intervention_ids=["i1"]
    )


def deletion(identifier: str) -> common_pb2.Deletion:
    return common_pb2.Deletion(id=identifier, removed={"nodes": 3}, files_removed=[DIGEST], files_kept=["cd" * 32])


def query() -> cypher_pb2.PastedQuery:
    return cypher_pb2.PastedQuery(
        cypher="MATCH (i:Intervention {id: $id}) RETURN i",
        parameters={"id": cypher_pb2.CypherValue(string_value="i1")},
    )


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


def change(sequence: int, name: str = "") -> intervention_pb2.BeliefChange:
    return intervention_pb2.BeliefChange(
        sequence=sequence,
        entity_uid=f"e{sequence}",
        entity_name=name or f"Entity {sequence}",
        level=common_pb2.LEVEL_LEAF,
        kind=common_pb2.PROBE_KIND_DIRECT,
        polarity=common_pb2.POLARITY_CHANGE,
        role=common_pb2.ROLE_FOLLOWS,
        relation="capital_of",
        before=0.75,
        after=0.25,
        delta=-0.5,
        hops=sequence % 3,
        n_propagated=1,
    )


def batch(first: int, last: int) -> Watch:
    rows = [change(sequence) for sequence in range(first, last + 1)]
    return Watch(batch=intervention_pb2.BeliefBatch(first_sequence=first, last_sequence=last, changes=rows))


def state(value: State.ValueType, **more: Any) -> Watch:
    return Watch(state=intervention(value, **more))


def plan() -> intervention_pb2.Plan:
    made = intervention_pb2.Plan(
        digest=DIGEST,
        probe_counts=[
            intervention_pb2.ProbeCount(kind=common_pb2.PROBE_KIND_DIRECT, polarity=common_pb2.POLARITY_CHANGE, count=2)
        ],
        hop_counts=[intervention_pb2.HopCount(hops=0, count=2)],
        probes=[probe()],
        rows=ROWS,
        total_probes=2,
        total_changes=3,
        total_cited=1,
    )
    retract, add = intervention_pb2.WORLD_OP_RETRACT, intervention_pb2.WORLD_OP_ASSERT
    for op, rule, premises, derived in (
        (retract, intervention_pb2.RULE_FUNCTIONAL, ["f2"], False),
        (add, intervention_pb2.RULE_REQUEST, [], False),
        (add, intervention_pb2.RULE_INVERSE, ["f2"], True),
    ):
        made.changes.add(
            op=op,
            fact_id=f"f{len(made.changes) + 1}",
            subject_uid="japan",
            relation="has_capital",
            object_uid="paris",
            rule=rule,
            premises=premises,
            derived=derived,
        )
    made.changes[0].premises.append("c1")
    made.cited.add(
        fact_id="c1",
        subject_uid="tokyo",
        relation="city_of",
        object_uid="japan",
        rule=intervention_pb2.RULE_ASSERTED,
        worlds=intervention_pb2.WORLDS_BOTH,
    )
    made.cut.fact_ids.append("f1")
    made.cut.total_facts = 1
    made.cut.optimal = True
    made.names["japan"] = "Japan"
    made.names["tokyo"] = "Tokyo"
    return made


def target_evidence() -> propagation_pb2.ProbeEvidence:
    """A question about a target, with a text that would colour the terminal and ring its bell."""
    return propagation_pb2.ProbeEvidence(
        sequence=1,
        entity_uid="japan",
        entity_name="Japan",
        level=common_pb2.LEVEL_LEAF,
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
    """An intervention that runs to its end without a break."""
    return [
        state(State.INTERVENTION_STATE_RUNNING, written_rows=0),
        Watch(progress=intervention_pb2.ProgressEvent(phase=intervention_pb2.PHASE_APPLY, done=1, total=2)),
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


def rejection() -> graph_pb2.ImportRejection:
    return graph_pb2.ImportRejection(file="facts.csv", record=3, reason="no such \x1b[31mentity")


def import_report() -> graph_pb2.ImportReport:
    """What an import says in the end."""
    return graph_pb2.ImportReport(
        entities_created=3,
        records=4,
        rejected=1,
        reasons={"no such …": 1},
        rejections=[rejection()],
        findings=FINDINGS,
        examples=graph_pb2.ImportExamples(
            entities_created=["x"], facts_created=[graph_pb2.FactName(subject_uid="x", relation="r", object_uid="y")]
        ),
    )
