"""How much of the change that a method wanted at each fact became real, and how much went elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

KEY = "realised"
"""Key of an artefact's metadata; methods without a value search do not write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """One fact: with δ the wanted change of the hidden state at the look-up and Δh the one that came.

    Attributes:
        fact_id: the fact.
        along: ⟨Δh, δ⟩ / |δ|²; 1 = exactly as wanted, 0 = nothing. Where δ is 0: 1 if the target was met before, 0 if
            no change was found that comes nearer to it. NaN is kept.
        across: |Δh - along·δ| / |δ|; 0 = nothing went elsewhere. NaN is kept.
    """

    fact_id: str
    along: float
    across: float

    @property
    def finite(self) -> bool:
        """Whether both are numbers."""
        return math.isfinite(self.along) and math.isfinite(self.across)


def realised_of(metadata: Mapping[str, str]) -> tuple[Realised, ...]:
    """The facts that an artefact's metadata tell of; empty where the method measures none."""
    items = cast("list[dict[str, Any]]", json.loads(metadata.get(KEY) or "[]"))
    return tuple(
        Realised(fact_id=str(item["fact_id"]), along=_number(item["along"]), across=_number(item["across"]))
        for item in items
    )


def _number(value: object) -> float:
    """A figure; what JSON cannot write (null in its place) is not a number."""
    return math.nan if value is None else float(cast("float", value))
