"""``ksmith neo4j`` and ``ksmith cypher``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._extras import SERVER, require
from knowledgesmith.client._json import to_json
from knowledgesmith.client.cli.shared.numbers import Whole
from knowledgesmith.client.cli.shared.output import table
from knowledgesmith.client.cli.shared.session import Session, common
from knowledgesmith.client.local_server import default_data_dir

_COMMANDS = ("start", "stop", "status", "logs", "info", "browser")


@click.command(help="The embedded Neo4j by itself.")
@click.argument("command", type=click.Choice(_COMMANDS))
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The server's data directory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def neo4j(*, command: str, data_dir: Path | None, as_json: bool) -> None:
    """Hand a command to the program that owns the embedded database."""
    require(SERVER, "The embedded Neo4j")
    words = [sys.executable, "-m", "knowledgesmith.graph_schema", command]
    words += ["--data-dir", str((data_dir or default_data_dir()) / "neo4j"), *(["--json"] if as_json else [])]
    click.get_current_context().exit(subprocess.call(words))


@click.command(help="Run a read-only Cypher query.")
@click.argument("query")
@click.option("--params", default="", metavar="JSON", help="Parameters as a JSON object.")
@click.option("--max-rows", type=Whole(1, 1000), default=100, show_default=True, help="At most so many rows.")
@common
def cypher(session: Session, *, query: str, params: str, max_rows: int) -> None:
    """Run a query and print its table; with --json one object a row."""
    parameters = read_parameters(params)
    with session.connect() as smith:
        result = smith.graphs.cypher(query=query, parameters=parameters, max_rows=max_rows)
    session.emit(
        result.records(), lambda: table(result.columns, ([_cell(value) for value in row] for row in result.rows))
    )
    if result.truncated:
        session.note(f"cut at {len(result.rows)} rows: there are more (--max-rows up to 1,000, or SKIP and LIMIT)")


def read_parameters(text: str) -> dict[str, Any]:
    """Parameters of a query from a JSON object.

    Raises:
        InvalidInput: the text is no JSON object.
    """
    try:
        parameters = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidInput("The parameters are not JSON.", field="--params", value=str(error)) from None
    if not isinstance(parameters, dict):
        raise InvalidInput("The parameters must be a JSON object.", field="--params", hint='Like \'{"id": "abc"}\'.')
    return parameters


def _cell(value: object) -> object:
    return to_json(value) if isinstance(value, dict | list) else value
