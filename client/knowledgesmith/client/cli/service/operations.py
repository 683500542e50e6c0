"""``ksmith operations``."""

from __future__ import annotations

import json

import click
from rich.console import Group, RenderableType

from knowledgesmith.client._json import to_plain
from knowledgesmith.client.cli.shared.groups import DefaultGroup
from knowledgesmith.client.cli.shared.numbers import POSITIVE
from knowledgesmith.client.cli.shared.operations import await_result, operation_table, progress, row
from knowledgesmith.client.cli.shared.session import Session, common

_PREFIX = "operations/"


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """The full name, also where only the UUID of it was given."""
    return value if value.startswith(_PREFIX) else f"{_PREFIX}{value}"


_operation = click.argument("name", metavar="NAME", callback=_name)


@click.group(
    cls=DefaultGroup,
    default="list",
    alone=True,
    help="List, show, await, cancel and delete the server's long operations.",
    epilog="`ksmith operations` means `ksmith operations list`.",
)
def operations() -> None:
    """Imports, generations, audits, archives, deletions and more; their results are kept for a week."""


@operations.command("list", help="List the operations, newest first.")
@click.option("--method", default="", metavar="NAME", help="Only of this method, for example ImportGraph.")
@click.option("--running", is_flag=True, help="Only those that have not ended.")
@click.option("--limit", type=POSITIVE, default=20, show_default=True)
@common
def list_(session: Session, *, method: str, running: bool, limit: int) -> None:
    """List operations."""
    conditions = [*([f"method={method}"] if method else []), *(["done=false"] if running else [])]
    with session.connect() as smith:
        found = smith.operations.list(filter=" AND ".join(conditions), limit=limit)
    session.emit([row(operation) for operation in found], lambda: operation_table(found))


@operations.command(help="Show an operation, and its result or error where it has ended.")
@_operation
@common
def show(session: Session, *, name: str) -> None:
    """Show one operation; exit code 0 also where it failed."""
    with session.connect() as smith:
        found = smith.operations.get(name=name)
        response = {"response": found.result()} if found.done and found.error is None else {}
    told = {**row(found), **response}
    session.emit(told, lambda: Group(operation_table([found]), *_lines(told)))


@operations.command(help="Wait until an operation has ended, and print its result; exit code 1 where it failed.")
@_operation
@common
def wait(session: Session, *, name: str) -> None:
    """Wait for one operation."""
    with session.connect() as smith, progress(session) as report:
        result = await_result(session, smith.operations.get(name=name), report)
    session.emit(result, lambda: _pretty(result))


@operations.command(help="Ask for the end of an operation at its next safe point; it may still succeed.")
@_operation
@common
def cancel(session: Session, *, name: str) -> None:
    """Cancel one operation."""
    with session.connect() as smith:
        smith.operations.cancel(name=name)
        found = smith.operations.get(name=name)
    session.emit(row(found), lambda: operation_table([found]))


@operations.command(help="Forget an operation that has ended, with its result.")
@_operation
@common
def delete(session: Session, *, name: str) -> None:
    """Delete one operation."""
    with session.connect() as smith:
        smith.operations.delete(name=name)
    session.emit({"name": name}, lambda: f"{name} is forgotten")


def _lines(told: dict[str, object]) -> list[RenderableType]:
    """The response or the error."""
    return [line for name in ("response", "error") if name in told for line in (f"{name}:", _pretty(told[name]))]


def _pretty(value: object) -> str:
    """A result of any method as readable JSON."""
    return json.dumps(to_plain(value), indent=2, ensure_ascii=False)
