"""Whether a derived wording says "the" or "one" follows from the facts of the import, whatever way they are told."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from tests.graph_schema.importing.records import entity, fact, place, relation, settle

from knowledgesmith.graph_schema.importing.reading.records import Record, TemplateRecord
from knowledgesmith.graph_schema.types.facts import Direction, Form, Origin, Split, Template


def settled(facts: Iterable[str], *others: Record) -> dict[str, tuple[Template, ...]]:
    records: list[Record] = [*others]
    records += [fact(key, number, create_missing=True) for number, key in enumerate(facts, start=1)]
    random.Random(3).shuffle(records)  # noqa: S311
    return {name: found.templates for name, found in settle(records).relations.items()}


def statement(templates: Iterable[Template], direction: Direction = Direction.FORWARD) -> str:
    """The trained statement, or backwards the trained cloze: what the other texts are like."""
    form = Form.STATEMENT if direction is Direction.FORWARD else Form.CLOZE
    return next(t.text for t in templates if (t.direction, t.split, t.form) == (direction, Split.TRAIN, form))


THE, ONE = "The stage of {s} is {o}.", "One stage of {s} is {o}."


@pytest.mark.parametrize(
    ("facts", "relations", "wanted"),
    [
        (["a hasStage x", "b hasStage x"], [], THE),
        (["a hasStage x", "a hasStage y"], [], ONE),
        (["a hasStage x", "a hasStage x"], [], THE),
        (["a hasStage x", "b other y", "a other x"], [], THE),
        # what the graph promises, against which facts are rejected
        (["a hasStage x", "a hasStage y"], [relation("hasStage", functional=True)], THE),
        # told the other way round, or both ways
        (["x stageOf a", "y stageOf a"], [relation("hasStage", inverse_of="stageOf"), relation("stageOf", 2)], ONE),
        (["a hasStage x", "y stageOf a"], [relation("hasStage", inverse_of="stageOf"), relation("stageOf", 2)], ONE),
        (["a hasStage x", "x stageOf a"], [relation("hasStage", inverse_of="stageOf"), relation("stageOf", 2)], THE),
        (["a hasStage b", "c hasStage a"], [relation("hasStage", symmetric=True)], ONE),
        (["a hasStage b", "c hasStage d"], [relation("hasStage", symmetric=True)], THE),
        # by the relations below it
        (["a hasStage x", "a last y"], [relation("hasStage"), relation("last", 2, sub_of=("hasStage",))], ONE),
        (["a hasStage x", "a last x"], [relation("hasStage"), relation("last", 2, sub_of=("hasStage",))], THE),
        (["a hasStage b", "b hasStage c"], [relation("hasStage", transitive=True)], ONE),
    ],
)
def test_the_noun_of_a_relation_is_single_only_where_no_subject_has_two(
    facts: list[str], relations: list[Record], wanted: str
) -> None:
    assert statement(settled(facts, *relations)["hasStage"]) == wanted


def test_of_what_is_inherited_nothing_is_promised() -> None:
    """That a kind has a stage, and its subkinds by it, does not say that it has one alone."""
    up = relation("up", 8, hierarchical=True, transitive=True)
    kinds = relation("hasStage", 9, composed_of=("up", "hasStage"), compositions=(("hasStage", "up"),))
    assert statement(settled(["a hasStage x", "b up a"], up, kinds)["hasStage"]) == ONE
    one = relation("hasStage", 9, composed_of=("up", "hasStage"), functional=True)
    assert statement(settled(["a hasStage x", "b up a"], up, one)["hasStage"]) == THE


def test_of_a_composition_that_is_no_inheritance_nothing_is_promised() -> None:
    rule = (relation("p", 2), relation("q", 3), relation("hasStage", composed_of=("p", "q")))
    assert statement(settled(["a hasStage x"], *rule)["hasStage"]) == ONE


@pytest.mark.parametrize(
    ("facts", "forward", "backward"),
    [
        (["a author_of x", "b author_of y"], "{s} is the author of {o}.", "the author of {o} is"),
        (["a author_of x", "a author_of y"], "{s} is the author of {o}.", "the author of {o} is"),
        (["a author_of x", "b author_of x"], "{s} is an author of {o}.", "one author of {o} is"),
    ],
)
def test_a_role_is_single_only_where_no_object_has_two_holders(facts: list[str], forward: str, backward: str) -> None:
    found = settled(facts)["author_of"]
    assert (statement(found), statement(found, Direction.REVERSE)) == (forward, backward)


def test_every_use_of_a_noun_is_put_so() -> None:
    found = settled(["a hasStage x", "a hasStage y"])["hasStage"]
    assert [t.text for t in found if "the stage" in t.text.lower()] == []
    assert {t.origin for t in found} == {Origin.DERIVED}
    assert "one stage of {s}" in {t.text for t in found}, "what a chain goes on from is not called the only one"


def test_a_given_text_is_never_changed() -> None:
    mine = Template(direction=Direction.FORWARD, split=Split.TRAIN, form=Form.STATEMENT, text=THE)
    given = TemplateRecord(place=place(1, "t"), relation="hasStage", template=mine)
    assert mine in settled(["a hasStage x", "a hasStage y"], given)["hasStage"]


def test_a_label_that_claims_no_grammar_is_counted_as_well() -> None:
    one, two = settled(["a head_of_state x", "b head_of_state x"]), settled(["a head_of_state x", "a head_of_state y"])
    assert statement(one["head_of_state"]) == "The value of “head of state” for {s} is {o}."
    assert statement(two["head_of_state"]) == "One value of “head of state” for {s} is {o}."


@pytest.mark.parametrize(("values", "wanted"), [("true false", True), ("true true", True), ("true 3", False)])
def test_what_is_only_true_or_false_of_a_subject_is_no_noun_of_it(values: str, wanted: bool) -> None:
    """ "The maturity date of X is true" says what nobody meant."""
    one, other = values.split()
    facts = [f"a has_maturity_date {one}", f"b has_maturity_date {other}"]
    names = [entity(name, 50 + number) for number, name in enumerate("ab")]
    templates = settled(facts, *names)["has_maturity_date"]
    assert {t.origin for t in templates} == {Origin.FRAME if wanted else Origin.DERIVED}
    if wanted:
        assert statement(templates) == "The value of “has maturity date” for {s} is {o}."
        assert {t.direction for t in templates} == {Direction.FORWARD}, "of what it is true, has many answers"


def test_a_relation_without_facts_keeps_its_noun() -> None:
    found = settled(["a is_open true"], relation("has_stage"))
    assert statement(found["has_stage"]) == THE
    assert statement(found["is_open"]) == "The value of “is open” for {s} is {o}."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hasType", "{s} has {o} as a type."),  # "one type of X" would be a kind of it
        ("hasEquipment", "The equipment of {s} is {o}."),  # what is not counted is not one
        ("hasInstitution", "One institution of {s} is {o}."),
    ],
)
def test_some_nouns_cannot_be_counted_by_of(name: str, text: str) -> None:
    assert statement(settled([f"a {name} x", f"a {name} y"])[name]) == text


def test_what_is_in_the_plural_is_not_counted_twice() -> None:
    phrases = [t.text for t in settled(["a hasTerms x", "a hasTerms y"])["hasTerms"] if t.form is Form.PHRASE]
    assert phrases
    assert not [text for text in phrases if "one one" in text]
