"""An error as the user reads it: one red line, and the way out."""

from __future__ import annotations

import json

import click

from knowledgesmith.client._errors import KnowledgeSmithClientError, ProbeSetEmpty
from knowledgesmith.client._json import to_json
from knowledgesmith.client.cli.shared.output import plain_text

_ROWS = 20
"""Bad rows of an import that are shown."""
_WHY = {
    "ambiguous_anchor": "what is asked about shares its name with something else",
    "ambiguous_option": "the answer shares its name with something else",
    "doubtful": "very much may be true beside the answer",
    "guessable": "what shows of the options tells the answer",
    "leak": "the question would say its answer",
    "no_distractor": "nothing that is surely false could stand beside the answer",
    "no_template": "the relation has no phrasing for it",
    "predictable_answer": "the answer is so common that it tells itself",
    "uneven_place": "the right option would stand at one place too often",
}
"""Why questions yield no probe, in words; other reasons are shown by their names."""


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
    for row in (*further_rows(error), *left_out(error)):
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


def left_out(error: KnowledgeSmithClientError) -> list[str]:
    """Why no question was left, the most frequent reason first; nothing for an error that is about something else."""
    if not isinstance(error, ProbeSetEmpty) or "dropped" not in error.metadata:
        return []
    try:
        dropped = {str(reason): int(count) for reason, count in json.loads(error.metadata["dropped"]).items()}
    except (ValueError, AttributeError, TypeError):
        return []
    if not dropped:
        return ["no fact of these kinds, levels and relations could be asked at all"]
    rows = sorted(dropped.items(), key=lambda row: (-row[1], row[0]))
    return [f"{count:,} left out: {_WHY.get(reason, reason)}" for reason, count in rows]


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
