"""Probe sets, models, branches, rows of every filter: the reading calls on a real server."""

from __future__ import annotations

import re

import pytest
from tests.server.service import PATIENCE, Service

from knowledgesmith.graph_schema.__main__ import main as embedded
from knowledgesmith.v1 import branch_pb2, common_pb2, graph_pb2, intervention_pb2, model_pb2, probe_pb2, propagation_pb2

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
    assert [m.name for m in methods] == ["alphaedit", "finetune", "placebo", "relearn"]
    two = service.model.ListMethods(model_pb2.ListMethodsRequest(page_size=3), timeout=PATIENCE)
    rest = model_pb2.ListMethodsRequest(page_size=3, page_token=two.next_page_token)
    last = service.model.ListMethods(rest, timeout=PATIENCE)
    assert [*two.methods, *last.methods] == list(methods)
    assert not last.next_page_token
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


@pytest.fixture
def held(service: Service, branch: str) -> str:
    """A measured intervention with a gate on fluency that awaits a decision."""
    gate = intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_PERPLEXITY_RATIO, max=0.0)
    job = service.create(service.spec(branch, PARIS, gates=[gate]))
    done = service.wait(job.id, until={intervention_pb2.INTERVENTION_STATE_AWAITING_DECISION})
    assert done.failed_gates[0].startswith("perplexity_ratio")
    return job.id


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
