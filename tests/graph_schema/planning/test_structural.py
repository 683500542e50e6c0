"""Structural changes: a subtree moves, an entity appears, a node is deleted; the base graph stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.graph_schema.planning.proofs import proof_trees

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.errors import (
    AlreadyExists,
    ConflictingChanges,
    EntityNotFound,
    FactNotFound,
    InvalidInput,
    RelationNotFound,
)
from knowledgesmith.graph_schema.graphs.own_uids import insert_entities
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.reasoning.closure import Triple
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Relation, Split, Template, Traits
from knowledgesmith.graph_schema.types.interventions import (
    Change,
    DeleteNode,
    Goal,
    InsertEntity,
    MoveSubtree,
    NamedChange,
    StructuralChange,
)
from knowledgesmith.graph_schema.types.plans import Plan, WarningKind, WorldOp
from knowledgesmith.graph_schema.worlds.branch_world import resolve_in_world
from knowledgesmith.graph_schema.worlds.world_cache import WorldCache

FACTS: list[Triple] = [
    ("cat", "is_a", "feline"),
    ("lion", "is_a", "feline"),
    ("feline", "is_a", "mammal"),
    ("dog", "is_a", "canine"),
    ("canine", "is_a", "mammal"),
    ("mammal", "is_a", "animal"),
    ("snake", "is_a", "reptile"),
    ("reptile", "is_a", "animal"),
    ("cat", "eats", "mouse"),
    ("mouse", "is_a", "mammal"),
    ("snake", "eats", "mouse"),
]


def _relation(name: str, words: str, **traits: Any) -> Relation:
    ahead, back, ev = Direction.FORWARD, Direction.REVERSE, Split.EVAL
    texts = (
        Template(direction=ahead, split=ev, form=Form.CLOZE, text=f"{{s}} {words}"),
        Template(direction=ahead, split=ev, form=Form.STATEMENT, text=f"{{s}} {words} {{o}}."),
        Template(direction=back, split=ev, form=Form.CLOZE, text=f"{{o}} is what is {words} of"),
    )
    return Relation(name=name, rel_type="", traits=Traits(**traits), templates=texts)


@pytest.fixture
def animals(writer: Any, graph_id: str) -> None:
    """A small taxonomy, with a food chain beside it."""
    relations = build_catalogue(
        [_relation("is_a", "is a kind of", transitive=True, hierarchical=True), _relation("eats", "feeds on")]
    ).values()
    uids = sorted({uid for s, _, o in FACTS for uid in (s, o)})
    writer(graph_id, [Entity(uid=u, name=u.title(), type="Animal") for u in uids], list(relations), FACTS)


@pytest.fixture
def plan_of(store: GraphStore, graph_id: str, animals: None) -> Callable[..., Plan]:
    """Plans a request of structural changes as the server does."""
    cache = WorldCache()

    def make(
        goal: Goal, *items: StructuralChange, changes: tuple[NamedChange, ...] = (), on: Plan | None = None
    ) -> Plan:
        overlay, entities = (on.overlay, on.inserted) if on else ((), ())
        world = cache.world(store, graph_id=graph_id, overlay=overlay).with_entities(entities)
        resolved = resolve_in_world(store, world, changes, goal=goal, structural=items)
        request = PlanRequest(
            graph_id=graph_id,
            branch_id="main",
            goal=goal,
            changes=resolved.changes,
            overlay=overlay,
            entities=(*entities, *resolved.entities),
        )
        return make_plan(store, request, worlds=cache)

    return make


def _triples(plan: Plan, op: WorldOp) -> set[Triple]:
    return {(c.subject, c.relation, c.object) for c in plan.overlay + plan.derived if c.op is op}


def test_a_moved_subtree_takes_its_descendants_along(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(Goal.EDIT, MoveSubtree(entity="Feline", new_parent="reptile"))
    assert plan.targets == (Change(subject="feline", relation="is_a", old_object="mammal", new_object="reptile"),)
    below = ("cat", "lion", "feline")
    assert _triples(plan, WorldOp.RETRACT) == {(uid, "is_a", "mammal") for uid in below}
    assert _triples(plan, WorldOp.ASSERT) == {(uid, "is_a", "reptile") for uid in below}
    asked = {p.probe.anchor for p in plan.probes if p.before != p.after}
    assert {"cat", "lion", "feline"} <= asked
    trees = {tree.triple: tree for tree in proof_trees(plan)}
    lion = trees["lion", "is_a", "reptile"]
    assert [p.triple for p in lion.premises] == [("lion", "is_a", "feline"), ("feline", "is_a", "reptile")]
    assert [p.rule for p in lion.premises] == ["asserted", "request"]


def test_an_inserted_entity_lives_on_the_branch_only(
    plan_of: Callable[..., Plan], store: GraphStore, graph_id: str, dump: Callable[[], str]
) -> None:
    graph_before = dump()
    tiger = InsertEntity(
        uid="tiger",
        name="Tiger",
        type="Animal",
        parents=("Feline",),
        facts=(NamedChange(subject="Tiger", relation="eats", new_object="Dog"),),
    )
    plan = plan_of(Goal.EDIT, tiger)
    assert _triples(plan, WorldOp.ASSERT) == {
        ("tiger", "eats", "dog"),
        *(("tiger", "is_a", above) for above in ("feline", "mammal", "animal")),
    }
    assert [entity.uid for entity in plan.inserted] == ["tiger"]
    assert any(p.probe.anchor == "tiger" for p in plan.probes)
    assert dump() == graph_before
    assert not store.read("graphs/by_name", graph_id=graph_id, text="Tiger")
    store.write_transaction(lambda tx: insert_entities(tx, graph_id=graph_id, entities=plan.inserted))
    assert not store.read("graphs/by_name", graph_id=graph_id, text="Tiger")  # the base graph still lacks it
    moved = plan_of(Goal.EDIT, MoveSubtree(entity="Tiger", new_parent="Reptile"), on=plan)
    assert ("tiger", "is_a", "mammal") in _triples(moved, WorldOp.RETRACT)
    with pytest.raises(EntityNotFound):
        plan_of(Goal.EDIT, MoveSubtree(entity="Tiger", new_parent="Reptile"))
    with pytest.raises(AlreadyExists):
        plan_of(Goal.EDIT, tiger, on=plan)


def test_a_deleted_node_loses_its_facts_and_a_subtree_all_of_them(plan_of: Callable[..., Plan]) -> None:
    node = plan_of(Goal.UNLEARN, DeleteNode(entity="Feline"))
    gone = _triples(node, WorldOp.RETRACT)
    assert {("feline", "is_a", "mammal"), ("cat", "is_a", "feline"), ("lion", "is_a", "animal")} <= gone
    assert ("cat", "eats", "mouse") not in gone
    tree = _triples(plan_of(Goal.UNLEARN, DeleteNode(entity="Feline", subtree=True)), WorldOp.RETRACT)
    assert tree == gone | {("cat", "eats", "mouse")}


def test_the_three_modes_share_a_request_with_facts(plan_of: Callable[..., Plan]) -> None:
    change = NamedChange(subject="Snake", relation="eats", old_object="Mouse", new_object="Dog")
    new = InsertEntity(uid="boa", name="Boa", type="Animal", parents=("Snake",))
    plan = plan_of(Goal.EDIT, new, MoveSubtree(entity="Dog", new_parent="Boa"), changes=(change,))
    assert ("dog", "is_a", "reptile") in _triples(plan, WorldOp.ASSERT)
    assert ("snake", "eats", "dog") in _triples(plan, WorldOp.ASSERT)


@pytest.mark.parametrize(
    ("goal", "item", "error"),
    [
        (Goal.UNLEARN, MoveSubtree(entity="cat", new_parent="dog"), InvalidInput),
        (Goal.EDIT, DeleteNode(entity="cat"), InvalidInput),
        (Goal.EDIT, MoveSubtree(entity="mammal", new_parent="cat"), InvalidInput),
        (Goal.EDIT, MoveSubtree(entity="cat", new_parent="cat"), InvalidInput),
        (Goal.EDIT, MoveSubtree(entity="cat", new_parent="dog", old_parent="snake"), FactNotFound),
        (Goal.EDIT, MoveSubtree(entity="cat", new_parent="dog", relation="eats"), InvalidInput),
        (Goal.EDIT, MoveSubtree(entity="cat", new_parent="dog", relation="`x`"), RelationNotFound),
        (Goal.EDIT, MoveSubtree(entity="nobody", new_parent="dog"), EntityNotFound),
        (Goal.EDIT, InsertEntity(uid="cat", name="Cat", parents=("dog",)), AlreadyExists),
        (Goal.EDIT, InsertEntity(uid="new", name="New"), InvalidInput),
        (Goal.EDIT, InsertEntity(uid="new", name="a\nb", parents=("dog",)), InvalidInput),
    ],
)
def test_what_cannot_be_meant_is_refused(
    plan_of: Callable[..., Plan], goal: Goal, item: StructuralChange, error: type[Exception]
) -> None:
    with pytest.raises(error):
        plan_of(goal, item)


def test_a_move_below_itself_is_refused_with_the_way(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(InvalidInput, match="Cat lies below Mammal already, Cat → Feline → Mammal") as caught:
        plan_of(Goal.EDIT, MoveSubtree(entity="mammal", new_parent="cat"))
    assert caught.value.metadata["path"] == "cat feline mammal"


def test_a_plain_fact_that_closes_a_ring_is_warned_of(plan_of: Callable[..., Plan]) -> None:
    """As a change of a fact it may be meant; the plan says which ring it makes."""
    ring = NamedChange(subject="mammal", relation="is_a", old_object="animal", new_object="lion")
    (warning,) = [one for one in plan_of(Goal.EDIT, changes=(ring,)).warnings if one.kind is WarningKind.RING]
    assert "Mammal → Lion → Feline → Mammal" in warning.message
    fine = NamedChange(subject="mammal", relation="is_a", old_object="animal", new_object="reptile")
    assert not [one for one in plan_of(Goal.EDIT, changes=(fine,)).warnings if one.kind is WarningKind.RING]


def test_two_facts_that_lead_to_a_conflict_are_named(store: GraphStore, graph_id: str, writer: Any) -> None:
    """Each assertion is fine by itself; what follows from one excludes the other."""
    relations = list(
        build_catalogue(
            [
                _relation("city_of", "lies in"),
                _relation("money", "pays with"),
                _relation("city_money", "takes", functional=True, composed_of=["city_of", "money"]),
            ]
        ).values()
    )
    writer(graph_id, [Entity(uid=n, name=n) for n in ("oslo", "norway", "krone", "euro")], relations, [])
    changes = (
        Change(subject="oslo", relation="city_of", new_object="norway"),
        Change(subject="norway", relation="money", new_object="krone"),
        Change(subject="oslo", relation="city_money", new_object="euro"),
    )
    request = PlanRequest(graph_id=graph_id, branch_id="main", goal=Goal.EDIT, changes=changes)
    with pytest.raises(ConflictingChanges, match="exclude each other") as caught:
        make_plan(store, request)
    pair = {caught.value.metadata["first"], caught.value.metadata["second"]}
    assert "oslo city_money euro" in pair
    assert pair & {"norway money krone", "oslo city_of norway"}
    assert all(fact in str(caught.value) for fact in pair)
