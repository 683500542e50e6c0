"""Our defaults and the authors' values are told apart, for machines too."""

from __future__ import annotations

import pytest

from knowledgesmith.editors.registry import METHODS, build, method_class

PUBLISHED = [name for name in sorted(METHODS) if name != "placebo"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_method_says_what_its_authors_used(name: str) -> None:
    config_type = method_class(name).config_type
    assert config_type.author_values
    assert set(config_type.author_values) <= set(config_type.model_fields)
    properties = config_type.model_json_schema()["properties"]
    for setting, author in config_type.author_values.items():
        assert author.value
        assert author.source
        assert properties[setting]["author"]["value"] == author.value
        assert properties[setting]["author"]["source"] == author.source
        assert "default" in properties[setting]
    told = {setting for setting, found in properties.items() if "author" in found}
    assert told == set(config_type.author_values)


def test_a_method_without_authors_claims_none() -> None:
    assert not method_class("placebo").config_type.author_values
    assert "author" not in str(method_class("placebo").config_type.model_json_schema())


def test_an_empty_configuration_is_our_recipe_not_the_authors() -> None:
    """The learning rate of ReLearn is where they differ most; whoever changes it must change what is told."""
    ours = float(method_class("relearn").config_type.model_fields["learning_rate"].default)
    theirs = [
        float(value) for value in method_class("relearn").config_type.author_values["learning_rate"].value.split(";")
    ]
    assert build("relearn").__class__ is method_class("relearn")
    assert [round(ours / value) for value in theirs] == [16, 160]
