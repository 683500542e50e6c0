"""Commands whose work the server does by itself: they wait and show how far it is, or only begin it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import click
from rich.console import RenderableType
from rich.status import Status
from rich.text import Text

from knowledgesmith.client._errors import Cancelled
from knowledgesmith.client._sync.operation import Operation
from knowledgesmith.client._types.operations import OnProgress, OperationProgress
from knowledgesmith.client.cli.shared.failure import details
from knowledgesmith.client.cli.shared.output import plain_text, table
from knowledgesmith.client.cli.shared.session import Session

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def waiting(function: F) -> F:
    """Add ``--wait/--no-wait``; the command gets it as ``wait``."""
    about = "Wait for its end; with --no-wait only begin it, and print the operation's name."
    return click.option("--wait/--no-wait", default=True, show_default=True, help=about)(function)


def finish(session: Session, begin: Callable[[], Operation[T]], *, wait: bool) -> T:
    """Begin an operation and return its result; without ``wait``, print its name and end the command.

    Raises:
        click.exceptions.Exit: nobody waits.
    """
    (result,) = finish_all(session, [begin], wait=wait)
    return result


def finish_all(session: Session, begin: Sequence[Callable[[], Operation[T]]], *, wait: bool) -> list[T]:
    """As :func:`finish`, for several that are all begun before one is waited for.

    Raises:
        click.exceptions.Exit: nobody waits.
    """
    with progress(session) as report:
        begun = [one() for one in begin]
        if not wait:
            only_begun(session, begun)
        return [await_result(session, operation, report) for operation in begun]


def only_begun(session: Session, begun: Sequence[Operation[Any]]) -> NoReturn:
    """Print the names of operations that nobody waits for, and end the command.

    Raises:
        click.exceptions.Exit: always.
    """
    shown = [row(operation) for operation in begun]
    session.emit(shown[0] if len(shown) == 1 else shown, lambda: "\n".join(operation.name for operation in begun))
    raise click.exceptions.Exit(0)


def await_result(session: Session, operation: Operation[T], report: OnProgress | None) -> T:
    """The result of an operation; who no longer wants to wait for it is told that it goes on, and how to end it."""
    with left_running(session, operation, f"operations wait {operation.name}"):
        return operation.result(progress=report)


@contextmanager
def left_running(session: Session, operation: Operation[Any], again: str) -> Generator[None]:
    """Who interrupts this block is told that the operation goes on, how to wait ``again``, and how to end it."""
    try:
        yield
    except KeyboardInterrupt:
        session.note(f"it goes on: ksmith {again}")
        session.note(f"to end it:  ksmith operations cancel {operation.name}")
        raise


@contextmanager
def progress(session: Session) -> Generator[OnProgress | None]:
    """What an operation is told to report to: one line of the terminal; nothing where there is none."""
    if session.as_json or not session.err.is_terminal:
        yield None
        return
    line = ProgressLine(began=time.monotonic())
    with Status(line, console=session.err):
        yield line.tell


@dataclass(slots=True)
class ProgressLine:
    """How far an operation is and for how long it was waited; the time goes on while nothing is reported."""

    began: float
    latest: OperationProgress | None = None

    def tell(self, now: OperationProgress) -> None:
        """Take the latest report."""
        self.latest = now

    def __rich__(self) -> Text:
        return Text(plain_text(f"{self._stage()} after {time.monotonic() - self.began:.0f} s"))

    def _stage(self) -> str:
        if self.latest is None:
            return "waiting for the server"
        if not self.latest.stage:
            return "queued"
        of = f" of {self.latest.total:,}" if self.latest.total else ""
        return f"{self.latest.stage}: {self.latest.done:,}{of}"


def row(operation: Operation[Any]) -> dict[str, object]:
    """An operation without its response, for JSON."""
    failed = {} if operation.error is None else {"error": details(operation.error)}
    return {"name": operation.name, "done": operation.done, "metadata": operation.metadata, **failed}


def operation_table(found: Sequence[Operation[Any]]) -> RenderableType:
    """One line an operation; how far it is only while it runs."""
    columns = ("operation", "method", "about", "state", "?stage", "done#", "of#", "by", "begun", "?ended")
    rows = (
        (
            operation.name,
            known.method,
            known.resource_id,
            _state(operation),
            *((None, None, None) if operation.done else (known.stage, known.done, known.total or None)),
            known.actor,
            known.create_time,
            known.finish_time,
        )
        for operation, known in ((operation, operation.metadata) for operation in found)
    )
    return table(columns, rows)


def _state(operation: Operation[Any]) -> str:
    if operation.error is not None:
        return "cancelled" if isinstance(operation.error, Cancelled) else "failed"
    if operation.done:
        return "succeeded"
    if operation.metadata.cancel_requested:
        return "being cancelled"
    return "running" if operation.metadata.stage else "queued"
