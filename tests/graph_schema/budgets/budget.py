"""What a query is profiled with, and the database hits it may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.graph_schema.budgets.world import World

Parameters = Callable[[World], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a query is run with and what it may cost.

    ``before`` are queries that bring the world into the state that this one is about, in the same transaction.
    """

    params: Parameters
    base: int
    per_row: int = 0
    whole: str = ""
    before: tuple[tuple[str, Parameters], ...] = ()


def budget(
    params: Parameters,
    base: int,
    per_row: int = 0,
    whole: str = "",
    *,
    before: tuple[tuple[str, Parameters], ...] = (),
) -> Budget:
    """A line of the table."""
    return Budget(params=params, base=base, per_row=per_row, whole=whole, before=before)
