"""Write the Grafana dashboard for interventions: panels are declared here, the JSON is generated and committed.

``python scripts/gen_dashboard.py [--check]``; ``--check`` fails when the committed file differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "deploy/grafana/dashboards/interventions.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS, HEIGHT = 24, 8
PHASES = "ksmith_intervention_phase_seconds"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel: queries as (legend, expression)."""

    title: str
    description: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled row of panels."""

    title: str
    panels: tuple[Panel, ...]


def quantile(share: float, metric: str, by: str) -> str:
    """Expression for a quantile of a histogram."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket[$__rate_interval])))"


def rate(metric: str, by: str) -> str:
    """Expression for the rate of a counter."""
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))"


SECTIONS = (
    Section(
        title="Overview",
        panels=(
            Panel(
                title="Neo4j",
                description="1 while the database answers.",
                queries=(("up", "ksmith_neo4j_up"),),
                kind="stat",
                width=4,
            ),
            Panel(
                title="Worker",
                description="1 while the worker process is ready.",
                queries=(("up", "ksmith_worker_up"),),
                kind="stat",
                width=4,
            ),
            Panel(
                title="Interventions by state",
                description="Interventions in the graph, by state.",
                queries=(("{{state}} {{goal}}", "ksmith_interventions"),),
                width=8,
                stacked=True,
            ),
            Panel(
                title="Restarts",
                description="Processes that were started again after a crash.",
                queries=(("worker", "ksmith_worker_restarts_total"), ("Neo4j", "ksmith_neo4j_restarts_total")),
                width=8,
            ),
        ),
    ),
    Section(
        title="Interventions",
        panels=(
            Panel(
                title="Submitted and completed",
                description="Interventions an hour.",
                queries=(
                    ("submitted {{goal}}", f"3600 * {rate('ksmith_interventions_submitted_total', 'goal')}"),
                    ("{{outcome}} {{goal}}", f"3600 * {rate('ksmith_interventions_completed_total', 'goal, outcome')}"),
                ),
            ),
            Panel(
                title="Duration",
                description="From the claim to the end of an attempt, 95th percentile.",
                queries=(("{{method}}", quantile(0.95, "ksmith_intervention_duration_seconds", "method")),),
                unit="s",
            ),
            Panel(
                title="Phases",
                description="Mean seconds a phase.",
                queries=(
                    (
                        "{{phase}}",
                        f"{rate(PHASES + '_sum', 'phase')} / {rate(PHASES + '_count', 'phase')}",
                    ),
                ),
                unit="s",
                stacked=True,
            ),
            Panel(
                title="Attempts",
                description="Attempts begun, and writes that the fence refused.",
                queries=(
                    ("attempts {{goal}}", rate("ksmith_intervention_attempts_total", "goal")),
                    ("refused", "rate(ksmith_fence_rejections_total[$__rate_interval])"),
                ),
            ),
            Panel(
                title="Probes scored",
                description="Probes a second, by phase.",
                queries=(("{{phase}}", rate("ksmith_probes_scored_total", "phase")),),
            ),
            Panel(
                title="Worker memory",
                description="Resident memory of the worker after its last intervention.",
                queries=(("resident", "ksmith_worker_memory_bytes"),),
                unit="bytes",
            ),
        ),
    ),
    Section(
        title="Belief propagation",
        panels=(
            Panel(
                title="Belief changes",
                description="Ledger rows a second, by kind, role and direction.",
                queries=(
                    ("{{kind}} {{role}} {{direction}}", rate("ksmith_belief_changes_total", "kind, role, direction")),
                ),
            ),
            Panel(
                title="Size of changes",
                description="Median absolute change: targets, what follows, and what should stay.",
                queries=(("{{role}}", quantile(0.5, "ksmith_belief_delta_abs", "role")),),
            ),
            Panel(
                title="Hops",
                description="Ledger rows within so many hops of a target.",
                queries=(("≤ {{le}}", "sum by (le) (increase(ksmith_propagation_hops_bucket[$__rate_interval]))"),),
            ),
            Panel(
                title="Last run: rates",
                description="Shares of eligible probes of the last measured run; of a wreck only what it broke.",
                queries=(
                    ("propagated {{goal}} {{method}}", "ksmith_propagated_ratio"),
                    ("residual {{goal}} {{method}}", "ksmith_residual_retention_ratio"),
                    ("collateral {{goal}} {{method}}", "ksmith_collateral_change_ratio"),
                ),
                unit="percentunit",
                width=12,
            ),
            Panel(
                title="Failed rollback checks",
                description="Must stay 0: weights after a rollback differed from their digest.",
                queries=(("failures", "ksmith_rollback_verify_failures_total"),),
                kind="stat",
                width=12,
            ),
        ),
    ),
    Section(
        title="Health of revisions",
        panels=(
            Panel(
                title="Verdicts",
                description="Measured revisions by verdict; a wreck waits for a decision.",
                queries=(("{{verdict}} {{method}}", "sum by (verdict, method) (ksmith_health_checks_total)"),),
                stacked=True,
                width=6,
            ),
            Panel(
                title="Untrained text",
                description="Times that text became less likely which nothing trains on; 1 = as before.",
                queries=(("{{goal}} {{method}}", "ksmith_health_perplexity_ratio"),),
                width=6,
            ),
            Panel(
                title="Greedy text",
                description="Shares of untouched prompts: repeats itself, says nothing, begins as before.",
                queries=(
                    ("repeats {{method}}", "ksmith_health_repetition_share"),
                    ("empty {{method}}", "ksmith_health_empty_share"),
                    ("as before {{method}}", "ksmith_health_agreement_share"),
                ),
                unit="percentunit",
                width=6,
            ),
            Panel(
                title="Realised change",
                description="Least share along the wanted change, and most in other directions.",
                queries=(
                    ("along {{goal}}", "ksmith_health_realised_min"),
                    ("elsewhere {{goal}}", "ksmith_health_across_max"),
                ),
                width=6,
            ),
            Panel(
                title="Choices",
                description="Largest share of one answer, and share of sure answers that should stay and are lost.",
                queries=(
                    ("one answer {{method}}", "ksmith_health_constant_share"),
                    ("lost {{method}}", "ksmith_health_collateral_sure_share"),
                ),
                unit="percentunit",
                width=12,
            ),
            Panel(
                title="Values that are no numbers",
                description="Must stay 0: weights and scores that are NaN or infinite.",
                queries=(("{{method}}", "ksmith_health_nonfinite"),),
                kind="stat",
                width=12,
            ),
        ),
    ),
    Section(
        title="Graph and ledger",
        panels=(
            Panel(
                title="Query time",
                description="95th percentile by named query.",
                queries=(("{{query}}", quantile(0.95, "ksmith_neo4j_query_seconds", "query")),),
                unit="s",
            ),
            Panel(
                title="Query errors",
                description="Failed queries a second.",
                queries=(("{{query}} {{error}}", rate("ksmith_neo4j_errors_total", "query, error")),),
            ),
            Panel(
                title="Ledger",
                description="Rows a second, and the 95th percentile of a batch.",
                queries=(
                    ("rows/s", "rate(ksmith_ledger_rows_total[$__rate_interval])"),
                    (
                        "batch seconds",
                        (
                            "histogram_quantile(0.95, sum by (le)"
                            " (rate(ksmith_ledger_write_seconds_bucket[$__rate_interval])))"
                        ),
                    ),
                ),
            ),
        ),
    ),
    Section(
        title="gRPC",
        panels=(
            Panel(
                title="Calls",
                description="Calls a second by status code.",
                queries=(("{{code}}", rate("ksmith_grpc_server_handled_total", "code")),),
            ),
            Panel(
                title="Unary latency",
                description="95th percentile by method.",
                queries=(("{{method}}", quantile(0.95, "ksmith_grpc_server_handling_seconds", "method")),),
                unit="s",
            ),
            Panel(
                title="Watch streams", description="Open watch streams.", queries=(("open", "ksmith_watch_streams"),)
            ),
        ),
    ),
)


def panel_json(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    """Grafana's form of one panel."""
    custom = {"stacking": {"mode": "normal" if panel.stacked else "none"}, "fillOpacity": 20 if panel.stacked else 0}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "custom": custom if panel.kind == "timeseries" else {}},
            "overrides": [],
        },
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend, "datasource": SOURCE}
            for index, (legend, expression) in enumerate(panel.queries)
        ],
    }


def dashboard() -> dict[str, Any]:
    """The whole dashboard."""
    panels: list[dict[str, Any]] = []
    y = 0
    for section in SECTIONS:
        panels.append(
            {
                "id": len(panels) + 1,
                "type": "row",
                "title": section.title,
                "collapsed": False,
                "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
                "panels": [],
            }
        )
        y, x = y + 1, 0
        for panel in section.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + HEIGHT
            panels.append(panel_json(panel, len(panels) + 1, x, y))
            x += panel.width
        y += HEIGHT
    source = {
        "name": "source",
        "type": "datasource",
        "query": "prometheus",
        "label": "Prometheus",
        "current": {},
        "hide": 0,
    }
    return {
        "uid": "ksmith-interventions",
        "title": "KnowledgeSmith: interventions",
        "tags": ["knowledgesmith"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    text = json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"
    if parser.parse_args().check:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        sys.stderr.write("" if same else f"{TARGET.name} differs from scripts/gen_dashboard.py; run `make dashboard`\n")
        return 0 if same else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
