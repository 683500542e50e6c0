"""Gates: conditions on the rates of a finished run, read from the ledger by the same queries that users run."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from knowledgesmith.editors.fluency import perplexity, plain_text
from knowledgesmith.graph_schema.propagation import Grouping, groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.editors.artefacts import Weights
    from knowledgesmith.editors.surgery.resident import ResidentModel
    from knowledgesmith.graph_schema.jobs import Gate, Job
    from knowledgesmith.graph_schema.store import GraphStore


def measure(
    store: GraphStore, job: Job, resident: ResidentModel, base: Sequence[Weights], artefact: Weights
) -> dict[str, float]:
    """Collateral, propagated and residual share of the run; the perplexity ratio only when a gate asks for it.

    A share without eligible probes is left out: a gate on it fails, for nothing proves it.
    """
    values: dict[str, float] = {}
    for group in groups(store, job.id, Grouping.ALL)[0]:
        if group.eligible_stay:
            values["collateral"] = group.collateral / group.eligible_stay
        if group.eligible_change:
            values["propagated"] = group.propagated / group.eligible_change
        if group.eligible_old:
            values["residual"] = group.missed / group.eligible_old
    if any(gate.metric == "perplexity_ratio" for gate in job.spec.gates):
        resident.switch(base)
        before = perplexity(resident.loaded, plain_text())
        resident.switch([*base, artefact])
        values["perplexity_ratio"] = perplexity(resident.loaded, plain_text()) / before
    return values


def failed(gates: Sequence[Gate], values: Mapping[str, float]) -> list[str]:
    """One line for each gate that is not met."""
    lines: list[str] = []
    for gate in gates:
        value = values.get(gate.metric, math.nan)
        if gate.max is not None and not value <= gate.max:
            lines.append(f"{gate.metric} {value:.4g} is not <= {gate.max:g}")
        if gate.min is not None and not value >= gate.min:
            lines.append(f"{gate.metric} {value:.4g} is not >= {gate.min:g}")
    return lines


def dump(values: Mapping[str, float]) -> str:
    """Rates as JSON, to be stored as one property."""
    return json.dumps(dict(values), sort_keys=True)
