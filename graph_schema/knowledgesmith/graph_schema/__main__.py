"""Entry point: ``python -m knowledgesmith.graph_schema start|stop|status|logs|info|browser|fetch|import``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.embedded import EmbeddedSettings, info, start, status, stop, tail_logs
from knowledgesmith.graph_schema.embedded.files.jars import ensure_jars
from knowledgesmith.graph_schema.errors import GraphUnavailable, KnowledgeSmithError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _start(args: argparse.Namespace) -> dict[str, Any]:
    settings = EmbeddedSettings(data_dir=args.data_dir, port=args.port, heap=args.heap, login=True)
    running = start(settings, owned=False)
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
        user, password = found["user"], found["password"]
        how = f"user {user}, password {password}" if user else "no authentication"
        shell = f"cypher-shell -a {uri}" + (f" -u {user} -p {password}" if user else "")
        connect = f"any Neo4j tool: {uri}, database neo4j, {how}; {shell}"
    return {**_plain({**now, **found}), "connect": connect}


def _logs(args: argparse.Namespace) -> dict[str, Any]:
    return {"lines": list(tail_logs(args.data_dir, args.lines))}


def _fetch(_args: argparse.Namespace) -> dict[str, Any]:
    return {"jars": str(ensure_jars())}


def _browser(args: argparse.Namespace) -> dict[str, Any]:
    """Serve Neo4j Browser until interrupted, for ``KSMITH_NEO4J_URI`` or the embedded database that runs."""
    from knowledgesmith.graph_schema.embedded.files.browser import BrowserServer, ensure_browser, read_bundle

    uri = os.environ.get("KSMITH_NEO4J_URI") or status(args.data_dir).uri
    if not uri:
        raise GraphUnavailable(
            "No database runs here.",
            field="data_dir",
            value=str(args.data_dir),
            hint="Start it with `ksmith up` or `ksmith neo4j start`, or set KSMITH_NEO4J_URI.",
        )
    own = bool(os.environ.get("KSMITH_NEO4J_URI"))
    user = os.environ.get("KSMITH_NEO4J_USER", "") if own else info(args.data_dir).user or ""
    files = read_bundle(ensure_browser())
    with BrowserServer(files, uri=uri, port=args.port or 0, user=user) as server:
        sys.stdout.write(f"Neo4j Browser for {uri}, until Ctrl-C:\n{server.address}\n")
        if user and not own:
            sys.stdout.write(f"Log in as {user}; `ksmith neo4j info` shows the password.\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return {}


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
    "browser": _browser,
    "fetch": _fetch,
    "import": _import,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a mistake is one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m knowledgesmith.graph_schema.embedded", description=__doc__)
    parser.add_argument("command", choices=sorted(_COMMANDS))
    parser.add_argument("--data-dir", type=Path, required=False, default=Path("neo4j"), help="the database's folder")
    parser.add_argument("--port", type=int, help="Bolt port (browser: HTTP port); default: a free one")
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
