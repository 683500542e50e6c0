"""The document on Neo4j Browser: its views run, its style file styles what the graph has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.graph_schema.types.facts import Level

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "browser.md").read_text(encoding="utf-8")
VIEWS = re.findall(r"```cypher\n(.*?)```", TEXT, re.DOTALL)
PARAMETERS = set(re.findall(r"^:param (\w+) =>", TEXT, re.MULTILINE))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_runs_as_it_is_pasted(store: GraphStore, view: str) -> None:
    used = set(re.findall(r"\$(\w+)", view))
    assert used
    assert used <= PARAMETERS
    store.run_user_query(view, dict.fromkeys(PARAMETERS, "none"), limit=1, timeout_s=60)


def test_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert len(pictures) >= 2
    assert all((ROOT / "docs" / name).is_file() for name in pictures)


def test_the_style_file_tells_the_levels_apart() -> None:
    style = (ROOT / "deploy" / "neo4j" / "ksmith.grass").read_text(encoding="utf-8")
    rule = re.compile(r"^([a-zA-Z.]+) \{\n((?:  [a-z-]+: [^\n;]+;\n)+)\}$", re.MULTILINE)
    rules = dict(rule.findall(style))
    assert not rule.sub("", style).strip(), "nothing but rules"
    colours = {
        level: re.search(r"^  color: (#[0-9a-f]{6});", rules[f"node.{level.value}"], re.MULTILINE) for level in Level
    }
    assert len({found.group(1) for found in colours.values() if found}) == len(Level)
    assert all("{belief_delta}" in rules[f"node.{level.value}"] for level in Level)
