"""Every propagation question against an oracle in Python that knows only the plan and what the model answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

import networkx as nx
import pytest
from tests.graph_schema.planning.conftest import atlas_facts, atlas_relations
from tests.graph_schema.propagation.conftest import Run

from knowledgesmith.editors.scoring.beliefs import NO_CHOICE
from knowledgesmith.graph_schema import propagation as ask
from knowledgesmith.graph_schema.errors import InterventionNotFound, InvalidInput
from knowledgesmith.graph_schema.interventions.ledger import Outcome
from knowledgesmith.graph_schema.propagation import Agreement, Metric, Pasteable, VerdictName
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import fact_id
from knowledgesmith.graph_schema.types.interventions import Change
from knowledgesmith.graph_schema.types.plans import LedgerSlot
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, ProbeKind, Role

Asked = list[tuple[PlannedProbe, Outcome]]
ALL = 1000


def shown(run: Run) -> Asked:
    return [(planned, run.shown[planned.probe.id]) for planned in run.plan.probes]


def rows_of(store: GraphStore, query: Pasteable) -> list[dict[str, object]]:
    """The pasted text, run as any tool would."""
    columns, rows = store.run_user_query(query.cypher, query.parameters, limit=ALL, timeout_s=60)
    assert columns
    return rows


def chosen(planned: PlannedProbe, pred: int) -> str:
    """The option that was chosen; nothing for a tie."""
    return "" if pred == NO_CHOICE else planned.probe.options[pred]


def test_evidence_is_every_probe_of_the_verdict_with_both_answers(store: GraphStore, first: Run) -> None:
    counted = 0
    for wanted in VerdictName:
        found, query = ask.evidence(store, first.id, [wanted], skip=0, limit=ALL)
        expected = {p.probe.id: (p, o) for p, o in shown(first) if o.verdict == wanted.value}
        assert {one.probe_id for one in found} == set(expected)
        order = [(one.role == "target", abs(one.p_old_after - one.p_old_before)) for one in found]
        assert order == sorted(order, reverse=True)
        for one in found:
            planned, outcome = expected[one.probe_id]
            assert one.text == planned.probe.text
            assert one.preferred_before == chosen(planned, outcome.pred_before)
            assert one.preferred_after == chosen(planned, outcome.pred_after)
            assert one.answers_before == tuple(planned.probe.options[n] for n in planned.before)
            assert one.answers_after == tuple(planned.probe.options[n] for n in planned.after)
            assert (one.seq, one.entity) == (planned.row_seq, planned.probe.anchor)
        assert [row["probe_id"] for row in rows_of(store, query)] == [one.probe_id for one in found]
        counted += len(expected)
    assert counted == len(first.plan.probes)
    page, _ = ask.evidence(store, first.id, [], skip=3, limit=4)
    whole, _ = ask.evidence(store, first.id, [], skip=0, limit=ALL)
    assert page == whole[3:7]
    assert len(whole) == len(first.plan.probes)


def test_the_evidence_of_a_collateral_row_adds_up_to_its_count(store: GraphStore, first: Run) -> None:
    rows, _ = ask.changes(store, first.id, ask.ChangeFilter.COLLATERAL, skip=0, limit=ALL)
    found, _ = ask.evidence(store, first.id, [VerdictName.COLLATERAL], skip=0, limit=ALL)
    assert rows
    assert Counter(one.seq for one in found) == {row.seq: row.measured.n_collateral for row in rows}


@pytest.mark.parametrize("which", ask.Grouping)
def test_groups_add_up_the_rows(store: GraphStore, first: Run, which: ask.Grouping) -> None:
    keys: dict[ask.Grouping, Callable[[LedgerSlot], str]] = {
        ask.Grouping.HOP: lambda slot: "unreachable" if slot.hops is None else str(slot.hops),
        ask.Grouping.KIND: lambda slot: slot.kind.value,
        ask.Grouping.RELATION: lambda slot: slot.relation,
    }
    groups, query = ask.groups(store, first.id, which)
    assert sum(group.rows for group in groups) == len(first.plan.slots)
    assert sum(group.collateral for group in groups) == sum(row.n_collateral for row in first.rows.values())
    if key := keys.get(which):
        counted = Counter((key(slot), slot.role) for slot in first.plan.slots)
        assert {(group.key, group.role): group.rows for group in groups} == counted
    assert [row["key"] for row in rows_of(store, query)] == [group.key for group in groups]
    order = [ask.ROLES.index(group.role) for group in groups]
    assert order == sorted(order), "targets first, then what follows, then what stays"


@pytest.mark.parametrize("which", ask.Grouping)
def test_no_rate_of_a_group_mixes_roles(store: GraphStore, first: Run, erased: Run, which: ask.Grouping) -> None:
    of = {
        "installed": "target",
        "erased": "target",
        "propagated": "follows",
        "forgotten": "follows",
        "residual": "follows",
        "collateral": "stays",
    }
    for run in (first, erased):
        seen: set[str] = set()
        for group in ask.groups(store, run.id, which)[0]:
            for share in group.shares:
                assert not share.trials or of[share.name] == group.role
                assert not share.trials or 0 <= (share.chance or 0.0) <= 1
                seen |= {share.name} if share.trials else set()
        assert seen == {"forgotten", "residual", "collateral"} | (
            {"propagated", "installed"} if run is first else {"erased"}
        )


def test_chance_of_a_group_is_that_of_its_probes(store: GraphStore, first: Run, erased: Run) -> None:
    for run in (first, erased):
        for group in ask.groups(store, run.id, ask.Grouping.KIND)[0]:
            mine = [
                (p, o)
                for p, o in shown(run)
                if (p.role, p.probe.kind.value) == (group.role, group.key) and o.verdict != "INELIGIBLE"
            ]
            for share in group.shares:
                if not share.trials:
                    continue
                counted = [one for one in mine if belongs(share.name, *one)]
                assert len(counted) == share.trials, (share, group)
                guess = sum(guessed(share.name, planned) for planned, _ in counted) / len(counted)
                assert share.chance == pytest.approx(guess)


def belongs(name: str, planned: PlannedProbe, outcome: Outcome) -> bool:
    """Whether an eligible probe is a trial of a rate."""
    if name == "propagated":
        return bool(planned.after)
    if name == "forgotten":
        return not planned.after
    return bool(planned.before) if name == "residual" else True


def guessed(name: str, planned: PlannedProbe) -> float:
    """Chance that an option at random counts for a rate."""
    size = len(planned.probe.options)
    old = len({*planned.before} - {*planned.after}) / size
    right = len(planned.before) / size
    new = len(planned.after) / size
    by_name = {"installed": new, "propagated": new, "erased": 1 - old, "forgotten": 1 - old, "residual": old}
    return by_name.get(name, 1 - right)


def contexts(run: Run, number: int) -> Asked:
    """The questions about one target: those that it answers, reverse ones about its objects, and its statements."""
    change = run.plan.targets[number]
    objects = {change.old_object, change.new_object} - {""}
    stated = {fact_id(run.graph_id, change.subject, change.relation, uid) for uid in objects}
    found: Asked = []
    for planned, outcome in shown(run):
        if planned.polarity is not Polarity.CHANGE:
            continue
        probe = planned.probe
        answers = {probe.option_uids[n] for n in (*planned.before, *planned.after)}
        about = planned.asked_fact_id in stated if probe.kind is ProbeKind.CONFLICT else bool(answers & objects)
        forward = probe.anchor == change.subject and probe.path == (change.relation,) and about
        reverse = probe.anchor in objects and probe.path == (f"~{change.relation}",) and change.subject in answers
        if forward or reverse:
            found.append((planned, outcome))
    return found


def support(found: Asked, change: Change, *, after: bool) -> tuple[int, int, int, int]:
    """How many questions support the old, the new object; and of the statements alone."""
    counts = [0, 0, 0, 0]
    for planned, outcome in found:
        best = outcome.pred_after if after else outcome.pred_before
        statement = planned.probe.kind is ProbeKind.CONFLICT
        for place, (answers, uid) in enumerate(
            ((planned.before, change.old_object), (planned.after, change.new_object))
        ):
            backward = planned.probe.path[0].startswith("~")
            said = "true" if statement else change.subject if backward else uid
            counts[place] += best in answers and planned.probe.option_uids[best] == said
            counts[place + 2] += statement and best in answers and planned.probe.option_uids[best] == said
    return counts[0], counts[1], counts[2], counts[3]


def right(planned: PlannedProbe, outcome: Outcome) -> bool:
    """Answered as the new world answers; a tie is no answer."""
    if outcome.pred_after == NO_CHOICE:
        return False
    if planned.after:
        return outcome.pred_after in planned.after
    return outcome.pred_after not in planned.before


def test_changed_facts_count_which_questions_support_what(store: GraphStore, first: Run, second: Run) -> None:
    agreements: set[Agreement] = set()
    for run in (first, second):
        found, query = ask.changed_facts(store, run.id)
        assert [fact.subject for fact in found] == [change.subject for change in run.plan.targets]
        for number, fact in enumerate(found):
            asked = contexts(run, number)
            assert asked, fact
            assert {planned.probe.kind for planned, _ in asked} >= {ProbeKind.DIRECT, ProbeKind.CONFLICT}
            assert fact.contexts == len(asked)
            before = (fact.old_before, fact.new_before, fact.yes_old_before, fact.yes_new_before)
            after = (fact.old_after, fact.new_after, fact.yes_old_after, fact.yes_new_after)
            assert before == support(asked, run.plan.targets[number], after=False)
            assert after == support(asked, run.plan.targets[number], after=True)
            assert fact.functional
            assert len(fact.evidence) == min(20, len(asked))
            new = sum(right(*one) for one in asked)
            old = sum(outcome.pred_after in planned.before for planned, outcome in asked)
            assert (fact.agree_new, fact.agree_old) == (new, old)
            agreements.add(fact.agreement)
        conflicts, _ = ask.changed_facts(store, run.id, conflicts_only=True)
        assert conflicts == [fact for fact in found if fact.conflict_any_context]
        assert [row["subject"] for row in rows_of(store, query)] == [fact.subject for fact in found]
    assert agreements


def metric(found: Iterable[Metric], name: str, by: str = "all", group: str = "all") -> Metric:
    (one,) = [m for m in found if (m.name, m.group_by, m.group) == (name, by, group)]
    return one


def test_collateral_and_residual_are_over_eligible_probes(store: GraphStore, first: Run) -> None:
    report = ask.metrics(store, first.id)
    found, queries = report.metrics, report.queries
    assert (report.scheme, report.placebo, report.withheld) == (2, "", "")
    bands: dict[int | None, str] = {None: "unreachable", 0: "0", 1: "1", 2: "2", 3: "3"}
    groupings: dict[str, Callable[[PlannedProbe], str]] = {
        "all": lambda _: "all",
        "band": lambda planned: bands.get(planned.hops, "4+"),
        "kind": lambda planned: planned.probe.kind.value,
    }
    for by, of in groupings.items():
        cells: dict[str, Asked] = defaultdict(list)
        for planned, outcome in shown(first):
            cells[of(planned)].append((planned, outcome))
        for group, asked in cells.items():
            chose = [(p, o) for p, o in asked if o.pred_after != NO_CHOICE]
            stay = [(p, o) for p, o in chose if p.role is Role.STAYS and o.pred_before in p.before]
            follows = [(p, o) for p, o in asked if p.role is Role.FOLLOWS]
            change = [
                (p, o)
                for p, o in chose
                if p.role is Role.FOLLOWS
                and (o.pred_before in p.before if p.before else o.pred_before not in {NO_CHOICE, *p.after})
            ]
            targets = [(p, o) for p, o in chose if p.role is Role.TARGET]
            asked_targets = sum(p.role is Role.TARGET for p, _ in asked)
            ccr, rr = metric(found, "ccr", by, group), metric(found, "rr", by, group)
            assert (ccr.successes, ccr.trials) == (sum(o.pred_after not in p.before for p, o in stay), len(stay))
            assert ccr.asked == sum(p.role is Role.STAYS for p, _ in asked)
            old = [(p, o) for p, o in change if p.before]
            kept = sum(o.pred_after in p.before for p, o in old)
            assert (rr.successes, rr.trials, rr.asked) == (kept, len(old), len(follows))
            new = [(p, o) for p, o in change if p.after]
            spread = metric(found, "propagated", by, group)
            reached = sum(o.pred_after in p.after and o.pred_after != o.pred_before for p, o in new)
            assert (spread.successes, spread.trials) == (reached, len(new))
            gone = [(p, o) for p, o in change if not p.after]
            lost = metric(found, "forgotten", by, group)
            assert (lost.successes, lost.trials) == (sum(o.pred_after not in p.before for p, o in gone), len(gone))
            installed = metric(found, "installed", by, group)
            said = sum(o.pred_after in p.after for p, o in targets)
            assert (installed.successes, installed.trials, installed.asked) == (said, len(targets), asked_targets)
            assert metric(found, "erased", by, group).trials == 0
            if stay:
                guess = sum(1 - len(p.before) / len(p.probe.options) for p, _ in stay) / len(stay)
                assert ccr.chance == pytest.approx(guess)
            if old:
                guess = sum(len({*p.before} - {*p.after}) / len(p.probe.options) for p, _ in old) / len(old)
                assert rr.chance == pytest.approx(guess)
    assert metric(found, "ccr").trials > 20
    for query in queries:
        assert rows_of(store, query)


def test_conflict_consistency_and_plasticity(store: GraphStore, first: Run, second: Run, erased: Run) -> None:
    for run in (first, second, erased):
        found = ask.metrics(store, run.id).metrics
        facts, _ = ask.changed_facts(store, run.id)
        contrary = [fact for fact in facts if fact.functional and fact.old_object and fact.new_object]
        any_context, same = metric(found, "conflict_any"), metric(found, "conflict_same")
        assert any_context.trials == len(contrary)
        assert any_context.successes == sum(fact.conflict_any_context for fact in contrary)
        assert same.successes == sum(fact.conflict_same_context for fact in contrary)
        assert metric(found, "conflict_any_before").successes == sum(
            fact.old_before > 0 and fact.new_before > 0 for fact in contrary
        )
        for agreement in (Agreement.NEW, Agreement.OLD, Agreement.MIXED):
            one = metric(found, f"consistency_{agreement.value}")
            assert one.successes == sum(fact.agreement is agreement for fact in facts)
            assert one.trials == len(facts)
        direct = [one for n in range(len(facts)) for one in contexts(run, n) if one[0].probe.kind is ProbeKind.DIRECT]
        plastic = metric(found, "plasticity")
        assert (plastic.successes, plastic.trials) == (sum(right(*one) for one in direct), len(direct))
    kept = sum(o.pred_after in p.before for p, o in direct) / len(direct)
    assert plastic.corrected == pytest.approx(1 - min(1.0, max(0.0, (kept - 0.25) / 0.75)))


def moved(run: Run) -> dict[str, float]:
    """Largest absolute change by entity."""
    found: dict[str, float] = {}
    for slot in run.plan.slots:
        delta = run.rows[slot.seq].delta
        if delta is not None:
            found[slot.entity] = max(found.get(slot.entity, 0.0), abs(delta))
    return found


def test_paths_go_through_entities_that_moved_and_stops_stand_beyond(store: GraphStore, first: Run) -> None:
    names = {relation.name for relation in atlas_relations()}
    graph = nx.Graph([(s, o) for s, r, o in atlas_facts() if r in names])
    threshold = 0.3
    change = moved(first)
    movers = {uid for uid, value in change.items() if value >= threshold}
    starts = {uid for c in first.plan.targets for uid in (c.subject, c.old_object, c.new_object)}
    found = ask.travel(store, first.id, threshold=threshold, limit=ALL)
    assert found.paths
    reached: dict[str, int] = {}
    for start in starts:
        inside = graph.subgraph({*movers, start})
        if start in inside:
            for uid, hops in nx.single_source_shortest_path_length(inside, start, cutoff=6).items():
                if uid != start:
                    reached[uid] = min(hops, reached.get(uid, hops))
    assert {path.steps[-1].entity: len(path.steps) for path in found.paths} == reached
    for path in found.paths:
        line = [path.target, *(step.entity for step in path.steps)]
        assert path.target in starts
        assert all(graph.has_edge(a, b) for a, b in pairwise(line))
        assert all(abs(step.delta or 0.0) == pytest.approx(change[step.entity]) for step in path.steps)
    stops = {
        uid: sum(other in movers for other in graph[uid])
        for uid, value in change.items()
        if value < threshold and uid in graph and any(other in movers for other in graph[uid])
    }
    assert {stop.entity: stop.neighbours for stop in found.stops} == stops
    assert rows_of(store, found.paths_query)
    assert len(rows_of(store, found.stops_query)) == len(stops)


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5, float("nan")])
def test_a_threshold_is_a_change_of_probability(store: GraphStore, threshold: float) -> None:
    with pytest.raises(InvalidInput, match="threshold"):
        ask.travel(store, "nobody", threshold=threshold)


def test_two_runs_side_by_side(store: GraphStore, first: Run, second: Run, erased: Run) -> None:
    rows, query = ask.compare(store, first.id, second.id, skip=0, limit=ALL)
    overlap, _ = ask.overlap(store, first.id, second.id)
    keys = {(s.entity, s.kind.value, s.polarity.value, s.fact_id): s.seq for s in first.plan.slots}
    assert overlap.both == len(rows) == len(keys)
    for row in rows:
        seq = keys[row.entity, row.kind, row.polarity, row.fact_id]
        assert row.first_delta == first.rows[seq].delta
        assert row.second_delta == second.rows[seq].delta
    differences = [abs(row.difference) for row in rows if row.difference is not None]
    assert differences == sorted(differences, reverse=True)
    assert [row["entity"] for row in rows_of(store, query)] == [row.entity for row in rows]
    other, _ = ask.compare(store, first.id, erased.id, skip=0, limit=ALL)
    counts, counting = ask.overlap(store, first.id, erased.id)
    assert len(rows_of(store, counting)) == 1
    assert counts.both + counts.only_first == len(first.plan.slots)
    assert counts.both + counts.only_second == len(erased.plan.slots)
    assert len(other) == counts.both + counts.only_first + counts.only_second
    assert all(row.first_delta is None or row.second_delta is None for row in other[counts.both :])


def test_a_branch_over_time(store: GraphStore, first: Run, second: Run, erased: Run) -> None:
    points, query = ask.over_time(store, first.branch_id)
    assert [(point.intervention, point.role) for point in points] == [
        (run.id, role.value) for run in (first, second, erased) for role in Role
    ]
    assert all(point.scheme == 2 and not point.wrecked for point in points)
    rows = Counter((run.id, slot.role) for run in (first, second, erased) for slot in run.plan.slots)
    assert {(point.intervention, point.role): point.rows for point in points} == rows
    assert len(rows_of(store, query)) == 9
    by_role = {(g.role): g for g in ask.groups(store, first.id, ask.Grouping.ALL)[0]}
    assert [point.shares for point in points[:3]] == [by_role[role].shares for role in Role]
    for entity, relation, kind in (("france", "", ""), ("france", "has_capital", ""), ("", "uses_currency", "DIRECT")):
        points, query = ask.over_time(store, first.branch_id, entity=entity, relation=relation, kind=kind)
        assert {point.intervention for point in points} == {first.id, second.id, erased.id}
        runs = {run.id: run for run in (first, second, erased)}
        for point in points:
            run = runs[point.intervention]
            chosen = [
                run.rows[slot.seq]
                for slot in run.plan.slots
                if entity in {"", slot.entity}
                and relation in {"", slot.relation}
                and kind in {"", slot.kind.value}
                and point.role in {"", slot.role}
            ]
            assert point.rows == len(chosen)
            known = [row.after for row in chosen if row.after is not None]
            assert point.mean_after == (pytest.approx(sum(known) / len(known)) if known else None)
        assert [row["rows"] for row in rows_of(store, query)] == [point.rows for point in points]


def test_accuracy_by_scale(store: GraphStore, first: Run, erased: Run) -> None:
    found, query = ask.scales(store, [first.id, erased.id, first.id])
    assert [(point.k, point.intervention) for point in found] == [(1, erased.id), (3, first.id)]
    for point, run in zip(found, (erased, first), strict=True):
        for kind, (n_right, n) in {
            ProbeKind.DIRECT: (point.direct_right, point.direct_n),
            ProbeKind.REVERSE: (point.reverse_right, point.reverse_n),
        }.items():
            role = Role.TARGET if kind is ProbeKind.DIRECT else Role.FOLLOWS
            asked = [one for one in shown(run) if one[0].role is role and one[0].probe.kind is kind]
            assert (n_right, n) == (sum(right(*one) for one in asked), len(asked))
    assert len(rows_of(store, query)) == 2
    with pytest.raises(InterventionNotFound, match="nobody"):
        ask.scales(store, [first.id, "nobody"])


def test_outcomes_leave_the_stored_plan_as_it_is(store: GraphStore, first: Run) -> None:
    from knowledgesmith.graph_schema.planning.plan_store import load_plan

    assert load_plan(store, first.id) == first.plan


def test_heads_written_batch_by_batch_equal_their_replay(store: GraphStore, world: str, erased: Run) -> None:
    from knowledgesmith.graph_schema.interventions.head_replays import renew_heads

    text = (
        "MATCH (e:Entity {graph_id: $graph_id}) WHERE e.belief_intervention IS NOT NULL "
        "RETURN e.uid AS uid, e {.*} AS properties ORDER BY uid"
    )

    def heads() -> list[dict[str, object]]:
        return store.run_user_query(text, {"graph_id": world}, limit=ALL, timeout_s=30)[1]

    written = heads()
    assert len(written) >= len({slot.entity for slot in erased.plan.slots})
    store.write_transaction(lambda tx: renew_heads(tx, world))
    assert heads() == written
