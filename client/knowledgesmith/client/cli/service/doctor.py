"""``ksmith doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from knowledgesmith.client._json import to_json
from knowledgesmith.client.cli.shared.output import console, plain_text
from knowledgesmith.client.examination import FAILED, Part, examine

_STYLES: Final = {"OK": "green", "WARN": "yellow", FAILED: "bold red"}


@click.command(help="Look at everything that a server needs on this machine.")
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The server's data directory.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(*, data_dir: Path | None, as_json: bool) -> None:
    """Print one line a part, with the way out where one is needed; exit code 1 when a part does not work."""
    context = click.get_current_context()
    context.meta["ksmith.json"] = as_json
    if not as_json:
        console(stderr=True).print("looking at this machine (some seconds) …", style="dim")
    found = examine(data_dir=data_dir)
    if as_json:
        click.echo(to_json(found))
    else:
        console().print(show(found.parts))
    context.exit(0 if found.ok else 1)


def show(parts: Sequence[Part]) -> RenderableType:
    """One block a part, wrapped to the terminal, and the count of what is amiss."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for part in parts:
        grid.add_row(Text(part.status, style=_STYLES.get(part.status, "")), part.name, plain_text(part.text))
        if part.way_out:
            grid.add_row("", "", Text(f"→ {plain_text(part.way_out)}", style="dim"))
    counted = {status: sum(part.status == status for part in parts) for status in _STYLES}
    last = ", ".join(f"{number} {status}" for status, number in counted.items() if number)
    return Group(grid, Text(), Text(last, style=_STYLES[FAILED] if counted[FAILED] else "dim"))
