"""A command group that imports a command only when it runs, and turns errors into one clear line."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import click

_COMMANDS: Final = "knowledgesmith.client.cli"


class Entry(NamedTuple):
    """Where a command lives (module below :mod:`knowledgesmith.client.cli`, attribute) and its one-line help."""

    module: str
    attribute: str
    help: str


class LazyGroup(click.Group):
    """A group whose commands are a table; the help is printed from the table alone."""

    def __init__(
        self, *, entries: Mapping[str, Entry], sections: Mapping[str, tuple[str, ...]], **options: Any
    ) -> None:
        super().__init__(**options)
        self.entries = entries
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the sections."""
        return [name for names in self.sections.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"{_COMMANDS}.{entry.module}")
        command: click.Command = getattr(module, entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write one definition list a section."""
        for title, names in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.entries[name].help) for name in names])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what goes wrong becomes one line, and exit code 1."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            ctx.exit(130)
        except Exception as error:
            if os.environ.get("KSMITH_DEBUG"):
                raise
            from knowledgesmith.client.cli.shared.failure import report

            report(error)
            ctx.exit(1)
