"""Names in templates: articles and closing marks."""

from __future__ import annotations

import pytest

from knowledgesmith.graph_schema.language.filling import fill, fill_one, indefinite


@pytest.mark.parametrize(
    ("text", "name", "whole"),
    [
        ("The capital is {o}.", "Washington, D.C.", "The capital is Washington, D.C."),
        ("Is it {o}?", "Washington, D.C.", "Is it Washington, D.C.?"),
        ("Is it {o}?", "Who?", "Is it Who?"),
        ("It is {o}.", "Who?", "It is Who?"),
        ("It is {o}.", "Yahoo!", "It is Yahoo!"),
        ("Of {o}, it is", "Acme Inc.", "Of Acme Inc., it is"),
        ("It is {o}.", "Paris", "It is Paris."),
        ("It is {o}.", "“Who?”", "It is “Who?”"),
        ("It is {o}.", 'the "U.S."', 'It is the "U.S."'),
        ("It is {o}.", "‘Paris’", "It is ‘Paris’."),
        ("It is {o}.", "...", "It is ..."),
        ("它是{o}。", "北京", "它是北京。"),
        ("它是{o}。", "「好。」", "它是「好。」"),
        ("هل هي {o}؟", "من؟", "هل هي من؟"),
        ("यह {o}।", "दिल्ली।", "यह दिल्ली।"),
        ("in the {o}", "The Hague", "in The Hague"),
        ("The {o} is", "the Netherlands", "the Netherlands is"),
        ("in the {o}", "Netherlands", "in the Netherlands"),
        ("a {o}", "apple", "an apple"),
        ("an {o}", "pear", "a pear"),
        ("A {o} is", "orange", "An orange is"),
        ("a {o}", "A Coruna", "A Coruna"),
        ("Panama {o}", "apple", "Panama apple"),
        ("{o}", "", ""),
        ("{o} is", "{s} and {o}.", "{s} and {o}. is"),
    ],
)
def test_articles_and_marks_meet_once(text: str, name: str, whole: str) -> None:
    assert fill(text, obj=name) == whole
    assert fill_one(text, name) == whole
    assert fill(text.replace("{o}", "{s}"), subject=name) == whole


def test_two_names_are_fitted_each() -> None:
    assert fill("{s} is a {o}.", subject="Who?", obj="end.") == "Who? is an end."
    assert fill_one("{s}, {s}", "x") == "x, x"


def test_an_article_follows_the_sound() -> None:
    an = [
        "apple",
        "Ear",
        "hour",
        "honest man",
        "heir",
        "umbrella",
        "uninformed man",
        "8-bit",
        "11",
        "18,000",
        "MRI scan",
    ]
    an += ["X-ray", "F sharp", "Edinburgh", "(old) house", "onion"]
    a = [
        "pear",
        "university",
        "European",
        "user",
        "one-off",
        "once",
        "UK firm",
        "T cell",
        "1",
        "110",
        "urate",
        "eulogy",
    ]
    a += ["house", "NATO member", "", "!", "UFO", "utility"]
    assert [name for name in an if indefinite(name) != "an"] == []
    assert [name for name in a if indefinite(name) != "a"] == []
