"""What every command that deletes shares: the option that takes what stands on a thing along, and the report."""

from __future__ import annotations

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._types.graphs import Deletion
from knowledgesmith.client.cli.shared.output import counts, short

forced = click.option("--force", is_flag=True, help="Also delete what stands on it.")


def deleted(kind: str, done: Deletion) -> RenderableType:
    """What a deletion took away."""
    lines = [f"{kind} {done.id} is deleted: {counts(done.removed)}"]
    if done.files_removed:
        lines.append(f"files removed: {', '.join(short(name) for name in done.files_removed)}")
    if done.files_kept:
        lines.append(f"files kept, since something else names them: {', '.join(short(n) for n in done.files_kept)}")
    return Group(*lines)
