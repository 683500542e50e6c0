"""A later plan on a branch says whose expected answers it changes, also several facts away."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from tests.graph_schema.propagation.conftest import open_branch

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.interventions import branches
from knowledgesmith.graph_schema.planning.plan_store import load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan, PlanWarning, WarningKind


@dataclass(frozen=True)
class Held:
    id: str
    fence: int


def _request(graph_id: str, subject: str, relation: str, old: str, new: str) -> PlanRequest:
    change = Change(subject=subject, relation=relation, old_object=old, new_object=new)
    goal = Goal.EDIT if new else Goal.UNLEARN
    return PlanRequest(graph_id=graph_id, branch_id=graph_id, goal=goal, changes=(change,))


def _commit(store: GraphStore, request: PlanRequest, run: str, *, order: int, method: str = "rome") -> Plan:
    """Plan on the branch as it is, and say that the plan was committed."""
    plan = _later(store, request)
    properties = {"id": run, "request_id": run, "method": method}
    store.write("interventions/steps/create", branch_id=request.branch_id, properties=properties)
    store_plan(store, Held(id=run, fence=0), plan)
    done = {"state": "SUCCEEDED", "commit_order": order}
    assert store.write(
        "interventions/steps/advance", id=run, fence=0, from_states=["QUEUED"], properties=done, finished=True
    )
    return plan


def _later(store: GraphStore, request: PlanRequest) -> Plan:
    return make_plan(store, replace(request, overlay=branches.overlay(store, request.branch_id)))


def _earlier(plan: Plan) -> list[PlanWarning]:
    return [one for one in plan.warnings if one.kind is WarningKind.EARLIER]


@pytest.fixture
def branch(store: GraphStore, graph_id: str, lexicon: Lexicon) -> str:
    """A branch without interventions."""
    open_branch(store, graph_id, graph_id, select=False)
    return graph_id


def test_the_same_fact_and_what_lies_beyond_it(store: GraphStore, branch: str) -> None:
    """Lyon came to Japan, so its money is the yen; whoever changes Japan's money changes that answer."""
    run = f"{branch}-one"
    _commit(store, _request(branch, "lyon", "city_of", "france", "japan"), run, order=1)
    stays = _earlier(_later(store, _request(branch, "gold", "symbol", "au", "fe")))
    assert len(stays) <= 1, "of what an intervention expected to stay one question stands for all"
    assert all("expects unchanged for" in one.message for one in stays)

    again = _earlier(_later(store, _request(branch, "lyon", "city_of", "japan", "kenya")))
    assert any(
        f"Intervention {run} expects for Lyon city_of: “Japan”; this plan makes it “Kenya”" in one.message
        for one in again
    )
    assert all(one.hint and one.probes for one in again)

    far = _earlier(_later(store, _request(branch, "japan", "uses_currency", "yen", "euro")))
    moved = [one for one in far if "Lyon" in one.message and "“yen”" in one.message]
    assert any("this plan makes it “euro”" in one.message for one in moved)


def test_the_last_word_of_several_is_named_and_a_placebo_is_not(store: GraphStore, branch: str) -> None:
    first, second = f"{branch}-one", f"{branch}-two"
    _commit(store, _request(branch, "lyon", "city_of", "france", "japan"), first, order=1)
    _commit(store, _request(branch, "lyon", "city_of", "japan", "kenya"), second, order=2)
    _commit(store, _request(branch, "lyon", "city_of", "kenya", "germany"), f"{branch}-noop", order=3, method="placebo")
    found = _earlier(_later(store, _request(branch, "lyon", "city_of", "kenya", "germany")))
    asked = [one.message for one in found if "Lyon city_of:" in one.message]
    assert len(asked) == 1
    assert asked[0].startswith(f"Intervention {second} expects")


def test_the_warnings_are_stored_with_the_plan(store: GraphStore, branch: str) -> None:
    _commit(store, _request(branch, "lyon", "city_of", "france", "japan"), f"{branch}-one", order=1)
    plan = _commit(store, _request(branch, "lyon", "city_of", "japan", ""), f"{branch}-two", order=2)
    assert any("no answer" in one.message for one in _earlier(plan))
    assert load_plan(store, f"{branch}-two") == plan
