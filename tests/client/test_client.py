"""Every call reaches the right method with the right request, and answers come back as our dataclasses."""

from __future__ import annotations

import asyncio
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
from knowledgesmith.client import (
    AsyncKnowledgeSmith,
    FactChange,
    Gate,
    GateMetric,
    Grouping,
    InterventionSpec,
    KnowledgeSmith,
    ProbeKind,
    Role,
    Scorer,
    SpecOptions,
    TargetDistribution,
)
from knowledgesmith.v1 import (
    common_pb2,
    graph_pb2,
    intervention_pb2,
    propagation_pb2,
)

CHANGE = FactChange(subject="Japan", relation="has_capital", new_object="Paris")


def test_calls_read_what_the_server_says(either: KnowledgeSmith) -> None:
    assert either.health() == "SERVING"
    assert either.graphs.get(graph_id="atlas").entities == 10
    assert [graph.id for graph in either.graphs.list()] == ["atlas"]
    assert either.graphs.import_bundled().report.facts_created == 12
    assert either.graphs.connection().embedded
    assert either.models.register().parameters == 1000
    assert str(either.models.methods()[0].accepts[0]) == "EDIT/NEW_OBJECT"
    assert either.branches.get(branch_id="b").id == "b"
    assert either.branches.select(branch_id="b").id == "b"
    assert either.branches.export(branch_id="main", name="out").directory == "/exports/out"
    assert either.probe_sets.get(probe_set_id="s1").counts == (public.KindCount(kind=ProbeKind.DIRECT, count=3),)
    assert either.interventions.get_plan(intervention_id="i1").changes[2].premises == ("f2",)
    assert either.branches.rollback(branch_id="main").exact


def test_cypher_rows_are_values(either: KnowledgeSmith, fake: FakeServer) -> None:
    result = either.graphs.cypher(query="RETURN 1", parameters={"a": [1, "x"]}, max_rows=5)
    assert result.records() == [{"name": "Japan", "n": 1}, {"name": "\x1b[31mred", "n": None}]
    sent = fake.requests("RunCypher")[0].parameters["a"].list_value.values
    assert (sent[0].integer_value, sent[1].string_value) == (1, "x")


def test_import_sends_header_then_every_byte(either: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    body = b"uid,name\n" + b"x,y\n" * 150_000
    (tmp_path / "entities.csv").write_bytes(body)
    (tmp_path / "facts.jsonl").write_bytes(b"")
    files = [tmp_path / "entities.csv", tmp_path / "facts.jsonl"]
    result = either.graphs.import_files(graph_id="mine", files=files, source="here", validate_only=True)
    assert result.graph is None
    header, *chunks = fake.requests("ImportGraph")
    sent = graph_pb2.ImportHeader(
        graph_id="mine", source="here", validate_only=True, request_id=header.header.request_id
    )
    assert header.header == sent
    entities = [part.chunk for part in chunks if part.chunk.name == "entities.csv"]
    assert b"".join(part.content for part in entities) == body
    assert max(len(part.content) for part in entities) <= 2**20
    assert chunks[-1].chunk.name == "facts.jsonl"


def test_an_import_tells_how_it_goes(either: KnowledgeSmith, fake: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/two.rdf", "one.rdf", ".hidden", "b/one.rdf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to("/etc/passwd")
    seen: list[public.OperationProgress] = []
    begun = either.graphs.import_files(
        graph_id="mine", files=[tmp_path], format="rdf", options={"labels": ["a"]}, strict=True, wait=False
    )
    result = begun.result(progress=seen.append)
    header, *chunks = fake.requests("ImportGraph")
    assert (header.header.format, dict(header.header.options), header.header.strict) == ("rdf", {"labels": ["a"]}, True)
    names = [part.chunk.name for part in chunks]
    assert names == [f"{tmp_path.name}/{name}" for name in ("b/one.rdf", "b/two.rdf", "one.rdf")]
    assert [(one.stage, one.done, one.total) for one in seen][-2:] == [("read", 4, 0), ("write facts", 2, 8)]
    (rejection,) = either.graphs.rejections(operation=begun.name)
    assert str(rejection).startswith("facts.csv:3: no such")
    assert fake.requests("ListImportRejections")[0].operation == begun.name
    fact = result.report.examples.facts_created[0]
    assert (fact.subject_uid, fact.relation, fact.object_uid) == ("x", "r", "y")
    assert result.report.rejected == 1


def test_a_file_that_cannot_be_read_is_refused_before_the_call(
    either: KnowledgeSmith, fake: FakeServer, tmp_path: Path
) -> None:
    for files in ([tmp_path / "stuff.csv"], [tmp_path]):
        with pytest.raises(public.InvalidInput) as caught:
            either.graphs.import_files(graph_id="mine", files=files)
        assert caught.value.field == "files"
    assert not fake.calls


def test_importers_come_with_their_options(either: KnowledgeSmith) -> None:
    (importer,) = either.graphs.importers()
    assert (importer.name, importer.endings) == ("obo", (".obo",))
    assert (importer.options[0].default, importer.options[0].required) == (3, False)


def test_edit_and_unlearn_say_what_they_want(either: KnowledgeSmith, fake: FakeServer) -> None:
    gate = Gate(metric=GateMetric.COLLATERAL, max=0.05)
    either.interventions.edit(
        branch_id="main", changes=[CHANGE], method_config={"layers": [5]}, gates=[gate], hold=True, seed=3
    )
    either.interventions.unlearn(
        branch_id="main",
        changes=[FactChange(subject="Japan", relation="has_capital")],
        target_distribution=TargetDistribution.REFUSAL,
        scorer=Scorer.CLOZE_MEAN,
        max_probes=50,
        structural=[public.DeleteNode(entity="Peru")],
    )
    edit, unlearn = (request.spec for request in fake.requests("CreateIntervention"))
    assert (edit.goal, edit.method, dict(edit.method_config)) == (common_pb2.GOAL_EDIT, "", {"layers": [5]})
    assert edit.gates[0].max == 0.05
    assert not edit.gates[0].HasField("min")
    assert edit.hold
    assert (unlearn.goal, unlearn.max_probes) == (common_pb2.GOAL_UNLEARN, 50)
    assert unlearn.target_distribution == common_pb2.TARGET_DISTRIBUTION_REFUSAL
    assert unlearn.scorer == intervention_pb2.SCORER_CLOZE_MEAN
    assert unlearn.structural[0].delete_node.entity == "Peru"


def test_plan_only_validates(either: KnowledgeSmith, fake: FakeServer) -> None:
    spec = InterventionSpec.edit(branch_id="main", changes=[CHANGE], method="alphaedit")
    preview = either.interventions.plan(spec=spec)
    assert fake.requests("CreateIntervention")[0].validate_only
    assert preview.plan.rows == 6
    assert preview.intervention.id == ""
    assert preview.intervention.spec == spec


def test_every_call_names_the_actor(either: KnowledgeSmith, fake: FakeServer) -> None:
    either.graphs.get(graph_id="atlas")
    assert fake.metadata[0]["x-ksmith-actor"] == "tester"


@pytest.mark.parametrize("actor", ["", "a\nb", "Zoë", "x" * 129])
def test_an_actor_that_cannot_travel_is_refused(actor: str) -> None:
    with pytest.raises(public.InvalidInput, match="actor"):
        KnowledgeSmith(actor=actor)


def test_a_retry_repeats_the_request_id(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["CreateIntervention"] = [Failure(code=grpc.StatusCode.UNAVAILABLE)] * 2
    either.interventions.edit(branch_id="main", changes=[CHANGE])
    ids = {request.request_id for request in fake.requests("CreateIntervention")}
    assert len(fake.requests("CreateIntervention")) == 3
    assert len(ids) == 1
    assert uuid.UUID(ids.pop()).version == 4


def test_calls_that_are_not_idempotent_are_never_repeated(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["CreateBranch"] = [Failure(code=grpc.StatusCode.UNAVAILABLE)]
    with pytest.raises(public.Unavailable):
        either.branches.create(branch_id="b", model_id="m", graph_id="g")
    assert len(fake.requests("CreateBranch")) == 1


def test_only_unavailable_is_repeated(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.failures["GetGraph"] = [Failure(code=grpc.StatusCode.ABORTED, reason="BRANCH_BUSY")]
    with pytest.raises(public.BranchBusy):
        either.graphs.get(graph_id="atlas")
    assert len(fake.requests("GetGraph")) == 1


def test_pages_are_joined_and_limited(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.interventions = 5
    assert [intervention.id for intervention in either.interventions.list()] == ["i0", "i1", "i2", "i3", "i4"]
    assert [intervention.id for intervention in either.interventions.list(limit=3)] == ["i0", "i1", "i2"]
    changes = either.propagation.changes(intervention_id="i1")
    assert [row.sequence for row in changes.changes] == [1, 2, 3, 4, 5, 6]
    assert changes.query.parameters == {"id": "i1"}


def test_propagation_carries_its_query(either: KnowledgeSmith, fake: FakeServer) -> None:
    found = either.propagation.rates(intervention_id="i1", group_by=Grouping.KIND)
    assert fake.requests("GetPropagation")[0].group_by == propagation_pb2.GROUPING_KIND
    assert [(group.key, group.role) for group in found.groups] == [
        ("0", Role.TARGET),
        ("0", Role.FOLLOWS),
        ("unreachable", Role.FOLLOWS),
    ]
    assert found.groups[0].residual.value is None
    assert (found.groups[0].installed.chance, found.groups[0].installed.placebo) == (0.25, 0.0)
    assert (found.placebo_intervention_id, found.verdict_scheme, found.withheld) == ("i0", 2, "")
    assert found.query.cypher.startswith("MATCH")


def test_status_gathers_everything(either: KnowledgeSmith) -> None:
    status = either.status()
    assert (status.health, len(status.graphs), len(status.models), len(status.branches)) == ("SERVING", 1, 1, 1)
    assert status.running == ()


def test_probe_kinds_are_sent(either: KnowledgeSmith, fake: FakeServer) -> None:
    either.probe_sets.generate(graph_id="atlas", kinds=[ProbeKind.REVERSE], seed=4, limit_per_kind=9)
    request = fake.requests("GenerateProbeSet")[0]
    assert list(request.kinds) == [common_pb2.PROBE_KIND_REVERSE]
    assert (request.seed, request.limit_per_kind) == (4, 9)


NAMESPACES = (
    "graphs",
    "archives",
    "catalogue",
    "cases",
    "models",
    "branches",
    "probe_sets",
    "interventions",
    "propagation",
    "operations",
)
Methods = list[tuple[str, Any]]


def methods(client: object) -> Methods:
    """The public methods of all namespaces."""
    return [
        (f"{space}.{name}", method)
        for space in NAMESPACES
        for name, method in inspect.getmembers(getattr(client, space), inspect.ismethod)
        if not name.startswith("_")
    ]


def test_both_clients_have_the_same_methods(smith: KnowledgeSmith) -> None:
    async def of_the_other() -> Methods:
        async with AsyncKnowledgeSmith() as other:
            return methods(other)

    ours, others = methods(smith), asyncio.run(of_the_other())
    assert len(ours) > 60
    assert [(name, _parameters(method)) for name, method in ours] == [
        (name, _parameters(method)) for name, method in others
    ]
    for name, method in others:
        assert inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method), name


def _parameters(method: Any) -> list[tuple[str, Any]]:
    return [(item.name, item.default) for item in inspect.signature(method).parameters.values()]


def test_public_methods_take_keywords_only(smith: KnowledgeSmith) -> None:
    for name, method in methods(smith):
        kinds = {item.kind for item in inspect.signature(method).parameters.values()}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}, name


def test_a_request_has_its_members_as_keywords() -> None:
    members = {member.name for member in dataclasses.fields(InterventionSpec)}
    assert members - set(SpecOptions.__annotations__) == {"branch_id", "goal", "changes", "total_changes"}
    assert set(SpecOptions.__annotations__) <= members
