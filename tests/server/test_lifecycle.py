"""The life of a graph over the wire: a real run is exported, refused to go, deleted, and comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from tests.server.conftest import open_branch
from tests.server.service import PATIENCE, Service, reason_of

from knowledgesmith.client import (
    AlreadyExists,
    ArchiveRejected,
    FactChange,
    GraphNotFound,
    Grouping,
    InterventionNotFound,
    InvalidInput,
    KnowledgeSmith,
    StillReferenced,
)
from knowledgesmith.client.cli import main
from knowledgesmith.v1 import archive_pb2, branch_pb2, graph_pb2, intervention_pb2, probe_pb2

PARIS = FactChange(subject="France", relation="has_capital", old_object="Paris", new_object="Rome")
LIMA = FactChange(subject="Peru", relation="has_capital", old_object="Lima", new_object="Rome")
Run = Callable[..., Result]


@pytest.fixture
def smith(service: Service) -> Iterator[KnowledgeSmith]:
    with KnowledgeSmith(f"127.0.0.1:{service.port}") as client:
        yield client


@pytest.fixture
def ksmith(service: Service, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KSMITH_SERVER", f"127.0.0.1:{service.port}")
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def test_a_branch_is_selected(smith: KnowledgeSmith, service: Service, branch: str, world: str, ksmith: Run) -> None:
    """As the check says where heads are not those of the ledgers; also the branch that is selected already."""
    other = open_branch(service, world, select=False)
    for chosen in (other, other, branch):
        shown = ksmith("branch", "select", chosen)
        assert (shown.exit_code, chosen in shown.output) == (0, True), shown.output
        assert service.graph.GetGraph(graph_pb2.GetGraphRequest(graph_id=world)).graph.head_branch_id == chosen


def test_a_graph_with_a_run_goes_and_comes_back(
    smith: KnowledgeSmith, service: Service, branch: str, world: str, ksmith: Run, tmp_path: Path
) -> None:
    # an artefact is named by its content: no other test makes this very edit, so the files are this run's alone
    intervention = smith.interventions.edit(
        branch_id=branch, changes=[PARIS], method="finetune", method_config={"learning_rate": 3.21e-4}
    )
    smith.interventions.wait(intervention_id=intervention.id)
    done = smith.interventions.get(intervention_id=intervention.id)
    probes = smith.probe_sets.generate(graph_id=world, limit_per_kind=5)
    spread = _spread(smith, intervention.id)
    plan = smith.interventions.get_plan(intervention_id=intervention.id)

    assert ksmith("graph", "check", world).exit_code == 0
    path = tmp_path / "world.ksmith"
    shown = ksmith("graph", "export", world, path, "--with-artefacts")
    assert (shown.exit_code, "ledger.jsonl" in shown.output) == (0, True), shown.output
    assert json.loads(ksmith("graph", "diff", world, path, "--json").output)["facts"]["removed"] == 0

    with pytest.raises(StillReferenced, match="rollback") as kept:
        smith.interventions.delete(intervention_id=intervention.id)
    assert branch in kept.value.hint
    with pytest.raises(StillReferenced):
        smith.graphs.delete(graph_id=world)
    with pytest.raises(AlreadyExists):
        smith.archives.load(path=path, graph_id=world, graph_only=True)
    gone = smith.graphs.delete(graph_id=world, force=True)
    assert gone.removed["interventions"] == gone.removed["graphs"] == 1
    assert (len(gone.files_removed), gone.files_kept) == (2, ())
    with pytest.raises(GraphNotFound):
        smith.graphs.get(graph_id=world)

    loaded = json.loads(ksmith("graph", "load", path, "--json").output)
    assert (loaded["already_there"], loaded["files"]) == (False, 2)
    assert smith.archives.load(path=path).already_there
    assert smith.graphs.check(graph_id=world).sound
    assert smith.interventions.get_plan(intervention_id=intervention.id) == plan
    assert _spread(smith, intervention.id) == spread
    assert smith.interventions.get(intervention_id=intervention.id) == done
    assert len(smith.probe_sets.probes(probe_set_id=probes.id)) == probes.verified
    assert smith.branches.ask(branch_id=branch, prompts=["x"]), "the weights came back too"

    second = smith.interventions.wait(
        intervention_id=smith.interventions.edit(branch_id=branch, changes=[LIMA], method="finetune").id
    )
    smith.branches.rollback(branch_id=branch)
    assert "interventions" in ksmith("delete", second.id).output
    with pytest.raises(InterventionNotFound):
        smith.interventions.get(intervention_id=second.id)
    assert ksmith("probes", "delete", probes.id).exit_code == 0
    assert smith.branches.delete(branch_id=branch, force=True).removed["branches"] == 1
    assert ksmith("graph", "delete", world).exit_code == 0
    assert ksmith("graph", "check", world).exit_code == 1


def _spread(smith: KnowledgeSmith, run: str) -> list[tuple[str, int, int]]:
    """Counts by hop; means may differ in their last digits with the order of sums."""
    groups = smith.propagation.rates(intervention_id=run, group_by=Grouping.HOP).groups
    return [(group.key, group.rows, group.entities) for group in groups]


def test_bad_archives_and_streams_are_refused(
    smith: KnowledgeSmith, service: Service, world: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.ksmith"
    bad.write_bytes(b"PK\x03\x04 nothing of the kind")
    with pytest.raises(ArchiveRejected):
        smith.archives.load(path=bad)
    with pytest.raises(ArchiveRejected):
        smith.archives.diff(graph_id=world, path=bad)
    with pytest.raises(InvalidInput, match="cannot be read"):
        smith.archives.load(path=tmp_path / "missing.ksmith")
    header = archive_pb2.LoadArchiveRequest(header=archive_pb2.LoadArchiveHeader(graph_id="A B"))
    empty = archive_pb2.LoadArchiveRequest(header=archive_pb2.LoadArchiveHeader())
    large = archive_pb2.LoadArchiveRequest(chunk=b"x" * 1_500_000)
    cases: list[tuple[list[archive_pb2.LoadArchiveRequest], str]] = [
        ([], "INVALID_FIELD"),
        ([archive_pb2.LoadArchiveRequest(chunk=b"x")], "INVALID_FIELD"),
        ([header], "INVALID_FIELD"),
        ([header, archive_pb2.LoadArchiveRequest(chunk=b"x")], "INVALID_FIELD"),
        ([empty], "INVALID_FIELD"),
        ([empty, empty], "INVALID_FIELD"),
        ([empty, large], "TOO_LARGE"),
    ]
    kept = set((service.data_dir / "operations").iterdir())
    for messages, reason in cases:
        with pytest.raises(grpc.RpcError) as refused:
            service.archive.LoadArchive(iter(messages), timeout=PATIENCE)
        assert reason_of(refused.value)[1] == reason
    assert set((service.data_dir / "operations").iterdir()) == kept, "what is refused leaves no files"


def test_what_is_not_there_is_refused_before_an_operation_begins(service: Service, world: str) -> None:
    diff = graph_pb2.DiffGraphsRequest(left_graph_id=world, right_graph_id="no")
    calls: list[tuple[Callable[..., Any], Any, str]] = [
        (service.graph.ListGraphVersions, graph_pb2.ListGraphVersionsRequest(graph_id="no"), "GRAPH_NOT_FOUND"),
        (service.graph.DiffGraphs, diff, "GRAPH_NOT_FOUND"),
        (service.graph.CheckGraph, graph_pb2.CheckGraphRequest(graph_id="'; DROP"), "GRAPH_NOT_FOUND"),
        (service.graph.DeleteGraph, graph_pb2.DeleteGraphRequest(graph_id="no"), "GRAPH_NOT_FOUND"),
        (service.archive.CreateArchive, archive_pb2.CreateArchiveRequest(graph_id="no"), "GRAPH_NOT_FOUND"),
        (service.branch.DeleteBranch, branch_pb2.DeleteBranchRequest(branch_id="no"), "BRANCH_NOT_FOUND"),
        (
            service.intervention.DeleteIntervention,
            intervention_pb2.DeleteInterventionRequest(intervention_id="no"),
            "INTERVENTION_NOT_FOUND",
        ),
        (service.probe.DeleteProbeSet, probe_pb2.DeleteProbeSetRequest(probe_set_id="no"), "PROBE_SET_NOT_FOUND"),
    ]
    for call, request, reason in calls:
        with pytest.raises(grpc.RpcError) as refused:
            call(request, timeout=PATIENCE)
        assert reason_of(refused.value)[1] == reason
