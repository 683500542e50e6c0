"""Questions to the ledger and to the planned probes; each answer is a named Cypher query that can be pasted."""

from __future__ import annotations

from knowledgesmith.graph_schema.propagation.changed_facts import Agreement, ChangedFact, Context, changed_facts
from knowledgesmith.graph_schema.propagation.comparisons import (
    Overlap,
    Point,
    Scale,
    SideBySide,
    compare,
    over_time,
    overlap,
    scales,
)
from knowledgesmith.graph_schema.propagation.counts import ROLES, Counts, Share, total
from knowledgesmith.graph_schema.propagation.edge_statuses import edge_statuses
from knowledgesmith.graph_schema.propagation.evidence import Evidence, VerdictName, evidence
from knowledgesmith.graph_schema.propagation.metrics import (
    HEADLINES,
    Cell,
    Metric,
    Report,
    fact_metrics,
    metrics,
    spread,
)
from knowledgesmith.graph_schema.propagation.noise import Floor, floor
from knowledgesmith.graph_schema.propagation.paths import (
    DEFAULT_THRESHOLD,
    Path,
    Step,
    Stop,
    Travel,
    check_threshold,
    travel,
)
from knowledgesmith.graph_schema.propagation.query_text import Pasteable
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

__all__ = [
    "DEFAULT_THRESHOLD",
    "HEADLINES",
    "ROLES",
    "Agreement",
    "Cell",
    "ChangeFilter",
    "ChangedFact",
    "Context",
    "Counts",
    "Edge",
    "Evidence",
    "Floor",
    "Group",
    "Grouping",
    "Metric",
    "Node",
    "Overlap",
    "Pasteable",
    "Path",
    "Point",
    "Report",
    "Scale",
    "Share",
    "SideBySide",
    "Step",
    "Stop",
    "Travel",
    "VerdictName",
    "changed_facts",
    "changes",
    "check_threshold",
    "compare",
    "edge_statuses",
    "evidence",
    "fact_metrics",
    "floor",
    "groups",
    "metrics",
    "over_time",
    "overlap",
    "scales",
    "spread",
    "subgraph",
    "total",
    "travel",
]
