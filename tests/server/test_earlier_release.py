"""A database and an archive that an earlier release made are still read (``scripts/make_release_fixture.py``)."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.service import Service

from knowledgesmith.client import Grouping, KnowledgeSmith, Propagation, Role

VARIABLE = "KSMITH_RELEASE_FIXTURE"
RATES = ("installed", "erased", "propagated", "forgotten", "residual", "collateral")


@pytest.fixture(scope="module")
def fixture() -> Path:
    """The folder that the script made; without it these tests are skipped, and say so."""
    given = os.environ.get(VARIABLE, "")
    folder = Path(given)
    if not given or not (folder / "record.json").is_file():
        pytest.skip(f"{VARIABLE} names no folder of an earlier release; see CONTRIBUTING, 'Read what is stored'")
    return folder


@pytest.fixture(scope="module")
def record(fixture: Path) -> Any:
    """What that release said about what it stored."""
    return json.loads((fixture / "record.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def opened(fixture: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeSmith]:
    """This code on a copy of that release's data directory."""
    data = tmp_path_factory.mktemp("earlier") / "data"
    shutil.copytree(fixture / "data", data, ignore=shutil.ignore_patterns("*.log", "*.lock", "server.json"))
    yield from _serving(data)


@pytest.fixture(scope="module")
def loaded(fixture: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeSmith]:
    """This code on an empty database into which that release's archive was loaded."""
    for smith in _serving(tmp_path_factory.mktemp("archive") / "data"):
        smith.archives.load(path=fixture / "atlas.ksmith")
        yield smith


def _serving(data: Path) -> Iterator[KnowledgeSmith]:
    running = Service(data_dir=data).start()
    with KnowledgeSmith(f"127.0.0.1:{running.port}") as smith:
        yield smith
    assert running.stop() == 0


def _agrees(smith: KnowledgeSmith, record: Any) -> None:
    """Interventions, their ledgers, branches and the probe set are there as they were."""
    runs = {run["id"]: run for run in record["interventions"]}
    found = {run.id: run for run in smith.interventions.list(limit=100)}
    assert found.keys() == runs.keys()
    for key, run in found.items():
        assert (run.state.name, run.written_rows, run.planned_probes) == (
            runs[key]["state"],
            runs[key]["written_rows"],
            runs[key]["planned_probes"],
        )
        assert len(smith.interventions.get_plan(intervention_id=key).probes) == runs[key]["planned_probes"]
    for name, run in record["runs"].items():
        told = record[f"by_kind_{name}"]["result"]
        scheme = 2 if any(group.get("role") for group in told) else 1
        check = _same_verdicts if scheme == 2 else _same_verdicts_without_roles
        check(smith.propagation.rates(intervention_id=run, group_by=Grouping.KIND), told)
        one, *_ = smith.propagation.changes(intervention_id=run, limit=1).changes
        assert (one.role is Role.UNSPECIFIED) == (scheme == 1)
        assert smith.propagation.metrics(intervention_id=run).verdict_scheme == scheme
        assert smith.propagation.evidence(intervention_id=run, limit=5).evidence
    for branch in ("edited", "erased"):
        told = record[f"branch_{branch}"]
        assert smith.branches.get(branch_id=branch).head_revision_id == _head(told)
        revisions = {revision.id: revision.weights_sha256 for revision in smith.branches.revisions(branch_id=branch)}
        assert revisions == {revision["id"]: revision["weights_sha256"] for revision in told["revisions"]}
    probes = smith.probe_sets.probes(probe_set_id=record["probe_set"]["id"])
    assert len(probes) == _probes(record["probe_set"])


def _head(told: dict[str, Any]) -> str:
    """The head of a branch; releases before the wire's final form called it otherwise."""
    branch: dict[str, str] = told["branch"]
    return branch["head_revision_id"] if "head_revision_id" in branch else branch["head_revision"]


def _probes(told: dict[str, Any]) -> int:
    """The probes of a set; releases before the wire's final form counted them in an object, by kind."""
    counts = told["counts"]
    return sum(counts.values()) if isinstance(counts, dict) else sum(one["count"] for one in counts)


def _same_verdicts(found: Propagation, told: list[dict[str, Any]]) -> None:
    """Every rate of every kind and role is what it was."""
    assert found.verdict_scheme == 2
    groups = {(group.key, group.role.name): group for group in found.groups}
    assert groups.keys() == {(group["key"], group["role"]) for group in told}
    for was in told:
        again = groups[was["key"], was["role"]]
        assert again.rows == was["rows"]
        for name in RATES:
            rate, earlier = getattr(again, name), was[name]
            assert (rate.successes, rate.trials) == (earlier["successes"], earlier["trials"]), (was["key"], name)


def _same_verdicts_without_roles(found: Propagation, told: list[dict[str, Any]]) -> None:
    """The verdicts are those of that release, and named as such: it did not tell targets from what follows."""
    assert found.verdict_scheme == 1
    assert {group.role for group in found.groups} <= {Role.UNSPECIFIED, Role.STAYS}
    rows: Counter[str] = Counter()
    counted: Counter[tuple[str, str]] = Counter()
    for group in found.groups:
        rows[group.key] += group.rows
        for name in ("propagated", "residual", "collateral"):
            counted[group.key, name] += getattr(group, name).successes
            counted[group.key, f"{name}/n"] += getattr(group, name).trials
    assert rows == {group["key"]: group["rows"] for group in told}
    for was in told:
        for name in ("propagated", "residual", "collateral"):
            key, rate = was["key"], was[name]
            assert (counted[key, name], counted[key, f"{name}/n"]) == (rate["successes"], rate["trials"])


def test_the_database_opens_and_tells_the_same(opened: KnowledgeSmith, record: Any) -> None:
    _agrees(opened, record)
    assert opened.graphs.check(graph_id="atlas").sound


def test_the_archive_loads_and_tells_the_same(loaded: KnowledgeSmith, record: Any) -> None:
    _agrees(loaded, record)
    assert loaded.graphs.check(graph_id="atlas").sound


@pytest.mark.model
def test_its_artefacts_still_attach_and_a_rollback_is_exact(opened: KnowledgeSmith, record: Any) -> None:
    told = record["branch_edited"]
    done = opened.branches.rollback(branch_id="edited", expected_revision_id=_head(told))
    assert done.exact
    assert done.weights_sha256 == told["revisions"][1]["weights_sha256"]
