"""Entities that branches insert: each branch has its own, whatever uid others use, and none outlives its last use."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.graph_schema.lifecycle.conftest import Cypher, Runs, measured

from knowledgesmith.graph_schema.archive.load import load_archive
from knowledgesmith.graph_schema.archive.write import export_graph
from knowledgesmith.graph_schema.errors import AlreadyExists
from knowledgesmith.graph_schema.graphs.own_uids import own_uid
from knowledgesmith.graph_schema.interventions import branches, ledger, steps
from knowledgesmith.graph_schema.interventions.records import Claim, InterventionSpec
from knowledgesmith.graph_schema.maintenance.check import check_graph
from knowledgesmith.graph_schema.maintenance.deletion import Folders, delete_branch, delete_graph, delete_intervention
from knowledgesmith.graph_schema.planning.plan_store import load_plan, store_plan
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.types.interventions import Goal, InsertEntity, NamedChange, State, TargetDistribution
from knowledgesmith.graph_schema.types.plans import Plan, WarningKind
from knowledgesmith.graph_schema.worlds.branch_world import Resolved, resolve_in_world
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache

CAPITAL = NamedChange(subject="city_new", relation="capital_of", new_object="France")


def city(name: str, **fields: Any) -> InsertEntity:
    return InsertEntity(uid="city_new", name=name, type="City", facts=(CAPITAL,), **fields)


def resolve(runs: Runs, branch: str, *items: InsertEntity, changes: tuple[NamedChange, ...] = ()) -> Resolved:
    """What a request means on a branch, as the server finds out."""
    inserted = branches.inserted(runs.store, branch)
    overlay = branches.overlay(runs.store, branch)
    world = WorldCache().world(runs.store, graph_id=runs.graph_id, overlay=overlay).with_entities(inserted)
    return resolve_in_world(runs.store, world, changes, goal=Goal.EDIT, structural=items)


def queue(runs: Runs, branch: str, resolved: Resolved) -> str:
    spec = InterventionSpec(
        branch_id=branch,
        goal=Goal.EDIT,
        changes=resolved.changes,
        entities=resolved.entities,
        method="alphaedit",
        method_config={},
        target_distribution=TargetDistribution.NEW_OBJECT,
        max_probes=120,
    )
    request = str(uuid.uuid4())
    made, _ = steps.create(runs.store, spec, actor="t", request_id=request, request_hash="h", graph_digest="d" * 64)
    return made


def plan_of(runs: Runs, intervention: str) -> tuple[Claim, Plan]:
    """Claim and plan as a worker does."""
    held = steps.claim(runs.store, intervention)
    assert held is not None
    spec = steps.get(runs.store, intervention).spec
    request = PlanRequest(
        graph_id=runs.graph_id,
        branch_id=spec.branch_id,
        goal=Goal.EDIT,
        changes=spec.changes,
        overlay=branches.overlay(runs.store, spec.branch_id),
        entities=(*branches.inserted(runs.store, spec.branch_id), *spec.entities),
        max_probes=120,
    )
    return held, make_plan(runs.store, request)


def run(runs: Runs, intervention: str, *, commit: bool = True) -> str:
    held, plan = plan_of(runs, intervention)
    store_plan(runs.store, held, plan)
    sha = uuid.uuid4().hex * 2
    steps.advance(
        runs.store, held, from_states=[State.PREPARING], state=State.RUNNING, artefact_sha256=sha, weights_sha256="1"
    )
    ledger.append(runs.store, intervention, held.fence, [(slot, measured(slot)) for slot in plan.slots])
    if not commit:
        steps.finish(runs.store, intervention, from_states=[State.RUNNING], state=State.DISCARDED)
        return intervention
    steps.advance(runs.store, held, from_states=[State.RUNNING], state=State.COMMITTING)
    base = steps.get(runs.store, intervention).base_revision
    revision = branches.revision_id(base, sha)
    steps.commit(runs.store, held, revision_id=revision, artefact_sha256=sha, weights_sha256="1")
    return intervention


def insert(runs: Runs, branch: str, name: str, *, commit: bool = True) -> str:
    return run(runs, queue(runs, branch, resolve(runs, branch, city(name))), commit=commit)


def nodes(cypher: Cypher, graph: str) -> dict[str, str]:
    """Names of the inserted nodes of a graph by uid."""
    text = "MATCH (e:Entity {graph_id: $g}) WHERE e.uid STARTS WITH 'city_new' RETURN e.uid AS uid, e.name AS name"
    return {row["uid"]: row["name"] for row in cypher(text, g=graph)}


def told(runs: Runs, intervention: str) -> tuple[str, set[str]]:
    """The uid of the entity that a run inserted, and the names that its stream, probes and plan have for it."""
    plan = load_plan(runs.store, intervention)
    (mine,) = plan.inserted
    rows = {row.name for row in ledger.read(runs.store, intervention, after=0, limit=1000) if row.entity == mine.uid}
    stems = [planned.probe.stem for planned in plan.probes if planned.probe.anchor == mine.uid]
    assert rows
    assert stems
    asked = {name for name in ("Newtown", "Oldport") if any(name in stem for stem in stems)}
    return mine.uid, rows | asked | {dict(plan.names)[mine.uid]}


def test_each_branch_has_its_own_entity_of_a_uid(runs: Runs, cypher: Cypher) -> None:
    one, two, three = runs.branch(), runs.branch(), runs.branch()
    first, second, third = insert(runs, one, "Newtown"), insert(runs, two, "Oldport"), insert(runs, three, "Oldport")
    assert told(runs, first) == ("city_new", {"Newtown"})
    own, names = told(runs, second)
    assert names == {"Oldport"}
    assert own != "city_new"
    assert told(runs, third) == (own, names)  # the same entity on two branches: what they did to it is compared
    assert nodes(cypher, runs.graph_id) == {"city_new": "Newtown", own: "Oldport"}
    warned = [one for one in load_plan(runs.store, second).warnings if one.kind is WarningKind.UID]
    assert len(warned) == 1
    assert own in warned[0].message
    assert not [one for one in load_plan(runs.store, first).warnings if one.kind is WarningKind.UID]


def test_a_branch_finds_its_entity_by_the_uid_that_was_asked_for(runs: Runs) -> None:
    one, two = runs.branch(), runs.branch()
    insert(runs, one, "Newtown")
    own, _ = told(runs, insert(runs, two, "Oldport"))
    later = NamedChange(subject="city_new", relation="capital_of", new_object="Italy")
    assert {change.subject for change in resolve(runs, one, changes=(later,)).changes} == {"city_new"}
    assert {change.subject for change in resolve(runs, two, changes=(later,)).changes} == {own}
    for branch, name in ((one, "Newtown"), (one, "Other"), (two, "Oldport"), (two, "Other")):
        with pytest.raises(AlreadyExists) as caught:
            resolve(runs, branch, city(name))
        assert (caught.value.field, caught.value.value) == ("structural[0].uid", "'city_new'")
    with pytest.raises(AlreadyExists, match="two entities of this uid"):
        resolve(runs, runs.branch(), city("Newtown"), city("Oldport"))


@pytest.mark.parametrize("commit", [True, False])
def test_after_a_rollback_or_an_end_without_commit_the_uid_serves_another_entity(
    runs: Runs, cypher: Cypher, commit: bool
) -> None:
    branch = runs.branch()
    wrong = insert(runs, branch, "Newtwon", commit=commit)
    if commit:
        runs.roll_back(branch)
    own, names = told(runs, insert(runs, branch, "Newtown"))
    assert names == {"Newtown"}
    # the record of what was measured stays as it was, until that run is deleted
    assert {row.name for row in ledger.read(runs.store, wrong, after=0, limit=1000) if row.entity == "city_new"} == {
        "Newtwon"
    }
    delete_intervention(runs.store, wrong)
    assert nodes(cypher, runs.graph_id) == {own: "Newtown"}
    other, names = told(runs, insert(runs, runs.branch(), "Oldport"))
    assert (other, names) == ("city_new", {"Oldport"})


def test_entities_go_with_the_last_branch_that_has_them(runs: Runs, cypher: Cypher) -> None:
    one, two, three = runs.branch(), runs.branch(), runs.branch()
    for branch, name in ((one, "Newtown"), (two, "Newtown"), (three, "Oldport")):
        insert(runs, branch, name)
    assert len(nodes(cypher, runs.graph_id)) == 2
    assert "inserted entities" not in delete_branch(runs.store, one, with_interventions=True).removed
    assert sorted(nodes(cypher, runs.graph_id).values()) == ["Newtown", "Oldport"]
    assert delete_branch(runs.store, three, with_interventions=True).removed["inserted entities"] == 1
    assert nodes(cypher, runs.graph_id) == {"city_new": "Newtown"}
    assert delete_branch(runs.store, two, with_interventions=True).removed["inserted entities"] == 1
    assert nodes(cypher, runs.graph_id) == {}
    assert check_graph(runs.store, runs.graph_id).sound


def test_an_archive_keeps_the_entities_of_each_branch(runs: Runs, cypher: Cypher, tmp_path: Path) -> None:
    interventions_made = [insert(runs, runs.branch(), name) for name in ("Newtown", "Oldport")]
    before = [told(runs, intervention) for intervention in interventions_made]
    path = tmp_path / "graph.ksmith"
    folders = Folders()
    export_graph(runs.store, runs.graph_id, path, folders=folders)
    delete_graph(runs.store, runs.graph_id, with_branches=True)
    assert nodes(cypher, runs.graph_id) == {}
    load_archive(runs.store, path, folders=folders)
    assert [told(runs, intervention) for intervention in interventions_made] == before
    branch = steps.get(runs.store, interventions_made[1]).spec.branch_id
    assert delete_branch(runs.store, branch, with_interventions=True).removed["inserted entities"] == 1
    assert nodes(cypher, runs.graph_id) == {"city_new": "Newtown"}


def test_requests_at_the_same_time_never_measure_each_other(runs: Runs) -> None:
    """Both were checked before either was planned: the second is refused, and nothing of it is measured."""
    one, two = runs.branch(), runs.branch()
    first, second = (queue(runs, b, resolve(runs, b, city(n))) for b, n in ((one, "Newtown"), (two, "Oldport")))
    run(runs, first)
    held, plan = plan_of(runs, second)
    with pytest.raises(AlreadyExists, match="at the same time"):
        store_plan(runs.store, held, plan)
    assert own_uid(plan.inserted[0]) == resolve(runs, two, city("Oldport")).entities[0].uid


def test_requests_that_wait_on_one_branch_do_not_insert_two_entities_of_a_uid(runs: Runs) -> None:
    branch = runs.branch()
    made = [resolve(runs, branch, city(name)) for name in ("Newtown", "Oldport")]
    run(runs, queue(runs, branch, made[0]))
    with pytest.raises(AlreadyExists, match="in the meantime"):
        plan_of(runs, queue(runs, branch, made[1]))


def test_the_uid_of_a_retired_entity_serves_another_one(runs: Runs, cypher: Cypher) -> None:
    cypher("CREATE (:Entity:Leaf {graph_id: $g, uid: 'city_new', name: 'Gone', retired: true})", g=runs.graph_id)
    own, names = told(runs, insert(runs, runs.branch(), "Newtown"))
    assert own != "city_new"
    assert names == {"Newtown"}
