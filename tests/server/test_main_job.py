"""The main job over the wire: import, plan, edit, watch, query, roll back — on a real database and a tiny model."""

from __future__ import annotations

from collections import Counter

import grpc
import pytest
from tests.server.conftest import open_branch
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of

from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.server.wire.cypher import parameters_from
from knowledgesmith.v1 import branch_pb2, common_pb2, cypher_pb2, graph_pb2, intervention_pb2, propagation_pb2

PARIS = ("france", "has_capital", "paris", "rome")
SYMBOL = ("copper", "has_symbol", "Cu", "Fe")


def heads(service: Service, graph_id: str) -> dict[str, tuple[object, ...]]:
    """Head beliefs of all entities of a graph that have any."""
    query = (
        "MATCH (e:Entity {graph_id: $g}) WHERE e.belief_intervention IS NOT NULL "
        "RETURN e.uid, e.belief, e.belief_prev, e.belief_intervention, e.belief_seq ORDER BY e.uid"
    )
    parameters = {"g": cypher_pb2.CypherValue(string_value=graph_id)}
    request = graph_pb2.RunCypherRequest(query=query, parameters=parameters, max_rows=1000)
    rows = [row.values for row in service.graph.RunCypher(request, timeout=PATIENCE).rows]
    return {
        uid.string_value: (belief.float_value, earlier.float_value, run.string_value, sequence.integer_value)
        for uid, belief, earlier, run, sequence in rows
    }


def test_edit_is_planned_measured_streamed_and_rolled_back(service: Service, world: str, branch: str) -> None:
    base = service.branch_of(branch).head_revision_id
    intervention = service.create(service.spec(branch, PARIS))
    events = service.events(intervention.id)
    done = service.get(intervention.id)

    assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
    assert events[0].WhichOneof("event") == "state"
    states = [event.state.spec for event in events if event.WhichOneof("event") == "state"]
    assert {(len(spec.changes), spec.total_changes) for spec in states} == {(0, 1)}, "what was asked is told once"
    assert events[-1].state.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED
    rows = [row for event in events for row in event.batch.changes]
    assert [row.sequence for row in rows] == list(range(1, done.planned_rows + 1))
    assert done.written_rows == done.planned_rows
    hops = [row.hops if row.HasField("hops") else 99 for row in rows]
    assert hops == sorted(hops), "nearest first"
    for event in events:
        if event.WhichOneof("event") == "batch":
            assert len(event.batch.changes) == event.batch.last_sequence - event.batch.first_sequence + 1

    assert service.branch_of(branch).head_revision_id == done.revision_id != base
    assert heads(service, world)["paris"][2] == intervention.id

    back = service.roll_back(branch)
    assert back.branch.head_revision_id == base
    assert back.weights_sha256 == back.head.weights_sha256
    assert heads(service, world) == {}, "the heads return to what they were before"
    assert service.get(intervention.id).HasField("rollback_time")


def test_stream_calls_and_cypher_agree(service: Service, second_client: GraphStore, branch: str) -> None:
    intervention = service.create(service.spec(branch, PARIS, SYMBOL))
    rows = service.rows(intervention.id)
    request = propagation_pb2.GetPropagationRequest(
        intervention_id=intervention.id, group_by=propagation_pb2.GROUPING_KIND
    )
    answer = service.propagation.GetPropagation(request, timeout=PATIENCE)
    # another client on the same database pastes the query that came with the answer
    parameters = parameters_from(answer.query.parameters)
    columns, pasted = second_client.run_user_query(answer.query.cypher, parameters, limit=100, timeout_s=30)
    by_kind = {(row["key"], row["role"]): row for row in pasted}

    assert {"key", "role", "collateral"} <= set(columns)
    assert {(g.key, role_name(g.role)) for g in answer.groups} == set(by_kind)
    assert role_name(answer.groups[0].role) == "target"
    streamed = Counter(row.DESCRIPTOR and row.kind for row in rows)
    for group in answer.groups:
        same = by_kind[group.key, role_name(group.role)]
        mine = [r for r in rows if (kind_name(r), r.role) == (group.key, group.role)]
        assert group.rows == same["rows"] == len(mine)
        assert group.collateral.successes == same["collateral"] == sum(r.n_collateral for r in mine)
        assert group.propagated.successes == same["propagated"] == sum(r.n_propagated for r in mine)
        assert group.installed.successes == same["installed"] == sum(r.n_installed for r in mine)
        for name in ("installed", "propagated", "forgotten", "residual", "collateral"):
            rate = getattr(group, name)
            assert rate.HasField("chance") == bool(rate.trials)
        deltas = [r.delta for r in mine if r.HasField("delta")]
        if deltas:
            assert group.mean_delta == pytest.approx(sum(deltas) / len(deltas), abs=1e-12)
    assert sum(streamed.values()) == len(rows)


def kind_name(row: intervention_pb2.BeliefChange) -> str:
    return common_pb2.ProbeKind.Name(row.kind).removeprefix("PROBE_KIND_")


def op_name(change: intervention_pb2.WorldChange) -> str:
    return intervention_pb2.WorldOp.Name(change.op).removeprefix("WORLD_OP_").lower()


def role_name(role: common_pb2.Role.ValueType) -> str:
    return common_pb2.Role.Name(role).removeprefix("ROLE_").lower()


def test_every_watch_position_replays_exactly(service: Service, branch: str) -> None:
    intervention = service.create(service.spec(branch, PARIS))
    everything = service.rows(intervention.id)
    for after in (0, 1, len(everything) // 2, len(everything)):
        assert service.rows(intervention.id, after) == everything[after:]


def test_validate_only_writes_nothing(service: Service, second_client: GraphStore, branch: str, world: str) -> None:
    before = second_client.run_user_query("MATCH (n) RETURN count(n) AS n", {}, limit=1, timeout_s=30)
    request = intervention_pb2.CreateInterventionRequest(spec=service.spec(branch, PARIS), validate_only=True)
    answer = service.intervention.CreateIntervention(request, timeout=PATIENCE)
    after = second_client.run_user_query("MATCH (n) RETURN count(n) AS n", {}, limit=1, timeout_s=30)

    assert before == after
    assert not answer.intervention.id
    changes = {(op_name(c), c.subject_uid, c.relation, c.object_uid): c for c in answer.plan.changes}
    assert ("retract", "france", "has_capital", "paris") in changes
    assert ("assert", "france", "has_capital", "rome") in changes
    displaced = changes["retract", "italy", "has_capital", "rome"]
    assert displaced.rule == intervention_pb2.RULE_INVERSE_FUNCTIONAL
    assert answer.plan.total_probes == answer.intervention.planned_probes > 0


def test_second_edit_sees_the_world_of_the_first(service: Service, branch: str) -> None:
    first = service.create(service.spec(branch, PARIS))
    service.wait(first.id)
    with pytest.raises(grpc.RpcError) as refused:
        service.create(service.spec(branch, PARIS))
    code, reason, _ = reason_of(refused.value)
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "FACT_NOT_FOUND"), "Paris is no longer asserted"
    second = service.create(service.spec(branch, ("france", "has_capital", "rome", "madrid")))
    assert service.wait(second.id).state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED
    assert list(service.branch_of(branch).intervention_ids) == [first.id, second.id]
    line = service.branch.ListRevisions(branch_pb2.ListRevisionsRequest(branch_id=branch), timeout=PATIENCE).revisions
    assert [r.intervention_id for r in line] == [second.id, first.id, ""]


def test_queued_edits_are_planned_when_their_turn_comes(service: Service, branch: str) -> None:
    first = service.create(service.spec(branch, PARIS, hold=True))
    second = service.create(service.spec(branch, SYMBOL))
    service.wait(first.id, until={intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION})
    assert service.get(second.id).state == intervention_pb2.INTERVENTION_STATE_QUEUED, "the branch is held"
    service.intervention.CommitIntervention(
        intervention_pb2.CommitInterventionRequest(intervention_id=first.id), timeout=PATIENCE
    )
    assert service.wait(second.id).state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED
    assert list(service.branch_of(branch).intervention_ids) == [first.id, second.id]


def test_unlearning_by_each_method(service: Service, branch: str) -> None:
    for method, change in (
        ("finetune", ("peru", "has_capital", "lima")),
        ("placebo", ("chile", "has_capital", "santiago")),
    ):
        intervention = service.create(service.spec(branch, change, goal="UNLEARN", method=method))
        done = service.wait(intervention.id)
        assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message


@pytest.mark.parametrize(("goal", "change"), [("EDIT", PARIS), ("UNLEARN", PARIS[:3])])
def test_placebo_moves_nothing(service: Service, branch: str, goal: str, change: tuple[str, ...]) -> None:
    """Nothing changed: nothing propagated, was forgotten, drifted or broke, whatever the model had said before."""
    intervention = service.create(service.spec(branch, change, goal=goal, method="placebo"))
    rows = service.rows(intervention.id)
    assert rows
    assert max(abs(row.delta) for row in rows if row.HasField("delta")) < 1e-6
    assert sum(r.n_propagated + r.n_forgotten + r.n_drifted + r.n_collateral for r in rows) == 0
    assert {row.role for row in rows} == {common_pb2.ROLE_TARGET, common_pb2.ROLE_FOLLOWS, common_pb2.ROLE_STAYS}
    evidence = targets_of(service, intervention.id)
    assert evidence
    heard = [one for one in evidence if one.kind == common_pb2.PROBE_KIND_DIRECT]
    assert heard
    assert all(one.HasField("text_after") and one.text_before == one.text_after for one in heard)
    assert not any(one.HasField("text_after") for one in evidence if one not in heard)


def targets_of(service: Service, run: str) -> list[propagation_pb2.ProbeEvidence]:
    request = propagation_pb2.ListEvidenceRequest(intervention_id=run, roles=[common_pb2.ROLE_TARGET], page_size=1000)
    return list(service.propagation.ListEvidence(request, timeout=PATIENCE).evidence)


def test_rates_stand_beside_those_of_the_branch_s_placebo(service: Service, branch: str) -> None:
    first = service.create(service.spec(branch, SYMBOL))
    service.wait(first.id, until=SETTLED)
    request = propagation_pb2.GetMetricsRequest(intervention_id=first.id)
    alone = service.propagation.GetMetrics(request, timeout=PATIENCE)
    assert (alone.placebo_intervention_id, alone.verdict_scheme) == ("", 2)
    assert not any(one.rate.HasField("placebo") for one in alone.metrics)
    noise = service.create(service.spec(branch, PARIS, method="placebo"))
    service.wait(noise.id, until=SETTLED)
    beside = service.propagation.GetMetrics(request, timeout=PATIENCE)
    assert beside.placebo_intervention_id == noise.id
    rates = {one.name: one.rate for one in beside.metrics if one.group_by == propagation_pb2.GROUPING_ALL}
    assert rates["ccr"].placebo == 0.0
    assert all(rate.HasField("chance") for name, rate in rates.items() if name in CHANCED and rate.trials)
    grouped = service.propagation.GetPropagation(
        propagation_pb2.GetPropagationRequest(intervention_id=first.id, group_by=propagation_pb2.GROUPING_ROLE),
        timeout=PATIENCE,
    )
    assert grouped.placebo_intervention_id == noise.id
    assert {group.key for group in grouped.groups} <= {"target", "follows", "stays"}


CHANCED = {"installed", "erased", "propagated", "forgotten", "rr", "ccr"}
SETTLED: set[int] = {
    intervention_pb2.INTERVENTION_STATE_SUCCEEDED,
    intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION,
}


def test_a_plan_warns_of_an_object_of_another_type(service: Service, branch: str) -> None:
    request = intervention_pb2.CreateInterventionRequest(
        spec=service.spec(branch, ("france", "has_capital", "paris", "copper")), validate_only=True
    )
    plan = service.intervention.CreateIntervention(request, timeout=PATIENCE).plan
    (warning,) = [one for one in plan.warnings if one.kind == intervention_pb2.WARNING_KIND_TYPE]
    assert "“Element”" in warning.message
    assert "“City”" in warning.message
    assert warning.hint
    assert sum(one.count for one in plan.role_counts) == plan.total_probes


def test_discard_restores_the_heads(service: Service, world: str, branch: str) -> None:
    first = service.create(service.spec(branch, SYMBOL))
    service.wait(first.id)
    committed = heads(service, world)
    held = service.create(service.spec(branch, PARIS, hold=True))
    service.wait(held.id, until={intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION})
    assert heads(service, world) != committed, "visible while it awaits a decision"
    request = intervention_pb2.DiscardInterventionRequest(intervention_id=held.id)
    service.intervention.DiscardIntervention(request, timeout=PATIENCE)
    assert heads(service, world) == committed
    assert service.wait(held.id).state == intervention_pb2.INTERVENTION_STATE_DISCARDED


def test_a_failed_gate_waits_for_a_decision(service: Service, branch: str) -> None:
    gate = intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_PROPAGATED, min=1.01)
    intervention = service.create(service.spec(branch, PARIS, gates=[gate]))
    waiting = service.wait(intervention.id, until={intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION})
    assert waiting.failed_gates
    assert waiting.failed_gates[0].startswith("propagated")
    service.intervention.CancelIntervention(
        intervention_pb2.CancelInterventionRequest(intervention_id=intervention.id), timeout=PATIENCE
    )
    assert service.wait(intervention.id).state == intervention_pb2.INTERVENTION_STATE_CANCELLED


def test_ask_and_export_any_revision(service: Service, branch: str) -> None:
    intervention = service.create(service.spec(branch, PARIS))
    done = service.wait(intervention.id)
    prompts = ["The capital of France is"]
    for revision, expected in (("", done.revision_id), ("base", "tiny.base"), (done.revision_id, done.revision_id)):
        request = branch_pb2.AskRequest(branch_id=branch, revision_id=revision, prompts=prompts, max_new_tokens=4)
        answer = service.branch.Ask(request, timeout=PATIENCE)
        assert answer.revision_id == expected
        assert len(answer.texts) == 1
    export = branch_pb2.ExportRevisionRequest(
        branch_id=branch, format=branch_pb2.EXPORT_FORMAT_HF_CHECKPOINT, name=branch
    )
    begun = service.branch.ExportRevision(export, timeout=PATIENCE)
    written = service.result(begun, branch_pb2.ExportRevisionResponse)
    assert written.bytes > 1000
    with pytest.raises(OperationFailed) as refused:
        service.result(service.branch.ExportRevision(export, timeout=PATIENCE), branch_pb2.ExportRevisionResponse)
    assert reason_of(refused.value)[0] == grpc.StatusCode.INVALID_ARGUMENT, "an export is never overwritten"


def test_a_branch_that_is_not_selected_leaves_no_heads(service: Service, world: str, branch: str) -> None:
    other = open_branch(service, world, select=False)
    intervention = service.create(service.spec(other, PARIS))
    service.wait(intervention.id)
    assert heads(service, world) == {}
    assert service.rows(intervention.id), "the ledger is written all the same"
