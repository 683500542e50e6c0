"""Monitoring: one endpoint for both processes, and a dashboard whose every expression fits a real scrape."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from tests.server.service import PATIENCE, Service

from knowledgesmith.server.metrics import COUNTERS, GAUGES, HISTOGRAMS

ROOT = Path(__file__).resolve().parent.parent.parent
DASHBOARD = ROOT / "deploy/grafana/dashboards/interventions.json"
NAME = re.compile(r"\bksmith_[a-z0-9_]+")
GROUPING = re.compile(r"by \(([^)]*)\)")


def scrape(service: Service) -> str:
    """Prometheus text of the running server."""
    with urllib.request.urlopen(f"http://127.0.0.1:{service.metrics_port}/metrics", timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def expressions() -> list[str]:
    """Every expression of the dashboard."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


@pytest.fixture
def scraped(service: Service, branch: str) -> str:
    """A scrape after one whole intervention, so that the worker's samples have arrived."""
    intervention = service.create(service.spec(branch, ("france", "has_capital", "paris", "rome")))
    service.wait(intervention.id)
    return scrape(service)


def labels_of(metric: str, text: str) -> set[str]:
    """Label names that a series of the metric has in the scrape, or that it is declared with."""
    found = re.search(rf"^{metric}\{{([^}}]*)\}}", text, re.MULTILINE)
    seen = {part.split("=")[0] for part in found.group(1).split(",") if part} if found else set[str]()
    stem = re.sub(r"_(total|bucket|sum|count)$", "", metric)
    declared = {**COUNTERS, **GAUGES, **{n: (d, ls) for n, (d, ls, _) in HISTOGRAMS.items()}}[stem][1]
    return seen | set(declared) | {"le"}


def test_every_expression_fits_the_scrape(scraped: str) -> None:
    assert len(expressions()) >= 20
    families = set(re.findall(r"^# TYPE (\S+)", scraped, re.MULTILINE))
    for expression in expressions():
        for metric in NAME.findall(expression):
            stem = re.sub(r"_(bucket|sum|count)$", "", metric)
            assert stem in families, f"{metric} is not exported"
            for group in GROUPING.findall(expression):
                assert {label.strip() for label in group.split(",")} <= labels_of(metric, scraped), expression


def test_both_processes_report_through_one_endpoint(scraped: str) -> None:
    assert re.search(r"^ksmith_worker_up 1\.0", scraped, re.MULTILINE)
    assert re.search(r"^ksmith_neo4j_up 1\.0", scraped, re.MULTILINE)
    assert re.search(
        r'^ksmith_intervention_phase_seconds_count\{method="finetune",phase="apply"\} [1-9]', scraped, re.MULTILINE
    )
    assert re.search(r"^ksmith_ledger_rows_total [1-9]", scraped, re.MULTILINE)
    assert re.search(r'^ksmith_neo4j_query_seconds_count\{query="interventions/ledger/append"\}', scraped, re.MULTILINE)
    assert re.search(r'^ksmith_interventions\{goal="EDIT",state="SUCCEEDED"\}', scraped, re.MULTILINE)
    assert re.search(r'^ksmith_build_info\{[^}]*torch="', scraped, re.MULTILINE), "the worker's versions"


def test_metric_names_follow_the_conventions() -> None:
    for name in (*COUNTERS, *GAUGES, *HISTOGRAMS):
        assert re.fullmatch(r"ksmith_[a-z0-9_]+", name)
    assert all(not name.endswith("_total") for name in COUNTERS), "the client library appends it"


def test_promtool_accepts_the_scrape(scraped: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    done = subprocess.run([promtool, "check", "metrics"], input=scraped, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
