"""Relations whose names differ in spelling alone: what one of them says is not asked as false of the other."""

from __future__ import annotations

from typing import Any

import pytest

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.catalogue.wording_clashes import mistakable, spelt_alike
from knowledgesmith.graph_schema.graphs.lexicon import Lexicon, load_lexicon
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.generation.generate import generate_in_memory
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.probes.verification.verify import claim, judge
from knowledgesmith.graph_schema.probes.wording.stated import stated_object
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.probes import Probe, ProbeKind

SPELLINGS = [
    ("likes", "Likes"),
    ("capital-of", "capital_of"),
    ("capital of", "capitalOf"),
    ("born\u200bin", "bornin"),
    ("Straße", "STRASSE"),
    ("столица", "Столица"),
    ("年\u2060龄", "年龄"),
    ("works\u2011for", "works for"),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_two_spellings_are_told(one: str, other: str) -> None:
    assert spelt_alike([one, "else", other]) == {one: (other,), other: (one,)}
    catalogue = build_catalogue([Relation(name=name, rel_type="") for name in (one, other, "else")])
    assert mistakable(catalogue)[one] == (other,)
    assert mistakable(catalogue)[other] == (one,)
    assert "else" not in mistakable(catalogue)


@pytest.mark.parametrize("names", [("method", "method+"), ("a-b", "a+b"), ("-", "_"), ("part", "parts"), ("年", "月")])
def test_other_signs_make_other_relations(names: tuple[str, str]) -> None:
    assert spelt_alike(names) == {}


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_what_the_other_spelling_says_is_never_false(
    store: GraphStore, graph_id: str, writer: Any, one: str, other: str
) -> None:
    relations = [
        *build_catalogue([Relation(name=n, rel_type="", traits=Traits()) for n in (one, other, "of")]).values()
    ]
    people = [f"p{n:02}" for n in range(12)]
    things = [f"t{n}" for n in range(5)]
    entities = [Entity(uid=uid, name=f"Per {uid}", type="Person") for uid in people]
    entities += [Entity(uid=uid, name=f"Thing {uid}", type="Thing") for uid in things]
    facts = [
        (uid, name, things[(n + step) % 5]) for n, uid in enumerate(people) for step, name in ((0, one), (1, other))
    ]
    facts += [(uid, "of", people[n - 1]) for n, uid in enumerate(people)]
    writer(graph_id, entities, relations, facts)
    lexicon = load_lexicon(store, graph_id=graph_id)
    said, twins = {(s, r): o for s, r, o in facts}, {one: other, other: one}

    data = generate_in_memory(store, BulkRequest(graph_id=graph_id))
    assert {probe.kind for probe in data.probes} >= set(ProbeKind) - {ProbeKind.MULTI_HOP}
    for probe in data.probes:
        _check(probe, set(probe.answers), said=said, twins=twins, lexicon=lexicon)
    change = Change(subject="p00", relation=one, old_object="t0", new_object="t3")
    plan = make_plan(
        store, PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.EDIT, changes=(change,), max_probes=400)
    )
    for planned in plan.probes:
        _check(planned.probe, {*planned.before, *planned.after}, said=said, twins=twins, lexicon=lexicon)

    def refused(question: Question, right: list[str], wrong: list[str]) -> dict[object, str]:
        name, row = claim("it", question, right=right, wrong=wrong, lexicon=lexicon)
        return judge(tx, name, [row], lexicon=lexicon)

    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        direct = Question(kind=ProbeKind.DIRECT, anchor="p00", path=(one,), before=(), after=())
        assert refused(direct, ["t0"], ["t2", "t1"]) == {"it": "true_distractor"}
        assert refused(direct, ["t0"], ["t2", "t3"]) == {}
        back = Question(kind=ProbeKind.REVERSE, anchor="t1", path=(f"~{one}",), before=(), after=())
        assert refused(back, ["p01"], ["p00"]) == {"it": "true_distractor"}
        for obj, reason in (("t1", {"it": "true_distractor"}), ("t2", {})):
            question = Question(kind=ProbeKind.CONFLICT, anchor="p00", path=(one,), before=(), after=(), object=obj)
            assert refused(question, ["false"], ["true"]) == reason


def _check(
    probe: Probe, answers: set[int], *, said: dict[tuple[str, str], str], twins: dict[str, str], lexicon: Lexicon
) -> None:
    """Nothing that the twin says is called false."""
    backward, name = probe.path[-1].startswith("~"), probe.path[-1].removeprefix("~")
    if name not in twins:
        return
    twin = twins[name]
    if probe.kind is ProbeKind.CONFLICT:
        if [probe.options[n] for n in answers] == ["False"]:
            assert said[probe.anchor, twin] != stated_object(probe, lexicon)
        return
    wrong = {uid for n, uid in enumerate(probe.option_uids) if n not in answers}
    here = {probe.anchor}
    for step in probe.path[:-1]:
        here = _after(step, here, said)
    assert not wrong & _after(f"~{twin}" if backward else twin, here, said)


def _after(step: str, here: set[str], said: dict[tuple[str, str], str]) -> set[str]:
    if step.startswith("~"):
        return {s for (s, r), o in said.items() if r == step[1:] and o in here}
    return {o for (s, r), o in said.items() if r == step and s in here}
