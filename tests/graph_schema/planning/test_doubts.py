"""The doubt closure: what names let suspect, and what is reached by it, against brute force on random graphs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph_schema.oracle.doubting import closed, doubtful_facts
from tests.graph_schema.oracle.strategies import TELLING, trait_sets

from knowledgesmith.graph_schema.catalogue.relations import build_catalogue
from knowledgesmith.graph_schema.doubts.closure import Doubts
from knowledgesmith.graph_schema.doubts.names import suspicions
from knowledgesmith.graph_schema.doubts.walks import DoubtWalks
from knowledgesmith.graph_schema.errors import InvalidCatalogue
from knowledgesmith.graph_schema.graphs.lexicon import load_lexicon
from knowledgesmith.graph_schema.planning.planner import PlanRequest, make_plan
from knowledgesmith.graph_schema.probes.asking.questions import Question
from knowledgesmith.graph_schema.probes.drawing import doubted as doubting
from knowledgesmith.graph_schema.probes.drawing.doubted import MOST, doubted
from knowledgesmith.graph_schema.probes.generation.generate import generate_in_memory
from knowledgesmith.graph_schema.probes.generation.request import BulkRequest
from knowledgesmith.graph_schema.probes.verification.verify import claim, judge
from knowledgesmith.graph_schema.probes.wording.stated import stated_object
from knowledgesmith.graph_schema.reasoning.closure import BEFORE, close, rules_of
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Entity, Relation, Traits
from knowledgesmith.graph_schema.types.interventions import Change, Goal
from knowledgesmith.graph_schema.types.plans import WarningKind
from knowledgesmith.graph_schema.types.probes import Polarity, Probe, ProbeKind, Role

TURNED = [
    ("part_of", "has_part"),
    ("partOf", "hasPart"),
    ("is part of", "has parts"),
    ("precedes", "follows"),
    ("precedes", "preceded_by"),
    ("followed_by", "follows"),
    ("before", "after"),
    ("parent_of", "child_of"),
    ("has_child", "child of"),
    ("parent", "child"),
    ("contains", "located_in"),
    ("contains", "contained in"),
    ("causes", "caused_by"),
    ("cause of", "caused by"),
    ("broader", "narrower"),
    ("skos:broader", "skos:narrower"),
    ("has broader term", "has narrower term"),
    ("hypernym", "hyponym"),
    ("subclass_of", "superclass of"),
    ("ancestor_of", "descendant_of"),
    ("regulates", "regulated_by"),
    ("owns", "is owned by"),
    ("controlling", "controlled_by"),
    ("written by", "wrote"),
    ("builds", "built by"),
    ("capital_of", "has_capital"),
    ("capital of", "capital"),
    ("is the mayor of", "has a mayor"),
    ("member_of", "members"),
    ("develops_from", "develops into"),
    ("producer of", "produced by"),
    ("employer", "employs"),
    ("teaches", "taught_by"),
    ("older than", "younger than"),
    ("north_of", "south_of"),
    ("husband of", "wife of"),
    ("glorps", "inverse_of_glorps"),
    ("glorps", "glorps^-1"),
    ("glorps", "glorps (inverse)"),
    ("glorps", "glorped by"),
    ("zapfen von", "inverse_zapfen_von"),
    ("teil von", "hat teil"),
    ("位于", "包含"),
]
SAME = [
    ("part_of", "is part of"),
    ("part_of", "is_a_part_of"),
    ("has_part", "parts"),
    ("located_in", "part of"),
    ("capital", "has_capital"),
    ("likes", "Likes"),
    ("succeeded by", "followed by"),
    ("directed by", "director"),
    ("child of", "has parent"),
]
NARROWER = [
    ("father_of", "parent_of"),
    ("positively_regulates", "regulates"),
    ("birth_place", "place"),
    ("proper_part_of", "part_of"),
    ("member_of_sports_team", "member_of"),
    ("located_in_city", "located in"),
    ("parent_of", "ancestor_of"),
]
APART = [
    ("capital_of", "mayor_of"),
    ("part", "party"),
    ("r0", "r1"),
    ("father_of", "mother_of"),
    ("born_in", "died_in"),
    ("cause", "course"),
    ("north_of", "east_of"),
    ("is a", "has a"),
]


@pytest.mark.parametrize(("one", "other"), TURNED)
def test_what_may_be_the_other_way_round_is_suspected(one: str, other: str) -> None:
    found = _doubts(one, other).saying
    assert (other, True) in found[one]
    assert (one, True) in found[other]
    assert {(one, False)}.isdisjoint(found[other])


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_may_be_the_same_is_suspected(one: str, other: str) -> None:
    found = _doubts(one, other).saying
    assert (other, False) in found[one]
    assert (one, False) in found[other]


@pytest.mark.parametrize(("narrow", "wide"), NARROWER)
def test_a_narrower_relation_is_suspected_to_say_the_wider_one(narrow: str, wide: str) -> None:
    found = _doubts(narrow, wide).saying
    assert (narrow, False) in found[wide]
    assert (wide, False) not in found[narrow]


@pytest.mark.parametrize(("one", "other"), APART)
def test_relations_that_share_letters_alone_are_apart(one: str, other: str) -> None:
    found = _doubts(one, other).saying
    assert not found[one] & {(other, False), (other, True)}
    assert not found[other] & {(one, False), (one, True)}


def test_a_father_is_no_mother_though_both_are_parents() -> None:
    found = _doubts("father_of", "mother_of", "child_of", "son_of").saying
    assert found["mother_of"] == {("child_of", True), ("son_of", True)}
    assert found["son_of"] == {("father_of", True), ("mother_of", True)}


@pytest.mark.parametrize(
    "name", ["part_of", "locatedIn", "is inside", "before", "older than", "depends_on", "liegt in"]
)
def test_what_may_go_on_goes_on(name: str) -> None:
    assert name in suspicions([name]).goes_on


@pytest.mark.parametrize("name", ["similar_to", "interactsWith", "is friend of", "related", "grenzt an", "trades with"])
def test_what_may_hold_both_ways_is_suspected_to(name: str) -> None:
    assert (name, True) in suspicions([name]).says[name]


@pytest.mark.parametrize("name", ["capital_of", "likes", "r0", "birthday", "employs", "date of birth"])
def test_a_plain_name_says_nothing(name: str) -> None:
    assert not _doubts(name).doubtful


def test_what_may_hold_either_way_is_never_false_turned_round(store: GraphStore, graph_id: str, writer: Any) -> None:
    relations = build_catalogue(
        [Relation(name=name, rel_type="", traits=Traits(either_way=name == "cites")) for name in ("cites", "praises")]
    )
    entities = [Entity(uid=uid, name=uid) for uid in "abc"]
    facts = [("a", "cites", "b"), ("b", "cites", "c"), ("a", "praises", "b")]
    writer(graph_id, entities, relations.values(), facts)
    lexicon = load_lexicon(store, graph_id=graph_id)
    assert lexicon.relations["cites"].traits.either_way
    assert not lexicon.relations["praises"].traits.either_way
    assert lexicon.doubts.doubtful == {"cites"}
    walks = DoubtWalks.of(lexicon.doubts, facts)
    assert _ends(walks, "cites", "b", turned=False) == {"a", "c"}
    with store.what_if() as tx:
        assert not close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)


@pytest.mark.parametrize(
    ("relation", "facts", "start", "wanted", "never"),
    [
        ("part_of", "x has_part y; x part_of z; z is_a k", "y", "x z", "k0"),
        ("part_of", "x has_part y; v is_a y", "v", "x", ""),
        ("~part_of", "x has_part y", "x", "y", ""),
        ("born_in", "p born_in c; c located_in d; e contains d", "p", "d e", "p"),
        ("born_in", "p born_in c; v located_in p", "v", "", "c"),
        ("has_colour", "a is_a b; b has_colour red; red is_a colour", "a", "red colour", ""),
        ("has_colour", "a instance_of b; b is_a c; c has_colour red", "a", "red", ""),
        ("~has_colour", "a is_a b; b has_colour red", "red", "a b", ""),
        ("precedes", "b follows a; b precedes c", "a", "b c", ""),
    ],
)
def test_what_is_reached(relation: str, facts: str, start: str, wanted: str, never: str) -> None:
    triples = [(s, r, o) for s, r, o in (fact.split() for fact in facts.split(";"))]
    names = {r for _, r, _ in triples} | {relation.removeprefix("~")}
    walks = DoubtWalks.of(_doubts(*sorted(names)), triples)
    found = _ends(walks, relation.removeprefix("~"), start, turned=relation.startswith("~"))
    assert set(wanted.split()) <= found
    assert not set(never.split()) & found


def test_not_everything_is_part_of_everything() -> None:
    """What kinds have as parts would spread over the whole hierarchy, were both ways of saying it built upon."""
    facts = [(f"{side}{n}", "is_a", f"{side}{n // 2}") for side in "ab" for n in range(1, 64)]
    facts += [("a5", "has_part", "b5"), ("a9", "has_part", "b40"), ("b33", "part_of", "a20")]
    traits = [Traits(transitive=True, compositions=(("is_a", n), (n, "is_a"))) for n in ("part_of", "has_part")]
    relations = [Relation(name="is_a", rel_type="", traits=Traits(transitive=True))]
    relations += [Relation(name=n, rel_type="", traits=t) for n, t in zip(("part_of", "has_part"), traits, strict=True)]
    walks = DoubtWalks.of(Doubts(relations=build_catalogue(relations)), facts)
    assert _ends(walks, "part_of", "b63", turned=False) == set()
    assert _ends(walks, "part_of", "b10", turned=False) >= {"a5", "a2", "a1", "a0", "a9", "a36"}
    assert "a3" not in _ends(walks, "part_of", "b10", turned=False)


def test_where_very_much_may_be_true_the_question_is_left_out() -> None:
    facts = [(f"n{n}", "linked_to", "hub") for n in range(MOST + 1)] + [("n0", "linked_to", "n1")]
    walks = DoubtWalks.of(_doubts("linked_to"), facts)
    hub = Question(kind=ProbeKind.DIRECT, anchor="hub", path=("linked_to",), before=("x",), after=("x",))
    node = replace(hub, anchor="n1", before=("hub",), after=("hub",))
    assert doubted(walks, [hub, node]) == [replace(node, doubtful=("n0",))]
    known = tuple(f"n{n}" for n in range(100))
    assert doubted(walks, [replace(hub, before=known, after=known)])[0].doubtful
    chain = replace(hub, anchor="n0", path=("linked_to", "linked_to"), nodes_before=("n1", "hub"))
    assert doubted(walks, [chain]) == []
    changed = replace(hub, after=("y",))
    assert doubted(walks, [changed]) == [changed], "what a change makes of its own question is the user's word"
    assert doubted(walks, [replace(chain, after=("y",))]) == [], "a chain through the hub asks about anything"


@pytest.mark.parametrize("length", [40, 8], ids=["more than can be told", "everything there is"])
@pytest.mark.parametrize(
    ("goal", "old", "new"), [(Goal.EDIT, "t01", "t05"), (Goal.EDIT, "", "t05"), (Goal.UNLEARN, "t01", "")]
)
def test_a_change_is_asked_where_too_much_may_be_true_to_tell_and_else_it_is_said_that_it_is_not(
    store: GraphStore,
    graph_id: str,
    writer: Any,
    monkeypatch: pytest.MonkeyPatch,
    length: int,
    goal: Goal,
    old: str,
    new: str,
) -> None:
    """Every thing on a chain may depend on all that come after it: of a short one nothing is left to offer as wrong."""
    monkeypatch.setattr(doubting, "MOST", 20)
    things = [f"t{n:02}" for n in range(length)]
    relations = build_catalogue([Relation(name="depends on", rel_type="")])
    facts = [(one, "depends on", other) for one, other in pairwise(things)]
    writer(graph_id, [Entity(uid=uid, name=f"Thing {uid}", type="Thing") for uid in things], relations.values(), facts)
    change = Change(subject="t00", relation="depends on", old_object=old, new_object=new)
    request = PlanRequest(graph_id=graph_id, branch_id="b", goal=goal, changes=(change,), max_probes=60)
    plan = make_plan(store, request)
    targets = [planned for planned in plan.probes if planned.role is Role.TARGET]
    warned = [one for one in plan.warnings if one.kind is WarningKind.UNASKED]
    assert bool(warned) is not any(planned.probe.kind is ProbeKind.DIRECT for planned in targets)
    if length < 20 and not (old and new):
        assert warned, "with one of both worlds' answers alone nothing is a wrong option"
        return
    for kind in (ProbeKind.DIRECT, ProbeKind.COMPARISON):
        asked = [planned for planned in targets if planned.probe.kind is kind]
        assert asked, kind
        for planned in asked:
            uids = planned.probe.option_uids
            assert {uid for uid in (old, new) if uid} <= set(uids)
            right = {uids[n] for n in (*planned.before, *planned.after)}
            assert right <= {"t01", "t05"}, "what is known to be true is no wrong option"
            assert len(set(uids)) > 1


@pytest.mark.parametrize("depth", [3_000])
def test_chains_of_any_length_are_gone_along(depth: int) -> None:
    facts = [(f"n{n}", "inside", f"n{n + 1}") for n in range(depth)]
    walks = DoubtWalks.of(_doubts("inside"), facts)
    assert len(_ends(walks, "inside", "n0", turned=False)) == depth
    assert len(_ends(walks, "inside", f"n{depth}", turned=True)) == depth


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, Relation]:
    """Two to five relations whose names say something, with traits that a catalogue may have together."""
    names = draw(st.lists(st.sampled_from(TELLING), min_size=2, max_size=5, unique=True))
    chosen: list[Relation] = []
    for name in names:
        new = Relation(name=name, rel_type="", traits=draw(trait_sets(name, [one.name for one in chosen])))
        try:
            build_catalogue([*chosen, new])
        except InvalidCatalogue:
            new = Relation(name=name, rel_type="")
        chosen.append(new)
    return build_catalogue(chosen)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(catalogue=catalogues(), data=st.data())
def test_walks_reach_what_brute_force_finds(catalogue: dict[str, Relation], data: st.DataObject) -> None:
    uids = [f"e{n}" for n in range(7)]
    triples = st.tuples(st.sampled_from(uids), st.sampled_from(sorted(catalogue)), st.sampled_from(uids))
    facts = data.draw(st.lists(triples, min_size=3, max_size=12, unique=True))
    doubts = Doubts(relations=catalogue)
    parted = data.draw(st.integers(0, len(facts)))
    walks = DoubtWalks.of(doubts, facts[:parted]).with_facts(facts[parted:])
    expected = doubtful_facts(doubts, facts)
    for name in catalogue:
        for turned in (False, True):
            for uid in uids:
                wanted = {s if turned else o for s, r, o in expected if r == name and (o if turned else s) == uid}
                assert wanted - {uid} == _ends(walks, name, uid, turned=turned), (name, turned, uid)
        if name not in doubts.doubtful:
            sure = closed({fact for fact in facts if fact[0] != fact[2]}, catalogue)
            assert {fact for fact in expected if fact[1] == name} == {fact for fact in sure if fact[1] == name}


def _doubts(*names: str) -> Doubts:
    return Doubts(relations=build_catalogue([Relation(name=name, rel_type="") for name in names]))


def _ends(walks: DoubtWalks, relation: str, start: str, *, turned: bool) -> set[str]:
    number = walks.number.get(start)
    found = {} if number is None else walks.ends(relation, [number], turned=turned)
    reached: set[int] = {n for ends in found.values() if ends is not None for n in ends.tolist()}
    return {walks.uids[n] for n in reached}


@pytest.mark.parametrize(
    ("one", "other"), [("part_of", "has_part"), ("precedes", "preceded by"), ("glorps", "glorped_by")]
)
def test_no_wrong_option_may_be_true(store: GraphStore, graph_id: str, writer: Any, one: str, other: str) -> None:
    things = [f"t{n:02}" for n in range(24)]
    names = (one, other, "likes")
    relations = build_catalogue([Relation(name=name, rel_type="") for name in names])
    entities = [Entity(uid=uid, name=f"Thing {uid}", type="Thing") for uid in things]
    facts = [(uid, one, things[(n + 1) % 24]) for n, uid in enumerate(things)]
    facts += [(things[(n + 5) % 24], other, uid) for n, uid in enumerate(things) if n % 2]
    facts += [(uid, "likes", things[n - 3]) for n, uid in enumerate(things)]
    facts = facts[:12] + facts[24:]  # what may go on ends somewhere
    writer(graph_id, entities, relations.values(), facts)
    lexicon = load_lexicon(store, graph_id=graph_id)
    possible = doubtful_facts(lexicon.doubts, facts)

    def right(probe: Probe) -> set[str]:
        name = probe.path[-1].removeprefix("~")
        turned = probe.path[-1].startswith("~")
        return {s if turned else o for s, r, o in possible if r == name and probe.anchor == (o if turned else s)}

    data = generate_in_memory(store, BulkRequest(graph_id=graph_id))
    change = Change(subject="t00", relation=one, old_object="t01", new_object="t20")
    request = PlanRequest(graph_id=graph_id, branch_id="b", goal=Goal.EDIT, changes=(change,), max_probes=400)
    plan = make_plan(store, request)
    assert any(planned.polarity is Polarity.CHANGE for planned in plan.probes)
    asked = [(probe, set(probe.answers)) for probe in data.probes]
    asked += [(planned.probe, {*planned.before, *planned.after}) for planned in plan.probes]
    seen = 0
    for probe, answers in asked:
        last, *others = reversed(probe.path)
        if others or last.removeprefix("~") == "likes":
            continue
        if probe.kind is ProbeKind.CONFLICT:
            if [probe.options[n] for n in answers] == ["False"]:
                assert stated_object(probe, lexicon) not in right(probe)
        else:
            assert not {uid for n, uid in enumerate(probe.option_uids) if n not in answers} & right(probe)
            seen += 1
    assert seen > 20
    with store.what_if() as tx:
        close(tx, graph_id=graph_id, rules=rules_of(lexicon.relations.values()), world=BEFORE)
        for path, anchor, answer, wrong in ((one, "t01", "t02", "t06"), (f"~{one}", "t06", "t05", "t01")):
            question = Question(kind=ProbeKind.DIRECT, anchor=anchor, path=(path,), before=(), after=())
            for uid, reason in ((wrong, {"it": "true_distractor"}), ("t20", {})):
                name, row = claim("it", question, right=[answer], wrong=[uid], lexicon=lexicon)
                assert judge(tx, name, [row], lexicon=lexicon) == reason
