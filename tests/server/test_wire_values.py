"""Values between wire and domain: enums by name, configurations, and what Cypher takes and gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.contract import Family
from knowledgesmith.editors.models.dtypes import DTYPES
from knowledgesmith.editors.scoring.beliefs import ScorerKind
from knowledgesmith.graph_schema.catalogue.accepted_traits import TraitKind
from knowledgesmith.graph_schema.catalogue.rules import Rule
from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.probes.guessing.guessers import Guesser
from knowledgesmith.graph_schema.probes.sets.exchange import SetFormat
from knowledgesmith.graph_schema.probes.sets.sampling import Balance
from knowledgesmith.graph_schema.propagation import Agreement, ChangeFilter, Grouping, Pasteable, VerdictName
from knowledgesmith.graph_schema.types import cypher
from knowledgesmith.graph_schema.types.facts import Level, Origin, Split
from knowledgesmith.graph_schema.types.health import HealthVerdict
from knowledgesmith.graph_schema.types.interventions import Goal, State, TargetDistribution
from knowledgesmith.graph_schema.types.plans import WarningKind, WorldOp
from knowledgesmith.graph_schema.types.probes import Context, Polarity, ProbeKind, Role
from knowledgesmith.server.wire import structs
from knowledgesmith.server.wire.changes import gates_from
from knowledgesmith.server.wire.cypher import parameters_from, query_to, row_to, value_to
from knowledgesmith.server.wire.enums import all_from_wire, from_wire, names, to_wire, word_from_wire
from knowledgesmith.server.worker.attempt.patience import PHASE
from knowledgesmith.v1 import (
    branch_pb2,
    catalogue_pb2,
    common_pb2,
    cypher_pb2,
    health_pb2,
    intervention_pb2,
    model_pb2,
    probe_pb2,
    propagation_pb2,
)

SAME: dict[str, tuple[Any, set[str]]] = {
    "goals": (common_pb2.Goal, set(Goal.__members__)),
    "target distributions": (common_pb2.TargetDistribution, set(TargetDistribution.__members__)),
    "kinds": (common_pb2.ProbeKind, set(ProbeKind.__members__)),
    "polarities": (common_pb2.Polarity, set(Polarity.__members__)),
    "roles": (common_pb2.Role, set(Role.__members__)),
    "levels": (common_pb2.Level, set(Level.__members__)),
    "states": (intervention_pb2.InterventionState, set(State.__members__)),
    "scorers": (intervention_pb2.Scorer, set(ScorerKind.__members__)),
    "ways into a world": (intervention_pb2.WorldOp, set(WorldOp.__members__)),
    "warnings": (intervention_pb2.WarningKind, set(WarningKind.__members__)),
    "rules": (
        intervention_pb2.Rule,
        {*Rule.__members__, "REQUEST", "ASSERTED", "FUNCTIONAL", "INVERSE_FUNCTIONAL", "SUPPORT"},
    ),
    "health": (health_pb2.HealthVerdict, set(HealthVerdict.__members__)),
    "dtypes": (model_pb2.DType, {name.upper() for name in DTYPES}),
    "families": (model_pb2.MethodFamily, set(Family.__members__)),
    "splits": (probe_pb2.Split, set(Split.__members__)),
    "contexts": (probe_pb2.ProbeContext, set(Context.__members__) - {"NONE"}),
    "balances": (probe_pb2.Balance, set(Balance.__members__)),
    "formats of sets": (probe_pb2.ProbeSetFormat, set(SetFormat.__members__)),
    "guessers": (probe_pb2.Guesser, set(Guesser.__members__)),
    "verdicts": (propagation_pb2.Verdict, set(VerdictName.__members__)),
    "agreements": (propagation_pb2.Agreement, set(Agreement.__members__)),
    "filters": (propagation_pb2.ChangeFilter, set(ChangeFilter.__members__) - {"CHANGES"}),
    "groupings": (propagation_pb2.Grouping, {*Grouping.__members__, "BAND"}),
    "traits": (catalogue_pb2.TraitKind, set(TraitKind.__members__)),
    "origins": (catalogue_pb2.WordingOrigin, set(Origin.__members__)),
}
"""Enums of the wire, and what the domain has of the same; what the domain leaves unset stands aside."""


@pytest.mark.parametrize("name", SAME)
def test_the_wire_and_the_domain_name_the_same(name: str) -> None:
    enum, domain = SAME[name]
    assert set(names(enum)) == domain


def test_members_and_words_become_numbers_and_members_again() -> None:
    assert to_wire(common_pb2.Polarity, Polarity.STAY) == common_pb2.POLARITY_STAY
    assert to_wire(common_pb2.Polarity, "stay") == common_pb2.POLARITY_STAY
    assert to_wire(common_pb2.Level, "Leaf") == common_pb2.LEVEL_LEAF
    assert to_wire(probe_pb2.ProbeSetFormat, "lm-eval") == probe_pb2.PROBE_SET_FORMAT_LM_EVAL
    assert to_wire(intervention_pb2.Scorer, ScorerKind.CLOZE_EXACT.value) == intervention_pb2.SCORER_CLOZE_EXACT
    assert to_wire(model_pb2.DType, "bfloat16") == model_pb2.D_TYPE_BFLOAT16
    assert to_wire(common_pb2.Role, None) == to_wire(common_pb2.Role, "") == common_pb2.ROLE_UNSPECIFIED
    for kind in ProbeKind:
        assert from_wire(common_pb2.ProbeKind, to_wire(common_pb2.ProbeKind, kind), ProbeKind, "kind") is kind
    assert from_wire(common_pb2.ProbeKind, 0, ProbeKind, "kind") is None
    assert all_from_wire(common_pb2.Role, [0, 2, 0, 1], Role, "roles") == [Role.FOLLOWS, Role.TARGET]
    assert word_from_wire(intervention_pb2.GateMetric, 6, "metric") == "perplexity_ratio"
    assert word_from_wire(intervention_pb2.GateMetric, 0, "metric") == ""


def test_what_the_wire_does_not_know_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="GOAL_FORGET"):
        to_wire(common_pb2.Goal, "forget")


@pytest.mark.parametrize("number", [-1, 7, 99, 2**31 - 1])
def test_an_unknown_number_is_refused_with_the_names(number: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        all_from_wire(common_pb2.ProbeKind, [1, number], ProbeKind, "kinds")
    assert (caught.value.field, caught.value.value) == ("kinds[1]", str(number))
    assert all(kind.name in caught.value.hint for kind in ProbeKind)
    with pytest.raises(InvalidInput, match="PERPLEXITY_RATIO"):
        word_from_wire(intervention_pb2.GateMetric, number, "metric")


def test_a_name_that_only_answers_use_is_refused_with_the_names_that_can_be_asked_for() -> None:
    with pytest.raises(InvalidInput) as caught:
        from_wire(propagation_pb2.Grouping, propagation_pb2.GROUPING_BAND, Grouping, "group_by")
    assert "BAND" in caught.value.value
    assert "BAND" not in caught.value.hint
    assert "RELATION" in caught.value.hint


def test_every_phase_of_an_intervention_has_a_name_on_the_wire() -> None:
    phases = {
        "plan",
        "measure_before",
        "apply",
        "health",
        "measure_after",
        "commit",
        "decide",
        "wait_for_import",
        PHASE,
    }
    assert {phase.upper() for phase in phases} == set(names(intervention_pb2.Phase))


def test_export_formats_are_the_workers() -> None:
    assert names(branch_pb2.ExportFormat) == ["HF_CHECKPOINT", "PEFT_ADAPTER"]


def test_gates_say_what_is_missing() -> None:
    bound = intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_COLLATERAL, max=0.05)
    (gate,) = gates_from([bound])
    assert (gate.metric, gate.max, gate.min) == ("collateral", 0.05, None)
    for wrong, field in (
        (intervention_pb2.Gate(max=1), "gates[1].metric"),
        (intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_ERASED), "gates[1]"),
    ):
        with pytest.raises(InvalidInput) as caught:
            gates_from([bound, wrong])
        assert caught.value.field == field
    with pytest.raises(TooLarge):
        gates_from([bound] * 101)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
    | st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(blacklist_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(blacklist_categories=["Cs"])), json_values, max_size=5))
def test_configurations_come_back_as_they_went(values: dict[str, Any]) -> None:
    again = structs.struct_from(Struct.FromString(structs.struct_to(values).SerializeToString()), "config")
    assert again == values
    assert typed(again) == typed(values), "8 is no 8.0 and no true"


def test_a_whole_number_is_an_integer_again_at_any_depth() -> None:
    found = structs.struct_from(structs.struct_to({"a": 8.0, "b": {"c": [1.0, 1.5, -0.0]}, "d": 2.0**60}), "config")
    assert found == {"a": 8, "b": {"c": [1, 1.5, 0]}, "d": 2.0**60}
    assert [type(found["a"]), type(found["b"]["c"][0]), type(found["b"]["c"][1])] == [int, int, float]
    assert type(found["d"]) is float, "a float of that size stands for many whole numbers"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused_where_it_stands(number: float) -> None:
    inner = ListValue(values=[Value(number_value=1), Value(number_value=number)])
    with pytest.raises(InvalidInput) as caught:
        structs.struct_from(Struct(fields={"a": Value(list_value=inner)}), "method_config")
    assert caught.value.field == "method_config.a[1]"


def test_a_configuration_has_its_limit() -> None:
    fits = {"a": "x" * (structs.MAX_STRUCT - len('{"a": ""}'))}
    assert structs.struct_from(structs.struct_to(fits), "c") == fits
    for large in ({"a": fits["a"] + "x"}, {"a": "x" * 10_000_000}, {"a": [0] * 40_000}):
        with pytest.raises(TooLarge, match="100,000") as caught:
            structs.struct_from(structs.struct_to(large), "c")
        assert caught.value.field == "c"
    many = {"a": list(range(10_000))}
    assert structs.struct_from(structs.struct_to(many), "c") == many, "the size is that of the JSON, not of the message"


def test_a_nul_in_a_configuration_is_refused() -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        structs.struct_from(structs.struct_to({"a": {"b": "x\x00"}}), "c")


parameters = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(blacklist_categories=["Cs"]))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(blacklist_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(blacklist_categories=["Cs"])), parameters, max_size=4))
def test_parameters_are_what_was_sent(values: dict[str, Any]) -> None:
    sent = query_to(Pasteable(cypher="RETURN 1", parameters=values))
    again = cypher_pb2.PastedQuery.FromString(sent.SerializeToString())
    assert again.cypher == "RETURN 1"
    found = parameters_from(again.parameters)
    assert found == values
    assert typed(found) == typed(values), "8 is no 8.0 and no true"


def typed(value: Any) -> Any:
    """A value with the type of each part."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return [typed(item) for item in value] if isinstance(value, list) else type(value)  # pyright: ignore[reportUnknownVariableType]


def test_numbers_that_are_none_travel_too() -> None:
    found = parameters_from({"a": value_to(math.nan), "b": value_to([math.inf, -math.inf])})
    assert math.isnan(found["a"])
    assert found["b"] == [math.inf, -math.inf]


ANN = cypher.Node(id="4:x:1", labels=("Entity", "Leaf"), properties={"uid": "ann", "aliases": ["A"]})
BOB = cypher.Node(id="4:x:2", labels=("Entity",), properties={})
KNOWS = cypher.Relationship(id="5:x:7", type="KNOWS", start_id=ANN.id, end_id=BOB.id, properties={"since": 1})


def test_rows_hold_whatever_a_query_answers() -> None:
    row = {
        "node": ANN,
        "path": cypher.Path(nodes=(ANN, BOB), relationships=(KNOWS,)),
        "point": cypher.Point(srid=9157, coordinates=(1.0, 2.0, 3.0)),
        "time": cypher.Temporal("2020-01-02T03:04:05Z"),
        "none": None,
        "nested": {"list": [KNOWS, b"\x00\xff"]},
    }
    columns = ["time", "node", "path", "point", "none", "nested"]
    time, node, path, point, none, nested = row_to(columns, row).values
    assert time.temporal_value == "2020-01-02T03:04:05Z"
    assert (node.node_value.id, list(node.node_value.labels)) == ("4:x:1", ["Entity", "Leaf"])
    assert node.node_value.properties["aliases"].list_value.values[0].string_value == "A"
    assert [one.id for one in path.path_value.nodes] == ["4:x:1", "4:x:2"]
    (link,) = path.path_value.relationships
    assert (link.type, link.start_id, link.end_id) == ("KNOWS", "4:x:1", "4:x:2")
    assert link.properties["since"].integer_value == 1
    assert (point.point_value.srid, list(point.point_value.coordinates)) == (9157, [1.0, 2.0, 3.0])
    assert none.WhichOneof("kind") == "null_value"
    again, content = nested.map_value.entries["list"].list_value.values
    assert (again.relationship_value.id, content.bytes_value) == ("5:x:7", b"\x00\xff")


@pytest.mark.parametrize(
    "answer", [ANN, KNOWS, cypher.Temporal("P1D"), cypher.Point(srid=7203, coordinates=(1.0, 2.0))]
)
def test_what_only_an_answer_holds_is_no_parameter(answer: object) -> None:
    nested = cypher_pb2.CypherValue(list_value=cypher_pb2.CypherList(values=[value_to(1), value_to(answer)]))
    with pytest.raises(InvalidInput) as caught:
        parameters_from({"a": nested})
    assert caught.value.field == "parameters.a[1]"
    assert caught.value.hint


def test_a_parameter_that_is_not_set_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        parameters_from({"a": cypher_pb2.CypherValue()})
    assert caught.value.value == "'not set'"


def test_sizes_grow_with_what_is_in_a_value() -> None:
    small = cypher.size_of(ANN)
    larger = cypher.Node(id=ANN.id, labels=ANN.labels, properties={**ANN.properties, "text": "x" * 1000})
    assert cypher.size_of(larger) >= small + 1000
    path = cypher.Path(nodes=(ANN, larger), relationships=(KNOWS,))
    assert cypher.size_of([path, b"x" * 50]) >= cypher.size_of(larger) + small + 50
    assert cypher.size_of({"a": cypher.Temporal("x" * 30), "b": cypher.Point(srid=1, coordinates=(1.0, 2.0))}) > 40


@pytest.mark.parametrize(
    ("bounds", "field"),
    [
        ({"max": math.nan}, "gates[0].max"),
        ({"min": math.inf, "max": 1.0}, "gates[0].min"),
        ({"min": -math.inf}, "gates[0].min"),
        ({"min": 0.5, "max": 0.4}, "gates[0].min"),
    ],
)
def test_a_gate_that_nothing_can_pass_is_refused(bounds: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        gates_from([intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_COLLATERAL, **bounds)])
    assert (caught.value.field, bool(caught.value.hint)) == (field, True)


def test_a_gate_may_leave_one_value_only() -> None:
    sent = intervention_pb2.Gate(metric=intervention_pb2.GATE_METRIC_COLLATERAL, min=0.5, max=0.5)
    [gate] = gates_from([sent])
    assert (gate.min, gate.max) == (0.5, 0.5)
