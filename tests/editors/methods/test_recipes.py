"""Recipes: whose settings a method runs with, in full, and under a name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from knowledgesmith.editors.contract import OURS, MethodConfig
from knowledgesmith.editors.methods.relearn import ReLearnConfig
from knowledgesmith.editors.models.precision import FIELD
from knowledgesmith.editors.registry import METHODS, build, method_class, parse_config
from knowledgesmith.graph_schema.errors import InvalidInput

RECIPES = [(name, recipe) for name in sorted(METHODS) for recipe in sorted(method_class(name).config_type.recipes)]


def parsed(method: str, **values: Any) -> MethodConfig:
    return parse_config(method_class(method).config_type, values)


def values(config: MethodConfig) -> dict[str, Any]:
    return config.model_dump(exclude={"recipe"})


@pytest.mark.parametrize(("method", "recipe"), RECIPES)
def test_a_recipe_is_a_whole_configuration(method: str, recipe: str) -> None:
    config_type = method_class(method).config_type
    settings, told = config_type.recipes[recipe].settings, config_type.recipes[recipe].source
    assert told
    config = parsed(method, recipe=recipe)
    assert values(config) == {**values(parsed(method)), **settings}
    assert values(config) != values(parsed(method)), "it differs from ours"
    assert config == config_type(recipe=recipe), "whoever builds it"
    assert config.told()["recipe"] == recipe
    assert build(method, {"recipe": recipe}).__class__ is method_class(method)
    with pytest.raises(ValidationError, match="frozen"):
        config.recipe = OURS
    # what the service measured would stand over it without a word
    assert FIELD not in settings


@pytest.mark.parametrize(("method", "recipe"), RECIPES)
def test_a_setting_beside_the_recipe_comes_first(method: str, recipe: str) -> None:
    settings = method_class(method).config_type.recipes[recipe].settings
    config = parsed(method, recipe=recipe, learning_rate=0.125)
    assert values(config) == {**values(parsed(method)), **settings, "learning_rate": 0.125}


@pytest.mark.parametrize(("method", "recipe"), RECIPES)
def test_the_schema_shows_it_in_full(method: str, recipe: str) -> None:
    schema = method_class(method).config_type.model_json_schema()
    assert recipe in schema["properties"]["recipe"]["enum"]
    shown = schema["recipes"][recipe]
    assert shown["settings"].keys() == method_class(method).config_type.model_fields.keys()
    assert shown["settings"] == parsed(method, recipe=recipe).model_dump(mode="json")
    assert shown["source"]


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("wrong", ["nobody", 3, ["ours"], None])
def test_an_unknown_recipe_is_refused_with_those_that_there_are(method: str, wrong: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(method, recipe=wrong)
    assert caught.value.field == "method_config.recipe"
    if wrong == "nobody":
        for name in (OURS, *method_class(method).config_type.recipes):
            assert name in str(caught.value)


def test_ours_is_what_stands_without_a_name() -> None:
    for method in METHODS:
        assert parsed(method, recipe=OURS) == parsed(method)
    placebo = method_class("placebo").config_type
    assert not placebo.recipes
    assert "recipe" not in placebo.model_json_schema()["properties"]


def test_the_authors_values_and_their_recipes_are_one() -> None:
    """What is told setting by setting is what the recipes set."""
    told = ReLearnConfig.author_values
    tofu, knowundo = (parsed("relearn", recipe=f"authors-{name}") for name in ("tofu", "knowundo"))
    assert isinstance(tofu, ReLearnConfig)
    assert isinstance(knowundo, ReLearnConfig)
    for setting in ("learning_rate", "passes"):
        figures = [float(value) for value in told[setting].value.split(";")]
        assert figures == [getattr(tofu, setting), getattr(knowundo, setting)]
    for setting in (
        *("rank", "alpha", "dropout", "weight_decay", "task_weight", "keep_ce_weight", "keep_kl_weight"),
        *("text_kl_weight", "first_token_share", "variants", "completion_share"),
    ):
        assert float(told[setting].value) == getattr(tofu, setting) == getattr(knowundo, setting), setting
    assert [tofu.learn_rows, knowundo.learn_rows] == [2 * 4, 1 * 4]
    # a warm-up of one epoch
    assert [tofu.warmup * tofu.passes, knowundo.warmup * knowundo.passes] == [1, 1]
    assert (tofu.adapted_maps, tofu.last_layer, tofu.keep_siblings) == ((), -1, False)
    assert tofu.average == told["average"].value
