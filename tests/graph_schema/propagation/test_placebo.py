"""What a placebo leaves behind: noise to stand beside rates, and no change of the branch's world."""

from __future__ import annotations

import pytest
from tests.graph_schema.planning.conftest import atlas_entities, atlas_facts, atlas_relations, write_graph
from tests.graph_schema.propagation.conftest import CHANGES, advance, committed, open_branch, planned

from knowledgesmith.graph_schema import propagation as ask
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Goal
from knowledgesmith.graph_schema.types.probes import Role


@pytest.fixture
def branch(store: GraphStore, graph_id: str) -> str:
    """A graph with a branch of its own; both have one name."""
    write_graph(store, graph_id, atlas_entities(), atlas_relations(), atlas_facts())
    open_branch(store, graph_id, graph_id)
    return graph_id


def test_a_placebo_that_is_committed_leaves_the_world_as_it_is(store: GraphStore, branch: str) -> None:
    """Its plan says what would change; nothing did."""
    run = committed(store, planned(store, branch, goal=Goal.EDIT, changes=CHANGES), seed=4, order=1)
    assert branches.overlay(store, branch)
    store.write(
        "interventions/steps/advance",
        id=run.id,
        fence=0,
        from_states=["SUCCEEDED"],
        properties={"method": "placebo"},
        finished=False,
    )
    assert branches.overlay(store, branch) == ()


def test_a_branch_over_time_stands_beside_its_placebo(store: GraphStore, branch: str) -> None:
    plan = planned(store, branch, goal=Goal.EDIT, changes=CHANGES)
    run = committed(store, plan, seed=5, order=1)
    assert not any(point.placebo or point.noise for point in ask.over_time(store, branch)[0])
    noise = committed(store, plan, seed=6, order=2)
    advance(
        store,
        noise.id,
        "SUCCEEDED",
        {"method": "placebo", "written_rows": len(plan.slots), "planned_rows": len(plan.slots), "state": "DISCARDED"},
    )
    points, _ = ask.over_time(store, branch)
    assert [(p.intervention, p.placebo) for p in points] == [(run.id, noise.id)] * len(Role)
    wanted = {g.role: g for g in ask.groups(store, noise.id, ask.Grouping.ALL)[0]}
    for point in points:
        shares = {s.name: s.successes / s.trials if s.trials else None for s in wanted[point.role].shares}
        assert point.noise == shares
    about, _ = ask.over_time(store, branch, entity="france", kind="DIRECT")
    assert [p.noise for p in about] != [p.noise for p in points], "the noise is that of the rows that fit"
