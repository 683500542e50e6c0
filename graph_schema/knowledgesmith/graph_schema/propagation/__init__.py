"""Questions to the ledger and to the planned probes; each answer is a named Cypher query that can be pasted."""

from __future__ import annotations

from knowledgesmith.graph_schema.propagation.evidence import Evidence, VerdictName, evidence
from knowledgesmith.graph_schema.propagation.facts import Agreement, ChangedFact, Context, changed_facts
from knowledgesmith.graph_schema.propagation.metrics import Cell, Metric, fact_metrics, metrics, spread
from knowledgesmith.graph_schema.propagation.pasteable import Pasteable
from knowledgesmith.graph_schema.propagation.paths import (
    DEFAULT_THRESHOLD,
    Path,
    Step,
    Stop,
    Travel,
    check_threshold,
    travel,
)
from knowledgesmith.graph_schema.propagation.rows import (
    ChangeFilter,
    Edge,
    Group,
    Grouping,
    Node,
    changes,
    groups,
    subgraph,
)
from knowledgesmith.graph_schema.propagation.series import (
    Overlap,
    Point,
    Scale,
    SideBySide,
    compare,
    over_time,
    overlap,
    scales,
)

__all__ = [
    "DEFAULT_THRESHOLD",
    "Agreement",
    "Cell",
    "ChangeFilter",
    "ChangedFact",
    "Context",
    "Edge",
    "Evidence",
    "Group",
    "Grouping",
    "Metric",
    "Node",
    "Overlap",
    "Pasteable",
    "Path",
    "Point",
    "Scale",
    "SideBySide",
    "Step",
    "Stop",
    "Travel",
    "VerdictName",
    "changed_facts",
    "changes",
    "check_threshold",
    "compare",
    "evidence",
    "fact_metrics",
    "groups",
    "metrics",
    "over_time",
    "overlap",
    "scales",
    "spread",
    "subgraph",
    "travel",
]
