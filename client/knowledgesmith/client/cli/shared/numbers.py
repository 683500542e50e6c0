"""Numbers that a command takes: each option's range stands in its help and in the error, and the wire can carry it."""

from __future__ import annotations

import math
from typing import Any, Final

import click

_INT32: Final = 2**31 - 1
_INT64: Final = 2**63 - 1


class Whole(click.IntRange):
    """A whole number from ``low`` to ``high``, both included."""

    def __init__(self, low: int = 0, high: int = _INT32) -> None:
        super().__init__(low, high)
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number.

        Raises:
            click.BadParameter: it is none, or outside the range.
        """
        try:
            number = int(str(value).strip())
        except ValueError:
            number = None
        if number is None or not self.low <= number <= self.high:
            self.fail(f"{value!r} is not a whole number {self.words}.", param, ctx)
        return number

    @property
    def words(self) -> str:
        """The range in words."""
        return f"from {self.low:,} to {self.high:,}"

    def _describe_range(self) -> str:
        return self.words


class Share(click.FloatRange):
    """A finite number above 0 and up to 1."""

    def __init__(self) -> None:
        super().__init__(0, 1, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number.

        Raises:
            click.BadParameter: it is none, not finite, or outside the range.
        """
        try:
            number = float(str(value).strip())
        except ValueError:
            number = math.nan
        if not 0 < number <= 1:
            self.fail(f"{value!r} is not a number {self.words}.", param, ctx)
        return number

    words = "above 0 and up to 1"
    """The range in words."""

    def _describe_range(self) -> str:
        return self.words


COUNT: Final = Whole()
"""0 or more."""
POSITIVE: Final = Whole(1)
"""1 or more."""
SEED: Final = Whole(0, _INT64)
"""What draws start from."""
SEQUENCE: Final = Whole(0, _INT64)
"""The number of a row of a ledger."""
SHARE: Final = Share()
