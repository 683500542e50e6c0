"""What the machine offers, asked of another program: shown, counted, and never an exception."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from knowledgesmith.client.cli import main
from knowledgesmith.client.cli.service.doctor import show
from knowledgesmith.client.examination import Examination, Part, examine

GOOD: dict[str, Any] = {"name": "java", "status": "OK", "text": "Java 21", "way_out": "", "figures": {"major": 21}}
ODD: dict[str, Any] = {"name": "disk", "status": "WARN", "text": "2 GiB free", "way_out": "Free some.", "figures": {}}
BAD: dict[str, Any] = {
    "name": "device",
    "status": "FAIL",
    "text": "there is no CUDA device here",
    "way_out": "Use cpu.",
    "figures": {},
}


def answering(
    monkeypatch: pytest.MonkeyPatch, parts: Sequence[dict[str, Any]], *, ok: bool, text: str | None = None
) -> list[list[str]]:
    """Stand for the program that looks; the commands it was called with."""
    called: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        stdout = json.dumps({"ok": ok, "checks": list(parts)}) if text is None else text
        return subprocess.CompletedProcess(command, 0 if ok else 1, stdout=stdout, stderr="")

    monkeypatch.setattr("knowledgesmith.client.examination.subprocess.run", run)
    return called


def test_parts_are_read_and_the_right_program_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called = answering(monkeypatch, [GOOD, ODD], ok=True)
    found = examine(data_dir=tmp_path, only=("java", "disk"))
    words = ["doctor", "--json", "--only=java", "--only=disk", "--data-dir", str(tmp_path.resolve())]
    assert called == [[sys.executable, "-m", "knowledgesmith.server", *words]]
    assert found == Examination(ok=True, parts=(Part(**GOOD), Part(**ODD)))
    assert found.part("disk") == Part(**ODD)
    assert found.part("memory") is None


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"ok": true}', '{"ok": true, "checks": [{"x": 1}]}', "3"])
def test_an_answer_that_is_none_is_a_part_that_fails(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    answering(monkeypatch, [], ok=False, text=text)
    found = examine()
    assert not found.ok
    assert found.parts[0].status == "FAIL"
    assert "Install" in found.parts[0].way_out


def test_a_program_that_is_not_installed_is_a_part_that_fails() -> None:
    found = examine(module="knowledgesmith.no_such_program")
    assert (found.ok, found.parts[0].status) == (False, "FAIL")
    assert "No module named" in found.parts[0].text


def test_a_program_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sleepy.py").write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = examine(module="sleepy", timeout_s=1.0)
    assert not found.ok
    assert "did not answer within 1 s" in found.parts[0].text


@pytest.mark.parametrize(("parts", "ok"), [([GOOD, ODD], True), ([GOOD, BAD], False)])
def test_the_command_ends_with_1_only_where_a_part_fails(
    monkeypatch: pytest.MonkeyPatch, parts: list[dict[str, Any]], *, ok: bool
) -> None:
    answering(monkeypatch, parts, ok=ok)
    shown = CliRunner().invoke(main, ["doctor"])
    assert shown.exit_code == (0 if ok else 1)
    for part in parts:
        assert f"{part['status']}" in shown.stdout
        assert part["text"] in shown.stdout
        assert part["way_out"] in shown.stdout
    as_json = CliRunner().invoke(main, ["doctor", "--json"])
    assert as_json.exit_code == shown.exit_code
    assert json.loads(as_json.stdout) == {"ok": ok, "parts": parts}


def test_eighty_columns_hold_every_word() -> None:
    long = Part(name="precision", status="WARN", text="several words " * 12, way_out="do what is to be done " * 6)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(show([long, Part(**BAD)]))
    lines = console.export_text().splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert " ".join("".join(lines).split()).count("several") == 12
    assert lines[-1].strip() == "1 WARN, 1 FAIL"
