"""What messages, hints and documents tell people to type are commands that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

from knowledgesmith.client.cli import main

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("client", "editors", "graph_schema", "proto", "server", "scripts")
NAMED = re.compile(r"`ksmith ([a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)*)")
"""The words behind the program's name: commands, then what one of them is given."""


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the sources, joined as Python joins them, and the documents; with where it stands."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name.endswith(("_pb2.py", "_pb2_grpc.py")):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def unknown(words: list[str]) -> str:
    """The first word that should be a command and is none; empty where there is no such."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            return ""
        found = command.get_command(click.Context(command), word)
        if found is None:
            return word
        command = found
    return ""


def test_every_command_that_is_named_exists() -> None:
    named = [(where, found.split()) for where, text in texts() for found in NAMED.findall(text)]
    assert len(named) > 50
    assert [(where, words) for where, words in named if unknown(words)] == []
