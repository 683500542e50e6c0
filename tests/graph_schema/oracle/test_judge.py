"""The judge itself: whatever is spoilt in a good probe or plan is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.graph_schema.oracle import hand_made
from tests.graph_schema.oracle.judge_plan import check_plan
from tests.graph_schema.oracle.judge_set import check_set
from tests.graph_schema.oracle.worlds import World, imported, remove

from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.probes.generation.generate import ProbeSetData, generate
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan
from knowledgesmith.graph_schema.types.probes import Polarity, Probe, ProbeKind

GRAPH = "t_judge"
Made = tuple[World, ProbeSetData, Plan]


@pytest.fixture(scope="module")
def made(store: GraphStore) -> Iterator[Made]:
    remove(store.uri, GRAPH)
    facts = sorted(hand_made.ASSERTED)
    with imported(store, GRAPH, hand_made.ENTITIES, hand_made.RELATIONS, facts) as world:
        change = Change(subject="poodle", relation="is_a", old_object="animal")
        request = PlanRequest(graph_id=GRAPH, branch_id="main", goal=Goal.UNLEARN, changes=(change,))
        yield world, generate(store, graph_id=GRAPH), make_plan(store, request)


def _first(data: ProbeSetData, kind: ProbeKind) -> Probe:
    return next(probe for probe in data.probes if probe.kind is kind and len(probe.options) == kind.arity)


def _wrong(probe: Probe) -> Probe:
    return replace(probe, answers=tuple((n + 1) % len(probe.options) for n in probe.answers))


def _with_option(probe: Probe, uid: str, name: str) -> Probe:
    place = next(n for n in range(len(probe.options)) if n not in probe.answers)
    uids, texts = list(probe.option_uids), list(probe.options)
    uids[place], texts[place] = uid, name
    return replace(probe, option_uids=tuple(uids), options=tuple(texts))


SPOILT: list[tuple[ProbeKind, Callable[[Probe], Probe]]] = [
    *((kind, _wrong) for kind in ProbeKind),
    (ProbeKind.DIRECT, lambda probe: replace(probe, answers=())),
    (ProbeKind.DIRECT, lambda probe: _with_option(probe, "europe", "Europe")),
    (ProbeKind.DIRECT, lambda probe: _with_option(probe, probe.option_uids[probe.answers[0]], "x")),
    (ProbeKind.DIRECT, lambda probe: replace(probe, fact_ids=("0" * 32,))),
    (ProbeKind.DIRECT, lambda probe: replace(probe, stem=f"{probe.stem} {probe.options[probe.answers[0]]}")),
    (ProbeKind.DIRECT, lambda probe: replace(probe, options=probe.options[:2], option_uids=probe.option_uids[:2])),
    (ProbeKind.MULTI_HOP, lambda probe: replace(probe, path=probe.path[:1], chain_length=1)),
    (ProbeKind.MULTI_HOP, lambda probe: replace(probe, fact_ids=probe.fact_ids[:1])),
]


@pytest.mark.parametrize(("kind", "spoil"), SPOILT)
def test_a_spoilt_probe_is_refused(made: Made, kind: ProbeKind, spoil: Callable[[Probe], Probe]) -> None:
    world, data, _ = made
    good = _first(data, kind)
    rest = tuple(probe for probe in data.probes if probe is not good)
    check_set(data, world)
    with pytest.raises((AssertionError, StopIteration)):
        check_set(replace(data, probes=(spoil(good), *rest)), world)


@pytest.mark.parametrize("kind", [ProbeKind.DIRECT, ProbeKind.REVERSE, ProbeKind.MULTI_HOP, ProbeKind.CONFLICT])
def test_a_missing_question_is_seen(made: Made, kind: ProbeKind) -> None:
    world, data, _ = made
    with pytest.raises(AssertionError):
        check_set(replace(data, probes=tuple(probe for probe in data.probes if probe.kind is not kind)), world)


def _first_planned(plan: Plan, **more: Any) -> Plan:
    return replace(plan, probes=(replace(plan.probes[0], **more), *plan.probes[1:]))


SPOILT_PLANS: list[Callable[[Plan], Plan]] = [
    lambda plan: replace(plan, derived=plan.derived[1:]),
    lambda plan: replace(plan, overlay=()),
    lambda plan: replace(plan, slots=plan.slots[1:]),
    lambda plan: _first_planned(plan, hops=7),
    lambda plan: _first_planned(plan, after=plan.probes[0].before or (0, 1)),
    lambda plan: _first_planned(
        plan, polarity=Polarity.STAY if plan.probes[0].polarity is Polarity.CHANGE else Polarity.CHANGE
    ),
]


@pytest.mark.parametrize("spoil", SPOILT_PLANS)
def test_a_spoilt_plan_is_refused(made: Made, spoil: Callable[[Plan], Plan]) -> None:
    world, _, plan = made
    check_plan(plan, world)
    with pytest.raises(AssertionError):
        check_plan(spoil(plan), world)
