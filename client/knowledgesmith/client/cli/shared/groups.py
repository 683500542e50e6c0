"""A group of commands one of which is meant where none is named."""

from __future__ import annotations

from typing import Any

import click


class DefaultGroup(click.Group):
    """A group whose command ``default`` is meant where the first word names none.

    Args:
        default: name of that command.
        alone: it is also meant where no word follows; else the group says what it has.
        **options: as of any group.
    """

    def __init__(self, *, default: str, alone: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._default = default
        self._alone = alone

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command's name where none stands."""
        if self._alone if not args else args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [self._default, *args]
        return super().parse_args(ctx, args)
