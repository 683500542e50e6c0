"""What every command shares: ``--server``, ``--actor``, ``--json``, and a server that is started when there is none."""

from __future__ import annotations

import functools
import getpass
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import click
from rich.console import Console, RenderableType

from knowledgesmith.client._errors import FailedPrecondition, InvalidInput
from knowledgesmith.client._json import to_json
from knowledgesmith.client._sync.client import KnowledgeSmith
from knowledgesmith.client.cli.shared.output import console
from knowledgesmith.client.local_server import answers, own_server

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(kw_only=True)
class Session:
    """One invocation of a command.

    Attributes:
        server: address given by the user; ``None`` = the default one, started when nothing answers there.
        as_json: print JSON instead of tables.
        actor: who asks.
    """

    server: str | None
    as_json: bool
    actor: str

    @cached_property
    def out(self) -> Console:
        """Standard output."""
        return console()

    @cached_property
    def err(self) -> Console:
        """Standard error, for what is not the result."""
        return console(stderr=True)

    def note(self, text: str) -> None:
        """One dim line that is no part of the result, and whole where it is longer than the terminal is wide."""
        self.err.print(text, style="dim", soft_wrap=True)

    def emit(self, value: object, render: Callable[[], RenderableType]) -> None:
        """Print a result as JSON, or as ``render()`` shows it."""
        if self.as_json:
            click.echo(to_json(value))
        else:
            self.out.print(render())

    @contextmanager
    def connect(self) -> Generator[KnowledgeSmith]:
        """A client; starts a server on the default address when none was named and none answers."""
        with KnowledgeSmith(self.server or self._own_server(), actor=self.actor) as smith:
            yield smith

    def _own_server(self) -> str:
        server = own_server()
        present = server.running()
        if present is not None and answers(present.target):
            return present.target
        if not answers(server.target):
            try:
                server.start(on_start=lambda: self.note(f"starting a server at {server.target} (log: {server.log})"))
            except FailedPrecondition as error:
                if error.reason != "SERVER_RUNNING":
                    raise
        return server.target


def default_actor() -> str:
    """The user's login name in ASCII."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
    return name.encode("ascii", "replace").decode()[:128] or "unknown"


def common(function: F) -> F:
    """Add the options of every command and hand it a ``Session`` first."""

    @click.option("--server", envvar="KSMITH_SERVER", metavar="HOST:PORT", help="Server; default: your own, started.")
    @click.option("--actor", envvar="KSMITH_ACTOR", metavar="NAME", help="Who asks; default: your login name.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @functools.wraps(function)
    def command(*, server: str | None, actor: str | None, as_json: bool, **arguments: Any) -> Any:
        click.get_current_context().meta["ksmith.json"] = as_json
        session = Session(server=server, as_json=as_json, actor=actor or default_actor())
        return function(session, **arguments)

    return command  # type: ignore[return-value]  # click reads the options from it, not its signature


def choose_branch(smith: KnowledgeSmith, branch: str | None) -> str:
    """The branch that was named, or the only one that there is.

    Raises:
        InvalidInput: none was named and there are none or several.
    """
    if branch:
        return branch
    names = [found.id for found in smith.branches.list(limit=20)]
    if len(names) == 1:
        return names[0]
    known = f"Name one with --branch: {', '.join(names)}." if names else "Open one with `ksmith branch create`."
    raise InvalidInput("Which branch?", field="branch", hint=known)
