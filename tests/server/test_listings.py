"""Probe sets, models, branches, rows of every filter: the reading calls on a real server."""

from __future__ import annotations

import re
import uuid
from itertools import groupby
from typing import Any

import grpc
import pytest
from tests.server.service import PATIENCE, OperationFailed, Service, reason_of

from knowledgesmith.editors.registry import METHODS
from knowledgesmith.graph_schema.__main__ import main as embedded
from knowledgesmith.v1 import (
    branch_pb2,
    catalogue_pb2,
    common_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
    probe_pb2,
    propagation_pb2,
)

PARIS = ("france", "has_capital", "paris", "rome")


def test_probe_sets_are_equal_by_seed_and_listed(service: Service, world: str) -> None:
    request = probe_pb2.GenerateProbeSetRequest(graph_id=world, seed=3, limit_per_kind=5, materialise=True)
    made, again = (
        service.result(
            service.probe.GenerateProbeSet(request, timeout=PATIENCE), probe_pb2.GenerateProbeSetResponse
        ).probe_set
        for _ in range(2)
    )
    assert made.digest == again.digest
    counts = {one.kind: one.count for one in made.counts}
    assert made.verified == sum(counts.values()) > 0
    assert set(common_pb2.ProbeKind.values()) - set(counts) <= {0, common_pb2.PROBE_KIND_MULTI_HOP}
    got = service.probe.GetProbeSet(probe_pb2.GetProbeSetRequest(probe_set_id=made.id), timeout=PATIENCE).probe_set
    assert got == made
    listed = service.probe.ListProbeSets(probe_pb2.ListProbeSetsRequest(graph_id=world), timeout=PATIENCE).probe_sets
    assert [s.digest for s in listed] == [made.digest]
    seen: list[str] = []
    token = ""
    while True:
        page = probe_pb2.ListProbesRequest(probe_set_id=made.id, page_size=4, page_token=token)
        answer = service.probe.ListProbes(page, timeout=PATIENCE)
        seen += [probe.id for probe in answer.probes]
        token = answer.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == made.verified
    direct = probe_pb2.ListProbesRequest(probe_set_id=made.id, kind=common_pb2.PROBE_KIND_DIRECT)
    assert len(service.probe.ListProbes(direct, timeout=PATIENCE).probes) == counts[common_pb2.PROBE_KIND_DIRECT]


def test_models_methods_branches_and_graphs_are_listed(service: Service, world: str, branch: str) -> None:
    models = service.model.ListModels(model_pb2.ListModelsRequest(), timeout=PATIENCE).models
    assert [m.architecture for m in models if m.id == "tiny"] == ["LlamaForCausalLM"]
    methods = service.model.ListMethods(model_pb2.ListMethodsRequest(), timeout=PATIENCE).methods
    assert [m.name for m in methods] == sorted(METHODS)
    pages = [service.model.ListMethods(model_pb2.ListMethodsRequest(page_size=3), timeout=PATIENCE)]
    while token := pages[-1].next_page_token:
        following = model_pb2.ListMethodsRequest(page_size=3, page_token=token)
        pages.append(service.model.ListMethods(following, timeout=PATIENCE))
    assert [len(page.methods) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert [method for page in pages for method in page.methods] == list(methods)
    branches = service.branch.ListBranches(branch_pb2.ListBranchesRequest(graph_id=world), timeout=PATIENCE).branches
    assert [b.id for b in branches] == [branch]
    one = service.graph.ListGraphs(graph_pb2.ListGraphsRequest(page_size=1), timeout=PATIENCE)
    assert len(one.graphs) == 1
    assert service.graph.GetGraph(graph_pb2.GetGraphRequest(graph_id=world), timeout=PATIENCE).graph.facts > 0


@pytest.mark.parametrize("name", propagation_pb2.ChangeFilter.keys())
def test_every_filter_pages_through_its_rows(service: Service, held: str, name: str) -> None:
    rows: list[int] = []
    token = ""
    while True:
        request = propagation_pb2.ListBeliefChangesRequest(
            intervention_id=held, filter=propagation_pb2.ChangeFilter.Value(name), page_size=7, page_token=token
        )
        answer = service.propagation.ListBeliefChanges(request, timeout=PATIENCE)
        rows += [row.sequence for row in answer.changes]
        token = answer.next_page_token
        if not token:
            break
    assert len(rows) == len(set(rows))
    if name == "CHANGE_FILTER_UNSPECIFIED":
        assert rows == list(range(1, service.get(held).written_rows + 1))


@pytest.mark.parametrize("name", sorted({*propagation_pb2.Grouping.keys()} - {"GROUPING_BAND"}))
def test_every_grouping_adds_up(service: Service, held: str, name: str) -> None:
    grouping = propagation_pb2.Grouping.Value(name)
    request = propagation_pb2.GetPropagationRequest(intervention_id=held, group_by=grouping)
    groups = service.propagation.GetPropagation(request, timeout=PATIENCE).groups
    assert sum(group.rows for group in groups) == service.get(held).written_rows


def test_interventions_are_listed_by_state_and_goal_and_as_short_as_asked(service: Service, branch: str) -> None:
    config = {"epochs": 1, "batch": 8, "learning_rate": 0.0005}
    gates = [intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_INSTALLED, min=0.0)]
    edit = service.create(service.spec(branch, PARIS, hold=True, gates=gates, method_config=config)).id
    held = service.wait(edit, until={intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION})
    assert dict(held.spec.method_config) == config
    erase = service.create(service.spec(branch, PARIS[:3], goal="UNLEARN")).id  # it waits for the decision

    def listed(**fields: Any) -> list[intervention_pb2.Intervention]:
        found: list[intervention_pb2.Intervention] = []
        token = ""
        while True:
            request = intervention_pb2.ListInterventionsRequest(
                branch_id=branch, page_size=1, page_token=token, **fields
            )
            page = service.intervention.ListInterventions(request, timeout=PATIENCE)
            found += page.interventions
            token = page.next_page_token
            if not token:
                return found

    def ids(**fields: Any) -> list[str]:
        return [intervention.id for intervention in listed(**fields)]

    queued = intervention_pb2.INTERVENTION_STATE_QUEUED
    awaiting = intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION
    assert ids() == [erase, edit]
    assert ids(states=[queued]) == [erase]
    assert ids(states=[awaiting, queued]) == [erase, edit]
    assert ids(states=[awaiting], goal=common_pb2.GOAL_UNLEARN) == []
    assert ids(goal=common_pb2.GOAL_EDIT) == [edit]
    (short,) = listed(goal=common_pb2.GOAL_EDIT)
    (full,) = listed(goal=common_pb2.GOAL_EDIT, view=common_pb2.VIEW_FULL)
    assert full.spec == held.spec
    for field in ("changes", "gates", "method_config"):
        full.spec.ClearField(field)
    assert short == full, "what a list leaves out is what the author wrote, and nothing else"
    assert service.cancel(erase) is None
    assert service.cancel(edit) is None


def test_a_branch_over_time_comes_in_pages_of_whole_interventions(service: Service, branch: str) -> None:
    symbol = ("copper", "has_symbol", "Cu", "Fe")
    made = [service.create(service.spec(branch, change, method="placebo")).id for change in (PARIS, symbol)]
    for one in made:
        assert service.wait(one).state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED

    def asked(**fields: Any) -> propagation_pb2.GetOverTimeResponse:
        request = propagation_pb2.GetOverTimeRequest(branch_id=branch, **fields)
        return service.propagation.GetOverTime(request, timeout=PATIENCE)

    whole = asked()
    assert not whole.next_page_token
    assert [one for one, _ in groupby(point.intervention_id for point in whole.points)] == made
    assert len(whole.points) > len(made), "an intervention has a point for every role"
    first = asked(page_size=1)
    assert {point.intervention_id for point in first.points} == {made[0]}
    second = asked(page_size=1, page_token=first.next_page_token)
    assert not second.next_page_token
    assert [*first.points, *second.points] == list(whole.points)
    with pytest.raises(grpc.RpcError) as refused:
        asked(page_size=1, page_token=first.next_page_token, relation="has_capital")
    assert reason_of(refused.value)[1] == "PAGE_TOKEN_MISMATCH"


def test_relations_come_in_pages_by_name(service: Service, world: str) -> None:
    names: list[str] = []
    token = ""
    while True:
        request = catalogue_pb2.ListRelationsRequest(graph_id=world, page_size=2, page_token=token, with_wordings=True)
        page = service.catalogue.ListRelations(request, timeout=PATIENCE)
        assert 0 < len(page.relations) <= 2
        assert all(relation.wordings for relation in page.relations)
        names += [relation.name for relation in page.relations]
        token = page.next_page_token
        if not token:
            break
    assert names == ["capital_of", "has_capital", "has_symbol", "on_continent", "part_of_planet"]
    one = catalogue_pb2.ListRelationsRequest(graph_id=world, relation="has_symbol")
    (found,) = service.catalogue.ListRelations(one, timeout=PATIENCE).relations
    assert (found.name, len(found.wordings)) == ("has_symbol", 0)


def test_an_intervention_that_has_ended_is_deleted(service: Service, held: str) -> None:
    request = intervention_pb2.DeleteInterventionRequest(intervention_id=held, request_id=str(uuid.uuid4()))
    with pytest.raises(OperationFailed) as early:
        service.result(
            service.intervention.DeleteIntervention(request, timeout=PATIENCE),
            intervention_pb2.DeleteInterventionResponse,
        )
    assert reason_of(early.value)[1] == "ILLEGAL_STATE"
    assert service.cancel(held) is None
    request.request_id = str(uuid.uuid4())
    begun = service.intervention.DeleteIntervention(request, timeout=PATIENCE)
    gone = service.result(begun, intervention_pb2.DeleteInterventionResponse).deletion
    assert gone.id == held
    assert sum(gone.removed.values()) > 0
    again = service.intervention.DeleteIntervention(request, timeout=PATIENCE)
    assert again.name == begun.name, "the same request finds what it began, though the intervention is gone"
    with pytest.raises(grpc.RpcError) as refused:
        service.get(held)
    assert reason_of(refused.value)[1] == "INTERVENTION_NOT_FOUND"


@pytest.fixture
def held(service: Service, branch: str) -> str:
    """A measured intervention with a gate on fluency that awaits a decision."""
    gate = intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_PERPLEXITY_RATIO, max=0.0)
    intervention = service.create(service.spec(branch, PARIS, gates=[gate]))
    done = service.wait(intervention.id, until={intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION})
    assert done.failed_gates[0].startswith("perplexity_ratio")
    return intervention.id


def test_the_embedded_database_by_itself(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = str(tmp_path_factory.mktemp("alone"))
    assert embedded(["info", "--data-dir", folder]) == 0
    assert "not running" in capsys.readouterr().out
    assert embedded(["start", "--data-dir", folder, "--heap", "512m", "--json"]) == 0
    assert "bolt://127.0.0.1:" in capsys.readouterr().out
    assert embedded(["info", "--data-dir", folder]) == 0
    told = capsys.readouterr().out
    assert re.search(r"cypher-shell -a bolt://127\.0\.0\.1:\d+ -u neo4j -p \S{32}\n", told)
    assert embedded(["logs", "--data-dir", folder, "--lines", "3"]) == 0
    assert embedded(["stop", "--data-dir", folder]) == 0
    assert embedded(["start", "--data-dir", folder, "--heap", "x"]) == 1
    assert "heap" in capsys.readouterr().err
