"""Dataclasses and messages have the same fields, and one mechanism turns each into the other."""

from __future__ import annotations

import dataclasses
import importlib
import math
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import NULL_VALUE

import knowledgesmith.v1
from knowledgesmith import client as public
from knowledgesmith.client._types.enums import WireEnum
from knowledgesmith.client._wire.fill import message, read, write
from knowledgesmith.client._wire.results import RESULTS, read_result
from knowledgesmith.client._wire.values import read_cypher, read_struct, write_cypher, write_struct
from knowledgesmith.v1 import (
    catalogue_pb2,
    cypher_pb2,
    error_pb2,
    graph_pb2,
    intervention_pb2,
    operation_pb2,
    probe_pb2,
)

MODULES = [
    importlib.import_module(f"knowledgesmith.v1.{found.name}")
    for found in pkgutil.iter_modules(knowledgesmith.v1.__path__)
    if found.name.endswith("_pb2")
]
MESSAGES: dict[str, type[Message]] = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, Message)
}
OTHER_NAMES = {
    "Answers": "AskResponse",
    "ChangedFacts": "ListChangedFactsResponse",
    "Changes": "ListBeliefChangesResponse",
    "CheckReport": "CheckGraphResponse",
    "Collapse": "GetCollapseResponse",
    "Comparison": "CompareInterventionsResponse",
    "ConnectionInfo": "GetConnectionInfoResponse",
    "CypherResult": "RunCypherResponse",
    "Evidence": "ListEvidenceResponse",
    "Export": "ExportRevisionResponse",
    "ImportResult": "ImportGraphResponse",
    "LoadedArchive": "LoadArchiveResponse",
    "Metrics": "GetMetricsResponse",
    "OverTime": "GetOverTimeResponse",
    "Preview": "CreateInterventionResponse",
    "ProbeSetAudit": "AuditProbeSetResponse",
    "Progress": "ProgressEvent",
    "Propagation": "GetPropagationResponse",
    "Rollback": "RollbackBranchResponse",
    "Subgraph": "GetSubgraphResponse",
    "Travel": "GetTravelResponse",
}
NOT_OF_THE_WIRE = {"Attributes", "GraphFile", "OperationProgress", "ServerStatus", "StateChanged"}
DATACLASSES: list[type[Any]] = [
    value
    for name in public.__all__
    if isinstance(value := getattr(public, name), type)
    and dataclasses.is_dataclass(value)
    and name not in NOT_OF_THE_WIRE
]
ENUMS = [value for name in public.__all__ if isinstance(value := getattr(public, name), type)]
NEVER_SENT = {"google.protobuf.Timestamp", "knowledgesmith.v1.CypherRow"}


def wire_of(kind: type[Any]) -> type[Message]:
    return MESSAGES[OTHER_NAMES.get(kind.__name__, kind.__name__)]


@pytest.mark.parametrize("kind", DATACLASSES)
def test_a_dataclass_has_the_fields_of_its_message(kind: type[Any]) -> None:
    ours = {member.name for member in dataclasses.fields(kind) if "absent" not in member.metadata}
    assert ours == {*wire_of(kind).DESCRIPTOR.fields_by_name} - {"next_page_token"}


@pytest.mark.parametrize("kind", [kind for kind in ENUMS if issubclass(kind, WireEnum)])
def test_an_enumeration_has_the_members_of_the_wire(kind: type[WireEnum]) -> None:
    (wire,) = [
        vars(module)[kind.__name__] for module in MODULES if kind.__name__ in module.DESCRIPTOR.enum_types_by_name
    ]
    prefix = wire.keys()[0].removesuffix("UNSPECIFIED")
    assert [f"{prefix}{member.value}" for member in kind] == list(wire.keys())
    assert all(member.name == member.value for member in kind)


def filled(kind: type[Message], depth: int = 0) -> Any:
    """A message with something in every field that can be sent."""
    made: Any = kind()
    for number, field in enumerate(made.DESCRIPTOR.fields, start=1):
        _fill(made, field, number, depth)
    return made


def _fill(made: Any, field: FieldDescriptor, number: int, depth: int) -> None:
    target = getattr(made, field.name)
    if field.message_type is not None and field.message_type.full_name in NEVER_SENT:
        return
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        if value.message_type is None:
            target["k"] = _scalar(value, number)
        else:
            target["k"].CopyFrom(_inner(value, depth))
    elif field.message_type is not None:
        if depth < 5:
            (target.add() if field.is_repeated else target).CopyFrom(_inner(field, depth))
    elif field.is_repeated:
        target.extend([_scalar(field, number), _scalar(field, number + 1)])
    else:
        setattr(made, field.name, _scalar(field, number))


def _inner(field: FieldDescriptor, depth: int) -> Any:
    assert field.message_type is not None
    name = field.message_type.full_name
    if name == "knowledgesmith.v1.CypherValue":
        return write_cypher([1, 2.5, "x", None, {"a": True}])
    if name == "google.protobuf.Struct":
        return write_struct({"a": [1, 2.5, "x", None, {"b": True}]})
    if name == "google.protobuf.Value":
        return write_struct({"v": [1]}).fields["v"]
    return filled(MESSAGES[field.message_type.name], depth + 1)


def _scalar(field: FieldDescriptor, number: int) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[1 + number % (len(field.enum_type.values) - 1)].number
    return {"TYPE_STRING": f"s{number}", "TYPE_BOOL": True, "TYPE_DOUBLE": number + 0.5, "TYPE_BYTES": b"x"}.get(
        {value: name for name, value in vars(FieldDescriptor).items() if name.startswith("TYPE_")}[field.type], number
    )


@pytest.mark.parametrize("kind", DATACLASSES)
def test_nothing_is_lost_on_the_way_there_and_back(kind: type[Any]) -> None:
    sent = filled(wire_of(kind))
    read_once = read(kind, sent)
    again = write(type(sent), read_once)
    if "next_page_token" in sent.DESCRIPTOR.fields_by_name:
        sent.ClearField("next_page_token")
    _forget_answers(sent)
    assert again == sent
    empty = read(kind, wire_of(kind)())
    assert empty == read(kind, type(sent)())
    assert empty != read_once


def _forget_answers(sent: Any) -> None:
    """Drop, wherever it stands, the one field that the client reads and never sends."""
    for field, value in sent.ListFields():
        if field.name == "total_changes" and sent.DESCRIPTOR.name == "InterventionSpec":
            sent.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else [value]:
                _forget_answers(inner)


def test_what_is_absent_stays_apart_from_what_is_nothing() -> None:
    sent = intervention_pb2.BeliefChange(before=0.0)
    found = read(public.BeliefChange, sent)
    assert (found.before, found.after, found.hops) == (0.0, None, None)
    option = graph_pb2.ImporterOption(name="depth")
    assert read(public.ImporterOption, option).required
    option.default.null_value = NULL_VALUE
    found_option = read(public.ImporterOption, option)
    assert (found_option.required, found_option.default) == (False, None)
    assert not write(graph_pb2.ImporterOption, found_option).HasField("default")


def test_what_a_newer_server_sends_is_unspecified() -> None:
    sent = intervention_pb2.Intervention()
    sent.MergeFromString(
        intervention_pb2.Intervention(state=intervention_pb2.INTERVENTION_STATE_RUNNING)
        .SerializeToString()
        .replace(b"\x03", b"\x63")
    )
    assert read(public.Intervention, sent).state is public.InterventionState.UNSPECIFIED
    assert read(public.ProbeSet, probe_pb2.ProbeSet()).split is public.Split.UNSPECIFIED
    with pytest.raises(public.ServerFault, match="does not know"):
        read(
            public.InterventionSpec, intervention_pb2.InterventionSpec(structural=[intervention_pb2.StructuralChange()])
        )


def test_reasons_are_words_and_times_are_utc() -> None:
    sent = intervention_pb2.Intervention(error_reason=error_pb2.ERROR_REASON_GRAPH_NOT_FOUND)
    sent.create_time.FromSeconds(1_700_000_000)
    found = read(public.Intervention, sent)
    assert found.error_reason == "GRAPH_NOT_FOUND"
    assert found.create_time == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (found.finish_time, read(public.Intervention, intervention_pb2.Intervention()).error_reason) == (None, "")


def test_a_union_is_sent_as_the_one_that_it_is() -> None:
    spec = public.InterventionSpec.unlearn(
        branch_id="main",
        structural=[public.DeleteNode(entity="x", subtree=True), public.MoveSubtree(entity="a", new_parent="b")],
    )
    sent = write(intervention_pb2.InterventionSpec, spec)
    assert [one.WhichOneof("change") for one in sent.structural] == ["delete_node", "move_subtree"]
    assert sent.structural[0].delete_node.subtree
    assert not sent.HasField("method_config")
    assert read(public.InterventionSpec, sent) == spec


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 2**63 - 1, -(2**63), 0.5, math.inf, "x", "", b"\x00", [], [1, [2.0, None]], {}, {"a": {"b": [1]}}],
)
def test_values_of_cypher_keep_their_type(value: Any) -> None:
    found = read_cypher(write_cypher(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", [2**63, object(), {1, 2}, datetime.now(UTC), [object()]])
def test_what_has_no_form_in_cypher_is_refused(value: Any) -> None:
    with pytest.raises(public.InvalidInput) as caught:
        message(graph_pb2.RunCypherRequest, query="RETURN $x", parameters={"x": value})
    assert caught.value.field == "parameters"


def test_nodes_relationships_paths_and_points_are_dictionaries() -> None:
    node = cypher_pb2.CypherNode(id="4:1", labels=["Entity"], properties={"name": write_cypher("Japan")})
    fact = cypher_pb2.CypherRelationship(id="5:1", type="R", start_id="4:1", end_id="4:2")
    shown = {"id": "4:1", "labels": ["Entity"], "properties": {"name": "Japan"}}
    told = {"id": "5:1", "type": "R", "start_id": "4:1", "end_id": "4:2", "properties": {}}
    assert read_cypher(cypher_pb2.CypherValue(node_value=node)) == shown
    assert read_cypher(cypher_pb2.CypherValue(relationship_value=fact)) == told
    path = cypher_pb2.CypherPath(nodes=[node, node], relationships=[fact])
    assert read_cypher(cypher_pb2.CypherValue(path_value=path)) == {"nodes": [shown, shown], "relationships": [told]}
    point = cypher_pb2.CypherPoint(srid=4326, coordinates=[1.5, 2.5])
    assert read_cypher(cypher_pb2.CypherValue(point_value=point)) == {"srid": 4326, "coordinates": [1.5, 2.5]}
    assert read_cypher(cypher_pb2.CypherValue(temporal_value="2024-01-01")) == "2024-01-01"
    assert read_cypher(cypher_pb2.CypherValue()) is None


def test_a_configuration_keeps_whole_numbers_whole() -> None:
    given = {"layers": [5, 6], "rate": 0.5, "deep": {"on": True, "none": None, "name": "x"}}
    found = read_struct(write_struct(given))
    assert found == given
    assert [type(item) for item in found["layers"]] == [int, int]


@pytest.mark.parametrize("value", [2**53, math.nan, math.inf, object(), b"x", {1}])
def test_what_has_no_form_in_a_configuration_is_refused(value: Any) -> None:
    spec = public.InterventionSpec.edit(branch_id="main", method_config={"a": [value]})
    with pytest.raises(public.InvalidInput) as caught:
        write(intervention_pb2.InterventionSpec, spec)
    assert caught.value.field == "method_config"


@pytest.mark.parametrize("values", [{"seed": 2**63}, {"seed": "x"}, {"levels": ["NO_LEVEL"]}, {"graph_id": 3}])
def test_a_value_that_does_not_fit_its_field_is_refused_with_its_name(values: dict[str, Any]) -> None:
    with pytest.raises(public.InvalidInput) as caught:
        message(probe_pb2.GenerateProbeSetRequest, **values)
    assert caught.value.field == next(iter(values))


def test_every_method_that_begins_an_operation_has_a_typed_result() -> None:
    from google.longrunning import operations_pb2
    from google.protobuf.any_pb2 import Any as Packed

    names = {
        method.GetOptions().Extensions[operations_pb2.operation_info].response_type
        for module in MODULES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.output_type.full_name == "google.longrunning.Operation"
    }
    assert names == {response.DESCRIPTOR.name for response in RESULTS}
    for response, (kind, _) in RESULTS.items():
        packed = Packed()
        packed.Pack(response())
        assert isinstance(read_result(packed), kind)
    packed = Packed()
    packed.Pack(operation_pb2.OperationMetadata())
    with pytest.raises(public.ServerFault, match="does not know"):
        read_result(packed)


def test_a_trait_of_the_wire_is_a_trait() -> None:
    sent = catalogue_pb2.Trait(kind=catalogue_pb2.TRAIT_KIND_COMPOSITION, relation="r", others=["a", "b"])
    assert str(read(public.Trait, sent)) == "composition:r|a|b"
