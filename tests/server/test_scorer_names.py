"""One list of scorers and one default, wherever a scorer is named."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from knowledgesmith.client.cli import main
from knowledgesmith.editors.beliefs import DEFAULT_SCORER, ScorerKind
from knowledgesmith.graph_schema.interventions.records import JobSpec
from knowledgesmith.server.interventions.creation import SCORERS

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(kind.value for kind in ScorerKind)


def test_the_service_knows_every_scorer_and_records_the_default() -> None:
    assert sorted(SCORERS) == NAMES
    [recorded] = [field.default for field in fields(JobSpec) if field.name == "scorer"]
    assert recorded == DEFAULT_SCORER.value


def test_the_wire_names_every_scorer_and_the_default() -> None:
    text = (ROOT / "proto/knowledgesmith/v1/intervention.proto").read_text(encoding="utf-8")
    comment = text[: text.index("string scorer")].rpartition("// Scorer:")[2]
    assert sorted(set(re.findall(r"cloze-\w+", comment))) == NAMES
    assert re.search(rf"{DEFAULT_SCORER.value} \(default", comment)


@pytest.mark.parametrize("command", ["edit", "unlearn"])
def test_the_command_line_names_every_scorer_and_the_default(command: str) -> None:
    # the help is wrapped at hyphens too
    said = "".join(CliRunner().invoke(main, [command, "--help"]).output.split())
    assert all(name in said for name in NAMES)
    assert f"{DEFAULT_SCORER.value}(default)" in said


def test_the_front_of_the_service_does_not_load_tensors() -> None:
    """The list comes from a module of pure functions."""
    code = "import sys, knowledgesmith.editors.beliefs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
