"""Entry point: ``python -m knowledgesmith.graph_schema.embedded start|stop|status|logs|info|fetch|import``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, info, start, status, stop, tail_logs
from knowledgesmith.graph_schema.embedded.jars import ensure_jars
from knowledgesmith.graph_schema.errors import KnowledgeSmithError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _start(args: argparse.Namespace) -> dict[str, Any]:
    running = start(EmbeddedSettings(data_dir=args.data_dir, port=args.port, heap=args.heap), owned=False)
    return {"uri": running.uri, "pid": running.pid, "data_dir": str(running.data_dir), "started": running.started_by_us}


def _stop(args: argparse.Namespace) -> dict[str, Any]:
    return {"stopped": stop(args.data_dir)}


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """What a person reads: the state by its value, nothing that is unknown."""
    return {key: getattr(value, "value", value) for key, value in found.items() if value is not None}


def _status(args: argparse.Namespace) -> dict[str, Any]:
    return _plain(asdict(status(args.data_dir)))


def _info(args: argparse.Namespace) -> dict[str, Any]:
    found = asdict(info(args.data_dir))
    now = found.pop("status")
    uri = now["uri"]
    connect = "not running; `ksmith up` or `ksmith neo4j start` starts it"
    if uri:
        connect = f"any Neo4j tool: {uri}, database neo4j, no authentication; cypher-shell -a {uri}"
    return {**_plain({**now, **found}), "connect": connect}


def _logs(args: argparse.Namespace) -> dict[str, Any]:
    return {"lines": list(tail_logs(args.data_dir, args.lines))}


def _fetch(_args: argparse.Namespace) -> dict[str, Any]:
    return {"jars": str(ensure_jars())}


def _import(args: argparse.Namespace) -> dict[str, Any]:
    """Fill the empty, stopped database; what is imported stands as one JSON object on standard input."""
    from knowledgesmith.graph_schema.importing.offline_request import run_request

    return run_request(args.data_dir, sys.stdin.read(), heap=args.heap)


_COMMANDS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "start": _start,
    "stop": _stop,
    "status": _status,
    "info": _info,
    "logs": _logs,
    "fetch": _fetch,
    "import": _import,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a mistake is one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m knowledgesmith.graph_schema.embedded", description=__doc__)
    parser.add_argument("command", choices=sorted(_COMMANDS))
    parser.add_argument("--data-dir", type=Path, required=False, default=Path("neo4j"), help="the database's folder")
    parser.add_argument("--port", type=int, help="Bolt port; default: a free one")
    parser.add_argument("--heap", default="1g", help="heap of the Java process")
    parser.add_argument("--lines", type=int, default=50, help="lines of the log to show")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    try:
        answer = _COMMANDS[args.command](args)
    except KnowledgeSmithError as error:
        sys.stderr.write(f"{error.reason}: {error}\n")
        return 1
    if args.json:
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
    else:
        for key, value in answer.items():
            lines = value if isinstance(value, list) else [f"{key}: {value}"]  # pyright: ignore[reportUnknownVariableType]
            sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
