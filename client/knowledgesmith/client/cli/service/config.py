"""``ksmith config``."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import click

from knowledgesmith.client._errors import InvalidInput, ServerFault
from knowledgesmith.client._extras import SERVER, require
from knowledgesmith.client._json import to_json
from knowledgesmith.client.cli.shared.output import console, plain_text, table


@click.command(
    help="Show every setting of a server, and where its value comes from.",
    epilog="Flags of the server may be tried behind --: ksmith config -- --device cpu",
)
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def config(*, flags: tuple[str, ...], as_json: bool) -> None:
    """Ask the server's own program, which starts nothing for it."""
    click.get_current_context().meta["ksmith.json"] = as_json
    found = read_settings(flags)
    if as_json:
        click.echo(to_json(found))
        return
    rows = [[row["name"], row["value"] or "–", row["origin"], row["description"]] for row in found["settings"]]
    console().print(table(("setting", "value", "from", "what it is"), rows))
    missing = "" if found["exists"] else " (not there)"
    console().print(
        f"from the first that names it: a flag (--query-seconds 5), a variable (KSMITH_QUERY_SECONDS=5), "
        f"the file {plain_text(found['file'])}{missing} (query_seconds = 5)",
        style="dim",
    )


def read_settings(flags: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the server's program says of its settings: the file, whether it exists, and one object a setting.

    Raises:
        FailedPrecondition: no server is installed here.
        InvalidInput: a setting is wrong.
        ServerFault: the program gave no answer.
    """
    require(SERVER, "The settings of a server")
    command = [sys.executable, "-m", "knowledgesmith.server", "config", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise ServerFault(f"The server's program said {said[:300]}", reason="NO_ANSWER") from error
    if "error" in found:
        raise InvalidInput(
            found["error"], reason="INVALID_FIELD", field=found["field"], value=found["value"], hint=found["hint"]
        )
    return found
