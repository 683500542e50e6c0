"""An error as the user reads it: one red line, and the way out."""

from __future__ import annotations

import click

from knowledgesmith.client._errors import KnowledgeSmithClientError
from knowledgesmith.client._json import to_json
from knowledgesmith.client.cli._output import plain_text

_ROWS = 20
"""Bad rows of an import that are shown."""


def wants_json() -> bool:
    """Whether the running command was given ``--json``."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get("ksmith.json"))


def report(error: Exception) -> None:
    """Write ``error`` to standard error; with ``--json`` as one JSON object."""
    if not isinstance(error, KnowledgeSmithClientError):
        error = _foreign(error)
    if wants_json():
        click.echo(to_json({"error": details(error)}), err=True)
        return
    click.secho(f"error: {plain_text(error.summary)}", fg="red", err=True)
    for row in further_rows(error):
        click.secho(f"       {plain_text(row)}", err=True)
    if error.hint:
        click.secho(f"hint: {plain_text(error.hint)}", dim=True, err=True)


def further_rows(error: KnowledgeSmithClientError) -> list[str]:
    """Bad rows of an import after the first one, which the message names already; the last line says how many more."""
    numbers = sorted(int(key[4:]) for key in error.metadata if key.startswith("row_") and key[4:].isdecimal())
    rows = [error.metadata[f"row_{number}"] for number in numbers[1:_ROWS]]
    total = error.metadata.get("bad_rows", "")
    left = (int(total) if total.isdecimal() else len(numbers)) - len(rows) - 1
    if rows and left > 0:
        rows.append(f"\u2026 and {left:,} more; --rejections FILE writes them all")
    return rows


def details(error: KnowledgeSmithClientError) -> dict[str, object]:
    """Everything that is known about an error."""
    return {
        "reason": error.reason,
        "message": error.message,
        "field": error.field,
        "value": error.value,
        "hint": error.hint,
        "metadata": error.metadata,
    }


def _foreign(error: Exception) -> KnowledgeSmithClientError:
    """An error that is none of ours: the file system's words as they are, anything else named as a fault."""
    if isinstance(error, OSError):
        return KnowledgeSmithClientError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
    kind = type(error).__name__
    return KnowledgeSmithClientError(f"{kind}: {error}", hint="Set KSMITH_DEBUG=1 to see where it came from.")
