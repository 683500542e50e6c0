"""The passages must be text that nothing trains on: compared with everything that ships and that a method may read."""

from __future__ import annotations

import csv
import io
import re
from importlib.resources import files

import pytest

from knowledgesmith.editors.health.passages import passages

_RUN = 5
"""So many words in a row are a sentence's own; four ("the end of the") are anybody's."""
_SHARED = 0.5


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + _RUN]) for i in range(len(found) - _RUN + 1)}


def shipped() -> dict[str, list[str]]:
    """Every text that ships with the editors, and every template of the bundled graph."""
    folder = files("knowledgesmith.editors.text").joinpath("corpora")
    found = {
        place.name: place.read_text(encoding="utf-8").splitlines()
        for place in folder.iterdir()
        if place.name.endswith(".txt") and place.name != "health.txt"
    }
    templates = files("knowledgesmith.graph_schema").joinpath("atlas", "templates.csv").read_text(encoding="utf-8")
    found["templates"] = [row["text"] for row in csv.DictReader(io.StringIO(templates))]
    assert len(found["templates"]) > 100
    return found


def test_there_are_enough_and_they_differ() -> None:
    texts = passages()
    assert len(texts) >= 64
    assert len(set(texts)) == len(texts)
    every = [set(words(text)) for text in texts]
    for i, one in enumerate(every):
        for other in every[i + 1 :]:
            assert len(one & other) / min(len(one), len(other)) < _SHARED, (one, other)


def test_some_are_no_english_and_some_are_code() -> None:
    texts = "\n".join(passages())
    assert re.search(r"[äöüßéèêçãñ]", texts)
    assert "def " in texts
    assert "SELECT" in texts
    assert re.search(r"\d", texts)


def test_no_passage_shares_a_turn_of_phrase_with_a_text_that_is_trained_on() -> None:
    own = {run: text for text in passages() for run in runs(text)}
    sources = shipped()
    assert {"plain.txt", "everyday.txt"} <= sources.keys()
    for name, lines in sources.items():
        for line in lines:
            shared = runs(line) & own.keys()
            assert not shared, f"{name}: {line!r} and {own[next(iter(shared))]!r}"


@pytest.mark.parametrize(
    "text", ["The price of vegetables often depends on the season.", "If you want to learn to play"]
)
def test_the_comparison_would_find_a_copy(text: str) -> None:
    lines = {run for rows in shipped().values() for line in rows for run in runs(line)}
    assert runs(text) & lines
