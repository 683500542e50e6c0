"""Graphs of which everything is asked, or that are not English: every method has all it needs, in one plan."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest

from knowledgesmith.editors.registry import METHODS, method_class
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.testing.rehearsal import rehearse
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.text.sentences import general_text
from knowledgesmith.graph_schema.graphs.reading import load_snapshot
from knowledgesmith.graph_schema.importing import InputFile, import_graph
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.planning.training_set import choose
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal, TargetDistribution
from knowledgesmith.graph_schema.types.plans import Plan
from knowledgesmith.server.worker.attempt.compose import request_of

GOLDENS = Path(__file__).parents[1] / "editors" / "methods" / "goldens"
GRAPHS = {
    "people": "the tea house\tled_by\tAnn Lee\nthe mill\tled_by\tAnn Lee Moore\nthe dock\tled_by\tBo Lee\n",
    "signs": "the half note\thas_sign\t♩\nthe sum\thas_sign\t+\nthe seventh\thas_sign\t7\n",
    "japanese": "フランス\t首都\tパリ\n日本\t首都\t東京\nペルー\t首都\tリマ\n",
}


@pytest.fixture(params=sorted(GRAPHS))
def planned(request: pytest.FixtureRequest, store: GraphStore, graph_id: str) -> tuple[Plan, UpdateRequest]:
    """An edit of every fact of a small graph, and the request that the service composes for it."""
    file = InputFile(name="facts.tsv", content=BytesIO(GRAPHS[request.param].encode()))
    import_graph(store, graph_id=graph_id, files=[file], format="triples")
    snapshot = load_snapshot(store, graph_id)
    facts = sorted(snapshot.facts, key=lambda fact: fact.key)
    changes = tuple(
        Change(subject=fact.subject, relation=fact.relation, old_object=fact.object, new_object=other.object)
        for fact, other in zip(facts, (*facts[1:], facts[0]), strict=True)
    )
    plan = make_plan(store, PlanRequest(graph_id=graph_id, branch_id="none", goal=Goal.EDIT, changes=changes, seed=1))
    material = choose(plan, snapshot, overlay=(), seed=1)
    made = request_of(
        material,
        goal=Goal.EDIT,
        target_distribution=TargetDistribution.NEW_OBJECT,
        install_derived=False,
        seed=1,
    )
    return plan, made


def test_a_graph_of_which_everything_is_asked_can_be_edited(planned: tuple[Plan, UpdateRequest]) -> None:
    plan, request = planned
    assert len(request.updates) == len(plan.targets) == 3
    assert request.retain == (), "nothing is left that the plan does not ask"
    assert set(request.statistics_text) == set(general_text())
    loaded = tiny_llama()
    for name in sorted(METHODS):
        if (Goal.EDIT, TargetDistribution.NEW_OBJECT) in method_class(name).accepts:
            config = json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))["config"]
            artefact = rehearse(name, loaded, request, config=config)
            assert bool(artefact.deltas) == (name != "placebo")


def test_no_text_of_the_request_holds_a_stem(planned: tuple[Plan, UpdateRequest]) -> None:
    plan, request = planned
    assert plan.probes
    texts = [prompt.text for update in request.updates for prompt in (*update.prompts, *update.neutral_prompts)]
    for planned_probe in plan.probes:
        assert not any(planned_probe.probe.stem in text for text in (*texts, *request.statistics_text))
        assert not request.permits(f"Well: {planned_probe.probe.stem}")
