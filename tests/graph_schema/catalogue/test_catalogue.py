"""The relation catalogue: types, traits, templates."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.graph_schema.catalogue.derived_wordings import derive_templates
from knowledgesmith.graph_schema.catalogue.relation_wordings import WORDINGS
from knowledgesmith.graph_schema.catalogue.relations import (
    REL_TYPE,
    RESERVED,
    build_catalogue,
    derive_rel_types,
    from_properties,
    to_properties,
)
from knowledgesmith.graph_schema.catalogue.templates import problem_with_template, shared_text
from knowledgesmith.graph_schema.errors import InvalidCatalogue
from knowledgesmith.graph_schema.language.filling import fill
from knowledgesmith.graph_schema.types.facts import Direction, Form, Relation, Split, Template, Traits


def _relation(name: str, *, rel_type: str = "", templates: tuple[Template, ...] = (), **traits: object) -> Relation:
    return Relation(name=name, rel_type=rel_type, traits=Traits(**traits), templates=templates)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _template(
    text: str, *, direction: Direction = Direction.FORWARD, split: Split = Split.TRAIN, form: Form = Form.CLOZE
) -> Template:
    return Template(direction=direction, split=split, form=form, text=text)


def test_a_missing_type_is_derived_from_the_name() -> None:
    catalogue = build_catalogue([_relation("capital of"), _relation("birthPlace"), _relation("2nd author")])
    assert {name: r.rel_type for name, r in catalogue.items()} == {
        "capital of": "CAPITAL_OF",
        "birthPlace": "BIRTH_PLACE",
        "2nd author": "R_2ND_AUTHOR",
    }


def test_names_that_would_share_a_type_get_different_ones_in_every_order() -> None:
    names = ["capital_of", "capital of", "Capital-Of", "parent", "首都", "省"]
    types = derive_rel_types(names)
    assert types["capital_of"] == "CAPITAL_OF"
    assert len(set(types.values())) == len(names)
    assert not set(types.values()) & RESERVED
    for order in itertools.islice(itertools.permutations(names), 0, 720, 97):
        assert derive_rel_types(order) == types


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=12))
def test_derived_types_are_injective_and_well_formed(names: list[str]) -> None:
    types = derive_rel_types(names, taken={"TAKEN"})
    assert len(set(types.values())) == len(names)
    assert all(REL_TYPE.fullmatch(t) and t not in RESERVED and t != "TAKEN" for t in types.values())


@pytest.mark.parametrize("rel_type", ["lower", "9X", "A-B", "A`]->() DETACH DELETE n//", "X" * 64, "Ä", "A\n"])
def test_a_malformed_type_is_refused(rel_type: str) -> None:
    with pytest.raises(InvalidCatalogue, match="relationship type") as caught:
        build_catalogue([_relation("capital", rel_type=rel_type)])
    assert caught.value.metadata["relation"] == "capital"
    assert caught.value.hint


@pytest.mark.parametrize("rel_type", sorted(RESERVED))
def test_the_types_of_the_service_are_reserved(rel_type: str) -> None:
    with pytest.raises(InvalidCatalogue, match="reserved"):
        build_catalogue([_relation("mine", rel_type=rel_type)])


def test_two_relations_cannot_share_a_declared_type() -> None:
    with pytest.raises(InvalidCatalogue, match="relationship type SAME of 'a'"):
        build_catalogue([_relation("a", rel_type="SAME"), _relation("b", rel_type="SAME")])


def test_a_declared_type_pushes_a_derived_one_aside() -> None:
    catalogue = build_catalogue([_relation("capital"), _relation("seat", rel_type="CAPITAL")])
    assert catalogue["seat"].rel_type == "CAPITAL"
    assert catalogue["capital"].rel_type.startswith("CAPITAL_")


@pytest.mark.parametrize(
    ("relations", "words"),
    [
        ([_relation("a", inverse_of="b")], "unknown inverse 'b'"),
        ([_relation("a", inverse_of="a")], "its own inverse"),
        ([_relation("a", inverse_of="b"), _relation("b", inverse_of="c"), _relation("c")], "whose inverse is 'c'"),
        ([_relation("a", inverse_of="c"), _relation("b", inverse_of="c"), _relation("c")], "both claim the inverse"),
        ([_relation("a", composed_of=("b", "c")), _relation("b")], "unknown relation 'c'"),
        ([_relation("a", composed_of=("b",)), _relation("b")], "composed of 1 relations"),
        ([_relation("a", composed_of=("a", "a"))], "composed of itself"),
        ([_relation("a", symmetric=True, hierarchical=True)], "symmetric and hierarchical"),
        ([_relation("a", symmetric=True, inverse_of="b"), _relation("b")], "symmetric and has the inverse"),
        ([_relation("a", transitive=True, functional=True)], "transitive and functional"),
        (
            [_relation("a", hierarchical=True, inverse_of="b"), _relation("b", hierarchical=True)],
            "both hierarchical",
        ),
        ([_relation("a"), _relation("a")], "declared twice"),
        ([_relation("")], "is empty"),
        ([_relation("a\x00b")], "control character"),
        ([_relation("~a")], "chains"),
        ([_relation("a|b")], "chains"),
        ([_relation("x" * 201)], "201 characters"),
    ],
)
def test_contradictions_are_refused_with_relation_and_way_out(relations: list[Relation], words: str) -> None:
    with pytest.raises(InvalidCatalogue, match=words) as caught:
        build_catalogue(relations)
    assert caught.value.reason == "INVALID_CATALOGUE"
    assert "relation" in caught.value.metadata
    assert caught.value.hint


def test_the_silent_side_of_an_inverse_is_completed() -> None:
    catalogue = build_catalogue(
        [_relation("capital", functional=True, inverse_of="capital_of"), _relation("capital_of")]
    )
    back = catalogue["capital_of"].traits
    assert back.inverse_of == "capital"
    assert back.inverse_functional
    assert not back.functional


def test_a_symmetric_functional_relation_is_inverse_functional() -> None:
    assert build_catalogue([_relation("spouse", symmetric=True, functional=True)])["spouse"].traits.inverse_functional


def test_a_recursive_composition_is_allowed() -> None:
    relations = [_relation("continent", composed_of=("country", "continent")), _relation("country")]
    assert build_catalogue(relations)["continent"].traits.composed_of == ("country", "continent")


@pytest.mark.parametrize(
    "name",
    [
        "currency",
        "has_capital",
        "located_in",
        "capital_of",
        "is_a",
        "borders",
        "present_in_taxon",
        "首都",
        "_",
        *WORDINGS,
    ],
)
def test_derived_templates_are_valid_and_differ_between_the_splits(name: str) -> None:
    templates = derive_templates(name)
    assert not [problem for t in templates if (problem := problem_with_template(t))]
    assert not shared_text(templates)
    for split in Split:
        for form in (Form.CLOZE, Form.STATEMENT, Form.QUESTION):
            assert [t for t in templates if (t.split, t.form, t.direction) == (split, form, Direction.FORWARD)]


def test_derived_templates_read_like_sentences() -> None:
    wanted = {
        "currency": "The currency of {s} is {o}.",
        "has_capital": "The capital of {s} is {o}.",
        "located_in": "{s} is located in {o}.",
        "is_a": "{s} is a kind of {o}.",
        "borders": "{s} borders {o}.",
        "presentInTaxon": "{s} is present in the taxon {o}.",
        "treats_disease": "{s} treats the disease {o}.",
        "date_of_birth": "The date of birth of {s} is {o}.",
        "isUsedBy": "{s} is used by {o}.",
        "subClassOf": "{s} is a kind of {o}.",
        "broader": "{s} is a narrower topic than {o}.",
        "part_of": "{s} is part of {o}.",
        "is_active": "The value of “is active” for {s} is {o}.",
    }
    assert wanted == {name: next(t.text for t in derive_templates(name) if t.form is Form.STATEMENT) for name in wanted}


@pytest.mark.parametrize(
    ("name", "question", "phrase"),
    [
        ("present_in_taxon", "Which of these is a taxon that {s} is present in?", "a taxon that {s} is present in"),
        ("speaks_language", "Which of these is a language that {s} speaks?", "a language that {s} speaks"),
        ("is_a", "{s} is a kind of what?", "a class broader than {s}"),
    ],
)
def test_derived_questions_and_phrases_fit_into_other_sentences(name: str, question: str, phrase: str) -> None:
    texts = {t.text for t in derive_templates(name) if t.split is Split.EVAL and t.direction is Direction.FORWARD}
    assert {question, phrase} <= texts


def test_given_templates_are_kept_and_only_the_needed_ones_are_added() -> None:
    mine = _template("{s} pays with the")
    relation = build_catalogue([_relation("currency", templates=(mine,))])["currency"]
    assert relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.TRAIN) == (mine,)
    assert relation.pick(direction=Direction.FORWARD, form=Form.CLOZE, split=Split.EVAL)
    assert relation.pick(direction=Direction.FORWARD, form=Form.STATEMENT, split=Split.EVAL)
    assert not relation.pick(direction=Direction.REVERSE, form=Form.CLOZE, split=Split.EVAL)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (_template("no slot"), "names {s}"),
        (_template("{s} and {o}"), "names {s}"),
        (_template("{o} is", direction=Direction.FORWARD), "names {s}"),
        (_template("{s} is", direction=Direction.REVERSE), "names {o}"),
        (_template("{s} is.", form=Form.STATEMENT), "names {s} and {o}"),
        (_template("{s.__class__} is"), "braces"),
        (_template("{s} is {x}"), "braces"),
        (_template("{s} {"), "braces"),
        (_template("{s}\x00"), "control character"),
        (_template("{s}" + "x" * 500), "characters"),
    ],
)
def test_a_bad_template_is_refused(template: Template, words: str) -> None:
    with pytest.raises(InvalidCatalogue) as caught:
        build_catalogue([_relation("r", templates=(template,))])
    assert words in caught.value.message


def test_a_text_cannot_train_and_evaluate() -> None:
    doubled = (_template("The x of {s} is"), _template("the  X of {s} is", split=Split.EVAL))
    with pytest.raises(InvalidCatalogue, match="in both splits"):
        build_catalogue([_relation("x", templates=doubled)])


def test_filling_leaves_braces_of_names_alone() -> None:
    assert fill("{s} and {o}", subject="{o}", obj="{s}{0}") == "{o} and {s}{0}"


def test_a_relation_survives_its_node() -> None:
    relation = build_catalogue(
        [
            _relation("b", functional=True),
            _relation("a", transitive=True, composed_of=("a", "b"), inverse_of="c"),
            _relation("c"),
        ]
    )["a"]
    assert from_properties(to_properties(relation)) == relation
