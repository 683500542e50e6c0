"""Two committed runs of one real plan on the small world, with drawn answers of the model."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
from tests.graph_schema.planning.conftest import atlas_entities, atlas_facts, atlas_relations, write_graph
from tests.names import fresh_graph

from knowledgesmith.editors.measures.verdicts import ProbeOutcome, Verdict, summarise, verdict
from knowledgesmith.editors.scoring.beliefs import NO_CHOICE, Belief
from knowledgesmith.graph_schema.interventions import ledger
from knowledgesmith.graph_schema.interventions.ledger import Measured, Outcome
from knowledgesmith.graph_schema.planning.plan_store import store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import LedgerSlot, Plan
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity

CHANGES = (
    Change(subject="france", relation="has_capital", old_object="paris", new_object="lyon"),
    Change(subject="japan", relation="uses_currency", old_object="yen", new_object="euro"),
    Change(subject="gold", relation="symbol", old_object="au", new_object="fe"),
)
Answers = Callable[[PlannedProbe], tuple[int, int]]
ERASURES = (Change(subject="kenya", relation="on_continent", old_object="africa"),)


@dataclass(frozen=True)
class Held:
    id: str
    fence: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """A committed run: its plan, and what every probe showed."""

    id: str
    branch_id: str
    graph_id: str
    plan: Plan
    shown: Mapping[str, Outcome]
    rows: Mapping[int, Measured]

    @property
    def planned(self) -> dict[str, PlannedProbe]:
        return {planned.probe.id: planned for planned in self.plan.probes}


@pytest.fixture(scope="module")
def world(store: GraphStore, request: pytest.FixtureRequest) -> str:
    """The small world with a branch."""
    graph_id = fresh_graph(request.node.nodeid)
    write_graph(store, graph_id, atlas_entities(), atlas_relations(), atlas_facts())
    open_branch(store, graph_id, graph_id)
    return graph_id


@pytest.fixture(scope="module")
def first(store: GraphStore, world: str) -> Run:
    return committed(store, planned(store, world, goal=Goal.EDIT, changes=CHANGES), seed=1, order=1)


@pytest.fixture(scope="module")
def second(store: GraphStore, first: Run) -> Run:
    return committed(store, first.plan, seed=2, order=2)


@pytest.fixture(scope="module")
def erased(store: GraphStore, world: str, second: Run) -> Run:
    return committed(store, planned(store, world, goal=Goal.UNLEARN, changes=ERASURES), seed=3, order=3)


def open_branch(store: GraphStore, branch_id: str, graph_id: str, *, select: bool = True) -> None:
    store.write(
        "interventions/branches/register",
        id=branch_id,
        path="",
        weights_sha256="w",
        architecture="",
        parameters=0,
        dtype="float32",
        base_revision=f"{branch_id}.base",
    )
    store.write("interventions/branches/create", id=branch_id, model_id=branch_id, graph_id=graph_id, select=select)


def planned(store: GraphStore, graph_id: str, *, goal: Goal, changes: Sequence[Change]) -> Plan:
    request = PlanRequest(
        graph_id=graph_id, branch_id=graph_id, goal=goal, changes=tuple(changes), seed=7, max_probes=240
    )
    return make_plan(store, request)


def committed(store: GraphStore, plan: Plan, *, seed: int, order: int, answers: Answers | None = None) -> Run:
    """Store the plan, write the ledger in batches, and mark the intervention as committed.

    The model's answers are drawn from the seed, or given: the best option before and after.
    """
    graph_id = plan.graph_id
    run = f"{graph_id}-{seed}"
    properties = {"id": run, "request_id": run, "goal": plan.goal.value, "method": "drawn"}
    store.write("interventions/steps/create", branch_id=graph_id, properties=properties)
    store_plan(store, Held(run), plan)
    advance(store, run, "QUEUED", {"state": "RUNNING"})
    goal = plan.goal
    shown = {
        p.probe.id: outcome(p, *answers(p), goal) if answers else draw(p, seed=seed, goal=goal) for p in plan.probes
    }
    probes = {p.probe.id: p for p in plan.probes}
    rows = {slot.seq: measured(slot, probes, shown) for slot in plan.slots}
    written = list(plan.slots)
    for start in range(0, len(written), 40):
        batch = [(slot, rows[slot.seq]) for slot in written[start : start + 40]]
        ledger.append(store, run, 0, batch)
    advance(store, run, "RUNNING", {"state": "SUCCEEDED", "commit_order": order})
    return Run(id=run, branch_id=graph_id, graph_id=graph_id, plan=plan, shown=shown, rows=rows)


def advance(store: GraphStore, run: str, state: str, properties: dict[str, object]) -> None:
    done = store.write(
        "interventions/steps/advance", id=run, fence=0, from_states=[state], properties=properties, finished=False
    )
    assert done


def judged(planned: PlannedProbe, before: int, after: int, goal: Goal) -> str:
    """The verdict's name."""
    assert planned.role is not None
    return verdict(planned.before, planned.after, before, after, role=planned.role, goal=goal).value


def draw(planned: PlannedProbe, *, seed: int, goal: Goal) -> Outcome:
    """What a model might say: mostly right before; afterwards anything, near targets more than far away; ties too."""
    dice = random.Random(f"{seed}/{planned.probe.id}")  # noqa: S311
    options = range(len(planned.probe.options))
    before = dice.choice(planned.before) if planned.before and dice.random() < 0.85 else dice.choice(options)
    moved = dice.random() < (0.8 if planned.polarity is Polarity.CHANGE else 0.35)
    after = dice.choice(planned.after or options) if moved else before
    if dice.random() < 0.2:
        after = dice.choice(options)
    before, after = (NO_CHOICE if dice.random() < 0.1 else pred for pred in (before, after))
    base = dice.random()
    return Outcome(
        probe_id=planned.probe.id,
        pred_before=before,
        pred_after=after,
        p_old_before=base,
        p_old_after=dice.random() if moved else 0.97 * base,
        p_new_before=dice.random(),
        p_new_after=dice.random(),
        verdict=judged(planned, before, after, goal),
    )


def outcome(planned: PlannedProbe, before: int, after: int, goal: Goal) -> Outcome:
    """What a model showed that is sure of its answers."""
    return Outcome(
        probe_id=planned.probe.id,
        pred_before=before,
        pred_after=after,
        p_old_before=float(before in planned.before),
        p_old_after=float(after in planned.before),
        p_new_before=float(before in planned.after),
        p_new_after=float(after in planned.after),
        verdict=judged(planned, before, after, goal),
    )


def measured(slot: LedgerSlot, planned: Mapping[str, PlannedProbe], shown: Mapping[str, Outcome]) -> Measured:
    """The ledger row of a slot, as the worker derives it."""
    outcomes = [shown[probe_id] for probe_id in slot.probe_ids]
    probes = [planned[probe_id] for probe_id in slot.probe_ids]
    row = summarise(
        [
            ProbeOutcome(
                before=Belief(p_old=o.p_old_before, p_new=o.p_new_before, pred=o.pred_before),
                after=Belief(p_old=o.p_old_after, p_new=o.p_new_after, pred=o.pred_after),
                verdict=Verdict(o.verdict),
            )
            for o in outcomes
        ]
    )
    old, new = any(p.before for p in probes), any(p.after for p in probes)
    return Measured(
        before=row.before if old else None,
        after=row.after if old else None,
        new_before=row.new_before if new else None,
        new_after=row.new_after if new else None,
        n=row.n,
        outcomes=tuple(outcomes),
        **{f"n_{kind.value.lower()}": count for kind, count in row.counts.items()},
    )
