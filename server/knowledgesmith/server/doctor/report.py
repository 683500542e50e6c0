"""Run the checks and tell: ``python -m knowledgesmith.server doctor [--json] [--data-dir DIR] [--only NAME]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.server.configuration import parse, salvaged
from knowledgesmith.server.doctor import compute, database, machine
from knowledgesmith.server.doctor.check import Check, Finding, Status, fail, ok, run, worded
from knowledgesmith.server.settings import ServerSettings

NAMES: Final = ("settings", "packages", "java", "database", "disk", "memory", "model", "device", "precision")


def checks(settings: ServerSettings) -> list[Check]:
    """Every check but that of the settings, in the order in which the service needs the parts."""
    return [
        Check(name="packages", look=compute.packages),
        Check(name="java", look=lambda: machine.java(settings)),
        Check(name="database", look=lambda: database.database(settings)),
        Check(name="disk", look=lambda: machine.disk(settings), timeout_s=20),
        Check(name="memory", look=machine.memory, timeout_s=20),
        Check(name="model", look=compute.model),
        Check(name="device", look=lambda: compute.device(settings)),
        Check(name="precision", look=lambda: compute.precision(settings)),
    ]


def read_settings(words: Sequence[str]) -> tuple[ServerSettings, Finding]:
    """The settings that a server would start with, and whether it would; wrong ones are judged, not fatal."""
    try:
        found = parse(words)
    except InvalidInput as error:
        return salvaged(words), fail(worded(error), error.hint)
    where = f"data in {found.data_dir}, gRPC at {found.listen}"
    return found, ok(f"{where}, device {found.device or 'the best'}, dtype {found.dtype}")


def findings(words: Sequence[str], only: Sequence[str]) -> Iterator[tuple[str, Finding]]:
    """Names and findings, one after another."""
    settings, first = read_settings(words)
    wanted = only or NAMES
    if "settings" in wanted:
        yield "settings", first
    for check in checks(settings):
        if check.name in wanted:
            yield check.name, run(check)


def main(argv: Sequence[str]) -> int:
    """Print one line a check, or one JSON object; 1 when a part does not work."""
    parser = argparse.ArgumentParser(
        prog="python -m knowledgesmith.server doctor", description="Look at everything that the service needs"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--only", action="append", choices=NAMES, default=[], help="this check; may be repeated")
    parser.add_argument("--data-dir", help="the server's data directory")
    args = parser.parse_args(argv)
    # as in the worker, whose threads are measured here
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    words = ["--data-dir", args.data_dir] if args.data_dir else []
    found: list[tuple[str, Finding]] = []
    for name, finding in findings(words, args.only):
        found.append((name, finding))
        if not args.json:
            out = f"\n{' ' * 17}-> {finding.way_out}" if finding.way_out else ""
            sys.stdout.write(f"{finding.status:<5}{name:<12}{finding.text}{out}\n")
            sys.stdout.flush()
    well = all(finding.status is not Status.FAIL for _, finding in found)
    if args.json:
        rows = [{"name": name, **asdict(finding)} for name, finding in found]
        sys.stdout.write(json.dumps({"ok": well, "checks": rows}) + "\n")
    return 0 if well else 1
