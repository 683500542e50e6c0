"""One list of scorers and one default, wherever a scorer is named."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from knowledgesmith.client.cli import main
from knowledgesmith.editors.scoring.beliefs import DEFAULT_SCORER, ScorerKind
from knowledgesmith.graph_schema.interventions.records import InterventionSpec
from knowledgesmith.server.wire.enums import from_wire
from knowledgesmith.v1 import intervention_pb2

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(kind.value for kind in ScorerKind)


def test_the_service_knows_every_scorer_of_the_wire_and_records_the_default() -> None:
    found = [from_wire(intervention_pb2.Scorer, n, ScorerKind, "scorer") for n in intervention_pb2.Scorer.values()]
    assert sorted(kind.value for kind in found if kind) == NAMES
    [recorded] = [field.default for field in fields(InterventionSpec) if field.name == "scorer"]
    assert recorded == DEFAULT_SCORER.value


def test_the_wire_tells_the_default() -> None:
    text = (ROOT / "proto/knowledgesmith/v1/intervention.proto").read_text(encoding="utf-8")
    comment = text[: text.index("Scorer scorer")].rpartition("//")[2]
    assert f"not set = {DEFAULT_SCORER.name}" in comment


@pytest.mark.parametrize("command", ["edit", "unlearn"])
def test_the_command_line_names_every_scorer_and_the_default(command: str) -> None:
    # the help is wrapped at hyphens too
    said = "".join(CliRunner().invoke(main, [command, "--help"]).output.split())
    assert all(name in said for name in NAMES)
    assert f"default:{DEFAULT_SCORER.value}" in said


def test_the_front_of_the_service_does_not_load_tensors() -> None:
    """The list comes from a module of pure functions."""
    code = "import sys, knowledgesmith.editors.scoring.beliefs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
