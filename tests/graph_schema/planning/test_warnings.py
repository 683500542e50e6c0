"""Warnings of plans: hard options and objects of another type, each named with the way out."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.planning.warnings import option_warnings, sorts_of, type_warnings, unasked_warnings
from knowledgesmith.graph_schema.types.facts import Direction, Entity, Form, Relation, Split, Template, fact_id
from knowledgesmith.graph_schema.types.interventions import Change
from knowledgesmith.graph_schema.types.plans import PlanWarning, WarningKind
from knowledgesmith.graph_schema.types.probes import PlannedProbe, Polarity, Probe, ProbeKind, Role

LONG = "the first regiment of the royal northern guard stationed at the old harbour"


def entity(uid: str, kind: str) -> Entity:
    return Entity(uid=uid, name=uid.replace("_", " ").title(), type=kind, domain="d", aliases=())


LEXICON = Lexicon.build(
    graph_id="g",
    entities=[
        entity("france", "Country"),
        entity("paris", "City"),
        entity("lyon", "City"),
        entity("copper", "Element"),
        entity("yen", "Currency"),
        entity("thing", ""),
    ],
    relations=[
        Relation(name="has_capital", rel_type="HAS_CAPITAL", domain_type="Country", range_type="City"),
        Relation(name="likes", rel_type="LIKES"),
    ],
)


def change(subject: str, relation: str, new: str, old: str = "paris") -> Change:
    return Change(subject=subject, relation=relation, old_object=old, new_object=new)


@pytest.mark.parametrize(
    ("asked", "types"),
    [
        (change("france", "has_capital", "copper"), ("Element", "City")),
        (change("france", "has_capital", "yen", old=""), ("Currency", "City")),
        (change("copper", "has_capital", "lyon"), ("Element", "Country")),
        (change("france", "likes", "copper"), ("Element", "City")),
    ],
)
def test_another_type_is_named_with_the_fact_and_the_way_out(asked: Change, types: tuple[str, str]) -> None:
    (found,) = type_warnings(LEXICON, [asked])
    assert found.kind is WarningKind.TYPE
    assert found.fact_id == fact_id("g", asked.subject, asked.relation, asked.new_object)
    assert all(f"“{name}”" in found.message for name in types)
    assert asked.relation in found.message
    assert found.hint


@pytest.mark.parametrize(
    "asked",
    [
        change("france", "has_capital", "lyon"),
        change("france", "has_capital", "thing"),
        change("thing", "has_capital", "lyon"),
        change("france", "likes", "copper", old=""),
        change("france", "has_capital", "", old="paris"),
    ],
)
def test_what_fits_or_has_no_type_is_not_warned_of(asked: Change) -> None:
    assert list(type_warnings(LEXICON, [asked])) == []


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ({"Element": 195, "Currency": 5}, ""),
        ({"City": 195, "Currency": 5}, "City"),
        ({"City": 195, "": 900}, "City"),
        ({"City": 100, "Element": 20}, ""),
        ({"Currency": 100, "Country": 20}, "City"),
        ({"City": 4}, "City"),
        ({"Currency": 40}, "Currency"),
    ],
)
def test_where_the_catalogue_is_silent_the_present_objects_tell_the_type(
    observed: dict[str, int], expected: str
) -> None:
    """France likes copper instead of Paris: nearly all objects, else the old object, unless the type is usual."""
    asked = change("france", "likes", "copper")
    found = list(type_warnings(LEXICON, [asked], types_at=lambda _, back: {} if back else observed))
    assert [f"of type “{expected}”" in one.message and "“Element”" in one.message for one in found] == [
        True for _ in [expected] if expected
    ]


def test_subjects_of_another_type_are_named_too() -> None:
    asked = change("copper", "likes", "lyon", old="")
    types = {True: {"Country": 30}, False: {"City": 30}}
    (found,) = type_warnings(LEXICON, [asked], types_at=lambda _, back: types[back])
    assert "subjects of likes are of type “Country” in 30 of 30 facts" in found.message


@pytest.mark.parametrize(
    ("short", "long", "kind"),
    [
        ("New York", "New York City", WarningKind.PREFIX),
        ("C", "C++", WarningKind.PREFIX),
        ("7", "7.5", WarningKind.PREFIX),
        ("東京", "東京都", WarningKind.PREFIX),
        ("Rome", "Saint Petersburg on the Neva", WarningKind.LENGTH),
        (LONG, LONG.replace("royal", "imperial"), WarningKind.SHARED_WORDS),
    ],
)
def test_hard_options_are_of_a_sort(short: str, long: str, kind: WarningKind) -> None:
    assert sorts_of(short, long) == [kind]


@pytest.mark.parametrize(("short", "long"), [("Rome", "Paris"), ("Oslo", "Canberra"), ("the old town", "the old mill")])
def test_plain_options_are_not(short: str, long: str) -> None:
    assert sorts_of(short, long) == []


def planned(options: tuple[str, ...], *, role: Role = Role.TARGET, kind: ProbeKind = ProbeKind.DIRECT) -> PlannedProbe:
    probe = Probe(
        id="p",
        kind=kind,
        anchor="france",
        path=("has_capital",),
        chain_length=1,
        stem="s",
        options=options,
        option_uids=options,
        answers=(0,),
        template="t",
        fact_ids=(),
    )
    return PlannedProbe(
        probe=probe,
        before=(0,),
        after=(1,),
        polarity=Polarity.CHANGE,
        role=role,
        hops=0,
        nearest_target="france",
        asked_fact_id="f",
        relation="has_capital",
        row_seq=1,
    )


def test_options_are_counted_by_fact_and_sort_in_any_order() -> None:
    for options in permutations(("New York", "New York City", "Rome", "Oslo")):
        probe = planned(("New York", *[o for o in options if o != "New York"]))
        (found,) = option_warnings(LEXICON, [probe, probe])
        assert (found.kind, found.fact_id, found.probes) == (WarningKind.PREFIX, "f", 2)
        assert "France has_capital" in found.message
        assert "“New York” is the beginning of the option “New York City”" in found.message
        assert "scorer" in found.hint


def test_only_answers_of_targets_are_looked_at() -> None:
    hard = ("Paris", "Lyon", "New York", "New York City")
    assert list(option_warnings(LEXICON, [planned(hard)])) == [], "two distractors that are alike do no harm"
    alike = ("New York", "New York City")
    assert list(option_warnings(LEXICON, [planned(alike, role=Role.STAYS)])) == []
    assert list(option_warnings(LEXICON, [planned(alike, kind=ProbeKind.CONFLICT)])) == []


CLOZE = Template(direction=Direction.FORWARD, split=Split.EVAL, form=Form.CLOZE, text="The capital of {s} is")


def _unasked(
    entities: list[Entity], *templates: Template, new: str = "lyon", asked: str = "", role: Role = Role.TARGET
) -> list[PlanWarning]:
    relation = Relation(name="r", rel_type="R", templates=templates)
    lexicon = Lexicon.build(graph_id="g", entities=entities, relations=[relation])
    probe = replace(
        planned(("x", "y"), role=role), asked_fact_id=fact_id("g", "france", "r", asked) if asked else "other"
    )
    return list(unasked_warnings(lexicon, [change("france", "r", new)], [probe]))


PLACES = [entity("france", "Country"), entity("paris", "City"), entity("lyon", "City"), entity("nice", "City")]


@pytest.mark.parametrize(
    ("entities", "templates", "new", "reason"),
    [
        ([*PLACES, Entity(uid="ship", name="FRANCE")], [CLOZE], "lyon", "“France” reads as another entity's name too"),
        ([*PLACES, Entity(uid="ship", name="France.")], [CLOZE], "lyon", "“France” reads as another entity's name too"),
        (PLACES, [], "lyon", "r has no phrasing for evaluation"),
        ([*PLACES, Entity(uid="fr", name="France City", aliases=("France",))], [CLOZE], "fr", "reads as another"),
        (PLACES[:2], [CLOZE], "", "the graph has no other entity of the answer's type"),
        (PLACES, [CLOZE], "lyon", ""),
    ],
)
def test_a_target_that_no_question_asks_is_named_with_the_reason(
    entities: list[Entity], templates: list[Template], new: str, reason: str
) -> None:
    (found,) = _unasked(entities, *templates, new=new)
    assert found.kind is WarningKind.UNASKED
    assert found.fact_id == fact_id("g", "france", "r", new or "paris")
    assert "no question asks this fact" in found.message
    assert (reason in found.message) if reason else found.message.endswith("no question asks this fact.")
    assert found.hint


@pytest.mark.parametrize("asked", ["paris", "lyon"])
def test_a_target_whose_old_or_new_fact_is_asked_is_not_warned_of(asked: str) -> None:
    assert _unasked(PLACES, CLOZE, asked=asked) == []
    assert len(_unasked(PLACES, CLOZE, asked=asked, role=Role.FOLLOWS)) == 1, "a reverse question is no verdict of it"


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ((ProbeKind.CONFLICT,), "statements"),
        ((ProbeKind.COMPARISON,), "comparisons"),
        ((ProbeKind.CONFLICT, ProbeKind.COMPARISON), "comparisons and statements"),
        ((ProbeKind.CONFLICT, ProbeKind.DIRECT), ""),
        ((ProbeKind.COMPARISON, ProbeKind.CONFLICT, ProbeKind.DIRECT), ""),
    ],
)
def test_a_target_without_a_direct_question_is_named_with_what_asks_it(kinds: tuple[ProbeKind, ...], said: str) -> None:
    lexicon = Lexicon.build(
        graph_id="g", entities=PLACES, relations=[Relation(name="r", rel_type="R", templates=(CLOZE,))]
    )
    objects = ("paris", "lyon", "paris")
    probes = [
        replace(planned(("x", "y"), kind=kind), asked_fact_id=fact_id("g", "france", "r", uid))
        for kind, uid in zip(kinds, objects, strict=False)
    ]
    found = list(unasked_warnings(lexicon, [change("france", "r", "lyon")], probes))
    assert [one.kind for one in found] == [WarningKind.UNASKED for _ in [said] if said]
    for one in found:
        assert f"no direct question asks this fact, only {said}" in one.message
        assert "no belief" not in one.hint, "these have beliefs"
