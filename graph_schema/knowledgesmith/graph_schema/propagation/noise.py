"""What the rates of a run stand beside: its verdicts' scheme, its health, and a placebo of the same branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.graph_schema.storage.store import GraphStore

_UNHEALTHY: Final = "its revision was found unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """How the rates of a run are to be read.

    ``scheme`` is that of its verdicts; ``placebo`` the last run with the same goal and scheme on its branch that
    changed nothing, empty where there is none; ``withheld`` the reason why headline rates are not shown, empty where
    they are.
    """

    scheme: int
    placebo: str
    withheld: str


def floor(store: GraphStore, intervention_id: str) -> Floor:
    """The noise floor of an intervention; that of an unknown one is empty."""
    rows = store.read("propagation/noise_floor", id=intervention_id)
    if not rows:
        return Floor(scheme=1, placebo="", withheld="")
    row = rows[0]
    return Floor(
        scheme=row["scheme"], placebo=row["placebo"] or "", withheld=withheld(row["reasons"], healthy=row["healthy"])
    )


def withheld(reasons: Sequence[str], *, healthy: bool) -> str:
    """Why headline rates are not shown: the worst reason of an unhealthy revision; empty where they are."""
    return "" if healthy else next(iter(reasons), _UNHEALTHY)
