"""No text of a graph or a server reaches the terminal raw, and JSON is JSON."""

from __future__ import annotations

import json

import pytest
from rich.console import Group
from rich.text import Text

from knowledgesmith.client import to_json
from knowledgesmith.client.cli.shared.output import console, counts, table

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eabc\u2066\u2028"


@pytest.mark.parametrize(
    "shown",
    [
        HOSTILE,
        counts({HOSTILE: 1}),
        Group("head", f"+ facts: {HOSTILE}"),
        Text(HOSTILE),
        table(("name",), [(HOSTILE,)], title=HOSTILE),
    ],
    ids=["text", "counts", "group", "rich", "table"],
)
def test_nothing_printed_steers_the_terminal(shown: object, capsys: pytest.CaptureFixture[str]) -> None:
    console().print(shown)
    printed = capsys.readouterr().out
    assert "owned" in printed
    assert not set(printed) & set("\x1b\x07\x9b\u202e\u2066\u2028")


def test_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console().print(Group("a", "b\nc"))
    assert capsys.readouterr().out.splitlines() == ["a", "b", "c"]


def test_json_is_valid_and_steers_nothing() -> None:
    text = to_json({"x": float("nan"), "y": [float("inf"), 1.5], "z": HOSTILE, "é": "日本"})
    assert json.loads(text, parse_constant=pytest.fail) == {"x": None, "y": [None, 1.5], "z": HOSTILE, "é": "日本"}
    assert not set(text) & set(HOSTILE.replace("abc", "").replace("owned", "")) & set("\x1b\x07\x9b\u202e\u2066\u2028")
    assert "日本" in text
