"""What counts as a trial: a question without an old answer retains nothing, and a question counts for its own fact."""

from __future__ import annotations

from collections import defaultdict

import pytest
from tests.graph_schema.planning.conftest import atlas_entities, atlas_facts, atlas_relations, templates_of, write_graph
from tests.graph_schema.propagation.conftest import Run, committed, open_branch, planned
from tests.names import fresh_graph

from knowledgesmith.graph_schema import propagation as ask
from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.propagation import Metric
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Relation, Traits, fact_id
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, ProbeKind, Role

NEIGHBOURS = ("germany", "japan", "kenya")
MOVE = Change(subject="france", relation="has_capital", old_object="paris", new_object="lyon")


def right_before(probe: PlannedProbe) -> int:
    """The old world's answer; where it has none, something else than the new one."""
    options = range(len(probe.probe.options))
    return probe.before[0] if probe.before else next(n for n in options if n not in probe.after)


def unmoved(probe: PlannedProbe) -> tuple[int, int]:
    """A model that knew everything and did not change."""
    return (right_before(probe), right_before(probe))


def stated(probe: PlannedProbe) -> bool:
    return probe.probe.kind is ProbeKind.CONFLICT and probe.polarity is Polarity.CHANGE


def denies(probe: PlannedProbe) -> tuple[int, int]:
    """The same, but afterwards it holds neither the old nor the new statement for true."""
    before = right_before(probe)
    return (before, probe.probe.option_uids.index("false") if stated(probe) else before)


def agrees(probe: PlannedProbe) -> tuple[int, int]:
    """The same, but afterwards it holds both for true."""
    before = right_before(probe)
    return (before, probe.probe.option_uids.index("true") if stated(probe) else before)


@pytest.fixture(scope="module")
def moved(store: GraphStore, world: str) -> Run:
    return committed(store, planned(store, world, goal=Goal.EDIT, changes=[MOVE]), seed=11, order=11, answers=unmoved)


@pytest.fixture(scope="module")
def neighbours(store: GraphStore) -> Run:
    """Three facts of one subject and many-valued relation are erased from a model that forgets the first statement."""
    graph_id = fresh_graph(__name__)
    borders = Relation(name="borders", rel_type="", traits=Traits(), templates=templates_of("neighbour"))
    facts = [*atlas_facts(), *(("france", "borders", uid) for uid in NEIGHBOURS)]
    relations = list(build_catalogue([*atlas_relations(), borders]).values())
    write_graph(store, graph_id, atlas_entities(), relations, facts)
    open_branch(store, graph_id, graph_id)
    erasures = [Change(subject="france", relation="borders", old_object=uid) for uid in NEIGHBOURS]
    first = fact_id(graph_id, "france", "borders", NEIGHBOURS[0])
    plan = planned(store, graph_id, goal=Goal.UNLEARN, changes=erasures)
    return committed(
        store, plan, seed=1, order=1, answers=lambda p: denies(p) if p.asked_fact_id == first else unmoved(p)
    )


def metric(store: GraphStore, run: Run, name: str) -> Metric:
    (one,) = [m for m in ask.metrics(store, run.id).metrics if m.name == name and m.group_by == "all"]
    return one


def test_a_model_that_does_not_move_retains_all_of_the_old_answers(store: GraphStore, moved: Run) -> None:
    change = [p for p in moved.plan.probes if p.role is Role.FOLLOWS]
    old, new = [p for p in change if p.before], [p for p in change if p.after]
    assert len(old) < len(change), "the old world has no inverse of a city that was no capital"
    assert len(new) < len(change), "and the new one none of a city that is none any more"
    retained, spread = metric(store, moved, "rr"), metric(store, moved, "propagated")
    assert (retained.successes, retained.trials) == (len(old), len(old))
    assert (spread.successes, spread.trials) == (0, len(new))
    assert metric(store, moved, "forgotten").trials == len(change) - len(new)
    assert metric(store, moved, "installed").successes == 0
    for which in ask.Grouping:
        for group in ask.groups(store, moved.id, which)[0]:
            assert group.kept == group.old
    points = [one for one in ask.over_time(store, moved.branch_id)[0] if one.intervention == moved.id]
    about = [one for one in ask.over_time(store, moved.branch_id, entity="lyon")[0] if one.intervention == moved.id]
    assert sum(point.old for point in points) == len(old)
    assert sum(point.old for point in about) == sum(p.probe.anchor == "lyon" for p in old)


def test_a_model_that_does_not_move_changed_nothing(store: GraphStore, moved: Run, neighbours: Run) -> None:
    for group in ask.groups(store, moved.id, ask.Grouping.ALL)[0]:
        assert (group.propagated, group.forgotten, group.drifted, group.collateral, group.installed) == (0, 0, 0, 0, 0)


def test_the_probes_of_a_row_have_an_old_answer_all_or_none(moved: Run, neighbours: Run) -> None:
    """So a row without a belief before says that none of its probes has one."""
    for run in (moved, neighbours):
        rows: dict[int, set[bool]] = defaultdict(set)
        for one in run.plan.probes:
            rows[one.row_seq].add(bool(one.before))
        assert all(len(held) == 1 for held in rows.values())
        assert {seq for seq, row in run.rows.items() if row.before is None} == {
            seq for seq, held in rows.items() if held == {False}
        }


def test_chance_is_that_of_the_options_which_a_probe_has(store: GraphStore, neighbours: Run) -> None:
    targets = [p for p in neighbours.plan.probes if p.role is Role.TARGET]
    assert {len(p.probe.options) for p in targets} >= {2, 3}
    old = sum(len(p.before) / len(p.probe.options) for p in targets) / len(targets)
    assert metric(store, neighbours, "erased").chance == pytest.approx(1 - old)


def test_facts_of_one_subject_and_relation_have_their_own_questions(store: GraphStore, neighbours: Run) -> None:
    direct = [p for p in neighbours.plan.probes if p.probe.kind is ProbeKind.DIRECT and p.polarity is Polarity.CHANGE]
    plastic = metric(store, neighbours, "plasticity")
    assert (plastic.successes, plastic.trials) == (0, len(direct))
    facts, _ = ask.changed_facts(store, neighbours.id)
    assert [(fact.old_object, fact.yes_old_before, fact.yes_old_after) for fact in facts] == [
        (uid, 1, int(number > 0)) for number, uid in enumerate(NEIGHBOURS)
    ]
    for fact in facts:
        assert sum(context.kind == "CONFLICT" for context in fact.evidence) == 1
    assert ask.changes(store, neighbours.id, ask.ChangeFilter.CONFLICT, skip=0, limit=50)[0] == []


def test_only_what_is_said_both_ways_is_a_conflict(store: GraphStore, moved: Run) -> None:
    plan = moved.plan
    denied = committed(store, plan, seed=12, order=12, answers=denies)
    assert ask.changes(store, denied.id, ask.ChangeFilter.CONFLICT, skip=0, limit=50)[0] == []
    agreed = committed(store, plan, seed=13, order=13, answers=agrees)
    rows, _ = ask.changes(store, agreed.id, ask.ChangeFilter.CONFLICT, skip=0, limit=50)
    old = fact_id(agreed.graph_id, "france", "has_capital", "paris")
    assert [(row.entity, row.kind, row.fact_id, row.measured.n_not_installed) for row in rows] == [
        ("france", "CONFLICT", old, 1)
    ]
    (fact,) = ask.changed_facts(store, agreed.id, conflicts_only=True)[0]
    assert fact.conflict_same_context
