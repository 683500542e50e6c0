"""Training material: it teaches the update, keeps the rest, and holds nothing that is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.graphs.reading import GraphSnapshot, load_snapshot
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.planning.training_set import RetainScope, choose, training_material
from knowledgesmith.graph_schema.reasoning.closure import rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Direction, Form, Split, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import Plan

MOVE = Change(subject="paris", relation="capital_of", old_object="france", new_object="germany")


@pytest.fixture
def snapshot(store: GraphStore, graph_id: str, lexicon: Lexicon) -> GraphSnapshot:
    return load_snapshot(store, graph_id)


@pytest.fixture
def plan(store: GraphStore, graph_id: str, lexicon: Lexicon) -> Plan:
    return _plan(store, graph_id, MOVE)


def _plan(store: GraphStore, graph_id: str, *changes: Change, goal: Goal = Goal.EDIT, probes: int = 30) -> Plan:
    request = PlanRequest(graph_id=graph_id, branch_id="none", goal=goal, changes=changes, max_probes=probes)
    return make_plan(store, request)


def test_nothing_that_is_measured_is_trained(store: GraphStore, plan: Plan, snapshot: GraphSnapshot) -> None:
    material = training_material(store, plan, snapshot, seed=1)
    asked = {fact for p in plan.probes for fact in (p.asked_fact_id, *p.probe.fact_ids)}
    asked |= {change.fact_id for change in (*plan.overlay, *plan.derived)}
    rules = rules_of(snapshot.relations.values())
    kept = [row.fact for row in material.retain] + list(material.statistics)
    assert kept
    for fact in kept:
        for triple in (fact.key, *rules.mirrors(fact.key)):
            assert fact_id(plan.graph_id, *triple) not in asked
    evaluated = {t.text for r in snapshot.relations.values() for t in r.templates if t.split is Split.EVAL}
    used = {row.template for row in material.retain} | {t for u in material.updates for t in u.templates}
    assert used
    assert not used & evaluated
    stems = {p.probe.stem.casefold() for p in plan.probes}
    for update in material.updates:
        assert not {t.replace("{s}", update.subject_name).casefold() for t in update.templates} & stems


def test_a_training_phrasing_that_a_probe_asks_is_left_out(
    store: GraphStore, plan: Plan, snapshot: GraphSnapshot
) -> None:
    """An inverse relation may be evaluated by the words that this one is trained with."""
    before = {u.fact_id: u for u in choose(plan, snapshot, overlay=(), seed=1).updates}
    target, stem = next(
        (u, p.probe.stem)
        for u in before.values()
        for p in plan.probes
        if len(u.templates) > 0 and u.subject_name in p.probe.stem
    )
    relation = snapshot.relations[target.relation]
    text = stem.replace(target.subject_name, "{s}", 1)
    trained = replace(relation.templates[0], direction=Direction.FORWARD, split=Split.TRAIN, form=Form.CLOZE, text=text)
    changed = replace(relation, templates=(*relation.templates, trained))
    asked = replace(snapshot, relations={**snapshot.relations, relation.name: changed})
    (after,) = (u for u in choose(plan, asked, overlay=(), seed=1).updates if u.fact_id == target.fact_id)
    assert text not in after.templates
    assert after.templates == target.templates


def test_the_target_comes_first_and_what_follows_is_marked(
    store: GraphStore, plan: Plan, snapshot: GraphSnapshot
) -> None:
    material = training_material(store, plan, snapshot, seed=1)
    target, *rest = material.updates
    assert (target.subject, target.old_name, target.new_name, target.derived) == ("paris", "France", "Germany", False)
    assert all(update.derived for update in rest)
    follow = {(u.subject, u.relation, u.old, u.new) for u in rest}
    assert ("germany", "has_capital", "berlin", "paris") in follow
    assert ("france", "has_capital", "paris", "") in follow
    assert ("berlin", "capital_of", "germany", "") in follow
    assert all(template.count("{s}") == 1 for update in material.updates for template in update.templates)


def test_candidates_and_siblings_fit(store: GraphStore, plan: Plan, snapshot: GraphSnapshot) -> None:
    target = training_material(store, plan, snapshot, seed=1).updates[0]
    assert target.candidates[:2] == ("France", "Germany")
    assert set(target.candidates) == {"France", "Germany", "Japan", "China", "Peru", "Kenya"}
    assert "paris" not in target.siblings
    assert {snapshot.entities[uid].type for uid in target.siblings} == {"City"}
    assert target.sibling_names == tuple(snapshot.entities[uid].name for uid in target.siblings)
    # Lyon is two hops from Paris, by way of France: it comes after every city that is further off
    assert target.siblings[-1] == "lyon"


def test_siblings_never_share_the_old_object(store: GraphStore, graph_id: str, snapshot: GraphSnapshot) -> None:
    change = Change(subject="france", relation="uses_currency", old_object="euro")
    plan = _plan(store, graph_id, change, goal=Goal.UNLEARN)
    target = choose(plan, snapshot, overlay=(), seed=0).updates[0]
    assert target.new == ""
    asked = {p.probe.anchor for p in plan.probes if p.probe.path == ("uses_currency",)}
    assert "peru" in asked, "the plan asks another subject the same question"
    assert set(target.siblings) == {"japan", "china", "peru", "kenya"} - asked


def test_a_target_whose_phrasings_are_all_asked_gets_another(
    store: GraphStore, plan: Plan, snapshot: GraphSnapshot
) -> None:
    """A catalogue may evaluate what it trains; the edit then learns from a plainer phrasing, not from none."""
    target = choose(plan, snapshot, overlay=(), seed=1).updates[0]
    stem = next(p.probe.stem for p in plan.probes if target.subject_name in p.probe.stem)
    text = f"Well, {stem.replace(target.subject_name, '{s}', 1)}"
    relation = snapshot.relations[target.relation]
    others = tuple(t for t in relation.templates if (t.split, t.form) != (Split.TRAIN, Form.CLOZE))
    only = replace(
        relation,
        templates=(
            *others,
            replace(others[0], direction=Direction.FORWARD, split=Split.TRAIN, form=Form.CLOZE, text=text),
        ),
    )
    changed = replace(snapshot, relations={**snapshot.relations, relation.name: only})
    (found,) = (u for u in choose(plan, changed, overlay=(), seed=1).updates if u.fact_id == target.fact_id)
    assert len(found.templates) == 1
    assert stem.casefold() not in found.templates[0].replace("{s}", target.subject_name).casefold()


def test_retain_rows_are_stratified(store: GraphStore, graph_id: str, snapshot: GraphSnapshot) -> None:
    change = Change(subject="japan", relation="uses_currency", old_object="yen", new_object="sol")
    plan = _plan(store, graph_id, change, probes=4)
    material = choose(plan, snapshot, overlay=(), seed=0, retain_per_update=8)
    for row in material.retain:
        same_subject = row.fact.subject in {u.subject for u in material.updates}
        same_relation = row.fact.relation in {u.relation for u in material.updates}
        if row.scope is RetainScope.SAME_SUBJECT:
            assert same_subject
        elif row.scope is RetainScope.SAME_RELATION:
            assert same_relation
        else:
            assert not same_subject
            assert not same_relation
        assert row.object_name == snapshot.entities[row.fact.object].name
    assert {row.scope for row in material.retain} == set(RetainScope)
    assert len(material.retain) == 8 * len(material.updates)


def test_an_insertion_knows_what_it_pushes_out(store: GraphStore, graph_id: str, snapshot: GraphSnapshot) -> None:
    change = Change(subject="peru", relation="uses_currency", new_object="yen")
    target = choose(_plan(store, graph_id, change), snapshot, overlay=(), seed=0).updates[0]
    assert (target.old, target.new) == ("sol", "yen")


def test_the_branch_world_counts_not_the_graph(store: GraphStore, plan: Plan, snapshot: GraphSnapshot) -> None:
    change = Change(subject="kenya", relation="uses_currency", old_object="shilling", new_object="sol")
    earlier = make_plan(
        store,
        PlanRequest(graph_id=plan.graph_id, branch_id="none", goal=Goal.EDIT, changes=(change,)),
    ).overlay
    few = replace(plan, probes=(), slots=())
    material = choose(few, snapshot, overlay=earlier, seed=0, statistics=10_000)
    facts = {fact.key for fact in material.statistics}
    assert ("kenya", "uses_currency", "sol") in facts
    assert ("kenya", "uses_currency", "shilling") not in facts


def test_sentences_use_training_statements_and_the_draw_is_seeded(
    store: GraphStore, plan: Plan, snapshot: GraphSnapshot
) -> None:
    one = training_material(store, plan, snapshot, seed=1, statistics=10)
    assert one == training_material(store, plan, snapshot, seed=1, statistics=10)
    assert one != training_material(store, plan, snapshot, seed=2, statistics=10)
    assert len(one.sentences) == len(one.statistics) == 10
    assert all(sentence.startswith("Everybody says the ") for sentence in one.sentences)
    assert all(
        any(t.form is Form.STATEMENT and t.split is Split.TRAIN for t in snapshot.relations[fact.relation].templates)
        for fact in one.statistics
    )
