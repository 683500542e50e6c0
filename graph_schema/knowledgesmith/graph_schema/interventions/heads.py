"""Head beliefs worked out from ledger rows without the database: what ``ledger/heads.cypher`` must have written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

TOLERANCE: Final = 1e-9
"""Sums of floats may differ in the last digits with the order of rows."""
_KINDS: Final = ("direct", "reverse", "multi_hop", "comparison", "contextual", "conflict")
NAMES: Final = (
    *("belief", "belief_prev", "belief_delta", "belief_intervention", "belief_seq"),
    *(f"belief_{kind}" for kind in _KINDS),
)
"""The head properties of an entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The part of a ledger row that the heads depend on."""

    run: str
    seq: int
    kind: str
    before: float | None
    after: float | None
    n: int


def replay(rows: Iterable[Row], runs: Sequence[str]) -> dict[str, Any]:
    """The head properties of one entity after the ledgers of ``runs`` in this order; unset ones are absent.

    An intervention that has no row about the entity leaves its heads alone. ``belief`` is the mean of the direct
    probes, else of the means of the kinds (design: belief, verdict, metrics).
    """
    found = list(rows)
    heads: dict[str, Any] = {}
    for run in runs:
        own = [row for row in found if row.run == run]
        if own:
            heads = _after(run, own, heads)
    return {name: value for name, value in heads.items() if value is not None}


def _after(run: str, rows: Sequence[Row], heads: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {kind: [row for row in rows if row.kind == kind] for kind in sorted({row.kind for row in rows})}
    before = {kind: _mean([(row.before, row.n) for row in own]) for kind, own in kinds.items()}
    after = {kind: _mean([(row.after, row.n) for row in own]) for kind, own in kinds.items()}
    if after.get("DIRECT") is not None:
        belief, previous = after["DIRECT"], before["DIRECT"]
    else:
        belief, previous = _mean([(v, 1) for v in after.values()]), _mean([(v, 1) for v in before.values()])
    changed = {f"belief_{kind.lower()}": value for kind, value in after.items() if value is not None}
    return {
        **{name: heads.get(name) for name in NAMES},
        **changed,
        "belief": belief,
        "belief_prev": previous,
        "belief_delta": None if belief is None or previous is None else belief - previous,
        "belief_intervention": run,
        "belief_seq": max(row.seq for row in rows),
    }


def _mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, n) for value, n in values if value is not None]
    weight = sum(n for _, n in known)
    return math.fsum(value * n for value, n in known) / weight if weight else None


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """Names of head properties that differ, numbers by more than :data:`TOLERANCE`."""
    return [name for name in NAMES if not _same(found.get(name), expected.get(name))]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= TOLERANCE
    return bool(one == other)
