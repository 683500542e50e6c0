"""Every call reaches the right method with the right request, and answers come back as our dataclasses."""

from __future__ import annotations

import dataclasses
import inspect
import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith import client as public
from knowledgesmith.client import FactChange, Gate, Goal, Grouping, InterventionSpec, KnowledgeSmith, ProbeKind, Role
from knowledgesmith.v1 import (
    common_pb2,
    graph_pb2,
    intervention_pb2,
    model_pb2,
    probe_pb2,
    propagation_pb2,
)

CHANGE = FactChange(subject="Japan", relation="has_capital", new_object="Paris")


def test_calls_read_what_the_server_says(smith: KnowledgeSmith) -> None:
    assert smith.health() == "SERVING"
    assert smith.get_graph(graph_id="atlas").entities == 10
    assert [graph.graph_id for graph in smith.list_graphs()] == ["atlas"]
    assert smith.import_bundled().report.facts_created == 12
    assert smith.connection_info().embedded
    assert smith.register_model().parameters == 1000
    assert smith.list_methods()[0].accepts == ("EDIT/NEW_OBJECT",)
    assert smith.get_branch(branch_id="b").id == "b"
    assert smith.select_branch(branch_id="b").id == "b"
    assert smith.export(branch_id="main", name="out").directory == "/exports/out"
    assert smith.get_probe_set(probe_set_id="s1").counts == {"DIRECT": 3}
    assert smith.get_plan(intervention_id="i1").changes[2].premises == ("f2",)
    assert smith.rollback(branch_id="main").exact


def test_cypher_rows_are_values(smith: KnowledgeSmith, fake: FakeServer) -> None:
    result = smith.cypher(query="RETURN 1", parameters={"a": [1, "x"]}, max_rows=5)
    assert result.records() == [{"name": "Japan", "n": 1}, {"name": "\x1b[31mred", "n": None}]
    assert fake.requests("RunCypher")[0].parameters_json == '{"a": [1, "x"]}'


def test_import_sends_header_then_every_byte(smith: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    body = b"uid,name\n" + b"x,y\n" * 150_000
    (tmp_path / "entities.csv").write_bytes(body)
    (tmp_path / "facts.jsonl").write_bytes(b"")
    files = [tmp_path / "entities.csv", tmp_path / "facts.jsonl"]
    smith.import_graph(graph_id="mine", files=files, source="here", validate_only=True)
    header, *chunks = fake.requests("ImportGraph")
    assert header.header == graph_pb2.ImportHeader(graph_id="mine", source="here", validate_only=True)
    entities = [part.chunk for part in chunks if part.chunk.name == "entities.csv"]
    assert b"".join(part.content for part in entities) == body
    assert max(len(part.content) for part in entities) <= 2**20
    assert chunks[-1].chunk.name == "facts.jsonl"


def test_an_import_tells_how_it_goes(smith: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/two.rdf", "one.rdf", ".hidden", "b/one.rdf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to("/etc/passwd")
    seen: list[object] = []
    result = smith.import_graph(
        graph_id="mine",
        files=[tmp_path],
        format="rdf",
        options={"labels": ["a"]},
        strict=True,
        on_progress=seen.append,
        on_rejections=seen.extend,
    )
    header, *chunks = fake.requests("ImportGraph")
    assert (header.header.format, header.header.options_json, header.header.strict) == (
        "rdf",
        '{"labels": ["a"]}',
        True,
    )
    names = [part.chunk.name for part in chunks]
    assert names == [f"{tmp_path.name}/{name}" for name in ("b/one.rdf", "b/two.rdf", "one.rdf")]
    progress, rejection = seen
    assert isinstance(progress, public.ImportProgress)
    assert (progress.stage, progress.done) == ("read", 4)
    assert str(rejection).startswith("facts.csv:3: no such")
    assert result.report.examples.facts_created == (("x", "r", "y"),)
    assert result.report.rejected == 1


def test_a_file_that_cannot_be_read_is_refused_before_the_call(
    smith: KnowledgeSmith, fake: FakeServer, tmp_path: Path
) -> None:
    for files in ([tmp_path / "stuff.csv"], [tmp_path]):
        with pytest.raises(public.InvalidInput) as caught:
            smith.import_graph(graph_id="mine", files=files)
        assert caught.value.field == "files"
    assert not fake.calls


def test_importers_come_with_their_options(smith: KnowledgeSmith) -> None:
    (importer,) = smith.list_importers()
    assert (importer.name, importer.endings) == ("obo", (".obo",))
    assert (importer.options[0].default, importer.options[0].required) == (3, False)


def test_edit_and_unlearn_say_what_they_want(smith: KnowledgeSmith, fake: FakeServer) -> None:
    gate = Gate(metric="collateral", max=0.05)
    smith.edit(branch_id="main", changes=[CHANGE], method_config={"layers": [5]}, gates=[gate], hold=True, seed=3)
    smith.unlearn(branch_id="main", changes=[FactChange(subject="Japan", relation="has_capital")])
    edit, unlearn = (request.spec for request in fake.requests("CreateIntervention"))
    assert (edit.goal, edit.method, edit.method_config_json) == (common_pb2.GOAL_EDIT, "alphaedit", '{"layers": [5]}')
    assert edit.gates[0].max == 0.05
    assert not edit.gates[0].HasField("min")
    assert edit.hold
    assert (unlearn.goal, unlearn.method) == (common_pb2.GOAL_UNLEARN, "alphaedit")


def test_plan_only_validates(smith: KnowledgeSmith, fake: FakeServer) -> None:
    spec = InterventionSpec(branch_id="main", goal=Goal.EDIT, changes=(CHANGE,), method="alphaedit")
    preview = smith.plan(spec=spec)
    assert fake.requests("CreateIntervention")[0].validate_only
    assert preview.plan.rows == 6
    assert preview.intervention.id == ""
    assert preview.intervention.spec == spec


def test_every_call_names_the_actor(smith: KnowledgeSmith, fake: FakeServer) -> None:
    smith.get_graph(graph_id="atlas")
    assert fake.metadata[0]["x-ksmith-actor"] == "tester"


@pytest.mark.parametrize("actor", ["", "a\nb", "Zoë", "x" * 129])
def test_an_actor_that_cannot_travel_is_refused(actor: str) -> None:
    with pytest.raises(public.InvalidInput, match="actor"):
        KnowledgeSmith(actor=actor)


def test_a_retry_repeats_the_request_id(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["CreateIntervention"] = [Failure(code=grpc.StatusCode.UNAVAILABLE)] * 2
    smith.edit(branch_id="main", changes=[CHANGE])
    ids = {request.request_id for request in fake.requests("CreateIntervention")}
    assert len(fake.requests("CreateIntervention")) == 3
    assert len(ids) == 1
    assert uuid.UUID(ids.pop()).version == 4


def test_calls_that_are_not_idempotent_are_never_repeated(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["CreateBranch"] = [Failure(code=grpc.StatusCode.UNAVAILABLE)]
    with pytest.raises(public.Unavailable):
        smith.create_branch(branch_id="b", model_id="m", graph_id="g")
    assert len(fake.requests("CreateBranch")) == 1


def test_only_unavailable_is_repeated(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["GetGraph"] = [Failure(code=grpc.StatusCode.ABORTED, reason="BRANCH_BUSY")]
    with pytest.raises(public.BranchBusy):
        smith.get_graph(graph_id="atlas")
    assert len(fake.requests("GetGraph")) == 1


def test_pages_are_joined_and_limited(smith: KnowledgeSmith, fake: FakeServer) -> None:
    fake.interventions = 5
    assert [job.id for job in smith.list_interventions()] == ["i0", "i1", "i2", "i3", "i4"]
    assert [job.id for job in smith.list_interventions(limit=3)] == ["i0", "i1", "i2"]
    changes = smith.list_changes(intervention_id="i1")
    assert [row.seq for row in changes.changes] == [1, 2, 3, 4, 5, 6]
    assert changes.query.parameters == {"id": "i1"}


def test_propagation_carries_its_query(smith: KnowledgeSmith, fake: FakeServer) -> None:
    found = smith.propagation(intervention_id="i1", group_by=Grouping.KIND)
    assert fake.requests("GetPropagation")[0].group_by == propagation_pb2.GROUPING_KIND
    assert [(group.key, group.role) for group in found.groups] == [
        ("0", Role.TARGET),
        ("0", Role.FOLLOWS),
        ("unreachable", Role.FOLLOWS),
    ]
    assert found.groups[0].residual.value is None
    assert (found.groups[0].installed.chance, found.groups[0].installed.placebo) == (0.25, 0.0)
    assert (found.placebo_id, found.verdict_scheme, found.withheld) == ("i0", 2, "")
    assert found.query.cypher.startswith("MATCH")


def test_status_gathers_everything(smith: KnowledgeSmith) -> None:
    status = smith.status()
    assert (status.health, len(status.graphs), len(status.models), len(status.branches)) == ("SERVING", 1, 1, 1)
    assert status.running == ()


def test_probe_kinds_are_sent(smith: KnowledgeSmith, fake: FakeServer) -> None:
    smith.generate_probes(graph_id="atlas", kinds=[ProbeKind.REVERSE], seed=4, limit_per_kind=9)
    request = fake.requests("GenerateProbeSet")[0]
    assert list(request.kinds) == [common_pb2.PROBE_KIND_REVERSE]
    assert (request.seed, request.limit_per_kind) == (4, 9)


PAIRS: list[tuple[type[Any], Any]] = [
    (public.Graph, graph_pb2.Graph),
    (public.ImportReport, graph_pb2.ImportReport),
    (public.ConnectionInfo, graph_pb2.GetConnectionInfoResponse),
    (public.ProbeSet, probe_pb2.ProbeSet),
    (public.Probe, probe_pb2.Probe),
    (public.Model, model_pb2.Model),
    (public.Method, model_pb2.Method),
    (public.Branch, model_pb2.Branch),
    (public.Revision, model_pb2.Revision),
    (public.Answers, model_pb2.AskResponse),
    (public.Export, model_pb2.ExportRevisionResponse),
    (public.FactChange, intervention_pb2.FactChange),
    (public.Gate, intervention_pb2.Gate),
    (public.Intervention, intervention_pb2.Intervention),
    (public.WorldChange, intervention_pb2.WorldChange),
    (public.Plan, intervention_pb2.Plan),
    (public.BeliefChange, intervention_pb2.BeliefChange),
    (public.Progress, intervention_pb2.ProgressEvent),
    (public.Rate, common_pb2.Rate),
    (public.PropagationGroup, propagation_pb2.PropagationGroup),
    (public.SubgraphNode, propagation_pb2.SubgraphNode),
    (public.SubgraphEdge, propagation_pb2.SubgraphEdge),
]


@pytest.mark.parametrize(("ours", "wire"), PAIRS)
def test_no_field_of_the_wire_is_forgotten(ours: type[Any], wire: Any) -> None:
    assert {item.name for item in dataclasses.fields(ours)} == set(wire.DESCRIPTOR.fields_by_name)


def test_enums_are_those_of_the_wire() -> None:
    for name, module in [
        ("Goal", common_pb2),
        ("TargetDistribution", common_pb2),
        ("ProbeKind", common_pb2),
        ("Polarity", common_pb2),
        ("InterventionState", intervention_pb2),
        ("Grouping", propagation_pb2),
        ("ChangeFilter", propagation_pb2),
        ("ExportFormat", model_pb2),
    ]:
        wire = getattr(module, name).keys()
        prefix = wire[0].removesuffix("UNSPECIFIED")
        ours = getattr(public, name)
        assert {f"{prefix}{member.value}" for member in ours} == set(wire), name
        if hasattr(ours, "to_proto"):
            assert [member.to_proto() for member in ours] == [getattr(module, name).Value(key) for key in wire]


def test_public_methods_take_keywords_only() -> None:
    for name, method in inspect.getmembers(KnowledgeSmith, inspect.isfunction):
        if not name.startswith("_"):
            kinds = [item.kind for item in list(inspect.signature(method).parameters.values())[1:]]
            assert set(kinds) <= {inspect.Parameter.KEYWORD_ONLY}, name
