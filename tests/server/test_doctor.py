"""The server's doctor: each part in order and out of order, by itself, without starting anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.server.service import PATIENCE

from knowledgesmith.editors.models import default_model, devices, precision
from knowledgesmith.editors.models.precision import Figure, Precision
from knowledgesmith.graph_schema.embedded import DatabaseState, DatabaseStatus
from knowledgesmith.graph_schema.embedded.files import jars
from knowledgesmith.graph_schema.errors import InvalidInput, JavaNotFound
from knowledgesmith.server.doctor import compute, machine, report
from knowledgesmith.server.doctor.check import Check, Finding, Status, ok, run
from knowledgesmith.server.doctor.database import database
from knowledgesmith.server.settings import ServerSettings

GIB = 2**30


class Usage(NamedTuple):
    """What ``shutil.disk_usage`` answers."""

    total: int
    used: int
    free: int


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    """Of a server that was never started."""
    return ServerSettings(data_dir=tmp_path / "never" / "made")


def told(finding: Finding, status: Status, pattern: str) -> None:
    assert finding.status is status, finding
    assert re.search(pattern, finding.text), finding.text
    assert bool(finding.way_out) == (status is not Status.OK), "what is amiss has a way out, what is well needs none"


def doctor(*words: str, **env: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "knowledgesmith.server", "doctor", "--json", *words]
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.returncode, json.loads(done.stdout)


def test_a_machine_where_nothing_is_installed_or_running(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    status, answer = doctor("--data-dir", str(nowhere / "data"), KSMITH_CACHE_DIR=str(nowhere / "cache"))
    found = {check["name"]: check for check in answer["checks"]}
    assert tuple(found) == report.NAMES
    assert all(check["way_out"] for check in found.values() if check["status"] != "OK")
    assert (status == 0) == answer["ok"] == all(check["status"] != "FAIL" for check in found.values())
    assert "not fetched yet" in found["database"]["text"]
    assert found["model"]["status"] == "WARN"
    assert found["precision"]["figures"]["float32_seconds"] > 0
    assert not nowhere.exists(), "looking makes nothing"


def test_wrong_settings_are_judged_beside_all_the_rest(tmp_path: Path) -> None:
    words = ("--only=settings", "--only=java", "--data-dir", str(tmp_path))
    status, answer = doctor(*words, KSMITH_DTYPE="half")
    first, java = answer["checks"]
    assert (status, first["status"]) == (1, "FAIL")
    assert re.search(r"unknown dtype .*'half'", first["text"])
    assert "float16" in first["way_out"]
    assert java["name"] == "java"


def test_a_database_of_ones_own_that_does_not_answer() -> None:
    status, answer = doctor("--only=database", "--only=java", KSMITH_NEO4J_URI="bolt://127.0.0.1:1")
    java, found = answer["checks"]
    assert (status, java["status"], found["status"]) == (1, "OK", "FAIL")
    assert "127.0.0.1:1" in found["text"]
    assert found["way_out"]


def test_a_check_that_raises_or_hangs_hides_no_other() -> None:
    def broken() -> Finding:
        raise ZeroDivisionError("oops")

    def refused() -> Finding:
        raise InvalidInput("it is wrong", field="x", value="y", hint="Do this.")

    def lost() -> Finding:
        raise ImportError("no such thing")

    def hanging() -> Finding:
        threading.Event().wait()
        return ok("never")

    told(run(Check(name="a", look=broken)), Status.FAIL, "ZeroDivisionError: oops")
    told(run(Check(name="b", look=refused)), Status.FAIL, r"it is wrong \[x='y'\]")
    told(run(Check(name="c", look=lost)), Status.FAIL, "no such thing")
    told(run(Check(name="d", look=hanging, timeout_s=0.2)), Status.FAIL, "no answer")
    told(run(Check(name="e", look=lambda: ok("well"))), Status.OK, "well")


def test_java(settings: ServerSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise JavaNotFound("Neo4j needs Java 17 or 21; tried nothing.", hint="Set JAVA_HOME.")

    monkeypatch.setattr("knowledgesmith.graph_schema.embedded.java.find_java", none)
    told(run(Check(name="java", look=lambda: machine.java(settings))), Status.FAIL, "17 or 21")
    own = ServerSettings(data_dir=settings.data_dir, neo4j_uri="bolt://127.0.0.1:1")
    told(machine.java(own), Status.OK, "not needed")


@pytest.mark.parametrize(("free", "status"), [(0.2, Status.FAIL), (2.0, Status.WARN), (50.0, Status.OK)])
def test_disk_and_memory(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch, free: float, status: Status
) -> None:
    size = int(free * GIB)

    def usage(_place: Path) -> Usage:
        return Usage(0, 0, size)

    monkeypatch.setattr("shutil.disk_usage", usage)
    told(machine.disk(settings), status, f"{free:.1f} GiB free")
    monkeypatch.setattr(machine, "available_bytes", lambda: size)
    told(machine.memory(), status, f"{free:.1f} of .* GiB available")


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    whole = machine.total_bytes()
    assert whole > 0
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1000\n")
    assert machine.total_bytes() == whole
    (tmp_path / "memory.max").write_text("5000\n")
    assert machine.total_bytes() == 5000
    assert machine.available_bytes() == 4000


@pytest.mark.parametrize(
    ("state", "fetched", "status", "text"),
    [
        (DatabaseState.STOPPED, False, Status.WARN, "not fetched"),
        (DatabaseState.STOPPED, True, Status.OK, "ready, not running"),
        (DatabaseState.RUNNING, True, Status.OK, "runs at bolt://127.0.0.1:7"),
        (DatabaseState.STARTING, True, Status.WARN, "is starting"),
        (DatabaseState.ABANDONED, True, Status.WARN, "is abandoned"),
    ],
)
def test_the_embedded_database(
    settings: ServerSettings,
    monkeypatch: pytest.MonkeyPatch,
    state: DatabaseState,
    *,
    fetched: bool,
    status: Status,
    text: str,
) -> None:
    now = DatabaseStatus(state=state, data_dir=settings.data_dir, uri="bolt://127.0.0.1:7", pid=7)

    def status_of(_home: Path) -> DatabaseStatus:
        return now

    monkeypatch.setattr("knowledgesmith.graph_schema.embedded.status", status_of)
    monkeypatch.setattr(jars, "are_fetched", lambda: fetched)
    told(database(settings), status, text)


@pytest.mark.parametrize(
    ("converted", "installed", "status", "text"),
    [
        (True, True, Status.OK, "smollm2"),
        (False, True, Status.WARN, "not converted"),
        (False, False, Status.WARN, "not installed"),
    ],
)
def test_the_default_model(
    monkeypatch: pytest.MonkeyPatch, *, converted: bool, installed: bool, status: Status, text: str
) -> None:
    monkeypatch.setattr(default_model, "is_converted", lambda: converted)
    monkeypatch.setattr(default_model, "is_installed", lambda: installed)
    told(compute.model(), status, text)


def test_devices(settings: ServerSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver = tmp_path / "version"
    monkeypatch.setattr(compute, "_DRIVER", driver)
    monkeypatch.setattr(devices, "available", lambda: ["cpu"])
    cpu = ServerSettings(data_dir=settings.data_dir, device="cpu")
    told(compute.device(cpu), Status.OK, "cpu")
    driver.write_text("NVRM")
    told(compute.device(cpu), Status.WARN, "torch sees no device")
    lost = ServerSettings(data_dir=settings.data_dir, device="cuda:99")
    told(run(Check(name="device", look=lambda: compute.device(lost))), Status.FAIL, "cuda:99")


@pytest.mark.parametrize("usable", [True, False])
def test_precision_shows_both_figures(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch, *, usable: bool
) -> None:
    def decided(_device: object, cache: Path | None) -> Precision:
        assert cache is None, "no folder is made by looking"
        figures = (
            Figure(dtype="float32", seconds=0.02, rounds=3, error=1e-6, usable=usable),
            Figure(dtype="bfloat16", seconds=0.5, rounds=1, error=1e-2, usable=True),
        )
        return Precision(device="x", threads=2, chosen="float32", figures=figures)

    monkeypatch.setattr(precision, "decide", decided)
    finding = compute.precision(settings)
    told(finding, Status.OK if usable else Status.FAIL, "float32 20.0 ms.*bfloat16 500.0 ms")
    assert (finding.figures["float32_seconds"], finding.figures["bfloat16_seconds"]) == (0.02, 0.5)


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    told(compute.packages(), Status.OK, "torch .*transformers")
    monkeypatch.setattr(compute, "_PACKAGES", ("torch", "no-such-package"))
    told(compute.packages(), Status.FAIL, "missing: no-such-package")


def test_lines_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    looks: Callable[[list[str]], int] = report.main
    assert looks(["--only=memory", "--only=settings", "--data-dir", str(tmp_path)]) in (0, 1)
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"OK +settings +data in ", lines[0])
    assert any(re.match(r"(OK|WARN|FAIL) +memory +", line) for line in lines)
