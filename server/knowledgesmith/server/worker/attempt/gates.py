"""Gates: conditions on the rates of a finished run, read from the ledger by the same queries that users run."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.propagation import HEADLINES, Grouping, groups
from knowledgesmith.graph_schema.propagation.counts import total, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from knowledgesmith.graph_schema.interventions.records import Gate, Intervention
    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.graph_schema.types.health import Health


def measure(store: GraphStore, intervention: Intervention, health: Health) -> dict[str, float]:
    """Every rate of the run, each of one role, and the perplexity ratio of its health.

    A share without eligible probes is left out: a gate on it fails, for nothing proves it.
    """
    counted = total(groups(store, intervention.id, Grouping.ALL)[0])
    values = {name: value for name, value in values_of(counted).items() if value is not None}
    if health.perplexity_ratio is not None:
        values["perplexity_ratio"] = health.perplexity_ratio
    return values


def failed(gates: Sequence[Gate], values: Mapping[str, float], health: Health | None = None) -> list[str]:
    """What keeps a run from being committed: why it is a wreck, worst first, then one line for each gate not met."""
    lines = [] if health is None or health.ok else [f"wrecked: {reason}" for reason in health.reasons]
    for gate in gates:
        value = values.get(gate.metric, math.nan)
        if gate.max is not None and not value <= gate.max:
            lines.append(f"{gate.metric} {value:.4g} is not <= {gate.max:g}")
        if gate.min is not None and not value >= gate.min:
            lines.append(f"{gate.metric} {value:.4g} is not >= {gate.min:g}")
    return lines


def kept(values: Mapping[str, float], health: Health) -> dict[str, object]:
    """Properties of the intervention: the rates as JSON, without the headline ones and with the reason for a wreck.

    A wreck answers at random, and what should change then changes too: its rates would look like those of an edit.
    What it broke stays.
    """
    shown = {name: value for name, value in values.items() if health.ok or name not in HEADLINES}
    return {"metrics": json.dumps(shown, sort_keys=True), "metrics_withheld": "" if health.ok else health.reason}
